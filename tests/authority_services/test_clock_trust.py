"""When the clock may vouch for a time: against the ledger, against itself, against time sources."""

import struct
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from socket import AF_INET, SOCK_DGRAM, socket
from threading import Thread
from time import time

import pytest

from outbound.errors import OutboundFailedError, OutboundRefusedError
from outbound.time_sources import clock_offset
from sealing.clock_trust import ClockWatch, Source
from sealing.errors import ClockNotTrustedError, InstallationError
from sealing.settings import Settings

NOW = datetime(2026, 11, 2, 1, 0, tzinfo=UTC)
SECOND = timedelta(seconds=1)
LOOPBACK = ("127.0.0.0/8",)
_NTP_EPOCH = 2_208_988_800


@dataclass(slots=True)
class Hands:
    """A clock and a count of seconds that a test sets."""

    now: datetime = NOW
    passed: float = 0.0

    def wait(self, seconds: float, *, jump: float = 0.0) -> None:
        self.passed += seconds
        self.now += timedelta(seconds=seconds + jump)

    def watch(self, *sources: Source) -> ClockWatch:
        return ClockWatch(sources, clock=lambda: self.now, elapsed=lambda: self.passed)


def code_of(watch: ClockWatch, now: datetime, last: datetime | None = None) -> str:
    with pytest.raises(ClockNotTrustedError) as caught:
        watch.check(now, last)
    return caught.value.code


def test_a_clock_that_runs_is_trusted() -> None:
    hands = Hands()
    watch = hands.watch()
    assert watch.check(hands.now, None) == NOW
    hands.wait(3600, jump=1.9)
    assert watch.check(hands.now, NOW) == hands.now


@pytest.mark.parametrize("jump", [2.1, -2.1, 3600.0, -3600.0])
def test_a_clock_that_jumped_is_not(jump: float) -> None:
    hands = Hands()
    watch = hands.watch()
    hands.wait(60, jump=jump)
    assert code_of(watch, hands.now) == "clock-jumped"
    hands.wait(60, jump=-jump)  # it was set right again
    assert watch.check(hands.now, None) == hands.now


def test_the_last_entry_is_the_least_time() -> None:
    hands = Hands()
    watch = hands.watch()
    assert code_of(watch, NOW, NOW + SECOND) == "clock-behind-ledger"
    assert code_of(watch, NOW, NOW + timedelta(hours=1)) == "clock-behind-ledger"


def test_a_caller_that_waited_gets_the_time_of_the_last_entry() -> None:
    hands = Hands()
    watch = hands.watch()
    read_before = hands.now
    hands.wait(3)
    assert watch.check(read_before, NOW + 2 * SECOND) == NOW + 2 * SECOND
    hands.wait(20)
    assert code_of(watch, read_before, NOW + 20 * SECOND) == "clock-behind-ledger"


def fails() -> float:
    raise OutboundFailedError("time-source-failed", "没有应答", "no answer")


@pytest.mark.parametrize(
    ("sources", "trusted"),
    [
        ((lambda: 0.1, lambda: -1.9), True),
        ((lambda: 2.1, lambda: 0.0), True),
        ((lambda: 2.1, lambda: -2.1), False),
        ((lambda: 2.1, lambda: 2.2, lambda: 0.0), False),
        ((fails, lambda: 0.0), True),
        ((fails, lambda: 3.0), False),
        ((fails, fails, lambda: 0.0), False),
    ],
    ids=["agree", "one differs", "two differ", "two of three", "one fails", "fails and differs", "two fail"],
)
def test_time_sources(sources: tuple[Source, ...], trusted: bool) -> None:
    hands = Hands()
    watch = hands.watch(*sources)
    if trusted:
        assert watch.check(hands.now, None) == hands.now
    else:
        assert code_of(watch, hands.now) == "clock-differs"


def test_sources_are_asked_again_after_a_minute() -> None:
    hands, asked = Hands(), []

    def source() -> float:
        asked.append(hands.passed)
        return 0.0 if hands.passed < 100 else 9.0

    watch = hands.watch(source, source)
    for _ in range(3):
        watch.check(hands.now, None)
    hands.wait(59)
    watch.check(hands.now, None)
    assert asked == [0.0, 0.0]
    hands.wait(60)
    assert code_of(watch, hands.now) == "clock-differs"
    assert asked == [0.0, 0.0, 119.0, 119.0]


def test_one_source_alone_is_a_mistake(tmp_path: Path) -> None:
    with pytest.raises(InstallationError) as caught:
        ClockWatch.of(Settings(data=tmp_path, time_sources=("ntp.example",)))
    assert caught.value.code == "time-sources-too-few"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """How a time source answers."""

    ahead: float = 0.0
    leap: int = 0
    mode: int = 4
    stratum: int = 2
    silent: bool = False
    repeats_question: bool = True


@contextmanager
def ntp_server(reply: Reply) -> Iterator[str]:
    """A time source on this host that speaks NTP version 4 (RFC 5905 7.3)."""
    with socket(AF_INET, SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 0))
        server.settimeout(5)

        def serve() -> None:
            asked, caller = server.recvfrom(256)
            if reply.silent:
                return
            now = time() + reply.ahead + _NTP_EPOCH
            stamp = struct.pack("!II", int(now), int((now % 1) * 2**32))
            head = struct.pack("!BBbb", reply.leap << 6 | 4 << 3 | reply.mode, reply.stratum, 6, -20)
            origin = asked[40:48] if reply.repeats_question else bytes(8)
            server.sendto(head + bytes(12) + stamp + origin + stamp + stamp, caller)

        thread = Thread(target=serve, daemon=True)
        thread.start()
        yield f"127.0.0.1:{server.getsockname()[1]}"
        thread.join(5)


@pytest.mark.parametrize("ahead", [0.0, 5.0, -90.0])
def test_how_far_a_source_is_ahead(ahead: float) -> None:
    with ntp_server(Reply(ahead=ahead)) as source:
        assert clock_offset(source, networks=LOOPBACK) == pytest.approx(ahead, abs=0.5)


@pytest.mark.parametrize(
    "reply",
    [
        Reply(leap=3),
        Reply(mode=3),
        Reply(stratum=0),
        Reply(stratum=16),
        Reply(silent=True),
        Reply(repeats_question=False),
    ],
    ids=["unsynchronised", "not a server", "kiss of death", "stratum 16", "silent", "another question"],
)
def test_an_answer_that_does_not_count(reply: Reply) -> None:
    with ntp_server(reply) as source, pytest.raises(OutboundFailedError) as caught:
        clock_offset(source, networks=LOOPBACK, seconds=0.5)
    assert caught.value.code == "time-source-failed"


@pytest.mark.parametrize("source", ["127.0.0.1", "localhost:5000", "[::1]", "127.0.0.1:x", ""])
def test_a_source_that_is_not_called(source: str) -> None:
    with pytest.raises((OutboundRefusedError, OutboundFailedError)):
        clock_offset(source, seconds=0.5)


def test_sources_of_the_settings_are_asked(tmp_path: Path) -> None:
    with ntp_server(Reply(ahead=30)) as first, ntp_server(Reply(ahead=30)) as second:
        settings = Settings(data=tmp_path, time_sources=(first, second), outbound_networks=LOOPBACK)
        now = datetime.now(UTC)
        assert code_of(ClockWatch.of(settings), now) == "clock-differs"
