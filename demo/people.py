"""The offices, people and agreements of the demo.

Offices bear the names that the published plans use; their codes are invented (DEM) with a right check character.
Persons are placeholders (示例某) with invented identity numbers (born in 1900) and a right check character.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from demo.statements import SigningKey, moment

_ORGAN_ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
_IDENTITY_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)


def organ_code(region: str, number: int) -> str:
    """An invented 统一社会信用代码 with the check character of GB 32100-2015."""
    body = f"11{region[:6]}DEM00000{number}"
    total = sum(_ORGAN_ALPHABET.index(each) * pow(3, place, 31) for place, each in enumerate(body))
    return body + _ORGAN_ALPHABET[-total % 31]


def identity_number(number: int) -> str:
    """An invented 公民身份号码 with the check character of GB 11643-1999."""
    body = f"36000019000101{number:03d}"
    return (
        body + "10X98765432"[sum(int(each) * weight for each, weight in zip(body, _IDENTITY_WEIGHTS, strict=True)) % 11]
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Office:
    """An organ as it is registered; ``short`` is what the catalogue calls it."""

    name: str
    level: str
    region: str
    number: int
    short: str | None = None

    @property
    def code(self) -> str:
        """Its 统一社会信用代码."""
        return organ_code(self.region, self.number)


CITY = Office(name="赣州市行政审批局", level="city", region="360700", number=1, short="市行政审批局")
COUNTY = Office(name="兴国县行政审批局", level="county", region="360732", number=2, short="县行政审批局")
FORESTRY = Office(name="兴国县林业局", level="county", region="360732", number=3, short="县林业局")
LIANJIANG = Office(name="兴国县潋江镇人民政府", level="township", region="360732035", number=4)
XINGJIANG = Office(name="兴国县兴江乡人民政府", level="township", region="360732011", number=5)
ELSEWHERE = Office(name="宁都县行政审批局", level="county", region="360730", number=6)
FARMING = Office(name="兴国县农业农村局", level="county", region="360732", number=7, short="县农业农村局")
OFFICES = (CITY, COUNTY, FORESTRY, LIANJIANG, XINGJIANG, ELSEWHERE, FARMING)

GRANTORS = (CITY, COUNTY, FORESTRY)
GRANTEES = (COUNTY, LIANJIANG, XINGJIANG)


@dataclass(slots=True, kw_only=True)
class Staff:
    """The people of one grantee by their ids, and the principal's own approval key."""

    seal_user: str
    principal: str
    custodian: str
    principal_as_user: str
    """A second account of the principal, designated as seal user: for the refusal that follows from it."""
    key: SigningKey


@dataclass(frozen=True, slots=True, kw_only=True)
class Administrator:
    """One of the two administrators of a grantor, by id, and their own key."""

    person: str
    key: SigningKey


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """One agreement and the seal it allows."""

    name: str
    number: str
    grantor: Office
    grantee: Office
    items: tuple[tuple[str, int], ...]
    reviewer: str
    seconds: int | None = None
    """How long it holds after its registration; None: for two years."""

    def terms(self, now: datetime) -> dict[str, Any]:
        """The terms with every part that [000 二(一)] demands (docs/agreement-terms.md)."""
        city = self.grantor is CITY
        end = now + (timedelta(days=730) if self.seconds is None else timedelta(seconds=self.seconds))
        return {
            "v": 1,
            "number": self.number,
            "regime": "city_county" if city else "county_township",
            "relation": "authorisation" if city else "entrustment",
            "grantor": self.grantor.code,
            "grantee": self.grantee.code,
            "users": [self.grantee.code],
            "legal_basis": [_CITY_BASIS if city else _COUNTY_BASIS],
            "scope": "仅用于办理本协议所列事项形成的审批文书和证照，不得用于其他文书",
            "items": [{"list": list_, "number": number} for list_, number in self.items],
            "authority": "受理、审查并依法作出审批决定，以授权（委托）单位名义制发文书",
            "period": {"valid_from": moment(now - timedelta(days=1)), "valid_until": moment(end)},
            "grantor_rights": ["监督检查印章使用情况", "责令限期改正，必要时收回权限"],
            "grantor_duties": ["刻制印章并移交", "开展业务培训和指导"],
            "grantee_rights": ["在授权（委托）范围内使用印章", "获得业务指导"],
            "grantee_duties": ["指定专人保管印章", "建立印章使用台账并归档", "每月书面报告", "不得再行委托"],
            "liability": "超越范围或者以自己名义实施的，由承接单位依法承担责任；其余依管理规范第四条办理",
            "signatories": {
                "grantor": {"name": "示例子", "office": "局长"},
                "grantee": {"name": "示例丑", "office": "主要负责人"},
            },
            "announcement": f"示例公告：{self.number}",
            "weakest_assurance": "system_attested" if self.grantor is FORESTRY else "person_signed",
            "system_attested_daily_cap": 20 if self.grantor is FORESTRY else None,
            "filing_required": False,
            "approval_working_days": 10,
            "issuer_required": "internal",
        }


_CITY_BASIS = {"title": "赣州市行政审批“2号章”使用管理规范（试行）", "document_number": None, "clause": "二（一）"}
_COUNTY_BASIS = {
    "title": "兴国县行政审批“2号章”使用管理规范（试行）",
    "document_number": "兴府办发〔2023〕11号",
    "clause": "附件3 二.1",
}


def grants(year: int) -> tuple[Grant, ...]:
    """The three agreements of the demo, and a fourth that soon ends."""
    return (
        Grant(
            name="city",
            number=f"赣市审授〔{year}〕12号",
            grantor=CITY,
            grantee=COUNTY,
            items=(("001-2", 28), ("001-2", 30)),
            reviewer="赣州市人民政府",
        ),
        Grant(
            name="town",
            number=f"兴审委〔{year}〕35号",
            grantor=COUNTY,
            grantee=LIANJIANG,
            items=(("002-2", 14), ("002-2", 15)),
            reviewer="兴国县人民政府",
        ),
        Grant(
            name="forest",
            number=f"兴林委〔{year}〕11号",
            grantor=FORESTRY,
            grantee=XINGJIANG,
            items=(("002-2", 12),),
            reviewer="兴国县人民政府",
        ),
        Grant(
            name="short",
            number=f"兴林委〔{year}〕35号",
            grantor=FORESTRY,
            grantee=LIANJIANG,
            items=(("002-2", 12),),
            reviewer="兴国县人民政府",
            seconds=20,
        ),
    )


@dataclass(slots=True, kw_only=True)
class Registered:
    """What the service answered while everything was registered: ids by name, keys by their holder."""

    origin: str
    grants: dict[str, Grant]
    agreements: dict[str, str] = field(default_factory=dict)
    seals: dict[str, str] = field(default_factory=dict)
    seal_names: dict[str, str] = field(default_factory=dict)
    ends: dict[str, datetime] = field(default_factory=dict)
    organ_keys: dict[str, SigningKey] = field(default_factory=dict)
    staff: dict[str, Staff] = field(default_factory=dict)
    administrators: dict[str, tuple[Administrator, Administrator]] = field(default_factory=dict)
    proposals: int = 0
    """How many acts two administrators proposed and approved."""
    attesting: SigningKey = field(default_factory=SigningKey)
