"""What a decision is made from: plain values, gathered before, never fetched by a rule.

A fact that could not be had is ``None`` and fails the rules that need it. Every class turns into
restricted JSON and back (:func:`to_json`, :func:`from_json`), because a decision is stored with all of
its inputs and can be made again later.
"""

from dataclasses import MISSING, dataclass, fields, is_dataclass
from datetime import datetime
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

Value = str | bool | int
"""A declared fact: text, truth or whole number. A decimal number is text ("22.5")."""

Regime = Literal["city_county", "county_township"]
Relation = Literal["authorisation", "entrustment"]
Assurance = Literal["person_signed", "system_attested"]
Role = Literal["principal", "acting_principal", "deputy", "seal_user", "custodian"]
DocumentKind = Literal["decision", "refusal", "notice", "licence", "filing", "other"]
Basis = Literal["new", "change", "renewal", "replacement", "cancellation"]
DelegationMode = Literal["direct", "substantive_review", "window_forward", "no2_seal", "assisted", "system_extension"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemKey:
    """An item is identified by list and number, never by name."""

    list: str
    number: int


@dataclass(frozen=True, slots=True, kw_only=True)
class OrganFacts:
    """An organ as registered now."""

    code: str  # 统一社会信用代码, 18 characters
    legal_name: str
    aliases: tuple[str, ...]
    region: str  # GB/T 2260 code; for a township its 9-digit statistical code


@dataclass(frozen=True, slots=True, kw_only=True)
class SetupFacts:
    """The row of the setup table for the grantee's region [000 附件] / [002 附件3-1]."""

    regime: Regime
    region: str
    number: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Period:
    """From a moment, which is part of it, until another, which is not, or until further notice."""

    valid_from: datetime
    valid_until: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RoleFacts:
    """One role of a person at an organ for a period, with the document that designates them."""

    role: Role
    organ: str
    valid_from: datetime
    valid_until: datetime | None
    document: str | None  # reference of the designating document; 授权书 for a deputy
    on_behalf_of: str | None  # natural person whom a deputy acts for
    behalf_leads: tuple[Period, ...]  # when that person was principal or acting principal of this organ


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonFacts:
    """A person; ``natural_person`` is the same for every account of one human."""

    id: str
    natural_person: str
    roles: tuple[RoleFacts, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class AgreementFacts:
    """The agreement version that the request rests on."""

    number: str
    version: int
    regime: Regime
    relation: Relation
    state: Literal["draft", "in_force", "suspended", "ended", "recalled"]
    grantor: str
    grantee: str
    items: tuple[ItemKey, ...]
    valid_from: datetime
    valid_until: datetime
    signed_by: tuple[str, ...]  # codes of the organs whose registered key signed these terms
    weakest_assurance: Assurance
    system_attested_daily_cap: int | None
    filing_required: bool
    approval_working_days: int
    issuer_required: Literal["internal", "licensed"]


@dataclass(frozen=True, slots=True, kw_only=True)
class SealFacts:
    """The seal asked for."""

    id: str
    owner: str  # organ code of the grantor
    number: int
    name: str
    agreement: str
    state: Literal["pending", "active", "suspended", "cancelled", "destroyed"]
    custodian: PersonFacts | None
    daily_cap: int | None
    used_today: int  # impressions today plus intents that are alive


@dataclass(frozen=True, slots=True, kw_only=True)
class HoursFacts:
    """When a seal may be used, ``HH:MM`` in Beijing, and what the calendar knows of one day."""

    opens: str
    closes: str  # not part of the hours
    working_days_only: bool
    day: str  # the day in Beijing that ``working_day`` is about, YYYY-MM-DD
    working_day: bool | None  # None: the calendar does not know that year


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitFacts:
    """The limits set for a seal, and what they are compared with."""

    monthly_cap: int | None
    used_this_month: int | None  # as ``used_today``, for the month in Beijing; None: not counted
    hours: HoursFacts | None
    networks: tuple[str, ...]  # CIDR; none means from anywhere


@dataclass(frozen=True, slots=True, kw_only=True)
class ConditionFacts:
    """An item's own condition and what came out for the declared facts; anything but True refuses."""

    expression: str
    outcome: bool | None
    error: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemFacts:
    """The catalogue row in force now."""

    key: ItemKey
    name: str
    aliases: tuple[str, ...]
    mode: DelegationMode
    document_kinds: tuple[DocumentKind, ...]
    licence_kinds: tuple[DocumentKind, ...]  # kinds that carry a licence number
    implementing_organ: str | None  # organ code; None when the catalogue's name is not registered
    regions: tuple[str, ...] | None  # region codes it is open to now; None means all
    condition: ConditionFacts | None
    bases: tuple[Basis, ...] | None  # None means every basis


@dataclass(frozen=True, slots=True, kw_only=True)
class CallerFacts:
    """The machine client that calls."""

    client: str
    organs: tuple[str, ...]  # organ codes it may act for
    address: str | None = None  # where it calls from; None when that is not known, as at the console


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestFacts:
    """What is asked for, as given."""

    application: str  # opaque id
    organ: str | None
    applicant: str | None
    item: ItemKey
    case_number: str
    document_kind: DocumentKind
    copy: str  # "original" or "duplicate 1", "duplicate 2", …
    basis: Basis
    predecessor: str | None  # number of the document or licence this one follows
    document_number: str | None
    licence_number: str | None
    facts: dict[str, Value]
    filing_number: str | None
    final: bool
    placement: str  # canonical JSON of the placement


@dataclass(frozen=True, slots=True, kw_only=True)
class ManifestLine:
    """One document that an approval covers."""

    digest: str  # "sha256:" and 64 hex digits
    kind: DocumentKind
    copy: str
    document_number: str
    licence_number: str | None
    placement: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ApprovalFacts:
    """The approval evidence after its signature was checked against a registered key."""

    id: str
    assurance: Assurance
    evidence_valid: bool
    evidence_error: str | None
    principal: PersonFacts | None
    on_behalf_of: str | None  # natural person the approver says to act for
    applicant: str
    grantee: str
    seal: str
    agreement: str
    agreement_version: int
    item: ItemKey
    case_number: str
    basis: Basis
    predecessor: str | None
    facts: dict[str, Value]
    final: bool
    manifest: tuple[ManifestLine, ...]
    confirms: tuple[str, ...]  # names of values the approver confirms by eye
    not_before: datetime
    expires: datetime
    fresh_until: datetime  # not_before plus the agreement's working days
    used_by: str | None  # another application that consumed it
    system_attested_today: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """A value the document must state, and whether its text does or the approver confirms it."""

    name: str  # "item", "document_number", "licence_number" or "facts.<name>"
    value: str
    found: bool
    confirmed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Objection:
    """Why a PDF cannot be sealed as it is; ``code`` is from ``signer.examine``."""

    code: str
    zh: str
    en: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentFacts:
    """The PDF as examined."""

    digest: str
    pages: int
    objections: tuple[Objection, ...]
    statements: tuple[Statement, ...]
    issuer_line: str | None  # 落款: the name that stands over the date line
    issuer_confirmed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class NumberConflict:
    """A number already in use within (grantor, agreement lineage, kind, copy)."""

    name: Literal["document_number", "licence_number"]
    value: str
    used_by: str  # application id or case number


@dataclass(frozen=True, slots=True, kw_only=True)
class CertificateFacts:
    """The certificate of the seal's key."""

    serial: str
    not_before: datetime
    not_after: datetime
    revoked: bool
    issuer: Literal["internal", "licensed"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """Everything the rules may look at."""

    now: datetime
    caller: CallerFacts
    request: RequestFacts
    agreement: AgreementFacts | None
    grantor: OrganFacts | None
    grantee: OrganFacts | None
    setup: SetupFacts | None
    seal: SealFacts | None
    item: ItemFacts | None
    applicant: PersonFacts | None
    approval: ApprovalFacts | None
    document: DocumentFacts | None
    certificate: CertificateFacts | None
    number_conflicts: tuple[NumberConflict, ...] | None  # None: uniqueness could not be checked
    limits: LimitFacts | None = None


def to_json(value: Any) -> Any:  # noqa: ANN401  the shape follows the dataclass
    """Turn facts into restricted JSON: objects, arrays, text, truth, whole numbers and null.

    A field with a default was added later. It is left out while it holds that default, so that facts recorded before
    keep their form.
    """
    if is_dataclass(value):
        members = ((field, getattr(value, field.name)) for field in fields(value))
        return {field.name: to_json(member) for field, member in members if member != field.default}
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, tuple):
        return [to_json(each) for each in value]
    if isinstance(value, dict):
        return {name: to_json(each) for name, each in value.items()}
    return value


def from_json(kind: Any, value: Any) -> Any:  # noqa: ANN401  the shape follows the dataclass
    """Turn restricted JSON back into ``kind``. Raises ``KeyError``, ``TypeError`` or ``ValueError``."""
    if is_dataclass(kind) and isinstance(kind, type):
        hints = get_type_hints(kind)
        given = [each for each in fields(kind) if each.default is MISSING or each.name in value]
        return kind(**{field.name: from_json(hints[field.name], value[field.name]) for field in given})
    origin, arguments = get_origin(kind), get_args(kind)
    if origin in {Union, UnionType}:
        return _one_of_from_json(arguments, value)
    if kind is datetime:
        return datetime.fromisoformat(value)
    if origin is tuple:
        return tuple(from_json(arguments[0], each) for each in value)
    if origin is dict:
        return {name: from_json(arguments[1], each) for name, each in value.items()}
    return value


def _one_of_from_json(kinds: tuple[Any, ...], value: Any) -> Any:  # noqa: ANN401  the shape follows the dataclass
    rest = [each for each in kinds if each is not NoneType]
    return value if value is None or len(rest) > 1 else from_json(rest[0], value)
