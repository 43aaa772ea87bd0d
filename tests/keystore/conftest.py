from pathlib import Path

import pytest

from keystore.files import FileKeystore


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
