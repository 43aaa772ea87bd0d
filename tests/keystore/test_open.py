"""The backend is picked by the scheme of the URI."""

from pathlib import Path

import pytest

from keystore.interface import KeyEncryptionKeyError, KeystoreAddressError
from keystore.open import open_keystore


@pytest.mark.parametrize("form", ["file:{}", "file://{}"])
def test_a_file_uri_opens_the_folder(folder: Path, key_encryption_key: Path, form: str) -> None:
    ref = open_keystore(form.format(folder), key_encryption_key=key_encryption_key).generate("seal", "ed25519").ref
    assert (folder / f"{ref.removeprefix('file:')}.json").is_file()


def test_a_folder_with_chinese_name_and_space(tmp_path: Path, key_encryption_key: Path) -> None:
    folder = tmp_path / "密 钥"
    open_keystore(folder.as_uri(), key_encryption_key=key_encryption_key)
    assert folder.is_dir()


@pytest.mark.parametrize("uri", ["https://keys.example/", "/var/lib/keys", "", "FILES:/x"])
def test_an_unknown_scheme_names_the_known_ones(key_encryption_key: Path, uri: str) -> None:
    with pytest.raises(KeystoreAddressError, match=r"known schemes: file:") as caught:
        open_keystore(uri, key_encryption_key=key_encryption_key)
    assert caught.value.code == "keystore-address"


@pytest.mark.parametrize("uri", ["file:", "file:keys", "file://host/keys", "file:/keys?mode=ro", "file:/keys#1"])
def test_an_incomplete_file_uri(key_encryption_key: Path, uri: str) -> None:
    with pytest.raises(KeystoreAddressError, match="absolute/path"):
        open_keystore(uri, key_encryption_key=key_encryption_key)


def test_the_key_encryption_key_is_checked_when_the_store_opens(tmp_path: Path) -> None:
    with pytest.raises(KeyEncryptionKeyError):
        open_keystore(f"file:{tmp_path / 'keys'}", key_encryption_key=tmp_path / "none.key")
