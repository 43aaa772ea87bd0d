"""Signing in: every way to the session, every refusal in the history, and the lock."""

from datetime import timedelta

import pyotp
import pytest
from account_world import DESK_VISITOR, MINUTE, PASSWORD, SECOND, AccountWorld, at_once, both, challenge_of
from sqlalchemy import text

from accounts import ceremonies, sign_in, totp
from accounts.answers import GONE, NO, WRONG_CODE, Refused, SecondFactor, SignedIn
from accounts.enrolment import close_account
from accounts.password_change import change_password
from accounts.passwords import Passwords
from accounts.tries import FREE, lock_after

NEW = "千里江陵一日还 5678"


def failed(world: AccountWorld) -> int:
    return int(world.scalar("SELECT failed FROM accounts"))


@both
def test_name_and_password_open_a_session(world: AccountWorld) -> None:
    person = world.person()
    session = world.session(world.enter("ＬＩ．Hong"))
    assert (session.person, session.factors, session.with_passkey) == (person, "password", False)
    assert (session.address, session.browser) == (DESK_VISITOR.address, DESK_VISITOR.browser)
    assert world.outcomes(person) == [("password", "signed-in")]


def test_the_visitor_cannot_tell_unknown_wrong_and_locked(world: AccountWorld) -> None:
    person = world.person()
    assert world.enter("nobody") == NO
    assert [world.enter(password="not this one") for _ in range(FREE)] == [NO] * FREE
    assert world.enter() == NO
    assert world.outcomes(person) == [("password", "wrong")] * FREE + [("password", "locked")]
    assert world.scalar("SELECT count(*) FROM sign_ins WHERE person IS NULL AND outcome = 'unknown'") == 1


@both
def test_a_failure_is_committed_for_another_process_to_see(world: AccountWorld) -> None:
    world.person()
    world.enter(password="not this one")
    with world.database.engine.connect() as other:
        assert other.execute(text("SELECT failed FROM accounts")).scalar_one() == 1
        assert other.execute(text("SELECT outcome FROM sign_ins")).scalar_one() == "wrong"


@pytest.mark.parametrize(
    ("failures", "minutes"), [(4, 0), (5, 1), (6, 2), (7, 4), (8, 8), (9, 16), (10, 32), (11, 60), (12, 60), (9999, 60)]
)
def test_the_lock_doubles_up_to_an_hour(world: AccountWorld, failures: int, minutes: int) -> None:
    lock = lock_after(failures, world.now)
    assert lock == (world.now + timedelta(minutes=minutes) if minutes else None)


def test_the_lock_ends_and_success_clears(world: AccountWorld) -> None:
    world.person()
    for _ in range(FREE):
        world.enter(password="not this one")
    world.now += MINUTE - SECOND
    assert world.enter() == NO
    world.now += SECOND
    assert world.enter(password="not this one") == NO
    world.now += MINUTE
    assert world.enter() == NO
    world.now += MINUTE
    assert isinstance(world.enter(), SignedIn)
    assert failed(world) == 0
    assert world.enter(password="not this one") == NO
    assert isinstance(world.enter(), SignedIn)


@both
def test_tries_at_the_same_time_do_not_outrun_the_count(world: AccountWorld) -> None:
    person = world.person()
    assert at_once(*[lambda: world.enter(password="not this one")] * 12) == [NO] * 12
    outcomes = [outcome for _, outcome in world.outcomes(person)]
    assert sorted(outcomes) == ["locked"] * 7 + ["wrong"] * 5
    assert failed(world) == FREE


def test_a_closed_account_is_as_unknown(world: AccountWorld) -> None:
    person = world.person()
    close_account(world.desk, person, by=world.administrator, now=world.now)
    assert world.enter() == NO
    assert world.outcomes(person) == []


