"""What ``examine`` refuses, each with the names to escape, and honest documents that come close."""

import base64
import zlib
from dataclasses import dataclass

from builders import DEFAULT_CONTENT, Sheet, Stream, flate

BOX = b"/Rect[300 300 400 350]"
FAR_STAMP = b"<</Type/Annot/Subtype/Stamp" + BOX
LOOK = Stream(b"/Type/XObject/Subtype/Form/BBox[0 0 100 50]", b"0 0 100 50 re f")
PIXEL = Stream(b"/Type/XObject/Subtype/Image/Width 1/Height 1/ColorSpace/DeviceGray/BitsPerComponent 8", b"\x80")
SCAN_CONTENT = b"q 595 0 0 842 0 0 cm /Im 10 0 R Do Q"


@dataclass(frozen=True)
class Feature:
    name: str
    code: str
    sheet: Sheet
    names: tuple[bytes, ...]


def link(action: bytes) -> Sheet:
    return Sheet(page=b"/Annots[10 0 R]", extra={10: b"<</Type/Annot/Subtype/Link" + BOX + b"/A " + action + b">>"})


def annotation(rest: bytes, **extra: object) -> Sheet:
    return Sheet(page=b"/Annots[10 0 R]", extra={10: b"<</Type/Annot" + rest + b">>", 11: LOOK})


def field(rest: bytes, *, form: bytes = b"") -> Sheet:
    return Sheet(catalog=b"/AcroForm<</Fields[10 0 R]" + form + b">>", extra={10: b"<<" + rest + b">>"})


def image(rest: bytes, data: bytes = b"\x80") -> Sheet:
    return Sheet(resources=b"/XObject<</Im 10 0 R>>", extra={10: Stream(b"/Subtype/Image" + rest, data)})


def state(rest: bytes) -> Sheet:
    return Sheet(
        resources=b"/ExtGState<</G 10 0 R>>",
        extra={10: b"<</Type/ExtGState" + rest + b">>", 11: b"<</FunctionType 2/Domain[0 1]/N 1>>", 12: LOOK},
    )


def text_then(more: bytes, **rest: object) -> Sheet:
    return Sheet(content=DEFAULT_CONTENT + b" " + more, **rest)  # type: ignore[arg-type]  # parts of a Sheet


_SMALL = b"/Width 1/Height 1/ColorSpace/DeviceGray/BitsPerComponent 8"
_FILE = {
    10: b"<</Type/Filespec/F(a.txt)/EF<</F 11 0 R>>/AFRelationship/Data>>",
    11: Stream(b"/Type/EmbeddedFile", b"x"),
}
_A3 = Stream(b"/Type/Metadata/Subtype/XML", b"<rdf pdfaid:part='3' pdfaid:conformance='B'/>")
ASSOCIATED = Sheet(catalog=b"/AF[10 0 R]/Metadata 12 0 R", extra={**_FILE, 12: _A3})
NOT_A3 = Sheet(catalog=b"/AF[10 0 R]", extra=_FILE)
HELVETICA = b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>"

_ACTIONS = {
    "Launch": b"/F(a.exe)", "SubmitForm": b"/F(http://a)", "ImportData": b"/F(a)", "ResetForm": b"", "Hide": b"/T(a)",
    "SetOCGState": b"/State[]", "Rendition": b"/OP 0", "Movie": b"", "Sound": b"", "Trans": b"", "GoToR": b"/F(a.pdf)",
    "GoToE": b"", "GoTo3DView": b"", "Thread": b"/D 0", "RichMediaExecute": b"",
}  # fmt: skip

