"""A permit is for one key, one purpose, one message, once."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest

from keystore.files import FileKeystore
from keystore.interface import Grounds, KeystoreError, Permit, PermitError

MESSAGE = b"the bytes that were decided upon"


def test_a_permit_is_good_for_one_signature(store: FileKeystore) -> None:
    key = store.generate("seal", "ecdsa-p256-sha256")
    permit = Permit.to_sign(key, MESSAGE)
    key.sign(permit, MESSAGE)
    with pytest.raises(PermitError, match="redeemed before"):
        key.sign(permit, MESSAGE)
    assert store.uses(key.ref) == 1


def test_another_message_is_refused_and_leaves_the_permit_whole(store: FileKeystore) -> None:
    key = store.generate("seal", "ecdsa-p256-sha256")
    permit = Permit.to_sign(key, MESSAGE)
    with pytest.raises(PermitError, match="message"):
        key.sign(permit, MESSAGE + b"!")
    assert store.uses(key.ref) == 0
    assert key.sign(permit, MESSAGE)


def test_another_key_is_refused(store: FileKeystore) -> None:
    mine, other = (store.generate("seal", "ecdsa-p256-sha256") for _ in range(2))
    with pytest.raises(PermitError, match=mine.ref) as caught:
        other.sign(Permit.to_sign(mine, MESSAGE), MESSAGE)
    assert other.ref in str(caught.value)
    assert store.uses(other.ref) == 0


def test_another_purpose_is_refused(store: FileKeystore) -> None:
    key = store.generate("ca", "ecdsa-p256-sha256")
    right = Permit.to_sign(key, MESSAGE)
    with pytest.raises(PermitError, match=r"\(seal\).*\(ca\)"):
        key.sign(Permit(right.key, "seal", right.message_digest), MESSAGE)


def test_of_many_threads_one_redeems(store: FileKeystore) -> None:
    key = store.generate("log", "ed25519")
    threads = 16
    for _ in range(20):
        permit, start = Permit.to_sign(key, MESSAGE), Barrier(threads)

        def attempt(permit: Permit = permit, start: Barrier = start) -> bool:
            start.wait()
            try:
                key.sign(permit, MESSAGE)
            except PermitError:
                return False
            return True

        with ThreadPoolExecutor(threads) as pool:
            outcomes = [each.result() for each in [pool.submit(attempt) for _ in range(threads)]]
        assert outcomes.count(True) == 1
    assert store.uses(key.ref) == 20


def test_a_redemption_waits_for_another_in_progress(store: FileKeystore) -> None:
    key = store.generate("log", "ed25519")
    permit = Permit.to_sign(key, MESSAGE)
    with ThreadPoolExecutor(1) as pool:
        with permit._lock:
            attempt = pool.submit(key.sign, permit, MESSAGE)
            with pytest.raises(TimeoutError):
                attempt.result(timeout=0.05)
        assert len(attempt.result(timeout=5)) == 64


def test_the_software_backend_signs_without_looking_at_the_grounds(store: FileKeystore) -> None:
    key = store.generate("seal", "ed25519")
    grounds = Grounds(statement={"approval": "secret words"}, file=Path("/nowhere"))
    permit = Permit.to_sign(key, MESSAGE, grounds)
    assert permit.grounds is grounds
    assert "secret words" not in repr(permit)
    assert key.sign(permit, MESSAGE) == key.sign(Permit.to_sign(key, MESSAGE), MESSAGE)


def test_errors_speak_both_languages_and_have_a_code(store: FileKeystore) -> None:
    key = store.generate("seal", "ecdsa-p256-sha256")
    with pytest.raises(KeystoreError) as caught:
        key.sign(Permit.to_sign(key, b"other"), MESSAGE)
    error = caught.value
    assert error.code == "permit"
    assert str(error) == f"{error.zh} / {error.en}"
    assert "摘要" in error.zh
    assert error.en.isascii()


def test_error_codes_differ_from_class_to_class() -> None:
    classes: list[type[KeystoreError]] = [KeystoreError, *KeystoreError.__subclasses__()]
    classes += [below for each in classes[1:] for below in each.__subclasses__()]
    codes = [each.code for each in classes if each.__module__ == KeystoreError.__module__]
    assert len(set(codes)) == len(codes) >= 16
