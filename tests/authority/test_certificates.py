"""Root, issuer and seal certificate: what they say, what is refused, and what openssl thinks of them."""

import subprocess
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

import pytest
from asn1crypto import x509 as asn1
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import NameOID

from authority import oids
from authority.binding import SealBinding, read_binding
from authority.certificate_parts import Places
from authority.certificates import Period, is_embedded, make_issuer, make_root, make_seal_certificate
from authority.errors import IssuedSignatureError, ProfileError
from authority.issue import new_serial
from authority.names import seal_subject
from keystore.files import FileKey, FileKeystore
from keystore.interface import Permit

if TYPE_CHECKING:
    from tests.authority.conftest import Authority

SECOND = timedelta(seconds=1)


def text_of(name: x509.Name, oid: x509.ObjectIdentifier) -> str:
    (attribute,) = name.get_attributes_for_oid(oid)
    return str(attribute.value)


def extension(certificate: x509.Certificate, kind: type[x509.ExtensionType]) -> x509.Extension[Any]:
    return certificate.extensions.get_extension_for_class(kind)


def usages(certificate: x509.Certificate) -> set[str]:
    value = extension(certificate, x509.KeyUsage).value
    names = ["digital_signature", "content_commitment", "key_encipherment", "data_encipherment"]
    names += ["key_agreement", "key_cert_sign", "crl_sign"]
    return {name for name in names if getattr(value, name)}


def test_the_root(each_authority: "Authority", now: datetime) -> None:
    root = each_authority.root
    assert root.subject == root.issuer
    assert text_of(root.subject, NameOID.COMMON_NAME) == "印信内置根认证机构"
    assert extension(root, x509.BasicConstraints).value == x509.BasicConstraints(ca=True, path_length=1)
    assert usages(root) == {"key_cert_sign", "crl_sign"}
    assert root.not_valid_before_utc == now.replace(microsecond=0)
    assert root.not_valid_after_utc == datetime(2046, 11, 23, 9, tzinfo=UTC)
    root.verify_directly_issued_by(root)


def test_the_issuer(each_authority: "Authority") -> None:
    root, issuer = each_authority.root, each_authority.issuer
    assert extension(issuer, x509.BasicConstraints).value == x509.BasicConstraints(ca=True, path_length=0)
    assert usages(issuer) == {"key_cert_sign", "crl_sign"}
    assert is_embedded(issuer)
    assert not is_embedded(root)
    root_key_id = extension(root, x509.SubjectKeyIdentifier).value
    assert extension(issuer, x509.AuthorityKeyIdentifier).value.key_identifier == root_key_id.digest
    issuer.verify_directly_issued_by(root)


def test_the_seal(each_authority: "Authority", binding: SealBinding, now: datetime) -> None:
    seal = each_authority.seal(binding)
    assert text_of(seal.subject, NameOID.COMMON_NAME) == "赣州市行政审批局行政审批专用章（12）"
    assert text_of(seal.subject, NameOID.ORGANIZATION_NAME) == "赣州市行政审批局"
    assert text_of(seal.subject, NameOID.ORGANIZATION_IDENTIFIER) == "NTRCN-11360700SAMPLE0012"
    assert text_of(seal.subject, NameOID.COUNTRY_NAME) == "CN"
    assert seal.issuer == each_authority.issuer.subject
    assert usages(seal) == {"digital_signature", "content_commitment"}
    assert extension(seal, x509.BasicConstraints).value.ca is False
    assert read_binding(seal) == binding
    assert is_embedded(seal)
    assert seal.not_valid_after_utc == now.replace(microsecond=0) + timedelta(days=365)
    seal.verify_directly_issued_by(each_authority.issuer)


def test_which_extensions_are_critical(authority: "Authority", binding: SealBinding) -> None:
    """A foreign reader must be able to accept the certificate: only what every reader knows is critical."""
    critical = {each.oid.dotted_string for each in authority.seal(binding).extensions if each.critical}
    assert critical == {x509.BasicConstraints.oid.dotted_string, x509.KeyUsage.oid.dotted_string}


