"""The usage register 台账 on paper: PDF/A-2b, A4 across, with the columns of [000 二(三)]; data only, no markup."""

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Final

import typst

from registry.china_time import BEIJING
from sealing.report_page import TEMPLATES, fonts, shown
from sealing.usage_register import Line

COLUMNS: Final = {
    "entry": "序号",
    "time": "用章时间",
    "outcome": "结果",
    "item": "使用的事项",
    "document_number": "审批文书编号",
    "licence_number": "证书编号",
    "approver": "批准领导",
    "applicant": "用章人员",
    "custodian": "保管人",
    "seal": "印章",
    "refused_by": "未通过的规则",
}


def printed(lines: Sequence[Line], *, chosen: str, person: str, now: datetime) -> bytes:
    """The lines as PDF/A-2b. ``chosen`` says in Chinese which lines these are, ``person`` who had them printed."""
    local = now.astimezone(BEIJING)
    content = {
        "chosen": shown(chosen),
        "person": shown(person),
        "time": local.strftime("%Y-%m-%d %H:%M"),
        "date": {"year": local.year, "month": local.month, "day": local.day},
        "columns": list(COLUMNS.values()),
        "rows": [[shown(str(getattr(line, name))) for name in COLUMNS] for line in lines],
    }
    pdf: bytes = typst.compile(
        str(TEMPLATES / "register.typ"),
        root=str(TEMPLATES),
        font_paths=fonts(),
        sys_inputs={"data": json.dumps(content, ensure_ascii=False)},
        pdf_standards=["a-2b"],
    )
    return pdf
