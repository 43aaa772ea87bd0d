"""A time-stamp authority of others: used with credentials, believed as far as it can be checked, told when it fails."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import pytest
from outside_authority import AUTHORIZATION, Mood, OutsideAuthority, time_stamping

import sealing.time_stamping
from sealing.errors import ConflictError, UnavailableError
from sealing.seal import STEPS
from sealing.workshop import Workshop


@pytest.fixture(params=["sqlite"])
def kind(request):
    return request.param


@dataclass
class Outside:
    shop: Workshop
    mood: Mood
    requests: list

    def asked(self) -> int:
        return sum(method == "POST" for method, *_ in self.requests)


@pytest.fixture
def outside(installed, tmp_path, monkeypatch) -> Iterator[Outside]:
    authority, mood = OutsideAuthority.made(installed.shop.keystore), Mood()
    credentials = tmp_path / "credentials"
    credentials.write_text(AUTHORIZATION + "\n")
    credentials.chmod(0o600)
    monkeypatch.setattr(sealing.time_stamping, "_SECONDS", 0.6)
    with time_stamping(authority, installed.clock, mood) as (server, seen):
        settings = installed.settings.model_copy(
            update={
                "timestamp_url": f"http://127.0.0.1:{server.port}/tsa",
                "timestamp_roots": authority.write_roots(tmp_path),
                "timestamp_credentials": credentials,
                "revocation_urls": (f"http://127.0.0.1:{server.port}/root.crl",),
                "outbound_networks": ("127.0.0.0/8",),
                "unsafe_outbound_http": True,
            }
        )
        yield Outside(shop=replace(installed.shop, settings=settings), mood=mood, requests=seen.requests)


@pytest.mark.parametrize("level", ["PAdES-B-T", "PAdES-B-LT", "PAdES-B-LTA"])
def test_an_outside_authority_is_asked_with_its_credentials(installed, outside, level):
    sealed = installed.sealed(shop=outside.shop, level=level)

    assert sealed.outcome.level == level
    assert sealed.document["timestamp"]["source"] == "outside"
    assert all(
        headers["authorization"] == AUTHORIZATION for method, _, headers, _ in outside.requests if method == "POST"
    )
    assert outside.asked() == {"PAdES-B-T": 2, "PAdES-B-LT": 2, "PAdES-B-LTA": 3}[level]  # a probe, then the tokens
    before = outside.asked()
    installed.sealed(shop=outside.shop, level="PAdES-B-T")
    assert outside.asked() == before + 1  # it answered less than a minute ago: no probe


LIES = {
    "down": "outbound-status",
    "slow": "outbound-too-slow",
    "page": "timestamp-media-type",
    "bare": "timestamp-response-malformed",
    "nonce": "timestamp-of-another",
    "no_nonce": "timestamp-of-another",
    "imprint": "timestamp-of-another",
    "time": "timestamp-of-another-time",
    "no_list": "outbound-status",
    "large": "timestamp-too-large",
}


@pytest.mark.parametrize("lie", LIES)
def test_what_cannot_be_had_stops_the_sealing_before_the_key(installed, outside, lie):
    outside.mood.lie = lie
    installed.policy(level="PAdES-B-LT")
    submission, before = installed.world.submission("city", installed.folder), installed.kinds()

    with pytest.raises(UnavailableError) as raised:
        installed.sealer(shop=outside.shop).seal(submission, installed.caller)

    assert LIES[lie] in raised.value.en
    assert "dXNlcj" not in str(raised.value)
    assert installed.kinds() == before
    outside.mood.lie = ""
    assert installed.sealer(shop=outside.shop).seal(submission, installed.caller).level == "PAdES-B-LT"


def test_an_authority_under_another_root_is_not_believed(installed, outside, tmp_path):
    stranger = OutsideAuthority.made(installed.shop.keystore)
    (tmp_path / "strange").mkdir()
    roots = stranger.write_roots(tmp_path / "strange")
    shop = replace(outside.shop, settings=outside.shop.settings.model_copy(update={"timestamp_roots": roots}))
    installed.policy(level="PAdES-B-T")

    with pytest.raises(UnavailableError, match="timestamp-not-trusted"):
        installed.sealer(shop=shop).seal(installed.world.submission("city", installed.folder), installed.caller)


def test_wrong_credentials_are_told_without_showing_them(installed, outside, tmp_path):
    wrong = tmp_path / "wrong"
    wrong.write_text("Basic d3Jvbmc6c2VjcmV0")
    wrong.chmod(0o600)
    shop = replace(outside.shop, settings=outside.shop.settings.model_copy(update={"timestamp_credentials": wrong}))
    installed.policy(level="PAdES-B-T")

    with pytest.raises(UnavailableError, match="401") as raised:
        installed.sealer(shop=shop).seal(installed.world.submission("city", installed.folder), installed.caller)
    assert "d3Jvbmc" not in str(raised.value)


def test_a_revoked_unit_stops_the_sealing_and_is_never_lowered(installed, outside):
    outside.mood.lie = "revoked"
    installed.policy(level="PAdES-B-LT", may_lower=True)

    with pytest.raises(ConflictError) as raised:
        installed.sealer(shop=outside.shop).seal(installed.world.submission("city", installed.folder), installed.caller)
    assert raised.value.code == "certificate-revoked"


@pytest.mark.parametrize(
    ("lie", "asked", "reached", "because"),
    [
        ("down", "PAdES-B-LTA", "PAdES-B-B", "timestamp-unavailable"),
        ("nonce", "PAdES-B-T", "PAdES-B-B", "timestamp-unavailable"),
        ("no_list", "PAdES-B-LT", "PAdES-B-T", "revocation-unavailable"),
        ("no_list", "PAdES-B-LTA", "PAdES-B-T", "revocation-unavailable"),
    ],
    ids=["down", "lying", "no_list", "no_list_lta"],
)
def test_where_the_policy_allows_it_the_level_is_lowered_and_told(installed, outside, lie, asked, reached, because):
    outside.mood.lie = lie
    sealed = installed.sealed(shop=outside.shop, level=asked, may_lower=True)

    told = (sealed.outcome.level, sealed.outcome.level_asked, sealed.outcome.lowered_because)
    assert told == (reached, asked, because)
    assert [sealed.document[name] for name in ("level", "level_asked", "lowered_because")] == [reached, asked, because]
    assert (sealed.document["timestamp"] is None) == (reached == "PAdES-B-B")
    assert installed.audit() == []


@pytest.mark.parametrize(
    ("step", "asked", "reached"),
    [("key_used", "PAdES-B-LT", "PAdES-B-B"), ("sealed_file_written", "PAdES-B-LTA", "PAdES-B-LT")],
)
@pytest.mark.parametrize("may_lower", [False, True], ids=["stops", "lowers"])
def test_an_authority_that_fails_after_the_key_was_used(installed, outside, step, asked, reached, may_lower):
    def fail(passed):
        assert passed in STEPS
        if passed == step:
            outside.mood.lie = "down"

    installed.policy(level=asked, may_lower=may_lower)
    submission = installed.world.submission("city", installed.folder)
    sealer = installed.sealer(at=fail, shop=outside.shop)
    if may_lower:
        assert sealer.seal(submission, installed.caller).level == reached
    else:
        with pytest.raises(UnavailableError):
            sealer.seal(submission, installed.caller)
        assert installed.kinds()[-1] == "seal.abandoned"
        assert list(installed.shop.documents.digests()) == []
        outside.mood.lie = ""
        assert installed.sealer(shop=outside.shop).seal(submission, installed.caller).level == asked
    assert list(installed.shop.documents.incoming.iterdir()) == []
    assert installed.audit() == []
