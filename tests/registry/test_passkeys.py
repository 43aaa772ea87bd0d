"""Approvals by passkey: real bytes of an authenticator, and every way in which they are for something else."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from registry_samples import claims_json
from software_authenticator import PRESENT, VERIFIED, SoftwareAuthenticator, encoded

from ledger.canonical import canonical
from ledger.ids import new_id
from registry.approval import TYP
from registry.base64url import from_base64url
from registry.errors import EvidenceError
from registry.passkeys import Assertion, Passkey
from registry.statements import (
    RegisteredKey,
    asserted_statement,
    asserted_typ,
    challenge_of,
    open_statement,
    sign_statement,
)

RP, ORIGIN = "approve.yinxin.example", "https://approve.yinxin.example"
KEY_ID = new_id("pky")


@pytest.fixture
def authenticator() -> SoftwareAuthenticator:
    return SoftwareAuthenticator(RP, ORIGIN)


def registered(authenticator: SoftwareAuthenticator, *, passkey: bool = True) -> RegisteredKey:
    return RegisteredKey(
        id=KEY_ID,
        kind="person",
        holder="per-" + "a" * 26,
        public_key=authenticator.public_key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo),
        valid_from=datetime.min.replace(tzinfo=UTC),
        valid_until=None,
        passkey=Passkey(rp_id=RP, origin=ORIGIN, credential_id=encoded(authenticator.credential_id))
        if passkey
        else None,
    )


def assertion(given: dict[str, Any]) -> Assertion:
    response = given["response"]
    return Assertion(
        authenticator_data=from_base64url(response["authenticatorData"]),
        client_data=from_base64url(response["clientDataJSON"]),
        signature=from_base64url(response["signature"]),
    )


def signed(authenticator: SoftwareAuthenticator, payload: dict[str, Any], *, typ: str = TYP) -> str:
    made = assertion(authenticator.sign(challenge_of(payload, typ=typ)))
    return asserted_statement(payload, typ=typ, kid=KEY_ID, assertion=made)


def refused(statement: str, key: RegisteredKey, *, typ: str = TYP) -> EvidenceError:
    with pytest.raises(EvidenceError) as caught:
        open_statement(statement, typ=typ, find_key=lambda _: key)
    return caught.value


def test_a_passkey_signs_a_statement(authenticator: SoftwareAuthenticator) -> None:
    opened = open_statement(signed(authenticator, claims_json()), typ=TYP, find_key=lambda _: registered(authenticator))
    assert opened.payload == claims_json()
    assert opened.key.id == KEY_ID


def test_the_challenge_is_fixed_for_good() -> None:
    """As basenc, tr and sha256sum give it."""
    assert challenge_of({"a": "甲", "v": 1}, typ=TYP).hex() == (
        "fd892e6e4ce55c4e135b80692cfcf23659ba71f1ff014955a6fc056266c29e65"
    )


BENT: dict[str, tuple[Callable[[SoftwareAuthenticator], None], str]] = {
    "signing in": (lambda it: setattr(it, "rp_id", "yinxin.example"), "rpIdHash"),
    "another page": (lambda it: setattr(it, "origin", "https://yinxin.example"), "origin"),
    "another port": (lambda it: setattr(it, "origin", ORIGIN + ":444"), "origin"),
    "not verified": (lambda it: setattr(it, "flags", PRESENT), "user verified"),
    "not present": (lambda it: setattr(it, "flags", VERIFIED), "user present"),
    "registering": (lambda it: it.client.update(type="webauthn.create"), "type"),
    "in a frame": (lambda it: it.client.update(crossOrigin=True), "crossOrigin"),
    "crossOrigin as text": (lambda it: it.client.update(crossOrigin="false"), "crossOrigin"),
    "crossOrigin as a number": (lambda it: it.client.update(crossOrigin=1), "crossOrigin"),
    "in a named frame": (lambda it: it.client.update(topOrigin="https://evil.example"), "topOrigin"),
    "no challenge": (lambda it: it.client.update(challenge=None), "challenge"),
}


@pytest.mark.parametrize("name", BENT)
def test_an_assertion_for_something_else_is_refused(authenticator: SoftwareAuthenticator, name: str) -> None:
    bend, wrong = BENT[name]
    bend(authenticator)
    error = refused(signed(authenticator, claims_json()), registered(authenticator))
    assert error.code == "assertion-refused"
    assert wrong in error.en


def test_an_assertion_for_another_statement_is_refused(authenticator: SoftwareAuthenticator) -> None:
    made = assertion(authenticator.sign(challenge_of(claims_json(), typ=TYP)))
    other = claims_json() | {"case_number": "另一件"}
    error = refused(asserted_statement(other, typ=TYP, kid=KEY_ID, assertion=made), registered(authenticator))
    assert (error.code, "challenge" in error.en) == ("assertion-refused", True)


def test_an_approval_is_no_decision_on_a_proposal(authenticator: SoftwareAuthenticator) -> None:
    made = assertion(authenticator.sign(challenge_of(claims_json(), typ=TYP)))
    typ = "yinxin-decision+jws"
    statement = asserted_statement(claims_json(), typ=typ, kid=KEY_ID, assertion=made)
    assert refused(statement, registered(authenticator), typ=typ).code == "assertion-refused"
    assert refused(signed(authenticator, claims_json()), registered(authenticator), typ=typ).code == (
        "statement-header-refused"
    )


def test_the_signature_of_another_passkey_is_refused(authenticator: SoftwareAuthenticator) -> None:
    other = SoftwareAuthenticator(RP, ORIGIN)
    assert refused(signed(other, claims_json()), registered(authenticator)).code == "statement-signature-wrong"


def test_changed_authenticator_data_is_refused(authenticator: SoftwareAuthenticator) -> None:
    made = assertion(authenticator.sign(challenge_of(claims_json(), typ=TYP)))
    for data in (made.authenticator_data[:-1] + b"\xff", made.authenticator_data + b"\0"):
        changed = Assertion(authenticator_data=data, client_data=made.client_data, signature=made.signature)
        statement = asserted_statement(claims_json(), typ=TYP, kid=KEY_ID, assertion=changed)
        assert refused(statement, registered(authenticator)).code == "statement-signature-wrong"


def test_a_passkey_signs_no_plain_jws_and_a_plain_key_asserts_nothing(authenticator: SoftwareAuthenticator) -> None:
    plain = sign_statement(claims_json(), typ=TYP, kid=KEY_ID, key=authenticator.key)
    assert refused(plain, registered(authenticator)).code == "statement-key-other-kind"
    by_passkey = signed(authenticator, claims_json())
    assert refused(by_passkey, registered(authenticator, passkey=False)).code == "statement-key-other-kind"


@pytest.mark.parametrize(
    "third",
    [
        b"",
        b"{}",
        b"[]",
        b"\xff",
        b'{"authenticator_data":"","client_data":"","signature":""}',
        b'{"authenticator_data":"AA","client_data":"e30","signature":"AA"}',
        b'{"authenticator_data":"AA==","client_data":"e30","signature":"AA"}',
        b'{"authenticator_data":"AA","client_data":"e30","extra":"","signature":"AA"}',
        b'{"client_data":"e30","authenticator_data":"AA","signature":"AA"}',
        canonical({"authenticator_data": "A" * 50, "client_data": encoded(b'{"type":1,"type":2}'), "signature": "AA"}),
        canonical({"authenticator_data": "A" * 50, "client_data": encoded(b"[" * 5000), "signature": "AA"}),
        canonical({"authenticator_data": "A" * 50, "client_data": 5, "signature": "AA"}),
    ],
    ids=range(12),
)
def test_what_is_no_assertion_is_refused(authenticator: SoftwareAuthenticator, third: bytes) -> None:
    head, payload, _ = signed(authenticator, claims_json()).split(".")
    assert refused(f"{head}.{payload}.{encoded(third)}", registered(authenticator)).code == "assertion-malformed"


def test_the_typ_of_a_passkey() -> None:
    assert asserted_typ(TYP) == "yinxin-approval+webauthn"
