"""The No. 2 seal: whose it is, what it is called, and its life from engraving to destruction.

`docs/life-cycles.md` holds the state table. Every change has a reason, a person, a time and a slot for the
备案 filing number, which the filing authority gives later. "Revoked" is said of certificates only.
"""

from datetime import datetime
from typing import Annotated, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from policies.facts import SetupFacts
from registry.agreements import Agreement
from registry.errors import ConflictError, RecordInvalidError, TransitionError
from registry.fields import Digest, Millimetres, Name, OrganCode, RecordId, Text, UtcTime
from registry.organs import Organ
from registry.record import Part, Record, build
from registry.seal_limits import ChosenLimits, SealLimits

SealState = Literal["pending", "active", "suspended", "cancelled", "destroyed"]
SealChange = Literal["enable", "suspend", "resume", "cancel", "destroy"]
SealLevel = Literal["PAdES-B-B", "PAdES-B-T", "PAdES-B-LT", "PAdES-B-LTA"]
"""Baseline levels of a signature, weakest first (ETSI EN 319 142-1 6): signed; time-stamped; with the certificates and
revocation data that judge it; with an archive time-stamp over all of that."""
CheckMark = Literal["none", "code", "qr"]
"""What stands beside the face: nothing, the check code, or the code with its picture."""

_CHANGES: dict[SealChange, tuple[tuple[SealState, ...], SealState, str]] = {
    "enable": (("pending",), "active", "启用"),
    "suspend": (("active",), "suspended", "停用"),
    "resume": (("suspended",), "active", "恢复"),
    "cancel": (("pending", "active", "suspended"), "cancelled", "注销"),
    "destroy": (("cancelled",), "destroyed", "销毁"),
}
"""Change: from which states, to which state, and its Chinese name."""

VERBS: dict[SealChange, str] = {
    "enable": "enabled",
    "suspend": "suspended",
    "resume": "resumed",
    "cancel": "cancelled",
    "destroy": "destroyed",
}
"""Change: the verb of its ledger entry, ``seal.<verb>``."""


class Specimen(Part):
    """印模: what the face is drawn from. ``imprint`` is the digest of the registered imprint, if any."""

    diameter_mm: Millimetres = "42"
    sample: bool
    imprint: Digest | None = None

    @model_validator(mode="after")
    def _no_larger_than_an_official_seal(self) -> Self:
        # 国发〔1999〕25号: 4.5 cm is the official seal of a county; a special-purpose seal stays within it.
        if not 20 <= float(self.diameter_mm) <= 45:  # noqa: PLR2004  the two bounds of the sentence above
            raise ValueError(f"直径应为 20 至 45 毫米 / the diameter must be 20 to 45 mm, found {self.diameter_mm}")
        return self


class Filing(Part):
    """One state change and its 备案 slot."""

    state: SealState
    time: UtcTime
    reason: Text
    person: RecordId
    filing_number: Name | None


class Seal(Record):
    """2号章, unique by owner and number while it is not cancelled."""

    owner: OrganCode
    number: Annotated[int, Field(ge=1, le=9999)]
    name: Annotated[str, StringConstraints(pattern=r"^\p{Han}{4,80}（[1-9][0-9]{0,3}）$")]
    agreement: RecordId  # of the agreement, kept through all its versions
    specimen: Specimen
    custodian: RecordId | None
    daily_cap: Annotated[int, Field(ge=1, le=1_000_000)] | None
    state: SealState = "pending"
    filings: tuple[Filing, ...] = ()
    level: SealLevel = "PAdES-B-LT"
    may_lower: bool = False  # whether a level that cannot be had may be lowered, openly, instead of stopping
    check_mark: CheckMark = "qr"
    limits: SealLimits = SealLimits()
    suspended_with_agreement: bool = False  # by its agreement's change alone: what resumes that resumes the seal

    @model_validator(mode="after")
    def _suspended_rightly(self) -> Self:
        if self.suspended_with_agreement and self.state != "suspended":
            raise ValueError("随协议停用的印章状态须为 suspended / a seal stopped with its agreement is suspended")
        return self

    @property
    def takes_its_number(self) -> bool:
        """Whether no other seal of this owner may have the number."""
        return self.state not in {"cancelled", "destroyed"}

    @property
    def all_limits(self) -> ChosenLimits:
        """The limits with the daily number among them, as they are chosen."""
        return ChosenLimits(daily_cap=self.daily_cap, **dict(self.limits))


