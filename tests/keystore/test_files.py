"""The software backend: make, open, sign, count, list, destroy."""

import errno
import os
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, SECP256R1, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_der_public_key

from keystore.files import FileKeystore
from keystore.interface import Algorithm, KeyNotDestroyedError, KeyNotFoundError, Keystore, Permit, Purpose, SigningKey

MESSAGE = "关于准予行政许可的决定".encode()
ALGORITHMS: list[Algorithm] = ["ecdsa-p256-sha256", "rsa3072-sha256", "ed25519"]
P256: Algorithm = "ecdsa-p256-sha256"


def sign(key: SigningKey, message: bytes = MESSAGE) -> bytes:
    return key.sign(Permit.to_sign(key, message), message)


def verify(key: SigningKey, signature: bytes, message: bytes = MESSAGE) -> None:
    """Judge by the public key alone, with the parameters the interface promises for the algorithm."""
    public = load_der_public_key(key.public_key)
    if key.algorithm == "ecdsa-p256-sha256":
        assert isinstance(public, EllipticCurvePublicKey)
        assert isinstance(public.curve, SECP256R1)
        public.verify(signature, message, ECDSA(SHA256()))
    elif key.algorithm == "rsa3072-sha256":
        assert isinstance(public, RSAPublicKey)
        assert public.key_size == 3072
        public.verify(signature, message, PKCS1v15(), SHA256())
    else:
        assert isinstance(public, Ed25519PublicKey)
        public.verify(signature, message)


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_key_signs_now_and_after_a_restart(store: FileKeystore, reopened: FileKeystore, algorithm: Algorithm) -> None:
    made = store.generate("seal", algorithm)
    verify(made, sign(made))
    opened = reopened.open(made.ref)
    assert (opened.ref, opened.purpose, opened.algorithm) == (made.ref, "seal", algorithm)
    assert opened.public_key == made.public_key
    verify(made, sign(opened))
    with pytest.raises(InvalidSignature):
        verify(made, sign(opened), MESSAGE + b".")


@pytest.mark.parametrize("purpose", ["seal", "ca", "crl", "log", "token"])
def test_the_reference_tells_backend_and_purpose(store: FileKeystore, purpose: Purpose) -> None:
    key = store.generate(purpose, "ed25519")
    assert key.ref.startswith(f"file:{purpose}-")
    assert key.purpose == purpose


def test_the_backend_fits_the_interface(store: FileKeystore) -> None:
    keystore: Keystore = store  # the type checker judges this line
    key: SigningKey = keystore.generate("seal", "ed25519")
    assert keystore.open(key.ref) is key


def test_an_opened_key_stays_loaded(reopened: FileKeystore, store: FileKeystore, folder: Path) -> None:
    ref = store.generate("seal", P256).ref
    first = reopened.open(ref)
    (folder / f"{ref.removeprefix('file:')}.json").write_bytes(b"broken later")
    assert reopened.open(ref) is first
    verify(first, sign(first))


def test_two_threads_that_open_one_key_get_one_handle(store: FileKeystore, reopened: FileKeystore) -> None:
    ref, start = store.generate("seal", P256).ref, Barrier(8)

    def open_it(_: int) -> int:
        start.wait()
        return id(reopened.open(ref))

    with ThreadPoolExecutor(8) as pool:
        assert len(set(pool.map(open_it, range(8)))) == 1


def test_uses_are_counted_per_key_across_threads(store: FileKeystore) -> None:
    busy, idle = store.generate("seal", P256), store.generate("seal", P256)
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda n: sign(busy, str(n).encode()), range(200)))
    assert (store.uses(busy.ref), store.uses(idle.ref)) == (200, 0)


def test_an_opened_rsa_key_is_not_checked_again(store: FileKeystore, reopened: FileKeystore) -> None:
    """The library's check of an RSA-3072 key takes hundreds of milliseconds; loading must not pay for it."""
    ref = store.generate("seal", "rsa3072-sha256").ref
    start = time.perf_counter()
    key = reopened.open(ref)
    opening = time.perf_counter() - start
    start = time.perf_counter()
    for _ in range(20):
        sign(key)
    signing = (time.perf_counter() - start) / 20
    assert opening < 20 * signing
    print(f"\nRSA-3072: open {opening * 1e3:.2f} ms, sign {signing * 1e3:.2f} ms")  # noqa: T201  a figure


