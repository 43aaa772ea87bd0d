"""Reading documents: what is seen, and who issued it."""

from collections.abc import Callable
from pathlib import Path

import pikepdf
import pytest

from signer.errors import DocumentRejectedError
from signer.lines import fold
from signer.reader import _letters
from signer.text import issuer_line, page_texts

Compile = Callable[[str], Path]

BODY = "经审查，你单位的申请符合条件，自2026年1月1日起准予登记，有效期至2030年11月22日。\n\n"


def issuer(path: Path) -> str | None:
    return issuer_line(page_texts(path))


def written(path: Path, target: Path, content: bytes) -> Path:
    """A copy of ``path`` with ``content`` drawn at the end of its first page, /F1 being the page's own font."""
    with pikepdf.open(path) as pdf:
        page = pdf.pages[0]
        fonts = page.obj.Resources.Font
        fonts["/F1"] = next(iter(fonts.values()))
        page.contents_add(content, prepend=False)
        pdf.save(target)
    return target


def glyph_codes(path: Path) -> bytes:
    """The first text that the page shows, as a string of its own font."""
    with pikepdf.open(path) as pdf:
        for operands, operator in pikepdf.parse_content_stream(pdf.pages[0]):
            if str(operator) == "TJ":
                return b"".join(bytes(part) for part in operands[0] if isinstance(part, pikepdf.String))
    raise AssertionError("no text")


def test_text_comes_in_the_order_of_the_content(compiled: Compile) -> None:
    path = compiled("#table(columns: 2, [单位], [赣州市某某特种设备#linebreak()有限公司], [数量], [22.5 m³])")
    (page,) = page_texts(path)
    assert "赣州市某某特种设备\n有限公司" in page.text
    assert "22.5 m³" in page.text
    assert page.index == 0


def test_lines_are_what_stands_side_by_side(compiled: Compile) -> None:
    path = compiled("#grid(columns: (1fr, 1fr), [甲方（盖章）], [乙方（盖章）])\n第二行")
    lines = [line.folded for line in page_texts(path)[0].lines]
    assert lines == ["甲方(盖章)乙方(盖章)", "第二行", "—1—"]


@pytest.mark.parametrize("rotate", [0, 90, 180, 270])
def test_lines_of_a_page_that_was_written_turned(compiled: Compile, rotate: int) -> None:
    path = compiled("#set page(numbering: none)\n第一行\n\n第二行（盖章）")
    with pikepdf.open(path, allow_overwriting_input=True) as pdf:
        page = pdf.pages[0]
        matrix = {
            0: b"1 0 0 1 0 0",
            90: b"0 1 -1 0 841.89 0",
            180: b"-1 0 0 -1 595.276 841.89",
            270: b"0 -1 1 0 0 595.276",
        }[rotate]
        page.contents_add(b"q " + matrix + b" cm\n", prepend=True)
        page.contents_add(b"\nQ", prepend=False)
        if rotate % 180:
            page.mediabox = [0, 0, 841.89, 595.276]
        page.obj.Rotate = rotate
        pdf.save(path)
    assert [line.folded for line in page_texts(path)[0].lines] == ["第一行", "第二行(盖章)"]


def test_full_width_and_spaced_text_reads_like_plain_text() -> None:
    assert fold("（ 盖　章 ）") == fold("(盖章)") == "(盖章)"
    assert fold("２０２６ 年\u200b 11月") == "2026年11月"
    assert fold("15 m³") == "15m3"


@pytest.mark.parametrize(
    ("hidden", "seen"),
    [
        (b"BT /F1 16 Tf 100 300 Td %s Tj ET", True),
        (b"BT /F1 16 Tf 3 Tr 100 300 Td %s Tj ET", False),
        (b"BT /F1 16 Tf 7 Tr 100 300 Td %s Tj ET", False),
        (b"BT /F1 16 Tf 100 -300 Td %s Tj ET", False),
        (b"BT /F1 16 Tf 2000 300 Td %s Tj ET", False),
        (b"BT /F1 0.5 Tf 100 300 Td %s Tj ET", False),
    ],
)
def test_what_nobody_can_see_is_not_read(compiled: Compile, tmp_path: Path, hidden: bytes, seen: bool) -> None:
    path = compiled("燃气经营许可证")
    codes = b"<" + glyph_codes(path).hex().encode() + b">"
    found = page_texts(written(path, tmp_path / "hidden.pdf", hidden % codes))[0].text
    assert found.count("燃气经营许可证") == (2 if seen else 1)


def test_characters_beyond_the_basic_plane(compiled: Compile) -> None:
    (page,) = page_texts(compiled("人名用字：𠅤𬇕𫭟"))
    assert page.lines[0].folded == "人名用字:𠅤𬇕𫭟"
    assert "𠅤𬇕𫭟" in page.text


@pytest.mark.parametrize(
    ("codes", "letters"),
    [
        ([0x7AE0], "章"),
        ([0xD840, 0xDD64, 0x7AE0], "𠅤章"),
        ([0xDBFF, 0xDFFF], "\U0010ffff"),
        ([0x20164], "𠅤"),
        ([0, 0x7AE0], "\ufffd章"),
        ([0xD840], "\ufffd"),
        ([0xD840, 0x7AE0], "\ufffd章"),
        ([0xDD64, 0xD840], "\ufffd\ufffd"),
        ([0x110000], "\ufffd"),
    ],
)
def test_codes_become_whole_characters(codes: list[int], letters: str) -> None:
    assert "".join(letter for _, letter in _letters(codes)) == letters


