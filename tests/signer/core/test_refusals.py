"""Files and places that cannot be sealed: each a typed refusal, and nothing is left behind."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pikepdf
import pytest
from pikepdf import Array, Dictionary, Encryption, Name, String

from signer.errors import DocumentRejectedError, PlacementError, SignerError

if TYPE_CHECKING:
    from tests.signer.core.conftest import Desk, Papers, Signatory


def refused(desk: "Desk", source: Path, kind: type[SignerError], **options: object) -> str:
    """The code of the refusal, after checking that both languages speak and no file was left."""
    target = source.parent / "sealed.pdf"
    with pytest.raises(kind) as error:
        desk.prepare(source, target, **options)
    assert error.value.zh
    assert error.value.en
    assert str(error.value) == f"{error.value.zh} / {error.value.en}"
    assert not target.exists()
    return error.value.code


def _cut(data: bytes) -> bytes:
    return data[: len(data) // 2]


def _moved_startxref(data: bytes) -> bytes:
    head, tail = data.rsplit(b"startxref\n", 1)
    return head + b"startxref\n" + str(int(tail.split()[0]) - 7).encode() + b"\n%%EOF\n"


def _no_root(data: bytes) -> bytes:
    return data.replace(b"/Root 1 0 R", b"/Toor 1 0 R")


@pytest.mark.parametrize(
    ("change", "code"),
    [
        pytest.param(lambda _: b"", "not-a-pdf", id="empty"),
        pytest.param(lambda _: b"hello", "not-a-pdf", id="text"),
        pytest.param(lambda data: b"junk\n" + data, "not-a-pdf", id="before-header"),
        pytest.param(_cut, "end-of-file-malformed", id="cut"),
        pytest.param(lambda data: data + b"<!-- -->", "end-of-file-malformed", id="after-end"),
        pytest.param(_moved_startxref, "xref-mismatch", id="startxref"),
        pytest.param(_no_root, "xref-damaged", id="no-root"),
        pytest.param(lambda data: data.replace(b"xref\n0 ", b"xref\n0 x", 1), "xref-damaged", id="table"),
    ],
)
def test_damaged_files(desk: "Desk", papers: "Papers", change: Callable[[bytes], bytes], code: str) -> None:
    source = papers.classic()
    source.write_bytes(change(source.read_bytes()))
    assert refused(desk, source, DocumentRejectedError) == code


@pytest.mark.parametrize("user", ["", "secret"])
def test_encrypted(desk: "Desk", papers: "Papers", tmp_path: Path, user: str) -> None:
    desk.blank().save(tmp_path / "locked.pdf", encryption=Encryption(owner="owner", user=user))
    assert refused(desk, tmp_path / "locked.pdf", DocumentRejectedError) == "encrypted"


def test_startxref_of_a_stream_that_points_into_another_object(desk: "Desk", papers: "Papers") -> None:
    source = papers.streams()
    source.write_bytes(_moved_startxref(source.read_bytes()))
    assert refused(desk, source, DocumentRejectedError) == "xref-mismatch"


def test_hybrid_table_that_hides_an_object(desk: "Desk", papers: "Papers") -> None:
    assert refused(desk, papers.hybrid(hiding=True), DocumentRejectedError) == "xref-hybrid"


def test_hidden_object_in_an_earlier_section(desk: "Desk", papers: "Papers", p256: "Signatory", tmp_path: Path) -> None:
    source = papers.hybrid(hiding=True)
    data = source.read_bytes()
    at, newest = data.rsplit(b"startxref\n", 1)[1].split()[0], len(data)
    data += b"xref\n0 0\ntrailer\n<< /Size 8 /Root 1 0 R /Prev %s >>\nstartxref\n%d\n%%%%EOF\n" % (at, newest)
    source.write_bytes(data)
    assert refused(desk, source, DocumentRejectedError) == "xref-hybrid"


def test_a_trailer_that_counts_too_few_objects_overwrites_none(
    desk: "Desk", papers: "Papers", p256: "Signatory", tmp_path: Path
) -> None:
    source = papers.typst()
    source.write_bytes(source.read_bytes().replace(b"/Size 4", b"/Size 2"))
    with pikepdf.open(source, suppress_warnings=True) as pdf:
        highest = max(each.objgen[0] for each in pdf.objects if isinstance(each, pikepdf.Object))
    desk.seal(source, tmp_path / "sealed.pdf", p256)
    appended = (tmp_path / "sealed.pdf").read_bytes()[source.stat().st_size :]
    assert b"\n%d 0 obj\n<< /Type /Sig " % (highest + 1) in appended


def test_a_page_listed_twice(desk: "Desk", papers: "Papers") -> None:
    source = papers.classic(1)
    source.write_bytes(_twice(source.read_bytes(), b"/Count 1 /Kids [ 3 0 R ]"))
    assert refused(desk, source, DocumentRejectedError, spots=(desk.at(2),)) == "page-unusable"


def _twice(data: bytes, once: bytes) -> bytes:
    """The page tree with its page listed twice; offsets behind it move by the difference."""
    longer = b"/Count 2 /Kids [ 3 0 R 3 0 R ]"
    shift, at = len(longer) - len(once), data.index(once)
    head, table = data.replace(once, longer).split(b"xref\n", 1)
    lines = table.split(b"\n")
    for index, line in enumerate(lines):
        if line.endswith(b" n ") and int(line[:10]) > at:
            lines[index] = b"%010d" % (int(line[:10]) + shift) + line[10:]
    body = head + b"xref\n" + b"\n".join(lines)
    start = len(head)
    return body.rsplit(b"startxref\n", 1)[0] + b"startxref\n%d\n%%%%EOF\n" % start


def test_places_off_the_page(desk: "Desk", papers: "Papers") -> None:
    source = papers.classic(1)
    assert refused(desk, source, PlacementError, spots=(desk.at(2),)) == "page-out-of-range"
    assert refused(desk, source, PlacementError, spots=(desk.at(0),)) == "page-out-of-range"
    assert refused(desk, source, PlacementError, spots=(desk.at(1, (50, 300)),)) == "box-off-page"
    assert refused(desk, source, PlacementError, spots=()) == "no-place"
    half = desk.face.diameter / 2
    desk.prepare(source, source.parent / "corner.pdf", spots=(desk.at(1, (half, half)),))


def test_places_outside_the_crop_box(desk: "Desk", papers: "Papers") -> None:
    pdf = desk.blank()
    pdf.pages[0].obj.CropBox = Array([100, 100, 400, 400])
    source = papers.write(pdf, "cropped.pdf")
    assert refused(desk, source, PlacementError, spots=(desk.at(1, (370, 250)),)) == "box-off-page"


@pytest.mark.parametrize(
    ("extra", "kids", "kind", "code"),
    [
        ({"SV": Dictionary(Ff=2)}, False, DocumentRejectedError, "field-has-conditions"),
        ({"Rect": Array([10, 10, 60, 60])}, False, PlacementError, "field-too-small"),
        ({"F": 2}, False, PlacementError, "field-not-visible"),
        ({}, True, PlacementError, "field-not-visible"),
    ],
)
def test_fields_that_cannot_take_a_seal(
    desk: "Desk", papers: "Papers", extra: dict[str, object], kids: bool, kind: type[SignerError], code: str
) -> None:
    source = papers.with_field(kids=kids, **extra)
    assert refused(desk, source, kind, field="Box") == code


def test_field_unknown_or_signed(desk: "Desk", papers: "Papers", p256: "Signatory", tmp_path: Path) -> None:
    source = papers.with_field()
    assert refused(desk, source, PlacementError, field="Nowhere") == "field-not-found"
    desk.seal(source, tmp_path / "signed.pdf", p256, field="Box", final=False)
    assert refused(desk, tmp_path / "signed.pdf", PlacementError, field="Box") == "field-signed"


def test_field_on_no_page(desk: "Desk", papers: "Papers") -> None:
    pdf = desk.blank()
    field = pdf.make_indirect(
        Dictionary(Subtype=Name.Widget, FT=Name.Sig, T=String("Box"), Rect=Array([200, 200, 400, 400]))
    )
    pdf.Root.AcroForm = Dictionary(Fields=Array([field]))
    source = papers.write(pdf, "lost.pdf")
    assert refused(desk, source, PlacementError, field="Box") == "field-without-page"


def test_an_existing_target_is_not_touched(desk: "Desk", papers: "Papers", tmp_path: Path) -> None:
    (tmp_path / "sealed.pdf").write_bytes(b"mine")
    with pytest.raises(FileExistsError):
        desk.prepare(papers.classic(), tmp_path / "sealed.pdf")
    assert (tmp_path / "sealed.pdf").read_bytes() == b"mine"


def test_a_full_disk_leaves_no_half_file(
    desk: "Desk", papers: "Papers", tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "copy_file_range", full)
    monkeypatch.setattr(os, "sendfile", full)
    with pytest.raises(OSError, match="No space left"):
        desk.prepare(papers.classic(), tmp_path / "sealed.pdf")
    assert not (tmp_path / "sealed.pdf").exists()


def test_copy_falls_back_where_the_kernel_cannot_copy_ranges(
    desk: "Desk", papers: "Papers", p256: "Signatory", tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unsupported(*_: object) -> int:
        raise OSError(18, "Invalid cross-device link")

    monkeypatch.setattr(os, "copy_file_range", unsupported)
    source = papers.classic()
    sealed = desk.seal(source, tmp_path / "sealed.pdf", p256)
    assert sealed.path.read_bytes().startswith(source.read_bytes())
