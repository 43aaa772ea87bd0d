"""Keys in a SoftHSM token: made there, used there, checked that they cannot leave, destroyed there."""

import copy
import pickle
from collections.abc import Callable

import pkcs11
import pytest
from pkcs11 import Attribute, KeyType, MechanismFlag, ObjectClass
from pkcs11.attributes import AttributeMapper
from softhsm import SoftToken

from keystore import key_pairs, pkcs11_keys
from keystore.interface import (
    Algorithm,
    KeyExtractableError,
    KeyNotDestroyedError,
    KeyNotFoundError,
    KeyNotWrittenError,
    Keystore,
    KeystoreError,
    KeyUnreadableError,
    Permit,
    PermitError,
    Purpose,
    SigningKey,
)
from keystore.pkcs11 import Pkcs11Keystore
from keystore.pkcs11_address import read_address

pytestmark = pytest.mark.tool("softhsm2-util")

MESSAGE = "关于准予行政许可的决定".encode()
ALGORITHMS: list[Algorithm] = ["ecdsa-p256-sha256", "rsa3072-sha256", "ed25519"]
P256: Algorithm = "ecdsa-p256-sha256"
NAME = "seal-000102030405060708090a0b0c0d0e0f"
REF = f"pkcs11:{NAME}"


def check(key: SigningKey, message: bytes = MESSAGE) -> None:
    """The key signs, by the judgement of another implementation and its public key alone."""
    key_pairs.verify(key.public_key, key.sign(Permit.to_sign(key, message), message), message)


def session_of(hsm: Pkcs11Keystore) -> pkcs11.Session:
    """The session itself, for what somebody else with the PIN could do in the token."""
    return hsm._session.use(lambda opened: opened.session)


def put(hsm: Pkcs11Keystore, name: str = NAME, **private: object) -> None:
    """A pair of keys under ``name``, made with other tools than ours."""
    parameters = {Attribute.EC_PARAMS: pkcs11_keys._P256}
    session_of(hsm).create_domain_parameters(KeyType.EC, parameters, local=True).generate_keypair(
        label=name,
        id=pkcs11_keys.object_id(name),
        store=True,
        capabilities=MechanismFlag.SIGN | MechanismFlag.VERIFY,
        private_template={Attribute[key.upper()]: value for key, value in private.items()},
    )


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_key_signs_now_and_for_whoever_opens_the_token_next(
    hsm: Pkcs11Keystore, token: SoftToken, algorithm: Algorithm
) -> None:
    made = hsm.generate("seal", algorithm)
    check(made)
    check(made, b"")
    check(made, bytes(100_000))
    opened = Pkcs11Keystore(read_address(token.uri)).open(made.ref)
    assert (opened.ref, opened.purpose, opened.algorithm) == (made.ref, "seal", algorithm)
    assert opened.public_key == made.public_key
    check(opened)
    check(made)  # the module was started again in between


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_the_token_says_the_key_was_made_in_it_and_gives_no_secret(hsm: Pkcs11Keystore, algorithm: Algorithm) -> None:
    name = hsm.generate("ca", algorithm).ref.removeprefix("pkcs11:")
    (private,) = pkcs11_keys.objects(session_of(hsm), name, ObjectClass.PRIVATE_KEY)
    assert private[Attribute.EXTRACTABLE] is False
    assert private[Attribute.NEVER_EXTRACTABLE] is True
    assert private[Attribute.ALWAYS_SENSITIVE] is True
    assert private[Attribute.LOCAL] is True
    for secret in (Attribute.VALUE, Attribute.PRIVATE_EXPONENT, Attribute.PRIME_1):
        with pytest.raises(pkcs11.PKCS11Error):
            private[secret]
    with pytest.raises(pkcs11.PKCS11Error):
        private[Attribute.EXTRACTABLE] = True


def test_the_backend_fits_the_interface(hsm: Pkcs11Keystore) -> None:
    keystore: Keystore = hsm  # the type checker judges this line
    key: SigningKey = keystore.generate("seal", P256)
    assert keystore.open(key.ref) is key


@pytest.mark.parametrize("purpose", ["seal", "ca", "timestamp", "witness"])
def test_the_reference_tells_backend_and_purpose(hsm: Pkcs11Keystore, purpose: Purpose) -> None:
    key = hsm.generate(purpose, P256)
    assert key.ref.startswith(f"pkcs11:{purpose}-")
    assert key.purpose == purpose
    assert repr(key) == f"<Pkcs11Key {key.ref} {P256}>"


