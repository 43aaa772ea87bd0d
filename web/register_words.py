"""The words of the page of the usage register in both languages."""

from collections.abc import Mapping
from typing import Final

TEXTS: Final[Mapping[str, tuple[str, str]]] = {
    "nav_register": ("用章台账", "Register"),
    "register_intro": (
        "每一次用章和每一次拒绝都在这里，最新的在前〔000 二(三)〕；内容取自账本，不能更改。",
        "Every use and every refusal, the newest first [000 二(三)]; read from the record, which nobody can change.",
    ),
    "register_since": ("自（日期）", "From (day)"),
    "register_until": ("至（日期）", "To (day)"),
    "register_number": ("办件、文书或证书编号（开头即可）", "Case, document or licence number (its beginning)"),
    "register_kind": ("结果", "Result"),
    "register_item_hint": ("清单和序号，例如 001-2 30", "list and number, e.g. 001-2 30"),
    "register_item": ("事项", "Item"),
    "any": ("不限", "any"),
    "register_search": ("查询", "Search"),
    "as_xlsx": ("导出 Excel", "Excel"),
    "as_pdf": ("打印版 PDF", "PDF to print"),
    "register_time": ("时间", "When"),
    "register_numbers": ("编号", "Numbers"),
    "register_people": ("批准 · 用章 · 保管", "Approved · used · keeps"),
    "register_nothing": ("没有符合条件的记录。", "No line fits."),
    "register_download_most": ("一次最多导出 {most} 行。", "A download has {most} lines at most."),
}

VALUES: Final[Mapping[str, Mapping[str, tuple[str, str]]]] = {
    "register_outcome": {
        "盖章": ("盖章", "sealed"),
        "拒绝": ("拒绝", "refused"),
        "纸质用章": ("纸质用章", "on paper"),
    },
    "register_kind": {
        "seal.impressed": ("盖章", "sealed"),
        "seal.refused": ("拒绝", "refused"),
        "paper.used": ("纸质用章", "on paper"),
    },
}
