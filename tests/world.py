"""A world to test in: a real installation with the organs of the sources, people, agreements and seals.

Organs bear real names with obviously invented codes; persons are placeholders.
"""

import json
import secrets
from base64 import b64encode
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from hashlib import sha256
from importlib.resources import files
from pathlib import Path
from typing import Any

import typst
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from two_administrators import Administrator, both

from ledger.ids import new_id
from registry.agreement_terms import read_terms
from registry.agreements import sign_version
from registry.approval import ApprovalClaims, ApprovedDocument, ApprovedItem, make_statement
from registry.catalogue import load_shipped
from registry.natural_person import identity_check_character
from registry.organ_code import check_character
from registry.proposals import ProposalAction
from registry.record import Record
from registry.records import (
    Client,
    ClientApprovalKey,
    Organ,
    OrganKey,
    Person,
    PersonKey,
    RoleAssignment,
)
from registry.store import Act, Actor
from sealing.administration.acts import acting
from sealing.administration.seals import SealPolicy, change_state
from sealing.order import Caller, Order, Submission
from sealing.settings import Settings
from sealing.workshop import Workshop, initialise

START = datetime(2026, 11, 2, 1, 0, tzinfo=UTC)
"""Monday, 2 November 2026, 9 o'clock in Beijing."""
OPERATOR = Actor(id="per-" + "a" * 26, name="运维示例", organ=None)
SECRET = "a-secret-of-a-test-client-0123456789abcdef"
FONTS = files("signer") / "fonts"

CITY, COUNTY, TOWN, FORESTRY, TOWN2, OTHER = "city", "county", "town", "forestry", "town2", "other"
ORGANS: dict[str, tuple[str, tuple[str, ...], str, str]] = {
    CITY: ("赣州市行政审批局", ("市行政审批局",), "city", "360700"),
    COUNTY: ("兴国县行政审批局", ("县行政审批局",), "county", "360732"),
    TOWN: ("兴国县潋江镇人民政府", (), "township", "TOWN35"),
    FORESTRY: ("兴国县林业局", ("县林业局",), "county", "360732"),
    TOWN2: ("兴国县兴江乡人民政府", (), "township", "TOWN11"),
    OTHER: ("宁都县行政审批局", (), "county", "360730"),
}


def organ_code(number: int) -> str:
    """An obviously invented 统一社会信用代码 with a right check character."""
    body = f"11360000DEMO{number:05d}".replace("O", "0")
    return body + check_character(body)


def identity_number(number: int) -> str:
    """An obviously invented identity number with a right check character."""
    body = f"360000190001{number:05d}"
    return body + identity_check_character(body)


def public_bytes(key: ec.EllipticCurvePrivateKey) -> str:
    return b64encode(key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).decode()


@dataclass(slots=True)
class Staff:
    """The people of one grantee and the principal's approval key."""

    user: str
    principal: str
    custodian: str
    key_id: str
    key: ec.EllipticCurvePrivateKey


