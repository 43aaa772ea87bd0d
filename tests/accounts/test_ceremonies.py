"""Passkeys: real bytes of an authenticator, bent one by one."""

from base64 import urlsafe_b64encode
from dataclasses import replace
from hashlib import sha256

import pytest
from account_world import MINUTE, PLACE, AccountWorld, at_once, both, challenge_of
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from software_authenticator import PRESENT, VERIFIED, SoftwareAuthenticator

from accounts import ceremonies
from accounts.answers import GONE, Refused, SignedIn
from accounts.errors import AccountError, ChoiceError, PasskeyError, StateError
from accounts.passkeys import MOST, passkeys_of, remove_passkey


class RsaAuthenticator(SoftwareAuthenticator):
    """The same with RS256, as some computers' own authenticators have it."""

    def __init__(self) -> None:
        super().__init__(PLACE.rp_id, PLACE.origin)
        self.rsa = rsa.generate_private_key(65537, 2048)
        self.key = self

    def sign(self, *asked):
        if len(asked) == 1:
            return super().sign(*asked)
        return self.rsa.sign(asked[0], padding.PKCS1v15(), SHA256())

    def _cose(self) -> bytes:
        n = self.rsa.public_key().public_numbers().n.to_bytes(256)
        return b"\xa4\x01\x03\x03\x39\x01\x00\x20\x59\x01\x00" + n + b"\x21\x43\x01\x00\x01"


def device_at(rp_id: str = PLACE.rp_id, origin: str = PLACE.origin) -> SoftwareAuthenticator:
    return SoftwareAuthenticator(rp_id, origin)


def unverified(device: SoftwareAuthenticator) -> None:
    device.flags = PRESENT


def absent(device: SoftwareAuthenticator) -> None:
    device.flags = VERIFIED


def elsewhere(device: SoftwareAuthenticator) -> None:
    device.origin = "https://yinxin.example.evil.example"


def other_place(device: SoftwareAuthenticator) -> None:
    device.rp_id = "approve.yinxin.example"


def framed(device: SoftwareAuthenticator) -> None:
    device.client = {"crossOrigin": True}


def other_kind(device: SoftwareAuthenticator) -> None:
    device.client = {"type": "payment.get"}


def other_challenge(device: SoftwareAuthenticator) -> None:
    device.client = {"challenge": "AAAA"}


BENT = [unverified, absent, elsewhere, other_place, framed, other_kind, other_challenge]


@both
def test_a_passkey_is_kept_and_is_an_entry(world: AccountWorld) -> None:
    person = world.person()
    device = world.passkey_of(person, label=" 办公室  电脑 ")
    with world.database.read() as connection:
        (kept,) = passkeys_of(connection, person)
    assert (kept.credential, kept.label, kept.last_used) == (device.credential_id, "办公室 电脑", None)
    credential = "sha256:" + sha256(device.credential_id).hexdigest()
    assert world.entries("account.passkey_added") == [{"person": person, "credential": credential}]
    assert isinstance(world.touch(device), SignedIn)


def test_rs256_serves(world: AccountWorld) -> None:
    device = RsaAuthenticator()
    world.add(world.person(), device)
    assert isinstance(world.touch(device), SignedIn)


def test_what_the_browser_is_asked(world: AccountWorld) -> None:
    person = world.person()
    device = world.passkey_of(person)
    with world.database.write() as connection:
        options = ceremonies.begin_registration(connection, world.desk, person, world.now).options
    assert options["rp"]["id"] == PLACE.rp_id
    assert options["authenticatorSelection"]["userVerification"] == "required"
    assert options["authenticatorSelection"]["residentKey"] == "required"
    assert [each["alg"] for each in options["pubKeyCredParams"]] == [-7, -257]
    known = urlsafe_b64encode(device.credential_id).rstrip(b"=").decode()
    assert [each["id"] for each in options["excludeCredentials"]] == [known]
    assert options["attestation"] == "none"


@pytest.mark.parametrize("bend", BENT)
def test_a_bent_registration_is_refused_and_uses_the_challenge_up(world: AccountWorld, bend) -> None:
    person, device = world.person(), device_at()
    with world.database.write() as connection:
        began = ceremonies.begin_registration(connection, world.desk, person, world.now)
    honest = device.register(challenge_of(began.options), person.encode())
    bend(device)
    bent = device.register(challenge_of(began.options), person.encode())
    for answer, code in ((bent, "passkey-refused"), (honest, "challenge-gone")):
        with pytest.raises(PasskeyError) as refused:
            ceremonies.finish_registration(world.desk, person, began.handle, answer=answer, label="指纹", now=world.now)
        assert refused.value.code == code
    assert world.scalar("SELECT count(*) FROM account_passkeys") == 0


@pytest.mark.parametrize("bend", BENT)
def test_a_bent_sign_in_is_refused_and_uses_the_challenge_up(world: AccountWorld, bend) -> None:
    person = world.person()
    device = world.passkey_of(person)
    began = world.begin()
    honest = device.sign(challenge_of(began.options))
    bend(device)
    answer = world.answer(began.handle, device.sign(challenge_of(began.options)))
    assert isinstance(answer, Refused)
    assert answer.code == "passkey-refused"
    assert world.answer(began.handle, honest) == GONE
    assert world.outcomes(person) == [("passkey", "refused")]


