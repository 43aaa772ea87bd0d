"""Revocation answers over HTTP, as openssl asks for them and as strangers abuse them."""

from base64 import b64encode
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from urllib.parse import quote

import pytest
from asn1crypto import ocsp as asn1
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp as library

from authority.ocsp_response import read_response
from ledger.ids import new_id
from registry.store import Act, Actor
from sealing import ocsp
from sealing.audit import audit
from sealing.service_keys import revoke_service_key, service_key
from tests.authority_services.services import OCSP, Services

REQUEST, RESPONSE = "application/ocsp-request", "application/ocsp-response"
GOOD, REVOKED, UNKNOWN = library.OCSPCertStatus.GOOD, library.OCSPCertStatus.REVOKED, library.OCSPCertStatus.UNKNOWN


def asking(certificate: x509.Certificate, issuer: x509.Certificate, nonce: bytes | None = None) -> bytes:
    builder = library.OCSPRequestBuilder().add_certificate(certificate, issuer, hashes.SHA1())
    if nonce is not None:
        builder = builder.add_extension(x509.OCSPNonce(nonce), critical=False)
    return builder.build().public_bytes(Encoding.DER)


def ask(services: Services, certificate: x509.Certificate, nonce: bytes | None = None) -> library.OCSPResponse:
    request = asking(certificate, services.shop.installation.issuer_certificate, nonce)
    answer = services.post(OCSP, request, REQUEST)
    assert (answer.status_code, answer.headers["content-type"]) == (200, RESPONSE)
    read_response(answer.content, services.shop.installation.issuer_certificate)  # signed by who may
    return library.load_der_ocsp_response(answer.content)


def ask_by_openssl(services: Services, *more: str) -> str:
    return services.openssl(
        *("ocsp", "-issuer", str(services.folder / "issuer.pem"), "-url", services.server.address + OCSP),
        *("-CAfile", str(services.folder / "root.pem"), *more),
    )


@pytest.mark.tool("openssl")
@pytest.mark.parametrize("options", [(), ("-no_nonce",), ("-sha256",)], ids=["nonce", "no nonce", "sha256"])
def test_openssl_is_told_good_and_unknown(services: Services, options: tuple[str, ...]) -> None:
    seal = services.write("seal.pem", services.seal_certificate("city"))
    said = ask_by_openssl(services, *options, "-cert", seal, "-serial", "0x1234567890abcdef")
    assert f"{seal}: good" in said
    assert "0x1234567890abcdef: unknown" in said
    assert "Response verify OK" in said
    assert "WARNING" not in said


@pytest.mark.tool("openssl")
def test_a_suspended_seal_is_on_hold_at_once_and_good_at_once_when_resumed(services: Services) -> None:
    certificate = services.seal_certificate("town")
    seal = services.write("seal.pem", certificate)
    assert f"{seal}: good" in ask_by_openssl(services, "-no_nonce", "-cert", seal)
    services.change("town", "suspend")
    held = ask_by_openssl(services, "-no_nonce", "-cert", seal)
    assert f"{seal}: revoked" in held
    assert "Reason: certificateHold" in held
    assert ask(services, certificate, b"n" * 8).revocation_reason is x509.ReasonFlags.certificate_hold
    services.change("town", "resume")
    assert f"{seal}: good" in ask_by_openssl(services, "-no_nonce", "-cert", seal)


@pytest.mark.tool("openssl")
def test_openssl_verifies_a_path_with_our_lists(services: Services) -> None:
    """CRLs and OCSP tell the same; service certificates stand in the same list."""
    crls = services.folder / "crls.pem"
    certificate = services.seal_certificate("forest")
    seal = services.write("forest.pem", certificate)

    def verify(*, fails: bool) -> str:
        lists = [
            x509.load_der_x509_crl(services.get(f"/v1/authority/{name}.crl").content) for name in ("issuer", "root")
        ]
        crls.write_bytes(b"".join(each.public_bytes(Encoding.PEM) for each in lists))
        return services.openssl(
            *("verify", "-crl_check_all", "-CRLfile", str(crls), "-CAfile", str(services.folder / "root.pem")),
            *("-untrusted", str(services.folder / "issuer.pem"), seal),
            fails=fails,
        )

    assert "OK" in verify(fails=False)
    services.change("forest", "suspend")
    assert "certificate revoked" in verify(fails=True)
    services.change("forest", "cancel")
    found = ask(services, certificate)
    assert found.certificate_status is REVOKED
    assert found.revocation_reason is x509.ReasonFlags.superseded


