"""The public record: whoever checks it needs nothing but the log's key."""

from base64 import b64decode
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509

from ledger import merkle
from ledger.checkpoint import LogIdentity, open_checkpoint
from registry.records import Person
from sealing.administration.seals import change_state
from sealing.recover import recover
from sealing.seal import Sealer
from tests.api.live import Service, live_service


def read(service: Service, path: str, status: int = 200) -> Any:
    answer = service.http.get(path)
    assert answer.status_code == status, answer.text
    return answer


def test_the_checkpoint_is_signed_by_the_log_that_it_names(service: Service) -> None:
    log = read(service, "/v1/log").json()
    checkpoint = open_checkpoint(read(service, "/v1/checkpoint").text, LogIdentity.from_vkey(log["vkey"]))
    assert (checkpoint.origin, checkpoint.size) == (log["origin"], log["size"])


def test_every_entry_is_proven_from_tiles_alone(service: Service) -> None:
    """The tree of the checkpoint is built again from the entry bundles."""
    log = read(service, "/v1/log").json()
    leaves: list[bytes] = []
    for tile in range(-(-log["size"] // 256)):
        width = min(256, log["size"] - tile * 256)
        suffix = "" if width == 256 else f".p/{width}"
        data = read(service, f"/v1/tile/entries/{tile:03}{suffix}").content
        while data:
            length = int.from_bytes(data[:2])
            leaves.append(data[2 : 2 + length])
            data = data[2 + length :]
    tree = merkle.CompactRange()
    for leaf in leaves:
        tree, _ = tree.append(merkle.leaf_hash(leaf))
    checkpoint = open_checkpoint(read(service, "/v1/checkpoint").text, LogIdentity.from_vkey(log["vkey"]))
    assert (tree.size, tree.root()) == (checkpoint.size, checkpoint.root)


def test_tiles_never_change_and_may_be_kept_for_ever(service: Service) -> None:
    size = read(service, "/v1/log").json()["size"]
    assert size > 256
    assert "immutable" in read(service, "/v1/tile/0/000").headers["cache-control"]
    assert "immutable" in read(service, "/v1/tile/0/000.p/5").headers["cache-control"]


def test_inclusion(service: Service) -> None:
    answer = read(service, "/v1/proofs/inclusion?entry=7&size=200").json()
    proof = [b64decode(part) for part in answer["proof"]]
    merkle.verify_inclusion(7, 200, b64decode(answer["leaf_hash"]), proof, b64decode(answer["root"]))
    assert answer["size"] == 200


def test_consistency(service: Service) -> None:
    old, new = (read(service, f"/v1/proofs/inclusion?entry=0&size={size}").json()["root"] for size in (100, 250))
    answer = read(service, "/v1/proofs/consistency?old=100&size=250").json()
    proof = [b64decode(part) for part in answer["proof"]]
    merkle.verify_consistency(100, 250, proof, first_root=b64decode(old), second_root=b64decode(new))
    assert answer["root"] == new


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/v1/proofs/inclusion?entry=999999", 404),
        ("/v1/proofs/inclusion?entry=5&size=3", 404),
        ("/v1/proofs/inclusion?entry=5&size=999999", 404),
        ("/v1/proofs/inclusion?entry=-1", 400),
        ("/v1/proofs/inclusion?entry=99999999999999999999", 400),
        ("/v1/proofs/consistency?old=0", 400),
        ("/v1/proofs/consistency?old=9&size=8", 404),
        ("/v1/tile/0/001", 404),
        ("/v1/tile/0/000.p/256", 404),
        ("/v1/tile/0/x000/001", 404),
        ("/v1/tile/../../etc/passwd", 404),
        ("/v1/tile/entries/000.p/0", 404),
        ("/v1/tile/" + "x" * 100, 400),
    ],
)
def test_what_the_record_has_not(service: Service, path: str, status: int) -> None:
    assert "code" in read(service, path, status).json()


def test_the_authority_and_its_list(service: Service) -> None:
    root = x509.load_pem_x509_certificate(read(service, "/v1/authority/root.pem").content)
    issuer = x509.load_pem_x509_certificate(read(service, "/v1/authority/issuer.pem").content)
    issuer.verify_directly_issued_by(root)
    answer = read(service, "/v1/authority/issuer.crl")
    assert answer.headers["content-type"] == "application/pkix-crl"
    crl = x509.load_der_x509_crl(answer.content)
    assert crl.is_signature_valid(issuer.public_key())
    assert len(crl) == 0
    change_state(service.world.shop, service.world.seals["forest"], "suspend", service.world.act("演练"))
    assert len(x509.load_der_x509_crl(read(service, "/v1/authority/issuer.crl").content)) == 1
    change_state(service.world.shop, service.world.seals["forest"], "resume", service.world.act("演练结束"))
    own = x509.load_der_x509_crl(read(service, "/v1/authority/root.crl").content)
    assert own.is_signature_valid(root.public_key())


