"""Who may do what in the console: every role against every page and action, over HTTP with real sessions."""

from collections.abc import Iterator
from datetime import timedelta
from io import BytesIO
from typing import Any

import pytest
from fastapi.routing import APIRoute
from openpyxl import load_workbook
from world import CITY, COUNTY, OTHER, START, identity_number

from accounts.sessions import Factors, csrf_token, find_session, open_session
from accounts.visitors import Visitor
from api.callers import Public
from ledger.ids import new_id
from registry.records import Person, RoleAssignment
from sealing.order import Caller
from sealing.reception import receive
from sealing.seal import Sealer
from tests.api.live import Service, live_service
from web.console.entrance import COOKIE, Entrance
from web.pages import CONSOLE, add_pages

GRANTEE = "seal_user principal acting_principal deputy custodian"
APPROVERS = "principal acting_principal deputy"
ALLOWED = {
    "showSignIn": "public",
    "signIn": "public",
    "signInByCode": "public",
    "beginPasskeySignIn": "public",
    "signInByPasskey": "public",
    "signOut": "public",
    "showOpenAccount": "public",
    "openAccount": "public",
    "showConsole": "anybody",
    "showRegister": f"{APPROVERS} custodian grantor_administrator",
    "giveRegisterSheet": f"{APPROVERS} custodian grantor_administrator",
    "giveRegisterPrint": f"{APPROVERS} custodian grantor_administrator",
    "showDashboard": f"{GRANTEE} grantor_administrator",
    "showAccount": "anybody",
    "beginPasskey": "anybody",
    "addPasskey": "anybody",
    "beginApprovalPasskey": f"{APPROVERS} grantor_administrator",
    "signOutEverywhere": "anybody",
    "changePassword": "anybody",
    "beginTotp": "anybody",
    "confirmTotp": "anybody",
    "removeTotp": "anybody",
    "removePasskey": "anybody",
    "endSession": "anybody",
    "showDrafts": "seal_user",
    "beginDraft": "seal_user",
    "showDraft": "seal_user",
    "changeDraft": "seal_user",
    "showApplications": GRANTEE,
    "showApplication": GRANTEE,
    "withdrawApplication": GRANTEE,
    "giveSealedDocument": GRANTEE,
    "giveReceipt": GRANTEE,
    "showApprovals": APPROVERS,
    "showApprovalCase": APPROVERS,
    "beginApproval": APPROVERS,
    "rejectApplication": APPROVERS,
    "showAgreements": f"{GRANTEE} grantor_administrator",
    "showAgreement": f"{GRANTEE} grantor_administrator",
    "giveOriginal": f"{GRANTEE} grantor_administrator",
    "showNewAgreement": "grantor_administrator",
    "keepOriginal": "grantor_administrator",
    "draftAgreement": "grantor_administrator",
    "attachSignature": "grantor_administrator",
    "changeAgreement": "grantor_administrator",
    "showIssue": "grantor_administrator",
    "proposeIssue": "grantor_administrator",
    "proposeForSeal": "grantor_administrator",
    "showSeals": "grantor_administrator custodian",
    "showSeal": "grantor_administrator custodian",
    "changeSealHere": "grantor_administrator custodian",
    "showProposals": "grantor_administrator",
    "showProposal": "grantor_administrator",
    "beginDecision": "grantor_administrator",
    "showStatement": "public",
    "signStatement": "public",
    "showOfferPasskey": "public",
    "offerPasskey": "public",
}
"""Written out by hand, so that a page opened to one role more does not pass unseen."""
ROLES = ("seal_user", "custodian", "principal", "acting_principal", "deputy", "grantor_administrator", None)
HTML = {"Accept": "text/html", "Sec-Fetch-Site": "same-origin"}
ROUTES = {str(each.operation_id): each for router in CONSOLE for each in router.routes if isinstance(each, APIRoute)}
UPLOADS = {"beginDraft", "keepOriginal"}
BEHIND_A_SESSION = sorted(name for name, roles in ALLOWED.items() if roles != "public")


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    with live_service(tmp_path_factory.mktemp("callers")) as made:
        add_pages(made.app)
        yield made


@pytest.fixture(scope="module")
def tokens(service: Service) -> dict[str | None, str]:
    """A session for a person of each role, and for one without any."""
    return {role: token_of(service, person_with(service, role, number)) for number, role in enumerate(ROLES)}


def person_with(service: Service, role: str | None, number: int, *, until: Any = None, organ: str = COUNTY) -> str:
    world = service.world
    person = Person(
        id=new_id("per"), name=f"示例{role}", natural_person=world.shop.natural_person(identity_number(500 + number))
    )
    world.put(person)
    if role is not None:
        world.put(
            RoleAssignment(
                id=new_id("rol"),
                person=person.id,
                organ=world.codes[CITY if role == "grantor_administrator" else organ],
                role=role,  # type: ignore[arg-type]  # one of the roles
                document="示例任〔2026〕9号",
                on_behalf_of=world.staff[COUNTY].principal if role == "deputy" else None,
                valid_from=START - timedelta(days=1),
                valid_until=until,
            )
        )
    return person.id


