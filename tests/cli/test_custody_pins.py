"""Keys are listed to the custody process by its operator, from what their holders show."""

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tests.cli.conftest import Desk

KEY, PERSON = "pky-" + "a" * 26, "per-" + "b" * 26


def pem(curve: ec.EllipticCurve) -> bytes:
    public = ec.generate_private_key(curve).public_key()
    return public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def adding(desk: Desk, content: bytes, key_id: str = KEY, holder: str = PERSON) -> tuple[object, ...]:
    return ("custody-pin", "add", key_id, "--holder", holder, "--key", desk.write("k.pem", content))


def test_a_key_is_listed_shown_and_taken_away(desk):
    made = desk.json(*adding(desk, pem(ec.SECP256R1())))
    assert (made["id"], made["holder"], made["how"]) == (KEY, PERSON, "listed")
    assert desk.json("custody-pin", "list") == [made]
    assert made["fingerprint"] in desk.run("custody-pin", "list").out
    assert desk.run("custody-pin", "remove", KEY).code == 0
    assert desk.json("custody-pin", "list") == []


def test_another_key_under_the_same_id_is_refused(desk):
    desk.json(*adding(desk, pem(ec.SECP256R1())))
    assert desk.error(*adding(desk, pem(ec.SECP256R1())))[1] == "pin"


@pytest.mark.parametrize(
    ("key_id", "holder", "code"),
    [("../x", PERSON, "id-malformed"), (KEY, "x", "id-malformed")],
    ids=["key", "holder"],
)
def test_what_is_no_id_is_refused(desk, key_id, holder, code):
    assert desk.error(*adding(desk, pem(ec.SECP256R1()), key_id, holder)) == (2, code)


def test_a_key_on_another_curve_lists_nothing(desk):
    assert desk.run(*adding(desk, pem(ec.SECP384R1()))).code != 0
    assert desk.json("custody-pin", "list") == []


def test_what_was_never_pinned_cannot_be_taken_away(desk):
    assert desk.run("custody-pin", "remove", KEY).code != 0
