"""Records that fit together: 兴国县行政审批局 lends 潋江镇 its seal no. 35; codes and persons are invented."""

from base64 import b64encode
from datetime import UTC, date, datetime, timedelta
from functools import cache
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from ledger.ids import new_id
from registry.agreement_terms import AgreementTerms, read_terms
from registry.agreements import Agreement, AgreementVersion
from registry.approval import ApprovalClaims
from registry.calendar import CalendarDay, calendar_day_id
from registry.clients import Client, ClientApprovalKey
from registry.document_status import DocumentStatus, StatusChange, change_status
from registry.natural_person import natural_person
from registry.organ_code import check_character
from registry.organs import Organ, OrganKey
from registry.persons import Person, PersonKey, RoleAssignment
from registry.proposals import Proposal, content_digest
from registry.record import Record, read
from registry.seal_keys import SealKey
from registry.seals import Seal, Specimen
from registry.service_keys import ServiceKey
from registry.statements import RegisteredKey

START = datetime(2024, 1, 1, tzinfo=UTC)
END = datetime(2029, 1, 1, tzinfo=UTC)
DIGEST = "sha256:" + "ab" * 32


def code(text: str) -> str:
    """An obviously invented organ code with a right check character."""
    first = text.ljust(17, "0")
    return first + check_character(first)


GRANTOR = code("11360732DEM1")
GRANTEE = code("11360732DEM2")
THIRD = code("11360732DEM3")


@cache
def private_key(name: str) -> ec.EllipticCurvePrivateKey:
    return ec.derive_private_key(int.from_bytes(name.encode(), "big") + 1, ec.SECP256R1())


def spki(name: str) -> bytes:
    return private_key(name).public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def public(name: str) -> str:
    return b64encode(spki(name)).decode()


def registered(name: str, *, kind: Any, holder: str, key_id: str) -> RegisteredKey:
    return RegisteredKey(id=key_id, kind=kind, holder=holder, public_key=spki(name), valid_from=START, valid_until=None)


def terms_json(**changes: Any) -> dict[str, Any]:
    terms = {
        "v": 1,
        "number": "兴审批委托〔2024〕1号",
        "regime": "county_township",
        "relation": "entrustment",
        "grantor": GRANTOR,
        "grantee": GRANTEE,
        "users": [GRANTEE],
        "legal_basis": [
            {
                "title": "兴国县行政审批“2号章”使用管理规范（试行）",
                "document_number": "兴府办发〔2023〕11号",
                "clause": "二.1",
            }
        ],
        "scope": "“县乡同办”改革中“2号章”委托办事项",
        "items": [{"list": "002-2", "number": 14}],
        "authority": "受理、审查、决定",
        "period": {"valid_from": "2024-01-01T00:00:00.000000Z", "valid_until": "2029-01-01T00:00:00.000000Z"},
        "grantor_rights": ["监督检查"],
        "grantor_duties": ["业务培训"],
        "grantee_rights": ["获得业务指导"],
        "grantee_duties": ["建立印章使用台账", "不得再行委托"],
        "liability": "依规范第四条",
        "signatories": {
            "grantor": {"name": "张三", "office": "局长"},
            "grantee": {"name": "李四", "office": "镇长"},
        },
        "announcement": "兴国县人民政府网站公告〔2024〕1号",
        "weakest_assurance": "person_signed",
        "system_attested_daily_cap": None,
        "filing_required": False,
        "approval_working_days": 10,
        "issuer_required": "internal",
    }
    return {**terms, **changes}


def terms(**changes: Any) -> AgreementTerms:
    return read_terms(terms_json(**changes))


def organ(**changes: Any) -> Organ:
    values: dict[str, Any] = {
        "id": new_id("org"),
        "code": GRANTOR,
        "legal_name": "兴国县行政审批局",
        "aliases": ("县行政审批局",),
        "level": "county",
        "region": "360732",
    }
    return Organ(**{**values, **changes})


def agreement(**changes: Any) -> Agreement:
    version = AgreementVersion(number=1, terms=terms(), original_digest=DIGEST)
    return Agreement(**{"id": new_id("agr"), "current": version, **changes})


def seal(**changes: Any) -> Seal:
    values: dict[str, Any] = {
        "id": new_id("sea"),
        "owner": GRANTOR,
        "number": 35,
        "name": "兴国县行政审批局行政审批专用章（35）",
        "agreement": new_id("agr"),
        "specimen": Specimen(sample=True),
        "custodian": new_id("per"),
        "daily_cap": None,
    }
    return Seal(**{**values, **changes})


def seal_key(**changes: Any) -> SealKey:
    values: dict[str, Any] = {
        "id": new_id("sky"),
        "seal": new_id("sea"),
        "key_version": 1,
        "key_ref": "file:seal-1",
        "chain": ("AAAA",),
        "serial": "0a1b",
        "not_before": START,
        "not_after": END,
        "issuer": "internal",
    }
    return SealKey(**{**values, **changes})