@dataclass(slots=True)
class World:
    """What was built: ids by name, keys by name."""

    shop: Workshop
    now: datetime
    codes: dict[str, str] = field(default_factory=dict)
    organ_keys: dict[str, tuple[str, ec.EllipticCurvePrivateKey]] = field(default_factory=dict)
    staff: dict[str, Staff] = field(default_factory=dict)
    agreements: dict[str, str] = field(default_factory=dict)
    seals: dict[str, str] = field(default_factory=dict)
    clients: dict[str, Caller] = field(default_factory=dict)
    attesting: tuple[str, ec.EllipticCurvePrivateKey] | None = None
    administrators: dict[str, tuple[Administrator, Administrator]] = field(default_factory=dict)

    def act(self, why: str = "测试准备") -> Act:
        return Act(by=OPERATOR, why=why, now=self.now)

    def two_persons(self, action: ProposalAction, organ: str, act: Act | None = None, **content: Any) -> dict[str, Any]:
        """What one administrator of ``organ`` proposed and the other approved, once it is done."""
        return both(self.shop, self.administrators[organ], action, content, act or self.act())

    def put(self, *records: Record, why: str = "测试准备") -> None:
        with self.shop.database.write() as connection:
            for record in records:
                self.shop.registry.put(connection, record, by=OPERATOR, why=why, now=self.now)

    def order(self, name: str, **changed: Any) -> Order:
        """A well-formed order for the seal of agreement ``name``."""
        grantee = GRANTEES[name]
        values: dict[str, Any] = {
            "organ": self.codes[grantee],
            "applicant": self.staff[grantee].user,
            "seal": self.seals[name],
            "item": {"list": ITEMS[name][0], "number": ITEMS[name][1]},
            "case_number": f"办件-{secrets.token_hex(4)}",
            "document_kind": "decision",
            "basis": "new",
            "document_number": f"兴审批〔2026〕{secrets.randbelow(10**8)}号",
            "placement": {"kind": "date_line"},
            "facts": dict(FACTS[name]),
        }
        return Order.model_validate(values | changed)

    def document(self, name: str, order: Order, folder: Path, **texts: str) -> Path:
        """A PDF whose text states everything the order says, in the grantor's name."""
        path = folder / f"{secrets.token_hex(8)}.pdf"
        path.write_bytes(letter(lines(name, order, **texts)))
        return path

    def approve(self, name: str, order: Order, *documents: Path, **changed: Any) -> str:
        """The approval of these documents by the grantee's principal, signed with the principal's own key."""
        grantee = GRANTEES[name]
        staff = self.staff[grantee]
        kid, key = changed.pop("signed_with", (staff.key_id, staff.key))
        return make_statement(self.claims(name, order, *documents, **changed), kid=kid, key=key)

    def claims(self, name: str, order: Order, *documents: Path, **changed: Any) -> ApprovalClaims:
        staff = self.staff[GRANTEES[name]]
        values: dict[str, Any] = {
            "v": 1,
            "id": new_id("apv"),
            "aud": self.shop.identity.origin,
            "not_before": self.now,
            "expires": self.now + timedelta(days=5),
            "grantee": order.organ,
            "seal": order.seal,
            "agreement": AGREEMENT_NUMBERS[name],
            "agreement_version": 1,
            "item": ApprovedItem(list=order.item.list, number=order.item.number),
            "case_number": order.case_number,
            "basis": order.basis,
            "predecessor": order.predecessor,
            "facts": order.facts,
            "final": order.final,
            "applicant": order.applicant,
            "principal": staff.principal,
            "on_behalf_of": None,
            "manifest": tuple(manifest_line(order, document) for document in documents),
            "confirms": (),
        }
        return ApprovalClaims.model_validate(values | changed)

    def submission(self, name: str, folder: Path, *, key: str | None = None, **changed: Any) -> Submission:
        """An order with its document and approval, ready to be sealed."""
        order = self.order(name, **changed)
        document = self.document(name, order, folder)
        return self.submit(order, document, self.approve(name, order, document), key=key)

    @staticmethod
    def submit(order: Order, document: Path, approval: str | None, *, key: str | None = None) -> Submission:
        digest = "sha256:" + sha256(document.read_bytes()).hexdigest()
        return Submission(
            order=order,
            idempotency_key=key or secrets.token_hex(8),
            source=document,
            document=digest,
            approval=approval,
        )


GRANTORS = {"city": CITY, "town": COUNTY, "forest": FORESTRY}
GRANTEES = {"city": COUNTY, "town": TOWN, "forest": TOWN2}
ITEMS = {"city": ("001-2", 30), "town": ("002-2", 14), "forest": ("002-2", 12)}
AGREEMENT_NUMBERS = {"city": "赣市审协〔2026〕12号", "town": "兴审协〔2026〕35号", "forest": "兴林协〔2026〕11号"}
AGREED_ITEMS = {
    "city": [("001-2", 30), ("001-2", 28)],
    "town": [("002-2", 14), ("002-2", 15)],
    "forest": [("002-2", 12)],
}
FACTS: dict[str, dict[str, str]] = {
    "city": {},
    "town": {"venue_kind": "理发店"},
    "forest": {"volume_m3": "22.5", "land_kind": "自留山", "holder_kind": "农村居民"},
}
ITEM_WORDS = {"city": "特种设备使用登记", "town": "公共场所卫生许可证", "forest": "林木采伐许可证"}


def manifest_line(order: Order, document: Path) -> ApprovedDocument:
    return ApprovedDocument.model_validate(
        {
            "digest": "sha256:" + sha256(document.read_bytes()).hexdigest(),
            "kind": order.document_kind,
            "copy": order.copy_,
            "document_number": order.document_number,
            "licence_number": order.licence_number,
            "placement": order.placement_text(),
        }
    )


def lines(name: str, order: Order, *, item: str | None = None, issuer: str | None = None) -> tuple[str, ...]:
    said = [item or ITEM_WORDS[name], f"审批文书编号：{order.document_number}"]
    if order.licence_number:
        said.append(f"证书编号：{order.licence_number}")
    said += [f"{name_}：{value}" for name_, value in order.facts.items()]
    return (*said, issuer or ORGANS[GRANTORS[name]][0], "2026年11月2日")


