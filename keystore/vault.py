"""The remote backend: keys in the transit engine of a HashiCorp Vault, scheme ``vault+https:``.

The private key is made in the service and never leaves it; a reference names key and version
(``vault:seal-0f3c….v1``), so that a rotation in the service changes nothing here. ECDSA and RSA keys are sent the
digest only. Every signature is checked against the public key before it is given out: the host is a stranger.
Paths and fields: HashiCorp Vault, HTTP API, "Transit secrets engine".
"""

import re
import secrets
from base64 import b64decode, b64encode
from collections.abc import Mapping
from hashlib import sha256
from threading import Lock
from typing import Any, Final, NoReturn, cast

from keystore.interface import (
    Algorithm,
    Destruction,
    Grounds,
    KeyNotDestroyedError,
    KeyNotFoundError,
    KeyNotWrittenError,
    KeyServiceAnswerError,
    KeystoreAddressError,
    Permit,
    Purpose,
)
from keystore.signature_check import signature_fits
from keystore.vault_address import parse_address
from keystore.vault_calls import VaultAnswer, VaultClient
from keystore.vault_records import TYPES, KeyVersion, read_version

_REF: Final = re.compile(
    r"vault:((seal|ca|crl|log|token|ocsp|timestamp|report|witness)-[0-9a-f]{32})\.v([1-9][0-9]{0,5})"
)
_HASHED: Final = {"prehashed": True, "hash_algorithm": "sha2-256"}
_HOW: Final[Mapping[Algorithm, Mapping[str, Any]]] = {
    "ecdsa-p256-sha256": {**_HASHED, "marshaling_algorithm": "asn1"},
    "rsa3072-sha256": {**_HASHED, "signature_algorithm": "pkcs1v15"},
    "ed25519": {},
}
_INVALID, _ABSENT = 400, 404


class VaultKey:
    """The handle of one version of one key in the service. Holds no secret."""

    __slots__ = ("_purpose", "_store", "_version")

    def __init__(self, store: "VaultKeystore", purpose: Purpose, version: KeyVersion) -> None:
        """Made by :class:`VaultKeystore` only."""
        self._store, self._purpose, self._version = store, purpose, version

    @property
    def ref(self) -> str:
        """See :class:`keystore.interface.SigningKey`."""
        return self._version.ref

    @property
    def purpose(self) -> Purpose:
        """See :class:`keystore.interface.SigningKey`."""
        return self._purpose

    @property
    def algorithm(self) -> Algorithm:
        """See :class:`keystore.interface.SigningKey`."""
        return self._version.algorithm

    @property
    def public_key(self) -> bytes:
        """See :class:`keystore.interface.SigningKey`."""
        return self._version.public_key

    def sign(self, permit: Permit, message: bytes) -> bytes:
        """Redeem ``permit``, let the service sign, and check what it gave.

        Raises :class:`PermitError`, :class:`KeyNotFoundError` once the key was destroyed, and the errors of
        :meth:`keystore.vault_calls.VaultClient.call`.
        """
        permit.redeem(self, message)
        return self._store.sign(self._version, message)

    def __repr__(self) -> str:
        return f"<VaultKey {self.ref} {self.algorithm}>"

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        raise TypeError("a key handle is never copied or pickled")