def test_p256_signing_speed_is_told(store: FileKeystore) -> None:
    key = store.generate("seal", P256)
    rounds = 500
    start = time.perf_counter()
    for _ in range(rounds):
        sign(key)
    each = (time.perf_counter() - start) / rounds
    print(f"\nP-256: permit and signature {each * 1e6:.0f} µs")  # noqa: T201  a figure
    assert store.uses(key.ref) == rounds


def test_refs_lists_every_key_file_and_nothing_else(store: FileKeystore, folder: Path) -> None:
    made = sorted(store.generate(purpose, P256).ref for purpose in ("seal", "ca", "log"))
    (folder / "notes.json").write_text("{}")
    (folder / ".0123456789abcdef.new").write_text("left by a crash")
    assert store.refs() == made


def test_a_destroyed_key_is_gone_for_handles_lists_and_restarts(store: FileKeystore, reopened: FileKeystore) -> None:
    key, kept = store.generate("seal", P256), store.generate("seal", P256)
    store.destroy(key.ref)
    with pytest.raises(KeyNotFoundError, match=key.ref):
        sign(key)
    for each in (store, reopened):
        with pytest.raises(KeyNotFoundError):
            each.open(key.ref)
    assert store.refs() == [kept.ref]
    assert sign(kept)


def test_a_destruction_says_what_was_there_and_is_gone(store: FileKeystore, folder: Path) -> None:
    key, kept = store.generate("seal", P256), store.generate("seal", P256)
    name = f"{key.ref.removeprefix('file:')}.json"
    (folder / ".0123456789abcdef.new").hardlink_to(folder / name)
    done = store.destroy(key.ref)
    assert done.ref == key.ref
    assert done.evidence == {"backend": "file", "file": name, "objects_before": "2", "objects_after": "0"}
    assert [path.stem for path in folder.iterdir()] == [kept.ref.removeprefix("file:")]


def test_a_file_that_does_not_go_is_no_destroyed_key(store: FileKeystore, monkeypatch: pytest.MonkeyPatch) -> None:
    key = store.generate("seal", P256)
    with monkeypatch.context() as broken:
        broken.setattr(Path, "unlink", lambda path, missing_ok=False: None)
        with pytest.raises(KeyNotDestroyedError, match="still there"):
            store.destroy(key.ref)
    with monkeypatch.context() as broken:
        broken.setattr(Path, "unlink", refuse)
        with pytest.raises(KeyNotDestroyedError, match="Read-only"):
            store.destroy(key.ref)
    assert store.refs() == [key.ref]


def refuse(path: Path, missing_ok: bool = False) -> None:
    raise OSError(errno.EROFS, os.strerror(errno.EROFS), path)


def test_a_key_that_cannot_be_read_can_be_destroyed(store: FileKeystore, folder: Path) -> None:
    ref = store.generate("seal", P256).ref
    (folder / f"{ref.removeprefix('file:')}.json").write_bytes(b"not a key")
    store.destroy(ref)
    assert store.refs() == []
    with pytest.raises(KeyNotFoundError):
        store.destroy(ref)


def test_a_name_left_by_a_crash_goes_with_the_key(store: FileKeystore, folder: Path) -> None:
    key, kept = store.generate("seal", P256), store.generate("seal", P256)
    (folder / ".0123456789abcdef.new").hardlink_to(folder / f"{key.ref.removeprefix('file:')}.json")
    store.destroy(key.ref)
    assert [path.stem for path in folder.iterdir()] == [kept.ref.removeprefix("file:")]


def test_a_key_destroyed_while_it_is_being_loaded_does_not_come_back(
    store: FileKeystore, reopened: FileKeystore
) -> None:
    key = store.generate("seal", P256)
    loaded = reopened._load(key.ref)
    reopened.destroy(key.ref)
    with pytest.raises(KeyNotFoundError):
        reopened._keep(loaded)


@pytest.mark.parametrize(
    "ref",
    [
        "",
        "file:",
        "pkcs11:seal-00000000000000000000000000000000",
        "file:../../etc/passwd",
        "file:seal-0000000000000000000000000000000",
        "file:seal-0000000000000000000000000000000G",
        "file:key-00000000000000000000000000000000",
        "file:seal-00000000000000000000000000000000\n",
        "file:seal-00000000000000000000000000000000",
    ],
)
def test_what_is_no_reference_is_not_found(store: FileKeystore, ref: str) -> None:
    with pytest.raises(KeyNotFoundError):
        store.open(ref)
    with pytest.raises(KeyNotFoundError):
        store.destroy(ref)
