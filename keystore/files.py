"""The software backend: encrypted key files in one folder, scheme ``file:``."""

import os
import re
import secrets
from collections import Counter
from pathlib import Path
from threading import Lock
from typing import NoReturn

from keystore import key_pairs
from keystore.at_rest import KeyEncryptionKey, KeyHeader
from keystore.interface import (
    Algorithm,
    Destruction,
    Grounds,
    KeyNotDestroyedError,
    KeyNotFoundError,
    KeyNotWrittenError,
    KeyUnreadableError,
    Permit,
    Purpose,
)
from keystore.private_file import read_private, remove_durably, write_private

SCHEME = "file"
_REF = re.compile(r"file:((?:seal|ca|crl|log|token|ocsp|timestamp|report|witness)-[0-9a-f]{32})")
_LONGEST_FILE = 16 * 1024  # an RSA-3072 key takes about 4 KiB
_WRITABLE_BY_OTHERS = 0o022


class FileKey:
    """The handle of one loaded key. Shows no secret and cannot be copied or pickled."""

    __slots__ = ("_header", "_private_key", "_store")

    def __init__(self, store: "FileKeystore", header: KeyHeader, private_key: key_pairs.PrivateKey) -> None:
        """Made by :class:`FileKeystore` only."""
        self._store = store
        self._header = header
        self._private_key = private_key

    @property
    def ref(self) -> str:
        """See :class:`keystore.interface.SigningKey`."""
        return self._header.ref

    @property
    def purpose(self) -> Purpose:
        """See :class:`keystore.interface.SigningKey`."""
        return self._header.purpose

    @property
    def algorithm(self) -> Algorithm:
        """See :class:`keystore.interface.SigningKey`."""
        return self._header.algorithm

    @property
    def public_key(self) -> bytes:
        """See :class:`keystore.interface.SigningKey`."""
        return self._header.public_key

    def sign(self, permit: Permit, message: bytes) -> bytes:
        """Redeem ``permit``, count the use, and sign.

        Raises :class:`PermitError`, or :class:`KeyNotFoundError` once the key was destroyed.
        """
        permit.redeem(self, message)
        self._store.count_use(self)
        return key_pairs.sign(self._private_key, message)

    def __repr__(self) -> str:
        return f"<FileKey {self.ref} {self.algorithm}>"

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        raise TypeError("a private key is never copied or pickled")