REFUSED = (
    Feature(
        "open-javascript",
        "javascript",
        Sheet(catalog=b"/OpenAction 10 0 R", extra={10: b"<</S/JavaScript/JS(app.alert\\(1\\))>>"}),
        (b"/JavaScript",),
    ),
    Feature(
        "named-javascript",
        "javascript",
        Sheet(
            catalog=b"/Names<</JavaScript<</Names[(a)10 0 R]>>>>",
            extra={10: b"<</S 11 0 R/JS(a)>>", 11: b"/JavaScript"},
        ),
        (b"/JavaScript", b"/JS"),
    ),
    Feature("javascript-link", "javascript", link(b"<</S/URI/URI(JavaScript:alert\\(1\\))>>"), (b"/URI", b"/S")),
    Feature(
        "unreachable-javascript", "javascript", Sheet(extra={10: b"[[<</S/JavaScript/JS(a)>>]]"}), (b"/JavaScript",)
    ),
    *(
        Feature(f"action-{kind}", "action", link(b"<</S/%s%s>>" % (kind.encode(), rest)), (b"/" + kind.encode(),))
        for kind, rest in _ACTIONS.items()
    ),
    Feature("next-action", "action", link(b"<</S/URI/URI(http://a)/Next<</S/Launch/F(a)>>>>"), (b"/Launch", b"/Next")),
    Feature("named-print", "action", link(b"<</S/Named/N/Print>>"), (b"/Print", b"/Named")),
    Feature("page-aa", "additional-actions", Sheet(page=b"/AA<</O<</S/GoTo/D[3 0 R/Fit]>>>>"), (b"/AA", b"/GoTo")),
    Feature("xfa", "xfa", Sheet(catalog=b"/AcroForm<</Fields[]/XFA(<a/>)>>"), (b"/XFA",)),
    Feature("field-value", "form-field-value", field(b"/FT/Tx/T(a)/V(10000)"), (b"/FT", b"/V")),
    Feature(
        "inherited-field-value",
        "form-field-value",
        Sheet(
            catalog=b"/AcroForm<</Fields[10 0 R]>>",
            extra={10: b"<</FT/Ch/T(a)/Kids[11 0 R]>>", 11: b"<</Parent 10 0 R/V(x)>>"},
        ),
        (b"/FT", b"/V", b"/Parent"),
    ),
    Feature(
        "need-appearances",
        "need-appearances",
        field(b"/FT/Sig/T(a)", form=b"/NeedAppearances true"),
        (b"/NeedAppearances",),
    ),
    Feature(
        "layers", "optional-content", Sheet(catalog=b"/OCProperties<</OCGs[]/D<<>>>>"), (b"/OCProperties", b"/OCGs")
    ),
    Feature(
        "layer",
        "optional-content",
        Sheet(resources=b"/Properties<</L 10 0 R>>", extra={10: b"<</Type/OCG/Name(a)>>"}),
        (b"/OCG",),
    ),
    Feature(
        "embedded",
        "embedded-file",
        Sheet(catalog=b"/Names<</EmbeddedFiles<</Names[(a)10 0 R]>>>>", extra=_FILE),
        (b"/EF", b"/EmbeddedFile"),
    ),
    Feature("associated-but-not-allowed", "embedded-file", ASSOCIATED, (b"/EF",)),
    Feature(
        "loose-embedded-file",
        "embedded-file",
        Sheet(extra={10: Stream(b"/Type/EmbeddedFile", b"x")}),
        (b"/EmbeddedFile",),
    ),
    Feature("portfolio", "embedded-file", Sheet(catalog=b"/Collection<</View/D>>"), (b"/Collection",)),
    Feature(
        "base-14-font",
        "font-not-embedded",
        Sheet(fonts=b"/F2 10 0 R", extra={10: HELVETICA}),
        (b"/BaseFont", b"/Type1"),
    ),
    Feature(
        "cid-font",
        "font-not-embedded",
        Sheet(
            fonts=b"/F2 10 0 R",
            extra={
                10: b"<</Type/Font/Subtype/Type0/BaseFont/A/Encoding/Identity-H/DescendantFonts[11 0 R]>>",
                11: b"<</Type/Font/Subtype/CIDFontType2/BaseFont/STSong/FontDescriptor 12 0 R>>",
                12: b"<</Type/FontDescriptor/FontName/STSong/FontFile2 99 0 R>>",
            },
        ),
        (b"/CIDFontType2", b"/FontFile2"),
    ),
    Feature("stream-elsewhere", "external-reference", image(_SMALL + b"/F(a.png)"), (b"/F",)),
    Feature(
        "reference-xobject",
        "external-reference",
        Sheet(
            resources=b"/XObject<</X 10 0 R>>",
            extra={10: Stream(LOOK.dictionary + b"/Ref<</F(a.pdf)/Page 0>>", LOOK.data)},
        ),
        (b"/Ref",),
    ),
    Feature("opi", "external-reference", image(_SMALL + b"/OPI<</2.0<</F(a)>>>>"), (b"/OPI",)),
    Feature(
        "alternates",
        "alternate-images",
        image(_SMALL + b"/Alternates[<</Image 10 0 R/DefaultForPrinting true>>]"),
        (b"/Alternates",),
    ),
    Feature(
        "postscript",
        "postscript-xobject",
        Sheet(resources=b"/XObject<</X 10 0 R>>", extra={10: Stream(b"/Subtype/PS", b"showpage")}),
        (b"/PS",),
    ),
    Feature(
        "postscript-2",
        "postscript-xobject",
        Sheet(extra={10: Stream(LOOK.dictionary + b"/Subtype2/PS", b"showpage")}),
        (b"/Subtype2", b"/PS"),
    ),
    Feature("transfer", "transfer-function", state(b"/TR 11 0 R"), (b"/TR", b"/FunctionType")),
    Feature("transfer-four", "transfer-function", state(b"/TR2[11 0 R 11 0 R 11 0 R 11 0 R]"), (b"/TR2",)),
    Feature("transfer-in-disguise", "transfer-function", state(b"/S/Alpha/G 12 0 R/TR 11 0 R/LW 1"), (b"/TR",)),
    Feature(
        "twice-compressed",
        "filter-chain",
        Sheet(extra={10: Stream(b"/Filter[/FlateDecode/FlateDecode]", zlib.compress(zlib.compress(b"x")))}),
        (b"/FlateDecode",),
    ),
    Feature(
        "many-pixels",
        "image-too-large",
        image(b"/Width 100000/Height 100000/ColorSpace/DeviceGray/BitsPerComponent 1"),
        (b"/Image", b"/Width"),
    ),
    Feature(
        "many-pixels-in-jpx",
        "image-too-large",
        image(
            b"/Width 1/Height 1/Filter/JPXDecode",
            b"\xff\x4f\xff\x51\x00\x29\x00\x00" + b"\x00\x01\x86\xa0" * 2 + bytes(40),
        ),
        (b"/JPXDecode",),
    ),
    *(
        Feature(
            f"annotation-{kind}",
            "annotation-kind",
            annotation(b"/Subtype/%s/F 4%s" % (kind.encode(), BOX)),
            (b"/" + kind.encode(), b"/Rect"),
        )
        for kind in ("3D", "RichMedia", "Movie", "Screen", "Sound", "FileAttachment", "Watermark", "TrapNet")
    ),
    *(
        Feature(
            f"flags-{flags}",
            "annotation-flags",
            annotation(b"/Subtype/Stamp/F %d/AP<</N 11 0 R>>%s" % (flags, BOX)),
            (b"/Stamp", b"/Rect"),
        )
        for flags in (0, 4 | 2, 4 | 32, 4 | 256)
    ),
    Feature(
        "rollover",
        "annotation-changes-look",
        annotation(b"/Subtype/Stamp/F 4/AP<</N 11 0 R/R 4 0 R>>" + BOX),
        (b"/AP", b"/R"),
    ),
    Feature(
        "several-looks",
        "annotation-changes-look",
        annotation(b"/Subtype/Stamp/F 4/AP<</N<</On 11 0 R/Off 4 0 R>>>>/AS/On" + BOX),
        (b"/AP", b"/Stamp"),
    ),
    Feature(
        "font-without-a-name",
        "font-not-embedded",
        Sheet(fonts=b"/F2<</Type/Font/Subtype/TrueType>>"),
        (b"/TrueType",),
    ),
    Feature(
        "no-look", "annotation-without-look", annotation(b"/Subtype/FreeText/F 4/Contents(a)" + BOX), (b"/FreeText",)
    ),
    Feature(
        "over-text",
        "annotation-over-content",
        annotation(b"/Subtype/Stamp/F 4/AP<</N 11 0 R>>/Rect[90 690 200 750]"),
        (b"/Stamp",),
    ),
    Feature("covered-by-white", "content-covered", text_then(b"1 g 90 690 200 60 re f"), (b"/Page",)),
    Feature(
        "covered-by-image",
        "content-covered",
        text_then(b"q 200 0 0 60 90 690 cm /Im Do Q", resources=b"/XObject<</Im 10 0 R>>", extra={10: PIXEL}),
        (b"/Im",),
    ),
    Feature("unpainted", "text-unpainted", Sheet(content=b"BT 3 Tr /F1 24 Tf 100 700 Td (AB) Tj ET"), (b"/Page",)),
    Feature("white-text", "text-unpainted", Sheet(content=b"1 g " + DEFAULT_CONTENT), (b"/Page",)),
    Feature("white-text-rgb", "text-unpainted", Sheet(content=b"1 1 1 rg " + DEFAULT_CONTENT), (b"/Page",)),
    Feature(
        "transparent-text",
        "text-unpainted",
        Sheet(content=b"/G gs " + DEFAULT_CONTENT, resources=b"/ExtGState<</G 10 0 R>>", extra={10: b"<</ca 0>>"}),
        (b"/ca",),
    ),
    Feature(
        "covered-by-form",
        "content-covered",
        text_then(b"q 2 0 0 2 80 680 cm /X Do Q", resources=b"/XObject<</X 10 0 R>>", extra={10: LOOK}),
        (b"/XObject",),
    ),
    Feature(
        "form-covered-by-form",
        "content-covered",
        Sheet(
            content=b"/T Do q 2 0 0 2 80 680 cm /X Do Q",
            resources=b"/XObject<</T 11 0 R/X 10 0 R>>",
            extra={
                10: LOOK,
                11: Stream(b"/Subtype/Form/BBox[0 0 595 842]/Resources<</Font<</F1 5 0 R>>>>", DEFAULT_CONTENT),
            },
        ),
        (b"/XObject",),
    ),
    Feature("outside-crop", "crop-box-differs", Sheet(page=b"/CropBox[0 0 595 600]"), (b"/CropBox",)),
    Feature(
        "stray-signature",
        "signature-unreachable",
        Sheet(extra={10: b"<</Type/Sig/ByteRange[0 1 2 3]/Contents<00>>>"}),
        (b"/ByteRange",),
    ),
)

