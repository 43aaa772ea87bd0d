"""The certificate of the seal's key."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from policies.decision import Finding
from policies.facts import Facts

Change = Callable[[Facts, dict[str, Any]], Facts]
Find = Callable[[Facts, str], Finding]

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
def test_validity_includes_both_ends(
    path: str, offset: timedelta, passes: bool, city_county: Facts, change: Change, find: Find
) -> None:
    facts = change(city_county, {path: city_county.now + offset})
    finding = find(facts, "key_certified")
    assert finding.passed is passes
    if not passes:
        assert "now is 2026-11-23T09:00:00Z" in finding.en


def test_a_revoked_certificate_is_not_used(city_county: Facts, change: Change, find: Find) -> None:
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
def test_the_issuer_is_as_the_agreement_asks(
    issuer: str, asked: str, passes: bool, city_county: Facts, change: Change, find: Find
) -> None:
    facts = change(city_county, {"certificate.issuer": issuer, "agreement.issuer_required": asked})
    finding = find(facts, "key_certified")
    assert finding.passed is passes
    assert f"issuer is {issuer}" in finding.en
