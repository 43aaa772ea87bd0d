"""The clean copy: passes ``examine``, looks the same, is the same each time, and says what it left out."""

import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pikepdf
import pypdfium2
import pytest
from builders import Sheet, Stream, compressed, plain, update
from features import BOX, HELVETICA, LOOK, PASSING, REFUSED, Feature, annotation

from signer.errors import DocumentRejectedError
from signer.examine import examine
from signer.normalise import Removed, normalise

GOOD = plain(Sheet().objects())

# What no copy can make right, and stays for examine to name.
STAYS = {
    "base-14-font",
    "cid-font",
    "font-without-a-name",
    "stream-elsewhere",
    "many-pixels",
    "many-pixels-in-jpx",
    "covered-by-white",
    "covered-by-image",
    "covered-by-form",
    "form-covered-by-form",
    "unpainted",
    "white-text",
    "white-text-rgb",
    "transparent-text",
    "outside-crop",
}


class Copy:
    def __init__(self, folder: Path) -> None:
        self.source, self.target = folder / "source.pdf", folder / "clean.pdf"

    def make(self, data: bytes) -> tuple[Removed, ...]:
        self.source.write_bytes(data)
        return normalise(self.source, self.target)

    def codes(self) -> set[str]:
        return {objection.code for objection in examine(self.target).objections}


@pytest.fixture
def copy(tmp_path: Path) -> Copy:
    return Copy(tmp_path)


def pictures(path: Path) -> list[bytes]:
    with pypdfium2.PdfDocument(path) as pdf:
        pdf.init_forms()
        return [bytes(page.render(scale=1).buffer) for page in pdf]


@pytest.mark.parametrize(
    "feature", [one for one in REFUSED if one.name not in {*STAYS, "over-text"}], ids=lambda one: one.name
)
def test_the_copy_passes_examine_and_looks_the_same(copy: Copy, feature: Feature) -> None:
    copy.make(compressed(feature.sheet.objects()))
    assert copy.codes() == set()
    if feature.code != "annotation-without-look":  # each reader draws that in its own way
        assert pictures(copy.target) == pictures(copy.source)


@pytest.mark.parametrize("name", sorted(STAYS))
def test_what_cannot_be_made_right_is_still_named(copy: Copy, name: str) -> None:
    (feature,) = (one for one in REFUSED if one.name == name)
    drawn = {"/Im": b" /Im Do", "/F2": b" BT /F2 9 Tf (a) Tj ET"}
    sheet = feature.sheet
    for resource, operators in drawn.items():
        if resource.encode() in sheet.resources + sheet.fonts:
            sheet = replace(sheet, content=sheet.content + operators)
    copy.make(plain(sheet.objects()))
    assert feature.code in copy.codes()


@pytest.mark.parametrize(("name", "sheet"), PASSING, ids=[name for name, _ in PASSING])
def test_an_honest_file_stays_as_it_is(copy: Copy, name: str, sheet: Sheet) -> None:
    removed = copy.make(plain(sheet.objects()))
    assert copy.codes() == set()
    assert pictures(copy.target) == pictures(copy.source)
    assert {one.code for one in removed} <= {"annotation", "alternate"}


def test_it_is_the_same_each_time(copy: Copy) -> None:
    copy.make(GOOD)
    first = copy.target.read_bytes()
    time.sleep(1.1)  # a clock in the file would show
    copy.make(GOOD)
    assert copy.target.read_bytes() == first


def test_one_revision_is_left(copy: Copy) -> None:
    copy.make(update(GOOD, {4: Stream(b"", b"BT /F1 24 Tf 100 700 Td (BA) Tj ET")}))
    assert copy.codes() == set()
    assert copy.target.read_bytes().count(b"%%EOF") == 1
    assert b"(AB)" not in copy.target.read_bytes()
    assert pictures(copy.target) == pictures(copy.source)


def test_it_says_what_it_took_out(copy: Copy) -> None:
    sheet = Sheet(
        catalog=b"/OpenAction 10 0 R/Names<</EmbeddedFiles<</Names[(a)11 0 R]>>>>",
        extra={
            10: b"<</S/JavaScript/JS(a)>>",
            11: b"<</Type/Filespec/F(a)/EF<</F 12 0 R>>>>",
            12: Stream(b"/Type/EmbeddedFile", b"secret"),
        },
    )
    removed = copy.make(plain(sheet.objects()))
    assert {one.code for one in removed} == {"action", "names", "embedded-file"}
    assert all(one.zh and one.en and one.object.endswith(" 0") for one in removed)
    assert b"secret" not in copy.target.read_bytes()


def test_a_filled_field_becomes_part_of_the_page(copy: Copy) -> None:
    sheet = Sheet(
        catalog=b"/AcroForm<</Fields[10 0 R]>>",
        page=b"/Annots[10 0 R]",
        extra={10: b"<</FT/Tx/T(a)/V(x)/Type/Annot/Subtype/Widget/F 4/AP<</N 11 0 R>>" + BOX + b">>", 11: LOOK},
    )
    copy.make(plain(sheet.objects()))
    assert copy.codes() == set()
    assert pictures(copy.target) == pictures(copy.source)
    with pikepdf.open(copy.target) as pdf:
        assert "/AcroForm" not in pdf.Root
        assert "/Annots" not in pdf.pages[0]


def test_a_mark_over_text_is_named_when_it_is_part_of_the_page(copy: Copy) -> None:
    copy.make(plain(annotation(b"/Subtype/Stamp/F 4/AP<</N 11 0 R>>/Rect[90 690 200 750]").objects()))
    assert copy.codes() == {"content-covered"}
    assert pictures(copy.target) == pictures(copy.source)