class FileKeystore:
    """Key files in ``folder``, each readable by its owner only and encrypted at rest.

    Trusted for availability only: whoever can write into the folder can remove keys, but neither change
    nor swap them unseen. Whoever has folder and key-encryption key has the keys.
    """

    def __init__(self, folder: Path, key_encryption_key: Path) -> None:
        """Open ``folder`` (made with mode 0700 if missing) under the key in the file ``key_encryption_key``.

        Raises :class:`KeyEncryptionKeyError`, :class:`KeyUnreadableError` if others may write into the
        folder, :class:`KeyNotWrittenError` if it cannot be made.
        """
        self._folder = folder
        self._key_encryption_key = KeyEncryptionKey.load(key_encryption_key)
        self._loaded: dict[str, FileKey] = {}
        self._uses: Counter[str] = Counter()
        self._lock = Lock()
        _open_folder(folder)

    @staticmethod
    def create_key_encryption_key(path: Path) -> None:
        """Write 32 random bytes to ``path``, mode 0600, never over an existing file.

        Raises :class:`KeyNotWrittenError`.
        """
        KeyEncryptionKey.create(path)

    def generate(self, purpose: Purpose, algorithm: Algorithm) -> FileKey:
        """Make a key pair; its file is on disk when this returns. Raises :class:`KeyNotWrittenError`."""
        private_key = key_pairs.make(algorithm)
        header = KeyHeader(
            ref=f"{SCHEME}:{purpose}-{secrets.token_hex(16)}",
            purpose=purpose,
            algorithm=algorithm,
            public_key=key_pairs.public_part(private_key),
        )
        content = self._key_encryption_key.encrypt(header, key_pairs.dump(private_key))
        write_private(self._path(header.ref), content)
        return self._keep(FileKey(self, header, private_key))

    def open(self, ref: str) -> FileKey:
        """The key's handle, read from disk once and kept.

        Raises :class:`KeyNotFoundError`, :class:`KeyUnreadableError`, :class:`KeyEncryptionKeyError`.
        """
        with self._lock:
            loaded = self._loaded.get(ref)
        return loaded or self._keep(self._load(ref))

    def refs(self) -> list[str]:
        """The references of all key files, sorted; for finding keys that no certificate names."""
        refs = (f"{SCHEME}:{path.stem}" for path in self._folder.glob("*.json"))
        return sorted(ref for ref in refs if _REF.fullmatch(ref))

    def uses(self, ref: str) -> int:
        """How often this process has used the key."""
        with self._lock:
            return self._uses[ref]

    def destroy(self, ref: str, grounds: Grounds | None = None) -> Destruction:  # noqa: ARG002  checked by others
        """Remove the key file, durably, and stop handles already given out.

        What the storage medium keeps of it stays encrypted; destroying the key-encryption key ends that.
        Raises :class:`KeyNotFoundError`, :class:`KeyNotDestroyedError` if the file system refuses.
        """
        path = self._path(ref)
        with self._lock:
            self._loaded.pop(ref, None)
            names = _remove(ref, path)
        evidence = {"backend": SCHEME, "file": path.name, "objects_before": str(names), "objects_after": "0"}
        return Destruction(ref=ref, evidence=evidence)

    def count_use(self, key: FileKey) -> None:
        """Called by the handle before it signs. Raises :class:`KeyNotFoundError` for a destroyed key."""
        with self._lock:
            if self._loaded.get(key.ref) is not key:
                _not_found(key.ref)
            self._uses[key.ref] += 1

    def _load(self, ref: str) -> FileKey:
        try:
            content = read_private(self._path(ref), limit=_LONGEST_FILE, error=KeyUnreadableError)
        except FileNotFoundError:
            _not_found(ref)
        header, private_key = self._key_encryption_key.decrypt(ref, content)
        return FileKey(self, header, key_pairs.load(private_key))

    def _keep(self, key: FileKey) -> FileKey:
        """The one handle of this reference: of two threads that load a key at once, the first wins.

        A key that another thread destroyed meanwhile does not come back.
        """
        with self._lock:
            if not self._path(key.ref).exists():
                _not_found(key.ref)
            return self._loaded.setdefault(key.ref, key)

    def _path(self, ref: str) -> Path:
        matched = _REF.fullmatch(ref)
        if matched is None:
            raise KeyNotFoundError(
                f"密钥引用 {ref!r} 不是 file:用途-32位十六进制 的形式",
                f"{ref!r} is no reference of this keystore, expected file:<purpose>-<32 hex digits>",
            )
        return self._folder / f"{matched[1]}.json"

    def __repr__(self) -> str:
        return f"FileKeystore({str(self._folder)!r})"

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        raise TypeError("a keystore is never copied or pickled")


def _open_folder(folder: Path) -> None:
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as problem:
        raise KeyNotWrittenError(
            f"建不了密钥目录 {folder}：{problem.strerror}",
            f"cannot make the key folder {folder}: {problem.strerror}",
        ) from None
    mode = folder.stat().st_mode & 0o7777
    if mode & _WRITABLE_BY_OTHERS:
        raise KeyUnreadableError(
            f"密钥目录 {folder} 的权限为 {mode:04o}，不应允许他人写入（应为 0700）",
            f"the key folder {folder} has mode {mode:04o}, others may write into it; expected 0700",
        )


def _remove(ref: str, path: Path) -> int:
    """How many names the key file had; it has none when this returns."""
    try:
        names = remove_durably(path)
    except OSError as problem:
        raise KeyNotDestroyedError(
            f"删不掉密钥 {ref} 的文件：{problem.strerror}", f"cannot remove the file of key {ref}: {problem.strerror}"
        ) from None
    if not names:
        _not_found(ref)
    if os.path.lexists(path):
        raise KeyNotDestroyedError(
            f"密钥 {ref} 的文件删除后仍在", f"the file of key {ref} is still there after removal"
        )
    return names


def _not_found(ref: str) -> NoReturn:
    raise KeyNotFoundError(f"没有密钥 {ref}", f"there is no key {ref}") from None
