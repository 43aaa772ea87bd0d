"""Organs 单位: registration, names, succession, and the keys they sign agreements with."""

from dataclasses import dataclass
from datetime import date

from ledger.ids import new_id
from registry.errors import ConflictError
from registry.record import build
from registry.records import Organ, OrganKey, Succession
from registry.store import Act, Stored
from sealing.administration.acts import acting, end, put
from sealing.administration.key_registration import KeyRequest, key_values
from sealing.workshop import Workshop


@dataclass(frozen=True, slots=True, kw_only=True)
class OrganRequest:
    """An organ as it is to stand in the registry; ``code`` is its 统一社会信用代码 and never changes."""

    code: str
    legal_name: str
    level: str
    region: str
    aliases: tuple[str, ...] = ()


def register(shop: Workshop, request: OrganRequest, act: Act) -> Stored[Organ]:
    """Register an organ. Raises ``RecordInvalidError``, :class:`ConflictError` for a code that is taken."""
    with acting(shop, act) as changes:
        return put(changes, build(Organ, id=new_id("org"), **_values(request)))


def change(shop: Workshop, request: OrganRequest, act: Act) -> Stored[Organ]:
    """Give the organ with this code another name, other aliases, level or region; its succession stays.

    Raises ``NotFoundError``, ``RecordInvalidError``.
    """
    with acting(shop, act) as changes:
        found = changes.store.find_one(changes.connection, Organ, code=request.code)
        return put(changes, build(Organ, **{**dict(found.record), **_values(request)}), replaces=found)


def succeed(shop: Workshop, code: str, step: Succession, act: Act) -> Stored[Organ]:
    """Record that ``step.organ`` answers for the organ ``code`` from a day on; both records say so.

    Returns the predecessor. Raises ``NotFoundError``, ``RecordInvalidError``, :class:`ConflictError`
    ``succeeded-already``.
    """
    with acting(shop, act) as changes:
        predecessor = changes.store.find_one(changes.connection, Organ, code=code)
        successor = changes.store.find_one(changes.connection, Organ, code=step.organ)
        if predecessor.record.succeeded_by is not None:
            raise ConflictError(
                "succeeded-already",
                f"{code} 已由 {predecessor.record.succeeded_by.organ} 承继",
                f"{code} was succeeded by {predecessor.record.succeeded_by.organ} already",
            )
        back = Succession(organ=code, on=step.on, document=step.document)
        heir = build(Organ, **{**dict(successor.record), "succeeds": (*successor.record.succeeds, back)})
        gone = build(Organ, **{**dict(predecessor.record), "succeeded_by": step})
        put(changes, heir, replaces=successor, verb="succeeded_another")
        return put(changes, gone, replaces=predecessor, verb="succeeded")


def succession(organ: str, on: date, document: str) -> Succession:
    """One dated step of 机构改革. Raises ``RecordInvalidError``."""
    return build(Succession, organ=organ, on=on, document=document)


def register_key(shop: Workshop, code: str, request: KeyRequest, act: Act) -> Stored[OrganKey]:
    """Register the key with which the organ signs agreement terms.

    Raises ``NotFoundError``, ``EvidenceError`` ``key-unsuitable``, ``RecordInvalidError``.
    """
    with acting(shop, act) as changes:
        organ = changes.store.find_one(changes.connection, Organ, code=code).record.code
        values = key_values(changes, request, holder=organ)
        return put(changes, build(OrganKey, id=new_id("oky"), organ=organ, **values))


def end_key(shop: Workshop, key: str, act: Act) -> Stored[OrganKey]:
    """Let the key sign nothing from now on; what it signed stays signed. Raises ``TransitionError``."""
    with acting(shop, act) as changes:
        return end(changes, changes.store.get(changes.connection, OrganKey, key))


def _values(request: OrganRequest) -> dict[str, object]:
    return {
        "code": request.code,
        "legal_name": request.legal_name,
        "aliases": tuple(request.aliases),
        "level": request.level,
        "region": request.region,
    }
