"""The one secret of an installation that seals what accounts store and must read again."""

from dataclasses import dataclass, field
from pathlib import Path
from secrets import token_bytes
from typing import Final, Self

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from accounts.errors import SecretError
from keystore.interface import KeyUnreadableError
from keystore.private_file import read_private, write_private

SECRET_LENGTH: Final = 32
_NONCE_LENGTH: Final = 12
_VERSION: Final = b"\x01"
_DOMAIN: Final = "yinxin/account-secret/v1\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountSecrets:
    """32 random bytes that stand in no database and no log."""

    installation: bytes = field(repr=False)

    def __post_init__(self) -> None:
        if len(self.installation) != SECRET_LENGTH:
            raise ValueError(f"the secret has {len(self.installation)} bytes, expected {SECRET_LENGTH}")

    @classmethod
    def open(cls, path: Path) -> Self:
        """The secret in the private file ``path``, made when there is none.

        Raises ``KeyUnreadableError``, ``KeyNotWrittenError``.
        """
        if not path.exists():
            write_private(path, token_bytes(SECRET_LENGTH))
        content = read_private(path, limit=SECRET_LENGTH, error=KeyUnreadableError)
        if len(content) != SECRET_LENGTH:
            raise KeyUnreadableError(
                f"文件 {path} 长 {len(content)} 字节，应为 {SECRET_LENGTH}",
                f"{path} has {len(content)} bytes, expected {SECRET_LENGTH}",
            )
        return cls(installation=content)

    def seal(self, content: bytes, *, person: str, purpose: str) -> bytes:
        """``content`` so that only this installation reads it again, for this person and purpose: AES-256-GCM."""
        nonce = token_bytes(_NONCE_LENGTH)
        return _VERSION + nonce + self._cipher().encrypt(nonce, content, _bound(person, purpose))

    def unseal(self, stored: bytes, *, person: str, purpose: str) -> bytes:
        """What :meth:`seal` was given. Raises :class:`SecretError` ``account-secret-wrong``."""
        nonce, sealed = stored[1 : 1 + _NONCE_LENGTH], stored[1 + _NONCE_LENGTH :]
        try:
            if stored[:1] != _VERSION or len(nonce) != _NONCE_LENGTH:
                raise InvalidTag  # noqa: TRY301  one refusal for all that does not fit
            return self._cipher().decrypt(nonce, sealed, _bound(person, purpose))
        except InvalidTag:
            raise SecretError(
                "account-secret-wrong",
                "帐户中加密保存的内容与本安装的密钥、人员或用途不符",
                "what is stored encrypted in the account does not fit this installation's secret, person and purpose",
            ) from None

    def _cipher(self) -> AESGCM:
        derived = HKDF(algorithm=SHA256(), length=32, salt=None, info=(_DOMAIN + "aes-256-gcm").encode())
        return AESGCM(derived.derive(self.installation))


def _bound(person: str, purpose: str) -> bytes:
    return f"{_DOMAIN}{purpose}\n{person}".encode()