def test_a_nonce_is_answered_anew_and_others_from_what_is_kept(services: Services) -> None:
    certificate, issuer = services.seal_certificate("city"), services.shop.installation.issuer_certificate
    first, second = (ask(services, certificate, b"n" * 32) for _ in range(2))
    assert first.signature != second.signature
    assert [each.value.nonce for each in first.extensions] == [b"n" * 32]
    kept = [services.post(OCSP, asking(certificate, issuer), REQUEST).content for _ in range(2)]
    assert kept[0] == kept[1]
    services.change("town", "suspend")  # any change drops what was kept
    try:
        assert services.post(OCSP, asking(certificate, issuer), REQUEST).content != kept[0]
    finally:
        services.change("town", "resume")


def test_what_is_kept_grows_old(services: Services) -> None:
    shop = services.shop
    request = asking(services.seal_certificate("city"), shop.installation.issuer_certificate)
    now = datetime.now(UTC)
    first = ocsp.answer(shop, request, now)
    assert ocsp.answer(shop, request, now + timedelta(minutes=29)) == first
    later = ocsp.answer(shop, request, now + timedelta(minutes=31))
    assert later.made == now + timedelta(minutes=31)
    found = library.load_der_ocsp_response(later.der)
    assert found.next_update_utc is not None
    assert found.next_update_utc - found.this_update_utc == timedelta(hours=1)


def test_the_get_form_and_its_caching(services: Services) -> None:
    request = asking(services.seal_certificate("city"), services.shop.installation.issuer_certificate)
    answer = services.get(f"{OCSP}/{quote(b64encode(request).decode(), safe='')}")
    assert (answer.status_code, answer.headers["content-type"]) == (200, RESPONSE)
    found = library.load_der_ocsp_response(answer.content)
    assert found.certificate_status is GOOD
    control = answer.headers["cache-control"].split(", ")
    assert control[1:] == ["public", "no-transform", "must-revalidate"]
    assert 0 < int(control[0].removeprefix("max-age=")) <= 3600
    assert parsedate_to_datetime(answer.headers["last-modified"]) == found.this_update_utc
    assert parsedate_to_datetime(answer.headers["expires"]) == found.next_update_utc
    again = services.get(f"{OCSP}/{b64encode(request).decode()}")  # slashes as they are
    assert again.headers["etag"] == answer.headers["etag"]


def test_nobody_keeps_an_answer_that_is_unknown_or_has_a_nonce(services: Services) -> None:
    issuer = services.shop.installation.issuer_certificate
    city = services.seal_certificate("city")
    for request in (asking(city, issuer, b"n"), asking(_with_serial(city, 0x1234), issuer)):
        answer = services.get(f"{OCSP}/{quote(b64encode(request).decode(), safe='')}")
        assert answer.headers["cache-control"] == "no-store"


def test_several_certificates_in_one_request(services: Services) -> None:
    issuer, root = services.shop.installation.issuer_certificate, services.shop.installation.root_certificate
    city = services.seal_certificate("city")
    single = [asking(city, issuer), asking(_with_serial(city, 0x1234), issuer), asking(issuer, root)]
    parts = [asn1.OCSPRequest.load(each)["tbs_request"]["request_list"][0] for each in single]
    whole = asn1.OCSPRequest({"tbs_request": {"request_list": parts}}).dump()
    answer = services.post(OCSP, whole, REQUEST).content
    found = read_response(answer, issuer)
    assert [(each.serial, each.status) for each in found] == [(city.serial_number, "good"), (0x1234, "unknown")]
    told = asn1.OCSPResponse.load(answer).basic_ocsp_response["tbs_response_data"]["responses"]
    assert [each["cert_status"].name for each in told] == ["good", "unknown", "unknown"]


