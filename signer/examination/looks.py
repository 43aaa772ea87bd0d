"""What each reader may show in its own way: fonts not embedded, external data, alternates, device functions."""

import struct
from collections.abc import Iterator

from signer.examination.document import MOST_DECODED, Dict, Document, Found, is_reference
from signer.examination.objection import Objection

_FONTS_WITH_FILES = frozenset({"/Type1", "/MMType1", "/TrueType", "/CIDFontType0", "/CIDFontType2"})
_FONT_FILES = ("/FontFile", "/FontFile2", "/FontFile3")
_SUBSET_PREFIX = 7
_EXPANDING = frozenset({"/FlateDecode", "/Fl", "/LZWDecode", "/LZW", "/RunLengthDecode", "/RL", "/BrotliDecode"})
_IMAGE_FILTERS = frozenset({"/DCTDecode", "/DCT", "/JPXDecode", "/JBIG2Decode", "/CCITTFaxDecode", "/CCF"})
_MOST_RATIO = 1032  # the most that deflate can expand
_MOST_PIXELS = 120_000_000  # A3 at 600 dots an inch, and some
_SOFT_MASK_KEYS = frozenset({"/Type", "/S", "/G", "/BC", "/TR"})
_SIZ = b"\xff\x4f\xff\x51"


def fonts(document: Document, tolerated: tuple[str, ...]) -> Iterator[Objection]:
    """Fonts without their glyphs, the base 14 too: another font stands in, chosen by the reader.

    A font that only the form's defaults (/DR) name draws nothing.
    """
    only_default = _only_default_fonts(document)
    for found in document.dictionaries():
        dictionary = found.dictionary
        if "/Subtype" not in dictionary or found.owner in only_default:
            continue
        name = document.name(dictionary, "/BaseFont").removeprefix("/")
        if document.name(dictionary, "/Subtype") in _FONTS_WITH_FILES and not _has_file(document, dictionary):
            plain = name[_SUBSET_PREFIX:] if name[_SUBSET_PREFIX - 1 : _SUBSET_PREFIX] == "+" else name
            if plain not in tolerated:
                yield Objection(
                    code="font-not-embedded",
                    zh=f"对象 {found.owner} 的字体 {plain} 未嵌入",
                    en=f"The font {plain} of object {found.owner} is not embedded",
                    object=found.owner,
                )


def _has_file(document: Document, font: Dict) -> bool:
    descriptor = document.dictionary(font.get("/FontDescriptor"))
    return any(is_reference(descriptor.get(key)) and descriptor[key][:-2] in document.streams for key in _FONT_FILES)


def _only_default_fonts(document: Document) -> set[str]:
    form = document.dictionary(document.root.get("/AcroForm"))
    default = document.dictionary(document.dictionary(form.get("/DR")).get("/Font"))
    if not default:
        return set()
    used: set[str] = set()
    for found in document.dictionaries():
        fonts_named = document.dictionary(found.dictionary.get("/Font"))
        if fonts_named is not default:
            used.update(value[:-2] for value in fonts_named.values() if is_reference(value))
    return {value[:-2] for value in default.values() if is_reference(value)} - used


def streams(document: Document, found: Found) -> Iterator[Objection]:
    """Data outside the file (7.3.8.2), and filters stacked so that a few bytes become very many."""
    dictionary, owner = found.dictionary, found.owner
    if document.get(dictionary, "/F") is not None:
        yield _external(owner, "/F")
    filters = _filters(document, dictionary)
    if sum(name in _EXPANDING for name in filters) > 1:
        yield Objection(
            code="filter-chain",
            zh=f"对象 {owner} 的数据流叠用多层压缩",
            en=f"The stream of object {owner} is compressed more than once",
            object=owner,
        )
    start, end = document.places.get(owner, (0, 0))
    is_image = document.get(dictionary, "/Subtype") == "/Image"
    if is_image or _IMAGE_FILTERS & set(filters):
        yield from _image(document, found, filters)
    elif (end - start) * _MOST_RATIO > MOST_DECODED and _EXPANDING & set(filters):
        document.decoded(owner)


