"""A clean copy with one revision, for the principal to read and approve in place of a refused document.

What acts is taken out, what can be filled in or moved is drawn into the page, what is seen stays as it is.
What cannot be made right without a change of looks is refused (layers that are hidden) or stays for
``examine`` to name (fonts that are not embedded, text that cannot be seen).
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pikepdf
from pikepdf import Array, Dictionary, Name, Object, Pdf, Stream

from signer.errors import DocumentRejectedError
from signer.examination.active import HARMLESS_ACTIONS, PAGE_TURNS
from signer.examination.document import WRONG_SIZE, encrypted

_NEEDLESS_IN_CATALOG = ("/AA", "/Collection", "/AF", "/Perms", "/DSS", "/Requirements", "/Legal", "/PieceInfo")
_HIDDEN_BITS = 2 | 32  # Hidden, NoView (ISO 32000-2 12.5.3)
_MOST_DEPTH = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Removed:
    """One thing that was taken out or drawn into the page; ``object`` is its number in the source."""

    code: str
    zh: str
    en: str
    object: str


@dataclass(slots=True)
class _Copy:
    pdf: Pdf
    removed: list[Removed] = field(default_factory=list)
    kept: set[tuple[int, int]] = field(default_factory=set)

    def note(self, code: str, holder: Object, zh: str, en: str) -> None:
        number, generation = holder.objgen
        self.removed.append(Removed(code=code, zh=zh, en=en, object=f"{number} {generation}"))


def normalise(source: Path, target: Path) -> tuple[Removed, ...]:
    """Write the clean copy of ``source`` to ``target``, the same bytes each time; say what was taken out.

    Raises DocumentRejectedError: ``encrypted``, ``layers-hidden``, or ``cannot-normalise`` when the source is
    not a PDF that can be read. ``target`` is then not there.
    """
    try:
        with pikepdf.open(source) as pdf:
            copy = _Copy(pdf)
            if pdf.is_encrypted:
                raise encrypted()
            for step in _STEPS:
                step(copy)
            _save(pdf, target)
    except pikepdf.PasswordError:
        raise encrypted() from None
    except (pikepdf.PdfError, RuntimeError, ValueError, TypeError, AttributeError, KeyError) as error:
        target.unlink(missing_ok=True)
        raise DocumentRejectedError(
            "cannot-normalise", "文件无法读取，不能生成净化副本", "The file cannot be read; no clean copy can be made"
        ) from error
    return tuple(copy.removed)


def _repairs(copy: _Copy) -> None:
    """What had to be guessed at to read the file at all; last, since objects are read when they are needed."""
    if any(WRONG_SIZE not in str(warning) for warning in copy.pdf.get_warnings()):
        copy.note("file-repaired", copy.pdf.Root, "文件已损坏，经修复后读取", "the file was damaged and read by repair")


def _save(pdf: Pdf, target: Path) -> None:
    if "/Size" not in pdf.trailer:
        pdf.trailer.Size = 0  # qpdf writes the true number, but only where there is one
    pdf.remove_unreferenced_resources()
    pdf.save(
        target,
        deterministic_id=True,
        fix_metadata_version=False,
        object_stream_mode=pikepdf.ObjectStreamMode.generate,
        linearize=False,
    )


def _layers(copy: _Copy) -> None:
    """Optional content becomes content; refused when a part of it is not shown, for then the look would change."""
    properties = copy.pdf.Root.get("/OCProperties")
    groups = [each for each in _dictionaries(copy.pdf) if each.get("/Type") in (Name.OCG, Name.OCMD)]
    if properties is None and not groups:
        return
    default = properties.get("/D", Dictionary()) if properties is not None else Dictionary()
    shown = default.get("/BaseState", Name.ON) == Name.ON and not len(default.get("/OFF", Array()))
    if not shown or any(_may_hide(each) for each in groups):
        raise DocumentRejectedError(
            "layers-hidden",
            "文件含有隐藏的图层，无法在不改变外观的情况下展平",
            "The file has layers that are hidden; they cannot be flattened without a change of its looks",
        )
    copy.note("optional-content", copy.pdf.Root, "图层已并入页面", "layers were made part of the page")
    _take(copy.pdf.Root, "/OCProperties")
    for each in _dictionaries(copy.pdf):
        _take(each, "/OC")
    for each in groups:
        for key in list(each.keys()):
            del each[key]


def _may_hide(group: Object) -> bool:
    """Whether a group or membership dictionary can be off while every group is on (8.11.2.2, 8.11.4.4)."""
    if "/VE" in group or group.get("/P") in (Name.AllOff, Name.AnyOff):
        return True
    usage = group.get("/Usage", Dictionary())
    return any(
        isinstance(each, Dictionary) and Name.OFF in (each.get("/ViewState"), each.get("/PrintState"))
        for _, each in usage.items()
    )


def _annotations(copy: _Copy) -> None:
    """Fields and marks are drawn into the page; links and empty signature fields stay."""
    pdf = copy.pdf
    form = pdf.Root.get("/AcroForm")
    if form is not None and "/XFA" in form:
        copy.note("xfa", form, "已删除 XFA 表单", "the XFA form was removed")
        del form["/XFA"]
    if form is not None and bool(form.get("/NeedAppearances", False)):
        pdf.generate_appearance_streams()
    waiting = [_set_aside(copy, page) for page in pdf.pages]
    pdf.flatten_annotations("screen")
    _take(pdf.Root, "/AcroForm")
    for page, aside in zip(pdf.pages, waiting, strict=True):
        _keep(page, aside)
    fields = [each for aside in waiting for each in aside if each.get("/Subtype") == Name.Widget]
    if fields:
        pdf.Root.AcroForm = pdf.make_indirect(Dictionary(Fields=Array(fields), SigFlags=1))


def _set_aside(copy: _Copy, page: pikepdf.Page) -> list[Object]:
    """Take links and empty signature fields off the page before the others are drawn; note the others."""
    aside: list[Object] = []
    rest: list[Object] = []
    for each in page.obj.get("/Annots", Array()):
        if not isinstance(each, Dictionary):
            continue
        stays = each.get("/Subtype") == Name.Link or _is_empty_signature_field(each)
        (aside if stays else rest).append(each if each.is_indirect else copy.pdf.make_indirect(each))
    for each in rest:
        kind = str(each.get("/Subtype", "")).removeprefix("/")
        if _inherited(each, "/FT") == Name.Sig:
            copy.note("signature", each, "签名已去除，只留下图形", "a signature was removed; its picture stays")
        elif int(each.get("/F", 0)) & _HIDDEN_BITS:
            copy.note("annotation", each, f"已删除隐藏的注释 {kind}", f"a hidden annotation {kind} was removed")
        else:
            copy.note(
                "annotation", each, f"注释或表单域 {kind} 已展平", f"the annotation or field {kind} was flattened"
            )
    page.obj.Annots = Array(rest)
    for each in aside:
        _detach(each)
        copy.kept.add(each.objgen)
    return aside


def _is_empty_signature_field(annotation: Object) -> bool:
    return (
        annotation.get("/Subtype") == Name.Widget
        and _inherited(annotation, "/FT") == Name.Sig
        and _inherited(annotation, "/V") is None
    )


def _inherited(node: Object, key: str) -> Object | None:
    for _ in range(_MOST_DEPTH):
        if key in node:
            return node[key]
        parent = node.get("/Parent")
        if not isinstance(parent, Dictionary):
            return None
        node = parent
    return None


def _detach(annotation: Object) -> None:
    """Give a field that stays its whole name, since the fields above it go."""
    if annotation.get("/Subtype") != Name.Widget:
        return
    names, node = [], annotation
    for _ in range(_MOST_DEPTH):
        if "/T" in node:
            names.append(str(node.T))
        parent = node.get("/Parent")
        if not isinstance(parent, Dictionary):
            break
        node = parent
    annotation.T = pikepdf.String(".".join(reversed(names)))
    annotation.FT = Name.Sig
    annotation.F = int(annotation.get("/F", 0)) & ~_HIDDEN_BITS | 4
    for key in ("/Parent", "/AA", "/MK"):
        _take(annotation, key)


def _keep(page: pikepdf.Page, aside: list[Object]) -> None:
    if aside:
        page.obj.Annots = Array(aside)
    else:
        _take(page.obj, "/Annots")


def _catalog(copy: _Copy) -> None:
    """What the catalog carries besides pages: actions, attachments, portfolio, long-term validation data."""
    root = copy.pdf.Root
    for key in _NEEDLESS_IN_CATALOG:
        if _take(root, key) is not None:
            copy.note("catalog", root, f"已删除目录项 {key}", f"the catalog's {key} was removed")
    names = root.get("/Names")
    if isinstance(names, Dictionary):
        for key in list(names.keys()):
            if key != "/Dests":
                copy.note("names", root, f"已删除名称树 {key}", f"the name tree {key} was removed")
                del names[key]


def _actions(copy: _Copy) -> None:
    """Actions other than going to a page and web links, wherever they hang."""
    for holder in _dictionaries(copy.pdf):
        for key in ("/A", "/PA", "/OpenAction", "/Next"):
            value = holder.get(key)
            if isinstance(value, Dictionary) and "/S" in value and not _is_harmless(value):
                copy.note("action", holder, f"已删除动作 {value.S}", f"the action {value.S} was removed")
                del holder[key]
            elif key == "/Next" and isinstance(value, Array) and "/S" in holder:
                copy.note("action", holder, "已删除后续动作", "the actions that follow were removed")
                del holder[key]
        if _holds_actions(holder.get("/AA")):
            copy.note("action", holder, "已删除自动触发的动作", "actions that start by themselves were removed")
            del holder["/AA"]


def _is_harmless(action: Object) -> bool:
    if action.S == Name.URI:
        return not bytes(action.get("/URI", b"")).strip().lower().startswith(b"javascript:")
    if Name.Named == action.S:
        return str(action.get("/N")) in PAGE_TURNS
    return str(action.S) in HARMLESS_ACTIONS


def _holds_actions(value: Object | None) -> bool:
    return isinstance(value, Dictionary) and any(
        isinstance(each, Dictionary) and "/S" in each for _, each in value.items()
    )


def _looks(copy: _Copy) -> None:
    """Alternates, proxies and device functions, which no screen shows; references of the structure to what went."""
    for holder in _dictionaries(copy.pdf):
        for key in ("/Alternates", "/OPI", "/PieceInfo"):
            if _take(holder, key) is not None:
                copy.note("alternate", holder, f"已删除 {key}", f"{key} was removed")
        if "/EF" in holder:
            copy.note("embedded-file", holder, "已删除附件", "an embedded file was removed")
            del holder["/EF"]
        if holder.get("/Type") == Name.ExtGState or ("/G" not in holder and "/S" not in holder):
            for key in ("/TR", "/TR2"):
                if isinstance(holder.get(key), Array | Stream) or "/FunctionType" in (_dictionary(holder.get(key))):
                    copy.note("transfer-function", holder, f"已删除 {key}", f"{key} was removed")
                    del holder[key]
        if holder.get("/Type") == Name.OBJR and _dictionary(holder.get("/Obj")).objgen not in copy.kept:
            _take(holder, "/Obj")


def _take(holder: Object, key: str) -> Object | None:
    """Remove ``key`` and answer what it held, or None."""
    value = holder.get(key)
    if key in holder:
        del holder[key]
    return value


def _dictionary(value: Object | None) -> Object:
    return value if isinstance(value, Dictionary | Stream) else Dictionary()


def _dictionaries(pdf: Pdf) -> Iterator[Object]:
    """Every dictionary and stream, those inside others too. The list is taken first, so that they may be changed."""
    for value in list(pdf.objects):
        waiting = [(value, 0)]
        while waiting:
            item, depth = waiting.pop()
            if depth > _MOST_DEPTH:
                continue
            if isinstance(item, Dictionary | Stream):
                children = [each for _, each in item.items()]
                yield item
            elif isinstance(item, Array):
                children = list(item)
            else:
                continue
            waiting.extend((each, depth + 1) for each in children if isinstance(each, Object) and not each.is_indirect)


_STEPS: tuple[Callable[[_Copy], None], ...] = (_layers, _annotations, _catalog, _actions, _looks, _repairs)
