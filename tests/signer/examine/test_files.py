"""Files that are not one sound PDF, the page tree, the shadow documents, and what examine tells of a good file."""

import json
import time
import zlib
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import pikepdf
import pytest
from builders import Sheet, Stream, compressed, hybrid, plain, update
from features import PIXEL

from signer.errors import DocumentRejectedError
from signer.examine import Examination, PageInfo

Examined = Callable[..., Examination]
GOOD = plain(Sheet().objects())
SHADOW = Stream(b"", b"BT /F1 24 Tf 100 700 Td (BA) Tj ET")


def codes(examination: Examination) -> set[str]:
    return {objection.code for objection in examination.objections}


def with_xref_at(offset: int) -> bytes:
    start = GOOD.rindex(b"startxref")
    return GOOD[:start] + b"startxref\n%d\n%%%%EOF\n" % offset


ENCRYPTED = "encrypted"
BROKEN = {
    "empty": (b"", "empty"),
    "text": (b"hello, world\n" * 100, "not-a-pdf"),
    "zip": (b"PK\x03\x04" + bytes(2000), "not-a-pdf"),
    "late-header": (b"\n" + GOOD, "leading-bytes"),
    "html-before": (b"<html>" + GOOD, "leading-bytes"),
    "half": (GOOD[: len(GOOD) // 2], "truncated"),
    "without-end": (GOOD[: GOOD.rindex(b"%%EOF")], "truncated"),
    "update-cut-off": (update(GOOD, {4: SHADOW})[:-200], "truncated"),
    "header-only": (b"%PDF-1.7\n", "truncated"),
    "garbage-after": (GOOD + b"garbage", "trailing-bytes"),
    "zeros-after": (GOOD + bytes(10), "trailing-bytes"),
    "many-blanks-after": (GOOD + b"\n" * 100, "trailing-bytes"),
    "no-startxref": (GOOD.replace(b"startxref", b"startxxxx"), "broken-xref"),
    "xref-past-end": (with_xref_at(10**9), "broken-xref"),
    "xref-elsewhere": (with_xref_at(20), "broken-xref"),
    "object-elsewhere": (GOOD.replace(b"4 0 obj", b"8 0 obj"), "broken-xref"),
    "stream-past-end": (GOOD.replace(b"/Length 34", b"/Length 99999"), "broken-xref"),
}  # fmt: skip


@pytest.mark.parametrize(("data", "code"), BROKEN.values(), ids=BROKEN)
def test_a_file_that_is_not_one_sound_pdf_is_rejected(examined: Examined, data: bytes, code: str) -> None:
    with pytest.raises(DocumentRejectedError) as caught:
        examined(data)
    assert caught.value.code == code
    assert caught.value.zh
    assert caught.value.en


@pytest.mark.parametrize("end", [b"", b"\n", b"\r\n", b"\r"])
def test_a_line_end_after_the_end_passes(examined: Examined, end: bytes) -> None:
    assert examined(GOOD.rstrip() + end).objections == ()


@pytest.mark.parametrize("user", ["", "secret"])
def test_an_encrypted_file_is_rejected(examined: Examined, tmp_path: Path, user: str) -> None:
    path = tmp_path / "locked.pdf"
    with pikepdf.new() as pdf:
        pdf.add_blank_page()
        pdf.save(path, encryption=pikepdf.Encryption(owner="owner", user=user))
    with pytest.raises(DocumentRejectedError) as caught:
        examined(path.read_bytes())
    assert caught.value.code == "encrypted"


def tree(**nodes: bytes) -> dict[int, object]:
    objects = dict(Sheet().objects())
    objects.update({int(name[1:]): value for name, value in nodes.items()})
    return objects  # type: ignore[return-value]  # bodies


DEEP = {number: b"<</Type/Pages/Count 1/Kids[%d 0 R]>>" % (number + 1) for number in range(10, 80)}
PAGE_TREES = {
    "loop": (tree(_2=b"<</Type/Pages/Kids[2 0 R 3 0 R]/Count 1>>"), "page-tree-loop"),
    "twice": (tree(_2=b"<</Type/Pages/Kids[3 0 R 3 0 R]/Count 2>>"), "page-tree-loop"),
    "direct": (tree(_2=b"<</Type/Pages/Kids[<</Type/Page>>]/Count 1>>"), "page-tree-malformed"),
    "missing": (tree(_2=b"<</Type/Pages/Kids[99 0 R]/Count 1>>"), "page-tree-malformed"),
    "empty": (tree(_2=b"<</Type/Pages/Kids[]/Count 0>>"), "page-tree-malformed"),
    "no-box": (tree(_3=b"<</Type/Page/Parent 2 0 R>>"), "page-tree-malformed"),
    "flat-box": (tree(_3=b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 0 100]>>"), "page-tree-malformed"),
    "odd-rotation": (tree(_3=b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 9 9]/Rotate 45>>"), "page-tree-malformed"),
    "odd-unit": (tree(_3=b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 9 9]/UserUnit 0>>"), "page-tree-malformed"),
    "crop-away": (
        tree(_3=b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 9 9]/CropBox[10 10 20 20]>>"), "page-tree-malformed",
    ),
    "deep": ({**tree(_2=b"<</Type/Pages/Count 1/Kids[10 0 R]>>"), **DEEP, 80: b"null"}, "page-tree-depth"),
    "many": (tree(_2=b"<</Type/Pages/Count 1/Kids[" + b"3 0 R " * 6000 + b"]>>"), "too-many-pages"),
}  # fmt: skip


@pytest.mark.parametrize("write", [plain, compressed])
@pytest.mark.parametrize(("objects", "code"), PAGE_TREES.values(), ids=PAGE_TREES)
def test_a_page_tree_that_is_none_is_rejected(
    examined: Examined, objects: dict[int, bytes], code: str, write: Callable[[dict[int, bytes]], bytes]
) -> None:
    with pytest.raises(DocumentRejectedError) as caught:
        examined(write(objects))
    # qpdf may find the fault before we do, and says less of it.
    assert caught.value.code in (code, "malformed")


def test_a_stream_that_expands_too_far_is_rejected(examined: Examined) -> None:
    bomb = zlib.compress(bytes(80 << 20), 9)
    content = {**Sheet().objects(), 4: Stream(b"/Filter/FlateDecode", bomb)}
    with pytest.raises(DocumentRejectedError) as caught:
        examined(plain(content))
    assert caught.value.code == "stream-undecodable"


def test_a_wrong_stream_length_is_refused(examined: Examined) -> None:
    assert codes(examined(GOOD.replace(b"/Length 34", b"/Length 30"))) == {"malformed"}


def test_an_updated_object_is_refused(examined: Examined) -> None:
    (objection,) = examined(update(GOOD, {4: SHADOW})).objections
    assert (objection.code, objection.object) == ("multiple-definitions", "4 0")


def test_a_second_definition_that_nothing_lists_is_refused(examined: Examined) -> None:
    assert codes(examined(update(GOOD, {4: SHADOW}, listed=False))) == {"multiple-definitions"}


def test_an_object_that_nothing_lists_is_refused(examined: Examined) -> None:
    (objection,) = examined(update(GOOD, {40: SHADOW}, listed=False)).objections
    assert (objection.code, objection.object) == ("unlisted-object", "40 0")


def test_an_unlisted_object_in_the_guise_of_cross_reference_data_is_refused(examined: Examined) -> None:
    guise = Stream(b"/Type/XRef/S/JavaScript/JS(a)", b"")
    assert codes(examined(update(GOOD, {40: guise}, listed=False))) == {"unlisted-object"}


def test_a_second_definition_in_an_object_stream_is_refused(examined: Examined) -> None:
    data = compressed(Sheet().objects(), also={3: b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 9 9]>>"})
    assert codes(examined(data)) == {"multiple-definitions"}


def test_an_object_replaced_over_an_object_stream_is_refused(examined: Examined) -> None:
    data = update(compressed(Sheet().objects()), {3: b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 9 9]>>"})
    assert "multiple-definitions" in codes(examined(data))


def test_an_update_that_only_adds_passes(examined: Examined) -> None:
    assert examined(update(GOOD, {40: b"(new)"})).objections == ()


def test_the_text_of_an_object_in_stream_data_is_not_an_object(examined: Examined) -> None:
    inside = Stream(b"", b"4 0 obj (shadow) endobj\nendstream\n%%EOF\n9 0 obj")
    assert examined(plain(Sheet(extra={10: inside}).objects())).objections == ()


def test_what_it_tells_of_a_good_file(examined: Examined) -> None:
    sheet = Sheet(
        page=b"/MediaBox[0 0 595.2756 841.8898]/Rotate 90",
        catalog=b"/AcroForm<</Fields[10 0 R]>>/Metadata 12 0 R/OutputIntents[<</DestOutputProfile 13 0 R>>]",
        extra={
            10: b"<</T(form)/Kids[11 0 R]>>",
            11: b"<</T<FEFF5370>/FT/Sig/Parent 10 0 R>>",
            12: Stream(b"", b"<a><pdfaid:part>1</pdfaid:part><pdfaid:conformance>A</pdfaid:conformance></a>"),
            13: Stream(b"/N 3", b""),
        },
    )
    data = plain(sheet.objects())
    found = examined(data)
    assert found == Examination(
        length=len(data),
        pages=(PageInfo(width_mm=297.0, height_mm=210.0, rotate=90),),
        objections=(),
        pdfa="1a",
        pdfa1=True,
        rgb_output_intent=True,
        xref_kind="table",
        signatures=(),
        empty_signature_fields=("form.印",),
    )
    assert json.loads(json.dumps(asdict(found)))["pages"] == [{"width_mm": 297.0, "height_mm": 210.0, "rotate": 90}]


def test_the_kind_of_cross_reference(examined: Examined) -> None:
    assert examined(compressed(Sheet().objects())).xref_kind == "stream"


def test_a_hybrid_file_is_read_whole(examined: Examined) -> None:
    objects = Sheet(catalog=b"/OpenAction 10 0 R").objects()
    harmless = examined(hybrid(objects, {10: b"<</S/GoTo/D[3 0 R/Fit]>>"}))
    assert (harmless.xref_kind, harmless.objections) == ("hybrid", ())
    assert codes(examined(hybrid(objects, {10: b"<</S/JavaScript/JS(a)>>"}))) == {"javascript"}


def test_inherited_boxes_and_units_count(examined: Examined) -> None:
    objects = {
        **Sheet().objects(),
        2: b"<</Type/Pages/Kids[3 0 R]/Count 1/MediaBox[0 0 72 144]>>",
        3: b"<</Type/Page/Parent 2 0 R/UserUnit 2>>",
    }
    assert examined(plain(objects)).pages == (PageInfo(width_mm=50.8, height_mm=101.6, rotate=0),)


def test_a_large_image_is_not_decoded(examined: Examined) -> None:
    """30 MB of image data that no decoder would take: looked at by its length only."""
    big = Stream(PIXEL.dictionary.replace(b"/Width 1/Height 1", b"/Width 5000/Height 6000") + b"/Filter/FlateDecode",
                 b"\x00" * 30_000_000)  # fmt: skip
    data = plain(Sheet(resources=b"/XObject<</Im 10 0 R>>", extra={10: big}).objects())
    start = time.process_time()
    assert examined(data).objections == ()
    assert time.process_time() - start < 0.5
