"""What lies on disk: modes, owners, and that no byte of it can change unseen."""

import json
import os
import shutil
from pathlib import Path

import pytest

from keystore.at_rest import KeyEncryptionKey
from keystore.files import FileKeystore
from keystore.interface import (
    Algorithm,
    KeyEncryptionKeyError,
    KeyNotWrittenError,
    KeyUnreadableError,
    Permit,
)

P256: Algorithm = "ecdsa-p256-sha256"


def file_of(folder: Path, ref: str) -> Path:
    return folder / f"{ref.removeprefix('file:')}.json"


def test_a_key_file_is_private_and_holds_no_key_in_the_clear(store: FileKeystore, folder: Path) -> None:
    key = store.generate("seal", P256)
    path = file_of(folder, key.ref)
    assert path.stat().st_mode & 0o7777 == 0o600
    assert folder.stat().st_mode & 0o7777 == 0o700
    value = json.loads(path.read_bytes())
    assert set(value) == {
        "v", "ref", "purpose", "algorithm", "public_key", "key_encryption_key", "nonce", "ciphertext",
    }  # fmt: skip
    assert list(folder.iterdir()) == [path], "no temporary file stays behind"


def test_the_umask_does_not_matter(folder: Path, key_encryption_key: Path) -> None:
    before = os.umask(0o377)
    try:
        store = FileKeystore(folder.parent, key_encryption_key)
        ref = store.generate("seal", P256).ref
    finally:
        os.umask(before)
    assert file_of(folder.parent, ref).stat().st_mode & 0o7777 == 0o600


def test_a_flipped_bit_anywhere_is_noticed(store: FileKeystore, reopened: FileKeystore, folder: Path) -> None:
    ref = store.generate("seal", P256).ref
    path = file_of(folder, ref)
    whole = path.read_bytes()
    meaning = json.loads(whole)
    unnoticed = []
    for place in range(len(whole)):
        changed = bytearray(whole)
        changed[place] ^= 1
        path.write_bytes(changed)
        try:
            reopened._load(ref)
        except KeyUnreadableError:
            continue
        unnoticed.append(place)
    assert [place for place in unnoticed if _means(whole, place) != meaning] == []
    path.write_bytes(whole)
    assert reopened.open(ref).ref == ref


def _means(whole: bytes, place: int) -> object:
    """What the file with that bit flipped says; a flip in the white space between fields says the same."""
    return json.loads(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("purpose", "ca"),
        ("purpose", "anything"),
        ("algorithm", "ed25519"),
        ("algorithm", "none"),
        ("ref", "file:seal-00000000000000000000000000000000"),
        ("v", 2),
        ("v", True),
        ("public_key", "AAAA"),
        ("public_key", "§"),
        ("public_key", 5),
        ("nonce", ""),
        ("nonce", "AAAAAAAAAAAAAAAA"),
        ("ciphertext", ""),
        ("ciphertext", None),
        ("extra", "field"),
    ],
)
def test_every_field_is_bound(
    store: FileKeystore, reopened: FileKeystore, folder: Path, name: str, value: object
) -> None:
    ref = store.generate("seal", P256).ref
    path = file_of(folder, ref)
    path.write_text(json.dumps({**json.loads(path.read_bytes()), name: value}))
    with pytest.raises(KeyUnreadableError) as caught:
        reopened.open(ref)
    assert type(caught.value) is KeyUnreadableError


@pytest.mark.parametrize(
    "content", [b"", b"{}", b"[]", b"null", b"\xff\xfe", b"[" * 10_000, b'{"v": 1}', b" " * 20_000]
)
def test_rubbish_is_a_typed_error(store: FileKeystore, reopened: FileKeystore, folder: Path, content: bytes) -> None:
    ref = store.generate("seal", P256).ref
    file_of(folder, ref).write_bytes(content)
    with pytest.raises(KeyUnreadableError):
        reopened.open(ref)


def test_two_files_swapped_are_noticed(store: FileKeystore, reopened: FileKeystore, folder: Path) -> None:
    one, two = (store.generate("seal", P256).ref for _ in range(2))
    spare = folder / "spare"
    for source, target in ((one, None), (two, one), (None, two)):
        shutil.move(file_of(folder, source) if source else spare, file_of(folder, target) if target else spare)
    for ref in (one, two):
        with pytest.raises(KeyUnreadableError, match=ref):
            reopened.open(ref)


