"""An authority's key signs the certificate that was intended, of the profile it should have, and no other."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from asn1crypto import core
from asn1crypto import x509 as asn1
from checked_keystore import Checked
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from told_state import ToldState, groups_of, shown

from authority.certificates import make_root
from authority.outside import make_csr
from custody.checks import check_use
from custody.requests import KnownKey, UseRequest
from keystore.interface import Grounds, GroundsError, Purpose, SigningKey
from keystore.open import open_keystore
from registry.records import ServiceKey
from sealing.administration.outside_certificates import request_certificate
from sealing.audit_keys import audit_keys
from sealing.service_keys import renew_service_keys, revoke_service_key

Tbs = Any
"""An asn1crypto TbsCertificate; the library has no types."""


@dataclass
class Case:
    """A certificate that would pass."""

    checked: Checked
    request: UseRequest
    now: datetime
    state: ToldState
    log_key: SigningKey

    def judge(self, **changed: Any) -> Mapping[str, Any]:
        return check_use(replace(self.request, **changed), self.state, self.now)

    def refused(self, **changed: Any) -> str:
        with pytest.raises(GroundsError) as caught:
            self.judge(**changed)
        return caught.value.en

    def rewritten(self, change: Callable[[Tbs], None]) -> bytes:
        tbs = asn1.TbsCertificate.load(self.request.message)
        change(tbs)
        written: bytes = tbs.dump(force=True)
        return written

    def intent(self, kind: str = "certificate.intended", **changed: Any) -> dict[str, Any]:
        assert self.request.grounds is not None
        values = {**groups_of(self.request.grounds["intent"])["certificate"], **changed}
        return {"intent": shown(kind, {"certificate": values}, self.log_key, self.state, self.now)}


@pytest.fixture(scope="module")
def made(looked_at: Checked) -> Mapping[str, tuple[UseRequest, datetime]]:
    """A certificate for a seal and one for a service, as they were asked for."""
    shop, seal = looked_at.shop, looked_at.world.seals["city"]
    act = replace(looked_at.world.act("换钥"), now=looked_at.clock())
    looked_at.world.two_persons("rotate_key", "city", act, seal=seal, algorithm="ecdsa-p256-sha256")
    found = {"seal": (looked_at.desk.asked["ca"], looked_at.desk.now)}
    with shop.database.read() as connection:
        key = shop.registry.find_one(connection, ServiceKey, purpose="ocsp", current=True).record
    revoke_service_key(shop, key.serial, "superseded", replace(looked_at.world.act("换钥"), now=looked_at.clock()))
    renew_service_keys(shop, looked_at.clock(), ("ocsp",))
    return {**found, "service": (looked_at.desk.asked["ca"], looked_at.desk.now)}


@contextmanager
def _case(looked_at: Checked, asked: tuple[UseRequest, datetime]) -> Iterator[Case]:
    settings = looked_at.shop.settings
    raw = open_keystore(settings.keystore_uri, key_encryption_key=settings.key_encryption_key_path)
    log_key = raw.open(looked_at.shop.installation.log_key)
    yield Case(looked_at, *asked, ToldState(looked_at.keystore.state), log_key)


@pytest.fixture
def case(looked_at: Checked, made: Mapping[str, Any]) -> Iterator[Case]:
    """A seal's certificate."""
    with _case(looked_at, made["seal"]) as found:
        yield found


@pytest.fixture
def service(looked_at: Checked, made: Mapping[str, Any]) -> Iterator[Case]:
    """A responder's certificate."""
    with _case(looked_at, made["service"]) as found:
        yield found


def test_what_was_made_passes(case: Case, service: Case) -> None:
    assert case.judge()["form"] == "certificate"
    assert service.judge()["form"] == "certificate"
    assert audit_keys(case.checked.shop).findings == []


def test_an_intent_certifies_once(case: Case) -> None:
    about = case.judge()
    case.state.used.add(about["intent"])
    assert "used before" in case.refused()


def _serial(tbs: Tbs) -> None:
    tbs["serial_number"] = 4711


def _key(tbs: Tbs) -> None:
    other = ec.generate_private_key(ec.SECP256R1()).public_key()
    der = other.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    tbs["subject_public_key_info"] = asn1.PublicKeyInfo.load(der)