def test_extended_usage_and_revocation_address(authority: "Authority", binding: SealBinding) -> None:
    seal = authority.seal(binding, places=Places(crl="http://crl.example/a.crl"))
    (usage,) = extension(seal, x509.ExtendedKeyUsage).value
    assert usage.dotted_string == oids.DOCUMENT_SIGNING
    (point,) = extension(seal, x509.CRLDistributionPoints).value
    assert point.full_name == [x509.UniformResourceIdentifier("http://crl.example/a.crl")]


def test_the_encoding_is_der(each_authority: "Authority", binding: SealBinding) -> None:
    for certificate in (each_authority.root, each_authority.issuer, each_authority.seal(binding)):
        der = certificate.public_bytes(Encoding.DER)
        assert asn1.Certificate.load(der, strict=True).dump(force=True) == der
        assert bytes.fromhex("010100") not in der, "a default (critical FALSE) must not be encoded"


@pytest.mark.parametrize(
    ("algorithm", "parameters"),
    [("ecdsa-p256-sha256", "300a06082a8648ce3d040302"), ("rsa3072-sha256", "300d06092a864886f70d01010b0500")],
)
def test_the_algorithm_identifier_stands_in_both_places(
    each_authority: "Authority", algorithm: str, parameters: str
) -> None:
    if each_authority.root_key.algorithm == algorithm:
        der = each_authority.root.public_bytes(Encoding.DER)
        assert der.count(bytes.fromhex(parameters)) == 2


def test_serials_are_positive_random_and_of_128_bits() -> None:
    serials = {new_serial() for _ in range(200)}
    assert len(serials) == 200
    assert all(serial.bit_length() == 128 for serial in serials)


def test_the_given_serial_is_used(authority: "Authority", binding: SealBinding) -> None:
    assert authority.seal(binding, serial=2**159 - 1).serial_number == 2**159 - 1


@pytest.mark.parametrize("serial", [0, -1, 2**159])
def test_a_serial_outside_the_standard_is_refused_before_the_key_is_used(
    authority: "Authority", binding: SealBinding, serial: int
) -> None:
    before = authority.store.uses(authority.issuer_key.ref)
    with pytest.raises(ProfileError, match="20 octets"):
        authority.seal(binding, serial=serial)
    assert authority.store.uses(authority.issuer_key.ref) == before


def test_one_certificate_is_one_key_use(authority: "Authority", binding: SealBinding) -> None:
    before = authority.store.uses(authority.issuer_key.ref)
    authority.seal(binding)
    assert authority.store.uses(authority.issuer_key.ref) == before + 1


def test_years_from_2050_on_are_generalized_time(store: FileKeystore) -> None:
    key = store.generate("ca", "ecdsa-p256-sha256")
    root = make_root(key, "root", now=datetime(2049, 12, 31, 23, 59, 59, tzinfo=UTC), years=1)
    validity = asn1.Certificate.load(root.public_bytes(Encoding.DER))["tbs_certificate"]["validity"]
    assert validity["not_before"].name == "utc_time"
    assert validity["not_after"].name == "general_time"
    assert root.not_valid_after_utc.year == 2050


def test_the_year_that_counts_is_the_one_in_utc(store: FileKeystore) -> None:
    key = store.generate("ca", "ecdsa-p256-sha256")
    china = timezone(timedelta(hours=8))
    root = make_root(key, "root", now=datetime(2050, 1, 1, 7, tzinfo=china), years=1)
    validity = asn1.Certificate.load(root.public_bytes(Encoding.DER))["tbs_certificate"]["validity"]
    assert validity["not_before"].name == "utc_time"
    assert root.not_valid_before_utc == datetime(2049, 12, 31, 23, tzinfo=UTC)


def test_a_leap_day_ends_on_the_28th(store: FileKeystore) -> None:
    key = store.generate("ca", "ecdsa-p256-sha256")
    root = make_root(key, "root", now=datetime(2028, 2, 29, tzinfo=UTC), years=1)
    assert root.not_valid_after_utc == datetime(2029, 2, 28, tzinfo=UTC)


