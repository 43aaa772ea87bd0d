"""The page tree, walked by hand: every page once, in a tree, of a size that can be shown."""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from signer.errors import DocumentRejectedError
from signer.examination.document import Dict, Document, Value, is_reference

_MOST_PAGES = 5000
_DEEPEST = 40
_INHERITED = ("/MediaBox", "/CropBox", "/Rotate", "/Resources")
_POINTS_PER_MM = Decimal(72) / Decimal("25.4")
_CORNERS = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class PageInfo:
    """A page as it is shown: size in millimetres after /Rotate and /UserUnit, rotation in degrees clockwise."""

    width_mm: float
    height_mm: float
    rotate: int


@dataclass(frozen=True, slots=True)
class Page:
    """A page's object, its dictionary with inherited values, and its boxes (left, bottom, right, top; points)."""

    name: str
    dictionary: Dict
    media: tuple[float, float, float, float]
    crop: tuple[float, float, float, float]

    def info(self) -> PageInfo:
        """Its size as shown."""
        left, bottom, right, top = self.crop
        rotate = self.dictionary.get("/Rotate") or 0
        unit = self.dictionary.get("/UserUnit", 1)
        width, height = (
            Decimal(str(side)) * Decimal(str(unit)) / _POINTS_PER_MM for side in (right - left, top - bottom)
        )
        if rotate % 180:
            width, height = height, width
        return PageInfo(width_mm=round(float(width), 3), height_mm=round(float(height), 3), rotate=rotate % 360)


def pages(document: Document) -> list[Page]:
    """All pages in order. Raises DocumentRejectedError: page-tree-loop, -depth, -malformed, too-many-pages."""
    found = [_page(document, name, dictionary) for name, dictionary in _leaves(document)]
    if not found:
        raise _malformed("trailer", "没有页面", "the document has no page")
    return found


def _leaves(document: Document) -> Iterator[tuple[str, Dict]]:
    seen: set[str] = set()
    waiting: list[tuple[Value, Dict, int]] = [(document.root.get("/Pages"), {}, 0)]
    count = 0
    while waiting:
        reference, inherited, depth = waiting.pop()
        if not is_reference(reference):
            raise _malformed("trailer", "页面树节点不是间接对象", "a node of the page tree is not an indirect object")
        name = reference[:-2]
        if name in seen:
            raise DocumentRejectedError(
                "page-tree-loop",
                f"页面树中对象 {name} 出现两次",
                f"Object {name} stands twice in the page tree",
            )
        seen.add(name)
        if depth > _DEEPEST:
            raise DocumentRejectedError(
                "page-tree-depth",
                f"页面树深于 {_DEEPEST} 层",
                f"The page tree is deeper than {_DEEPEST} levels",
            )
        node = document.dictionary(reference)
        own = inherited | {key: node[key] for key in _INHERITED if key in node}
        if "/Kids" in node:
            kids = document.array(node["/Kids"])
            waiting.extend((kid, own, depth + 1) for kid in reversed(kids))
        elif document.get(node, "/Type") == "/Page":
            count += 1
            yield name, own | node
        else:
            raise _malformed(name, "既不是页面也不是页面树节点", "is neither a page nor a node of the page tree")
        if count > _MOST_PAGES or len(waiting) > _MOST_PAGES:
            raise DocumentRejectedError(
                "too-many-pages", f"页数超过 {_MOST_PAGES}", f"The document has more than {_MOST_PAGES} pages"
            )


def _page(document: Document, name: str, dictionary: Dict) -> Page:
    media = _box(document, dictionary.get("/MediaBox"))
    if not media:
        raise _malformed(name, "没有有效的 /MediaBox", "has no valid /MediaBox")
    crop = _box(document, dictionary.get("/CropBox")) or media
    shown = (max(crop[0], media[0]), max(crop[1], media[1]), min(crop[2], media[2]), min(crop[3], media[3]))
    if shown[0] >= shown[2] or shown[1] >= shown[3]:
        raise _malformed(name, "/CropBox 在 /MediaBox 之外", "has a /CropBox outside its /MediaBox")
    rotate = document.resolve(dictionary.get("/Rotate", 0))
    unit = document.resolve(dictionary.get("/UserUnit", 1))
    if not isinstance(rotate, int) or rotate % 90:
        raise _malformed(name, "/Rotate 不是 90 的倍数", "has a /Rotate that is not a multiple of 90")
    if not isinstance(unit, int | float) or not 0 < unit <= 75_000:  # noqa: PLR2004  ISO 32000-2 annex C
        raise _malformed(name, "/UserUnit 无效", "has an invalid /UserUnit")
    return Page(name, dictionary | {"/Rotate": rotate, "/UserUnit": unit}, media, shown)


def _box(document: Document, value: Value) -> tuple[float, float, float, float] | None:
    corners = [document.resolve(corner) for corner in document.array(value)]
    if len(corners) != _CORNERS or not all(
        isinstance(corner, int | float) and abs(corner) < 1_000_000  # noqa: PLR2004  beyond any paper
        for corner in corners
    ):
        return None
    left, right = sorted((float(corners[0]), float(corners[2])))
    bottom, top = sorted((float(corners[1]), float(corners[3])))
    return (left, bottom, right, top) if left < right and bottom < top else None


def _malformed(name: str, zh: str, en: str) -> DocumentRejectedError:
    return DocumentRejectedError(
        "page-tree-malformed", f"页面树错误：{name} {zh}", f"The page tree is wrong: {name} {en}"
    )