def test_a_code_is_asked_for_where_there_is_one(world: AccountWorld) -> None:
    person = world.person()
    app = world.app_of(person)
    step = world.enter()
    assert isinstance(step, SecondFactor)
    assert (step.methods, step.options, step.refusal) == (("totp",), None, None)
    assert world.scalar("SELECT count(*) FROM sessions") == 0
    session = world.session(world.code(step.handle, app.at(world.now)))
    assert session.factors == "password+totp"
    assert world.outcomes(person) == [("password", "half-way"), ("totp", "signed-in")]


def test_a_wrong_code_is_told_and_asked_again(world: AccountWorld) -> None:
    app = world.app_of(world.person())
    step = world.enter()
    again = world.code(step.handle, "000000")
    assert isinstance(again, SecondFactor)
    assert again.refusal == WRONG_CODE
    assert world.code(step.handle, app.at(world.now)) == GONE
    assert isinstance(world.code(again.handle, app.at(world.now)), SignedIn)


def test_codes_cannot_be_guessed_on_with_the_right_password(world: AccountWorld) -> None:
    """The password step takes back its own count only: it does not clear what wrong codes have added."""
    person = world.person()
    app = world.app_of(person)
    answers = [world.code(world.enter().handle, "000000") for _ in range(FREE)]
    assert answers[-1] == NO
    assert world.enter() == NO
    assert [each for each in world.outcomes(person) if each[0] == "totp"] == [("totp", "wrong")] * FREE
    world.now += MINUTE
    step = world.enter()
    assert isinstance(world.code(step.handle, app.at(world.now)), SignedIn)


def test_a_lock_that_comes_between_holds_the_code_too(world: AccountWorld) -> None:
    app = world.app_of(world.person())
    step = world.enter()
    for _ in range(FREE):
        world.enter(password="not this one")
    assert world.code(step.handle, app.at(world.now)) == NO


def test_a_handle_serves_one_of_two_at_once_and_five_minutes(world: AccountWorld) -> None:
    app = world.app_of(world.person())
    step = world.enter()
    answers = at_once(*[lambda: world.code(step.handle, app.at(world.now))] * 2)
    assert sorted(type(each).__name__ for each in answers) == ["Refused", "SignedIn"]
    late = world.enter()
    world.now += 5 * MINUTE
    assert world.code(late.handle, app.at(world.now)) == GONE
    assert world.code("no handle", app.at(world.now)) == GONE


def test_a_passkey_alone_signs_in_also_while_passwords_are_locked(world: AccountWorld) -> None:
    person = world.person()
    device = world.passkey_of(person)
    for _ in range(FREE):
        world.enter(password="not this one")
    session = world.session(world.touch(device))
    assert (session.person, session.factors, session.with_passkey) == (person, "passkey", True)
    assert failed(world) == 0


def test_either_second_factor_serves(world: AccountWorld) -> None:
    person = world.person()
    app, device = world.app_of(person), world.passkey_of(person)
    step = world.enter()
    assert step.methods == ("passkey", "totp")
    answer = world.answer(step.handle, device.sign(challenge_of(step.options)))
    assert world.session(answer).factors == "password+passkey"
    assert world.session(world.code(world.enter().handle, app.at(world.now))).factors == "password+totp"


def test_whoever_must_have_a_passkey_cannot_do_with_a_code(world: AccountWorld) -> None:
    person = world.person()
    world.principals.add(person)
    app = world.app_of(person)
    first = world.enter()
    answer = world.code(first.handle, app.at(world.now))
    assert answer.must_add_passkey
    device = world.passkey_of(person)
    step = world.enter()
    assert step.methods == ("passkey",)
    world.now += MINUTE
    assert world.code(step.handle, app.at(world.now)) == GONE
    step = world.enter()
    answer = world.answer(step.handle, device.sign(challenge_of(step.options)))
    assert isinstance(answer, SignedIn)
    assert not answer.must_add_passkey