def test_a_hidden_mark_goes_without_a_trace(copy: Copy) -> None:
    removed = copy.make(plain(annotation(b"/Subtype/Stamp/F 6/AP<</N 11 0 R>>" + BOX).objects()))
    assert ["hidden" in one.en for one in removed] == [True]
    assert pictures(copy.target) == pictures(copy.source)


def test_an_empty_signature_field_keeps_its_whole_name(copy: Copy) -> None:
    sheet = Sheet(
        catalog=b"/AcroForm<</Fields[10 0 R]>>",
        page=b"/Annots[11 0 R]",
        extra={
            10: b"<</T(form)/Kids[11 0 R]>>",
            11: b"<</FT/Sig/T(seal)/Parent 10 0 R/Type/Annot/Subtype/Widget/F 4" + BOX + b">>",
        },
    )
    copy.make(plain(sheet.objects()))
    assert examine(copy.target).empty_signature_fields == ("form.seal",)


def test_a_signature_does_not_survive_and_that_is_told(copy: Copy) -> None:
    sheet = Sheet(
        catalog=b"/AcroForm<</Fields[10 0 R]>>",
        page=b"/Annots[10 0 R]",
        extra={
            10: b"<</FT/Sig/T(seal)/V 12 0 R/Type/Annot/Subtype/Widget/F 4/AP<</N 11 0 R>>" + BOX + b">>",
            11: LOOK,
            12: b"<</Type/Sig/ByteRange[0 1 2 3]/Contents<00>>>",
        },
    )
    assert [one.code for one in copy.make(plain(sheet.objects()))] == ["signature"]
    found = examine(copy.target)
    assert (found.objections, found.signatures) == ((), ())
    assert pictures(copy.target) == pictures(copy.source)


def test_links_and_destinations_stay(copy: Copy) -> None:
    sheet = Sheet(
        catalog=b"/Names<</Dests<</Names[(a)[3 0 R/Fit]]>>>>/OpenAction[3 0 R/Fit]",
        page=b"/Annots[10 0 R]",
        extra={10: b"<</Type/Annot/Subtype/Link/A<</S/URI/URI(https://a)>>" + BOX + b">>"},
    )
    assert copy.make(plain(sheet.objects())) == ()
    with pikepdf.open(copy.target) as pdf:
        assert str(pdf.pages[0].Annots[0].A.URI) == "https://a"
        assert "/Dests" in pdf.Root.Names
        assert "/OpenAction" in pdf.Root


LAYER = Sheet(
    resources=b"/Properties<</L 10 0 R>>",
    content=b"/OC /L BDC BT /F1 24 Tf 100 700 Td (AB) Tj ET EMC",
    extra={10: b"<</Type/OCG/Name(a)>>"},
)


def layered(default: bytes, group: bytes = b"<</Type/OCG/Name(a)>>") -> bytes:
    objects = {**LAYER.objects(), 10: group}
    objects[1] = b"<</Type/Catalog/Pages 2 0 R/OCProperties<</OCGs[10 0 R]/D<<" + default + b">>>>>>"
    return plain(objects)


def test_shown_layers_become_content(copy: Copy) -> None:
    copy.make(layered(b""))
    assert copy.codes() == set()
    assert pictures(copy.target) == pictures(copy.source)


@pytest.mark.parametrize(
    "data",
    [
        layered(b"/OFF[10 0 R]"),
        layered(b"/BaseState/OFF"),
        layered(b"", b"<</Type/OCG/Name(a)/Usage<</Print<</PrintState/OFF>>>>>>"),
        layered(b"", b"<</Type/OCMD/P/AllOff>>"),
    ],
    ids=["off", "base-off", "print-off", "membership"],
)
def test_hidden_layers_are_refused(copy: Copy, data: bytes) -> None:
    with pytest.raises(DocumentRejectedError) as caught:
        copy.make(data)
    assert caught.value.code == "layers-hidden"
    assert not copy.target.exists()


@pytest.mark.parametrize(
    "change", [lambda data: b"\n\n" + data, lambda data: data + b"garbage"], ids=["before", "after"]
)
def test_bytes_around_the_document_go(copy: Copy, change: Callable[[bytes], bytes]) -> None:
    copy.make(change(GOOD))
    assert copy.codes() == set()
    assert pictures(copy.target) == pictures(copy.source)


def test_a_repair_is_told(copy: Copy) -> None:
    removed = copy.make(GOOD[:-300])
    assert {one.code for one in removed} == {"file-repaired"}
    assert copy.codes() == set()


@pytest.mark.parametrize("data", [b"", b"hello", b"%PDF-1.7\n%%EOF"], ids=["empty", "text", "bare"])
def test_what_is_no_document_is_refused(copy: Copy, data: bytes) -> None:
    with pytest.raises(DocumentRejectedError) as caught:
        copy.make(data)
    assert caught.value.code == "cannot-normalise"
    assert not copy.target.exists()


def test_an_encrypted_file_is_refused(copy: Copy, tmp_path: Path) -> None:
    with pikepdf.new() as pdf:
        pdf.add_blank_page()
        pdf.save(tmp_path / "locked.pdf", encryption=pikepdf.Encryption(owner="o", user=""))
    with pytest.raises(DocumentRejectedError) as caught:
        copy.make((tmp_path / "locked.pdf").read_bytes())
    assert caught.value.code == "encrypted"


def test_a_font_that_is_not_embedded_stays_named(copy: Copy) -> None:
    copy.make(
        plain(Sheet(fonts=b"/F2 10 0 R", content=b"BT /F2 12 Tf 9 9 Td (a) Tj ET", extra={10: HELVETICA}).objects())
    )
    assert copy.codes() == {"font-not-embedded"}
