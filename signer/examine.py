"""Looks at a PDF before it is sealed: what it is, and what speaks against sealing it.

What could change the document's look later, or hides something now, is an objection that names the object
(DESIGN: "shadow documents"). A file that is not one sound PDF is a DocumentRejectedError. Everything is
judged on decoded objects, those in object streams too, with names decoded, reachable or not.
"""

import io
import mmap
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from signer.errors import DocumentRejectedError
from signer.examination import active, annotations, looks
from signer.examination.conformance import conformance
from signer.examination.document import WRONG_SIZE, Document, Found, load, open_pdf
from signer.examination.envelope import FileBytes, check_ends, xref_kind
from signer.examination.layout import Layout, lay_out
from signer.examination.objection import Objection
from signer.examination.pages import PageInfo, pages
from signer.examination.signatures import (
    SignatureFields,
    SignatureInfo,
    forbidden,
    several_definitions,
    signature_fields,
    stray_byte_ranges,
)
from signer.examination.visibility import hidden

__all__ = ["Examination", "Objection", "PageInfo", "SignatureInfo", "examine"]

Check = Callable[[Document, Found], Iterator[Objection]]

# A check is asked about each dictionary that has its key.
_CHECKS: tuple[tuple[str, Check], ...] = (
    ("/S", active.actions),
    ("/AA", active.additional_actions),
    ("/XFA", active.xfa),
    ("/V", active.field_values),
    ("/NeedAppearances", active.need_appearances),
    ("/OCProperties", active.optional_content),
    ("/OCGs", active.optional_content),
    ("/Type", active.optional_content),
    ("/Collection", active.collection),
    ("/Subtype", annotations.annotations),
    ("/Subtype", looks.postscript),
    ("/Ref", looks.references),
    ("/Alternates", looks.alternates),
    ("/OPI", looks.proxies),
    ("/TR", looks.transfer_functions),
    ("/TR2", looks.transfer_functions),
)
_BY_KEY: dict[str, tuple[Check, ...]] = {
    key: tuple(check for other, check in _CHECKS if other == key) for key, _ in _CHECKS
}
_MOST_OBJECTIONS = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Examination:
    """What was found. ``length`` in bytes; ``pdfa`` is the level the file states (``2b``); no objection: sealable."""

    length: int
    pages: tuple[PageInfo, ...]
    objections: tuple[Objection, ...]
    pdfa: str | None
    pdfa1: bool
    rgb_output_intent: bool
    xref_kind: str
    signatures: tuple[SignatureInfo, ...]
    empty_signature_fields: tuple[str, ...]


def examine(
    path: Path, *, tolerated_fonts: tuple[str, ...] = (), allowed_attachments: tuple[str, ...] = ()
) -> Examination:
    """Examine the file at ``path``.

    ``tolerated_fonts``: names of fonts that need not be embedded. ``allowed_attachments``: digests
    (``sha256:…``) of PDF/A-3 associated files that the approval lists. Raises DocumentRejectedError
    (empty, not-a-pdf, leading-bytes, truncated, trailing-bytes, broken-xref, encrypted, malformed,
    page-tree-…, stream-…, too-many-…, decoded-too-large) when there is no document to judge.
    """
    with _mapped(path) as data:
        last_xref = check_ends(data)
        with open_pdf(path) as pdf:
            document = load(data, pdf)
            layout = lay_out(document)
            page_list = pages(document)
            fields = signature_fields(document)
            stated = conformance(document)
            objections = [
                *several_definitions(layout, fields),
                *forbidden(fields),
                *stray_byte_ranges(document, fields),
                *_object_by_object(document),
                *looks.fonts(document, tolerated_fonts),
                *active.embedded_files(document, allowed_attachments, (stated.pdfa or "")[:1]),
                *_warnings(document),
                *_earlier_revisions(document, layout, fields),
                *hidden(document, str(path), page_list, _signed_until(fields)),
            ]
        return Examination(
            length=len(data),
            pages=tuple(page.info() for page in page_list),
            objections=tuple(dict.fromkeys(objections))[:_MOST_OBJECTIONS],
            pdfa=stated.pdfa,
            pdfa1=stated.pdfa is not None and stated.pdfa.startswith("1"),
            rgb_output_intent=stated.rgb,
            xref_kind=xref_kind(data, last_xref),
            signatures=fields.signed,
            empty_signature_fields=fields.empty,
        )


@contextmanager
def _mapped(path: Path) -> Iterator[FileBytes]:
    with path.open("rb") as file:
        if not path.stat().st_size:
            yield b""
            return
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            yield data


def _object_by_object(document: Document) -> Iterator[Objection]:
    for found in document.dictionaries():
        for key in found.dictionary:
            for check in _BY_KEY.get(key, ()):
                yield from check(document, found)
        if found.is_stream:
            yield from looks.streams(document, found)


def _warnings(document: Document) -> Iterator[Objection]:
    """What qpdf had to guess at, another reader guesses otherwise. A wrong /Size alone misleads nobody."""
    if any(WRONG_SIZE not in str(warning) for warning in document.pdf.get_warnings()):
        yield Objection(
            code="malformed",
            zh="文件中有语法错误，不同阅读器的理解可能不同",
            en="The file has errors of syntax that readers may understand differently",
            object="file",
        )


def _signed_until(fields: SignatureFields) -> int:
    return max((signature.end for signature in fields.signed if signature.intact), default=0)


def _earlier_revisions(document: Document, layout: Layout, fields: SignatureFields) -> Iterator[Objection]:
    """Objects that later, signed revisions replaced: still there, so judged like the present ones."""
    if not fields.signed or not layout.repeated():
        return
    for end in layout.ends[:-1]:
        try:
            with open_pdf(io.BytesIO(document.data[:end])) as pdf:
                yield from _object_by_object(load(document.data[:end], pdf))
        except DocumentRejectedError as error:
            # The first %%EOF of a linearized file closes no revision (ISO 32000-2 annex F).
            if not any("/Linearized" in found.dictionary for found in document.dictionaries()):
                yield Objection(code=error.code, zh=error.zh, en=error.en, object="file")
