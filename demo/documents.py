"""The documents that the demo's offices issue: decisions after GB/T 9704 and three licences.

Issuers bear real names; every applicant, address and number is invented and says so (示例).
"""

from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from demo.typesetting import Paper

SEAL_CAPTION = {"kind": "keyword", "text": "（盖章）"}
DATE_LINE = {"kind": "date_line"}
REMEDY = (
    "如不服本决定，可以自收到本决定书之日起六十日内向{reviewer}申请行政复议，也可以自收到本决定书之日起六个月内"
    "依法向人民法院提起行政诉讼。"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Particulars:
    """What the documents of one case share."""

    issuer: str
    handled_by: str
    reviewer: str
    case_number: str
    document_number: str
    licence_number: str | None
    day: date

    @property
    def applied(self) -> str:
        """The day of the application: a week before."""
        return chinese_date(self.day - timedelta(days=7))


def chinese_date(day: date) -> str:
    """成文日期 in the form of GB/T 9704: no leading zeros."""
    return f"{day.year}年{day.month}月{day.day}日"


def decision(
    particulars: Particulars,
    text: dict[str, Any],
    *,
    kind: str = "decision",
    placement: dict[str, Any] | None = None,
    issuer: str | None = None,
) -> Paper:
    """A letter of decision; ``text`` has title, addressee, opening, table, terms and copied_to (may be empty)."""
    data = {
        "issuer": issuer or particulars.issuer,
        "document_number": particulars.document_number,
        "case_number": particulars.case_number,
        "handled_by": particulars.handled_by,
        "date": chinese_date(particulars.day),
        "remedy": REMEDY.format(reviewer=particulars.reviewer),
        **text,
    }
    return Paper(
        template="decision",
        data=data,
        kind=kind,
        copy="original",
        document_number=particulars.document_number,
        licence_number=None,
        placement=placement or DATE_LINE,
    )


def _licence(particulars: Particulars, template: str, data: dict[str, Any], *, copy: str = "original") -> Paper:
    shared = {
        "issuer": particulars.issuer,
        "document_number": particulars.document_number,
        "licence_number": particulars.licence_number,
        "date": chinese_date(particulars.day),
    }
    return Paper(
        template=template,
        data={**shared, **data},
        kind="licence",
        copy=copy,
        document_number=particulars.document_number,
        licence_number=particulars.licence_number,
        placement=SEAL_CAPTION,
    )


# 特种设备使用登记 [001 附件2 序号30]

LIFT_OWNER = "兴国示例商业管理有限公司"
LIFT_PLACE = "兴国县潋江镇示例大道1号示例广场1号楼"


def equipment_decision(particulars: Particulars) -> Paper:
    """准予特种设备使用登记决定书, two pages: closing on the second, a seam seal over both."""
    text = {
        "title": "准予特种设备使用登记决定书",
        "addressee": LIFT_OWNER,
        "opening": [
            (
                f"你公司于{particulars.applied}提出的特种设备使用登记申请，本机关已依法受理。经审查，申请材料齐全，符合"
                "法定形式，所申请登记的设备经监督检验合格，符合《中华人民共和国特种设备安全法》第三十三条和《特种设备使用"
                "管理规则》规定的使用登记条件。根据《中华人民共和国行政许可法》第三十八条第一款的规定，本机关决定："
            ),
            "一、准予下列设备使用登记，核发《特种设备使用登记证》正本、副本各一份。",
        ],
        "table": [
            ["设备种类", "电梯", "设备类别", "曳引与强制驱动电梯"],
            ["设备品种", "曳引驱动乘客电梯", "设备代码", "31103607322026900001"],
            ["产品编号", "SL-2026-9001", "单位内编号", "1号梯"],
            ["制造单位", "示例电梯制造有限公司", "使用地点", LIFT_PLACE],
            ["登记证编号", str(particulars.licence_number), "检验有效期至", "2027年10月"],
        ],
        "terms": [
            (
                "二、你公司应当落实特种设备使用安全主体责任，建立安全技术档案，配备安全总监、安全员，在检验有效期届满的"
                "一个月前申请定期检验；未经定期检验或者检验不合格的，不得继续使用。"
            ),
            "三、设备的使用单位、使用地点、安全性能参数发生变更，或者设备停用、报废的，应当依法办理相应手续。",
            (
                "本事项依据赣州市“市县同权”改革下放实质性审核权的有关规定和行政审批“2号章”使用协议，由"
                f"{particulars.handled_by}承接办理。"
            ),
        ],
        "copied_to": "兴国县市场监督管理局",
    }
    return decision(particulars, text, placement={"kind": "date_line", "seam": True})


def equipment_licence(particulars: Particulars, *, duplicate: int = 0) -> Paper:
    """特种设备使用登记证: the original, or the duplicate with that number."""
    data = {
        "copy": f"副本{duplicate}" if duplicate > 1 else "副本" if duplicate else "正本",
        "holder": [
            ["使用单位", LIFT_OWNER],
            ["使用地点", LIFT_PLACE],
            ["单位内编号", "1号梯"],
            ["产权单位", LIFT_OWNER],
        ],
        "equipment": [
            ["设备种类", "电梯"],
            ["设备品种", "曳引驱动乘客电梯"],
            ["设备代码", "31103607322026900001"],
            ["产品编号", "SL-2026-9001"],
        ],
    }
    copy = f"duplicate {duplicate}" if duplicate else "original"
    return _licence(particulars, "equipment_licence", data, copy=copy)


# 公共场所卫生许可（首次） [002 附件2 序号14]

SHOP = "兴国县潋江镇示例理发店"


def hygiene_decision(particulars: Particulars, *, issuer: str | None = None, item: str | None = None) -> Paper:
    """准予公共场所卫生许可决定书; ``issuer`` and ``item`` say it wrongly, for the refusals."""
    what = item or "公共场所卫生许可（首次）"
    text = {
        "title": f"准予{what.split('（', maxsplit=1)[0]}决定书",
        "addressee": SHOP,
        "opening": [
            (
                f"你店于{particulars.applied}提出的{what}申请，本机关已依法受理。经审查，申请材料齐全，现场卫生状况"
                "符合要求。根据《中华人民共和国行政许可法》第三十八条第一款和有关法规的规定，本机关决定："
            ),
            f"一、准予你店{what}，公共场所类别为理发店，经营面积48平方米，经营地址为兴国县潋江镇示例路8号。",
            "二、你店应当遵守卫生标准和规范，从业人员取得有效健康合格证明后方可上岗。",
        ],
        "table": [],
        "terms": [f"本事项依据兴国县“县乡同办”改革的有关规定和委托协议，由{particulars.handled_by}承接办理。"],
        "copied_to": "兴国县卫生健康委员会",
    }
    return decision(particulars, text, issuer=issuer)


def hygiene_licence(particulars: Particulars) -> Paper:
    """公共场所卫生许可证."""
    until = particulars.day.replace(year=particulars.day.year + 4, day=min(particulars.day.day, 28))
    data = {
        "holder": [
            ["单位名称", SHOP],
            ["法定代表人", "示例甲（虚构）"],
            ["单位地址", "兴国县潋江镇示例路8号"],
        ],
        "venue": [
            ["公共场所类别", "理发店"],
            ["许可项目", "理发、美发"],
            ["有效期限", f"至{chinese_date(until)}止"],
        ],
    }
    return _licence(particulars, "hygiene_licence", data)


# 林木采伐许可证核发 [002 附件2 序号12]


def felling_licence(particulars: Particulars, volume: str) -> Paper:
    """林木采伐许可证 for ``volume`` cubic metres (decimal text) on a villager's own hill."""
    timber = (Decimal(volume) * Decimal("0.7")).quantize(Decimal("0.01"))
    until = particulars.day + timedelta(days=120)
    data = {
        "holder": "示例乙（虚构）",
        "place": "兴国县兴江乡示例村",
        "table": [
            ["林木所有人", "示例乙（虚构）", "所有人身份", "农村居民"],
            ["林地类型", "自留山", "林权证号", "兴林证字（2011）第90001号"],
            ["林班", "3", "小班", "12"],
            ["林种", "用材林", "起源", "人工林"],
            ["树种", "杉木", "林龄", "26年"],
            ["采伐类型", "主伐", "采伐方式", "小面积皆伐"],
            ["采伐面积", "0.28公顷", "采伐株数", "186株"],
            ["采伐蓄积", f"{volume}立方米", "出材量", f"{timber}立方米"],
            ["采伐期限", f"至{chinese_date(until)}止", "更新期限", "采伐后当年或次年"],
        ],
        "boundaries": "东至山脊，南至示例河，西至小路，北至12号小班界桩",
        "remarks": "更新树种杉木、木荷，更新面积0.28公顷；伐前公示无异议。",
    }
    return _licence(particulars, "felling_licence", data)


# 燃气经营许可证: 变更 [001 附件2 序号28] may be sealed, 新办 [001 附件3 序号38] may not.


def gas_decision(particulars: Particulars, *, change: bool) -> Paper:
    """准予燃气经营许可证变更（新办）决定书."""
    what = "燃气经营许可证变更" if change else "燃气经营许可证新办"
    text = {
        "title": f"准予{what}决定书",
        "addressee": "兴国示例燃气有限公司",
        "opening": [
            (
                f"你公司于{particulars.applied}提出的{what}申请，本机关已依法受理。经审查，申请材料齐全，符合《城镇燃气"
                "管理条例》规定的条件。根据《中华人民共和国行政许可法》的规定，本机关决定："
            ),
            "一、准予法定代表人由示例丙变更为示例丁，其他许可事项不变。"
            if change
            else "一、准予在兴国县示例片区从事管道燃气经营。",
        ],
        "table": [],
        "terms": ["二、你公司应当依法经营，保障供气安全。"],
        "copied_to": "",
    }
    return decision(particulars, text)


def plain_decision(particulars: Particulars, item: str) -> Paper:
    """A short decision about ``item``, for seal uses that are refused for other reasons than its text."""
    text = {
        "title": f"准予{item}决定书",
        "addressee": "兴国示例农业发展有限公司",
        "opening": [f"你公司于{particulars.applied}提出的{item}申请，本机关已依法受理。经审查，准予{item}。"],
        "table": [],
        "terms": ["请你公司依法开展活动，接受监督检查。"],
        "copied_to": "",
    }
    return decision(particulars, text)
