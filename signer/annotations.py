"""Pages to be sealed, and the annotations that an update adds to them."""

from collections.abc import Sequence
from dataclasses import dataclass

from pikepdf import Array, Object

from signer.appearance import Rect
from signer.errors import DocumentRejectedError, PlacementError
from signer.page import PageGeometry, geometry_of
from signer.structure import Structure, entries
from signer.update import Update

_TOLERANCE = 0.05
"""Points by which a seal may stand over the edge through rounding alone; a fiftieth of a millimetre."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SealPage:
    """One page to be sealed; ``number`` is counted from 1, ``entries`` are its own but ``/Annots``."""

    number: int
    node: Object
    entries: bytes
    geometry: PageGeometry

    @property
    def reference(self) -> bytes:
        """``n g R``."""
        return self.node.unparse()

    def require_inside(self, rect: Rect) -> None:
        """Raise ``PlacementError`` (``box-off-page``) unless all of ``rect`` can be seen on the page."""
        left, bottom, right, top = self.geometry.box
        across = left - _TOLERANCE <= rect[0] <= rect[2] <= right + _TOLERANCE
        if across and bottom - _TOLERANCE <= rect[1] <= rect[3] <= top + _TOLERANCE:
            return
        found = " ".join(f"{each:.1f}" for each in rect)
        shown = " ".join(f"{each:.1f}" for each in self.geometry.box)
        raise PlacementError(
            "box-off-page",
            f"印章范围 [{found}] 超出第{self.number}页可见范围 [{shown}]（单位：点）",
            f"the seal at [{found}] leaves the visible part [{shown}] of page {self.number} (points)",
        )


def page_at(structure: Structure, number: int) -> SealPage:
    """Page ``number``, the first is 1.

    Raises ``PlacementError`` (``page-out-of-range``, ``page-without-area``) and ``DocumentRejectedError``
    (``page-unusable``).
    """
    count = len(structure.pdf.pages)
    if not 1 <= number <= count:
        raise PlacementError(
            "page-out-of-range",
            f"要求第{number}页，文件共{count}页",
            f"page {number} was asked for, of {count}",
        )
    page = structure.pdf.pages[number - 1]
    # A page listed twice or written directly into its parent gets a number of the reader's own making.
    if page.obj.objgen[0] >= structure.size:
        raise DocumentRejectedError(
            "page-unusable",
            f"第{number}页在页面树中出现两次，或不是间接对象",
            f"page {number} stands twice in the page tree, or is not an indirect object",
        )
    # Taken first: asked for a box, pikepdf writes inherited ones into the page, and to an earlier signature
    # the page must look unchanged.
    own = entries(page.obj, "/Annots")
    return SealPage(number=number, node=page.obj, entries=own, geometry=geometry_of(page, number))


def page_of(structure: Structure, widget: Object) -> SealPage:
    """The page on which an existing widget stands. Raises ``PlacementError`` (``field-without-page``)."""
    for number, page in enumerate(structure.pdf.pages, 1):
        annotations = page.obj.get("/Annots")
        if isinstance(annotations, Array) and any(each.objgen == widget.objgen for each in _objects(annotations)):
            return page_at(structure, number)
    raise PlacementError(
        "field-without-page",
        "该签名域不在任何页面上",
        "the signature field stands on no page of the document",
    )


def annotate(structure: Structure, update: Update, page: SealPage, added: Sequence[bytes]) -> None:
    """Add annotations to a page, behind those it has; everything else of the page stays, inherited or own."""
    existing = page.node.get("/Annots")
    kept = [each.unparse() for each in _objects(existing)] if isinstance(existing, Array) else []
    listed = b"[%s]" % b" ".join([*kept, *added])
    if isinstance(existing, Array) and existing.is_indirect and not _shared(structure, existing):
        update.replace(existing, listed)
    else:
        update.replace(page.node, b"<< %s /Annots %s >>" % (page.entries, listed))


def _shared(structure: Structure, annotations: Array) -> bool:
    holders = [page for page in structure.pdf.pages if "/Annots" in page.obj]
    return sum(page.obj["/Annots"].objgen == annotations.objgen for page in holders) > 1


def _objects(array: Array) -> list[Object]:
    return [each for each in array if isinstance(each, Object)]
