"""Nothing that is shown, logged, raised, copied or pickled carries a secret."""

import copy
import gc
import logging
import pickle
import traceback
from base64 import b64encode
from collections.abc import Callable
from pathlib import Path

import pytest

from keystore import key_pairs
from keystore.files import FileKeystore
from keystore.interface import Algorithm, KeystoreError, Permit

ALGORITHMS: list[Algorithm] = ["ecdsa-p256-sha256", "rsa3072-sha256", "ed25519"]


def secrets_of(store: FileKeystore, ref: str, key_encryption_key: Path) -> list[bytes]:
    """Every form in which private key or key-encryption key could turn up in a text."""
    raw = [key_pairs.dump(store.open(ref)._private_key)[-32:], key_encryption_key.read_bytes()]
    return [form for secret in raw for form in (secret.hex().encode(), b64encode(secret)[:40], repr(secret).encode())]


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_no_text_form_shows_a_secret(store: FileKeystore, key_encryption_key: Path, algorithm: Algorithm) -> None:
    key = store.generate("seal", algorithm)
    shown = [store, key, store._key_encryption_key, Permit.to_sign(key, b"m"), key._header]
    text = " ".join(f"{each!r} {each!s}" for each in shown).encode()
    assert [secret for secret in secrets_of(store, key.ref, key_encryption_key) if secret in text] == []
    assert key.ref in repr(key)


def test_no_error_or_log_shows_a_secret(
    store: FileKeystore,
    reopened: FileKeystore,
    folder: Path,
    key_encryption_key: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    key = store.generate("seal", "ed25519")
    path = folder / f"{key.ref.removeprefix('file:')}.json"
    path.write_bytes(path.read_bytes().replace(b'"purpose": "seal"', b'"purpose": "ca"'))
    texts = [caplog.text]
    for attempt in (lambda: reopened.open(key.ref), lambda: key.sign(Permit.to_sign(key, b"a"), b"b")):
        with pytest.raises(KeystoreError) as caught:
            attempt()
        texts.append("".join(traceback.format_exception(caught.value)))
    text = "\n".join(texts).encode()
    assert [secret for secret in secrets_of(store, key.ref, key_encryption_key) if secret in text] == []


def test_the_key_encryption_key_is_no_object_of_ours(store: FileKeystore, key_encryption_key: Path) -> None:
    """The bytes are handed to the cipher and not kept beside it."""
    secret = key_encryption_key.read_bytes()
    kept = [each for each in gc.get_referents(store, store._key_encryption_key) if each == secret]
    assert kept == []


@pytest.mark.parametrize("copying", [pickle.dumps, copy.copy, copy.deepcopy])
def test_keys_and_stores_are_never_copied(store: FileKeystore, copying: Callable[[object], object]) -> None:
    key = store.generate("seal", "ed25519")
    for each in (key, store, store._key_encryption_key):
        with pytest.raises(TypeError, match="never copied or pickled"):
            copying(each)


def test_a_permit_cannot_be_copied_to_be_used_twice(store: FileKeystore) -> None:
    permit = Permit.to_sign(store.generate("seal", "ed25519"), b"m")
    for copying in (pickle.dumps, copy.deepcopy):
        with pytest.raises(TypeError):
            copying(permit)