def test_text_outside_the_crop_box_is_not_read(compiled: Compile) -> None:
    path = compiled("页上方\n\n#v(1fr)\n页下方")
    with pikepdf.open(path, allow_overwriting_input=True) as pdf:
        pdf.pages[0].cropbox = [0, 400, 595.276, 841.89]
        pdf.save(path)
    assert [line.folded for line in page_texts(path)[0].lines] == ["页上方"]


def test_a_diagonal_watermark_belongs_to_no_line(compiled: Compile) -> None:
    path = compiled('#place(rotate(-45deg, text(size: 40pt, "样张样张样张")))\n第一行\n\n第二行\n\n第三行')
    (page,) = page_texts(path)
    assert [line.folded for line in page.lines] == ["第一行", "第二行", "第三行", "—1—"]
    assert "样张" in page.text


@pytest.mark.parametrize("content", [b"", b"%PDF-1.7\nnothing", b"PK"])
def test_what_is_no_pdf_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "no.pdf"
    path.write_bytes(content)
    with pytest.raises(DocumentRejectedError) as caught:
        page_texts(path)
    assert caught.value.code == "text-unreadable"
    assert str(tmp_path) not in str(caught.value)


@pytest.mark.parametrize(
    ("end", "expected"),
    [
        (r"#closing[赣州市行政审批局\ 2026年11月23日]", "赣州市行政审批局"),
        (r"#closing[赣州市行政审批局（盖章）\ 2026年11月23日]", "赣州市行政审批局"),
        (r"#closing[赣州市行政审批局\ （盖章）\ 2026年11月23日]", "赣州市行政审批局"),
        (r"#closing[赣州市行政审批局\ 2026年11月23日（公章）]", "赣州市行政审批局"),
        (r"#closing[兴　国　县　林　业　局\ ２０２６ 年 １１ 月 ２３ 日]", "兴国县林业局"),
        (r"#closing[兴国县行政审批局\ 二〇二六年十一月二十三日]", "兴国县行政审批局"),
        (r"#closing[兴国县行政审批局\ 二○二六年一月三日]", "兴国县行政审批局"),
        (r"#closing[兴国县潋江镇人民政府\ 2026年1月3日]", "兴国县潋江镇人民政府"),
        (
            r"#closing[赣州蓉江新区管理委员会\ 住房和城乡建设局\ 2026年11月23日]",
            "赣州蓉江新区管理委员会住房和城乡建设局",
        ),
        ("赣州市行政审批局　　2026年11月23日", "赣州市行政审批局"),
        (
            "#set text(size: 12pt)\n发证机关（盖章）：兴国县行政审批局 #h(1fr) 发证日期：2026年11月23日",
            "兴国县行政审批局",
        ),
        (r"#closing[发证机关：兴国县林业局\ 发证日期：2026年11月23日]", "兴国县林业局"),
        (
            r"#closing[赣州市行政审批局\ 2026年11月23日] #v(1cm) 赣州市行政审批局办公室 2026年11月24日印发",
            "赣州市行政审批局",
        ),
        (
            r"#closing[章贡区行政审批局\ 2025年1月1日] 又及。 #closing[赣州市行政审批局\ 2026年11月23日]",
            "赣州市行政审批局",
        ),
        (
            "#table(columns: 2, [发证机关（盖章）], [兴国县行政审批局], [发证日期], [2026年11月23日])",
            "兴国县行政审批局",
        ),
        ("#table(columns: 2, [发证机关], [兴国县行政审批局], [有效期至], [2026年11月23日])", None),
        (r"#closing[2026年11月23日]", None),
        (r"#closing[（盖章）\ 2026年11月23日]", None),
        (r"#closing[赣州市行政审批局]", None),
        (r"#closing[赣州市行政审批局\ 2026年13月23日]", None),
        ("有效期至2026年11月23日", None),
    ],
)
def test_the_issuer_at_the_end_of_a_document(compiled: Compile, end: str, expected: str | None) -> None:
    assert issuer(compiled(BODY + end)) == expected


def test_two_organs_that_sign_together_are_not_one_of_them(compiled: Compile) -> None:
    path = compiled(BODY + r"#closing[赣州市行政审批局\ 兴国县行政审批局\ 2026年11月23日]")
    assert issuer(path) == "赣州市行政审批局兴国县行政审批局"


def test_the_bodys_last_sentence_is_no_issuer(compiled: Compile) -> None:
    assert issuer(compiled(BODY + "特此决定。\n\n#closing[2026年11月23日]")) is None


def test_the_closing_may_be_on_a_later_page(compiled: Compile) -> None:
    path = compiled(BODY + r"#pagebreak() 附则。 #closing[赣州市行政审批局\ 2026年11月23日] #pagebreak() 附件一")
    assert issuer(path) == "赣州市行政审批局"


def test_a_name_far_above_the_date_is_no_issuer(compiled: Compile) -> None:
    assert issuer(compiled(BODY + r"#closing[赣州市行政审批局] #v(6cm) #closing[2026年11月23日]")) is None


def test_an_empty_document_has_no_issuer(compiled: Compile) -> None:
    assert issuer(compiled("")) is None