class VaultKeystore:
    """The keys of ours in one transit engine.

    The service is trusted to keep keys and to sign only for its tokens; whoever administers it can use every key in
    it. What it says is checked as far as it can be: a key that may leave it is refused when it is opened.
    """

    def __init__(self, client: VaultClient) -> None:
        """Calls nothing yet: a service that is down keeps no program from starting."""
        self._client = client
        self._opened: dict[str, VaultKey] = {}
        self._lock = Lock()

    def generate(self, purpose: Purpose, algorithm: Algorithm) -> VaultKey:
        """Make a key in the service, and read back what was made.

        Raises :class:`KeyNotWrittenError`, and the errors of the client; after a time-out the key may exist unused.
        """
        name = f"{purpose}-{secrets.token_hex(16)}"
        wanted = {"type": TYPES[algorithm], "exportable": False, "allow_plaintext_backup": False}
        answer = self._client.call("POST", f"keys/{name}", wanted)
        if answer.status in (_INVALID, _ABSENT):
            said = "; ".join(answer.errors)[:200]
            raise KeyNotWrittenError(
                f"密钥服务 {self._client.service} 没有生成密钥，状态 {answer.status}：{said!r}",
                f"the key service {self._client.service} made no key, status {answer.status}: {said!r}",
            )
        key = self._load(f"vault:{name}.v1")
        if key.algorithm != algorithm:
            raise KeyNotWrittenError(
                f"密钥 {key.ref} 的算法为 {key.algorithm}，应为 {algorithm}",
                f"key {key.ref} was made for {key.algorithm}, expected {algorithm}",
            )
        return self._keep(key)

    def open(self, ref: str) -> VaultKey:
        """The key's handle, read from the service once and kept.

        Raises :class:`KeyNotFoundError`, :class:`KeyUnreadableError` for a key that may leave the service, and the
        errors of the client.
        """
        with self._lock:
            opened = self._opened.get(ref)
        return opened or self._keep(self._load(ref))

    def refs(self) -> list[str]:
        """Every version of every key whose name is of our form, sorted: a rotation made in the service shows."""
        found = (
            f"vault:{name}.v{version}" for name in self._names() for version in self._read(name).data.get("keys", {})
        )
        return sorted(ref for ref in found if _REF.fullmatch(ref))

    def destroy(self, ref: str, grounds: Grounds | None = None) -> Destruction:  # noqa: ARG002  checked by others
        """Delete the key with all its versions, and see that it is gone.

        Copies of the service's storage are beyond what it can say. Raises :class:`KeyNotFoundError`,
        :class:`KeyNotDestroyedError`, and the errors of the client.
        """
        name = _parts(ref)[0]
        record, before = self._existing(ref), len(self._names())
        with self._lock:
            self._opened.pop(ref, None)
        self._client.call("POST", f"keys/{name}/config", {"deletion_allowed": True})
        answer = self._client.call("DELETE", f"keys/{name}")
        if answer.status in (_INVALID, _ABSENT) or self._read(name).status != _ABSENT:
            raise KeyNotDestroyedError(
                f"密钥服务 {self._client.service} 中密钥 {ref} 仍然存在（状态 {answer.status}）",
                f"the key service {self._client.service} still has key {ref} (status {answer.status})",
            )
        return Destruction(
            ref=ref,
            evidence={
                "backend": "vault-transit",
                "service": self._client.service,
                "name": name,
                "type": str(record.data.get("type"))[:40],
                "versions": str(len(record.data.get("keys", {}))),
                "objects_before": str(before),
                "objects_after": str(len(self._names())),
            },
        )

    def close(self) -> None:
        """Close the connection to the service; the next use opens one."""
        self._client.close()

    def sign(self, version: KeyVersion, message: bytes) -> bytes:
        """Called by the handle, which redeemed the permit."""
        how = _HOW[version.algorithm]
        content = sha256(message).digest() if how else message
        answer = self._client.call(
            "POST",
            f"sign/{version.name}",
            {"input": b64encode(content).decode(), "key_version": version.version, **how},
        )
        if answer.status in (_INVALID, _ABSENT):
            self._existing(version.ref)  # tells a key that is gone from a request that was refused
            self._client.refused(answer)
        signature = _signature(answer.data.get("signature"), version.version)
        if not signature_fits(version.public_key, signature, message):
            raise KeyServiceAnswerError(
                f"密钥服务 {self._client.service} 给出的签名与密钥 {version.ref} 的公钥不符",
                f"the signature that the key service {self._client.service} gave does not fit the public key of"
                f" {version.ref}",
            )
        return signature

    def _load(self, ref: str) -> VaultKey:
        name, purpose, number = _parts(ref)
        return VaultKey(self, purpose, read_version(self._existing(ref).data, ref=ref, name=name, version=number))

    def _keep(self, key: VaultKey) -> VaultKey:
        with self._lock:
            return self._opened.setdefault(key.ref, key)

    def _names(self) -> list[str]:
        names = self._client.call("LIST", "keys").data.get("keys", [])
        return [name for name in names if isinstance(name, str) and _REF.fullmatch(f"vault:{name}.v1")]

    def _existing(self, ref: str) -> VaultAnswer:
        answer = self._read(_parts(ref)[0])
        if answer.status == _ABSENT:
            with self._lock:
                self._opened.pop(ref, None)
            raise KeyNotFoundError(
                f"密钥服务 {self._client.service} 中没有密钥 {ref}",
                f"the key service {self._client.service} has no key {ref}",
            )
        return answer

    def _read(self, name: str) -> VaultAnswer:
        answer = self._client.call("GET", f"keys/{name}")
        if answer.status == _ABSENT and answer.errors:  # a key that is absent is told without a word
            raise KeystoreAddressError(
                f"{self._client.service} 处没有 transit 引擎",
                f"there is no transit engine at {self._client.service}",
            )
        if answer.status == _INVALID:
            self._client.refused(answer)
        return answer

    def __repr__(self) -> str:
        return f"VaultKeystore({self._client.service!r})"

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        raise TypeError("a keystore is never copied or pickled")


def open_vault(uri: str) -> VaultKeystore:
    """The keystore at ``uri``. Raises :class:`KeystoreAddressError`, :class:`KeyServiceTokenError`."""
    return VaultKeystore(VaultClient(parse_address(uri)))


def _parts(ref: str) -> tuple[str, Purpose, int]:
    matched = _REF.fullmatch(ref)
    if matched is None:
        raise KeyNotFoundError(
            f"密钥引用 {ref!r} 不是 vault:用途-32位十六进制.v版本 的形式",
            f"{ref!r} is no reference of this keystore, expected vault:<purpose>-<32 hex digits>.v<version>",
        )
    return matched[1], cast("Purpose", matched[2]), int(matched[3])


def _signature(text: object, version: int) -> bytes:
    prefix = f"vault:v{version}:"
    try:
        if isinstance(text, str) and text.startswith(prefix):
            return b64decode(text.removeprefix(prefix), validate=True)
    except ValueError:
        pass
    raise KeyServiceAnswerError(
        f"密钥服务的答复中没有第 {version} 版密钥的签名",
        f"the key service's answer has no signature by version {version}",
    )
