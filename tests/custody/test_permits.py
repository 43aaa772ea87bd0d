"""Permits as they travel: one key, one message, once, briefly, on one connection of one boot."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from custody.permits import LIFETIME, PermitDesk, grant, read_secret
from keystore.interface import PermitError

NOW = datetime(2026, 11, 24, 9, tzinfo=UTC)
BOOT = "b" * 32
KEY = "file:seal-" + "0" * 32
MESSAGE = b"to be signed"


def made(desk: PermitDesk, *, boot: str = BOOT, now: datetime = NOW) -> dict[str, Any]:
    secret = read_secret(desk.secret_text())
    return dict(grant(secret, boot, key=KEY, purpose="seal", message=MESSAGE, now=now))


def test_a_permit_is_good_for_its_key_and_message_and_names_the_purpose() -> None:
    desk = PermitDesk(BOOT)
    assert desk.redeem(made(desk), KEY, MESSAGE, NOW) == "seal"


def test_a_replayed_permit_is_refused() -> None:
    desk = PermitDesk(BOOT)
    permit = made(desk)
    desk.redeem(permit, KEY, MESSAGE, NOW)
    with pytest.raises(PermitError, match="redeemed before"):
        desk.redeem(permit, KEY, MESSAGE, NOW + timedelta(seconds=1))


def test_a_number_is_remembered_as_long_as_its_permit_could_be_redeemed() -> None:
    desk = PermitDesk(BOOT)
    permit = made(desk)
    desk.redeem(permit, KEY, MESSAGE, NOW)
    desk.redeem(made(desk, now=NOW + LIFETIME), KEY, MESSAGE, NOW + LIFETIME)  # forgets what has lapsed
    with pytest.raises(PermitError, match="redeemed before"):
        desk.redeem(permit, KEY, MESSAGE, NOW + LIFETIME)


def test_a_permit_for_another_key_is_refused() -> None:
    desk = PermitDesk(BOOT)
    with pytest.raises(PermitError, match="for key"):
        desk.redeem(made(desk), KEY.replace("0", "1"), MESSAGE, NOW)


def test_a_permit_for_another_message_is_refused() -> None:
    desk = PermitDesk(BOOT)
    with pytest.raises(PermitError, match="digest"):
        desk.redeem(made(desk), KEY, MESSAGE + b".", NOW)


@pytest.mark.parametrize(
    "late", [timedelta(seconds=30, microseconds=1), timedelta(seconds=-5, microseconds=-1)], ids=["expired", "ahead"]
)
def test_a_permit_outside_its_time_is_refused(late: timedelta) -> None:
    desk = PermitDesk(BOOT)
    with pytest.raises(PermitError, match="30 seconds"):
        desk.redeem(made(desk), KEY, MESSAGE, NOW + late)


@pytest.mark.parametrize("name", ["key", "purpose", "message", "number", "issued", "boot", "mac"])
def test_a_permit_changed_in_any_member_is_refused(name: str) -> None:
    desk = PermitDesk(BOOT)
    permit = made(desk)
    permit[name] = permit[name][:-1] + ("0" if permit[name][-1] != "0" else "1")
    with pytest.raises(PermitError, match="not made on this connection"):
        desk.redeem(permit, permit["key"], MESSAGE, NOW)


def test_a_permit_of_another_connection_is_refused() -> None:
    permit = made(PermitDesk(BOOT))
    with pytest.raises(PermitError, match="not made on this connection"):
        PermitDesk(BOOT).redeem(permit, KEY, MESSAGE, NOW)


def test_a_permit_for_another_boot_is_refused() -> None:
    desk = PermitDesk(BOOT)
    with pytest.raises(PermitError, match="another start"):
        desk.redeem(made(desk, boot="c" * 32), KEY, MESSAGE, NOW)


@pytest.mark.parametrize("permit", [None, [], {}, {"key": KEY}, "text", 7], ids=str)
def test_what_is_no_permit_is_refused(permit: object) -> None:
    with pytest.raises(PermitError, match="without a permit"):
        PermitDesk(BOOT).redeem(permit, KEY, MESSAGE, NOW)


def test_members_that_are_no_text_are_refused() -> None:
    desk = PermitDesk(BOOT)
    with pytest.raises(PermitError, match="text"):
        desk.redeem({**made(desk), "number": 7}, KEY, MESSAGE, NOW)


@pytest.mark.parametrize("text", [None, 7, "", "AAAA", "*"], ids=str)
def test_what_is_no_secret_is_not_taken(text: object) -> None:
    with pytest.raises(ValueError, match=r"secret|base64|padding"):
        read_secret(text)
