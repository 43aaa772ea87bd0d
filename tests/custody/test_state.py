"""What the custody process keeps in memory of its record: bounded, and no used intent becomes good again."""

from pathlib import Path

import pytest

from custody import state as module
from custody.state import State
from custody.uses import UseLine

INTENTS = 7


def use(number: int, **about: object) -> UseLine:
    return UseLine(
        n=number,
        time="",
        event="use",
        key="k",
        purpose="seal",
        message=None,
        about=about,
        previous="",  # type: ignore[arg-type]
    )


def test_the_newest_intents_are_kept_and_older_ones_end_as_a_number(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "REMEMBERED", 3)
    state = State("log.example", tmp_path, learns=True)
    assert state.forgotten("seal") == -1
    entries = [4, 9, 6, 11, 10, 20, 15]
    for number, entry in enumerate(entries):
        state.note(use(number, intent=f"ent_{entry}", entry=entry))
    for number, entry in enumerate(entries):
        kept = number >= len(entries) - 3
        assert state.seen("seal", "intent", f"ent_{entry}") is kept
        assert kept or entry <= state.forgotten("seal")
    assert state.forgotten("seal") == 11
    assert state.forgotten("ca") == -1


def test_certificates_are_kept_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "REMEMBERED", 3)
    state = State("log.example", tmp_path, learns=True)
    for number in range(INTENTS):
        state.note(use(number, serial=f"{number:x}"))
    assert all(state.seen("seal", "serial", f"{number:x}") for number in range(INTENTS))