def _value(tbs: Tbs, name: str, value: x509.ExtensionType, *, critical: bool | None = None) -> None:
    for each in tbs["extensions"]:
        if each["extn_id"].native == name:
            each["extn_value"] = core.ParsableOctetString(value.public_bytes())
            if critical is not None:
                each["critical"] = critical
            return
    raise AssertionError(name)


def _authority(tbs: Tbs) -> None:
    _value(tbs, "basic_constraints", x509.BasicConstraints(ca=True, path_length=None))


def _may_sign_certificates(tbs: Tbs) -> None:
    usage = dict.fromkeys(_USAGES, False)
    _value(tbs, "key_usage", x509.KeyUsage(**{**usage, "digital_signature": True, "key_cert_sign": True}))


def _for_servers(tbs: Tbs) -> None:
    _value(tbs, "extended_key_usage", x509.ExtendedKeyUsage([x509.ExtendedKeyUsageOID.SERVER_AUTH]))


def _of_another_authority(tbs: Tbs) -> None:
    _value(tbs, "authority_key_identifier", x509.AuthorityKeyIdentifier(bytes(20), None, None))


def _licensed(tbs: Tbs) -> None:
    policy = x509.PolicyInformation(x509.ObjectIdentifier("1.2.3.4"), None)
    _value(tbs, "certificate_policies", x509.CertificatePolicies([policy]))


def _one_more(tbs: Tbs) -> None:
    value = x509.SubjectAlternativeName([x509.DNSName("bank.example")])
    tbs["extensions"].append(
        {"extn_id": "subject_alt_name", "extn_value": core.ParsableOctetString(value.public_bytes())}
    )


def _one_twice(tbs: Tbs) -> None:
    tbs["extensions"].append(tbs["extensions"][0].copy())


def _not_critical(tbs: Tbs) -> None:
    _value(tbs, "basic_constraints", x509.BasicConstraints(ca=False, path_length=None), critical=False)


def _without_list(tbs: Tbs) -> None:
    tbs["extensions"] = [each for each in tbs["extensions"] if each["extn_id"].native != "crl_distribution_points"]


def _without_binding(tbs: Tbs) -> None:
    tbs["extensions"] = [each for each in tbs["extensions"] if not each["extn_id"].native.startswith("2.25")]


def _other_log(tbs: Tbs) -> None:
    for each in tbs["extensions"]:
        if each["extn_id"].native.startswith("2.25"):
            value = each["extn_value"].contents
            assert b"yinxin.example/log" in value
            each["extn_value"] = core.ParsableOctetString(value.replace(b"yinxin.example/log", b"yinxin.example/gol"))


def _backdated(tbs: Tbs) -> None:
    tbs["validity"]["not_before"] = asn1.Time({"utc_time": datetime(2026, 1, 1, tzinfo=UTC)})


def _for_ever(tbs: Tbs) -> None:
    tbs["validity"]["not_after"] = asn1.Time({"general_time": datetime(2099, 1, 1, tzinfo=UTC)})


_USAGES = (
    "digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement",
    "key_cert_sign", "crl_sign", "encipher_only", "decipher_only",
)  # fmt: skip

CHANGES: dict[Callable[[Tbs], None], str] = {
    _serial: "has the serial",
    _key: "not for the intended key",
    _authority: "no authority is certified any more",
    _may_sign_certificates: "2.5.29.15",
    _for_servers: "2.5.29.37",
    _of_another_authority: "2.5.29.35",
    _licensed: "2.5.29.32",
    _one_more: "2.5.29.17",
    _one_twice: "cannot be read",
    _not_critical: "2.5.29.19",
    _without_list: "2.5.29.31",
    _backdated: "expected from now",
    _for_ever: "expected from now",
}


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.__name__.strip("_"))
def test_a_seals_certificate_that_says_something_else(case: Case, change: Callable[[Tbs], None]) -> None:
    assert CHANGES[change] in case.refused(message=case.rewritten(change))


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.__name__.strip("_"))
def test_a_services_certificate_that_says_something_else(service: Case, change: Callable[[Tbs], None]) -> None:
    assert CHANGES[change] in service.refused(message=service.rewritten(change))


def test_a_seals_certificate_without_its_binding_or_to_another_log(case: Case) -> None:
    assert "2.25." in case.refused(message=case.rewritten(_without_binding))
    assert "another log" in case.refused(message=case.rewritten(_other_log))


