"""Pages for applicant and principal: drawn from the very bytes to be sealed, with where the seal will stand."""

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from api.service import Service
from sandbox.errors import SandboxError, WorkerOverloadedError
from sealing.order import Order
from sealing.parts import seal_parts

_DPI: Final = 96


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where something of the seal will stand, in millimetres from the top left of the page as shown."""

    kind: str
    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownPage:
    """One page; ``picture`` is a data URL."""

    number: int
    width: float
    height: float
    picture: str
    places: tuple[Place, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownDocument:
    """The pages there is room for. ``face`` is the seal's face as a data URL, empty while no place is known.

    ``problem`` says in Chinese and English why nothing, or no place, could be shown.
    """

    pages: tuple[ShownPage, ...] = ()
    left: int = 0
    face: str = ""
    problem: tuple[str, str] | None = None


def shown(service: Service, document: str, order: Order | None = None) -> ShownDocument:
    """The document with digest ``document``, and with ``order`` where its seal will stand.

    A place that cannot be found is told, and the pages are shown without it. Raises ``StorageError``,
    ``sandbox.errors.WorkerOverloadedError``.
    """
    path = service.shop.documents.read_path(document)
    arguments: dict[str, Any] = {"source": str(path.absolute()), "dpi": _DPI}
    seconds = service.shop.seconds_for(path)
    seal = {} if order is None else _seal(service, order)
    problem = None
    try:
        told = service.shop.workers.call("signer.desk:preview_document", arguments | seal, seconds=seconds)
    except WorkerOverloadedError:
        raise
    except SandboxError as error:
        problem = (error.zh, error.en)
        if not seal:
            return ShownDocument(problem=problem)
        told = service.shop.workers.call("signer.desk:preview_document", arguments, seconds=seconds)
    face = told["face"]
    return ShownDocument(
        pages=tuple(_page(each, told["seals"]) for each in told["pages"]),
        left=int(told["page_count"]) - len(told["pages"]),
        face="" if face is None else _data_url("image/svg+xml", base64.b64encode(face["svg"].encode()).decode()),
        problem=problem,
    )


def _seal(service: Service, order: Order) -> dict[str, Any]:
    with service.shop.database.read() as connection:
        parts = seal_parts(connection, service.shop.registry, order.seal)
    if parts is None:
        return {}
    seal = parts.seal.record
    return {
        "placement": order.placement,
        "specimen": {
            "name": seal.name,
            "number": seal.number,
            "diameter_mm": seal.specimen.diameter_mm,
            "sample": parts.key.record.issuer == "internal",
        },
    }


def _page(told: Mapping[str, Any], seals: list[Mapping[str, Any]]) -> ShownPage:
    places = tuple(
        Place(
            kind=each["kind"],
            x=each["left_mm"],
            y=each["top_mm"],
            width=each["width_mm"],
            height=each["height_mm"],
        )
        for each in seals
        if each["page"] == told["number"]
    )
    return ShownPage(
        number=told["number"],
        width=told["width_mm"],
        height=told["height_mm"],
        picture=_data_url(told["media_type"], told["picture"]),
        places=places,
    )


def _data_url(media_type: str, content: str) -> str:
    return f"data:{media_type};base64,{content}"