@cache
def letter(said: tuple[str, ...], *, pages: int = 1) -> bytes:
    """A PDF/A-2b letter of these lines, the last two set as 落款 and 成文日期."""
    *body, issuer, date = said
    source = (
        '#let d = json(bytes(sys.inputs.data))\n#set document(title: "x")\n'
        '#set page(paper: "a4", margin: 28mm)\n#set text(font: "Noto Serif SC", size: 14pt, lang: "zh")\n'
        "#for page in range(d.pages) { if page > 0 { pagebreak() }; for line in d.body [#line\\ ] }\n"
        "#v(30mm)\n#align(right)[#d.issuer\\ #d.date]\n"
    )
    data = json.dumps({"body": body, "issuer": issuer, "date": date, "pages": pages}, ensure_ascii=False)
    pdf: bytes = typst.compile(source.encode(), font_paths=_fonts(), sys_inputs={"data": data}, pdf_standards=["a-2b"])
    return pdf + b"\n"


@cache
def _fonts() -> typst.Fonts:
    return typst.Fonts(include_system_fonts=False, include_embedded_fonts=False, font_paths=[str(FONTS)])


def terms(world: World, name: str, **changed: Any) -> dict[str, Any]:
    """Terms with every part of [000 二(一)]."""
    city = name == "city"
    grantor, grantee = GRANTORS[name], GRANTEES[name]
    return {
        "v": 1,
        "number": AGREEMENT_NUMBERS[name],
        "regime": "city_county" if city else "county_township",
        "relation": "authorisation" if city else "entrustment",
        "grantor": world.codes[grantor],
        "grantee": world.codes[grantee],
        "users": [world.codes[grantee]],
        "legal_basis": [{"title": "行政审批“2号章”使用管理规范（试行）", "document_number": None, "clause": None}],
        "scope": "仅用于本协议所列事项的审批文书",
        "items": [{"list": list_, "number": number} for list_, number in AGREED_ITEMS[name]],
        "authority": "依法作出审批决定并加盖行政审批专用章",
        "period": {"valid_from": "2026-01-01T00:00:00.000000Z", "valid_until": "2027-12-31T16:00:00.000000Z"},
        "grantor_rights": ["监督检查"],
        "grantor_duties": ["培训指导"],
        "grantee_rights": ["使用印章"],
        "grantee_duties": ["建立台账", "每月报告"],
        "liability": "依法承担相应法律责任",
        "signatories": {
            "grantor": {"name": "示例甲", "office": "局长"},
            "grantee": {"name": "示例乙", "office": "主要负责人"},
        },
        "announcement": "示例公告〔2026〕1号",
        "weakest_assurance": "system_attested",
        "system_attested_daily_cap": 100,
        "filing_required": False,
        "approval_working_days": 10,
        "issuer_required": "internal",
        **changed,
    }


PLAIN = SealPolicy(level="PAdES-B-B", check_mark="none")
"""The least that a seal can be: for tests that are about something else."""


def build_world(
    folder: Path, now: datetime = START, *, policy: SealPolicy = PLAIN, **settings: Any
) -> tuple[Settings, "Plan"]:
    """Initialise an installation in ``folder``; the plan fills it once it is open, with seals of this ``policy``."""
    chosen = Settings(data=folder, **{"unsafe_in_process_keys": True, **settings})
    initialise(chosen, now)
    return chosen, Plan(now, policy)


