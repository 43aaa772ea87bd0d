"""From a seal user's application to the principal's passkey to the seal, and the ways between that must not work."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from passkey_people import PasskeyHolder, with_passkey
from software_authenticator import encoded
from sqlalchemy import update
from world import COUNTY, START, World, build_world

from ledger.ids import new_id
from registry.base64url import from_base64url
from registry.errors import EvidenceError, RowTamperedError
from registry.passkeys import Assertion
from registry.records import Person, RoleAssignment
from sealing import applications
from sealing.approval_cases import waiting_case, waiting_cases
from sealing.audit import audit
from sealing.errors import ConflictError, NotAllowedError, OrderError
from sealing.foresight import foresee
from sealing.order import Caller, Order, Outcome
from sealing.passkey_approval import Asked, begin, finish
from sealing.pending_statements import LIFETIME, take
from sealing.reception import bring_approval, receive, waiting_submission
from sealing.rejection import reject, withdraw
from sealing.seal import Sealer
from sealing.tables import applications as table
from sealing.workshop import open_workshop


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    settings, plan = build_world(tmp_path / "data")
    with open_workshop(settings) as shop:
        made = plan.fill(shop)
        yield made
        assert audit(shop, START + timedelta(days=2)) == []


@pytest.fixture
def holder(world: World) -> PasskeyHolder:
    return with_passkey(world, world.staff[COUNTY].principal)


def caller(world: World) -> Caller:
    staff = world.staff[COUNTY]
    return Caller(client=staff.user, organs=(world.codes[COUNTY],), roles=("approval_system",))


def applied(world: World, folder: Path, **changed: object) -> tuple[str, Order]:
    order = world.order("city", **changed)
    submission = world.submit(order, world.document("city", order, folder), None)
    return receive(world.shop, submission, caller(world), START).id, order


def asked(world: World, application: str, person: str | None = None, **changed: object) -> Asked:
    values = {"confirms": (), "now": START} | changed
    return begin(
        world.shop,
        application,
        person=person or world.staff[COUNTY].principal,
        organ=world.codes[COUNTY],
        **values,  # type: ignore[arg-type]  # as begin takes them
    )


def handed_in(world: World, holder: PasskeyHolder, what: Asked, now: datetime = START) -> tuple[str, ...]:
    response = holder.authenticator.sign(what.challenge)["response"]
    assertion = Assertion(
        authenticator_data=from_base64url(response["authenticatorData"]),
        client_data=from_base64url(response["clientDataJSON"]),
        signature=from_base64url(response["signature"]),
    )
    statement = take(world.shop, what.handle, now)
    credential = encoded(holder.authenticator.credential_id)
    return finish(world.shop, statement, credential=credential, assertion=assertion, now=now)


def sealed(world: World, application: str) -> Outcome:
    submission = waiting_submission(world.shop, application, caller(world))
    return Sealer(world.shop, clock=lambda: START).seal(submission, caller(world), application=application)


def test_all_documents_of_a_case_are_approved_at_once_and_sealed_each(
    world: World, holder: PasskeyHolder, tmp_path: Path
) -> None:
    first, _ = applied(world, tmp_path, case_number="办件-1")
    second, _ = applied(world, tmp_path, case_number="办件-1", document_kind="notice")
    other, _ = applied(world, tmp_path, case_number="办件-2")
    with world.shop.database.read() as connection:
        cases = waiting_cases(connection, world.codes[COUNTY])
    assert sorted(sorted(each.id for each in case.applications) for case in cases) == sorted(
        [sorted([first, second]), [other]]
    )
    assert sorted(handed_in(world, holder, asked(world, second))) == sorted([first, second])
    for application in (first, second):
        outcome = sealed(world, application)
        assert outcome.state == "sealed", [each for each in outcome.findings if not each["passed"]]
    with world.shop.database.read() as connection:
        assert [each.first.id for each in waiting_cases(connection, world.codes[COUNTY])] == [other]


def test_a_handle_counts_once_and_for_five_minutes(world: World, holder: PasskeyHolder, tmp_path: Path) -> None:
    application, _ = applied(world, tmp_path)
    what = asked(world, application)
    with pytest.raises(OrderError) as refused:
        handed_in(world, holder, asked(world, application), START + LIFETIME)
    assert refused.value.code == "statement-handle-unknown"
    handed_in(world, holder, what)
    with pytest.raises(OrderError):
        handed_in(world, holder, what)


def test_whoever_holds_the_handle_cannot_sign_for_the_person(
    world: World, holder: PasskeyHolder, tmp_path: Path
) -> None:
    application, _ = applied(world, tmp_path)
    with pytest.raises(OrderError) as refused:
        handed_in(world, with_passkey(world, world.staff[COUNTY].user), asked(world, application))
    assert refused.value.code == "passkey-unknown"


def test_a_signature_for_something_else_attaches_nothing(world: World, holder: PasskeyHolder, tmp_path: Path) -> None:
    application, _ = applied(world, tmp_path)
    what = asked(world, application)
    with pytest.raises(EvidenceError) as refused:
        handed_in(world, holder, replace(what, challenge=b"x" * 32))
    assert refused.value.code == "assertion-refused"
    with world.shop.database.read() as connection:
        assert applications.get(connection, application).approval is None
        assert waiting_case(connection, world.codes[COUNTY], application).first.id == application


def test_what_was_withdrawn_meanwhile_is_approved_neither_alone_nor_with_others(
    world: World, holder: PasskeyHolder, tmp_path: Path
) -> None:
    first, _ = applied(world, tmp_path, case_number="办件-1")
    second, _ = applied(world, tmp_path, case_number="办件-1", document_kind="notice")
    what = asked(world, first)
    withdraw(world.shop, second, person=world.staff[COUNTY].user, reason="文书有误", now=START)
    with pytest.raises(ConflictError) as refused:
        handed_in(world, holder, what)
    assert refused.value.code == "application-not-waiting"
    with world.shop.database.read() as connection:
        assert applications.get(connection, first).approval is None


def test_rejected_is_for_good(world: World, holder: PasskeyHolder, tmp_path: Path) -> None:
    application, _ = applied(world, tmp_path)
    with pytest.raises(NotAllowedError):
        reject(world.shop, application, person=world.staff[COUNTY].user, reason="不符", now=START)
    for reason in ("", "  ", "长" * 501):
        with pytest.raises(OrderError):
            reject(world.shop, application, person=world.staff[COUNTY].principal, reason=reason, now=START)
    assert reject(world.shop, application, person=world.staff[COUNTY].principal, reason="不符", now=START).entry > 0
    for late in (
        lambda: asked(world, application),
        lambda: sealed(world, application),
        lambda: withdraw(world.shop, application, person=world.staff[COUNTY].user, reason="迟", now=START),
    ):
        with pytest.raises(ConflictError):
            late()


def test_an_application_put_back_by_sql_is_not_sealed(world: World, holder: PasskeyHolder, tmp_path: Path) -> None:
    application, _ = applied(world, tmp_path)
    reject(world.shop, application, person=world.staff[COUNTY].principal, reason="不符", now=START)
    changed = {"state": "waiting"}
    with world.shop.database.write() as connection:
        connection.execute(update(table).where(table.c.id == application).values(**changed))
    with pytest.raises(RowTamperedError, match="ended it"):
        handed_in(world, holder, asked(world, application))
    with pytest.raises(RowTamperedError, match="ended it"):
        bring_approval(world.shop, application, "x.y.z", caller(world), START)
    with pytest.raises(RowTamperedError, match="ended it"):
        sealed(world, application)
    with world.shop.database.write() as connection:
        restored = {"state": "rejected"}
        connection.execute(update(table).where(table.c.id == application).values(**restored))


def test_nobody_approves_their_own_application_or_without_the_role(
    world: World, holder: PasskeyHolder, tmp_path: Path
) -> None:
    staff = world.staff[COUNTY]
    application, _ = applied(world, tmp_path)
    with pytest.raises(NotAllowedError) as refused:
        asked(world, application, person=staff.custodian)
    assert refused.value.code == "not-a-principal"
    with world.shop.database.read() as connection:
        user = world.shop.registry.get(connection, Person, staff.user).record
    second = Person(id=new_id("per"), name="同一人的另一账号", natural_person=user.natural_person)
    role = RoleAssignment(
        id=new_id("rol"),
        person=second.id,
        organ=world.codes[COUNTY],
        role="principal",
        document="示例任〔2026〕2号",
        on_behalf_of=None,
        valid_from=START,
        valid_until=None,
    )
    world.put(second, role)
    with pytest.raises(NotAllowedError) as refused:
        asked(world, application, person=second.id)
    assert refused.value.code == "approving-own-application"


def test_without_a_passkey_nobody_is_asked(world: World, tmp_path: Path) -> None:
    application, _ = applied(world, tmp_path)
    with pytest.raises(NotAllowedError) as refused:
        asked(world, application)
    assert refused.value.code == "no-approval-passkey"


def test_a_deputy_approves_on_behalf_of_the_principal(world: World, tmp_path: Path) -> None:
    staff = world.staff[COUNTY]
    role = RoleAssignment(
        id=new_id("rol"),
        person=staff.custodian,
        organ=world.codes[COUNTY],
        role="deputy",
        document="授权书〔2026〕1号",
        on_behalf_of=staff.principal,
        valid_from=START,
        valid_until=START + timedelta(days=7),
    )
    world.put(role)
    deputy = with_passkey(world, staff.custodian)
    application, _ = applied(world, tmp_path)
    what = asked(world, application, person=staff.custodian)
    assert (what.claims.principal, what.claims.on_behalf_of) == (staff.custodian, staff.principal)
    handed_in(world, deputy, what)
    assert sealed(world, application).state == "sealed"
    with pytest.raises(NotAllowedError):
        asked(world, applied(world, tmp_path)[0], person=staff.custodian, now=START + timedelta(days=7))


def test_foresight_tells_what_only_waits_and_what_stands_in_the_way(world: World, tmp_path: Path) -> None:
    order = world.order("city")
    submission = world.submit(order, world.document("city", order, tmp_path), None)
    seen = foresee(world.shop, submission, caller(world), START)
    assert seen.obstacles == ()
    assert {each.code for each in seen.awaited} == {
        "principal_approved",
        "approval_fresh",
        "approval_assurance",
        "two_persons",
    }
    wrong = world.order("city", item={"list": "001-2", "number": 1})
    submission = world.submit(wrong, world.document("city", order, tmp_path), None)
    seen = foresee(world.shop, submission, caller(world), START)
    assert "item_listed" in {each.code for each in seen.obstacles}
    assert "item" in seen.to_confirm


def test_what_does_not_stand_in_the_document_can_be_confirmed(
    world: World, holder: PasskeyHolder, tmp_path: Path
) -> None:
    order = world.order("city")
    scan = world.document("city", world.order("city"), tmp_path)  # states another number
    submission = world.submit(order, scan, None)
    seen = foresee(world.shop, submission, caller(world), START)
    assert (seen.obstacles, seen.to_confirm) == ((), ("document_number",))
    application = receive(world.shop, submission, caller(world), START).id
    handed_in(world, holder, asked(world, application, confirms=seen.to_confirm))
    assert sealed(world, application).state == "sealed"