def test_refs_lists_our_keys_and_nothing_else(hsm: Pkcs11Keystore) -> None:
    made = sorted(hsm.generate(purpose, P256).ref for purpose in ("seal", "log"))
    put(hsm, "vpn-000102030405060708090a0b0c0d0e0f")
    assert hsm.refs() == made


def test_the_key_of_another_application_with_a_label_in_another_encoding_is_passed_over(hsm: Pkcs11Keystore) -> None:
    made = hsm.generate("seal", P256).ref
    put(hsm)
    mapper = AttributeMapper()
    mapper.register_handler(Attribute.LABEL, lambda text: text.encode("gb18030"), bytes)
    session = hsm._session.module.token(hsm._session.address).open(rw=True, attribute_mapper=mapper)
    (key,) = session.get_objects({Attribute.CLASS: ObjectClass.PRIVATE_KEY, Attribute.LABEL: NAME})
    key[Attribute.LABEL] = "别的应用"
    assert hsm.refs() == [made]


def test_a_permit_is_good_for_one_message_and_one_signature(hsm: Pkcs11Keystore) -> None:
    key, other = hsm.generate("seal", P256), hsm.generate("seal", P256)
    permit = Permit.to_sign(key, MESSAGE)
    for attempt in (lambda: key.sign(permit, b"other"), lambda: other.sign(permit, MESSAGE)):
        with pytest.raises(PermitError):
            attempt()
    key.sign(permit, MESSAGE)
    with pytest.raises(PermitError, match="redeemed before"):
        key.sign(permit, MESSAGE)


def test_a_key_that_may_leave_the_token_is_not_used_but_can_be_destroyed(hsm: Pkcs11Keystore) -> None:
    put(hsm, extractable=True)
    with pytest.raises(KeyExtractableError, match="EXTRACTABLE") as caught:
        hsm.open(REF)
    assert caught.value.code == "key-extractable"
    assert hsm.refs() == [REF]
    assert hsm.destroy(REF).evidence["objects_after"] == "0"


def test_a_key_brought_in_from_outside_is_not_used(hsm: Pkcs11Keystore) -> None:
    session_of(hsm).create_object(
        {
            Attribute.CLASS: ObjectClass.PRIVATE_KEY,
            Attribute.KEY_TYPE: KeyType.EC,
            Attribute.EC_PARAMS: pkcs11_keys._P256,
            Attribute.VALUE: bytes(31) + b"\1",
            Attribute.LABEL: NAME,
            Attribute.ID: pkcs11_keys.object_id(NAME),
            Attribute.TOKEN: True,
            Attribute.PRIVATE: True,
            Attribute.SENSITIVE: True,
            Attribute.EXTRACTABLE: False,
            Attribute.SIGN: True,
        }
    )
    with pytest.raises(KeyExtractableError, match="ALWAYS_SENSITIVE, NEVER_EXTRACTABLE, LOCAL"):
        hsm.open(REF)


def test_two_private_keys_of_one_name_are_none(hsm: Pkcs11Keystore) -> None:
    for _ in range(2):
        put(hsm, extractable=False, sensitive=True)
    with pytest.raises(KeyUnreadableError, match="2 private keys"):
        hsm.open(REF)


def test_a_key_without_its_public_half(hsm: Pkcs11Keystore) -> None:
    put(hsm, extractable=False, sensitive=True)
    hsm.open(REF)
    (public,) = pkcs11_keys.objects(session_of(hsm), NAME, ObjectClass.PUBLIC_KEY)
    public.destroy()
    fresh = Pkcs11Keystore(hsm._session.address)
    with pytest.raises(KeyUnreadableError, match="0 public keys"):
        fresh.open(REF)


def test_a_public_half_that_was_changed_is_noticed_in_the_next_session(hsm: Pkcs11Keystore) -> None:
    put(hsm, extractable=False, sensitive=True)
    key = hsm.open(REF)
    check(key)
    session = session_of(hsm)
    put(hsm, "seal-" + "f" * 32)
    (public,) = pkcs11_keys.objects(session, NAME, ObjectClass.PUBLIC_KEY)
    (other,) = pkcs11_keys.objects(session, "seal-" + "f" * 32, ObjectClass.PUBLIC_KEY)
    public.destroy()
    other.copy({Attribute.LABEL: NAME, Attribute.ID: pkcs11_keys.object_id(NAME), Attribute.TOKEN: True})
    hsm.refs()  # a new session
    with pytest.raises(KeyUnreadableError, match="when the key was opened"):
        check(key)


