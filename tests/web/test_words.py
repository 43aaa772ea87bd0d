"""Every word is said in both languages, and every value a verdict can hold has one."""

import re
from importlib.resources import files
from typing import get_args

import pytest

from registry.agreements import AgreementState
from registry.document_status import Status
from registry.seals import SealState
from sealing.present_status import CertificateState
from verify.times import Basis
from web.moments import moment
from web.words import _TEXTS, _VALUES, AREAS, Words

FOLDER = files("web").joinpath("templates")
TEMPLATES = sorted(
    each for folder in (FOLDER, FOLDER.joinpath("console")) for each in folder.iterdir() if each.name.endswith(".html")
)


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda each: each.name)
def test_templates_use_words_that_are_there(template) -> None:
    used = set(re.findall(r'words\("(\w+)"[,)]', template.read_text(encoding="utf-8")))
    assert used <= _TEXTS.keys()


def test_a_word_stands_in_one_area_only() -> None:
    assert len(_TEXTS) == sum(len(area.TEXTS) for area in AREAS)
    assert len(_VALUES) == sum(len(getattr(area, "VALUES", {})) for area in AREAS)


def test_both_languages_take_the_same_members() -> None:
    for name, (zh, en) in _TEXTS.items():
        assert zh, name
        assert en, name
        assert set(re.findall(r"\{\w+\}", zh)) == set(re.findall(r"\{\w+\}", en)), name


@pytest.mark.parametrize(
    ("kind", "values"),
    [("document", Status), ("seal", SealState), ("agreement", AgreementState), ("certificate", CertificateState)],
    ids=["document", "seal", "agreement", "certificate"],
)
def test_every_state_has_its_words(kind: str, values) -> None:
    assert {*get_args(values), "unknown"} == _VALUES[kind].keys()


def test_every_basis_of_a_time_has_its_words() -> None:
    assert {*get_args(Basis), "operator_only", "claimed_only"} == _VALUES["basis"].keys()


def test_an_unknown_value_stays_as_it_is() -> None:
    assert Words("zh").of("seal", "lost") == "lost"


@pytest.mark.parametrize(
    ("time", "zh", "en"),
    [
        (
            "2026-11-02T01:00:00.000000Z",
            "2026年11月2日 09:00（北京时间）",
            "2 November 2026, 09:00 (Beijing time, UTC+8)",
        ),
        (
            "2026-12-31T23:59:00+08:00",
            "2026年12月31日 23:59（北京时间）",
            "31 December 2026, 23:59 (Beijing time, UTC+8)",
        ),
        ("not a time", "not a time", "not a time"),
    ],
)
def test_times_are_said_in_beijing(time: str, zh: str, en: str) -> None:
    assert (moment(time, "zh"), moment(time, "en")) == (zh, en)
