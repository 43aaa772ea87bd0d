"""PKCS #11 URIs: what is taken, what is refused, and that no value of one is ever repeated."""

from pathlib import Path

import pytest

from keystore.interface import KeystoreAddressError
from keystore.open import open_keystore
from keystore.pkcs11_address import read_address

HOW = "module-path=/usr/lib/m.so&pin-source=file:/etc/pin"


def test_every_attribute_of_a_token_is_read_and_decoded() -> None:
    address = read_address(f"pkcs11:token=%E5%8D%B0%20seals;serial=0a;manufacturer=M;model=X?{HOW}")
    assert address.wanted == {"token": "印 seals", "serial": "0a", "manufacturer": "M", "model": "X"}
    assert address.module == Path("/usr/lib/m.so")
    assert str(address) == "token=印 seals;serial=0a;manufacturer=M;model=X"


@pytest.mark.parametrize("source", ["file:/etc/pin", "/etc/pin", "env:TOKEN_PIN", "prompt"])
def test_sources_of_a_pin(source: str) -> None:
    address = read_address(f"pkcs11:token=a?module-path=/m.so&pin-source={source}")
    assert source.removeprefix("file:") in repr(address.pin_source)


@pytest.mark.parametrize(
    ("uri", "said"),
    [
        ("pkcs11:", "token= or serial="),
        (f"pkcs11:?{HOW}", "token= or serial="),
        (f"pkcs11:model=X?{HOW}", "token= or serial="),
        ("pkcs11:token=a", "module-path= is missing"),
        ("pkcs11:token=a?module-path=/m.so", "pin-source= is missing"),
        ("pkcs11:token=a?module-path=m.so&pin-source=prompt", "absolute path"),
        ("pkcs11:token=a?module-path=/m.so&pin-source=/p&pin-value=secret7", "pin-value"),
        ("pkcs11:token=a;pin-value=secret7?module-path=/m.so&pin-source=/p", "pin-value"),
        ("pkcs11:token=a?module-path=/m.so&pin-source=secret7%20x", "env:NAME"),
        ("pkcs11:token=a?module-path=/m.so&pin-source=env:", "env:NAME"),
        ("pkcs11:token=a?module-path=/m.so&pin-source=env:secret7-x", "env:NAME"),
        ("pkcs11:token=a?module-path=/m.so&pin-source=file:secret7-x", "env:NAME"),
        ("pkcs11:token=a?module-path=/m.so&pin-source=|secret7", "env:NAME"),
        (f"pkcs11:token=a;object=secret7?{HOW}", "unknown attribute"),
        (f"pkcs11:token=a;token=secret7?{HOW}", "given once"),
        (f"pkcs11:token=?{HOW}", "not be empty"),
        (f"pkcs11:token?{HOW}", "not be empty"),
        (f"pkcs11:token=%FF?{HOW}", "printable"),
        (f"pkcs11:token=%00?{HOW}", "printable"),
        (f"pkcs11:token=a;?{HOW}", "unknown attribute"),
    ],
)
def test_an_address_that_is_wrong_says_so_and_repeats_nothing(tmp_path: Path, uri: str, said: str) -> None:
    with pytest.raises(KeystoreAddressError, match=said) as caught:
        open_keystore(uri, key_encryption_key=tmp_path / "none")
    assert "secret7" not in str(caught.value)