def test_two_files_swapped_with_their_references_rewritten_are_noticed(
    store: FileKeystore, reopened: FileKeystore, folder: Path
) -> None:
    one, two = (store.generate("seal", P256).ref for _ in range(2))
    stolen = {**json.loads(file_of(folder, two).read_bytes()), "ref": one}
    file_of(folder, one).write_text(json.dumps(stolen))
    with pytest.raises(KeyUnreadableError, match="authenticate"):
        reopened.open(one)


def test_one_ciphertext_in_the_frame_of_another_is_noticed(
    store: FileKeystore, reopened: FileKeystore, folder: Path
) -> None:
    one, two = (store.generate("seal", P256).ref for _ in range(2))
    frame, stolen = (json.loads(file_of(folder, each).read_bytes()) for each in (one, two))
    frame |= {name: stolen[name] for name in ("nonce", "ciphertext")}
    file_of(folder, one).write_text(json.dumps(frame))
    with pytest.raises(KeyUnreadableError, match="authenticate"):
        reopened.open(one)


def test_another_key_encryption_key_is_named_as_such(store: FileKeystore, folder: Path, tmp_path: Path) -> None:
    ref = store.generate("seal", P256).ref
    FileKeystore.create_key_encryption_key(tmp_path / "other.key")
    wrong = FileKeystore(folder, tmp_path / "other.key")
    with pytest.raises(KeyEncryptionKeyError) as caught:
        wrong.open(ref)
    assert store._key_encryption_key.fingerprint in caught.value.en
    assert wrong._key_encryption_key.fingerprint in caught.value.zh


def test_a_forged_fingerprint_does_not_help(store: FileKeystore, folder: Path, tmp_path: Path) -> None:
    ref = store.generate("seal", P256).ref
    FileKeystore.create_key_encryption_key(tmp_path / "other.key")
    wrong = FileKeystore(folder, tmp_path / "other.key")
    value = json.loads(file_of(folder, ref).read_bytes())
    value["key_encryption_key"] = wrong._key_encryption_key.fingerprint
    file_of(folder, ref).write_text(json.dumps(value))
    with pytest.raises(KeyUnreadableError, match="authenticate"):
        wrong.open(ref)


def test_a_missing_key_encryption_key_says_where_it_was_looked_for(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(KeyEncryptionKeyError, match=r"nowhere\.key does not exist"):
        FileKeystore(folder, tmp_path / "nowhere.key")
    assert not folder.exists()


@pytest.mark.parametrize(
    ("content", "found"),
    [(b"", "0 bytes"), (b"k" * 31, "31 bytes"), (b"k" * 33, "32 bytes expected at most")],
)
def test_a_key_encryption_key_of_the_wrong_length(folder: Path, tmp_path: Path, content: bytes, found: str) -> None:
    path = tmp_path / "short.key"
    path.write_bytes(content)
    path.chmod(0o600)
    with pytest.raises(KeyEncryptionKeyError, match=found) as caught:
        FileKeystore(folder, path)
    assert "kkk" not in str(caught.value)


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o606, 0o700, 0o400])
def test_a_key_encryption_key_that_others_might_read(folder: Path, key_encryption_key: Path, mode: int) -> None:
    key_encryption_key.chmod(mode)
    with pytest.raises(KeyEncryptionKeyError, match=f"mode {mode:04o}, expected 0600"):
        FileKeystore(folder, key_encryption_key)


def test_a_key_file_that_others_might_read(store: FileKeystore, reopened: FileKeystore, folder: Path) -> None:
    ref = store.generate("seal", P256).ref
    file_of(folder, ref).chmod(0o644)
    with pytest.raises(KeyUnreadableError, match="mode 0644, expected 0600"):
        reopened.open(ref)