def test_other_terms_than_were_intended(case: Case) -> None:
    assert "names other terms" in case.refused(grounds=case.intent(terms_digest="sha256:" + "0" * 64))


@pytest.mark.parametrize("changed", [{"serial": "abc"}, {"key": "file:seal-" + "0" * 32}], ids=["serial", "key"])
def test_an_intent_of_another_certificate(case: Case, changed: dict[str, str]) -> None:
    assert "intended" in case.refused(grounds=case.intent(**changed))


def test_a_seals_key_gets_no_services_certificate(case: Case) -> None:
    """And so no key of a seal answers for revocations, or makes time-stamps."""
    grounds = case.intent("service_certificate.intended", purpose="ocsp")
    assert "of the purpose ocsp" in case.refused(grounds=grounds)


def test_there_are_no_other_services(case: Case) -> None:
    assert "there is no service web" in case.refused(grounds=case.intent("service_certificate.intended", purpose="web"))


def test_a_key_that_was_made_elsewhere_is_not_certified(case: Case) -> None:
    """Not even with an intent in the log: its private key could be anywhere."""

    class Nothing(ToldState):
        def generated(self, purpose: Purpose) -> list[KnownKey]:
            return []

    case.state = Nothing(case.state.real)
    assert "not for the intended key" in case.refused()


def test_no_grounds(case: Case) -> None:
    assert "no evidence of the log came along" in case.refused(grounds=None)


@pytest.mark.parametrize("message", [b"", b"0", b"\x30\x80", b"\x30\x03\x02\x01\x01", b"\x30\x02\xa0\x00"])
def test_what_is_neither_certificate_nor_list(case: Case, message: bytes) -> None:
    assert case.refused(message=message)


def test_after_the_founding_no_authority_is_made(checked: Checked) -> None:
    """A root of the same key, or an issuer for another key here: there is a checkpoint, so neither."""
    key = checked.shop.keystore.open(str(checked.shop.installation.root_key))
    with pytest.raises(GroundsError, match="no authority is certified any more"):
        make_root(key, "又一个根", now=checked.desk.now)


def test_at_the_founding_only_keys_that_are_here_become_authorities(checked: Checked, tmp_path: Path) -> None:
    class Founding(ToldState):
        def last(self, purpose: Purpose) -> None:
            return None

    issuer = asn1.Certificate.load(checked.shop.installation.issuer_certificate.public_bytes(Encoding.DER))
    root = checked.keystore.state.generated("ca")[0]
    request = UseRequest(
        key_ref=root.ref,
        purpose="ca",
        algorithm=root.algorithm,
        public_key=root.public_key,
        message=issuer["tbs_certificate"].dump(),
    )
    state = Founding(checked.keystore.state)
    assert check_use(request, state, checked.desk.now)["form"] == "issuer"
    tbs = asn1.TbsCertificate.load(request.message)
    _key(tbs)
    with pytest.raises(GroundsError, match="no authority's key of this process"):
        check_use(replace(request, message=tbs.dump(force=True)), state, checked.desk.now)


def test_a_request_for_an_outside_certificate_has_its_entry(checked: Checked) -> None:
    act = replace(checked.world.act("申请外部证书"), now=checked.clock())
    request_certificate(checked.shop, checked.world.seals["city"], act)
    assert checked.keystore.about("seal")[-1]["form"] == "request"
    assert audit_keys(checked.shop).findings == []
    asked, state = checked.desk.asked["seal"], ToldState(checked.keystore.state)
    assert check_use(asked, state, checked.desk.now)["form"] == "request"
    with pytest.raises(GroundsError, match="no evidence of the log came along"):
        check_use(replace(asked, grounds=None), state, checked.desk.now)
    with pytest.raises(GroundsError, match="used before"):
        check_use(asked, checked.keystore.state, checked.desk.now)
    other = checked.keystore.generate("seal", "ecdsa-p256-sha256")
    with pytest.raises(GroundsError, match="used before"):
        make_csr(other, x509.Name([]), Grounds(statement=dict(asked.grounds or {})))
    with pytest.raises(GroundsError, match="the intent is for key"):
        check_use(checked.desk.asked["seal"], state, checked.desk.now)


def test_later_is_too_late(case: Case) -> None:
    case.now += timedelta(minutes=30)
    assert "expected from now" in case.refused()