def test_times_of_another_zone_are_written_as_utc(authority: "Authority", binding: SealBinding, now: datetime) -> None:
    china = timezone(timedelta(hours=8))
    period = Period(
        not_before=now.astimezone(china),
        not_after=(now + timedelta(days=1)).astimezone(china),
        agreement_ends=now + timedelta(days=1),
    )
    assert authority.seal(binding, period=period).not_valid_before_utc == now.replace(microsecond=0)


def test_a_time_without_zone_is_refused(store: FileKeystore, now: datetime) -> None:
    with pytest.raises(ProfileError) as caught:
        make_root(store.generate("ca", "ecdsa-p256-sha256"), "root", now=now.replace(tzinfo=None))
    assert caught.value.code == "naive-time"


def test_a_name_of_64_bytes_is_the_cn_and_a_longer_one_gives_way_to_the_number(
    authority: "Authority", binding: SealBinding
) -> None:
    fitting = "章" * 21 + "1"
    assert len(fitting.encode()) == 64
    seal = authority.seal(replace(binding, seal_name=fitting))
    assert text_of(seal.subject, NameOID.COMMON_NAME) == fitting
    longer = replace(binding, seal_name=fitting + "1", seal_number=35)
    seal = authority.seal(longer)
    assert text_of(seal.subject, NameOID.COMMON_NAME) == "35"
    assert read_binding(seal) == longer


@pytest.mark.parametrize("grantor", ["", "局" * 65])
def test_an_organ_name_that_does_not_fit(authority: "Authority", binding: SealBinding, grantor: str) -> None:
    with pytest.raises(ProfileError, match="characters"):
        authority.seal(binding, grantor_name=grantor)
    assert seal_subject(seal_name="n", seal_number=1, grantor_name="局" * 64, grantor_code="c")


@pytest.mark.parametrize("name", ["", "印" * 22])
def test_an_authority_name_that_does_not_fit(store: FileKeystore, now: datetime, name: str) -> None:
    with pytest.raises(ProfileError, match="expected 1 to 64"):
        make_root(store.generate("ca", "ecdsa-p256-sha256"), name, now=now)


def test_never_beyond_the_agreement(authority: "Authority", binding: SealBinding, now: datetime) -> None:
    ends = (now + timedelta(days=90)).replace(microsecond=0)
    within = Period(not_before=now, not_after=ends, agreement_ends=ends)
    assert authority.seal(binding, period=within).not_valid_after_utc == ends
    with pytest.raises(ProfileError, match="agreement") as caught:
        authority.seal(binding, period=replace(within, not_after=ends + SECOND))
    assert caught.value.code == "beyond-agreement"


def test_never_beyond_the_issuer(authority: "Authority", binding: SealBinding, now: datetime) -> None:
    last = authority.issuer.not_valid_after_utc
    far = last + timedelta(days=900)
    whole = Period(not_before=now, not_after=last, agreement_ends=far)
    assert authority.seal(binding, period=whole).not_valid_after_utc == last
    for wrong in (replace(whole, not_after=last + SECOND), replace(whole, not_before=now - 2 * SECOND)):
        with pytest.raises(ProfileError) as caught:
            authority.seal(binding, period=wrong)
        assert caught.value.code == "beyond-issuer"


def test_an_empty_period_is_refused(authority: "Authority", binding: SealBinding, now: datetime) -> None:
    with pytest.raises(ProfileError) as caught:
        authority.seal(binding, period=Period(not_before=now, not_after=now, agreement_ends=now))
    assert caught.value.code == "period-empty"


def test_an_issuer_never_outlives_its_root(authority: "Authority", now: datetime) -> None:
    with pytest.raises(ProfileError) as caught:
        make_issuer(
            authority.root,
            authority.root_key,
            issuer_public_key=authority.issuer_key.public_key,
            name="too long",
            now=now,
            places=Places(crl="http://crl.example/"),
            years=21,
        )
    assert caught.value.code == "beyond-issuer"


@pytest.mark.parametrize(("key", "code"), [("seal_key", "key-purpose"), ("root_key", "issuer-key")])
def test_only_the_issuers_own_ca_key_signs(
    authority: "Authority", binding: SealBinding, now: datetime, key: str, code: str
) -> None:
    period = Period(not_before=now, not_after=now + SECOND, agreement_ends=now + SECOND)
    with pytest.raises(ProfileError) as caught:
        make_seal_certificate(
            authority.issuer,
            getattr(authority, key),
            authority.seal_key.public_key,
            binding,
            grantor_name="局",
            period=period,
            places=Places(crl="http://crl.example/"),
            serial=new_serial(),
        )
    assert caught.value.code == code


