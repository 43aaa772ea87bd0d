"""The agreement as stored, and its life: drafted, signed by both organs, in force, amended, suspended, over.

`docs/life-cycles.md` holds the state table. Functions here take an agreement and give the next one; they
read no clock and write nothing. One record holds the terms in force and, while an amendment is being
signed, the pending terms; its id is the lineage that numbers and seals refer to.
"""

from datetime import datetime
from typing import Annotated, Any, Literal

from cryptography.hazmat.primitives.asymmetric import ec
from pydantic import Field

from ledger.canonical import canonical
from registry.agreement_terms import AgreementTerms, terms_digest
from registry.errors import EvidenceError, RecordInvalidError, TransitionError
from registry.fields import Digest, OrganCode, RecordId, Text, UtcTime
from registry.record import Part, Record, build
from registry.statements import FindKey, RegisteredKey, open_statement, sign_statement

TYP = "yinxin-agreement+jws"

AgreementState = Literal["draft", "in_force", "suspended", "ended", "recalled"]
AgreementChange = Literal["suspend", "resume", "end", "recall"]

_CHANGES: dict[AgreementChange, tuple[tuple[AgreementState, ...], AgreementState, str]] = {
    "suspend": (("in_force",), "suspended", "中止"),
    "resume": (("suspended",), "in_force", "恢复"),
    "end": (("draft", "in_force", "suspended"), "ended", "终止"),
    "recall": (("in_force", "suspended"), "recalled", "收回"),
}
"""Change: from which states, to which state, and its Chinese name."""

VERBS: dict[AgreementChange, str] = {
    "suspend": "suspended",
    "resume": "resumed",
    "end": "ended",
    "recall": "recalled",
}
"""Change: the verb of its ledger entry, ``agreement.<verb>``."""


class OrganSignature(Part):
    """An organ's signature over one version of the terms and the signed original."""

    organ: OrganCode
    key: RecordId
    jws: Annotated[str, Field(max_length=20_000)]
    attached_at: UtcTime


class AgreementVersion(Part):
    """One version: terms, the digest of the signed original (a scan or a file), the signatures so far."""

    number: Annotated[int, Field(ge=1)]
    terms: AgreementTerms
    original_digest: Digest
    signatures: tuple[OrganSignature, ...] = ()

    @property
    def signed_by(self) -> tuple[str, ...]:
        """Codes of the organs that signed this version."""
        return tuple(signature.organ for signature in self.signatures)

    @property
    def unsigned_by(self) -> tuple[str, ...]:
        """Codes of the two organs that have not signed yet."""
        return tuple(organ for organ in (self.terms.grantor, self.terms.grantee) if organ not in self.signed_by)


class Agreement(Record):
    """协议. ``current`` is in force, or was, or will be; ``pending`` is an amendment not in force yet.

    The id stays through all versions: it is the lineage that numbers and seals refer to.
    """

    state: AgreementState = "draft"
    current: AgreementVersion
    pending: AgreementVersion | None = None
    reason: Text | None = None  # of the last change of state
    in_force_since: UtcTime | None = None

    @property
    def terms(self) -> AgreementTerms:
        """The terms of the current version."""
        return self.current.terms

    @property
    def open_version(self) -> AgreementVersion | None:
        """The version that signatures can be attached to."""
        return self.current if self.state == "draft" else self.pending


def signature_payload(agreement: Agreement, version: AgreementVersion, organ: str) -> dict[str, Any]:
    """What an organ signs: docs/agreement-terms.md."""
    return {
        "v": 1,
        "agreement": agreement.id,
        "version": version.number,
        "terms_digest": terms_digest(version.terms),
        "original_digest": version.original_digest,
        "organ": organ,
    }


def sign_version(agreement: Agreement, organ: str, *, kid: str, key: ec.EllipticCurvePrivateKey) -> str:
    """The compact JWS of ``organ`` over the open version. Raises :class:`TransitionError` if none is open."""
    return sign_statement(signature_payload(agreement, _open(agreement), organ), typ=TYP, kid=kid, key=key)


def check_signature(agreement: Agreement, version: AgreementVersion, jws: str, find_key: FindKey) -> RegisteredKey:
    """Check a signature over ``version`` and give the organ key it was made with.

    Raises :class:`EvidenceError` with the codes of ``open_statement`` or ``agreement-signature-other-terms``,
    ``agreement-signature-other-organ``.
    """
    opened = open_statement(jws, typ=TYP, find_key=find_key)
    organ = opened.key.holder
    if opened.key.kind != "organ" or organ not in {version.terms.grantor, version.terms.grantee}:
        raise EvidenceError(
            "agreement-signature-other-organ",
            f"密钥 {opened.key.id} 不属于协议双方",
            f"key {opened.key.id} belongs to neither party of the agreement",
        )
    expected = signature_payload(agreement, version, organ)
    found = opened.payload
    if canonical(found) != canonical(expected):
        wrong = sorted(n for n in expected.keys() | found.keys() if n not in found or expected.get(n) != found[n])
        raise EvidenceError(
            "agreement-signature-other-terms",
            f"签名所载 {'、'.join(wrong)} 与本版协议不符",
            f"the signature is not over this version: {', '.join(wrong)} differ",
        )
    return opened.key


