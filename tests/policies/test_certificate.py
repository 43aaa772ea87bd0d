"""The certificate of the seal's key."""

from datetime import timedelta

import pytest

TICK = timedelta(microseconds=1)


@pytest.mark.parametrize(
    ("path", "offset", "passes"),
    [
        ("certificate.not_before", timedelta(0), True),
        ("certificate.not_before", TICK, False),
        ("certificate.not_after", timedelta(0), True),
        ("certificate.not_after", -TICK, False),
    ],
)
def test_validity_includes_both_ends(path, offset, passes, city_county, change, find):
    facts = change(city_county, {path: city_county.now + offset})
    finding = find(facts, "key_certified")
    assert finding.passed is passes
    if not passes:
        assert "now is 2026-11-23T09:00:00Z" in finding.en


def test_a_revoked_certificate_is_not_used(city_county, change, find):
    finding = find(change(city_county, {"certificate.revoked": True}), "key_certified")
    assert not finding.passed
    assert finding.zh == "证书 1a2b 已撤销，应未撤销"
    assert finding.source == "[电子签名法 13, 16]"


@pytest.mark.parametrize(
    ("issuer", "asked", "passes"),
    [
        ("internal", "internal", True),
        ("licensed", "internal", True),
        ("licensed", "licensed", True),
        ("internal", "licensed", False),
    ],
)
def test_the_issuer_is_as_the_agreement_asks(issuer, asked, passes, city_county, change, find):
    facts = change(city_county, {"certificate.issuer": issuer, "agreement.issuer_required": asked})
    finding = find(facts, "key_certified")
    assert finding.passed is passes
    assert f"issuer is {issuer}" in finding.en
