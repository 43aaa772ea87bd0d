"""Pick the backend of a keystore by the scheme of its URI."""

from pathlib import Path
from urllib.parse import unquote, urlsplit

from keystore.files import SCHEME, FileKeystore
from keystore.interface import Keystore, KeystoreAddressError
from keystore.pkcs11_address import SCHEME as PKCS11
from keystore.pkcs11_address import read_address
from keystore.vault_address import SCHEME as VAULT

_SCHEMES = (f"{SCHEME}:", f"{PKCS11}:", f"{VAULT}:")


def open_keystore(uri: str, *, key_encryption_key: Path) -> Keystore:
    """The keystore at ``uri``.

    Either ``file:/var/lib/yinxin/keys``, or a token as :mod:`keystore.pkcs11_address` has it, or a key
    service as :mod:`keystore.vault_address` has it.
    ``key_encryption_key`` is for keys in files only. Raises :class:`KeystoreAddressError`, and what the
    backend raises when it opens.
    """
    before, colon, _ = uri.partition(":")
    scheme = before.lower() if colon else ""
    if scheme == SCHEME:
        return FileKeystore(_folder(uri), key_encryption_key)
    if scheme == PKCS11:
        from keystore.pkcs11 import Pkcs11Keystore  # noqa: PLC0415  its library is loaded where a token is used

        return Pkcs11Keystore(read_address(uri))
    if scheme == VAULT:
        from keystore.vault import open_vault  # noqa: PLC0415  its library is loaded where a service is used

        return open_vault(uri)
    raise KeystoreAddressError(
        f"密钥库地址的类型为 {scheme!r}，支持的类型：{'、'.join(_SCHEMES)}",
        f"the keystore address has the scheme {scheme!r}, known schemes: {', '.join(_SCHEMES)}",
    )


def pin_version(uri: str) -> tuple[int, int] | None:
    """Changes whenever the file with the PIN of the token at ``uri`` does; None where there is none to watch.

    Raises :class:`KeystoreAddressError`.
    """
    return read_address(uri).pin_source.version() if uri.lower().startswith(f"{PKCS11}:") else None


def _folder(uri: str) -> Path:
    try:
        address = urlsplit(uri)
        right = not (address.netloc or address.query or address.fragment)
    except ValueError:  # brackets that hold no address
        right = False
    folder = Path(unquote(address.path)) if right else Path()
    if not folder.is_absolute():
        raise KeystoreAddressError(
            f"密钥库地址 {uri!r} 应为 {SCHEME}:/绝对路径",
            f"the keystore address {uri!r} should be {SCHEME}:/absolute/path",
        )
    return folder