def test_a_seal_key_makes_no_root(authority: "Authority", now: datetime) -> None:
    with pytest.raises(ProfileError, match="expected ca"):
        make_root(authority.seal_key, "root", now=now)


def test_a_short_rsa_key_is_not_certified(authority: "Authority", now: datetime) -> None:
    short = generate_private_key(public_exponent=65537, key_size=2048).public_key()
    with pytest.raises(ProfileError, match="RSA of at least 3072") as caught:
        make_issuer(
            authority.root,
            authority.root_key,
            issuer_public_key=short.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo),
            name="issuer",
            now=now,
            places=Places(crl="http://crl.example/"),
        )
    assert caught.value.code == "public-key"


def test_an_ed25519_key_is_not_certified(store: FileKeystore, now: datetime) -> None:
    with pytest.raises(ProfileError) as caught:
        make_root(store.generate("ca", "ed25519"), "root", now=now)
    assert caught.value.code == "public-key"


@pytest.mark.parametrize("public_key", [b"", b"\x30\x00"])
def test_a_public_key_that_cannot_be_read(authority: "Authority", now: datetime, public_key: bytes) -> None:
    with pytest.raises(ProfileError, match="cannot be read"):
        make_issuer(
            authority.root,
            authority.root_key,
            issuer_public_key=public_key,
            name="issuer",
            now=now,
            places=Places(crl="http://crl.example/"),
        )


class WrongKey:
    """A backend that returns another key's signature, as a mixed-up token slot would."""

    def __init__(self, shown: FileKey, used: FileKey) -> None:
        self.ref, self.purpose = shown.ref, shown.purpose
        self.algorithm, self.public_key = shown.algorithm, shown.public_key
        self._used = used

    def sign(self, permit: Permit, message: bytes) -> bytes:
        permit.redeem(self, message)
        return self._used.sign(Permit.to_sign(self._used, message), message)


def test_a_wrong_signature_is_never_released(store: FileKeystore, now: datetime) -> None:
    shown, used = (store.generate("ca", "ecdsa-p256-sha256") for _ in range(2))
    with pytest.raises(IssuedSignatureError, match="does not verify"):
        make_root(WrongKey(shown, used), "root", now=now)


def openssl(*arguments: object) -> str:
    command = ["openssl", *(str(each) for each in arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.tool("openssl")
def test_openssl_accepts_the_chain_strictly(each_authority: "Authority", binding: SealBinding, now: datetime) -> None:
    root = each_authority.write("root.pem", each_authority.root)
    issuer = each_authority.write("issuer.pem", each_authority.issuer)
    seal = each_authority.write("seal.pem", each_authority.seal(binding))
    at = int(now.timestamp()) + 60
    told = openssl(
        "verify", "-x509_strict", "-policy_check", "-attime", at, "-CAfile", root, "-untrusted", issuer, seal
    )
    assert told.strip().endswith("OK")
    told = openssl("verify", "-x509_strict", "-attime", at, "-CAfile", root, "-purpose", "any", issuer)
    assert told.strip().endswith("OK")


@pytest.mark.tool("openssl")
def test_openssl_reads_what_we_wrote(each_authority: "Authority", binding: SealBinding) -> None:
    seal = each_authority.write("seal.pem", each_authority.seal(binding))
    told = openssl("x509", "-in", seal, "-noout", "-text", "-nameopt", "utf8,sep_comma_plus")
    for expected in (
        "CN=赣州市行政审批局行政审批专用章（12）",
        "O=赣州市行政审批局",
        "Digital Signature, Non Repudiation",
        "CA:FALSE",
        f"{oids.SEAL_BINDING}:",
        f"Policy: {oids.EMBEDDED_POLICY}",
        "URI:http://127.0.0.1:8080/v1/authority/issuer.crl",
    ):
        assert expected in told
