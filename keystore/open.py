"""Pick the backend of a keystore by the scheme of its URI."""

from pathlib import Path
from urllib.parse import unquote, urlsplit

from keystore.files import SCHEME, FileKeystore
from keystore.interface import Keystore, KeystoreAddressError
from keystore.vault import open_vault
from keystore.vault_address import SCHEME as VAULT_SCHEME


def open_keystore(uri: str, *, key_encryption_key: Path) -> Keystore:
    """The keystore at ``uri``, e.g. ``file:/var/lib/yinxin/keys`` or ``vault+https://vault:8200/transit?token-file=…``.

    Raises :class:`KeystoreAddressError`, and what the backend raises when it opens.
    """
    address = urlsplit(uri)
    if address.scheme == VAULT_SCHEME:
        return open_vault(uri)
    if address.scheme != SCHEME:
        raise KeystoreAddressError(
            f"密钥库地址的类型为 {address.scheme!r}，支持的类型：{SCHEME}:、{VAULT_SCHEME}:",
            f"the keystore address has the scheme {address.scheme!r}, known schemes: {SCHEME}:, {VAULT_SCHEME}:",
        )
    folder = Path(unquote(address.path))
    if address.netloc or address.query or address.fragment or not folder.is_absolute():
        raise KeystoreAddressError(
            f"密钥库地址 {uri!r} 应为 {SCHEME}:/绝对路径",
            f"the keystore address {uri!r} should be {SCHEME}:/absolute/path",
        )
    return FileKeystore(folder, key_encryption_key)
