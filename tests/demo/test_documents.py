"""The documents, read with the eyes of the service: what they state, in whose name, and that they can be sealed."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
import typst

from demo.documents import (
    Particulars,
    chinese_date,
    equipment_decision,
    equipment_licence,
    felling_licence,
    gas_decision,
    hygiene_decision,
    hygiene_licence,
    plain_decision,
)
from demo.typesetting import Paper, typeset
from policies.folding import states
from signer.examine import examine
from signer.placement import parse_placement
from signer.text import issuer_line, locate, page_texts

PAPERS: dict[str, Callable[[Particulars], Paper]] = {
    "equipment decision": equipment_decision,
    "equipment original": equipment_licence,
    "equipment duplicate": lambda each: equipment_licence(each, duplicate=1),
    "hygiene decision": hygiene_decision,
    "hygiene licence": hygiene_licence,
    "felling licence": lambda each: felling_licence(each, "22.5"),
    "gas change": lambda each: gas_decision(each, change=True),
    "gas new": lambda each: gas_decision(each, change=False),
    "plain": lambda each: plain_decision(each, "农机购置补贴"),
}
SAYS = {
    "equipment decision": ("特种设备使用登记", "梯11赣B09001（26）"),
    "equipment original": ("特种设备使用登记", "正本"),
    "equipment duplicate": ("特种设备使用登记", "副本", "定期检验记录"),
    "hygiene decision": ("公共场所卫生许可（首次）", "理发店"),
    "hygiene licence": ("公共场所卫生许可证", "理发店"),
    "felling licence": ("林木采伐许可证", "22.5", "自留山", "农村居民"),
    "gas change": ("燃气经营许可证变更",),
    "gas new": ("燃气经营许可证新办",),
    "plain": ("农机购置补贴",),
}


@pytest.mark.parametrize("name", PAPERS)
def test_each_document_states_what_its_order_says(name: str, particulars: Particulars, tmp_path: Path) -> None:
    paper = PAPERS[name](particulars)
    path = tmp_path / "document.pdf"
    path.write_bytes(typeset(paper))
    pages = page_texts(path)
    text = "\n".join(page.text for page in pages)
    expected = [*SAYS[name], paper.document_number, *([paper.licence_number] if paper.licence_number else [])]
    assert [each for each in expected if not states(text, each)] == []
    assert issuer_line(pages) == "赣州市行政审批局"
    found = examine(path)
    assert not found.objections
    assert found.pdfa == "2b"


@pytest.mark.parametrize("name", PAPERS)
def test_a_placement_can_be_found(name: str, particulars: Particulars, tmp_path: Path) -> None:
    paper = PAPERS[name](particulars)
    path = tmp_path / "document.pdf"
    path.write_bytes(typeset(paper))
    assert len(locate(path, parse_placement(paper.placement), 119.0)) == 1


def test_what_is_appended_begins_on_a_new_line(particulars: Particulars) -> None:
    assert typeset(hygiene_licence(particulars)).endswith(b"%%EOF\n")


def test_a_character_without_a_glyph_is_an_error(particulars: Particulars) -> None:
    with pytest.raises(typst.TypstError, match="could not be displayed"):
        typeset(gas_decision(replace(particulars, issuer="\U00020d76局"), change=True))


def test_words_of_a_document_are_no_markup(particulars: Particulars, tmp_path: Path) -> None:
    paper = plain_decision(particulars, "#set text(red) $x$ *重*")
    path = tmp_path / "document.pdf"
    path.write_bytes(typeset(paper))
    assert "#set text(red)" in page_texts(path)[0].text


def test_a_decision_can_be_issued_in_the_wrong_name(particulars: Particulars, tmp_path: Path) -> None:
    path = tmp_path / "document.pdf"
    path.write_bytes(typeset(hygiene_decision(particulars, issuer="兴国县潋江镇人民政府")))
    assert issuer_line(page_texts(path)) == "兴国县潋江镇人民政府"


def test_another_items_document_does_not_state_the_item(particulars: Particulars, tmp_path: Path) -> None:
    path = tmp_path / "document.pdf"
    path.write_bytes(typeset(hygiene_decision(particulars, item="食品经营许可")))
    text = "\n".join(page.text for page in page_texts(path))
    assert not states(text, "公共场所卫生许可（首次）")
    assert not states(text, "公共场所卫生许可证")


def test_a_seam_seal_has_two_pages_to_stand_on(particulars: Particulars, tmp_path: Path) -> None:
    path = tmp_path / "document.pdf"
    paper = equipment_decision(particulars)
    path.write_bytes(typeset(paper))
    assert paper.placement["seam"] is True
    assert len(page_texts(path)) == 2


def test_numbers_and_copies(particulars: Particulars) -> None:
    original, duplicate = equipment_licence(particulars), equipment_licence(particulars, duplicate=2)
    assert (original.copy, original.data["copy"], original.name) == ("original", "正本", "equipment_licence-original")
    assert (duplicate.copy, duplicate.data["copy"]) == ("duplicate 2", "副本2")
    assert hygiene_decision(particulars).licence_number is None


@pytest.mark.parametrize(
    ("day", "words"),
    [(date(2026, 1, 2), "2026年1月2日"), (date(2026, 11, 23), "2026年11月23日"), (date(2028, 2, 29), "2028年2月29日")],
)
def test_dates_have_no_leading_zeros(day: date, words: str) -> None:
    assert chinese_date(day) == words


def test_a_licence_of_a_leap_day_ends_on_a_day_that_exists(particulars: Particulars) -> None:
    data = hygiene_licence(replace(particulars, day=date(2028, 2, 29))).data
    assert data["venue"][2] == ["有效期限", "至2032年2月28日止"]
