"""What both organs sign: every part that [000 二(一)] (or [002 附件3 二.1]) demands of the written agreement.

`docs/agreement-terms.md` tells the same in words. The digest of the canonical terms is what the organs'
keys sign and what the seal's certificate carries, so fields are only ever added with a new ``v``.
"""

from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from ledger.canonical import canonical, digest
from ledger.errors import NotCanonicalError
from policies.facts import Assurance, Regime, Relation
from registry.errors import RegistryError
from registry.fields import Name, OrganCode, Text, UtcTime, VersionOne

TERMS_DOMAIN = "yinxin/agreement-terms/v1"

_STRICT = ConfigDict(strict=True, frozen=True, extra="forbid")
_Clauses = Annotated[tuple[Text, ...], Field(min_length=1)]

_PARTS: dict[str, tuple[str, str]] = {
    "legal_basis": ("用章依据", "legal basis"),
    "scope": ("用章范围", "scope of use"),
    "items": ("适用事项", "items"),
    "authority": ("权限", "authority"),
    "period": ("期限", "period"),
    "grantor_rights": ("授权（委托）方权利", "rights of the grantor"),
    "grantor_duties": ("授权（委托）方义务", "duties of the grantor"),
    "grantee_rights": ("承接方权利", "rights of the grantee"),
    "grantee_duties": ("承接方义务", "duties of the grantee"),
    "liability": ("法律责任", "liability"),
}
"""The parts the clause names, in its order."""

_CLAUSES = {"city_county": "[000 二(一)]", "county_township": "[002 附件3 二.1]"}


class LegalBasis(BaseModel):
    """One text the use of the seal rests on, e.g. 赣市府办发〔2023〕… and the clause in it."""

    model_config = _STRICT

    title: Text
    document_number: Name | None = None
    clause: Name | None = None


class ItemReference(BaseModel):
    """An item by list and number, never by name."""

    model_config = _STRICT

    list: Name
    number: Annotated[int, Field(ge=1, le=9999)]


class Period(BaseModel):
    """From the first moment to the first moment no longer covered."""

    model_config = _STRICT

    valid_from: UtcTime
    valid_until: UtcTime

    @model_validator(mode="after")
    def _runs_forward(self) -> Self:
        if self.valid_from >= self.valid_until:
            raise ValueError("期限的起始须早于终止 / the period must begin before it ends")
        return self


class Signatory(BaseModel):
    """The person who signs the paper for an organ, with the office they hold."""

    model_config = _STRICT

    name: Name
    office: Name


class Signatories(BaseModel):
    """Who signs for each side."""

    model_config = _STRICT

    grantor: Signatory
    grantee: Signatory


class AgreementTerms(BaseModel):
    """The terms of one version of an agreement."""

    model_config = _STRICT

    v: VersionOne
    number: Name
    regime: Regime
    relation: Relation
    grantor: OrganCode
    grantee: OrganCode
    users: Annotated[tuple[OrganCode, ...], Field(min_length=1)]
    legal_basis: Annotated[tuple[LegalBasis, ...], Field(min_length=1)]
    scope: Text
    items: Annotated[tuple[ItemReference, ...], Field(min_length=1)]
    authority: Text
    period: Period
    grantor_rights: _Clauses
    grantor_duties: _Clauses
    grantee_rights: _Clauses
    grantee_duties: _Clauses
    liability: Text
    signatories: Signatories
    announcement: Text
    weakest_assurance: Assurance
    system_attested_daily_cap: Annotated[int, Field(ge=1, le=100_000)] | None
    filing_required: bool
    approval_working_days: Annotated[int, Field(ge=1, le=60)]
    issuer_required: Literal["internal", "licensed"]

    @model_validator(mode="after")
    def _two_organs_and_no_third(self) -> Self:
        if self.grantor == self.grantee:
            raise ValueError("授权（委托）方与承接方须为不同单位 / grantor and grantee must be two organs")
        if self.users != (self.grantee,):
            # 严禁再行委托 [000 三(二)5], [002 附件3 三(二)5]
            raise ValueError(
                f"用章单位只能是承接方 {self.grantee}，实为 {'、'.join(self.users)} / "
                f"the only user may be the grantee {self.grantee}, found {', '.join(self.users)}"
            )
        return self

    @model_validator(mode="after")
    def _items_once_and_cap_where_needed(self) -> Self:
        keys = [(item.list, item.number) for item in self.items]
        twice = sorted({f"{list_} {number}" for list_, number in keys if keys.count((list_, number)) > 1})
        if twice:
            raise ValueError(f"事项重复：{'、'.join(twice)} / items named twice: {', '.join(twice)}")
        if (self.weakest_assurance == "system_attested") != (self.system_attested_daily_cap is not None):
            raise ValueError(
                "接受系统代证时须约定每日上限，不接受时不得约定 / "
                "a daily cap is given exactly when system_attested approvals are accepted"
            )
        return self


class AgreementTermsError(RegistryError):
    """The terms are not complete or not right. ``parts`` names the fields, ``clause`` what demands them."""

    def __init__(self, code: str, zh: str, en: str, *, parts: tuple[str, ...], clause: str) -> None:
        """As :class:`RegistryError`, with the fields at fault and the clause."""
        super().__init__(code, zh, en)
        self.parts = parts
        self.clause = clause


def read_terms(value: Any) -> AgreementTerms:  # noqa: ANN401  a parsed JSON object, judged here
    """Read terms from parsed JSON.

    Raises :class:`AgreementTermsError`: ``agreement-part-missing`` names every absent or empty part that
    [000 二(一)] / [002 附件3 二.1] demands; ``agreement-terms-invalid`` anything else.
    """
    regime = value.get("regime") if isinstance(value, dict) else None
    clause = _CLAUSES.get(str(regime), "[000 二(一)]")
    missing = tuple(part for part in _PARTS if isinstance(value, dict) and value.get(part) in (None, "", [], {}, ()))
    if missing:
        raise AgreementTermsError(
            "agreement-part-missing",
            f"协议缺少：{'、'.join(_PARTS[part][0] for part in missing)}（{clause} 要求）",
            f"the agreement lacks: {', '.join(_PARTS[part][1] for part in missing)} (demanded by {clause})",
            parts=missing,
            clause=clause,
        )
    try:
        return AgreementTerms.model_validate_json(canonical(value))
    except ValidationError as error:
        raise _invalid(error, clause) from error
    except NotCanonicalError as error:
        raise AgreementTermsError(
            "agreement-terms-invalid", error.zh, error.en, parts=("terms",), clause=clause
        ) from error


def _invalid(error: ValidationError, clause: str) -> AgreementTermsError:
    problems = [(".".join(str(step) for step in each["loc"]) or "terms", each["msg"]) for each in error.errors()]
    detail = "; ".join(f"{where}: {what}" for where, what in problems)
    parts = tuple(where.split(".", maxsplit=1)[0] for where, _ in problems)
    return AgreementTermsError(
        "agreement-terms-invalid",
        f"协议条款不合格：{detail}",
        f"the terms are not acceptable: {detail}",
        parts=parts,
        clause=clause,
    )


def terms_digest(terms: AgreementTerms) -> str:
    """``sha256:…`` over the canonical terms with the domain label ``yinxin/agreement-terms/v1``."""
    return digest(TERMS_DOMAIN, terms.model_dump(mode="json"))
