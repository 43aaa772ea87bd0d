"""Everything that is registered before the first seal use: offices, people, keys, agreements, seals, clients."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from demo.people import (
    ELSEWHERE,
    GRANTEES,
    GRANTORS,
    OFFICES,
    Administrator,
    Grant,
    Office,
    Registered,
    Staff,
    grants,
    identity_number,
)
from demo.service import Client, DemoError, Server
from demo.statements import AGREEMENT, SigningKey, digest, terms_digest
from demo.two_persons import by_two

WHY = "演示准备"
_LISTS = {"001-1": 20, "001-2": 45, "001-3": 53, "002-2": 26}
_GIVEN = "甲乙丙丁戊己庚辛壬癸"


@dataclass(frozen=True, slots=True, kw_only=True)
class Clients:
    """The machine clients of the demo, each with its token."""

    operator: Client
    platform: Client
    """The approval system of the three grantees."""
    grantors: Client
    elsewhere: Client
    """Another county's approval system."""


def bootstrap(server: Server) -> Client:
    """The first client, an operator, can only come from the command line of the machine itself."""
    issued = server.command("client", "register", "--name", "演示运维", "--role", "operator", "--why", WHY)
    return Client(server.url, issued["id"], issued["secret"])


def check_catalogue(operator: Client) -> dict[str, int]:
    """How many items of each list the first start published. Raises :class:`DemoError` if not all of them."""
    found = {each: len(operator.get(f"/v1/items?limit=200&list={each}").json()["entries"]) for each in _LISTS}
    if found != _LISTS:
        raise DemoError(f"目录应为 {_LISTS}，实为 {found} / the catalogue is not complete")
    return found


def register_offices(operator: Client, registered: Registered) -> None:
    """Each office, and for the parties of agreements the key they sign with."""
    for office in OFFICES:
        operator.post(
            "/v1/organs",
            {
                "code": office.code,
                "legal_name": office.name,
                "aliases": [office.short] if office.short else [],
                "level": office.level,
                "region": office.region,
                "reason": WHY,
            },
        )
        key = SigningKey()
        body = {"public_key": key.public, "document": "示例函〔2026〕1号", "reason": WHY}
        key.id = operator.post(f"/v1/organs/{office.code}/keys", body)["record"]["id"]
        registered.organ_keys[office.code] = key


def register_people(operator: Client, registered: Registered) -> None:
    """Seal user, principal and custodian of each grantee; two administrators of each grantor."""
    for place, office in enumerate(GRANTEES):
        names = [f"示例{_GIVEN[place * 3 + each]}" for each in range(3)]
        user, principal, custodian = (
            _person(operator, name, place * 10 + each, office=office, role=role)
            for each, (name, role) in enumerate(zip(names, ("seal_user", "principal", "custodian"), strict=True))
        )
        key = _person_key(operator, principal)
        registered.staff[office.code] = Staff(
            seal_user=user,
            principal=principal,
            custodian=custodian,
            principal_as_user=_person(operator, names[1], place * 10 + 1, office=office, role="seal_user"),
            key=key,
        )
    for place, office in enumerate(GRANTORS):
        registered.administrators[office.code] = (
            _administrator(operator, f"示例子{place + 1}", 100 + place, office),
            _administrator(operator, f"示例丑{place + 1}", 200 + place, office),
        )


def _administrator(operator: Client, name: str, number: int, office: Office) -> Administrator:
    """One of the first two of an office, whom one operator registers; from then on it takes two of them."""
    person = _person(operator, name, number, office=office, role="grantor_administrator")
    return Administrator(person=person, key=_person_key(operator, person))


def _person_key(operator: Client, person: str) -> SigningKey:
    key = SigningKey()
    body = {"public_key": key.public, "document": "示例密钥登记表", "reason": WHY}
    key.id = operator.post(f"/v1/persons/{person}/keys", body)["record"]["id"]
    return key


def _person(operator: Client, name: str, number: int, *, office: Office, role: str) -> str:
    body = {"name": name, "identity_number": identity_number(number), "reason": WHY}
    person = str(operator.post("/v1/persons", body)["id"])
    role_body = {"organ": office.code, "role": role, "document": "示例任〔2026〕1号", "reason": WHY}
    operator.post(f"/v1/persons/{person}/roles", role_body)
    return person


def register_clients(server: Server, operator: Client, registered: Registered) -> Clients:
    """Three machine clients, and the key that the platform vouches for approvals with."""
    platform = _client(server, operator, "示例审批平台", role="approval_system", offices=GRANTEES)
    body = {"public_key": registered.attesting.public, "document": "示例平台密钥登记表", "reason": WHY}
    answer = operator.post(f"/v1/clients/{platform.id}/approval-keys", body)
    registered.attesting.id = answer["record"]["id"]
    return Clients(
        operator=operator,
        platform=platform,
        grantors=_client(server, operator, "示例印章管理端", role="grantor_administrator", offices=GRANTORS),
        elsewhere=_client(server, operator, "示例外县审批系统", role="approval_system", offices=(ELSEWHERE,)),
    )


def _client(server: Server, operator: Client, name: str, *, role: str, offices: tuple[Office, ...]) -> Client:
    body = {"name": name, "roles": [role], "organs": [office.code for office in offices], "reason": WHY}
    issued = operator.post("/v1/clients", body)
    return Client(server.url, issued["client"]["id"], issued["secret"])


def conclude(grantors: Client, registered: Registered, grant: Grant) -> str:
    """Draft the agreement, let both organs sign, bring it into force, issue its seal; the seal's name."""
    terms = grant.terms(datetime.now(UTC))
    registered.ends[grant.name] = datetime.fromisoformat(terms["period"]["valid_until"])
    original = digest(f"双方签署的原件：{grant.number}".encode())
    body = {"terms": terms, "original_digest": original, "reason": "签订协议"}
    agreement = str(grantors.post("/v1/agreements", body)["record"]["id"])
    for office in (grant.grantor, grant.grantee):
        jws = _signature(registered.organ_keys[office.code], agreement, office, terms=terms, original=original)
        grantors.post(f"/v1/agreements/{agreement}/signatures", {"signature": jws, "reason": "单位签署"})
    grantors.post(f"/v1/agreements/{agreement}/state", {"change": "bring_into_force", "reason": "双方已签署"})
    registered.agreements[grant.name] = agreement
    return _issue_seal(grantors, registered, grant)


def _signature(key: SigningKey, agreement: str, office: Office, *, terms: dict[str, Any], original: str) -> str:
    payload = {
        "v": 1,
        "agreement": agreement,
        "version": 1,
        "terms_digest": terms_digest(terms),
        "original_digest": original,
        "organ": office.code,
    }
    return key.sign(payload, AGREEMENT)


def _issue_seal(grantors: Client, registered: Registered, grant: Grant) -> str:
    content = {
        "agreement": registered.agreements[grant.name],
        "custodian": registered.staff[grant.grantee.code].custodian,
    }
    made = by_two(grantors, registered, grant.grantor, "issue_seal", content)
    grantors.post(f"/v1/seals/{made['seal']}/state", {"change": "enable", "reason": "移交启用"})
    registered.seals[grant.name], registered.seal_names[grant.name] = made["seal"], made["name"]
    return str(made["name"])


def begin(operator: Client) -> Registered:
    """Nothing registered yet; the log's name, which every approval is addressed to."""
    year = (datetime.now(UTC) + timedelta(hours=8)).year
    return Registered(
        origin=operator.get("/v1/log").json()["origin"], grants={grant.name: grant for grant in grants(year)}
    )
