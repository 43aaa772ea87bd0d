"""One-time codes, recovery and closing: once, for one person, in time, and told."""

from datetime import timedelta

import pytest
from account_world import MINUTE, PASSWORD, SECOND, AccountWorld, at_once, both

from accounts import enrolment
from accounts.answers import GONE, NO, SignedIn
from accounts.codes import LIFETIME, waiting_enrolment
from accounts.enrolment import HOLD, Recovered
from accounts.errors import AccountError, ChoiceError, EnrolmentError, StateError
from accounts.events import KINDS
from accounts.store import approvals_held
from ledger.ids import new_id

NEW = "千里江陵一日还 5678"


def invite(world: AccountWorld, person: str, purpose: str = "open") -> str:
    return enrolment.invite(world.desk, person, purpose, by=world.administrator, now=world.now)


def opened(world: AccountWorld, code: str, name: str = "li.hong") -> str:
    return enrolment.open_account(world.desk, code, name, password=PASSWORD, now=world.now)


def recovered(world: AccountWorld, code: str) -> Recovered:
    return enrolment.recover(world.desk, code, password=NEW, now=world.now)


def held(world: AccountWorld, person: str) -> bool:
    with world.database.read() as connection:
        return approvals_held(connection, person, world.now)


@both
def test_a_code_opens_the_account_of_its_person_once(world: AccountWorld) -> None:
    person = new_id("per")
    code = invite(world, person)
    assert opened(world, f"  {code.lower().replace('-', ' ')} ") == person
    assert isinstance(world.enter(), SignedIn)
    with pytest.raises(EnrolmentError):
        opened(world, code, "another")
    assert world.entries("account.invited") == [{"person": person, "by": world.administrator, "purpose": "open"}]
    assert world.entries("account.opened") == [{"person": person, "by": world.administrator}]
    assert not held(world, person)


def test_a_code_lives_72_hours(world: AccountWorld) -> None:
    code = invite(world, new_id("per"))
    world.now += LIFETIME - SECOND
    with world.database.read() as connection:
        assert waiting_enrolment(connection, code, world.now) is not None
        assert waiting_enrolment(connection, code, world.now + SECOND) is None
    world.now += SECOND
    with pytest.raises(EnrolmentError):
        opened(world, code)


def test_a_new_code_ends_the_one_before(world: AccountWorld) -> None:
    person = new_id("per")
    first, second = invite(world, person), invite(world, person)
    with pytest.raises(EnrolmentError):
        opened(world, first)
    assert opened(world, second) == person


@pytest.mark.parametrize("code", ["", "AAAAA-AAAAA-AAAAA-AAAAA-AAAAA-A", "\ud800", "\x00"])
def test_what_is_no_code(world: AccountWorld, code: str) -> None:
    invite(world, new_id("per"))
    with pytest.raises(EnrolmentError) as refused:
        opened(world, code)
    assert not code or code not in str(refused.value)


def test_a_code_is_for_one_purpose(world: AccountWorld) -> None:
    person = world.person()
    with pytest.raises(EnrolmentError):
        opened(world, invite(world, person, "recover"), "another")
    with pytest.raises(EnrolmentError):
        recovered(world, invite(world, new_id("per")))


def test_an_invitation_fits_the_state(world: AccountWorld) -> None:
    with pytest.raises(StateError) as already:
        invite(world, world.person())
    assert already.value.code == "account-open-already"
    with pytest.raises(StateError) as none:
        invite(world, new_id("per"), "recover")
    assert none.value.code == "account-not-open"


@pytest.mark.parametrize("name", ["LI.HONG", "ｌｉ．ｈｏｎｇ", "li. hong"])
def test_a_taken_name_is_refused_and_the_code_stays_good(world: AccountWorld, name: str) -> None:
    world.person("li.hong")
    code = invite(world, new_id("per"))
    with pytest.raises(ChoiceError) as taken:
        opened(world, code, name)
    assert taken.value.code == "sign-in-name-taken"
    opened(world, code, "wang.wu")


@pytest.mark.parametrize("name", ["", " ", "a", "x" * 65, "lі.hong", "a\u202eb", "li\x00hong"])
def test_names_that_mislead_are_refused(world: AccountWorld, name: str) -> None:
    with pytest.raises(ChoiceError) as refused:
        opened(world, invite(world, new_id("per")), name)
    assert refused.value.code == "sign-in-name-refused"


