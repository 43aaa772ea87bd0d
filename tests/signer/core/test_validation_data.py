"""The security store in the file: added, extended, kept; and what a time-stamp token may be."""

from base64 import b64encode
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

import pikepdf
import pytest
from asn1crypto import cms as oracle
from cryptography.hazmat import asn1
from pikepdf import Array, Dictionary, Name

from signer.archive_file import embed_archive, measure_archive
from signer.byte_layout import RESERVED_HEX_DIGITS, Layout
from signer.cms import longest_signed_data, signed_attributes, signed_data
from signer.desk import extend_document
from signer.errors import DocumentRejectedError, PreparedFileError, ReserveOverflowError, SignerError
from signer.seal_file import Prepared, embed, measure
from signer.validation_data import ValidationData

if TYPE_CHECKING:
    from tests.signer.core.conftest import Desk, Judges, Papers, Signatory

DATA = ValidationData(certificates=(b"one", b"two", b"one"), crls=(b"list",), ocsps=())
TOKEN = asn1.encode_der(b"token" * 100)


def stored(path: Path) -> dict[str, list[bytes]]:
    with pikepdf.open(path) as pdf:
        return {
            key: [each.read_bytes() for each in value]
            for key, value in pdf.Root.DSS.items()
            if isinstance(value, Array)
        }


def extended(source: Path, target: Path, **lists: list[bytes]) -> Layout:
    listed = {name: [b64encode(each).decode() for each in values] for name, values in lists.items()}
    now = "2026-11-23T09:00:00+00:00"
    return Layout.from_json(
        extend_document(source=str(source), target=str(target), validation_data=listed, now=now)["layout"]
    )


@pytest.mark.parametrize("kind", ["classic", "streams"])
def test_a_store_is_compressed_once_and_has_no_empty_lists(
    desk: "Desk", papers: "Papers", p256: "Signatory", tmp_path: Path, kind: str
) -> None:
    sealed = desk.seal(getattr(papers, kind)(), tmp_path / "sealed.pdf", p256, validation_data=DATA)
    assert stored(sealed.path) == {"/Certs": [b"one", b"two"], "/CRLs": [b"list"]}
    with pikepdf.open(sealed.path) as pdf:
        assert pdf.Root.DSS.Type == Name.DSS
        assert all(each.Filter == Name.FlateDecode for each in pdf.Root.DSS.Certs)


@pytest.mark.parametrize("indirect", [True, False], ids=["indirect", "direct"])
def test_an_existing_store_is_kept_and_extended(
    desk: "Desk", papers: "Papers", p256: "Signatory", tmp_path: Path, indirect: bool
) -> None:
    pdf = desk.blank()
    known = Array([pdf.make_stream(b"one")])
    store = Dictionary(Type=Name.DSS, Certs=pdf.make_indirect(known), VRI=Dictionary())
    pdf.Root.DSS = pdf.make_indirect(store) if indirect else store
    sealed = desk.seal(papers.write(pdf, "store.pdf"), tmp_path / "sealed.pdf", p256, validation_data=DATA)
    assert stored(sealed.path) == {"/Certs": [b"one", b"two"], "/CRLs": [b"list"]}
    with pikepdf.open(sealed.path) as after:
        assert "/VRI" in after.Root.DSS


@pytest.mark.tool("pdfsig")
def test_a_second_seal_extends_the_store_of_the_first(
    desk: "Desk", papers: "Papers", judges: "Judges", p256: "Signatory", tmp_path: Path
) -> None:
    first = desk.seal(papers.streams(), tmp_path / "1.pdf", p256, final=False, validation_data=DATA)
    more = ValidationData(certificates=(b"two", b"three"), ocsps=(b"answer",))
    second = desk.seal(first.path, tmp_path / "2.pdf", p256, spots=(desk.at(2),), validation_data=more)
    assert judges.pdfsig(second.path, signatures=2) == []
    assert stored(second.path) == {"/Certs": [b"one", b"two", b"three"], "/CRLs": [b"list"], "/OCSPs": [b"answer"]}


def test_an_extension_with_nothing_new_leaves_the_store_alone(
    desk: "Desk", papers: "Papers", p256: "Signatory", tmp_path: Path
) -> None:
    sealed = desk.seal(papers.classic(), tmp_path / "sealed.pdf", p256, validation_data=DATA)
    extended(sealed.path, tmp_path / "long.pdf", certificates=[b"two"], crls=[b"list"])
    appended = (tmp_path / "long.pdf").read_bytes()[sealed.length :]
    assert b"/DSS" not in appended.replace(b"/DSS %d 0 R" % _number(sealed.path), b"")
    assert b"/Certs" not in appended


def _number(path: Path) -> int:
    with pikepdf.open(path) as pdf:
        return pdf.Root.DSS.objgen[0]


@pytest.mark.parametrize(
    "wrong",
    [{"certificates": ["not base64!"]}, {"crls": "YQ=="}, {"ocsps": [1]}, {"keys": []}],
    ids=["base64", "no-list", "number", "unknown"],
)
def test_malformed_validation_data_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(SignerError) as caught:
        ValidationData.from_json(wrong)
    assert caught.value.code == "validation-data-malformed"


