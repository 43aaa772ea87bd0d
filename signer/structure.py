"""Opens a PDF for an incremental update: pikepdf reads it strictly, nothing is repaired, nothing is guessed.

A file whose end, cross-reference or header needs repair would be read one way by us and another way by a
verifier; it is refused with a reason instead (ISO 32000-2 7.5).
"""

import copy
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pikepdf
from pikepdf import Dictionary, Object, Pdf

from signer.errors import DocumentRejectedError
from signer.hybrid import refuse_hidden_objects

_END = re.compile(rb"startxref[\0\t\n\f\r ]+(\d{1,12})[\0\t\n\f\r ]+%%EOF[\0\t\n\f\r ]*\Z")
_STREAM_OBJECT = re.compile(rb"\d{1,10}[\0\t\n\f\r ]+\d{1,5}[\0\t\n\f\r ]+obj")
_OBJECT_COUNT = re.compile(r"reported number of objects \(\d+\) is not one plus the highest object number \((\d+)\)")
_TAIL_BYTES = 1024
# Entries that describe one cross-reference section, not the document (ISO 32000-2 tables 15, 17 and 19).
_SECTION_ENTRIES = (
    "/Size", "/Prev", "/XRefStm", "/Type", "/W", "/Index", "/Length", "/Filter", "/DecodeParms",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Structure:
    """An open PDF with what an update of it must continue.

    ``startxref`` is the byte offset of its newest cross-reference section, ``xref_stream`` the kind of that
    section, ``size`` the first object number that no revision uses, ``ends_with_newline`` is about its bytes.
    """

    pdf: Pdf
    length: int
    startxref: int
    xref_stream: bool
    size: int
    ends_with_newline: bool

    @property
    def catalog(self) -> Object:
        """The document catalog; always an indirect object here."""
        return self.pdf.trailer["/Root"]

    def trailer(self) -> bytes:
        """The newest trailer's entries about the document, without ``<<``, ``>>`` and ``/ID``."""
        return entries(self.pdf.trailer, *_SECTION_ENTRIES, "/ID")

    def identifier(self) -> tuple[bytes, bytes] | None:
        """Both parts of the file identifier; None when the file has none."""
        parts = self.pdf.trailer.get("/ID")
        if not isinstance(parts, pikepdf.Array) or len(parts) != 2:  # noqa: PLR2004  ISO 32000-2 14.4
            return None
        return bytes(parts[0]), bytes(parts[1])


@contextmanager
def opened(path: Path) -> Iterator[Structure]:
    """Open ``path`` for reading.

    Raises :class:`DocumentRejectedError`: ``not-a-pdf``, ``end-of-file-malformed``, ``xref-mismatch``,
    ``xref-damaged``, ``xref-hybrid``, ``encrypted``, ``catalog-missing``.
    """
    startxref, xref_stream, ends_with_newline = _read_ends(path)
    try:
        # Inherited attributes stay where they are: a page must not look changed to an earlier signature.
        pdf = pikepdf.open(path, attempt_recovery=False, suppress_warnings=True, inherit_page_attributes=False)
    except pikepdf.PasswordError as error:
        raise _encrypted() from error
    except pikepdf.PdfError as error:
        raise _damaged() from error
    with pdf:
        if pdf.is_encrypted:
            raise _encrypted()
        if not xref_stream:
            refuse_hidden_objects(path, startxref)
        size = _first_free_number(pdf)
        root = pdf.trailer.get("/Root")
        if not isinstance(root, Dictionary) or not root.is_indirect or root.objgen[0] >= size:
            raise DocumentRejectedError(
                "catalog-missing",
                "文件尾没有指向文档目录的间接引用",
                "the trailer holds no reference to a document catalog",
            )
        yield Structure(
            pdf=pdf,
            length=path.stat().st_size,
            startxref=startxref,
            xref_stream=xref_stream,
            size=size,
            ends_with_newline=ends_with_newline,
        )


@contextmanager
def readable() -> Iterator[None]:
    """Objects of another type than the format asks for come back as a refusal, never as an accident."""
    try:
        yield
    except (pikepdf.PdfError, AttributeError, IndexError, KeyError, RuntimeError, TypeError, ValueError) as error:
        raise DocumentRejectedError(
            "structure-unusable",
            f"文件结构中有类型不符的对象（{type(error).__name__}），无法追加",
            f"an object of the file is not of the type it should be ({type(error).__name__})",
        ) from error


def _read_ends(path: Path) -> tuple[int, bool, bool]:
    with path.open("rb") as file:
        if file.read(5) != b"%PDF-":
            raise DocumentRejectedError(
                "not-a-pdf",
                "文件开头不是 %PDF-（可能不是PDF，或文件头之前有多余字节）",
                "the file does not begin with %PDF-: it is no PDF, or has bytes before its header",
            )
        length = file.seek(0, 2)
        file.seek(max(0, length - _TAIL_BYTES))
        tail = file.read()
        found = _END.search(tail)
        if found is None:
            raise DocumentRejectedError(
                "end-of-file-malformed",
                "文件末尾不是 startxref、偏移量和 %%EOF（可能被截断，或其后有多余字节）",
                "the file does not end in startxref, an offset and %%EOF: cut off, or bytes follow",
            )
        startxref = int(found[1])
        file.seek(min(startxref, length))
        head = file.read(40)
    table, stream = head.startswith(b"xref"), _STREAM_OBJECT.match(head) is not None
    if not table and not stream:
        raise DocumentRejectedError(
            "xref-mismatch",
            f"startxref 指向 {startxref}，该处应为交叉引用表或交叉引用流",
            f"startxref points to {startxref}, where a cross-reference table or stream was expected",
        )
    return startxref, stream, tail.endswith((b"\n", b"\r"))


def _first_free_number(pdf: Pdf) -> int:
    """One more than the highest object number; a trailer that counts too few does not mislead us."""
    found = [_OBJECT_COUNT.search(str(warning)) for warning in pdf.get_warnings()]
    return max([int(pdf.trailer["/Size"]), *(int(each[1]) + 1 for each in found if each)])


def entries(dictionary: Object, *without: str) -> bytes:
    """The entries of a dictionary as PDF source, ``without`` those named; ``<<`` and ``>>`` are left off."""
    kept = copy.copy(dictionary)
    for key in kept.keys() & set(without):
        del kept[key]
    return kept.unparse(resolved=True).strip()[2:-2].strip()


def reference(target: Object) -> bytes:
    """``n g R`` for an indirect object, its source otherwise."""
    return target.unparse()


def inherited(node: Object, key: str) -> Object | int | None:
    """An attribute of a page or field, its own or its nearest ancestor's (ISO 32000-2 7.7.3.4, 12.7.4.1)."""
    for _ in range(64):
        if key in node:
            return node[key]
        parent = node.get("/Parent")
        if not isinstance(parent, Dictionary):
            return None
        node = parent
    raise DocumentRejectedError(
        "tree-too-deep",
        f"{key} 的上级链超过64层，可能成环",
        f"the chain of parents searched for {key} exceeds 64 levels and may be a loop",
    )


def _encrypted() -> DocumentRejectedError:
    return DocumentRejectedError(
        "encrypted",
        "文件已加密，只能给未加密的PDF用印",
        "the file is encrypted, only an unencrypted PDF can be sealed",
    )


def _damaged() -> DocumentRejectedError:
    return DocumentRejectedError(
        "xref-damaged",
        "交叉引用或对象结构损坏，不修复、不猜测",
        "the cross-reference or an object is damaged, and nothing is repaired or guessed",
    )