def test_a_broken_signature_is_refused(world: AccountWorld) -> None:
    device = world.passkey_of(world.person())
    began = world.begin()
    answer = device.sign(challenge_of(began.options))
    answer["response"]["signature"] = device.sign(b"another")["response"]["signature"]
    assert world.answer(began.handle, answer).code == "passkey-refused"


@pytest.mark.parametrize("handle", [b"", b"per-aaaaaaaaaaaaaaaaaaaaaaaaaa"])
def test_the_authenticators_word_of_the_user_must_fit(world: AccountWorld, handle: bytes) -> None:
    device = world.passkey_of(world.person())
    device.user_handle = handle
    assert world.touch(device).code == "passkey-unknown"


def test_an_unknown_passkey_is_refused(world: AccountWorld) -> None:
    world.person()
    assert world.touch(device_at()).code == "passkey-unknown"


@pytest.mark.parametrize(
    "answer", [{}, {"id": "x"}, {"id": 1, "rawId": [], "type": None}, {"response": {}}, {"id": "x", "rawId": "%%%"}]
)
def test_answers_that_are_none(world: AccountWorld, answer) -> None:
    person = world.person()
    assert world.answer(world.begin().handle, answer).code == "passkey-refused"
    with world.database.write() as connection:
        began = ceremonies.begin_registration(connection, world.desk, person, world.now)
    with pytest.raises(PasskeyError):
        ceremonies.finish_registration(world.desk, person, began.handle, answer=answer, label="x", now=world.now)


@both
def test_of_two_at_once_one_has_the_challenge(world: AccountWorld) -> None:
    device = world.passkey_of(world.person())
    began = world.begin()
    answer = device.sign(challenge_of(began.options))
    answers = at_once(*[lambda: world.answer(began.handle, answer)] * 2)
    assert sorted(type(each).__name__ for each in answers) == ["Refused", "SignedIn"]
    assert GONE in answers


def test_a_challenge_lives_five_minutes(world: AccountWorld) -> None:
    device = world.passkey_of(world.person())
    began = world.begin()
    world.now += 5 * MINUTE
    assert world.answer(began.handle, device.sign(challenge_of(began.options))) == GONE


def test_a_registration_begun_for_one_cannot_be_finished_by_another(world: AccountWorld) -> None:
    one, other = world.person(), world.person("wang.wu")
    with world.database.write() as connection:
        began = ceremonies.begin_registration(connection, world.desk, one, world.now)
    answer = device_at().register(challenge_of(began.options), one.encode())
    with pytest.raises(PasskeyError) as refused:
        ceremonies.finish_registration(world.desk, other, began.handle, answer=answer, label="x", now=world.now)
    assert refused.value.code == "challenge-gone"


def test_a_credential_of_somebody_else_cannot_be_taken_over(world: AccountWorld) -> None:
    one, other = world.person(), world.person("wang.wu")
    device = world.passkey_of(one)
    thief = device_at()
    thief.credential_id = device.credential_id
    with pytest.raises(PasskeyError) as refused:
        world.add(other, thief)
    assert refused.value.code == "passkey-known"
    assert isinstance(world.touch(device), SignedIn)


def test_ten_passkeys_and_no_more(world: AccountWorld) -> None:
    person = world.person()
    devices = [world.passkey_of(person) for _ in range(MOST)]
    with pytest.raises(StateError) as full:
        world.passkey_of(person)
    assert full.value.code == "passkeys-full"
    assert remove_passkey(world.desk, person, devices[0].credential_id, world.now)
    world.passkey_of(person)


@both
def test_the_tenth_at_once_is_one(world: AccountWorld) -> None:
    person = world.person()
    for _ in range(MOST - 1):
        world.passkey_of(person)
    done = at_once(*[lambda: world.add(person, device_at())] * 3)
    assert sum(isinstance(each, AccountError) for each in done) == 2
    assert world.scalar("SELECT count(*) FROM account_passkeys") == MOST


def test_a_removed_passkey_opens_nothing_and_only_its_owner_removes_it(world: AccountWorld) -> None:
    one, other = world.person(), world.person("wang.wu")
    device = world.passkey_of(one)
    assert not remove_passkey(world.desk, other, device.credential_id, world.now)
    assert isinstance(world.touch(device), SignedIn)
    assert remove_passkey(world.desk, one, device.credential_id, world.now)
    assert world.touch(device).code == "passkey-unknown"
    assert len(world.entries("account.passkey_removed")) == 1


@pytest.mark.parametrize("label", ["", "   ", "x" * 61, "a\u202eb", "a\x00b"])
def test_a_label_is_short_and_can_be_seen(world: AccountWorld, label: str) -> None:
    with pytest.raises(ChoiceError):
        world.passkey_of(world.person(), label=label)


def test_another_relying_party_is_another_place(world: AccountWorld) -> None:
    device = world.passkey_of(world.person())
    world.desk = world.new_desk(relying_party=replace(PLACE, rp_id="other.example"))
    assert world.touch(device).code == "passkey-refused"
