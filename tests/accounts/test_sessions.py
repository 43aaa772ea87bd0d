"""Sessions: how long they live, who may end them, and that only digests are stored."""

from dataclasses import replace
from datetime import timedelta

import pytest
from account_world import DESK_VISITOR, MINUTE, SECOND, AccountWorld, both

from accounts import sessions
from accounts.answers import SignedIn
from accounts.sessions import IDLE, LONGEST, csrf_fits, csrf_token, use_session
from accounts.visitors import Visitor


def token_of(world: AccountWorld, person: str, visitor: Visitor = DESK_VISITOR) -> str:
    with world.database.write() as connection:
        return sessions.open_session(connection, person, "password", visitor=visitor, now=world.now)


def alive(world: AccountWorld, token: str) -> bool:
    return use_session(world.database, token, world.now) is not None


def test_a_session_with_a_new_passkey_goes_on_under_another_token(world: AccountWorld) -> None:
    token = token_of(world, world.person())
    session = use_session(world.database, token, world.now)
    assert session is not None
    with world.database.write() as connection:
        proven = sessions.prove_session(connection, session, visitor=DESK_VISITOR, now=world.now)
    assert not alive(world, token)
    found = use_session(world.database, proven, world.now)
    assert found is not None
    assert (found.person, found.with_passkey) == (session.person, True)


@both
def test_a_session_ends_after_half_an_hour_without_use(world: AccountWorld) -> None:
    token = token_of(world, world.person())
    world.now += IDLE - SECOND
    assert alive(world, token)
    world.now += IDLE - SECOND
    assert alive(world, token)
    world.now += IDLE
    assert not alive(world, token)


def test_a_session_ends_after_twelve_hours_of_use(world: AccountWorld) -> None:
    token, end = token_of(world, world.person()), world.now + LONGEST
    while world.now < end:
        assert alive(world, token)
        world.now += timedelta(minutes=20)
    assert not alive(world, token)


def test_a_use_is_written_once_a_minute(world: AccountWorld) -> None:
    token = token_of(world, world.person())
    first = world.scalar("SELECT last_seen FROM sessions")
    world.now += MINUTE - SECOND
    assert alive(world, token)
    assert world.scalar("SELECT last_seen FROM sessions") == first
    world.now += SECOND
    assert alive(world, token)
    assert world.scalar("SELECT last_seen FROM sessions") > first


@pytest.mark.parametrize("token", ["", "x", "é", "\ud800", "A" * 43])
def test_another_token_is_nobodys(world: AccountWorld, token: str) -> None:
    token_of(world, world.person())
    assert not alive(world, token)


def test_only_ones_own_session_can_be_ended(world: AccountWorld) -> None:
    one, other = world.person(), world.person("wang.wu")
    token = token_of(world, one)
    with world.database.write() as connection:
        (found,) = sessions.sessions_of(connection, one, world.now)
        assert not sessions.close_session(connection, other, found.id)
        assert not sessions.close_session(connection, one, "no hex")
    assert alive(world, token)
    with world.database.write() as connection:
        assert sessions.close_session(connection, one, found.id)
    assert not alive(world, token)


def test_all_sessions_of_one_person_end_and_no_others(world: AccountWorld) -> None:
    one, other = world.person(), world.person("wang.wu")
    tokens, kept = [token_of(world, one) for _ in range(3)], token_of(world, other)
    with world.database.write() as connection:
        assert sessions.close_all(connection, one) == 3
    assert not any(alive(world, each) for each in tokens)
    assert alive(world, kept)


def test_lapsed_sessions_are_deleted_when_one_is_opened(world: AccountWorld) -> None:
    person = world.person()
    token_of(world, person)
    world.now += LONGEST
    token_of(world, person)
    assert world.scalar("SELECT count(*) FROM sessions") == 1


def test_a_csrf_token_is_of_one_session(world: AccountWorld) -> None:
    world.person()
    first, second = world.session(world.enter()), world.session(world.enter())
    assert csrf_fits(first, csrf_token(first))
    for wrong in (csrf_token(second), "", "é", "\ud800", csrf_token(first)[:-1]):
        assert not csrf_fits(first, wrong)
    assert not csrf_fits(replace(first, id=second.id), csrf_token(first))


def test_what_a_browser_says_is_cut_and_made_plain(world: AccountWorld) -> None:
    token_of(world, world.person(), Visitor(address="1" * 500, browser="a\x00b\u202ec\n" + "d" * 500))
    assert len(world.scalar("SELECT address FROM sessions")) == 64
    assert world.scalar("SELECT browser FROM sessions").startswith("abcd")
    assert len(world.scalar("SELECT browser FROM sessions")) == 200


def test_a_session_does_not_show_its_secret(world: AccountWorld) -> None:
    world.person()
    answer = world.enter()
    assert isinstance(answer, SignedIn)
    assert answer.token not in repr(answer)
    assert "csrf_secret" not in repr(world.session(answer))
