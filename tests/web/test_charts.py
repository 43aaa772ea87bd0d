"""Bars: as long as their numbers say."""

from web.charts import bars, columns

ROWS = [("一月", (("done", 8), ("refused", 2))), ("二月", (("done", 5), ("refused", 0))), ("三月", (("done", 0),))]


def test_columns_stand_on_the_ground_and_their_parts_on_each_other() -> None:
    chart = columns(ROWS)
    first, second, third = chart.boxes
    assert (first.height, second.height, third.height) == (128, 32, 80)
    assert first.y == second.y + second.height
    assert first.y + first.height == third.y + third.height == 160
    assert [(each.text, each.anchor) for each in chart.labels] == [("一月", "start"), ("三月", "end")]


def test_bars_lie_behind_their_names_with_their_sums() -> None:
    chart = bars(ROWS)
    first, second, third = chart.boxes
    assert (round(first.width / second.width), round(first.width / third.width, 1)) == (4, 1.6)
    assert second.x == first.x + first.width
    assert [each.text for each in chart.labels] == ["一月", "10", "二月", "5", "三月", "0"]
    assert chart.height == 90


def test_a_long_name_is_cut_in_the_picture() -> None:
    label = bars([("建设工程消防设计审查验收备案抽查结果", (("done", 1),))]).labels[0].text
    assert (len(label), label[-1]) == (14, "…")


def test_nothing_is_drawn_of_nothing() -> None:
    assert columns([]).boxes == bars([]).boxes == []
    assert columns([("一月", (("done", 0),))]).boxes == []
