"""Revocation lists: what we write, what we refuse to write, what we refuse to read, and openssl's view."""

import subprocess
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, get_args

import pytest
from asn1crypto import crl as asn1
from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding

from authority.binding import SealBinding
from authority.errors import IssuedSignatureError, ProfileError, RevocationListError
from authority.revocation import Reason, Revoked, make_crl, read_crl
from keystore.files import FileKey
from keystore.interface import Permit

if TYPE_CHECKING:
    from tests.authority.conftest import Authority, Mint, Minted

DAY = timedelta(hours=24)
CA = ("key_cert_sign", "crl_sign")


def make(authority: "Authority", revoked: list[Revoked], now: datetime, **changed: object) -> bytes:
    arguments: dict[str, object] = {"number": 1, "now": now, "next_update": now + DAY} | changed
    return make_crl(authority.issuer, authority.issuer_key, revoked, **arguments)  # type: ignore[arg-type]  # by name


def test_what_was_listed_is_read(each_authority: "Authority", now: datetime) -> None:
    whole = now.replace(microsecond=0)
    reasons: tuple[Reason, ...] = get_args(Reason)
    revoked = [
        Revoked(serial=2**127 + place, time=whole - timedelta(minutes=place), reason=reason)
        for place, reason in enumerate(reasons)
    ]
    found = read_crl(make(each_authority, revoked, now, number=7), each_authority.issuer)
    assert found.revoked == {each.serial: each for each in revoked}
    assert (found.number, found.this_update, found.next_update) == (7, whole, whole + DAY)


def test_an_empty_list_has_no_empty_sequence(authority: "Authority", now: datetime) -> None:
    der = make(authority, [], now)
    parsed = asn1.CertificateList.load(der, strict=True)
    assert parsed["tbs_cert_list"]["revoked_certificates"].native is None
    assert parsed.dump(force=True) == der
    assert read_crl(der, authority.issuer).revoked == {}


def test_an_unspecified_reason_is_left_out(authority: "Authority", now: datetime) -> None:
    der = make(authority, [Revoked(serial=5, time=now, reason="unspecified")], now)
    (entry,) = x509.load_der_x509_crl(der)
    assert list(entry.extensions) == []


def test_number_and_issuer_key_stand_in_the_list(authority: "Authority", now: datetime) -> None:
    found = x509.load_der_x509_crl(make(authority, [], now, number=2**100))
    assert found.extensions.get_extension_for_class(x509.CRLNumber).value.crl_number == 2**100
    key_id = found.extensions.get_extension_for_class(x509.AuthorityKeyIdentifier).value.key_identifier
    subject = authority.issuer.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    assert key_id == subject.digest
    assert [each for each in found.extensions if each.critical] == []


def test_one_list_is_one_key_use(authority: "Authority", now: datetime) -> None:
    before = authority.store.uses(authority.issuer_key.ref)
    make(authority, [], now)
    assert authority.store.uses(authority.issuer_key.ref) == before + 1


@pytest.mark.parametrize(
    ("life", "right"),
    [
        (DAY, True),
        (timedelta(minutes=1), True),
        (DAY + timedelta(seconds=1), False),
        (timedelta(0), False),
        (-DAY, False),
    ],
)
def test_a_list_lives_a_day_at_most(authority: "Authority", now: datetime, life: timedelta, right: bool) -> None:
    if right:
        assert make(authority, [], now, next_update=now + life)
        return
    with pytest.raises(ProfileError) as caught:
        make(authority, [], now, next_update=now + life)
    assert caught.value.code == "crl-life"


@pytest.mark.parametrize("number", [0, -1, 2**159])
def test_a_number_outside_the_standard(authority: "Authority", now: datetime, number: int) -> None:
    with pytest.raises(ProfileError) as caught:
        make(authority, [], now, number=number)
    assert caught.value.code == "crl-number"


def test_the_future_and_repetitions_are_refused(authority: "Authority", now: datetime) -> None:
    entry = Revoked(serial=9, time=now, reason="superseded")
    with pytest.raises(ProfileError) as caught:
        make(authority, [replace(entry, time=now + timedelta(seconds=1))], now)
    assert caught.value.code == "crl-future"
    with pytest.raises(ProfileError) as caught:
        make(authority, [entry, replace(entry, reason="key_compromise")], now)
    assert caught.value.code == "crl-duplicate"


