"""The columns of the catalogue's tables: how a cell reads, how a value is written, what is expected."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, get_args

from policies.facts import Basis, DelegationMode, DocumentKind, Regime
from registry.catalogue_rows import CatalogueItem, CatalogueRow, PilotRegion, SetupRow
from registry.china_time import read_moment, write_moment
from registry.conditions import FIELD_TYPES, ConditionField

_FIELD_PARTS = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One column. ``read`` raises ``ValueError`` for a cell that is not as ``zh`` and ``en`` say."""

    code: str
    label: str
    zh: str
    en: str
    read: Callable[[str], Any]
    write: Callable[[Any], str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """The columns of one kind of row, in the order of the file."""

    kind: type[CatalogueRow]
    columns: tuple[Column, ...]


def _required(cell: str) -> str:
    if not cell:
        raise ValueError("空白 / empty")
    return cell


def _optional(cell: str) -> str | None:
    return cell or None


def _written(value: object) -> str:
    return "" if value is None else str(value)


def _whole(cell: str) -> int:
    if not (cell.isascii() and cell.isdigit()) or len(cell) > len("9999"):
        raise ValueError("不是整数 / not a whole number")
    return int(cell)


def _parts(cell: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in cell.split(";")) if cell else ()


def _text(code: str, label: str) -> Column:
    return Column(code=code, label=label, zh="文字，不得为空", en="text, not empty", read=_required, write=_written)


def _maybe(code: str, label: str) -> Column:
    return Column(code=code, label=label, zh="文字，可为空", en="text or empty", read=_optional, write=_written)


def _number(code: str, label: str) -> Column:
    return Column(
        code=code,
        label=label,
        zh="1至9999的整数",
        en="a whole number from 1 to 9999",
        read=_whole,
        write=_written,
    )


def _several(code: str, label: str) -> Column:
    return Column(
        code=code,
        label=label,
        zh="以 ; 分隔的文字，可为空",
        en="texts separated by ';' or empty",
        read=_parts,
        write=";".join,
    )


def _several_or_all(code: str, label: str, zh: str, en: str) -> Column:
    return Column(
        code=code,
        label=label,
        zh=f"以 ; 分隔的{zh}，空白表示全部",
        en=f"{en} separated by ';', empty means all",
        read=lambda cell: _parts(cell) or None,
        write=lambda values: ";".join(values or ()),
    )


def _one_of(code: str, label: str, words: Sequence[str]) -> Column:
    def read(cell: str) -> str:
        if cell not in words:
            raise ValueError("不是所列的词 / not one of the words")
        return cell

    listed = ", ".join(words)
    return Column(code=code, label=label, zh=f"其中之一：{listed}", en=f"one of {listed}", read=read, write=_written)


def _some_of(code: str, label: str, words: Sequence[str], *, all_when_empty: bool = False) -> Column:
    def read(cell: str) -> tuple[str, ...] | None:
        parts = _parts(cell)
        if set(parts) - set(words):
            raise ValueError("含未列出的词 / holds a word that is not listed")
        return None if all_when_empty and not parts else parts

    listed = ", ".join(words)
    empty = ("，空白表示全部", ", empty means all") if all_when_empty else ("", "")
    return Column(
        code=code,
        label=label,
        zh=f"以 ; 分隔，取自：{listed}{empty[0]}",
        en=f"separated by ';', out of {listed}{empty[1]}",
        read=read,
        write=lambda values: ";".join(values or ()),
    )


def _moment(code: str, label: str, *, required: bool) -> Column:
    def read(cell: str) -> datetime | None:
        return read_moment(_required(cell)) if cell or required else None

    return Column(
        code=code,
        label=label,
        zh="北京日期，如 2023-11-30，或带时区的时间" + ("" if required else "，可为空"),
        en="a Beijing date such as 2023-11-30, or a time with its zone" + ("" if required else ", or empty"),
        read=read,
        write=lambda moment: "" if moment is None else write_moment(moment),
    )


def _read_fields(cell: str) -> tuple[ConditionField, ...]:
    return tuple(_read_field(part) for part in _parts(cell))


def _read_field(part: str) -> ConditionField:
    pieces = part.split(":")
    if len(pieces) != _FIELD_PARTS:
        raise ValueError(f"“{part}”应有四段 / {part!r} should have four parts")
    name, kind, unit, label = pieces
    return ConditionField.model_validate({"name": name, "type": kind, "unit": unit, "label": label})


def _write_fields(fields: Sequence[ConditionField]) -> str:
    return ";".join(f"{field.name}:{field.type}:{field.unit}:{field.label}" for field in fields)


_FIELDS = Column(
    code="condition_fields",
    label="条件字段",
    zh=f"以 ; 分隔的 名称:类型:单位:中文名，类型取自 {', '.join(FIELD_TYPES)}",
    en=f"name:type:unit:label separated by ';', with a type out of {', '.join(FIELD_TYPES)}",
    read=_read_fields,
    write=_write_fields,
)
_PERIOD = (
    _moment("valid_from", "生效时间", required=True),
    _moment("valid_until", "失效时间", required=False),
    _text("source", "依据"),
)

ITEMS = Table(
    kind=CatalogueItem,
    columns=(
        _text("list", "清单"),
        _number("number", "序号"),
        _text("main_name", "主项名称"),
        _maybe("sub_name", "子项名称"),
        _text("power_type", "权力类型"),
        _text("implementing_organ", "实施单位"),
        _several("supervising_organs", "业务主管部门"),
        _maybe("remarks", "备注"),
        _one_of("mode", "办理方式", get_args(DelegationMode)),
        _some_of("document_kinds", "文书类型", get_args(DocumentKind)),
        _some_of("licence_kinds", "证照类型", get_args(DocumentKind)),
        _several("aliases", "别名"),
        _some_of("bases", "办理类型", get_args(Basis), all_when_empty=True),
        _FIELDS,
        _maybe("condition", "条件"),
        _several_or_all("regions", "区域", "区划代码", "region codes"),
        _moment("pilot_until", "试点截止", required=False),
        *_PERIOD,
    ),
)
SETUP = Table(
    kind=SetupRow,
    columns=(
        _one_of("regime", "制度", get_args(Regime)),
        _text("region", "区划代码"),
        _text("region_name", "区划名称"),
        _number("number", "章号"),
        _text("name_pattern", "印章名称"),
        *_PERIOD,
    ),
)
PILOTS = Table(
    kind=PilotRegion,
    columns=(_text("list", "清单"), _number("number", "序号"), _text("region", "区划代码"), *_PERIOD),
)