def seal_name(grantor: Organ, number: int) -> str:
    """The grantor's legal name, 行政审批专用章 and （number） [000 附件], [002 附件3-1]."""
    return f"{grantor.legal_name}行政审批专用章（{number}）"


def check_fit(seal: Seal, agreement: Agreement, *, grantor: Organ, setup: SetupFacts | None) -> None:
    """Check that a new seal is the one the setup table foresees for this agreement.

    ``grantor`` is the organ the agreement names, ``setup`` the row for the grantee's region. Raises
    :class:`RecordInvalidError` ``seal-does-not-fit``, naming each thing found and expected.
    """
    number = None if setup is None else setup.number
    wrong = [
        (f"{zh}应为 {expected}，实为 {found}", f"{en} should be {expected}, found {found}")
        for zh, en, found, expected in (
            ("协议", "agreement", seal.agreement, agreement.id),
            ("所有单位", "owner", seal.owner, agreement.terms.grantor),
            ("授权单位", "grantor", grantor.code, agreement.terms.grantor),
            ("编号", "number", seal.number, number),
            ("名称", "name", seal.name, seal_name(grantor, seal.number)),
            ("状态", "state", seal.state, "pending"),
        )
        if found != expected
    ]
    if wrong:
        raise RecordInvalidError(
            "seal-does-not-fit",
            f"印章与设置表或协议不符：{'；'.join(zh for zh, _ in wrong)}",
            f"the seal does not fit setup table or agreement: {'; '.join(en for _, en in wrong)}",
        )


def change_state(seal: Seal, change: SealChange, *, reason: str, person: str, now: datetime) -> Seal:
    """The seal after ``change``.

    A seal that stands still with its agreement only can be suspended for a reason of its own: then it stays so when
    the agreement is resumed. Raises :class:`TransitionError` ``seal-change-refused``, naming the states expected, or
    ``seal-has-no-custodian``.
    """
    allowed, state, zh = _CHANGES[change]
    if seal.state not in allowed and not (change == "suspend" and seal.suspended_with_agreement):
        raise TransitionError(
            "seal-change-refused",
            f"印章状态为 {seal.state}，{zh}只能从 {'、'.join(allowed)} 进行",
            f"the seal is {seal.state}; {change} is possible from {', '.join(allowed)} only",
        )
    if change in {"enable", "resume"} and seal.custodian is None:
        raise TransitionError(
            "seal-has-no-custodian",
            f"印章没有保管人，不能{zh}；须先指定专人保管",
            f"the seal has no custodian; one must be named before {change}",
        )
    filing = build(Filing, state=state, time=now, reason=reason, person=person, filing_number=None)
    changed = {"state": state, "filings": (*seal.filings, filing), "suspended_with_agreement": False}
    return build(Seal, **{**dict(seal), **changed})


def suspend_with_agreement(seal: Seal, *, reason: str, person: str, now: datetime) -> Seal:
    """The active seal of an agreement that holds no longer. Raises :class:`TransitionError`."""
    stopped = change_state(seal, "suspend", reason=reason, person=person, now=now)
    return build(Seal, **{**dict(stopped), "suspended_with_agreement": True})


def fill_filing(seal: Seal, position: int, filing_number: str) -> Seal:
    """Fill an empty slot. Raises :class:`RecordInvalidError`, :class:`ConflictError`."""
    if not 0 <= position < len(seal.filings):
        raise RecordInvalidError(
            "filing-slot-unknown",
            f"印章有 {len(seal.filings)} 个备案栏，没有第 {position + 1} 个",
            f"the seal has {len(seal.filings)} filing slots, there is no slot {position + 1}",
        )
    slot = seal.filings[position]
    if slot.filing_number is not None:
        raise ConflictError(
            "filing-slot-filled",
            f"第 {position + 1} 个备案栏已填 {slot.filing_number}",
            f"filing slot {position + 1} already holds {slot.filing_number}",
        )
    filled = build(Filing, **{**dict(slot), "filing_number": filing_number})
    return seal.model_copy(update={"filings": (*seal.filings[:position], filled, *seal.filings[position + 1 :])})
