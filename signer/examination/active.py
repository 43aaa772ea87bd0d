"""What acts, fills in, switches on or carries along: actions, XFA, field values, optional content, attachments.

Each check is asked about a dictionary that has its key, wherever the dictionary stands: readers find these
things by many ways, and a dictionary nothing refers to today can be referred to tomorrow.
"""

from collections.abc import Iterator
from hashlib import sha256

from signer.examination.document import Dict, Document, Found, Value
from signer.examination.objection import Objection

HARMLESS_ACTIONS = frozenset({"/GoTo", "/URI"})
_REFUSED_ACTIONS = frozenset(
    {
        "/JavaScript", "/Launch", "/SubmitForm", "/ImportData", "/ResetForm", "/Hide", "/SetOCGState",
        "/Rendition", "/Movie", "/Sound", "/Trans", "/GoToE", "/GoToR", "/GoTo3DView", "/GoToDp", "/Thread",
        "/RichMediaExecute",
    }
)  # fmt: skip
PAGE_TURNS = frozenset({"/NextPage", "/PrevPage", "/FirstPage", "/LastPage"})
_MOST_PARENTS = 32


def actions(document: Document, found: Found) -> Iterator[Objection]:
    """/S names an action that runs code, leaves the file or changes looks (ISO 32000-2 12.6.4)."""
    kind = document.name(found.dictionary, "/S")
    if kind == "/Named" and "/N" in found.dictionary:
        name = document.name(found.dictionary, "/N")
        if name in PAGE_TURNS:
            return
    elif kind == "/URI":
        address = document.get(found.dictionary, "/URI")
        if not (isinstance(address, str) and address[2:].strip().lower().startswith("javascript:")):
            return
    elif kind not in _REFUSED_ACTIONS:
        return
    code = "javascript" if kind in ("/JavaScript", "/URI") else "action"
    yield Objection(
        code=code,
        zh=f"对象 {found.owner} 含有动作 {kind}，只允许跳转到页面或网址链接",
        en=f"Object {found.owner} has the action {kind}; only going to a page and web links are allowed",
        object=found.owner,
    )


def additional_actions(document: Document, found: Found) -> Iterator[Objection]:
    """/AA: actions that start by themselves, of a catalog, page, annotation or field (12.6.3).

    A resource may bear the name AA; it is told apart by holding no action.
    """
    for value in document.dictionary(found.dictionary["/AA"]).values():
        kind = document.name(document.dictionary(value), "/S")
        if kind in _REFUSED_ACTIONS | HARMLESS_ACTIONS | {"/Named"}:
            yield Objection(
                code="additional-actions",
                zh=f"对象 {found.owner} 含有自动触发的动作（/AA）",
                en=f"Object {found.owner} has actions that start by themselves (/AA)",
                object=found.owner,
            )
            return


def xfa(document: Document, found: Found) -> Iterator[Objection]:
    """/XFA: a second form of the whole document that some readers show instead (12.7.8)."""
    if document.get(found.dictionary, "/XFA") is not None:
        yield Objection(
            code="xfa",
            zh=f"对象 {found.owner} 含有 XFA 表单",
            en=f"Object {found.owner} has an XFA form",
            object=found.owner,
        )


def field_values(document: Document, found: Found) -> Iterator[Objection]:
    """/V of a form field other than a signature (12.7.4): filled in, so it can be filled in otherwise."""
    if found.is_stream or not ({"/FT", "/T", "/Parent"} & found.dictionary.keys()):
        return
    value = document.get(found.dictionary, "/V")
    if value in (None, "/Off", "u:", "b:") or _field_type(document, found.dictionary) in ("/Sig", None):
        return
    yield Objection(
        code="form-field-value",
        zh=f"对象 {found.owner} 是已填写的表单域，应先展平",
        en=f"Object {found.owner} is a form field with a value; it must be flattened first",
        object=found.owner,
    )


def _field_type(document: Document, dictionary: Dict) -> Value:
    for _ in range(_MOST_PARENTS):
        if "/FT" in dictionary:
            return document.get(dictionary, "/FT")
        if "/Parent" not in dictionary:
            return None
        dictionary = document.dictionary(dictionary["/Parent"])
    return "/Unknown"


def need_appearances(document: Document, found: Found) -> Iterator[Objection]:
    """/NeedAppearances true: each reader draws the fields in its own way (12.7.3)."""
    if document.get(found.dictionary, "/NeedAppearances") is True:
        yield Objection(
            code="need-appearances",
            zh=f"对象 {found.owner} 要求阅读器自行绘制表单域",
            en=f"Object {found.owner} asks the reader to draw the form fields itself",
            object=found.owner,
        )


def optional_content(document: Document, found: Found) -> Iterator[Objection]:
    """Layers that can be shown and hidden (8.11): /OCProperties, groups and membership dictionaries."""
    kind = document.name(found.dictionary, "/Type")
    has_layers = document.get(found.dictionary, "/OCProperties") is not None
    if has_layers or kind in ("/OCG", "/OCMD") or isinstance(document.get(found.dictionary, "/OCGs"), list | dict):
        yield Objection(
            code="optional-content",
            zh=f"对象 {found.owner} 含有可显示或隐藏的图层",
            en=f"Object {found.owner} has layers that can be shown and hidden",
            object=found.owner,
        )


def collection(document: Document, found: Found) -> Iterator[Objection]:
    """/Collection: a portfolio, shown instead of the pages (12.3.5)."""
    if isinstance(document.get(found.dictionary, "/Collection"), dict):
        yield Objection(
            code="embedded-file",
            zh=f"对象 {found.owner} 是 PDF 包（/Collection）",
            en=f"Object {found.owner} is a portfolio (/Collection)",
            object=found.owner,
        )


def embedded_files(document: Document, allowed: tuple[str, ...], part: str | None) -> Iterator[Objection]:
    """Embedded files, but PDF/A-3 associated files whose digest is in ``allowed`` (ISO 19005-3 6.8)."""
    associated = _associated(document) if part == "3" else set()
    named: set[str] = set()
    for found in document.dictionaries():
        files = document.get(found.dictionary, "/EF")
        if isinstance(files, dict) and ("/F" in files or "/UF" in files):
            references = [value for value in files.values() if isinstance(value, str)]
            named.update(reference[:-2] for reference in references)
            may = found.owner in associated and "/AFRelationship" in found.dictionary
            if not may or any(digest(document, reference[:-2]) not in allowed for reference in references):
                yield _embedded(found.owner)
    for name in document.streams:
        if document.get(document.objects[name], "/Type") == "/EmbeddedFile" and name not in named:
            yield _embedded(name)


def digest(document: Document, name: str) -> str:
    """``sha256:…`` of a stream's decoded data."""
    return "sha256:" + sha256(document.decoded(name)).hexdigest() if name in document.streams else ""


def _associated(document: Document) -> set[str]:
    return {
        value[:-2]
        for found in document.dictionaries()
        if "/AF" in found.dictionary
        for value in document.array(found.dictionary["/AF"])
        if isinstance(value, str)
    }


def _embedded(owner: str) -> Objection:
    return Objection(
        code="embedded-file",
        zh=f"对象 {owner} 含有未列入批准的附件",
        en=f"Object {owner} has an embedded file that the approval does not list",
        object=owner,
    )