def test_another_persons_passkey_is_no_second_factor(world: AccountWorld) -> None:
    one, other = world.person(), world.person("wang.wu")
    world.passkey_of(one)
    strange = world.passkey_of(other)
    step = world.enter()
    answer = world.answer(step.handle, strange.sign(challenge_of(step.options)))
    assert isinstance(answer, Refused)
    assert answer.code == "passkey-unknown"
    assert world.outcomes(one)[-1] == ("passkey", "refused")


def test_an_answer_for_adding_is_none_for_signing_in(world: AccountWorld) -> None:
    person = world.person()
    device = world.passkey_of(person)
    with world.database.write() as connection:
        adding = ceremonies.begin_registration(connection, world.desk, person, world.now)
    assert world.answer(adding.handle, device.sign(challenge_of(adding.options))) == GONE


def test_a_count_that_went_back_is_refused_and_told(world: AccountWorld) -> None:
    person = world.person()
    device = world.passkey_of(person)
    device.sign_count = 7
    assert isinstance(world.touch(device), SignedIn)
    device.sign_count = 6
    answer = world.touch(device)
    assert isinstance(answer, Refused)
    assert answer.code == "passkey-count-went-back"
    assert world.outcomes(person)[-1] == ("passkey", "count-went-back")
    device.sign_count = 8
    assert isinstance(world.touch(device), SignedIn)


def test_an_authenticator_that_does_not_count_serves(world: AccountWorld) -> None:
    device = world.passkey_of(world.person())
    for _ in range(2):
        device.sign_count = -1
        assert isinstance(world.touch(device), SignedIn)


def test_stronger_parameters_are_taken_on_at_the_next_sign_in(world: AccountWorld) -> None:
    world.person()
    before = world.scalar("SELECT password FROM accounts")
    world.desk = world.new_desk(passwords=Passwords(rounds=2, memory=16, lanes=1))
    assert isinstance(world.enter(), SignedIn)
    after = world.scalar("SELECT password FROM accounts")
    assert (before.split("$")[3], after.split("$")[3]) == ("m=8,t=1,p=1", "m=16,t=2,p=1")
    assert isinstance(world.enter(), SignedIn)


def test_changing_the_password_ends_the_other_sessions(world: AccountWorld) -> None:
    person = world.person()
    other, mine = world.enter(), world.session(world.enter())
    assert change_password(world.desk, mine, "not this one", new=NEW, now=world.now) == NO
    assert failed(world) == 1
    assert change_password(world.desk, mine, PASSWORD, new=NEW, now=world.now) is None
    assert world.enter() == NO
    assert isinstance(world.enter(password=NEW), SignedIn)
    with pytest.raises(AssertionError):
        world.session(other)
    assert world.entries("account.password_changed") == [{"person": person}]


def test_the_history_is_the_persons_own_and_a_year_long(world: AccountWorld) -> None:
    one, other = world.person(), world.person("wang.wu")
    world.enter()
    world.now += timedelta(days=367)
    world.enter("wang.wu")
    assert world.outcomes(one) == []
    assert world.outcomes(other) == [("password", "signed-in")]


def test_no_secret_stands_in_the_database_file(world: AccountWorld, tmp_path) -> None:
    person = world.person()
    with world.database.write() as connection:
        made = totp.begin_totp(connection, world.desk, person, world.now)
    app = pyotp.TOTP(made.secret)
    totp.confirm_totp(world.desk, person, made.handle, code=app.at(world.now), now=world.now)
    world.now += MINUTE
    world.enter("a password typed as name")
    step = world.enter()
    answer = sign_in.try_totp(world.desk, step.handle, app.at(world.now), visitor=DESK_VISITOR, now=world.now)
    assert isinstance(answer, SignedIn)
    stored = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    assert b"li.hong" in stored
    for secret in (PASSWORD, made.secret, made.handle, step.handle, answer.token, "a password typed as name"):
        assert secret.encode() not in stored
