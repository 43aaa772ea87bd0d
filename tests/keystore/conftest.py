from collections.abc import Iterator
from pathlib import Path

import pytest
from softhsm import SoftToken, make_token

from keystore.files import FileKeystore
from keystore.pkcs11 import Pkcs11Keystore
from keystore.pkcs11_address import read_address


@pytest.fixture
def key_encryption_key(tmp_path: Path) -> Path:
    path = tmp_path / "key-encryption.key"
    FileKeystore.create_key_encryption_key(path)
    return path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "keys"


@pytest.fixture
def store(folder: Path, key_encryption_key: Path) -> FileKeystore:
    return FileKeystore(folder, key_encryption_key)


@pytest.fixture
def reopened(store: FileKeystore, folder: Path, key_encryption_key: Path) -> FileKeystore:
    """The same folder as another process would see it: nothing is loaded yet."""
    return FileKeystore(folder, key_encryption_key)


@pytest.fixture
def token(tmp_path: Path) -> Iterator[SoftToken]:
    """A SoftHSM token that this process finds; a test that asks for it needs the marker ``tool``."""
    with make_token(tmp_path / "token").configured() as made:
        yield made


@pytest.fixture
def hsm(token: SoftToken) -> Pkcs11Keystore:
    return Pkcs11Keystore(read_address(token.uri))