def test_an_issuer_that_is_not_ours(services: Services) -> None:
    installation = services.shop.installation
    request = asking(installation.issuer_certificate, installation.root_certificate)
    status = library.load_der_ocsp_response(services.post(OCSP, request, REQUEST).content).response_status
    assert status is library.OCSPResponseStatus.UNAUTHORIZED


HOSTILE = {
    "empty": b"",
    "text": b"hello",
    "truncated": b"\x30\x51\x30\x4f",
    "long": b"\x30" * 17_000,
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_body_that_is_no_request(services: Services, name: str) -> None:
    answer = services.post(OCSP, HOSTILE[name], REQUEST)
    assert answer.status_code == 200
    status = library.load_der_ocsp_response(answer.content).response_status
    assert status is library.OCSPResponseStatus.MALFORMED_REQUEST


def test_what_http_itself_refuses(services: Services) -> None:
    assert services.post(OCSP, b"\x30" * 100_000, REQUEST).status_code == 413
    assert services.post(OCSP, b"{}", "application/json").status_code == 415
    assert services.get(OCSP).status_code == 405
    for encoded in ("%%%", "no base64!", "A" * 30):
        answer = services.get(f"{OCSP}/{quote(encoded, safe='')}")
        status = library.load_der_ocsp_response(answer.content).response_status
        assert status is library.OCSPResponseStatus.MALFORMED_REQUEST


def test_a_row_that_the_ledger_does_not_vouch_for_is_never_good(services: Services) -> None:
    """Somebody writes a serial into the table: no answer is given rather than a false one."""
    shop = services.shop
    table = "registry_seal_key"
    other = service_key(shop, "report", datetime.now(UTC)).certificate
    with shop.database.write() as connection:
        row = dict(connection.exec_driver_sql(f"SELECT * FROM {table} LIMIT 1").mappings().one())
        forged = row | {"id": new_id("sky"), "serial": "abcdef", "current": None, "seal": "x", "key_version": "9"}
        names = ", ".join(f'"{name}"' for name in forged)
        marks = ", ".join("?" for _ in forged)
        connection.exec_driver_sql(f"INSERT INTO {table} ({names}) VALUES ({marks})", tuple(forged.values()))
    try:
        request = asking(_with_serial(other, 0xABCDEF), shop.installation.issuer_certificate)
        status = library.load_der_ocsp_response(services.post(OCSP, request, REQUEST).content).response_status
        assert status is library.OCSPResponseStatus.INTERNAL_ERROR
    finally:
        with shop.database.write() as connection:
            connection.exec_driver_sql(f"DELETE FROM {table} WHERE id = ?", (forged["id"],))


def _with_serial(certificate: x509.Certificate, serial: int) -> x509.Certificate:
    """A certificate that nobody issued, with this serial; only its serial is asked about."""
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    builder = x509.CertificateBuilder().subject_name(certificate.subject).issuer_name(certificate.issuer)
    builder = builder.not_valid_before(certificate.not_valid_before_utc).public_key(key.public_key())
    return builder.not_valid_after(certificate.not_valid_after_utc).serial_number(serial).sign(key, hashes.SHA256())


def test_a_revoked_service_key_is_told_everywhere_and_replaced(services: Services) -> None:
    shop, now = services.shop, datetime.now(UTC)
    old = service_key(shop, "timestamp", now).certificate
    assert ask(services, old).certificate_status is GOOD
    act = Act(by=Actor(id="per-" + "a" * 26, name="运维示例", organ=None), why="疑似泄露", now=datetime.now(UTC))
    revoke_service_key(shop, f"{old.serial_number:x}", "key_compromise", act)
    found = ask(services, old)
    assert (found.certificate_status, found.revocation_reason) == (REVOKED, x509.ReasonFlags.key_compromise)
    listed = x509.load_der_x509_crl(services.get("/v1/authority/issuer.crl").content)
    entry = listed.get_revoked_certificate_by_serial_number(old.serial_number)
    assert entry is not None
    new = service_key(shop, "timestamp", datetime.now(UTC)).certificate
    assert new != old
    assert ask(services, new).certificate_status is GOOD
    assert [each for each in audit(shop, datetime.now(UTC)) if each.severity == "broken"] == []