def test_a_weak_password_leaves_the_code_good(world: AccountWorld) -> None:
    code = invite(world, new_id("per"))
    with pytest.raises(ChoiceError):
        enrolment.open_account(world.desk, code, "li.hong", password="password1234", now=world.now)
    opened(world, code)


@both
def test_of_two_at_once_one_has_the_code(world: AccountWorld) -> None:
    code = invite(world, new_id("per"))
    done = at_once(lambda: opened(world, code, "one.name"), lambda: opened(world, code, "other.name"))
    assert sum(isinstance(each, EnrolmentError) for each in done) == 1
    assert world.scalar("SELECT count(*) FROM accounts") == 1


@both
def test_of_two_at_once_one_has_the_name(world: AccountWorld) -> None:
    codes = [invite(world, new_id("per")) for _ in range(2)]
    done = at_once(lambda: opened(world, codes[0]), lambda: opened(world, codes[1]))
    refused = [each for each in done if isinstance(each, AccountError)]
    assert [each.code for each in refused] == ["sign-in-name-taken"]
    assert world.scalar("SELECT count(*) FROM accounts") == 1


@both
def test_recovery_takes_every_other_way_in_away_and_holds_approvals(world: AccountWorld) -> None:
    person = world.person()
    app, device = world.app_of(person), world.passkey_of(person)
    session = world.touch(device)
    half = world.enter()
    done = recovered(world, invite(world, person, "recover"))
    assert (done.person, done.code_by) == (person, world.administrator)
    assert (done.sessions_closed, done.passkeys_removed, done.totp_removed) == (1, 1, True)
    assert world.enter() == NO
    assert world.touch(device).code == "passkey-unknown"
    assert world.code(half.handle, app.at(world.now)) == GONE
    with pytest.raises(AssertionError):
        world.session(session)
    assert isinstance(world.enter(password=NEW), SignedIn)
    (entry,) = world.entries("account.recovered")
    assert (entry["person"], entry["by"]) == (person, world.administrator)
    assert held(world, person)
    world.now += HOLD - SECOND
    assert held(world, person)
    world.now += SECOND
    assert not held(world, person)


def test_recovery_lifts_the_lock(world: AccountWorld) -> None:
    person = world.person()
    for _ in range(5):
        world.enter(password="not this one")
    recovered(world, invite(world, person, "recover"))
    assert isinstance(world.enter(password=NEW), SignedIn)


def test_of_two_recoveries_at_once_one_is_done(world: AccountWorld) -> None:
    code = invite(world, world.person(), "recover")
    done = at_once(*[lambda: recovered(world, code)] * 2)
    assert sorted(type(each).__name__ for each in done) == ["EnrolmentError", "Recovered"]


def test_closing_ends_every_way_in_and_is_an_entry(world: AccountWorld) -> None:
    person = world.person()
    device = world.passkey_of(person)
    world.session(world.touch(device))
    code = invite(world, person, "recover")
    enrolment.close_account(world.desk, person, by=world.administrator, now=world.now)
    assert world.enter() == NO
    assert world.touch(device).code == "passkey-unknown"
    with pytest.raises(EnrolmentError):
        recovered(world, code)
    assert world.scalar("SELECT count(*) FROM sessions") == 0
    assert world.entries("account.closed") == [{"person": person, "by": world.administrator}]
    with pytest.raises(StateError):
        enrolment.close_account(world.desk, person, by=world.administrator, now=world.now)


def test_closing_and_opening_is_no_way_round_the_hold(world: AccountWorld) -> None:
    person = world.person()
    enrolment.close_account(world.desk, person, by=world.administrator, now=world.now)
    world.now += MINUTE
    assert opened(world, invite(world, person)) == person
    assert held(world, person)
    world.now += timedelta(days=1)
    assert not held(world, person)


def test_no_code_stands_in_the_database_and_the_record_holds(world: AccountWorld, tmp_path) -> None:
    code = invite(world, new_id("per"))
    opened(world, code)
    stored = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()).upper()
    assert b"LI.HONG" in stored
    for form in (code, code.replace("-", "")):
        assert form.encode() not in stored
    assert world.desk.book.audit() == []


def test_entries_tell_no_name_and_no_address(world: AccountWorld) -> None:
    person = world.person()
    world.session(world.touch(world.passkey_of(person)))
    recovered(world, invite(world, person, "recover"))
    told = [(kind, entry) for kind in sorted(KINDS) for entry in world.entries(kind)]
    assert len(told) == 5
    assert {name for _, entry in told for name in entry} == {"person", "by", "purpose", "credential", "hold_until"}