def test_a_file_of_another_user(folder: Path, key_encryption_key: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    owner = os.geteuid()
    monkeypatch.setattr(os, "geteuid", lambda: owner + 1)
    with pytest.raises(KeyEncryptionKeyError, match=f"belongs to user {owner}, expected {owner + 1}"):
        FileKeystore(folder, key_encryption_key)


def test_links_folders_and_pipes_are_no_key_files(folder: Path, key_encryption_key: Path, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(key_encryption_key)
    (tmp_path / "folder").mkdir(mode=0o600)
    os.mkfifo(tmp_path / "pipe", 0o600)
    for name, found in (("link", "cannot open"), ("folder", "regular file"), ("pipe", "regular file")):
        with pytest.raises(KeyEncryptionKeyError, match=found):
            FileKeystore(folder, tmp_path / name)


def test_a_folder_that_others_may_write_into(folder: Path, key_encryption_key: Path) -> None:
    folder.mkdir()
    folder.chmod(0o777)
    with pytest.raises(KeyUnreadableError, match="mode 0777"):
        FileKeystore(folder, key_encryption_key)


def test_a_folder_that_cannot_be_made(key_encryption_key: Path) -> None:
    with pytest.raises(KeyNotWrittenError, match="cannot make the key folder"):
        FileKeystore(key_encryption_key / "keys", key_encryption_key)


def test_a_key_encryption_key_is_never_overwritten(key_encryption_key: Path) -> None:
    before = key_encryption_key.read_bytes()
    assert len(before) == 32
    with pytest.raises(KeyNotWrittenError, match="never overwritten"):
        FileKeystore.create_key_encryption_key(key_encryption_key)
    assert key_encryption_key.read_bytes() == before
    assert list(key_encryption_key.parent.iterdir()) == [key_encryption_key]


def test_two_key_encryption_keys_differ(tmp_path: Path, key_encryption_key: Path) -> None:
    FileKeystore.create_key_encryption_key(tmp_path / "second.key")
    assert (tmp_path / "second.key").read_bytes() != key_encryption_key.read_bytes()


@pytest.mark.parametrize("step", ["fsync", "link"])
def test_a_full_disk_leaves_nothing_behind(
    store: FileKeystore, folder: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, step, full)
    with pytest.raises(KeyNotWrittenError, match="No space left on device"):
        store.generate("seal", P256)
    assert list(folder.iterdir()) == []
    assert store.refs() == []


def test_file_and_folder_are_synced_in_order(store: FileKeystore, monkeypatch: pytest.MonkeyPatch) -> None:
    steps = []
    fsync, link = os.fsync, os.link

    def note_fsync(descriptor: int) -> None:
        steps.append("folder" if os.path.isdir(f"/proc/self/fd/{descriptor}") else "file")  # noqa: PTH112
        fsync(descriptor)

    def note_link(source: Path, target: Path) -> None:
        steps.append("link")
        link(source, target)

    monkeypatch.setattr(os, "fsync", note_fsync)
    monkeypatch.setattr(os, "link", note_link)
    ref = store.generate("seal", P256).ref
    assert steps == ["file", "link", "folder"]
    store.destroy(ref)
    assert steps[3:] == ["folder"]


def test_the_nonce_is_fresh_for_every_file(store: FileKeystore, folder: Path) -> None:
    refs = [store.generate("seal", P256).ref for _ in range(20)]
    nonces = {json.loads(file_of(folder, ref).read_bytes())["nonce"] for ref in refs}
    assert len(nonces) == 20


def test_a_key_file_of_version_1_can_be_read_for_ever(vector_file: dict[str, str], tmp_path: Path) -> None:
    """Fixed bytes: a key that exists in the field must not become unreadable by a change of ours."""
    (tmp_path / "fixed.key").write_bytes(bytes.fromhex(vector_file["key_encryption_key"]))
    (tmp_path / "fixed.key").chmod(0o600)
    header, private_key = KeyEncryptionKey.load(tmp_path / "fixed.key").decrypt(
        vector_file["ref"], vector_file["file"].encode()
    )
    assert header.ref == vector_file["ref"]
    assert header.authenticated_data().decode() == vector_file["authenticated_data"]
    assert private_key.hex() == vector_file["private_key"]


@pytest.fixture
def vector_file() -> dict[str, str]:
    path = Path(__file__).parent.parent / "vectors" / "keystore" / "key_file_v1.json"
    vector: dict[str, str] = json.loads(path.read_text(encoding="utf-8"))
    return vector


def test_signatures_still_need_a_permit_after_all_this(store: FileKeystore, reopened: FileKeystore) -> None:
    key = reopened.open(store.generate("log", "ed25519").ref)
    assert len(key.sign(Permit.to_sign(key, b"m"), b"m")) == 64