def _filters(document: Document, dictionary: Dict) -> list[str]:
    value = document.get(dictionary, "/Filter")
    names = [document.resolve(name) for name in value] if isinstance(value, list) else [value]
    return [name for name in names if isinstance(name, str)]


def _image(document: Document, found: Found, filters: list[str]) -> Iterator[Objection]:
    width, height = (document.get(found.dictionary, key) for key in ("/Width", "/Height"))
    start, end = document.places.get(found.owner, (0, 0))
    sizes = [(width, height)]
    if "/JPXDecode" in filters:
        sizes = [_jpx_size(bytes(document.data[start : min(end, start + 65536)]))]
    for across, down in sizes:
        if not isinstance(across, int) or not isinstance(down, int) or across * down > _MOST_PIXELS:
            yield Objection(
                code="image-too-large",
                zh=f"对象 {found.owner} 的图像为 {across}×{down} 像素，最多 {_MOST_PIXELS} 像素",
                en=f"The image of object {found.owner} has {across}×{down} pixels, at most {_MOST_PIXELS} are allowed",
                object=found.owner,
            )


def _jpx_size(data: bytes) -> tuple[int | None, int | None]:
    """Width and height in the code stream's SIZ marker, which counts where the dictionary says otherwise."""
    at = data.find(_SIZ)
    if at < 0 or len(data) < at + 24:
        return None, None
    across, down, left, top = struct.unpack_from(">4I", data, at + 8)
    return across - left, down - top


def references(document: Document, found: Found) -> Iterator[Objection]:
    """/Ref: a form drawn from another file (8.10.4)."""
    if isinstance(document.get(found.dictionary, "/Ref"), dict) and (
        found.is_stream or "/F" in document.dictionary(found.dictionary["/Ref"])
    ):
        yield _external(found.owner, "/Ref")


def alternates(document: Document, found: Found) -> Iterator[Objection]:
    """/Alternates: other versions of an image, for print or by size (8.9.5.4)."""
    if document.get(found.dictionary, "/Alternates") is not None:
        yield Objection(
            code="alternate-images",
            zh=f"对象 {found.owner} 含有备用图像",
            en=f"Object {found.owner} has alternate images",
            object=found.owner,
        )


def proxies(document: Document, found: Found) -> Iterator[Objection]:
    """/OPI: a stand-in that a print system replaces (14.11.7)."""
    if isinstance(document.get(found.dictionary, "/OPI"), dict):
        yield _external(found.owner, "/OPI")


def postscript(document: Document, found: Found) -> Iterator[Objection]:
    """A PostScript XObject (8.8.2): shown by printers only."""
    if found.is_stream and "/PS" in (
        document.get(found.dictionary, "/Subtype"),
        document.get(found.dictionary, "/Subtype2"),
    ):
        yield Objection(
            code="postscript-xobject",
            zh=f"对象 {found.owner} 是 PostScript 程序",
            en=f"Object {found.owner} is a PostScript program",
            object=found.owner,
        )


def transfer_functions(document: Document, found: Found) -> Iterator[Objection]:
    """/TR, /TR2: transfer functions (10.5), followed by some devices only. That of a soft mask is another thing."""
    if found.dictionary.keys() <= _SOFT_MASK_KEYS and "/G" in found.dictionary:
        return
    for key in ("/TR", "/TR2"):
        value = document.get(found.dictionary, key)
        if isinstance(value, list) or (isinstance(value, dict) and "/FunctionType" in value):
            yield Objection(
                code="transfer-function",
                zh=f"对象 {found.owner} 含有转换函数 {key}，不同设备显示不同",
                en=f"Object {found.owner} has a transfer function ({key}), which devices show differently",
                object=found.owner,
            )
            return


def _external(owner: str, key: str) -> Objection:
    return Objection(
        code="external-reference",
        zh=f"对象 {owner} 引用文件以外的内容（{key}）",
        en=f"Object {owner} refers to content outside the file ({key})",
        object=owner,
    )
