"""The file's two ends, before any object is read: what is not one clean PDF from byte 0 to the last is refused."""

import mmap
import re

from signer.errors import DocumentRejectedError

FileBytes = bytes | mmap.mmap

_HEADER = re.compile(rb"%PDF-[12]\.\d")
_END = re.compile(rb"startxref[\s]+(\d{1,15})[\s]+%%EOF$")
_HEADER_WITHIN = 1024
_MOST_BLANKS_AFTER_END = 16


def check_ends(data: FileBytes) -> int:
    """The offset of the last cross-reference section. Raises DocumentRejectedError.

    ISO 32000-2 7.5.2 and 7.5.5. Readers allow bytes before the header and after ``%%EOF``, each in its own
    way, so that two readers may see two documents.
    """
    if not len(data):
        raise DocumentRejectedError("empty", "文件为空（0 字节）", "The file is empty (0 bytes)")
    _check_header(data)
    end = data.rfind(b"%%EOF")
    if end < 0:
        raise _truncated()
    rest = data[end + 5 : end + 5 + 65536]
    if rest.strip(b" \r\n") or len(data) - end - 5 > _MOST_BLANKS_AFTER_END:
        raise _truncated() if b" obj" in rest else _trailing(len(data) - end - 5)
    found = _END.search(data[max(0, end - 64) : end + 5])
    if not found or int(found[1]) >= end:
        raise broken_xref("没有有效的 startxref", "no valid startxref")
    return int(found[1])


def _check_header(data: FileBytes) -> None:
    start = bytes(data[: _HEADER_WITHIN + 8])
    if _HEADER.match(start):
        return
    if b"%PDF-" in start[1:]:
        offset = start.index(b"%PDF-")
        raise DocumentRejectedError(
            "leading-bytes",
            f"PDF 文件头之前有 {offset} 字节，应为 0",
            f"{offset} bytes stand before the PDF header, expected none",
        )
    raise DocumentRejectedError(
        "not-a-pdf", "文件不是 PDF（没有 %PDF 文件头）", "The file is not a PDF (no %PDF header)"
    )


def _truncated() -> DocumentRejectedError:
    return DocumentRejectedError(
        "truncated", "文件不完整：结尾没有 %%EOF", "The file is cut off: it does not end in %%EOF"
    )


def _trailing(count: int) -> DocumentRejectedError:
    return DocumentRejectedError(
        "trailing-bytes",
        f"最后一个 %%EOF 之后还有 {count} 字节",
        f"{count} bytes stand after the last %%EOF, expected a line end at most",
    )


def broken_xref(zh: str, en: str) -> DocumentRejectedError:
    """The refusal of a file whose cross-reference data cannot be followed."""
    return DocumentRejectedError("broken-xref", f"交叉引用表损坏：{zh}", f"The cross-reference data is broken: {en}")


def xref_kind(data: FileBytes, offset: int) -> str:
    """``table``, ``hybrid`` (table with /XRefStm) or ``stream``: how the last section is written."""
    section = bytes(data[offset : offset + 4])
    if section != b"xref":
        return "stream"
    trailer = data.find(b"trailer", offset)
    return "hybrid" if b"/XRefStm" in data[trailer:] else "table"