PASSING = (
    ("plain", Sheet()),
    ("open-goto", Sheet(catalog=b"/OpenAction<</S/GoTo/D[3 0 R/Fit]>>")),
    ("open-destination", Sheet(catalog=b"/OpenAction[3 0 R/Fit]")),
    ("web-link", link(b"<</S/URI/URI(https://www.ganzhou.gov.cn/)>>")),
    ("next-page", link(b"<</S/Named/N/NextPage>>")),
    ("text-that-says-javascript", Sheet(catalog=b"/Lang(/JavaScript)", content=DEFAULT_CONTENT + b" %/JavaScript\n")),
    ("font-called-aa", Sheet(fonts=b"/AA 5 0 R/JS 5 0 R/TR 5 0 R/Ref 5 0 R")),
    ("structure-element", Sheet(extra={10: b"<</Type/StructElem/S/Link/K[]>>"})),
    ("form-without-xfa", Sheet(catalog=b"/AcroForm<</Fields[]/XFA null>>")),
    ("empty-signature-field", field(b"/FT/Sig/T(Seal)/Type/Annot/Subtype/Widget/F 132" + BOX)),
    ("empty-text-field", field(b"/FT/Tx/T(a)")),
    ("unticked-box", field(b"/FT/Btn/T(a)/V/Off")),
    ("appearances-given", field(b"/FT/Sig/T(a)", form=b"/NeedAppearances false")),
    ("marked-content", Sheet(resources=b"/Properties<</P 10 0 R>>", extra={10: b"<</Lang(zh)/Type/Some>>"})),
    ("default-font-only", field(b"/FT/Sig/T(a)", form=b"/DR<</Font<</Helv 11 0 R>>>>")),
    ("soft-mask-transfer", state(b"/SMask<</Type/Mask/S/Alpha/G 12 0 R/TR 11 0 R>>")),
    ("identity-transfer", state(b"/TR/Identity/TR2/Default")),
    (
        "ascii-and-flate",
        Sheet(
            extra={10: Stream(b"/Filter[/ASCII85Decode/FlateDecode]", base64.a85encode(zlib.compress(b"x")) + b"~>")}
        ),
    ),
    ("small-image", image(_SMALL)),
    ("plain-stamp", annotation(b"/Subtype/Stamp/F 4/AP<</N 11 0 R>>" + BOX)),
    ("popup", annotation(b"/Subtype/Popup/F 28" + BOX)),
    ("invisible-signature", field(b"/FT/Sig/T(Seal)/Type/Annot/Subtype/Widget/F 134/Rect[0 0 0 0]")),
    ("background-before-text", Sheet(content=b"0.9 g 90 690 200 60 re f 0 g " + DEFAULT_CONTENT)),
    ("table-lines", text_then(b"90 690 200 0.5 re f 90 690 0.5 60 re f")),
    ("white-on-dark", Sheet(content=b"0 g 90 690 200 60 re f 1 g " + DEFAULT_CONTENT)),
    ("triangle-after-text", text_then(b"90 690 m 290 690 l 90 750 l h f")),
    (
        "form-elsewhere",
        text_then(b"q 1 0 0 1 300 300 cm /X Do Q", resources=b"/XObject<</X 10 0 R>>", extra={10: LOOK}),
    ),
    ("fill-elsewhere", text_then(b"1 g 300 300 100 100 re f")),
    ("see-through-box", text_then(b"/G gs 1 0 0 rg 90 690 200 60 re f", resources=b"/ExtGState<</G<</BM/Multiply>>>>")),
    (
        "scan-with-text",
        Sheet(
            content=b"q 595 0 0 842 0 0 cm /Im Do Q BT 3 Tr /F1 24 Tf 100 700 Td (AB) Tj ET",
            resources=b"/XObject<</Im 10 0 R>>",
            extra={10: PIXEL},
        ),
    ),
    ("crop-of-nothing", Sheet(page=b"/CropBox[50 50 545 792]")),
    ("crop-like-media", Sheet(page=b"/CropBox[0 0 595 841.5]")),
    ("compressed-content", Sheet(extra={10: flate(b"", b"x" * 1000)})),
)