def test_a_curve_that_is_not_ours(hsm: Pkcs11Keystore) -> None:
    p384 = bytes.fromhex("06052b81040022")
    session_of(hsm).create_domain_parameters(KeyType.EC, {Attribute.EC_PARAMS: p384}, local=True).generate_keypair(
        label=NAME,
        id=pkcs11_keys.object_id(NAME),
        store=True,
        capabilities=MechanismFlag.SIGN | MechanismFlag.VERIFY,
        private_template={Attribute.EXTRACTABLE: False},
    )
    with pytest.raises(KeyUnreadableError, match="another type"):
        hsm.open(REF)


def test_a_token_that_makes_keys_that_can_leave_makes_none(
    hsm: Pkcs11Keystore, token: SoftToken, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(pkcs11_keys._PRIVATE_TEMPLATE, Attribute.EXTRACTABLE, True)
    with pytest.raises(KeyExtractableError):
        hsm.generate("seal", P256)
    assert token.objects == 0


def test_halves_that_do_not_belong_together_are_no_key(
    hsm: Pkcs11Keystore, token: SoftToken, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = key_pairs.make(P256)
    monkeypatch.setattr(pkcs11_keys, "sign", lambda private, algorithm, message: key_pairs.sign(other, message))
    with pytest.raises(KeyNotWrittenError, match="no pair"):
        hsm.generate("seal", P256)
    assert token.objects == 0


def test_a_mechanism_the_token_does_not_have(
    hsm: Pkcs11Keystore, token: SoftToken, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pkcs11_keys, "_P256", bytes.fromhex("06012a"))
    with pytest.raises(KeystoreError):
        hsm.generate("seal", P256)
    assert token.objects == 0


def test_a_destroyed_key_is_gone_and_the_token_says_so(hsm: Pkcs11Keystore, token: SoftToken) -> None:
    key, kept = hsm.generate("seal", P256), hsm.generate("seal", P256)
    elsewhere = Pkcs11Keystore(read_address(token.uri)).open(key.ref)
    done = hsm.destroy(key.ref)
    assert done.ref == key.ref
    assert done.evidence == {
        "backend": "pkcs11",
        "module": "SoftHSM Implementation of PKCS11 2.6",
        "token_label": token.label,
        "token_serial": token.serial,
        "token_manufacturer": "SoftHSM project",
        "token_model": "SoftHSM v2",
        "object_id": key.ref[-32:],
        "objects_before": "2",
        "objects_after": "0",
    }
    assert token.objects == 2
    for handle in (key, elsewhere):
        with pytest.raises(KeyNotFoundError, match=key.ref.removeprefix("pkcs11:")):
            check(handle)
    for attempt in (hsm.open, hsm.destroy):
        with pytest.raises(KeyNotFoundError):
            attempt(key.ref)
    assert hsm.refs() == [kept.ref]
    check(kept)


def test_a_key_the_token_does_not_let_go_is_not_destroyed(hsm: Pkcs11Keystore) -> None:
    put(hsm, extractable=False, sensitive=True, destroyable=False)
    with pytest.raises(KeyNotDestroyedError, match="did not destroy"):
        hsm.destroy(REF)
    check(hsm.open(REF))


@pytest.mark.parametrize("ref", ["", "pkcs11:", f"file:{NAME}", NAME, f"{REF}\n", "pkcs11:key-" + "0" * 32, REF])
def test_what_is_no_reference_is_not_found(hsm: Pkcs11Keystore, ref: str) -> None:
    for attempt in (hsm.open, hsm.destroy):
        with pytest.raises(KeyNotFoundError):
            attempt(ref)


@pytest.mark.parametrize("copying", [pickle.dumps, copy.copy, copy.deepcopy])
def test_nothing_is_copied(hsm: Pkcs11Keystore, copying: Callable[[object], object]) -> None:
    for each in (hsm, hsm.generate("seal", P256), hsm._session.address.pin_source):
        with pytest.raises(TypeError, match="never copied or pickled"):
            copying(each)
