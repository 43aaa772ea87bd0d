"""Pages as the reader sees them: visible box, rotation, and the annotations an update adds to them."""

from collections.abc import Sequence
from dataclasses import dataclass

from pikepdf import Array, Object, Page

from signer.appearance import Rect
from signer.errors import DocumentRejectedError, PlacementError
from signer.structure import Structure, entries, inherited
from signer.update import Update

_TOLERANCE = 0.05
"""Points by which a seal may stand over the edge through rounding alone; a fiftieth of a millimetre."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SealPage:
    """One page to be sealed. ``box`` is its visible part in points, ``rotation`` clockwise in degrees."""

    number: int
    node: Object
    box: Rect
    rotation: int

    @property
    def reference(self) -> bytes:
        """``n g R``."""
        return self.node.unparse()

    def require_inside(self, rect: Rect) -> None:
        """Raise ``PlacementError`` (``off-page``) unless all of ``rect`` can be seen on the page."""
        left, bottom, right, top = self.box
        slack = _TOLERANCE
        if (
            left - slack <= rect[0] <= rect[2] <= right + slack
            and bottom - slack <= rect[1] <= rect[3] <= top + slack
        ):
            return
        found = " ".join(f"{each:.1f}" for each in rect)
        shown = " ".join(f"{each:.1f}" for each in self.box)
        raise PlacementError(
            "off-page",
            f"印章范围 [{found}] 超出第{self.number}页可见范围 [{shown}]（单位：点）",
            f"the seal at [{found}] leaves the visible part [{shown}] of page {self.number} (points)",
        )


def page_at(structure: Structure, number: int) -> SealPage:
    """Page ``number``, the first is 1.

    Raises ``PlacementError`` (``page-out-of-range``) and ``DocumentRejectedError`` (``page-unusable``).
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
    if page.obj.objgen[0] >= structure.size or page.obj.get("/UserUnit", 1) != 1:
        raise DocumentRejectedError(
            "page-unusable",
            f"第{number}页被重复引用、不是间接对象或使用了UserUnit",
            f"page {number} is listed twice, is not an indirect object, or sets a UserUnit",
        )
    return SealPage(number=number, node=page.obj, box=_visible(page), rotation=_rotation(page.obj))


def page_of(structure: Structure, widget: Object) -> SealPage:
    """The page on which an existing widget stands. Raises ``PlacementError`` (``field-without-page``)."""
    for number, page in enumerate(structure.pdf.pages, 1):
        annotations = page.obj.get("/Annots")
        if isinstance(annotations, Array) and any(
            each.objgen == widget.objgen for each in _objects(annotations)
        ):
            return page_at(structure, number)
    raise PlacementError(
        "field-without-page",
        "该签名域不在任何页面上",
        "the signature field stands on no page of the document",
    )


def _objects(array: Array) -> list[Object]:
    return [each for each in array if isinstance(each, Object)]


def _visible(page: Page) -> Rect:
    crop, media = _ordered(page.cropbox), _ordered(page.mediabox)
    return max(crop[0], media[0]), max(crop[1], media[1]), min(crop[2], media[2]), min(crop[3], media[3])


def _ordered(box: Array | Object) -> Rect:
    left, bottom, right, top = (float(each) for each in box)
    return min(left, right), min(bottom, top), max(left, right), max(bottom, top)


def _rotation(node: Object) -> int:
    rotation = inherited(node, "/Rotate")
    return int(rotation) % 360 // 90 * 90 if isinstance(rotation, int) else 0


def annotate(structure: Structure, update: Update, page: SealPage, annotations: Sequence[bytes]) -> None:
    """Add annotations to a page, behind those it has; everything else of the page stays, inherited or own."""
    existing = page.node.get("/Annots")
    kept = [each.unparse() for each in _objects(existing)] if isinstance(existing, Array) else []
    listed = b"[%s]" % b" ".join([*kept, *annotations])
    if isinstance(existing, Array) and existing.is_indirect and not _shared(structure, existing):
        update.replace(existing, listed)
    else:
        update.replace(page.node, b"<< %s /Annots %s >>" % (entries(page.node, "/Annots"), listed))


def _shared(structure: Structure, annotations: Array) -> bool:
    holders = [page for page in structure.pdf.pages if "/Annots" in page.obj]
    return sum(page.obj["/Annots"].objgen == annotations.objgen for page in holders) > 1
