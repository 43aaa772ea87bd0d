"""Codes of RFC 6238: its vectors, drift, one use each, and that the secret is stored encrypted."""

from datetime import UTC, datetime, timedelta

import pyotp
import pytest
from account_world import MINUTE, AccountWorld, both

from accounts import totp
from accounts.errors import ChoiceError, SecretError, StateError
from accounts.secrets import AccountSecrets
from accounts.store import account_of
from ledger.ids import new_id

STEP = timedelta(seconds=30)


def use(world: AccountWorld, person: str, code: str) -> bool:
    with world.database.write() as connection:
        account = account_of(connection, person, lock=True)
        assert account is not None
        return totp.use_code(connection, world.desk, account, code, world.now)


@pytest.mark.parametrize(("seconds", "code"), [(59, "287082"), (1111111109, "081804"), (20000000000, "353130")])
def test_the_vectors_of_the_standard(seconds: int, code: str) -> None:
    """RFC 6238, appendix B, SHA-1, the last six digits."""
    secret = b"GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
    assert totp._step(secret, code, datetime.fromtimestamp(seconds, UTC)) == seconds // 30


@pytest.mark.parametrize(("steps", "fits"), [(-2, False), (-1, True), (0, True), (1, True), (2, False)])
def test_one_step_of_drift(world: AccountWorld, steps: int, fits: bool) -> None:
    person = world.person()
    app = world.app_of(person)
    assert use(world, person, app.at(world.now + steps * STEP)) is fits


@both
def test_a_step_opens_once_and_none_before_it(world: AccountWorld) -> None:
    person = world.person()
    app = world.app_of(person)
    code, before = app.at(world.now), app.at(world.now - STEP)
    assert use(world, person, code)
    assert not use(world, person, code)
    assert not use(world, person, before)
    world.now += STEP
    assert use(world, person, app.at(world.now))


def test_the_confirming_code_is_used_up(world: AccountWorld) -> None:
    person = world.person()
    with world.database.write() as connection:
        made = totp.begin_totp(connection, world.desk, person, world.now)
    code = pyotp.TOTP(made.secret).at(world.now)
    totp.confirm_totp(world.desk, person, made.handle, code=code, now=world.now)
    assert not use(world, person, code)


@pytest.mark.parametrize("code", ["", "12345", "1234567", "abcdef", "１２３４５６", "-12345", "12 34 5x"])
def test_what_is_no_code(world: AccountWorld, code: str) -> None:
    person = world.person()
    world.app_of(person)
    assert not use(world, person, code)


def test_a_code_may_be_typed_with_a_gap(world: AccountWorld) -> None:
    person = world.person()
    code = world.app_of(person).at(world.now)
    assert use(world, person, f" {code[:3]} {code[3:]}")


def test_a_wrong_confirmation_keeps_nothing_and_ends_the_attempt(world: AccountWorld) -> None:
    person = world.person()
    with world.database.write() as connection:
        made = totp.begin_totp(connection, world.desk, person, world.now)
    right = pyotp.TOTP(made.secret).at(world.now)
    wrong = f"{(int(right) + 1) % 1_000_000:06}"
    for code in (wrong, right):
        with pytest.raises(ChoiceError) as refused:
            totp.confirm_totp(world.desk, person, made.handle, code=code, now=world.now)
        assert refused.value.code == "totp-not-confirmed"
    assert world.scalar("SELECT count(*) FROM accounts WHERE totp IS NOT NULL") == 0
    assert world.entries("account.totp_added") == []


def test_somebody_else_cannot_confirm(world: AccountWorld) -> None:
    person, other = world.person(), world.person("wang.wu")
    with world.database.write() as connection:
        made = totp.begin_totp(connection, world.desk, person, world.now)
    with pytest.raises(ChoiceError):
        totp.confirm_totp(world.desk, other, made.handle, code=pyotp.TOTP(made.secret).at(world.now), now=world.now)


def test_after_five_minutes_there_is_nothing_to_confirm(world: AccountWorld) -> None:
    person = world.person()
    with world.database.write() as connection:
        made = totp.begin_totp(connection, world.desk, person, world.now)
    world.now += 5 * MINUTE
    with pytest.raises(ChoiceError):
        totp.confirm_totp(world.desk, person, made.handle, code=pyotp.TOTP(made.secret).at(world.now), now=world.now)


def test_the_uri_names_the_account_for_the_app(world: AccountWorld) -> None:
    person = world.person()
    with world.database.write() as connection:
        made = totp.begin_totp(connection, world.desk, person, world.now)
    read = pyotp.parse_uri(made.uri)
    assert (read.secret, read.name, read.issuer, read.digits) == (made.secret, "li.hong", "印信", 6)


def test_removing_is_an_entry_and_ends_it(world: AccountWorld) -> None:
    person = world.person()
    code = world.app_of(person).at(world.now)
    assert totp.remove_totp(world.desk, person, world.now)
    assert not totp.remove_totp(world.desk, person, world.now)
    assert not use(world, person, code)
    assert world.entries("account.totp_added") == [{"person": person}]
    assert world.entries("account.totp_removed") == [{"person": person}]


def test_nobody_without_an_account_gets_a_secret(world: AccountWorld) -> None:
    with world.database.write() as connection, pytest.raises(StateError):
        totp.begin_totp(connection, world.desk, new_id("per"), world.now)


def test_a_sealed_secret_is_of_one_person_purpose_and_installation() -> None:
    secrets = AccountSecrets(installation=bytes(32))
    sealed = secrets.seal(b"JBSWY3DPEHPK3PXP", person="per-a", purpose="totp")
    assert b"JBSWY3DPEHPK3PXP" not in sealed
    assert secrets.unseal(sealed, person="per-a", purpose="totp") == b"JBSWY3DPEHPK3PXP"
    others = [
        (secrets, sealed, "per-b", "totp"),
        (secrets, sealed, "per-a", "other"),
        (AccountSecrets(installation=b"\x01" * 32), sealed, "per-a", "totp"),
        (secrets, sealed[:-1] + bytes([sealed[-1] ^ 1]), "per-a", "totp"),
        (secrets, b"\x02" + sealed[1:], "per-a", "totp"),
        (secrets, sealed[:7], "per-a", "totp"),
        (secrets, b"", "per-a", "totp"),
    ]
    for reader, stored, person, purpose in others:
        with pytest.raises(SecretError):
            reader.unseal(stored, person=person, purpose=purpose)


def test_a_row_moved_to_another_person_opens_nothing(world: AccountWorld) -> None:
    person, other = world.person(), world.person("wang.wu")
    app = world.app_of(person)
    world.ledger.sql("UPDATE accounts SET totp = (SELECT totp FROM accounts WHERE person = :a)", a=person)
    with pytest.raises(SecretError):
        use(world, other, app.at(world.now))


def test_the_secret_has_32_bytes_and_is_not_shown() -> None:
    with pytest.raises(ValueError, match="expected 32"):
        AccountSecrets(installation=b"short")
    assert "installation" not in repr(AccountSecrets(installation=bytes(32)))


def test_the_secret_is_made_once_for_its_owner_only(tmp_path) -> None:
    path = tmp_path / "accounts.secret"
    made = AccountSecrets.open(path)
    assert AccountSecrets.open(path) == made
    assert path.stat().st_mode & 0o777 == 0o600
    assert AccountSecrets.open(tmp_path / "another.secret") != made
