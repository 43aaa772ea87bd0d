"""What was changed after a signature, in words a clerk understands, in Chinese and in English."""

from collections.abc import Iterable
from dataclasses import dataclass

import pypdfium2

from signer.page_pictures import Pictures
from verify.certificate import printable
from verify.page_pictures import pictures
from verify.pdf_syntax import FileBytes
from verify.revision_changes import Change, Kind

_LONGEST = 40
_ANNOTATIONS = {
    "Text": ("便笺", "note"),
    "Link": ("链接", "link"),
    "FreeText": ("文本框", "text box"),
    "Line": ("线条", "line"),
    "Square": ("矩形", "rectangle"),
    "Circle": ("椭圆", "ellipse"),
    "Polygon": ("多边形", "polygon"),
    "PolyLine": ("折线", "polyline"),
    "Highlight": ("突出显示", "highlight"),
    "Underline": ("下划线", "underline"),
    "Squiggly": ("波浪线", "squiggly underline"),
    "StrikeOut": ("删除线", "strike-out"),
    "Caret": ("插入符", "caret"),
    "Stamp": ("图章", "stamp"),
    "Ink": ("手绘", "ink"),
    "Popup": ("弹出框", "popup"),
    "FileAttachment": ("附件", "attached file"),
    "Redact": ("涂黑", "redaction"),
    "Watermark": ("水印", "watermark"),
    "Widget": ("表单控件", "form widget"),
    "Screen": ("屏幕", "screen"),
    "3D": ("三维", "3D"),
}
_RESOURCES = {
    "/Font": ("字体", "fonts"),
    "/XObject": ("图像或图形", "images or drawings"),
    "/ExtGState": ("绘图状态", "graphics states"),
    "/ColorSpace": ("颜色空间", "colour spaces"),
    "/Pattern": ("图案", "patterns"),
    "/Shading": ("渐变", "shadings"),
    "/Properties": ("图层属性", "layer properties"),
}
_TEMPLATES: dict[Kind, tuple[str, str]] = {
    "annotation_added": ("加了一个新批注（{kind}）", "a new annotation ({kind}) was added"),
    "annotation_removed": ("一个批注（{kind}）被删除", "an annotation ({kind}) was removed"),
    "annotation_changed": ("一个批注（{kind}）被改动", "an annotation ({kind}) was changed"),
    "field_changed": (
        "表单域“{what}”的值由“{before}”改为“{after}”",
        "the form field “{what}” held “{before}” and now holds “{after}”",
    ),
    "signature_added": ("增加了签名“{what}”", "a signature was added: “{what}”"),
    "signature_changed": (
        "签名域“{what}”的显示、位置或属性被改动",
        "the picture, place or entries of the signature field “{what}” were changed",
    ),
    "page_resources": ("页面所用的{kind}被替换", "the {kind} used by the page were replaced"),
    "field_added": ("增加了表单域“{what}”", "a form field was added: “{what}”"),
    "field_removed": ("表单域“{what}”被删除或改成另一种", "the form field “{what}” was removed or made another kind"),
    "field_renamed": ("表单域“{before}”改名为“{after}”", "the form field “{before}” was renamed “{after}”"),
    "signature_field_added": ("增加了空的签名域“{what}”", "an empty signature field was added: “{what}”"),
    "timestamp_added": ("增加了文档时间戳“{what}”", "a document time-stamp was added: “{what}”"),
    "signature_removed": ("签名域“{what}”或其显示被移除", "the signature field “{what}” or its picture was removed"),
    "page_added": ("这一页是新加的", "this page was added"),
    "page_removed": ("原第{what}页被删除", "what was page {what} was removed"),
    "pages_reordered": ("页面顺序被改动", "the pages were put into another order"),
    "page_content": ("页面内容被替换", "the content of the page was replaced"),
    "page_shape": ("页面大小、可见范围或方向被改动", "the size, visible part or direction of the page was changed"),
    "page_entry": ("页面属性 {what} 被改动", "the entry {what} of the page was changed"),
    "validation_data": ("增加了验证数据（证书、吊销信息）", "validation data was added (certificates, revocation)"),
    "properties": ("文件属性 {what} 被更新", "the document property {what} was updated"),
    "title": ("文件属性 {what} 由“{before}”改为“{after}”", "the document property {what} was “{before}”, is “{after}”"),
    "document_entry": ("文件目录项 {what} 被改动", "the entry {what} of the document catalogue was changed"),
    "structure": ("文件的结构标记（{what}）被改动", "the structure ({what}) of the document was changed"),
    "form_entry": ("表单设置 {what} 被改动", "the setting {what} of the form was changed"),
}