def test_only_the_issuers_own_ca_key_signs(authority: "Authority", now: datetime) -> None:
    for key, code in ((authority.seal_key, "key-purpose"), (authority.root_key, "issuer-key")):
        with pytest.raises(ProfileError) as caught:
            make_crl(authority.issuer, key, [], number=1, now=now, next_update=now + DAY)
        assert caught.value.code == code


def test_a_stale_list_says_so(authority: "Authority", now: datetime) -> None:
    whole = now.replace(microsecond=0)
    found = read_crl(make(authority, [], now), authority.issuer)
    second = timedelta(seconds=1)
    assert [found.current(at) for at in (whole - second, whole, whole + DAY, whole + DAY + second)] == [
        False,
        True,
        True,
        False,
    ]


def test_a_list_of_another_issuer(authority: "Authority", mint: "Mint", now: datetime) -> None:
    der = make(authority, [], now)
    with pytest.raises(RevocationListError, match="内置签发机构") as caught:
        read_crl(der, authority.root)
    assert caught.value.code == "crl-issuer"


def foreign_crl(issuer: "Minted", now: datetime, *extensions: x509.ExtensionType) -> bytes:
    builder = (
        x509.CertificateRevocationListBuilder()
        .issuer_name(issuer.certificate.subject)
        .last_update(now)
        .next_update(now + DAY)
    )
    for extension in extensions:
        builder = builder.add_extension(extension, critical=True)
    return builder.sign(issuer.key, SHA256()).public_bytes(Encoding.DER)


def test_a_foreign_list_is_read(mint: "Mint", now: datetime) -> None:
    issuer = mint("outside", ca=True, usage=CA)
    found = read_crl(foreign_crl(issuer, now), issuer.certificate)
    assert found.number is None
    assert found.current(now + timedelta(hours=1))


def test_same_name_other_key(mint: "Mint", now: datetime) -> None:
    real, forger = (mint("outside", ca=True, usage=CA) for _ in range(2))
    with pytest.raises(RevocationListError) as caught:
        read_crl(foreign_crl(forger, now), real.certificate)
    assert caught.value.code == "crl-signature"


@pytest.mark.parametrize("usage", [("key_cert_sign",), None])
def test_an_issuer_that_may_not_sign_lists(mint: "Mint", now: datetime, usage: tuple[str, ...] | None) -> None:
    issuer = mint("outside", ca=True, usage=usage)
    with pytest.raises(RevocationListError) as caught:
        read_crl(foreign_crl(issuer, now), issuer.certificate)
    assert caught.value.code in {"crl-signature", "crl-malformed"}


def test_partial_lists_are_not_taken_for_whole_ones(mint: "Mint", now: datetime) -> None:
    issuer = mint("outside", ca=True, usage=CA)
    partial = x509.IssuingDistributionPoint(
        full_name=None,
        relative_name=None,
        only_contains_user_certs=False,
        only_contains_ca_certs=True,
        only_some_reasons=None,
        indirect_crl=False,
        only_contains_attribute_certs=False,
    )
    for extension in (partial, x509.DeltaCRLIndicator(1)):
        with pytest.raises(RevocationListError) as caught:
            read_crl(foreign_crl(issuer, now, extension), issuer.certificate)
        assert caught.value.code == "crl-critical-extension"


def test_an_entry_with_an_unknown_critical_extension(mint: "Mint", now: datetime) -> None:
    """E.g. a certificate issuer (indirect list): the serial would be another authority's."""
    issuer = mint("outside", ca=True, usage=CA)
    unknown = x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.4"), b"\x05\x00")
    for critical in (True, False):
        entry = x509.RevokedCertificateBuilder().serial_number(5).revocation_date(now)
        builder = (
            x509.CertificateRevocationListBuilder()
            .issuer_name(issuer.certificate.subject)
            .last_update(now)
            .next_update(now + DAY)
            .add_revoked_certificate(entry.add_extension(unknown, critical=critical).build())
        )
        der = builder.sign(issuer.key, SHA256()).public_bytes(Encoding.DER)
        if critical:
            with pytest.raises(RevocationListError, match="critical extension"):
                read_crl(der, issuer.certificate)
        else:
            assert set(read_crl(der, issuer.certificate).revoked) == {5}


