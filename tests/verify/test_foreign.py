"""Signatures that are not ours: judged as far as trust reaches, never taken for a seal."""

from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from cryptography import x509
from pyhanko.sign.fields import SigSeedSubFilter
from verify_updates import Stranger

from authority import oids
from verify.verdict import Indication, Verdict

PASSED, CANNOT_TELL, FAILED = Indication.TOTAL_PASSED, Indication.INDETERMINATE, Indication.TOTAL_FAILED
Against = Callable[[Verdict], set[str]]


@pytest.fixture
def unsigned(archive) -> bytes:
    return archive.final.data[: archive.final.receipt.evidence.openings["document"].value["source_length"]]


@pytest.mark.parametrize("sub_filter", [SigSeedSubFilter.PADES, SigSeedSubFilter.ADOBE_PKCS7_DETACHED])
def test_a_foreign_signature_of_an_unknown_issuer(archive, stranger, unsigned, against: Against, sub_filter) -> None:
    verdict = archive.judge(stranger.sign(unsigned, sub_filter=sub_filter))
    assert (verdict.indication, verdict.sub_indication) == (CANNOT_TELL, "NO_CERTIFICATE_CHAIN_FOUND")
    assert against(verdict) == {"no_trusted_path"}
    (signature,) = verdict.signatures
    assert signature.kind == "foreign"
    assert "not_our_seal" in {each.code for each in signature.findings}
    assert signature.seal == signature.agreement == signature.approval == {}
    assert signature.signer == {"organisation": None, "common_name": "Stranger"}


def test_a_foreign_signature_under_a_trusted_root_is_no_seal(archive, stranger, unsigned) -> None:
    trust = archive.trusting(roots=(stranger.certificate,))
    verdict = archive.judge(stranger.sign(unsigned), trust=trust)
    assert verdict.indication is PASSED
    assert [each.kind for each in verdict.signatures] == ["foreign"]
    assert "not_our_seal" in {each.code for each in verdict.all_findings}


def test_a_changed_foreign_file_fails(archive, stranger, unsigned) -> None:
    data = bytearray(stranger.sign(unsigned))
    data[data.index(b"stream\n") + 20] ^= 1
    verdict = archive.judge(bytes(data), trust=archive.trusting(roots=(stranger.certificate,)))
    assert (verdict.indication, verdict.sub_indication) == (FAILED, "HASH_FAILURE")


def test_a_foreign_signature_before_our_seal_is_judged_beside_it(archive, stranger, against: Against) -> None:
    """A foreign signature on the file that waits for its final seal: permitted there, and of unknown trust."""
    verdict = archive.judge(stranger.sign(archive.unfinished.data), archive.unfinished.receipt)
    assert [each.kind for each in verdict.signatures] == ["seal", "foreign"]
    assert against(verdict) == {"not_final", "no_trusted_path"}


def test_a_seal_extension_of_another_issuer_is_not_believed(archive, unsigned, against: Against) -> None:
    """Anyone can copy the extension; without our root it leads nowhere, and the log does not know the file."""
    seal = archive.final.receipt
    copied = archive.judge(archive.final.path, seal)
    own = x509.ObjectIdentifier(oids.SEAL_BINDING)
    value = certificate_of(archive).extensions.get_extension_for_oid(own).value.public_bytes()
    rogue = Stranger(extra=x509.UnrecognizedExtension(own, value))
    verdict = archive.judge(rogue.sign(unsigned), seal)
    assert copied.indication is PASSED
    assert verdict.indication is FAILED
    assert against(verdict) >= {"no_trusted_path", "receipt_of_another_file", "ledger_evidence_missing"}
    assert against(archive.judge(rogue.sign(unsigned))) >= {"no_trusted_path", "ledger_evidence_missing"}


def certificate_of(archive) -> x509.Certificate:
    from verify.signature_reading import open_reader, read_signatures

    with archive.final.path.open("rb") as stream:
        reader, _ = open_reader(stream)
        return read_signatures(archive.final.data, reader).readings[0].signer


def test_a_malformed_seal_extension_is_a_doubt(archive, unsigned, against: Against) -> None:
    rogue = Stranger(extra=x509.UnrecognizedExtension(x509.ObjectIdentifier(oids.SEAL_BINDING), b"\x30\x00"))
    verdict = archive.judge(rogue.sign(unsigned), trust=archive.trusting(roots=(rogue.certificate,)))
    assert (verdict.indication, against(verdict)) == (CANNOT_TELL, {"seal_extension_malformed"})


def test_a_weak_digest_is_not_relied_on(archive, stranger, unsigned, against: Against) -> None:
    trust = archive.trusting(roots=(stranger.certificate,))
    verdict = archive.judge(stranger.sign(unsigned, digest="sha1"), trust=trust)
    assert (verdict.indication, verdict.sub_indication) == (CANNOT_TELL, "CRYPTO_CONSTRAINTS_FAILURE")
    assert against(verdict) == {"algorithm_too_weak"}


def test_an_expired_foreign_certificate(archive, stranger, unsigned, against: Against) -> None:
    trust = archive.trusting(roots=(stranger.certificate,))
    verdict = archive.judge(stranger.sign(unsigned), trust=trust, now=datetime(2041, 1, 1, tzinfo=UTC))
    assert (verdict.indication, against(verdict)) == (CANNOT_TELL, {"certificate_out_of_bounds"})


def test_an_unknown_sub_filter_is_not_judged(archive, stranger, unsigned, against: Against) -> None:
    data = stranger.sign(unsigned).replace(b"/ETSI.CAdES.detached", b"/Some.Other.detached")
    data = data.replace(b"/adbe.pkcs7.detached", b"/some.other.detached")
    verdict = archive.judge(data, trust=archive.trusting(roots=(stranger.certificate,)))
    assert (verdict.indication, against(verdict)) == (CANNOT_TELL, {"sub_filter_not_supported"})
