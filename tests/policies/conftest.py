"""Two complete and allowed uses, from the seeds, to change one thing at a time."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from policies.decision import Finding
from policies.facts import (
    AgreementFacts,
    ApprovalFacts,
    CallerFacts,
    CertificateFacts,
    ConditionFacts,
    DocumentFacts,
    Facts,
    ItemFacts,
    ItemKey,
    LimitFacts,
    ManifestLine,
    OrganFacts,
    PersonFacts,
    RequestFacts,
    Role,
    RoleFacts,
    SealFacts,
    SetupFacts,
    Statement,
)
from policies.rulesets import decide

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
YEAR = timedelta(days=365)
DIGEST = "sha256:" + "ab" * 32

CITY_BUREAU = OrganFacts(
    code="11360700TEST00001X", legal_name="赣州市行政审批局", aliases=("市行政审批局",), region="360700"
)
COUNTY_BUREAU = OrganFacts(
    code="11360732TEST00002X", legal_name="兴国县行政审批局", aliases=("县行政审批局",), region="360732"
)
FORESTRY = OrganFacts(code="11360732TEST00003X", legal_name="兴国县林业局", aliases=("县林业局",), region="360732")
TOWNSHIP = OrganFacts(
    code="11360732TEST00004X", legal_name="兴国县兴江乡人民政府", aliases=("兴江乡",), region="360732201"
)


def _person(name: str, organ: str, role: Role) -> PersonFacts:
    return PersonFacts(
        id=f"per-{name}",
        natural_person=f"human-{name}",
        roles=(
            RoleFacts(
                role=role,
                organ=organ,
                valid_from=NOW - YEAR,
                valid_until=None,
                document="任命〔2025〕1号",
                on_behalf_of=None,
                behalf_leads=(),
            ),
        ),
    )


def _approval(request: RequestFacts, agreement: AgreementFacts, seal: SealFacts) -> ApprovalFacts:
    assert request.applicant
    assert request.document_number
    line = ManifestLine(
        digest=DIGEST,
        kind=request.document_kind,
        copy=request.copy,
        document_number=request.document_number,
        licence_number=request.licence_number,
        placement=request.placement,
    )
    return ApprovalFacts(
        id="apr-1",
        assurance="person_signed",
        evidence_valid=True,
        evidence_error=None,
        principal=_person("principal", agreement.grantee, "principal"),
        on_behalf_of=None,
        applicant=request.applicant,
        grantee=agreement.grantee,
        seal=seal.id,
        agreement=agreement.number,
        agreement_version=agreement.version,
        item=request.item,
        case_number=request.case_number,
        basis=request.basis,
        predecessor=request.predecessor,
        facts=request.facts,
        final=request.final,
        manifest=(line,),
        confirms=(),
        not_before=NOW - timedelta(hours=1),
        expires=NOW + timedelta(days=14),
        fresh_until=NOW + timedelta(days=13),
        used_by=None,
        system_attested_today=0,
    )


def _document(request: RequestFacts, *, item: str, issuer: str) -> DocumentFacts:
    values = {
        "item": item,
        "document_number": request.document_number,
        "licence_number": request.licence_number,
    }
    values |= {f"facts.{name}": str(value) for name, value in request.facts.items()}
    statements = tuple(
        Statement(name=name, value=value, found=True, confirmed=False)
        for name, value in values.items()
        if value is not None
    )
    return DocumentFacts(
        digest=DIGEST,
        pages=1,
        objections=(),
        statements=statements,
        issuer_line=issuer,
        issuer_confirmed=False,
    )


def _agreement(grantor: OrganFacts, grantee: OrganFacts, **rest: object) -> AgreementFacts:
    return AgreementFacts(
        version=1,
        state="in_force",
        grantor=grantor.code,
        grantee=grantee.code,
        valid_from=NOW - YEAR,
        valid_until=NOW + YEAR,
        signed_by=(grantor.code, grantee.code),
        weakest_assurance="person_signed",
        system_attested_daily_cap=None,
        filing_required=False,
        approval_working_days=10,
        issuer_required="internal",
        **rest,
    )


def _seal(agreement: AgreementFacts, name: str, number: int) -> SealFacts:
    return SealFacts(
        id=f"sea-{number}",
        owner=agreement.grantor,
        number=number,
        name=name,
        agreement=agreement.number,
        state="active",
        custodian=_person("custodian", agreement.grantee, "custodian"),
        daily_cap=None,
        used_today=0,
    )


def _facts(
    request: RequestFacts,
    agreement: AgreementFacts,
    *,
    grantor: OrganFacts,
    grantee: OrganFacts,
    **rest: object,
) -> Facts:
    item = rest["item"]
    assert isinstance(item, ItemFacts)
    seal = rest["seal"]
    assert isinstance(seal, SealFacts)
    return Facts(
        now=NOW,
        caller=CallerFacts(client="cli-platform", organs=(grantee.code,)),
        request=request,
        agreement=agreement,
        grantor=grantor,
        grantee=grantee,
        applicant=_person("user", grantee.code, "seal_user"),
        approval=_approval(request, agreement, seal),
        document=_document(request, item=item.aliases[0], issuer=grantor.legal_name),
        certificate=CertificateFacts(
            serial="1a2b", not_before=NOW - YEAR, not_after=NOW + YEAR, revoked=False, issuer="internal"
        ),
        number_conflicts=(),
        limits=LimitFacts(monthly_cap=None, used_this_month=None, hours=None, networks=()),
        **rest,
    )


@pytest.fixture
def city_county() -> Facts:
    """A licence for special equipment, [001 附件2] no. 30, sealed by the county's bureau for the city's."""
    key = ItemKey(list="001-2", number=30)
    request = RequestFacts(
        application="app-1",
        organ=COUNTY_BUREAU.code,
        applicant="per-user",
        item=key,
        case_number="2026112300017",
        document_kind="licence",
        copy="original",
        basis="new",
        predecessor=None,
        document_number="赣市行审特设〔2026〕17号",
        licence_number="容3LC赣B00017(26)",
        facts={},
        filing_number=None,
        final=True,
        placement='{"page":1,"x_mm":"150.0","y_mm":"240.0"}',
    )
    agreement = _agreement(
        CITY_BUREAU,
        COUNTY_BUREAU,
        number="agr-city-1",
        regime="city_county",
        relation="authorisation",
        items=(key, ItemKey(list="001-2", number=28)),
    )
    item = ItemFacts(
        key=key,
        name="特种设备使用登记",
        aliases=("特种设备使用登记证",),
        mode="substantive_review",
        document_kinds=("decision", "refusal", "licence"),
        licence_kinds=("licence",),
        implementing_organ=CITY_BUREAU.code,
        regions=None,
        condition=None,
        bases=None,
    )
    return _facts(
        request,
        agreement,
        grantor=CITY_BUREAU,
        grantee=COUNTY_BUREAU,
        setup=SetupFacts(regime="city_county", region="360732", number=12),
        seal=_seal(agreement, "赣州市行政审批局行政审批专用章（12）", 12),
        item=item,
    )


@pytest.fixture
def county_township() -> Facts:
    """A timber licence over 22.5 m³, [002 附件2] no. 12, sealed by the township for the forestry bureau."""
    key = ItemKey(list="002-2", number=12)
    request = RequestFacts(
        application="app-2",
        organ=TOWNSHIP.code,
        applicant="per-user",
        item=key,
        case_number="2026112300018",
        document_kind="licence",
        copy="original",
        basis="new",
        predecessor=None,
        document_number="兴林采决〔2026〕12号",
        licence_number="兴林采字〔2026〕0012号",
        facts={"volume_m3": "22.5", "trees": 150, "own_plot": True},
        filing_number=None,
        final=True,
        placement='{"keyword":"（盖章）"}',
    )
    agreement = _agreement(
        FORESTRY,
        TOWNSHIP,
        number="agr-county-1",
        regime="county_township",
        relation="entrustment",
        items=(key,),
    )
    item = ItemFacts(
        key=key,
        name="林木采伐许可证核发（农村居民自留山和个人承包集体林地）",
        aliases=("林木采伐许可证",),
        mode="no2_seal",
        document_kinds=("decision", "licence"),
        licence_kinds=("licence",),
        implementing_organ=FORESTRY.code,
        regions=("360732201", "360732100"),
        condition=ConditionFacts(expression="volume_m3 >= 15.0", outcome=True, error=None),
        bases=("new",),
    )
    return _facts(
        request,
        agreement,
        grantor=FORESTRY,
        grantee=TOWNSHIP,
        setup=SetupFacts(regime="county_township", region="360732201", number=11),
        seal=_seal(agreement, "兴国县林业局行政审批专用章（11）", 11),
        item=item,
    )


@pytest.fixture
def new_role() -> Callable[..., RoleFacts]:
    """``new_role(kind, **changes)``: a role at the county's bureau since yesterday, with its document."""

    def designated(kind: Role, **changes: object) -> RoleFacts:
        plain = RoleFacts(
            role=kind,
            organ=COUNTY_BUREAU.code,
            valid_from=NOW - timedelta(days=1),
            valid_until=None,
            document="授权书〔2026〕1号",
            on_behalf_of=None,
            behalf_leads=(),
        )
        return replace(plain, **changes)

    return designated


Change = Callable[..., Any]


def _set(value: object, path: list[str], new: object) -> object:
    name, *rest = path
    if isinstance(value, tuple):
        index = int(name)
        changed = _set(value[index], rest, new) if rest else new
        return (*value[:index], changed, *value[index + 1 :])
    return replace(value, **{name: _set(getattr(value, name), rest, new) if rest else new})


@pytest.fixture
def change() -> Change:
    """``change(facts, {"seal.state": "suspended"})``: a copy with some values replaced, by dotted path."""

    def changed(facts: Facts, changes: dict[str, Any]) -> Facts:
        for path, new in changes.items():
            facts = _set(facts, path.split("."), new)
        return facts

    return changed


@pytest.fixture
def find() -> Callable[[Facts, str], Finding]:
    """``find(facts, code)``: the finding of one rule of the current rule set."""

    def found(facts: Facts, code: str) -> Finding:
        (finding,) = [each for each in decide(facts).findings if each.code == code]
        return finding

    return found
