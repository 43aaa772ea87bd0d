"""The service's own keys: made with the installation, renewed in time by one process only; what is said of them."""

import subprocess
import sys
from base64 import b64decode
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from sqlalchemy import text
from world import START, build_world

from authority import oids
from authority.chain import check_chain
from registry.errors import TransitionError
from registry.records import ServiceKey
from registry.service_keys import ServicePurpose
from registry.store import Act, Actor
from sealing.audit import audit
from sealing.service_keys import (
    PURPOSES,
    certificates,
    renew_service_keys,
    revoke_service_key,
    service_key,
)
from sealing.settings import Settings
from sealing.workshop import Workshop, initialise, open_workshop
from tests.authority_services.services import Services

OPERATOR = Actor(id="per-" + "a" * 26, name="运维示例", organ=None)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    chosen, _ = build_world(tmp_path / "data")
    return chosen


@pytest.fixture
def shop(settings: Settings) -> Iterator[Workshop]:
    with open_workshop(settings) as opened:
        yield opened


def records(shop: Workshop, purpose: ServicePurpose) -> list[ServiceKey]:
    with shop.database.read() as connection:
        found = [each.record for each in shop.registry.find(connection, ServiceKey, purpose=purpose)]
    return sorted(found, key=lambda each: each.not_before)


def kinds(shop: Workshop, kind: str) -> int:
    with shop.database.read() as connection:
        return len(shop.book.indexes(connection, kind))


@pytest.mark.parametrize("purpose", PURPOSES)
def test_every_service_has_a_key_from_the_start(shop: Workshop, purpose: ServicePurpose) -> None:
    (record,) = records(shop, purpose)
    opened = service_key(shop, purpose, START)
    assert opened.handle.purpose == purpose
    assert f"{opened.certificate.serial_number:x}" == record.serial
    assert [x509.load_der_x509_certificate(each) for each in opened.chain] == [
        opened.certificate,
        shop.installation.issuer_certificate,
    ]
    path = [opened.certificate, shop.installation.issuer_certificate]
    assert check_chain(path, [shop.installation.root_certificate], START) == []
    assert audit(shop, START) == []


def test_where_certificates_say_more_is_found(services: Services) -> None:
    """AIA of seal, service and issuer certificates, and what stands at these addresses."""
    shop = services.shop
    issuer, root = shop.installation.issuer_certificate, shop.installation.root_certificate
    prefix = shop.settings.public_url
    for certificate in (services.seal_certificate("city"), service_key(shop, "report", datetime.now(UTC)).certificate):
        ocsp, cer = _access(certificate)
        assert ocsp == prefix + "/v1/authority/ocsp"
        assert x509.load_der_x509_certificate(services.get(cer.removeprefix(prefix)).content) == issuer
    (cer,) = _access(issuer)
    answer = services.get(cer.removeprefix(prefix))
    assert x509.load_der_x509_certificate(answer.content) == root
    assert answer.headers["content-type"] == "application/pkix-cert"


def _access(certificate: x509.Certificate) -> list[str]:
    found = certificate.extensions.get_extension_for_class(x509.AuthorityInformationAccess).value
    return [each.access_location.value for each in found]


def test_the_practice_statement_names_what_is_true(services: Services) -> None:
    page = services.get("/v1/authority/cps")
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    installation = services.shop.installation
    for said in (
        *("没有电子认证服务许可", "holds no licence", "14 天", "2190 天", "certificateHold"),
        *(oids.EMBEDDED_POLICY, oids.TIME_STAMP_POLICY, installation.log_origin, "/v1/authority/ocsp"),
        installation.root_certificate.fingerprint(hashes.SHA256()).hex(),
    ):
        assert said in page.text
    assert "$" not in page.text


@pytest.mark.parametrize(
    ("purpose", "kept", "renewed"), [("ocsp", 6, 8), ("timestamp", 1090, 1096), ("report", 540, 549)]
)
def test_renewed_when_half_of_its_life_is_over(
    shop: Workshop, purpose: ServicePurpose, kept: int, renewed: int
) -> None:
    first = service_key(shop, purpose, START).certificate
    assert service_key(shop, purpose, START + timedelta(days=kept)).certificate == first
    later = START + timedelta(days=renewed)
    second = service_key(shop, purpose, later)
    assert second.certificate != first
    assert second.certificate.public_key() != first.public_key()
    old, new = records(shop, purpose)
    assert (old.retired_at, new.retired_at, old.revoked_at) == (later, None, None)
    assert audit(shop, later) == []
    assert {first, second.certificate} <= set(certificates(shop))


