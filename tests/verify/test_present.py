"""What has become of seal, agreement, certificate and document is told in words of both languages."""

import pytest

from verify.present import judge_status

SOUND = {"document": "in_force", "seal": "active", "agreement": "in_force", "certificate": "good"}


@pytest.mark.parametrize("status", [{}, SOUND, dict.fromkeys(SOUND, "unknown")], ids=["absent", "sound", "unknown"])
def test_nothing_is_said_of_what_is_as_expected_or_not_known(status: dict[str, str]) -> None:
    assert list(judge_status(status)) == []


@pytest.mark.parametrize(
    ("name", "state", "code", "zh", "en"),
    [
        ("document", "annulled", "document_not_in_force", "文书现状为“已撤销”", "the document is annulled by now"),
        (
            "document",
            "replaced",
            "document_not_in_force",
            "文书现状为“已被替换（补证）”",
            "the document is replaced by now",
        ),
        ("seal", "suspended", "seal_not_active", "印章现状为“已停用”", "the seal is suspended by now"),
        ("agreement", "recalled", "agreement_not_in_force", "协议现状为“已收回”", "the agreement is recalled by now"),
    ],
    ids=["annulled", "replaced", "suspended", "recalled"],
)
def test_a_state_is_named_in_words(name: str, state: str, code: str, zh: str, en: str) -> None:
    (found,) = judge_status(SOUND | {name: state})
    assert (found.code, found.severity, found.zh, found.en) == (code, "warning", zh, en)


def test_a_hold_is_told_as_it_stands_now() -> None:
    (found,) = judge_status(SOUND | {"certificate": "held"})
    assert (found.code, found.severity) == ("certificate_held_now", "warning")