class WrongKey:
    """A backend that returns another key's signature."""

    def __init__(self, shown: FileKey, used: FileKey) -> None:
        self.ref, self.purpose = shown.ref, shown.purpose
        self.algorithm, self.public_key = shown.algorithm, shown.public_key
        self._used = used

    def sign(self, permit: Permit, message: bytes) -> bytes:
        permit.redeem(self, message)
        return self._used.sign(Permit.to_sign(self._used, message), message)


def test_a_wrong_signature_is_never_released(each_authority: "Authority", now: datetime) -> None:
    key = WrongKey(each_authority.issuer_key, each_authority.root_key)
    with pytest.raises(IssuedSignatureError):
        make_crl(each_authority.issuer, key, [], number=1, now=now, next_update=now + DAY)


def test_a_changed_byte_is_never_read(authority: "Authority", now: datetime) -> None:
    der = make(authority, [Revoked(serial=2**100, time=now, reason="key_compromise")], now)
    for place in range(len(der)):
        changed = bytearray(der)
        changed[place] ^= 0x04
        with pytest.raises(RevocationListError):
            read_crl(bytes(changed), authority.issuer)


def test_a_signature_said_to_end_within_a_byte_is_never_read(authority: "Authority", now: datetime) -> None:
    der = next(each for each in (make(authority, [], now) for _ in range(1_000)) if each[-1] & 0x0F == 0)
    signature = x509.load_der_x509_crl(der).signature
    changed = der[: -len(signature) - 1] + b"\x04" + signature
    assert x509.load_der_x509_crl(changed).is_signature_valid(authority.issuer.public_key())  # type: ignore[arg-type]
    with pytest.raises(RevocationListError) as caught:
        read_crl(changed, authority.issuer)
    assert caught.value.code == "crl-signature"


@pytest.mark.parametrize("rubbish", [b"", b"\x30\x00", b"-----BEGIN X509 CRL-----"])
def test_rubbish_is_a_typed_error(authority: "Authority", rubbish: bytes) -> None:
    with pytest.raises(RevocationListError) as caught:
        read_crl(rubbish, authority.issuer)
    assert caught.value.code == "crl-malformed"


def openssl(*arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["openssl", *(str(each) for each in arguments)], capture_output=True, text=True, check=False)


@pytest.mark.tool("openssl")
def test_openssl_verifies_and_reads_the_list(each_authority: "Authority", now: datetime, tmp_path: Path) -> None:
    path = tmp_path / "issuer.crl"
    held = Revoked(serial=0xABCDEF, time=now, reason="certificate_hold")
    path.write_bytes(make(each_authority, [held], now, number=0x2A))
    issuer = each_authority.write("issuer.pem", each_authority.issuer)
    told = openssl("crl", "-inform", "DER", "-in", path, "-CAfile", issuer, "-verify", "-noout", "-text")
    assert "verify OK" in told.stderr
    for expected in ("Serial Number: ABCDEF", "Certificate Hold", "X509v3 CRL Number", "42", "Version 2"):
        assert expected in told.stdout


@pytest.mark.tool("openssl")
def test_openssl_refuses_a_revoked_seal_and_accepts_the_other(
    each_authority: "Authority", binding: SealBinding, now: datetime, tmp_path: Path
) -> None:
    lost, kept = each_authority.seal(binding), each_authority.seal(binding)
    crl = x509.load_der_x509_crl(
        make(each_authority, [Revoked(serial=lost.serial_number, time=now, reason="key_compromise")], now)
    )
    list_file = tmp_path / "issuer.crl.pem"
    list_file.write_bytes(crl.public_bytes(Encoding.PEM))
    root = each_authority.write("root.pem", each_authority.root)
    issuer = each_authority.write("issuer.pem", each_authority.issuer)
    outcomes = {}
    for name, certificate in (("lost", lost), ("kept", kept)):
        outcomes[name] = openssl(
            "verify", "-attime", int(now.timestamp()) + 60, "-crl_check", "-CRLfile", list_file,
            "-CAfile", root, "-untrusted", issuer, each_authority.write(f"{name}.pem", certificate),
        )  # fmt: skip
    assert outcomes["kept"].returncode == 0, outcomes["kept"].stderr
    assert "certificate revoked" in outcomes["lost"].stderr
