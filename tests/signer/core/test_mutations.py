"""Damaged and hostile files: a typed refusal or a seal that others find valid, and nothing else."""

import random
from pathlib import Path
from typing import TYPE_CHECKING

import pikepdf
import pytest
from pikepdf import Array, Dictionary, Name, Pdf, String

from signer.errors import DocumentRejectedError, SignerError

if TYPE_CHECKING:
    from tests.signer.core.conftest import Desk, Judges, Papers, Signatory

SEED = 20261123


def outcome(desk: "Desk", source: Path, target: Path, signatory: "Signatory") -> str:
    """``sealed`` or the code of the refusal; anything else is a failure of the test."""
    target.unlink(missing_ok=True)
    try:
        desk.seal(source, target, signatory)
    except SignerError as error:
        assert not target.exists()
        return error.code
    return "sealed"


@pytest.mark.tool("pdfsig")
@pytest.mark.parametrize("kind", ["classic", "streams", "hybrid", "typst"])
def test_flipped_bytes(
    desk: "Desk", papers: "Papers", judges: "Judges", p256: "Signatory", tmp_path: Path, kind: str
) -> None:
    source = getattr(papers, kind)()
    original, chance = source.read_bytes(), random.Random(SEED)
    seen = set()
    for _ in range(120):
        data = bytearray(original)
        for _ in range(chance.randint(1, 6)):
            data[chance.randrange(len(data))] = chance.randrange(256)
        source.write_bytes(data)
        seen.add(outcome(desk, source, tmp_path / "sealed.pdf", p256))
        if (tmp_path / "sealed.pdf").exists():
            assert judges.pdfsig(tmp_path / "sealed.pdf") == []
    assert len(seen) > 1


@pytest.mark.parametrize("kind", ["classic", "streams"])
def test_cut_anywhere(desk: "Desk", papers: "Papers", p256: "Signatory", tmp_path: Path, kind: str) -> None:
    source = getattr(papers, kind)()
    original = source.read_bytes()
    for length in range(0, len(original) - 8, 23):
        source.write_bytes(original[:length])
        code = outcome(desk, source, tmp_path / "sealed.pdf", p256)
        assert code in {"not-a-pdf", "end-of-file-malformed"}


WRONG = {
    "fields-number": lambda pdf: Dictionary(Fields=5),
    "fields-of-numbers": lambda pdf: Dictionary(Fields=Array([1, Name.A, String("x")])),
    "form-array": lambda pdf: Array([]),
    "flags-text": lambda pdf: Dictionary(Fields=Array([]), SigFlags=String("x")),
    "name-number": lambda pdf: Dictionary(Fields=Array([pdf.make_indirect(Dictionary(T=7, FT=Name.Tx))])),
    "kids-number": lambda pdf: Dictionary(Fields=Array([pdf.make_indirect(Dictionary(T=String("a"), Kids=7))])),
}


@pytest.mark.tool("pdfsig")
@pytest.mark.parametrize("name", sorted(WRONG))
def test_forms_of_the_wrong_type(
    desk: "Desk", papers: "Papers", judges: "Judges", p256: "Signatory", tmp_path: Path, name: str
) -> None:
    pdf: Pdf = desk.blank()
    pdf.Root.AcroForm = WRONG[name](pdf)
    target = tmp_path / "sealed.pdf"
    if outcome(desk, papers.write(pdf, "wrong.pdf"), target, p256) == "sealed":
        assert judges.pdfsig(target) == []


@pytest.mark.parametrize("entry", ["/OutputIntents", "/AcroForm"])
def test_catalog_entries_of_the_wrong_type_are_left_out_of_account(
    desk: "Desk", papers: "Papers", p256: "Signatory", tmp_path: Path, entry: str
) -> None:
    pdf: Pdf = desk.blank()
    pdf.Root[entry] = String("nonsense")
    assert outcome(desk, papers.write(pdf, "wrong.pdf"), tmp_path / "sealed.pdf", p256) == "sealed"


def test_a_field_of_unusable_shape_is_a_refusal(desk: "Desk", papers: "Papers", tmp_path: Path) -> None:
    source = papers.with_field(Rect=Array([Name.A, 0, 0, 0]))
    with pytest.raises(DocumentRejectedError) as refused:
        desk.prepare(source, tmp_path / "sealed.pdf", field="Box")
    assert refused.value.code == "structure-unusable"
    assert isinstance(refused.value.__cause__, TypeError | ValueError | pikepdf.PdfError)