def service_key(**changes: Any) -> ServiceKey:
    values: dict[str, Any] = {
        "id": new_id("svk"),
        "purpose": "timestamp",
        "key_ref": "file:timestamp-1",
        "chain": ("AAAA",),
        "serial": "0a1c",
        "not_before": START,
        "not_after": END,
    }
    return ServiceKey(**{**values, **changes})


def person(**changes: Any) -> Person:
    hashed = natural_person("11010519491231002X", b"k" * 32)
    return Person(**{"id": new_id("per"), "name": "王五", "natural_person": hashed, **changes})


def role(**changes: Any) -> RoleAssignment:
    values: dict[str, Any] = {
        "id": new_id("rol"),
        "person": new_id("per"),
        "organ": GRANTEE,
        "role": "principal",
        "valid_from": START,
        "valid_until": None,
        "document": "潋府发〔2024〕3号",
        "on_behalf_of": None,
    }
    return RoleAssignment(**{**values, **changes})


_KEY = {
    "algorithm": "ES256",
    "public_key": public("a key"),
    "valid_from": START,
    "valid_until": None,
    "registered_by": "per-" + "c" * 26,
    "document": "密钥登记表1",
}


def organ_key(**changes: Any) -> OrganKey:
    return OrganKey(**{"id": new_id("oky"), "organ": GRANTOR, **_KEY, **changes})


def person_key(**changes: Any) -> PersonKey:
    return PersonKey(**{"id": new_id("pky"), "person": new_id("per"), **_KEY, **changes})


def client(**changes: Any) -> Client:
    values: dict[str, Any] = {
        "id": new_id("cli"),
        "name": "审批平台",
        "organs": (GRANTEE,),
        "roles": ("approval_system",),
        "secret_hash": None,
        "public_key": public("authentication"),
        "state": "active",
    }
    return Client(**{**values, **changes})


def client_approval_key(**changes: Any) -> ClientApprovalKey:
    return ClientApprovalKey(**{"id": new_id("cak"), "client": new_id("cli"), **_KEY, **changes})


def status_change(status: Any = "annulled", **changes: Any) -> StatusChange:
    values: dict[str, Any] = {
        "status": status,
        "by": new_id("per"),
        "reason": "复核发现材料不实",
        "effective": date(2026, 11, 1),
        "document": None,
        "recorded": START,
    }
    return StatusChange(**{**values, **changes})


def document_status() -> DocumentStatus:
    return change_status(None, status_change(), impression=new_id("imp"))


def calendar_day(**changes: Any) -> CalendarDay:
    day = date(2027, 1, 4)
    values: dict[str, Any] = {
        "id": calendar_day_id(day),
        "date": day,
        "kind": "holiday",
        "source": "国办通知",
    }
    return CalendarDay(**{**values, **changes})


def proposal(**changes: Any) -> Proposal:
    values: dict[str, Any] = {
        "id": new_id("ppl"),
        "action": "destroy_seal",
        "organ": GRANTOR,
        "content": '{"seal":"sea-1"}',
        "content_digest": content_digest({"seal": "sea-1"}),
        "reason": "印章已停止使用",
        "statement": "a.b.c",
        "proposed_by": new_id("per"),
        "proposed_at": START,
        "expires": START + timedelta(hours=72),
    }
    return Proposal(**{**values, **changes})


def one_of_each() -> list[Record]:
    """One record of each kind that stands in ``registry.kinds``, the catalogue's aside."""
    return [
        organ(),
        organ_key(),
        person(),
        role(),
        person_key(),
        client(),
        client_approval_key(),
        agreement(),
        seal(),
        seal_key(),
        service_key(),
        document_status(),
        calendar_day(),
        proposal(),
    ]


ORIGIN = "yinxin.example/log"
PRINCIPAL = "per-" + "p" * 26
APPLICANT = "per-" + "q" * 26


def claims_json(**changes: Any) -> dict[str, Any]:
    claims = {
        "v": 1,
        "id": "apr-" + "a" * 26,
        "aud": ORIGIN,
        "not_before": "2026-11-23T01:00:00.000000Z",
        "expires": "2026-12-23T01:00:00.000000Z",
        "grantee": GRANTEE,
        "seal": "sea-" + "s" * 26,
        "agreement": "兴审批委托〔2024〕1号",
        "agreement_version": 1,
        "item": {"list": "002-2", "number": 14},
        "case_number": "XG2026-0001",
        "basis": "new",
        "predecessor": None,
        "facts": {"premises": "理发店", "area_m2": "22.5", "staff": 3, "first": True},
        "final": True,
        "applicant": APPLICANT,
        "principal": PRINCIPAL,
        "on_behalf_of": None,
        "manifest": [
            {
                "digest": DIGEST,
                "kind": "licence",
                "copy": "original",
                "document_number": "兴卫公许〔2026〕1号",
                "licence_number": "36073220260001",
                "placement": '{"kind":"date_line"}',
            }
        ],
        "confirms": ["item"],
    }
    return {**claims, **changes}


def claims(**changes: Any) -> ApprovalClaims:
    return read(ApprovalClaims, claims_json(**changes))
