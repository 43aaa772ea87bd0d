"""Numbers and names compared as they read; characters that only look like others refused."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from policies.folding import (
    digit_runs,
    fold,
    fold_line,
    is_han,
    is_seal_name,
    malformed_number,
    may_be_same,
    number_key,
    refuse_lookalikes,
    states,
    states_number,
)

SAME = [
    ("赣市行审〔2026〕17号", "赣市行审[2026]17号"),
    ("赣市行审【2026】17号", "赣市行审（２０２６）１７号"),
    ("赣市行审［2026］ 17 号", "赣市行审〖2026〗17号"),
    ("TS－12", "ts-12"),
    ("TS—12", "TS–12"),
    ("TS——12", "TS−12"),
    ("TS─12", "TS‑12"),
    ("⼒12", "力12"),
    ("№12", "No12"),
    ("a\u3000b\u00a0c\nd", "ABCD"),
    ("a\u00adb\ufeffc", "abc"),
    ("中国•赣州", "中国·赣州"),
]


@pytest.mark.parametrize(("one", "other"), SAME)
def test_what_reads_the_same_folds_the_same(one: str, other: str) -> None:
    assert fold(one) == fold(other)


@pytest.mark.parametrize(
    ("one", "other"), [("12", "21"), ("一2", "-2"), ("A12", "А12"), ("0", "O"), ("2026.1", "20261")]
)
def test_what_differs_stays_different(one: str, other: str) -> None:
    assert fold(one) != fold(other)


@given(st.text())
@example("\u0345")
@example("\u00a8\u0301")
@example("ﷺ ‑ ‑")
@example("- -")
@example("a \u0301")
def test_folding_twice_changes_nothing(text: str) -> None:
    assert fold(fold(text)) == fold(text)
    assert fold_line(fold_line(text)) == fold_line(text)
    assert fold(fold_line(text)) == fold(text)


@given(st.text(alphabet="赣审〔〕()[]【】-—1２ ab\n"))
def test_a_folded_number_has_one_form_of_everything(text: str) -> None:
    assert not set(fold(text)) & set("〔〕[]【】—２ \n（）")


@pytest.mark.parametrize(
    "number",
    [
        "赣市行审〔2026〕17号",
        "容3LC赣B00017(26)",
        "TS—1/2",
        "第12号、13号",
        "〇一二",
        "№12",
        "Ⅳ-3",
        "",
        "㐀𠮷",
    ],
)
def test_numbers_as_offices_write_them_are_accepted(number: str) -> None:
    assert refuse_lookalikes(number) is None


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("1\x002", "a control character U+0000"),
        ("1\t2", "a control character U+0009"),
        ("1\u202e2", "an invisible formatting or bidirectional character U+202E"),
        ("1\u20662", "an invisible formatting or bidirectional character U+2066"),
        ("1\u200b2", "an invisible formatting or bidirectional character U+200B"),
        ("1\ue0002", "a private-use character U+E000"),
        ("1\U000f00002", "a private-use character U+F0000"),
        ("1\ud8002", "a lone surrogate U+D800"),
        ("1\u03782", "an unassigned character U+0378"),
        ("1\u20282", "a line separator U+2028"),
        ("1\u20292", "a paragraph separator U+2029"),
        ("e\u0301", "a combining mark U+0301"),
        ("赣А12", "U+0430 CYRILLIC SMALL LETTER A, which looks like another"),
        ("赣Α12", "U+03B1 GREEK SMALL LETTER ALPHA"),
        ("カ12", "U+30AB KATAKANA LETTER KA"),
        ("赣審ー12", "U+30FC KATAKANA-HIRAGANA PROLONGED SOUND MARK"),
        ("⺠12", "U+2EA0 CJK RADICAL CIVILIAN"),
        ("1∕2", "U+2215 DIVISION SLASH"),
        ("½", "U+2044 FRACTION SLASH"),
        ("١٢", "U+0661 ARABIC-INDIC DIGIT ONE"),
        ("é", "U+00E9 LATIN SMALL LETTER E WITH ACUTE"),
        ("1\u31642", "U+1160 HANGUL JUNGSEONG FILLER"),
    ],
)
def test_lookalikes_are_refused_in_both_languages(text: str, reason: str) -> None:
    told = refuse_lookalikes(text)
    assert told is not None
    zh, en = told.split(" / ")
    assert zh.startswith("含")
    assert reason in en


@given(st.text())
def test_what_is_accepted_holds_only_plain_characters(text: str) -> None:
    if refuse_lookalikes(text) is None:
        assert all(character.isascii() or is_han(character) or character in "·、。" for character in fold(text))


@pytest.mark.parametrize(
    ("name", "good"),
    [
        ("赣州市行政审批局行政审批专用章（12）", True),
        ("兴国县林业局行政审批专用章（1）", True),
        ("兴国县林业局行政审批专用章(11)", False),
        ("兴国县林业局行政审批专用章（１１）", False),
        ("兴国县林业局行政审批专用章（011）", False),
        ("兴国县林业局行政审批专用章（）", False),
        ("兴国县林业局行政审批专用章（11", False),
        ("兴国县林业局行政审批专用章（11）\n", False),
        ("兴国县林业局行政审批专用章", False),
        ("（11）", False),
        ("兴国县林业局A行政审批专用章（11）", False),
        ("兴国县⼒业局行政审批专用章（11）", False),
        ("兴国县林业局 行政审批专用章（11）", False),
        ("", False),
    ],
)
def test_a_seals_name_is_han_and_a_number(name: str, good: bool) -> None:
    assert is_seal_name(name) is good


STATED = [
    ("采伐蓄积22.5立方米", "22.5"),
    ("采伐蓄积２２．５m³", "22.5"),
    ("22.5", "22.5"),
    ("蓄积：22.5。", "22.5"),
    ("蓄积22.5.", "22.5"),
    ("蓄积22.5，150株", "22.5"),
    ("蓄积22.5，150株", "150"),
    ("共22.\n5立方米", "22.5"),
    ("面积\n1.2\n22.5\n150", "22.5"),
    ("1. 22.5", "22.5"),
    ("No.0017", "0017"),
    ("№0017", "0017"),
    ("编号NO0017", "0017"),
    ("决定文号：赣市行审\n〔2026〕\n17号。", "赣市行审[2026]17号"),
    ("赣 市 行 审〔２０２６〕１７号", "赣市行审〔2026〕17号"),
    ("TS-12号", "TS-12"),
    ("编号TS-12，TS-13", "ts－12"),
    ("公共场所卫生许\n可（首次）", "公共场所卫生许可(首次)"),
    ("统一社会信用代码 113607320000\n00001X", "11360732000000001X"),
    ("113607320000 000012", "113607320000000012"),
    ("证号（12）", "（12）"),
    ("A，B", "A，B"),
]

NOT_STATED = [
    ("122.5", "22.5"),
    ("22.55", "22.5"),
    ("1,022.5", "22.5"),
    ("22.5.1", "22.5"),
    ("0.22.5", "22.5"),
    ("22.5", "22"),
    ("22.5", "5"),
    ("22,500", "22"),
    ("22,500", "500"),
    ("2\n2.5", "22.5"),
    ("22 5", "225"),
    ("m³", "3"),
    ("赣市行审〔2026〕117号", "〔2026〕17号"),
    ("〔2026〕123号", "〔2026〕12"),
    ("TS-12A", "TS-12"),
    ("TS-12-3", "TS-12"),
    ("TS-12.5", "TS-12"),
    ("XTS-12", "TS-12"),
    ("X-TS-12", "TS-12"),
    ("燃气经营许可证变更", "特种设备使用登记"),
    ("任何文字", ""),
    ("任何文字", " \n"),
    ("", "12"),
]


@pytest.mark.parametrize(("text", "value"), STATED)
def test_a_value_stands_in_a_text_however_it_is_typed(text: str, value: str) -> None:
    assert states(text, value)


@pytest.mark.parametrize(("text", "value"), NOT_STATED)
def test_a_part_of_another_value_is_not_the_value(text: str, value: str) -> None:
    assert not states(text, value)


QUANTITIES = st.from_regex(r"[1-9][0-9]{0,4}(\.[0-9]{1,2})?", fullmatch=True)


@given(
    QUANTITIES,
    st.text(alphabet="立方米株：，。 \n", max_size=4),
    st.text(alphabet="立方米：。 \n", max_size=4),
)
def test_a_quantity_between_words_is_found(value: str, before: str, after: str) -> None:
    assert states(f"{before}{value}{after}", value)


@given(QUANTITIES, st.text(alphabet="0123456789", min_size=1, max_size=3))
def test_a_quantity_inside_a_longer_one_is_not_found(value: str, digits: str) -> None:
    assert not states(f"蓄积{digits}{value}立方米", value) or value in digits
    longer = f"{value}{digits}" if "." in value else f"{value}.{digits}"
    assert not states(f"蓄积{longer}立方米", value)


@example("0000--0", [5])
@given(
    st.text(alphabet="赣审批字〔〕2026AB-号", min_size=1, max_size=12),
    st.lists(st.integers(0, 12), max_size=4),
)
def test_line_breaks_inside_a_name_do_not_matter(value: str, breaks: list[int]) -> None:
    broken = value
    for place in sorted(breaks, reverse=True):
        broken = broken[:place] + "\n" + broken[place:]
    quantity = fold(value).replace(".", "").isdigit()
    assert quantity or states(f"编号：{broken}。", value)


@pytest.mark.parametrize(
    ("number", "key"),
    [
        ("兴审批〔2026〕7号", "兴 审 批 2026 7"),
        ("兴审批<2026>07號。", "兴 审 批 2026 7"),
        ("兴审批2026第（7）号", "兴 审 批 2026 7"),
        ("容3LC赣B00016(25)", "容 3 lc 赣 b 16 25"),
        ("TS—1/2", "ts 1 2"),
        ("0", "0"),
        ("第号", "第 号"),
        ("〔〕。", ""),
    ],
)
def test_a_numbers_key_has_no_punctuation(number: str, key: str) -> None:
    assert number_key(number) == key
    assert digit_runs(key) == tuple(each for each in key.split() if each.isdigit())


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("兴审批〔2026〕7号", "审批〔2026〕7", True),
        ("兴审批〔2026〕7号", "2026", True),
        ("兴审批〔2026〕7号", "兴审批〔2026〕17号", False),
        ("兴审批〔2026〕17号", "兴审批〔2026〕7号", False),
        ("兴审批〔2026〕7号", "兴审批〔2025〕7号", False),
        ("B00017(26)", "梯11赣B00017（26）", True),
        ("梯11赣B00017(26)", "梯11赣B00026（26）", False),
        ("编号兴审批〔2026〕7号", "审批〔2026〕7号（正本）", True),
        ("审批〔2026〕7号（正本）", "编号兴审批〔2026〕7号", True),
        ("26-1", "26-26", False),
        ("兴审批20267号", "兴审批〔2026〕7号", True),
        ("1-23", "12-3", False),
        ("编号36073220260001", "36073220260001-2026", True),
        ("赣字1号", "2赣字", False),
    ],
)
def test_pieces_of_one_print_may_be_the_same_number(one: str, other: str, same: bool) -> None:
    assert may_be_same(number_key(one), number_key(other)) is same


@pytest.mark.parametrize(
    ("number", "told"),
    [
        ("号", "no digit"),
        ("赣审批字", "no digit"),
        ("兴审批〔2026〕7号。", "punctuation"),
        ("、兴审批〔2026〕7号", "punctuation"),
        ("-7", "punctuation"),
        ("2026〕7号", "unpaired"),
        ("兴审批〔2026", "unpaired"),
        ("〕2026〔", "punctuation"),
        ("a)2026(b", "unpaired"),
        ("兴审批〔2026〕第", "goes on after the number"),
        ("36073220260001有效", "goes on after the number"),
        ("兴审批〔2026〕7号公共场所卫生许可", "goes on after the number"),
        ("兴审批〔2026〕第（7）号 2026年11", "goes on after the number"),
    ],
)
def test_a_number_is_whole(number: str, told: str) -> None:
    found = malformed_number(number)
    assert found is not None
    assert told in found.en
    assert found.zh


HONEST = [
    "兴审批〔2026〕7号",
    "赣卫证字〔2026〕第0017号",
    "赣卫公证字〔2026〕第360732-00012号",
    "梯11赣B00017（26）",
    "36073220260001",
    "（2026）赣兴许7号",
    "TS-12/3",
    "XK13-001-00123",
    "兴审批〔2026〕7号之一",
    "兴审批〔2026〕第（7）号",
]
PRINTS = [
    "审批文书编号：{}",
    "审批文书编号:{}\n二〇二六年十一月",
    "编号\n{}\n公共场所",
    "兴国县行政审批局\n{}\n行政许可决定书",
    "准予行政许可决定书（{}）",
    "（正本）\n证号 {} 有效期至2030年",
    "依据{}，准予许可。",
    "《{}》",
    "编号：{}；",
]


@pytest.mark.parametrize("print_", PRINTS)
@pytest.mark.parametrize("number", HONEST)
def test_a_whole_number_is_found_as_documents_print_it(number: str, print_: str) -> None:
    if print_.startswith(("准予", "《", "依据")) and not is_han(number[0]):
        return  # a digit after a bracket, or a bracket after a word, may be the middle of a longer number
    text = print_.format(number)
    assert malformed_number(number) is None
    assert states_number(text, number)
    assert states_number(text, number.replace("〔", "[").replace("〕", "]"))
    middle = len(number) // 2
    assert states_number(print_.format(f"{number[:middle]}\n{number[middle:]}"), number)


@pytest.mark.parametrize("print_", PRINTS)
@pytest.mark.parametrize("number", HONEST)
def test_whatever_is_read_off_a_print_may_be_the_same_number(number: str, print_: str) -> None:
    """Every stretch of a printed line that could be declared conflicts with the number, and with each other."""
    text = print_.format(number)
    at = text.index(number)
    inside = range(at, at + len(number))
    declared = {
        text[start:end]
        for start in range(max(0, at - 3), inside.stop)
        for end in range(max(at, start) + 1, min(len(text), inside.stop + 4) + 1)
    }
    found = {number_key(each) for each in declared if malformed_number(each) is None and states_number(text, each)}
    assert found
    assert all(may_be_same(key, other) for key in found for other in found)


@pytest.mark.parametrize(
    ("text", "piece"),
    [
        ("兴审批〔2026〕7号", "兴审批〔2026〕7"),
        ("兴审批〔2026〕7号", "〔2026〕7号"),
        ("兴审批〔2026〕7号", "7号"),
        ("兴审批〔2026〕\n7号", "7号"),
        ("兴审批〔2026〕7号", "7"),
        ("兴审批〔2026〕7 号", "兴审批〔2026〕7"),
        ("兴审批〔2026〕7号", "2026"),
        ("兴审批〔2026〕7号", "兴审批〔2026〕"),
        ("兴审批〔2026〕17号", "兴审批〔2026〕1"),
        ("兴审批〔2026〕7号之一", "兴审批〔2026〕7号"),
        ("兴审批〔2026〕7号-2", "兴审批〔2026〕7号"),
        ("赣卫证字〔2026〕第0017号", "0017"),
        ("赣卫证字〔2026〕第\n0017号", "0017号"),
        ("赣卫证字〔2026〕第0017号", "第0017号"),
        ("梯11赣B00017（26）", "梯11赣B00017"),
        ("梯11赣B00017（26）", "梯11"),
        ("（2026）赣兴许7号", "（2026）"),
        ("XK13-001-00123", "00123"),
        ("XK13-001-00123", "XK13-001"),
        ("TS-12/3", "TS-12"),
        ("TS-12/3", "3"),
        ("号", ""),
    ],
)
def test_a_piece_is_not_the_number(text: str, piece: str) -> None:
    assert not states_number(f"编号：{text}", piece)
