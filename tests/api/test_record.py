"""The public record: whoever checks it needs nothing but the log's key."""

from base64 import b64decode
from typing import Any

import pytest
from cryptography import x509

from ledger import merkle
from ledger.checkpoint import LogIdentity, open_checkpoint
from registry.records import Person
from sealing.administration.seals import change_state
from tests.api.live import Service


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


def test_a_full_tile_may_be_kept_for_ever_a_partial_one_not(service: Service) -> None:
    size = read(service, "/v1/log").json()["size"]
    assert size > 256
    assert "immutable" in read(service, "/v1/tile/0/000").headers["cache-control"]
    assert read(service, "/v1/tile/0/000.p/5").headers["cache-control"] == "no-store"


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
