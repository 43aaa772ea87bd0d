"""Two versions of a document compared as they look."""

from pathlib import Path

import pytest
import typst
from pikepdf import Pdf

from signer import version_comparison
from signer.desk import compare_documents
from signer.errors import DocumentRejectedError
from signer.glyphs import FOLDER

FONTS = typst.Fonts(include_system_fonts=False, include_embedded_fonts=False, font_paths=[str(FOLDER)])
HEAD = '#set page(paper: "a4")\n#set text(font: "Noto Serif SC", size: 16pt, lang: "zh")\n'
FIRST, SECOND, THIRD = "准予行政许可决定书", "#v(100mm)有效期至2027年11月23日", "附件：设施清单"


@pytest.fixture
def compared(tmp_path: Path):
    def compare(before: list[str], after: list[str]) -> dict:
        paths = []
        for name, pages in (("before", before), ("after", after)):
            path = tmp_path / f"{name}.pdf"
            path.write_bytes(typst.compile((HEAD + "\n#pagebreak()\n".join(pages)).encode(), font_paths=FONTS))
            paths.append(str(path))
        return compare_documents(before=paths[0], after=paths[1])

    return compare


def test_the_same_pages_are_the_same(compared) -> None:
    assert compared([FIRST, SECOND], [FIRST, SECOND]) == {
        "pages_before": 2, "pages_after": 2, "changed": [], "added": [], "removed": [], "same": True,
    }  # fmt: skip


def test_one_changed_character_is_framed(compared) -> None:
    found = compared([FIRST, SECOND, THIRD], [FIRST, SECOND.replace("有效", "有限"), THIRD])
    (page,) = found["changed"]
    assert (page["before"], page["after"]) == (2, 2)
    (box,) = page["boxes"]
    assert 0.4 < box["y"] < 0.5
    assert box["width"] < 0.05
    assert box["height"] < 0.04
    assert not found["same"]


def test_an_inserted_page_is_told_and_those_behind_it_are_the_same(compared) -> None:
    found = compared([FIRST, SECOND, THIRD], [FIRST, "补充规定", SECOND, THIRD])
    assert (found["added"], found["removed"], found["changed"]) == ([2], [], [])


def test_a_removed_page_is_told(compared) -> None:
    found = compared([FIRST, SECOND, THIRD], [FIRST, THIRD])
    assert (found["added"], found["removed"], found["changed"]) == ([], [2], [])


def test_a_changed_page_beside_an_inserted_one(compared) -> None:
    found = compared([FIRST, SECOND, THIRD], [FIRST, "补充规定", SECOND.replace("2027", "2029"), THIRD])
    assert found["added"] == [2]
    (page,) = found["changed"]
    assert (page["before"], page["after"]) == (2, 3)


def test_a_page_of_another_size_differs_as_a_whole(compared) -> None:
    found = compared([FIRST], ['#set page(paper: "a5")\n' + FIRST])
    assert found["changed"] == [{"before": 1, "after": 1, "boxes": [{"x": 0.0, "y": 0.0, "width": 1.0, "height": 1.0}]}]


def test_more_pages_than_are_compared_are_refused(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(version_comparison, "MOST_PAGES", 2)
    pdf = Pdf.new()
    for _ in range(3):
        pdf.add_blank_page()
    path = tmp_path / "three.pdf"
    pdf.save(path)
    with pytest.raises(DocumentRejectedError) as told:
        compare_documents(before=str(path), after=str(path))
    assert told.value.code == "too-many-pages-to-compare"


def test_what_is_no_pdf_is_refused(tmp_path) -> None:
    path = tmp_path / "no.pdf"
    path.write_bytes(b"%PDF-1.7\nnothing else")
    with pytest.raises(DocumentRejectedError) as told:
        compare_documents(before=str(path), after=str(path))
    assert told.value.code == "text-unreadable"
