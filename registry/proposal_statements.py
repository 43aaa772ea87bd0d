"""The two signed statements of two-person control, readable without a database and without a clock of their own.

A proposal names its content by digest; a decision names content and proposal by digest. Each is signed with the
person's own registered key, so what counts is who holds the keys, not who may log in somewhere. `docs/proposals.md`
tells the claims in words.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Annotated, Final, Generic, Self, TypeVar

from cryptography.hazmat.primitives.asymmetric import ec
from pydantic import StringConstraints, model_validator

from registry.errors import EvidenceError, RecordInvalidError
from registry.fields import Digest, OrganCode, RecordId, Text, UtcTime, VersionOne
from registry.persons import Person
from registry.proposals import LONGEST_LIFE, Choice, ProposalAction
from registry.record import Part, read
from registry.statements import FindKey, RegisteredKey, open_statement, sign_statement

PROPOSAL_TYP: Final = "yinxin-proposal+jws"
DECISION_TYP: Final = "yinxin-decision+jws"
CLOCK_SKEW: Final = timedelta(minutes=2)
"""How far a signer's clock may run ahead."""


class _Claims(Part):
    v: VersionOne
    id: RecordId  # of the proposal; the proposer draws it
    aud: Annotated[str, StringConstraints(min_length=1, max_length=200)]
    action: ProposalAction
    content_digest: Digest
    organ: OrganCode  # for which the person acts
    person: RecordId
    reason: Text
    made: UtcTime
    expires: UtcTime

    @model_validator(mode="after")
    def _lives_shortly(self) -> Self:
        if not timedelta(0) < self.expires - self.made <= LONGEST_LIFE:
            raise ValueError(
                "expires 须在 made 之后，且不超过 72 小时 / expires must be after made, by 72 hours at most"
            )
        return self


class ProposalClaims(_Claims):
    """What a proposer signs."""


class DecisionClaims(_Claims):
    """What the second person signs: the same of the proposal, its digest, and the choice."""

    proposal_digest: Digest
    decision: Choice


C = TypeVar("C", bound=_Claims)


@dataclass(frozen=True, slots=True, kw_only=True)
class Signed(Generic[C]):
    """Claims whose signature was checked: made with the named person's own key, for this installation."""

    claims: C
    key: RegisteredKey
    jws: str


def statement_digest(jws: str) -> str:
    """``sha256:<64 hex>`` of a compact JWS."""
    return "sha256:" + sha256(jws.encode()).hexdigest()


def sign_claims(claims: ProposalClaims | DecisionClaims, *, kid: str, key: ec.EllipticCurvePrivateKey) -> str:
    """The compact JWS, for the command that signs with a key on this machine."""
    typ = DECISION_TYP if isinstance(claims, DecisionClaims) else PROPOSAL_TYP
    return sign_statement(claims.model_dump(mode="json"), typ=typ, kid=kid, key=key)


def read_proposal(jws: str, find_key: FindKey, *, audience: str, now: datetime) -> Signed[ProposalClaims]:
    """Check a proposer's statement. ``audience`` is the log origin of this installation.

    Raises :class:`EvidenceError` with the codes of :func:`registry.statements.open_statement`,
    ``proposal-claims-invalid``, ``proposal-audience-wrong``, ``proposal-key-not-the-persons``,
    ``proposal-key-ended``, ``proposal-statement-expired`` or ``proposal-statement-early``.
    """
    return _read(ProposalClaims, jws, PROPOSAL_TYP, find_key, audience=audience, now=now)


def read_decision(jws: str, find_key: FindKey, *, audience: str, now: datetime) -> Signed[DecisionClaims]:
    """Check a second person's statement; raises as :func:`read_proposal`."""
    return _read(DecisionClaims, jws, DECISION_TYP, find_key, audience=audience, now=now)


def check_decides(decision: DecisionClaims, proposal: Signed[ProposalClaims]) -> None:
    """Raises :class:`EvidenceError` ``decision-of-another``, naming what differs, unless it decides this proposal."""
    first = proposal.claims
    expected = {name: getattr(first, name) for name in ("id", "aud", "action", "content_digest", "organ")}
    expected["proposal_digest"] = statement_digest(proposal.jws)
    wrong = sorted(name for name, value in expected.items() if getattr(decision, name) != value)
    if wrong:
        raise EvidenceError(
            "decision-of-another",
            f"决定所载 {'、'.join(wrong)} 与该提案不符",
            f"the decision is not about this proposal: {', '.join(wrong)} differ",
        )


def check_content(claims: ProposalClaims, digest: str) -> None:
    """Raises :class:`EvidenceError` ``proposal-other-content`` unless ``digest`` is what was signed."""
    if claims.content_digest != digest:
        raise EvidenceError(
            "proposal-other-content",
            f"签名所载内容摘要为 {claims.content_digest}，所交内容为 {digest}",
            f"the statement is over the content {claims.content_digest}, the content handed in is {digest}",
        )


def check_two_humans(first: Person, second: Person) -> None:
    """Raises :class:`EvidenceError` ``proposal-same-person``: two accounts of one human are one person."""
    if first.natural_person == second.natural_person:
        raise EvidenceError(
            "proposal-same-person",
            "提案与决定须由两名不同的自然人作出，现为同一人",
            "a proposal and its decision take two different humans, these are one",
        )


def _read(model: type[C], jws: str, typ: str, find_key: FindKey, *, audience: str, now: datetime) -> Signed[C]:
    opened = open_statement(jws, typ=typ, find_key=find_key)
    try:
        claims = read(model, opened.payload)
    except RecordInvalidError as error:
        raise EvidenceError("proposal-claims-invalid", error.zh, error.en) from error
    if claims.aud != audience:
        raise EvidenceError(
            "proposal-audience-wrong",
            f"声明发给 {claims.aud}，本系统为 {audience}",
            f"the statement is addressed to {claims.aud}, this installation is {audience}",
        )
    _check_key(claims, opened.key, now)
    _check_time(claims, now)
    return Signed(claims=claims, key=opened.key, jws=jws)


def _check_key(claims: _Claims, key: RegisteredKey, now: datetime) -> None:
    if key.kind != "person" or key.holder != claims.person:
        raise EvidenceError(
            "proposal-key-not-the-persons",
            f"密钥 {key.id} 属于 {key.holder}，声明人为 {claims.person}",
            f"key {key.id} belongs to {key.holder}, the statement names {claims.person}",
        )
    if not key.valid_at(now):
        raise EvidenceError(
            "proposal-key-ended",
            f"密钥 {key.id} 此时不在有效期内",
            f"key {key.id} is not valid at this time",
        )


def _check_time(claims: _Claims, now: datetime) -> None:
    if now >= claims.expires:
        raise EvidenceError(
            "proposal-statement-expired",
            f"声明已于 {claims.expires.isoformat()} 失效",
            f"the statement expired at {claims.expires.isoformat()}",
        )
    if claims.made > now + CLOCK_SKEW:
        raise EvidenceError(
            "proposal-statement-early",
            f"声明的作出时间 {claims.made.isoformat()} 在将来",
            f"the statement says it was made at {claims.made.isoformat()}, which is in the future",
        )
