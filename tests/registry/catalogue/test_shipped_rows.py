"""The shipped lists against the published text, and whole rows against expectations written by hand."""

import csv
import re
from collections import Counter
from pathlib import Path

import pytest

from policies.facts import ItemKey
from registry.catalogue import load_shipped
from registry.catalogue_rows import CatalogueItem
from registry.china_time import write_moment

SEED = Path(__file__).with_name("seed")
DATA = Path(__file__).resolve().parents[3] / "registry" / "data"
EIGHTEEN = (
    "360702;360703;360704;360722;360723;360724;360725;360726;360783;"
    "360729;360728;360732;360730;360731;360781;360733;360734;360735"
)
WAYS = {"no2_seal": "“2号章”委托办", "assisted": "乡镇帮办代办", "system_extension": "业务系统延伸办"}
HEADER_002 = "序号事项名称权力类型授权委托部门业务主管部门办理方式备注主项名称子项名称"
PAGE_BREAK_40 = "行政许可县级受理市级审批40市行政审批局建设项目环境影响评价审批7.煤炭"


def shipped(list_name: str) -> list[CatalogueItem]:
    return [item for item in load_shipped().items if item.list == list_name]


def item(list_name: str, number: int) -> CatalogueItem:
    return next(row for row in load_shipped().items if row.key == ItemKey(list=list_name, number=number))