@dataclass(slots=True)
class Plan:
    """Fills a workshop with the world."""

    now: datetime
    policy: SealPolicy

    def fill(self, shop: Workshop) -> World:
        world = World(shop=shop, now=self.now)
        self._catalogue(world)
        self._organs(world)
        for number, grantee in enumerate((COUNTY, TOWN, TOWN2, OTHER)):
            self._staff(world, grantee, number * 10)
        for number, grantor in enumerate(GRANTORS.values()):
            self._administrators(world, grantor, 60 + number * 10)
        for name in GRANTORS:
            self._agreement(world, name)
            self._seal(world, name)
        self._clients(world)
        return world

    def _catalogue(self, world: World) -> None:
        shipped = load_shipped()
        world.put(*shipped.items, *shipped.setup, why="发布目录")

    def _organs(self, world: World) -> None:
        towns = {row.number: row.region for row in load_shipped().setup if row.regime == "county_township"}
        for number, (key, (name, aliases, level, region)) in enumerate(ORGANS.items(), start=1):
            code = organ_code(number)
            world.codes[key] = code
            place = towns[int(region[4:])] if region.startswith("TOWN") else region
            organ = Organ(
                id=new_id("org"),
                code=code,
                legal_name=name,
                aliases=aliases,
                level=level,
                region=place,  # type: ignore[arg-type]  # one of the levels
            )
            private = ec.generate_private_key(ec.SECP256R1())
            signing = OrganKey(
                id=new_id("okk"),
                organ=code,
                algorithm="ES256",
                public_key=public_bytes(private),
                registered_by=OPERATOR.id,
                document="示例函〔2026〕1号",
                valid_from=self.now - timedelta(days=30),
                valid_until=None,
            )
            world.organ_keys[key] = (signing.id, private)
            world.put(organ, signing)

    def _person(self, world: World, name: str, number: int) -> str:
        person = Person(id=new_id("per"), name=name, natural_person=world.shop.natural_person(identity_number(number)))
        world.put(person)
        return person.id

    def _role(self, world: World, person: str, organ: str, role: str) -> None:
        world.put(
            RoleAssignment(
                id=new_id("rol"),
                person=person,
                organ=world.codes[organ],
                role=role,  # type: ignore[arg-type]  # one of the roles
                document="示例任〔2026〕1号",
                on_behalf_of=None,
                valid_from=self.now - timedelta(days=30),
                valid_until=None,
            )
        )

    def _staff(self, world: World, organ: str, number: int) -> None:
        user, principal, custodian = (
            self._person(world, f"示例{ORGANS[organ][0][:3]}{title}", number + place)
            for place, title in enumerate(("用章员", "负责人", "保管员"))
        )
        for person, role in ((user, "seal_user"), (principal, "principal"), (custodian, "custodian")):
            self._role(world, person, organ, role)
        key_id, private = self._key(world, principal)
        world.staff[organ] = Staff(user=user, principal=principal, custodian=custodian, key_id=key_id, key=private)

    def _administrators(self, world: World, organ: str, number: int) -> None:
        made = []
        for place, title in enumerate(("管理员甲", "管理员乙")):
            person = self._person(world, f"示例{ORGANS[organ][0][:3]}{title}", number + place)
            self._role(world, person, organ, "grantor_administrator")
            key_id, private = self._key(world, person)
            made.append(Administrator(person=person, organ=world.codes[organ], kid=key_id, key=private))
        world.administrators[organ] = (made[0], made[1])

    def _key(self, world: World, person: str) -> tuple[str, ec.EllipticCurvePrivateKey]:
        private = ec.generate_private_key(ec.SECP256R1())
        key = PersonKey(
            id=new_id("pky"),
            person=person,
            algorithm="ES256",
            public_key=public_bytes(private),
            registered_by=OPERATOR.id,
            document="示例登记表",
            valid_from=self.now - timedelta(days=30),
            valid_until=None,
        )
        world.put(key)
        return key.id, private

    def _agreement(self, world: World, name: str) -> None:
        with acting(world.shop, world.act("签订协议")) as changes:
            stored = changes.register_agreement(read_terms(terms(world, name)), original_digest="sha256:" + "0" * 64)
            agreement = stored.record
            for organ in (GRANTORS[name], GRANTEES[name]):
                kid, key = world.organ_keys[organ]
                jws = sign_version(agreement, world.codes[organ], kid=kid, key=key)
                changes.attach_signature(agreement.id, jws)
            changes.bring_into_force(agreement.id)
        world.agreements[name] = agreement.id

    def _seal(self, world: World, name: str) -> None:
        custodian = world.staff[GRANTEES[name]].custodian
        policy = self.policy
        limits = None if policy.limits is None else policy.limits.model_dump(mode="json")
        made = world.two_persons(
            "issue_seal",
            GRANTORS[name],
            world.act("刻制印章"),
            agreement=world.agreements[name],
            custodian=custodian,
            level=policy.level,
            may_lower=policy.may_lower,
            check_mark=policy.check_mark,
            limits=limits,
        )
        change_state(world.shop, made["seal"], "enable", world.act("启用"))
        world.seals[name] = made["seal"]

    def _clients(self, world: World) -> None:
        grantees = tuple(world.codes[each] for each in (COUNTY, TOWN, TOWN2))
        for name, organs in (("platform", grantees), ("other", (world.codes[OTHER],))):
            client = Client(
                id=new_id("cli"),
                name=f"审批系统{name}",
                organs=organs,
                roles=("approval_system",),
                secret_hash="sha256:" + sha256(SECRET.encode()).hexdigest(),
                public_key=None,
                state="active",
            )
            world.put(client)
            world.clients[name] = Caller(client=client.id, organs=organs, roles=client.roles)
        private = ec.generate_private_key(ec.SECP256R1())
        key = ClientApprovalKey(
            id=new_id("cak"),
            client=world.clients["platform"].client,
            algorithm="ES256",
            public_key=public_bytes(private),
            registered_by=OPERATOR.id,
            document="示例登记表",
            valid_from=self.now - timedelta(days=30),
            valid_until=None,
        )
        world.put(key)
        world.attesting = (key.id, private)
