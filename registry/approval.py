"""The approval statement: what a principal approved, signed, readable without a database.

`docs/approval-statement.md` tells the claims in words. A statement binds everything a seal use is made
of, so it cannot be used for another document, seal, item, number, agreement version or
installation. Who vouches follows from the registered key: a person's own key makes it ``person_signed``,
an approval system's approval key ``system_attested``.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Annotated, Any, Self

from cryptography.hazmat.primitives.asymmetric import ec
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError, model_validator

from ledger.canonical import canonical
from policies.facts import Assurance, Basis, DocumentKind
from registry.errors import EvidenceError
from registry.fields import Digest, Name, OrganCode, RecordId, Text, UtcTime, VersionOne
from registry.statements import FindKey, RegisteredKey, open_statement, sign_statement

TYP = "yinxin-approval+jws"

_STRICT = ConfigDict(strict=True, frozen=True, extra="forbid")
_Copy = Annotated[str, StringConstraints(pattern=r"^(original|duplicate [1-9][0-9]?)$")]
_FactName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,63}$")]
_Fact = Text | bool | Annotated[int, Field(ge=-(2**53) + 1, le=2**53 - 1)]


class ApprovalEvidenceError(EvidenceError):
    """The approval statement cannot be accepted as evidence."""


class ApprovedItem(BaseModel):
    """The item, by list and number."""

    model_config = _STRICT

    list: Name
    number: Annotated[int, Field(ge=1, le=9999)]


class ApprovedDocument(BaseModel):
    """One line of the manifest: one PDF, by digest, with its kind, copy, numbers and placement."""

    model_config = _STRICT

    digest: Digest
    kind: DocumentKind
    copy_: Annotated[_Copy, Field(alias="copy")]
    document_number: Name
    licence_number: Name | None
    placement: Annotated[str, StringConstraints(min_length=2, max_length=2000)]


class ApprovalClaims(BaseModel):
    """The claims, version 1."""

    model_config = _STRICT

    v: VersionOne
    id: RecordId
    aud: Annotated[str, StringConstraints(min_length=1, max_length=200)]
    not_before: UtcTime
    expires: UtcTime
    grantee: OrganCode
    seal: RecordId
    agreement: Name
    agreement_version: Annotated[int, Field(ge=1, le=100_000)]
    item: ApprovedItem
    case_number: Name
    basis: Basis
    predecessor: Name | None
    facts: dict[_FactName, _Fact]
    final: bool
    applicant: RecordId
    principal: RecordId
    on_behalf_of: RecordId | None
    manifest: Annotated[tuple[ApprovedDocument, ...], Field(min_length=1, max_length=100)]
    confirms: Annotated[tuple[Name, ...], Field(max_length=100)]

    @model_validator(mode="after")
    def _runs_forward(self) -> Self:
        if self.not_before >= self.expires:
            raise ValueError("not_before 须早于 expires / not_before must be before expires")
        return self

    @model_validator(mode="after")
    def _each_document_once(self) -> Self:
        digests = [line.digest for line in self.manifest]
        if len(set(digests)) != len(digests):
            raise ValueError("清单中同一文件出现两次 / a document stands twice in the manifest")
        return self


@dataclass(frozen=True, slots=True, kw_only=True)
class ApprovalStatement:
    """A statement that was signed by a registered key for this installation."""

    claims: ApprovalClaims
    assurance: Assurance
    key: RegisteredKey
    jws: str

    @property
    def digest(self) -> str:
        """``sha256:…`` of the compact JWS, as entries and receipts name it."""
        return "sha256:" + sha256(self.jws.encode()).hexdigest()

    @property
    def confirms(self) -> Sequence[str]:
        """Names of the values the approver confirms by eye."""
        return self.claims.confirms


def read_statement(jws: str, find_key: FindKey, *, audience: str) -> ApprovalStatement:
    """Check a compact JWS and give its claims. No database, no clock: times are judged by the rules.

    ``audience`` is the log origin of this installation. Raises :class:`ApprovalEvidenceError` with the
    codes of :func:`registry.statements.open_statement`, ``approval-claims-invalid``,
    ``approval-audience-wrong`` or ``approval-key-not-the-principals``.
    """
    try:
        opened = open_statement(jws, typ=TYP, find_key=find_key)
    except EvidenceError as error:
        raise ApprovalEvidenceError(error.code, error.zh, error.en) from error
    claims = _claims(opened.payload)
    if claims.aud != audience:
        raise ApprovalEvidenceError(
            "approval-audience-wrong",
            f"批准声明发给 {claims.aud}，本系统为 {audience}",
            f"the approval is addressed to {claims.aud}, this installation is {audience}",
        )
    return ApprovalStatement(claims=claims, assurance=_assurance(opened.key, claims), key=opened.key, jws=jws)


def make_statement(claims: ApprovalClaims, *, kid: str, key: ec.EllipticCurvePrivateKey) -> str:
    """Sign ``claims`` with the key registered under ``kid``: for approval systems and the command."""
    return sign_statement(claims.model_dump(mode="json", by_alias=True), typ=TYP, kid=kid, key=key)


def _claims(payload: dict[str, Any]) -> ApprovalClaims:
    try:
        return ApprovalClaims.model_validate_json(canonical(payload))
    except ValidationError as error:
        where = "; ".join(f"{'.'.join(map(str, each['loc'])) or 'claims'}: {each['msg']}" for each in error.errors())
        raise ApprovalEvidenceError(
            "approval-claims-invalid",
            f"批准声明内容不合格：{where}",
            f"the claims are not acceptable: {where}",
        ) from error


def _assurance(key: RegisteredKey, claims: ApprovalClaims) -> Assurance:
    if key.kind == "client":
        return "system_attested"
    if key.kind == "person" and key.holder == claims.principal:
        return "person_signed"
    raise ApprovalEvidenceError(
        "approval-key-not-the-principals",
        f"密钥 {key.id} 属于 {key.holder}，批准人为 {claims.principal}",
        f"key {key.id} belongs to {key.holder}, the statement names {claims.principal} as principal",
    )