_OVER: dict[Kind, tuple[str, str]] = {
    "annotation_added": ("一个新批注（{kind}）盖住了“{covered}”", "a new annotation ({kind}) was put over “{covered}”"),
    "annotation_changed": (
        "一个批注（{kind}）被改动，盖住了“{covered}”",
        "an annotation ({kind}) over “{covered}” was changed",
    ),
    "signature_added": ("增加了签名“{what}”，盖住了“{covered}”", "a signature was added: “{what}”, over “{covered}”"),
    "signature_changed": (
        "签名域“{what}”的显示、位置或属性被改动，现位于“{covered}”之上",
        "the picture, place or entries of the signature field “{what}” were changed; it stands over “{covered}”",
    ),
}
"""The same where text of the signed page lies under it."""
_LOOK = ("表单域“{what}”的显示被改动", "the look of the form field “{what}” was changed")


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """One change as a sentence."""

    zh: str
    en: str


def sentences(changes: Iterable[Change], data: FileBytes, length: int) -> tuple[Words, ...]:
    """A sentence for each change; the text that a new thing covers is read from the first ``length`` bytes."""
    changes = tuple(changes)
    if not any(change.box for change in changes):
        return tuple(_sentence(change, "") for change in changes)
    try:
        with pictures(data, length) as pages:
            return tuple(_sentence(change, _covered(change, pages)) for change in changes)
    except (pypdfium2.PdfiumError, ValueError):
        return tuple(_sentence(change, "") for change in changes)


def shortened(text: str) -> str:
    """Printable characters only, white space as one blank, at most 40 characters."""
    plain = printable(" ".join(text.split()))
    return plain if len(plain) <= _LONGEST else plain[:_LONGEST] + "…"


def _covered(change: Change, pages: Pictures) -> str:
    if change.box is None or change.page is None or change.page > pages.count:
        return ""
    try:
        return shortened(pages.text_under(change.page - 1, change.box))
    except pypdfium2.PdfiumError:
        return ""


def _sentence(change: Change, covered: str) -> Words:
    what, before, after = (shortened(each) for each in (change.what, change.before, change.after))
    templates = _OVER.get(change.kind) if covered else None
    if change.kind == "field_changed" and not (before or after):
        templates = _LOOK
    zh, en = templates or _TEMPLATES[change.kind]
    kind_zh, kind_en = _kinds(change)
    given = {"what": what, "before": before, "after": after, "covered": covered}
    zh, en = zh.format(kind=kind_zh, **given), en.format(kind=kind_en, **given)
    if change.page is None:
        return Words(zh=zh, en=en)
    return Words(zh=f"第{change.page}页：{zh}", en=f"page {change.page}: {en}")


def _kinds(change: Change) -> tuple[str, str]:
    """The kind of an annotation, or the kinds of resources of a page, in words."""
    if change.kind != "page_resources":
        return _ANNOTATIONS.get(change.what, (shortened(change.what),) * 2)
    named = [_RESOURCES.get(key, (key, key)) for key in change.what.split()] or [("资源", "resources")]
    return "、".join(zh for zh, _ in named), ", ".join(en for _, en in named)