def raw(name: str) -> list[dict[str, str]]:
    with (DATA / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def printed(row: CatalogueItem) -> str:
    """What follows 主项名称 in the printed row."""
    if row.list.startswith("001"):
        return f"{row.sub_name or ''}{row.power_type}{row.remarks or ''}"
    supervising = "、".join(row.supervising_organs)
    rest = f"{row.implementing_organ}{supervising}{WAYS[row.mode]}{row.remarks or ''}"
    return f"{row.sub_name or ''}{row.power_type}{rest}"


def consume(text: str, row: CatalogueItem, before: CatalogueItem | None) -> str:
    """Take the row off the front of the text; a merged 主项名称 stands in its first row only."""
    organ = row.implementing_organ if row.list.startswith("001") else ""
    forms = [f"{row.number}{organ}{row.main_name}{printed(row)}"]
    if before is not None and before.main_name == row.main_name:
        forms.append(f"{row.number}{organ}{printed(row)}")
    for form in forms:
        if text.startswith(form):
            return text[len(form) :]
    raise AssertionError(f"{row.list} {row.number}: expected {forms[0]!r}, found {text[: len(forms[0]) + 20]!r}")


@pytest.mark.parametrize(
    ("list_name", "rest"),
    [
        ("001-1", "注:直接下放的事项由除赣州经开区、蓉江新区外的各县(市、区)部门承接。"),
        ("001-2", ""),
        ("001-3", ""),
        ("002-2", ""),
    ],
)
def test_rows_put_end_to_end_are_the_printed_table(list_name: str, rest: str) -> None:
    text = (SEED / f"{list_name}.txt").read_text("utf-8").strip().replace(PAGE_BREAK_40, "7.煤炭")
    text = text.partition("子项名称")[2].replace(HEADER_002, "")
    before = None
    for row in shipped(list_name):
        text = consume(text, row, before)
        before = row
    assert text == rest


def test_counts_by_list_and_mode() -> None:
    assert Counter((row.list, row.mode) for row in load_shipped().items) == {
        ("001-1", "direct"): 20,
        ("001-2", "substantive_review"): 45,
        ("001-3", "window_forward"): 53,
        ("002-2", "no2_seal"): 15,
        ("002-2", "assisted"): 5,
        ("002-2", "system_extension"): 6,
    }


@pytest.mark.parametrize(("list_name", "count"), [("001-1", 20), ("001-2", 45), ("001-3", 53), ("002-2", 26)])
def test_numbers_run_from_one_without_gap(list_name: str, count: int) -> None:
    assert [row.number for row in shipped(list_name)] == list(range(1, count + 1))


def row_of(**cells: str) -> dict[str, str]:
    """A row's cells; columns that are not named are blank."""
    return {**dict.fromkeys(raw("items.csv")[0], ""), **cells}


CITY = {
    "power_type": "行政许可",
    "remarks": "市县同办",
    "mode": "substantive_review",
    "valid_from": "2022-02-25",
}
WINDOW = {
    "power_type": "行政许可",
    "remarks": "县级受理市级审批",
    "mode": "window_forward",
    "valid_from": "2022-02-25",
}
TOWNSHIP = {"power_type": "行政许可", "mode": "no2_seal", "valid_from": "2023-11-30"}
LICENCE = {"document_kinds": "decision;refusal;notice;licence", "licence_kinds": "licence"}

WHOLE_ROWS = [
    row_of(
        list="001-1",
        number="8",
        main_name="设置大型户外广告及在城市建筑物、设施上悬挂、张贴宣传品审批",
        sub_name="建(构)筑物二层(含)以上的户外广告(招牌)设施设置审批(不含大型高立柱户外广告设置及底座式户外广告设施)",
        power_type="行政许可",
        implementing_organ="市行政审批局",
        remarks="由章贡区行使",
        mode="direct",
        document_kinds="decision;refusal;notice",
        regions="360702",
        valid_from="2022-06-01",
        source="[001 附件1 序号8]",
    ),
    row_of(
        list="001-1",
        number="10",
        main_name="基层法律服务工作者执业、变更、注销核准",
        sub_name="基层法律服务工作者变更核准",
        power_type="行政许可",
        implementing_organ="市司法局",
        mode="direct",
        **LICENCE,
        bases="change",
        regions=EIGHTEEN,
        valid_from="2022-06-01",
        source="[001 附件1 序号10]",
    ),
    row_of(
        **{**CITY, "power_type": "行政确认"},
        **LICENCE,
        list="001-2",
        number="6",
        main_name="不动产统一登记",
        sub_name="国有农用地的使用权登记",
        implementing_organ="市自然资源局",
        source="[001 附件2 序号6]",
    ),
    row_of(
        **CITY,
        **LICENCE,
        list="001-2",
        number="13",
        main_name="建设项目用地预审与选址意见书核发",
        implementing_organ="市自然资源局",
        aliases="建设项目用地预审与选址意见书",
        source="[001 附件2 序号13]",
    ),
    row_of(
        **CITY,
        **LICENCE,
        list="001-2",
        number="28",
        main_name="燃气经营许可证核发",
        sub_name="燃气经营许可证变更",
        implementing_organ="市行政审批局",
        aliases="燃气经营许可证（变更）;变更燃气经营许可证",
        bases="change",
        source="[001 附件2 序号28]",
    ),
    row_of(
        **CITY,
        list="001-2",
        number="29",
        main_name="水利工程竣工验收",
        sub_name="新建小(1)型水库(闸),新建跨县域的小(2)型水库(闸),改扩建、除险加固坝高50m以下的中型水库(闸)、小(1)型水库(闸)初步设计文件验收",
        implementing_organ="市行政审批局",
        document_kinds="decision;refusal;notice",
        aliases="水利工程竣工验收",
        condition_fields=(
            "works_kind:text::建设性质（新建、改扩建、除险加固）;"
            "reservoir_scale:text::水库（闸）规模（小(1)型、小(2)型、中型）;"
            "cross_county:truth::是否跨县域;dam_height_m:decimal:m:坝高"
        ),
        condition=(
            '(works_kind == "新建" && reservoir_scale == "小(1)型")\n'
            '|| (works_kind == "新建" && reservoir_scale == "小(2)型" && cross_county)\n'
            '|| (works_kind in ["改扩建", "除险加固"] && reservoir_scale in ["中型", "小(1)型"] '
            '&& dam_height_m <= decimal("50"))'
        ),
        source="[001 附件2 序号29]",
    ),
    row_of(
        **CITY,
        **LICENCE,
        list="001-2",
        number="30",
        main_name="特种设备使用登记",
        implementing_organ="市行政审批局",
        aliases="特种设备使用登记证",
        source="[001 附件2 序号30]",
    ),
    row_of(
        **{**CITY, "power_type": "其他行政权力-备案"},
        list="001-2",
        number="41",
        main_name="合同格式条款备案(由市级登记的市场主体)",
        sub_name="美容健身、餐饮住宿、摄影服务、邮递、通信、有线电视服务、经营性培训合同格式条款备案",
        implementing_organ="市市场监管局",
        document_kinds="filing;refusal;notice",
        condition_fields="registration_level:text::市场主体的登记层级",
        condition='registration_level == "市级"',
        source="[001 附件2 序号41]",
    ),
    row_of(
        **WINDOW,
        **LICENCE,
        list="001-3",
        number="38",
        main_name="燃气经营许可证核发",
        sub_name="燃气经营许可证新办",
        implementing_organ="市行政审批局",
        aliases="燃气经营许可证（新办）",
        bases="new",
        source="[001 附件3 序号38]",
    ),
    row_of(
        **WINDOW,
        list="001-3",
        number="46",
        main_name="权限内企业投资项目核准",
        sub_name="除省政府投资主管部门核准的其余热电站项目(含自备电站)核准",
        implementing_organ="市行政审批局",
        document_kinds="decision;refusal;notice",
        source="[001 附件3 序号46]",
    ),
    row_of(
        list="002-2",
        number="4",
        main_name="社会保障卡业务办理",
        sub_name="社会保障卡密码修改与重置",
        power_type="公共服务",
        implementing_organ="县人社局",
        supervising_organs="县人社局",
        remarks="1.社保功能密码：各乡镇便民服务中心办理；2.金融功能密码：各乡镇农商银行网点办理",
        mode="system_extension",
        document_kinds="decision;refusal;notice;other",
        valid_from="2023-11-30",
        source="[002 附件2 序号4]",
    ),
    row_of(
        **TOWNSHIP,
        **LICENCE,
        list="002-2",
        number="12",
        main_name="林木采伐许可证核发",
        sub_name="林木采伐许可证核发（农村居民自留山和个人承包集体林地）",
        implementing_organ="兴国县林业局",
        supervising_organs="兴国县林业局",
        remarks="15m³以上，8个乡镇先行试点，一年后全面推行",
        aliases="林木采伐许可证",
        condition_fields=(
            "volume_m3:decimal:m³:采伐蓄积;land_kind:text::林地类型（自留山、个人承包集体林地）;"
            "holder_kind:text::林木所有人身份"
        ),
        condition=(
            'volume_m3 >= decimal("15")\n&& land_kind in ["自留山", "个人承包集体林地"]\n&& holder_kind == "农村居民"'
        ),
        pilot_until="2024-11-30",
        source="[002 附件2 序号12]",
    ),
    row_of(
        **{**TOWNSHIP, "power_type": "公共服务"},
        list="002-2",
        number="13",
        main_name="重大疾病免费救治申请",
        implementing_organ="县卫健委",
        supervising_organs="县卫健委;县民政局;县医保局;县乡村振兴局",
        document_kinds="decision;refusal;notice;other",
        aliases="重大疾病免费救治",
        source="[002 附件2 序号13]",
    ),
    row_of(
        **TOWNSHIP,
        **LICENCE,
        list="002-2",
        number="22",
        main_name="农药经营许可",
        sub_name="农药经营许可证（延续）",
        implementing_organ="县行政审批局",
        supervising_organs="县农业农村局",
        aliases="农药经营许可证（延续）;农药经营许可证延续",
        bases="renewal",
        source="[002 附件2 序号22]",
    ),
    row_of(
        **{**TOWNSHIP, "power_type": "其他行政权力－年检"},
        list="002-2",
        number="25",
        main_name="拖拉机、联合收割机安全检验",
        implementing_organ="县行政审批局",
        supervising_organs="县农业农村局",
        document_kinds="decision;refusal;notice;other",
        aliases="拖拉机和联合收割机安全检验",
        source="[002 附件2 序号25]",
    ),
]


@pytest.mark.parametrize("expected", WHOLE_ROWS, ids=lambda row: f"{row['list']}:{row['number']}")
def test_whole_row(expected: dict[str, str]) -> None:
    found = next(
        row for row in raw("items.csv") if (row["list"], row["number"]) == (expected["list"], expected["number"])
    )
    assert found == expected


def test_merged_main_names_reach_every_row_they_stand_for() -> None:
    assert {item("001-2", number).main_name for number in range(1, 13)} == {"不动产统一登记"}
    assert {item("001-2", number).main_name for number in range(31, 34)} == {"省重点保护水生野生动物利用特许"}
    assert {item("001-2", number).main_name for number in range(36, 42)} == {"合同格式条款备案(由市级登记的市场主体)"}
    assert {item("001-3", number).main_name for number in range(7, 13)} == {"矿产资源开采审批"}
    assert {item("002-2", number).main_name for number in range(14, 19)} == {
        "公共场所卫生许可办理（除饭馆、咖啡馆、酒吧、茶座等）"
    }
    assert item("001-2", 43).sub_name is None
    assert item("001-3", 53).sub_name is None


def test_direct_items_leave_out_the_two_zones() -> None:
    for row in shipped("001-1"):
        only_zhanggong = row.remarks == "由章贡区行使"
        assert row.regions == (("360702",) if only_zhanggong else tuple(EIGHTEEN.split(";")))
    assert sum(row.remarks == "由章贡区行使" for row in shipped("001-1")) == 10


def test_bases_of_sealable_items() -> None:
    sealable = [row for row in load_shipped().items if row.mode in {"substantive_review", "no2_seal"}]
    assert {(row.list, row.number): row.bases for row in sealable if row.bases} == {
        ("001-2", 28): ("change",),
        ("002-2", 14): ("new",),
        ("002-2", 15): ("change",),
        ("002-2", 16): ("replacement",),
        ("002-2", 17): ("renewal",),
        ("002-2", 18): ("cancellation",),
        ("002-2", 19): ("new", "change"),
        ("002-2", 22): ("renewal",),
        ("002-2", 23): ("renewal",),
    }


def test_an_item_that_is_sealable_for_one_basis_only_has_no_alias_that_hides_it() -> None:
    for row in (item("001-2", 28), item("002-2", 22), item("002-2", 23)):
        words = "变更" if row.list == "001-2" else "延续"
        assert all(words in name for name in (row.name, *row.aliases))


def test_licences_are_named_where_the_licence_kind_is_allowed() -> None:
    for row in load_shipped().items:
        assert set(row.licence_kinds) == set(row.document_kinds) & {"licence"}
        assert "refusal" in row.document_kinds


def test_names_hold_no_white_space() -> None:
    for row in load_shipped().items:
        assert not re.search(r"\s", f"{row.main_name}{row.sub_name}{row.remarks}")


def test_setup_rows_of_the_counties() -> None:
    counties = [row for row in load_shipped().setup if row.regime == "city_county"]
    assert [(row.number, row.region_name, row.region) for row in counties] == [
        (1, "章贡区", "360702"),
        (2, "南康区", "360703"),
        (3, "赣县区", "360704"),
        (4, "信丰县", "360722"),
        (5, "大余县", "360723"),
        (6, "上犹县", "360724"),
        (7, "崇义县", "360725"),
        (8, "安远县", "360726"),
        (9, "龙南县", "360783"),
        (10, "全南县", "360729"),
        (11, "定南县", "360728"),
        (12, "兴国县", "360732"),
        (13, "宁都县", "360730"),
        (14, "于都县", "360731"),
        (15, "瑞金市", "360781"),
        (16, "会昌县", "360733"),
        (17, "寻乌县", "360734"),
        (18, "石城县", "360735"),
    ]
    for row in counties:
        assert row.name_pattern == f"赣州市XX局行政审批专用章（{row.number}）"
        assert write_moment(row.valid_from) == "2023-08-10"
        assert row.source == f"[000 附件 序号{row.number}]"


def test_setup_rows_of_the_townships() -> None:
    townships = [row for row in load_shipped().setup if row.regime == "county_township"]
    names = [
        "兴江乡",
        "古龙岗镇",
        "梅窖镇",
        "樟木乡",
        "东村乡",
        "兴莲乡",
        "江背镇",
        "杰村乡",
        "社富乡",
        "龙口镇",
        "埠头乡",
        "永丰镇",
        "均村乡",
        "隆坪乡",
        "茶园乡",
        "高兴镇",
        "崇贤乡",
        "枫边乡",
        "方太乡",
        "城岗镇",
        "良村镇",
        "南坑乡",
        "鼎龙乡",
        "长冈乡",
        "潋江镇",
    ]
    assert [(row.number, row.region_name) for row in townships] == list(enumerate(names, start=11))
    for row in townships:
        assert row.name_pattern == f"兴国县XX局（委）行政审批专用章（{row.number}）"
        assert write_moment(row.valid_from) == "2023-11-30"
        assert row.region == f"360732{row.number:03}"
        assert f"[002 附件3-1 序号{row.number - 10}]" in row.source
        assert "非官方" in row.source