def judge(service: Service, document: bytes, receipt: bytes | None = None) -> Any:
    files = {"document": ("x.pdf", document)} | ({} if receipt is None else {"receipt": ("r.json", receipt)})
    return service.http.post("/v1/verifications", files=files)


def test_a_verification_with_and_without_a_receipt(service: Service) -> None:
    body = service.seal().json()
    headers = service.headers("county system")
    pdf = service.http.get(body["document"], headers=headers).content
    receipt = service.http.get(f"/v1/impressions/{body['impression']}/receipt", headers=headers).content
    with_receipt, without = judge(service, pdf, receipt), judge(service, pdf)
    assert with_receipt.json()["indication"] == without.json()["indication"] == "TOTAL_PASSED"
    with service.world.shop.database.read() as connection:
        principal = service.world.shop.registry.get(connection, Person, service.world.staff["county"].principal).record
    assert principal.name in with_receipt.text
    assert principal.name not in without.text  # a stranger with the file does not learn the names of persons
    flipped = bytearray(pdf)
    flipped[200] ^= 1
    assert judge(service, bytes(flipped)).json()["indication"] == "TOTAL_FAILED"
    other = service.seal().json()
    foreign = service.http.get(f"/v1/impressions/{other['impression']}/receipt", headers=headers).content
    assert judge(service, bytes(flipped), foreign).json()["indication"] == "TOTAL_FAILED"


@pytest.mark.parametrize("document", [b"", b"no pdf", b"%PDF-1.7\n" + b"<" * 5000])
def test_files_that_are_not_sealed(service: Service, document: bytes) -> None:
    answer = judge(service, document)
    assert answer.status_code == 200
    assert answer.json()["indication"] in {"INDETERMINATE", "TOTAL_FAILED"}
    assert answer.json()["findings"]


@pytest.mark.parametrize("receipt", [b"", b"{", b"[]", b'{"d":"x"}', b"\xff"])
def test_receipts_that_are_none(service: Service, receipt: bytes) -> None:
    answer = judge(service, b"%PDF-", receipt)
    assert (answer.status_code, answer.json()["code"]) == (400, "receipt-unreadable")


class StoppedError(BaseException):
    """Ends a worker where ``kill -9`` would."""


def made_and_lost(service: Service, *, recovered: bool) -> bytes:
    """A correctly signed file that the operator copied from a worker which then died before its second commit."""
    shop, copies = service.world.shop, []

    def stop(step: str) -> None:
        if step == "sealed_file_written":
            copies.extend(path.read_bytes() for path in shop.documents.incoming.iterdir())
            raise StoppedError

    submission = service.world.submission("city", service.folder)
    with pytest.raises(StoppedError):
        Sealer(shop, clock=lambda: service.world.now, at=stop).seal(submission, service.world.clients["platform"])
    if recovered:
        service.world.now += 2 * shop.settings.lease
        assert len(recover(shop, clock=lambda: service.world.now)) == 1
    return next(copy for copy in copies if b"/ByteRange" in copy)


@pytest.mark.parametrize(
    ("recovered", "code", "state"),
    [(False, "not_in_ledger", "absent"), (True, "attempt_abandoned", "abandoned")],
)
def test_a_signature_that_never_became_a_seal_use_fails(tmp_path: Path, recovered: bool, code: str, state: str) -> None:
    with live_service(tmp_path) as service:
        verdict = judge(service, made_and_lost(service, recovered=recovered)).json()
    assert verdict["indication"] == "TOTAL_FAILED"
    (judged,) = verdict["signatures"]
    assert [each["code"] for each in judged["findings"] if each["severity"] == "failure"] == [code]
    assert judged["ledger"]["state"] == state


def test_every_seal_of_a_file_gets_its_own_answer(service: Service) -> None:
    world, headers = service.world, service.headers("county system")
    order = world.order("city", final=False)
    document = world.document("city", order, service.folder)
    first = service.send(order, document, world.approve("city", order, document)).json()
    half = service.folder / "half.pdf"
    half.write_bytes(service.http.get(first["document"], headers=headers).content)
    place = {"kind": "position", "page": 1, "x_mm": "60", "y_mm": "60"}
    again = world.order(
        "city",
        case_number=order.case_number,
        document_number=order.document_number,
        copy="duplicate 1",
        placement=place,
    )
    second = service.send(again, half, world.approve("city", again, half)).json()
    verdict = judge(service, service.http.get(second["document"], headers=headers).content).json()
    assert verdict["indication"] == "TOTAL_PASSED"
    told = [each["ledger"]["impression"] for each in verdict["signatures"]]
    assert told == [first["impression"], second["impression"]]


def test_a_seal_of_another_log_is_none_of_ours(service: Service, tmp_path: Path) -> None:
    """Our log does not know it, but that is no proof against it."""
    with live_service(tmp_path) as elsewhere:
        body = elsewhere.seal().json()
        pdf = elsewhere.http.get(body["document"], headers=elsewhere.headers("county system")).content
    verdict = judge(service, pdf).json()
    assert verdict["indication"] == "INDETERMINATE"
    assert "not_in_ledger" not in {each["code"] for each in verdict["signatures"][0]["findings"]}