def attach_signature(agreement: Agreement, jws: str, find_key: FindKey, *, now: datetime) -> Agreement:
    """Attach an organ's signature to the open version.

    Raises :class:`EvidenceError` (see :func:`check_signature`; ``agreement-signature-key-expired``) and
    :class:`TransitionError` ``agreement-signed-already`` or ``agreement-nothing-to-sign``.
    """
    version = _open(agreement)
    key = check_signature(agreement, version, jws, find_key)
    if not key.valid_at(now):
        raise EvidenceError(
            "agreement-signature-key-expired",
            f"密钥 {key.id} 此时不在有效期内",
            f"key {key.id} is not valid at this time",
        )
    if key.holder in version.signed_by:
        raise TransitionError(
            "agreement-signed-already",
            f"{key.holder} 已签署本版",
            f"{key.holder} has signed this version already",
        )
    signature = OrganSignature(organ=key.holder, key=key.id, jws=jws, attached_at=now)
    signed = version.model_copy(update={"signatures": (*version.signatures, signature)})
    return agreement.model_copy(update={"current" if agreement.state == "draft" else "pending": signed})


def bring_into_force(agreement: Agreement, *, now: datetime) -> Agreement:
    """Put the open version in force: the draft, or the pending amendment (a suspension stays).

    Raises :class:`TransitionError` ``agreement-nothing-to-sign``, ``agreement-not-signed`` ("signed by
    both" is two signatures, not a flag) or ``agreement-period-over``.
    """
    version = _open(agreement)
    if version.unsigned_by:
        raise TransitionError(
            "agreement-not-signed",
            f"尚缺 {'、'.join(version.unsigned_by)} 的签名，双方签署后方可生效",
            f"the signature of {', '.join(version.unsigned_by)} is missing; both organs must sign first",
        )
    if now >= version.terms.period.valid_until:
        raise TransitionError(
            "agreement-period-over",
            f"协议期限已于 {version.terms.period.valid_until.isoformat()} 届满",
            f"the agreement's period ended at {version.terms.period.valid_until.isoformat()}",
        )
    state = "in_force" if agreement.state == "draft" else agreement.state
    return agreement.model_copy(update={"current": version, "pending": None, "state": state, "in_force_since": now})


def change_state(agreement: Agreement, change: AgreementChange, *, reason: str) -> Agreement:
    """Suspend, resume, end or recall. Raises :class:`TransitionError` ``agreement-change-refused``."""
    allowed, state, zh = _CHANGES[change]
    if agreement.state not in allowed:
        raise TransitionError(
            "agreement-change-refused",
            f"协议状态为 {agreement.state}，{zh}只能从 {'、'.join(allowed)} 进行",
            f"the agreement is {agreement.state}; {change} is possible from {', '.join(allowed)} only",
        )
    over = state in {"ended", "recalled"}
    pending = None if over else agreement.pending
    return build(Agreement, **{**dict(agreement), "state": state, "reason": reason, "pending": pending})


def amend(agreement: Agreement, terms: AgreementTerms, *, original_digest: str) -> Agreement:
    """Open an amendment: the next version, unsigned; the current one stays as it is until then.

    The parties, the number and the regime stay; another grantee is another agreement. Raises
    :class:`TransitionError` ``agreement-change-refused`` and :class:`RecordInvalidError`
    ``agreement-other-parties``.
    """
    if agreement.state not in {"in_force", "suspended"}:
        raise TransitionError(
            "agreement-change-refused",
            f"协议状态为 {agreement.state}，变更只能从 in_force、suspended 进行",
            f"the agreement is {agreement.state}; amend is possible from in_force, suspended only",
        )
    fixed = ("number", "regime", "grantor", "grantee")
    changed = [name for name in fixed if getattr(terms, name) != getattr(agreement.terms, name)]
    if changed:
        raise RecordInvalidError(
            "agreement-other-parties",
            f"变更不得改动 {'、'.join(changed)}；须另签协议",
            f"an amendment cannot change {', '.join(changed)}; that is another agreement",
        )
    number = agreement.current.number + 1
    version = build(AgreementVersion, number=number, terms=terms, original_digest=original_digest)
    return agreement.model_copy(update={"pending": version})


def _open(agreement: Agreement) -> AgreementVersion:
    version = agreement.open_version
    if version is None:
        raise TransitionError(
            "agreement-nothing-to-sign",
            f"协议状态为 {agreement.state}，没有待签署的版本",
            f"the agreement is {agreement.state} and has no version that waits for signatures",
        )
    return version