def token_of(service: Service, person: str, factors: Factors = "password+passkey") -> str:
    with service.world.shop.database.write() as connection:
        visitor = Visitor(address="192.0.2.1", browser="test")
        return open_session(connection, person, factors, visitor=visitor, now=START)


def csrf_of(service: Service, token: str) -> str:
    with service.world.shop.database.read() as connection:
        session = find_session(connection, token, START)
    assert session is not None
    return csrf_token(session)


def nowhere(route: APIRoute) -> str:
    """The path with ids of nothing."""
    ids = {"draft_id": new_id("dra"), "application_id": new_id("app"), "seal_id": new_id("sea")} | {
        "proposal_id": new_id("prp")
    }
    return route.path.format(**ids)


def ask(service: Service, operation: str, token: str | None, **headers: str) -> Any:
    """Call the page; a form carries the session's token and nothing that could do something."""
    route = ROUTES[operation]
    (method,) = route.methods
    path = (
        route.path.replace("{draft_id}", new_id("dra"))
        .replace("{application_id}", new_id("app"))
        .replace("{seal_id}", new_id("sea"))
        .replace("{agreement_id}", new_id("agr"))
    )
    told = HTML | headers | ({} if token is None else {"Cookie": f"{COOKIE}={token}"})
    if method == "GET":
        return service.http.get(path, headers=told, follow_redirects=False)
    fields = {"csrf": csrf_of(service, token) if token else ""}
    if operation in UPLOADS:
        files = {"document": ("x.pdf", b"", "application/pdf")}
        return service.http.post(path, data=fields, files=files, headers=told, follow_redirects=False)
    return service.http.post(path, data=fields, headers=told, follow_redirects=False)


def test_every_page_of_the_console_is_listed_with_who_may_see_it() -> None:
    assert ROUTES.keys() == ALLOWED.keys()
    for name, route in ROUTES.items():
        declared = [each.call for each in route.dependant.dependencies if isinstance(each.call, Entrance | Public)]
        assert len(declared) == 1, name
        (one,) = declared
        if isinstance(one, Public):
            assert ALLOWED[name] == "public", name
        else:
            assert set(one.roles) == (set() if ALLOWED[name] == "anybody" else set(ALLOWED[name].split())), name
        assert not route.include_in_schema


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("operation", BEHIND_A_SESSION)
def test_a_role_sees_its_pages_and_no_others(
    service: Service, tokens: dict[str | None, str], operation: str, role: str | None
) -> None:
    answer = ask(service, operation, tokens[role])
    if ALLOWED[operation] == "anybody" or role in ALLOWED[operation].split():
        assert "role-needed" not in answer.text
        assert answer.status_code in {200, 303, 400, 404, 409, 422}
    else:
        assert answer.status_code == 403
        assert "role-needed" in answer.text


UNPROVEN = {
    "showAccount",
    "beginPasskey",
    "addPasskey",
    "signOutEverywhere",
    "changePassword",
    "beginTotp",
    "confirmTotp",
    "removeTotp",
    "removePasskey",
    "endSession",
}


@pytest.mark.parametrize("factors", ["password", "password+totp"])
@pytest.mark.parametrize("role", ["principal", "grantor_administrator"])
def test_who_decides_on_seals_sees_nothing_but_the_account_without_a_passkey(
    service: Service, role: str, factors: Factors
) -> None:
    number = 60 + ("+" in factors) + 2 * (role == "principal")
    token = token_of(service, person_with(service, role, number), factors)
    for operation in BEHIND_A_SESSION:
        if ALLOWED[operation] != "anybody" and role not in ALLOWED[operation].split():
            continue
        answer = ask(service, operation, token)
        if operation in UNPROVEN:
            assert "passkey-needed" not in answer.text, operation
        else:
            assert (answer.status_code, "passkey-needed" in answer.text) == (403, True), operation
            assert 'href="/console/account' in answer.text


@pytest.mark.parametrize("operation", BEHIND_A_SESSION)
def test_without_a_session_nothing_is_shown(service: Service, operation: str) -> None:
    answer = ask(service, operation, None)
    if "GET" in ROUTES[operation].methods:
        assert answer.status_code == 303
        assert answer.headers["location"].startswith("/sign-in?next=%2Fconsole")
    else:
        assert answer.status_code == 401
        assert "sign-in-needed" in answer.text


FORMS = [name for name in BEHIND_A_SESSION if "POST" in ROUTES[name].methods]