def test_a_start_renews_what_is_due(settings: Settings) -> None:
    later = START + timedelta(days=8)
    initialise(settings, later)
    with open_workshop(settings) as shop:
        assert [len(records(shop, purpose)) for purpose in PURPOSES] == [2, 1, 1]
        renew_service_keys(shop, later)
        assert [len(records(shop, purpose)) for purpose in PURPOSES] == [2, 1, 1]


def test_an_installation_without_service_keys_gets_them_at_the_next_start(settings: Settings) -> None:
    """As one that an earlier version founded: its table of service keys is empty."""
    with open_workshop(settings) as shop, shop.database.write() as connection:
        connection.execute(text("DELETE FROM registry_service_key"))
    initialise(settings, START + timedelta(minutes=1))
    with open_workshop(settings) as shop:
        assert [len(records(shop, purpose)) for purpose in PURPOSES] == [1, 1, 1]


def test_the_last_certificates_are_kept_until_the_issuer_ends(shop: Workshop) -> None:
    """Near the issuer's end a new one would end no later, so none is made at every call."""
    ends = shop.installation.issuer_certificate.not_valid_after_utc
    last = service_key(shop, "timestamp", ends - timedelta(days=100)).certificate
    assert last.not_valid_after_utc == ends
    assert service_key(shop, "timestamp", ends - timedelta(days=1)).certificate == last


RENEW = """
import sys
from datetime import datetime
from pathlib import Path
from sealing.service_keys import service_key
from sealing.settings import Settings
from sealing.workshop import open_workshop
with open_workshop(Settings(data=Path(sys.argv[1]), unsafe_in_process_keys=True)) as shop:
    print("ready", flush=True)
    sys.stdin.readline()
    print(service_key(shop, "ocsp", datetime.fromisoformat(sys.argv[2])).certificate.serial_number)
"""


def test_processes_that_renew_at_once_agree_on_one(settings: Settings) -> None:
    later = START + timedelta(days=10)
    command = [sys.executable, "-c", RENEW, str(settings.data), later.isoformat()]
    pipe = subprocess.PIPE
    renewing = [subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True) for _ in range(3)]
    for each in renewing:
        assert each.stdout is not None
        assert each.stdout.readline() == "ready\n"
    for each in renewing:
        assert each.stdin is not None
        each.stdin.write("\n")
        each.stdin.flush()
    serials = {int(each.communicate(timeout=30)[0]) for each in renewing}
    with open_workshop(settings) as shop:
        old, new = records(shop, "ocsp")
        assert serials == {int(new.serial, 16)}
        assert old.retired_at == later
        assert audit(shop, later) == []


def test_an_audit_names_a_row_that_somebody_changed(shop: Workshop) -> None:
    (record,) = records(shop, "timestamp")
    with shop.database.write() as connection:
        connection.execute(text("UPDATE registry_service_key SET serial = 'ff' WHERE purpose = 'timestamp'"))
    assert [each.code for each in audit(shop, START)] == ["row-tampered"]
    with shop.database.write() as connection:
        connection.execute(text("DELETE FROM registry_service_key WHERE purpose = 'timestamp'"))
    (found,) = audit(shop, START)
    assert (found.code, found.where) == ("row-tampered", f"registry_service_key {record.id}")


def test_an_audit_names_a_certificate_without_an_intent(shop: Workshop) -> None:
    with shop.database.write() as connection:
        (record,) = records(shop, "report")
        made = record.model_copy(update={"id": "svk-" + "z" * 26, "serial": "abc", "retired_at": START})
        shop.registry.put(connection, made, by=OPERATOR, why="测试", now=START, verb="certified")
    assert [each.code for each in audit(shop, START)] == ["certificate-without-intent"]


def test_a_key_is_revoked_once(shop: Workshop) -> None:
    (record,) = records(shop, "report")
    act = Act(by=OPERATOR, why="疑似泄露", now=START)
    stored = revoke_service_key(shop, record.serial, "key_compromise", act)
    assert (stored.record.revoked_reason, stored.record.retired_at) == ("key_compromise", START)
    with pytest.raises(TransitionError) as caught:
        revoke_service_key(shop, record.serial, "superseded", act)
    assert caught.value.code == "revoked-already"
    replaced = service_key(shop, "report", START)
    assert b64decode(record.chain[0]) != replaced.chain[0]


def test_one_intent_for_each_certificate_and_no_more(shop: Workshop) -> None:
    service_key(shop, "ocsp", START + timedelta(days=8))
    assert kinds(shop, "service_certificate.intended") == kinds(shop, "service_key.certified") == 4
