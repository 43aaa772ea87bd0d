"""Documents prepared before sealing, to say something else afterwards ("Shadow Attacks"): never sealed at all."""

from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import pikepdf
from pikepdf import Array, Dictionary, Name
from world import letter

from signer.desk import inspect_document

Edit = Callable[[pikepdf.Pdf], None]
LINES = ("特种设备使用登记", "审批文书编号：兴审批〔2026〕1号", "赣州市行政审批局", "2026年11月2日")


def _form(pdf: pikepdf.Pdf, content: bytes) -> pikepdf.Object:
    return pdf.make_stream(content, Type=Name.XObject, Subtype=Name.Form, BBox=Array([0, 0, 400, 80]))


def _white_over_text(pdf: pikepdf.Pdf) -> None:
    pdf.pages[0].contents_add(b"q 1 g 0 0 600 850 re f Q")


def _image_over_text(pdf: pikepdf.Pdf) -> None:
    image = pdf.make_stream(
        b"\xff",
        Type=Name.XObject,
        Subtype=Name.Image,
        Width=1,
        Height=1,
        BitsPerComponent=8,
        ColorSpace=Name.DeviceGray,
    )
    name = pdf.pages[0].add_resource(image, Name.XObject)
    pdf.pages[0].contents_add(b"q 400 0 0 80 60 680 cm %s Do Q" % str(name).encode())


def _white_text(pdf: pikepdf.Pdf) -> None:
    font = pdf.pages[0].Resources.Font
    pdf.pages[0].contents_add(b"BT 3 Tr %s 12 Tf 60 300 Td <0001> Tj ET" % next(iter(font.keys())).encode())


def _text_field(pdf: pikepdf.Pdf) -> None:
    """A field that shows one text and holds another."""
    look = _form(pdf, b"0 g 10 20 80 30 re f")
    widget = pdf.make_indirect(
        Dictionary(
            Type=Name.Annot, Subtype=Name.Widget, FT=Name.Tx, T="amount", V="1", Rect=Array([60, 680, 460, 760]), F=4,
            AP=Dictionary(N=look),
        )
    )  # fmt: skip
    pdf.pages[0].obj.Annots = Array([widget])
    pdf.Root.AcroForm = Dictionary(Fields=Array([widget]))


def _generated_looks(pdf: pikepdf.Pdf) -> None:
    _text_field(pdf)
    pdf.Root.AcroForm.NeedAppearances = True


def _annotation(pdf: pikepdf.Pdf) -> None:
    look = _form(pdf, b"1 g 0 0 400 80 re f")
    mark = Dictionary(Type=Name.Annot, Subtype=Name.Stamp, Rect=Array([60, 680, 460, 760]), F=4, AP=Dictionary(N=look))
    pdf.pages[0].obj.Annots = Array([pdf.make_indirect(mark)])


def _layer(pdf: pikepdf.Pdf) -> None:
    group = pdf.make_indirect(Dictionary(Type=Name.OCG, Name="x"))
    pdf.Root.OCProperties = Dictionary(OCGs=Array([group]), D=Dictionary(OFF=Array([group])))


def _font_not_embedded(pdf: pikepdf.Pdf) -> None:
    font = Dictionary(Type=Name.Font, Subtype=Name.Type1, BaseFont=Name.Helvetica)
    name = pdf.pages[0].add_resource(pdf.make_indirect(font), Name.Font)
    pdf.pages[0].contents_add(b"BT %s 12 Tf 60 300 Td (1000) Tj ET" % str(name).encode())


def _cropped(pdf: pikepdf.Pdf) -> None:
    pdf.pages[0].obj.CropBox = Array([0, 0, 595, 700])


def _script(pdf: pikepdf.Pdf) -> None:
    pdf.Root.OpenAction = Dictionary(S=Name.JavaScript, JS="app.alert(1)")


def _alternate_image(pdf: pikepdf.Pdf) -> None:
    image = pdf.make_stream(
        b"\x00",
        Type=Name.XObject,
        Subtype=Name.Image,
        Width=1,
        Height=1,
        BitsPerComponent=8,
        ColorSpace=Name.DeviceGray,
    )
    image.Alternates = Array([Dictionary(Image=image, DefaultForPrinting=True)])
    pdf.pages[0].add_resource(image, Name.XObject)


EDITS: dict[str, Edit] = {
    "hide-white-over-text": _white_over_text,
    "hide-image-over-text": _image_over_text,
    "hide-unpainted-text": _white_text,
    "hide-annotation-over-text": _annotation,
    "hide-layer": _layer,
    "hide-outside-the-crop-box": _cropped,
    "replace-field-value": _text_field,
    "replace-generated-looks": _generated_looks,
    "replace-font-not-embedded": _font_not_embedded,
    "replace-alternate-image": _alternate_image,
    "replace-by-script": _script,
}


def prepared() -> dict[str, Callable[[], bytes]]:
    """The documents by name."""
    made: dict[str, Callable[[], bytes]] = {name: lambda edit=edit: _document(edit) for name, edit in EDITS.items()}
    made["hide-and-replace-second-definitions"] = _second_definitions
    made["hide-and-replace-objects-behind-the-end"] = lambda: _document(lambda pdf: None) + b"9 0 obj\n<< >>\nendobj\n"
    return made


def _document(edit: Edit) -> bytes:
    out = BytesIO()
    with pikepdf.open(BytesIO(letter(LINES))) as pdf:
        edit(pdf)
        pdf.save(out)
    return out.getvalue()


def _second_definitions() -> bytes:
    """Objects that stand there twice: one of the two is shown after the table is exchanged."""
    plain = _document(lambda pdf: None)
    at = plain.rindex(b"xref")
    number = int(plain[: plain.index(b" 0 obj")].split()[-1])
    return plain[:at] + b"%d 0 obj\n<< /Hidden true >>\nendobj\n" % number + plain[at:]


def objections(data: bytes, folder: Path) -> list[str]:
    """The codes of what speaks against sealing this document."""
    path = folder / "prepared.pdf"
    path.write_bytes(data)
    found = inspect_document(source=str(path), tolerated_fonts=[], allowed_attachments=[])["objections"]
    return [each["code"] for each in found]