def test_a_file_that_is_not_signed_is_not_extended(papers: "Papers", tmp_path: Path) -> None:
    with pytest.raises(DocumentRejectedError) as caught:
        extended(papers.classic(), tmp_path / "out.pdf")
    assert caught.value.code == "not-signed"
    assert not (tmp_path / "out.pdf").exists()


def test_an_extension_never_writes_over_a_file(
    desk: "Desk", papers: "Papers", p256: "Signatory", tmp_path: Path
) -> None:
    sealed = desk.seal(papers.classic(), tmp_path / "sealed.pdf", p256)
    (tmp_path / "there.pdf").write_bytes(b"kept")
    with pytest.raises(FileExistsError):
        extended(sealed.path, tmp_path / "there.pdf")
    assert (tmp_path / "there.pdf").read_bytes() == b"kept"


def test_an_archive_of_other_bytes_is_refused_and_a_bad_token_is_not_written(
    desk: "Desk", papers: "Papers", p256: "Signatory", tmp_path: Path
) -> None:
    sealed = desk.seal(papers.classic(), tmp_path / "sealed.pdf", p256)
    layout = extended(sealed.path, tmp_path / "long.pdf")
    with pytest.raises(PreparedFileError) as caught:
        measure_archive(tmp_path / "long.pdf", layout, source_digest=sealed.source_digest)
    assert caught.value.code == "source-changed"
    prepared = measure_archive(tmp_path / "long.pdf", layout, source_digest=sealed.digest)
    before = (tmp_path / "long.pdf").read_bytes()
    with pytest.raises(SignerError) as caught_token:
        embed_archive(prepared, b"\x30\x05not")
    assert caught_token.value.code == "token-unreadable"
    with pytest.raises(ReserveOverflowError):
        embed_archive(prepared, asn1.encode_der(bytes(RESERVED_HEX_DIGITS // 2)))
    assert (tmp_path / "long.pdf").read_bytes() == before
    done = embed_archive(prepared, TOKEN)
    assert done.digest == sha256((tmp_path / "long.pdf").read_bytes()).digest()


def ready(desk: "Desk", papers: "Papers", signatory: "Signatory", target: Path, reserve: int) -> Prepared:
    source = papers.classic()
    layout = desk.prepare(source, target)
    return measure(
        target, layout, source_digest=sha256(source.read_bytes()).digest(), chain=signatory.chain,
        algorithm=signatory.algorithm, token_reserve=reserve,
    )  # fmt: skip


def test_a_token_is_the_only_unsigned_attribute_in_der(signatory: "Signatory") -> None:
    attributes = signed_attributes(bytes(32), signatory.chain[0])
    token = signed_data(attributes, b"\x01", signatory.chain, signatory.algorithm)
    written = signed_data(attributes, signatory.sign(attributes), signatory.chain, signatory.algorithm, token)
    (signer,) = oracle.ContentInfo.load(written, strict=True)["content"]["signer_infos"]
    (attribute,) = signer["unsigned_attrs"]
    assert attribute["type"].dotted == "1.2.840.113549.1.9.16.2.14"
    assert [each.dump() for each in attribute["values"]] == [token]
    assert signer["signed_attrs"].untag().dump() == attributes
    bound = longest_signed_data(signatory.chain, signatory.algorithm, len(token))
    assert bound - 16 <= len(written) <= bound


def test_a_token_longer_than_reserved_is_refused_and_nothing_is_written(
    desk: "Desk", papers: "Papers", p256: "Signatory", tmp_path: Path
) -> None:
    prepared = ready(desk, papers, p256, tmp_path / "out.pdf", len(TOKEN) - 1)
    before, signature = (tmp_path / "out.pdf").read_bytes(), p256.sign(prepared.to_be_signed)
    with pytest.raises(ReserveOverflowError) as caught:
        embed(prepared, signature, TOKEN)
    assert caught.value.code == "token-too-long"
    assert (tmp_path / "out.pdf").read_bytes() == before


def test_a_token_that_is_no_der_is_refused(desk: "Desk", papers: "Papers", p256: "Signatory", tmp_path: Path) -> None:
    prepared = ready(desk, papers, p256, tmp_path / "out.pdf", 1000)
    with pytest.raises(SignerError) as caught:
        embed(prepared, p256.sign(prepared.to_be_signed), TOKEN + b"x")
    assert caught.value.code == "token-unreadable"


def test_a_reserve_that_does_not_fit_is_refused_before_the_key(
    desk: "Desk", papers: "Papers", p256: "Signatory", tmp_path: Path
) -> None:
    used = len(p256.uses)
    with pytest.raises(ReserveOverflowError) as caught:
        ready(desk, papers, p256, tmp_path / "out.pdf", RESERVED_HEX_DIGITS // 2)
    assert caught.value.code == "reserve-overflow"
    assert len(p256.uses) == used
