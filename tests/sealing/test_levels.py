"""The levels of a seal, end to end: what is in the file, what the record says, what others' programs say of it."""

import asyncio
import subprocess
from datetime import timedelta

import pytest
from asn1crypto.crl import CertificateList
from asn1crypto.x509 import Certificate as OracleCertificate
from cryptography.hazmat.primitives.serialization import Encoding
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.validation import DocumentSecurityStore
from pyhanko.sign.validation.ades import ades_lta_validation, ades_with_time_validation
from pyhanko.sign.validation.policy_decl import LocalKnowledge, PdfSignatureValidationSpec, SignatureValidationSpec
from pyhanko_certvalidator.context import CertValidationPolicySpec
from pyhanko_certvalidator.policy_decl import REQUIRE_REVINFO, CertRevTrustPolicy
from pyhanko_certvalidator.registry import SimpleTrustManager
from pyhanko_certvalidator.revinfo.archival import CRLContainer

from ledger.moments import from_text
from sealing.check_codes import check_subject, parse_check_code
from sealing.clock import utc_now
from sealing.revocation import crl, root_crl
from sealing.verification import judge_upload

LEVELS = ("PAdES-B-B", "PAdES-B-T", "PAdES-B-LT", "PAdES-B-LTA")


@pytest.fixture(params=["sqlite"])
def kind(request):
    return request.param


@pytest.mark.parametrize("level", LEVELS)
def test_each_level_is_reached_and_told(installed, level):
    sealed = installed.sealed(level=level)
    document, content = sealed.document, sealed.path.read_bytes()

    assert (sealed.outcome.level, sealed.outcome.level_asked, sealed.outcome.lowered_because) == (level, level, None)
    assert (document["level"], document["level_asked"], document["lowered_because"]) == (level, level, None)
    assert document["sealed_length"] == len(content)
    rank = LEVELS.index(level)
    assert (document["timestamp"] is not None, document["archive_timestamp"] is not None) == (rank >= 1, rank >= 3)
    assert (b"/DSS" in content, b"/DocTimeStamp" in content) == (rank >= 2, rank >= 3)
    if rank:
        made = from_text(document["timestamp"]["time"])
        assert abs(made - installed.clock.now) < timedelta(minutes=1)
        assert from_text(document["timestamp"]["expires"]) > made + timedelta(days=365)
    assert installed.audit() == []


@pytest.fixture
def today(installed):
    """The installation as of now: pyHanko judges by the real clock."""
    installed.clock.now = installed.world.now = utc_now()
    return installed


def ades(sealed, shop, now):
    """PyHanko's AdES indication, with our root as the only trust.

    Revocation data comes from the file's own security store; for B-T, whose file has none, from our lists.
    """
    anchor = OracleCertificate.load(shop.installation.root_certificate.public_bytes(Encoding.DER))
    policy = CertValidationPolicySpec(
        trust_manager=SimpleTrustManager.build([anchor]), revinfo_policy=CertRevTrustPolicy(REQUIRE_REVINFO)
    )
    with sealed.path.open("rb") as file:
        reader = PdfFileReader(file, strict=True)
        signature = reader.embedded_regular_signatures[0]
        if sealed.document["level"] == "PAdES-B-LTA":
            spec = PdfSignatureValidationSpec(SignatureValidationSpec(cert_validation_policy=policy))
            return str(asyncio.run(ades_lta_validation(signature, spec)).ades_subindic)
        if sealed.document["level"] == "PAdES-B-LT":
            store = DocumentSecurityStore.read_dss(reader)
            lists = [CertificateList.load(each.get_object().data) for each in store.crls]
        else:
            lists = [CertificateList.load(each) for each in (crl(shop, now), root_crl(shop, now))]
        knowledge = LocalKnowledge(known_crls=[CRLContainer(each) for each in lists])
        spec = SignatureValidationSpec(cert_validation_policy=policy, local_knowledge=knowledge)
        judged = ades_with_time_validation(signature.signed_data, spec, raw_digest=signature.compute_digest())
        return str(asyncio.run(judged).ades_subindic)


@pytest.mark.parametrize("level", LEVELS[1:])
def test_pyhanko_agrees_with_the_level(today, level):
    sealed = today.sealed(level=level)

    assert ades(sealed, today.shop, today.clock()) == "AdESPassed.OK"


@pytest.mark.tool("pdfsig")
@pytest.mark.parametrize("level", LEVELS)
def test_pdfsig_finds_the_seal_valid(today, level):
    sealed = today.sealed(level=level)
    said = subprocess.run(["pdfsig", "-nocert", sealed.path], capture_output=True, text=True, check=False).stdout

    found = [line.split(":", 1)[1].strip() for line in said.splitlines() if "Signature Validation" in line]
    assert found[0] == "Signature is Valid.", said
    assert len(found) == (2 if level == "PAdES-B-LTA" else 1)
    assert "Invalid" not in said  # a poppler without RFC 3161 leaves the document time-stamp unverified


@pytest.mark.parametrize("form", ["none", "code", "qr"])
def test_the_policy_decides_the_check_mark_and_the_record_holds_the_code(installed, form):
    sealed = installed.sealed(level="PAdES-B-B", check_mark=form)
    code, mark = sealed.document["check_code"], sealed.document["check_mark"]

    assert parse_check_code(code) == code
    with installed.shop.database.read() as connection:
        assert installed.shop.book.newest(connection, check_subject(code)) == sealed.outcome.entry
    assert (None if mark is None else mark["form"]) == (None if form == "none" else form)
    if mark is not None:
        assert mark["page"] == 1
        assert min(float(mark[name]) for name in ("width_mm", "height_mm")) > 5


@pytest.mark.parametrize("level", LEVELS)
def test_our_own_verdict_passes_and_names_the_level(today, level):
    sealed = today.sealed(level=level)
    length = sealed.path.stat().st_size

    verdict = judge_upload(today.shop, sealed.path, length=length, receipt=None, now=today.clock())

    assert verdict.indication == "TOTAL_PASSED", verdict.to_json()