@pytest.mark.parametrize("operation", FORMS)
def test_a_form_from_elsewhere_is_refused(service: Service, tokens: dict[str | None, str], operation: str) -> None:
    role = next(each for each in ROLES if ALLOWED[operation] == "anybody" or each in ALLOWED[operation].split())
    for headers, code in (
        ({"Sec-Fetch-Site": "cross-site"}, "form-from-elsewhere"),
        ({"Sec-Fetch-Site": "same-site"}, "form-from-elsewhere"),
    ):
        answer = ask(service, operation, tokens[role], **headers)
        assert (answer.status_code, code in answer.text) == (403, True)
    other = csrf_of(service, tokens[None])
    path = (
        ROUTES[operation]
        .path.replace("{draft_id}", new_id("dra"))
        .replace("{application_id}", new_id("app"))
        .replace("{seal_id}", new_id("sea"))
        .replace("{agreement_id}", new_id("agr"))
    )
    told = HTML | {"Cookie": f"{COOKIE}={tokens[role]}"}
    files = {"files": {"document": ("x.pdf", b"", "application/pdf")}} if operation in UPLOADS else {}
    answer = service.http.post(
        path, data={"csrf": other, "reason": "保留"}, headers=told, follow_redirects=False, **files
    )
    if operation in UPLOADS:
        assert answer.status_code == 400  # an unknown part
    else:
        assert (answer.status_code, "form-token-wrong" in answer.text) == (403, True)
        assert 'value="保留"' in answer.text, "what was typed is kept"


def test_a_role_that_ended_is_gone_at_the_next_click(service: Service) -> None:
    token = token_of(service, person_with(service, "seal_user", 50, until=START))
    answer = ask(service, "showDrafts", token)
    assert (answer.status_code, "role-needed" in answer.text) == (403, True)


def test_another_countys_application_reads_as_if_it_did_not_exist(service: Service) -> None:
    world, staff = service.world, service.world.staff[COUNTY]
    order = world.order("city")
    submission = world.submit(order, world.document("city", order, service.folder), None)
    caller = Caller(client=staff.user, organs=(world.codes[COUNTY],), roles=("approval_system",))
    application = receive(world.shop, submission, caller, START).id
    foreign = token_of(service, person_with(service, "seal_user", 51, organ=OTHER))
    own = token_of(service, staff.user)
    for token, status in ((own, 200), (foreign, 404)):
        answer = service.http.get(
            f"/console/applications/{application}", headers=HTML | {"Cookie": f"{COOKIE}={token}"}
        )
        assert answer.status_code == status


def test_the_approval_pages_are_under_their_own_host_only(service: Service) -> None:
    for host, status in (("127.0.0.1:8420", 404), ("approve.127.0.0.1:8420", 422)):
        answer = service.http.get("/approve?handle=x", headers=HTML | {"Host": host})
        assert answer.status_code == status


def test_a_seal_is_stopped_in_two_clicks_and_by_nobody_else(service: Service) -> None:
    world = service.world
    seal = world.seals["city"]
    own = token_of(service, person_with(service, "grantor_administrator", 52))
    stranger = token_of(service, person_with(service, "custodian", 53))
    custodian = token_of(service, world.staff[COUNTY].custodian)

    def change(token: str, **fields: str) -> int:
        sent = {"csrf": csrf_of(service, token), "reason": "抽查"} | fields
        told = HTML | {"Cookie": f"{COOKIE}={token}"}
        answer = service.http.post(f"/console/seals/{seal}/state", data=sent, headers=told, follow_redirects=False)
        return int(answer.status_code)

    assert change(stranger, step="suspend") == 404
    assert change(own, step="suspend", reason="") == 400
    assert change(own, step="destroy") == 400
    assert change(custodian, step="suspend") == 303
    assert change(custodian, step="resume") == 409
    assert change(own, step="resume") == 303
    shown = service.http.get(f"/console/seals/{seal}", headers=HTML | {"Cookie": f"{COOKIE}={own}"})
    assert shown.status_code == 200
    assert shown.text.count("抽查") == 2
    assert 'src="data:image/svg+xml;base64,' in shown.text


def test_the_register_and_its_downloads_hold_ones_own_lines_only(service: Service) -> None:
    world = service.world
    order = world.order("city")
    refused = world.submit(order, world.document("city", order, service.folder), None)
    outcome = Sealer(world.shop, clock=lambda: START).seal(refused, world.clients["platform"])
    assert outcome.state == "refused"
    own = token_of(service, person_with(service, "grantor_administrator", 80))
    stranger = token_of(service, person_with(service, "custodian", 81, organ=OTHER))

    def asked(token: str, path: str) -> Any:
        headers = HTML | {"Cookie": f"{COOKIE}={token}"}
        return service.http.get(f"/console/register{path}", headers=headers, follow_redirects=False)

    for token, seen in ((own, True), (stranger, False)):
        page = asked(token, f"?number={order.case_number}")
        assert (page.status_code, order.case_number in page.text.partition("<tbody>")[2]) == (200, seen)
        sheet = load_workbook(BytesIO(asked(token, "/xlsx").content)).active
        assert (order.case_number in {cell.value for row in sheet.iter_rows() for cell in row}) is seen
        assert asked(token, "/pdf").content.startswith(b"%PDF-")
    assert asked(own, "/xlsx?since=gestern").status_code == 422
