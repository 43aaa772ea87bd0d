"""The rows of the catalogue: items, setup rows and pilot regions, each with dates and a source.

A row is never edited: it is closed by ``valid_until`` and another one opens ("动态管理" [000 一(三)]). Its
id follows from what it is about and when it begins, so the same list loaded twice is the same rows.
"""

import re
from abc import abstractmethod
from base64 import b32encode
from collections.abc import Iterable
from datetime import datetime
from hashlib import sha256
from itertools import pairwise
from typing import Annotated, ClassVar, Self

from pydantic import Field, StringConstraints, ValidationInfo, field_validator, model_validator

from policies.facts import Basis, DelegationMode, DocumentKind, ItemKey, Regime, SetupFacts
from registry.condition_text import ConditionError
from registry.conditions import Condition, ConditionField, compile_condition
from registry.fields import Name, RegionCode, Text, UtcTime, json_time
from registry.record import Record

ListName = Annotated[str, StringConstraints(pattern=r"^[0-9A-Za-z][0-9A-Za-z-]{0,31}$")]
ItemNumber = Annotated[int, Field(ge=1, le=9999)]
ListedName = Annotated[Name, StringConstraints(pattern=r"^[^;]+$")]
"""A name among others: tables separate them by semicolons."""
SealNumber = Annotated[int, Field(ge=1, le=999)]
_ID_BYTES = 16


class CatalogueRow(Record):
    """What every row has: the period it is in force and where it comes from."""

    prefix: ClassVar[str]

    valid_from: UtcTime
    valid_until: UtcTime | None
    """The first moment at which the row is no longer in force; None: open. Equal to ``valid_from`` for a
    row that was withdrawn before it began."""
    source: Text

    @property
    @abstractmethod
    def about(self) -> tuple[str, ...]:
        """What the row is about: at any moment one row of its kind may be in force for it."""

    @field_validator("valid_until")
    @classmethod
    def _ends_after_it_begins(cls, until: datetime | None, info: ValidationInfo) -> datetime | None:
        begins = info.data.get("valid_from")
        if until is not None and begins is not None and until < begins:
            raise ValueError("失效时间早于生效时间 / the row ends before it begins")
        return until

    @model_validator(mode="after")
    def _has_its_id(self) -> Self:
        expected = row_id(type(self), self.about, self.valid_from)
        if self.id != expected:
            raise ValueError(f"编号为 {self.id}，应为 {expected} / the id is {self.id}, expected {expected}")
        return self

    def in_force(self, now: datetime) -> bool:
        """Whether the row is in force at ``now``; the moment of ``valid_until`` is outside."""
        return self.valid_from <= now and (self.valid_until is None or now < self.valid_until)

    def comes_into_force(self, now: datetime) -> bool:
        """Whether there is a moment from ``now`` on at which the row is in force."""
        return self.valid_until is None or self.valid_until > max(now, self.valid_from)

    def closed(self, at: datetime) -> Self:
        """The same row, ending at ``at`` at the latest; one that would only begin later never begins."""
        until = max(at, self.valid_from)
        return self.model_copy(update={"valid_until": min(until, self.valid_until or until)})

    def opened(self, at: datetime) -> Self:
        """The same content as a row that begins at ``at`` at the earliest: a list cannot change the past."""
        begins = max(at, self.valid_from)
        return self.model_copy(update={"id": row_id(type(self), self.about, begins), "valid_from": begins})

    def same_content(self, other: "CatalogueRow") -> bool:
        """Whether both say the same, whenever they begin."""
        return self.model_copy(update={"id": other.id, "valid_from": other.valid_from}) == other


def row_id(kind: type[CatalogueRow], about: tuple[str, ...], valid_from: datetime) -> str:
    """The id of a row: its kind's prefix and 128 bits of SHA-256 over what it is about and its beginning."""
    text = "\n".join((kind.prefix, *about, json_time(valid_from)))
    return f"{kind.prefix}-{b32encode(sha256(text.encode()).digest()[:_ID_BYTES]).decode().rstrip('=').lower()}"


def overlapping(rows: Iterable[CatalogueRow]) -> list[tuple[CatalogueRow, CatalogueRow]]:
    """Pairs of rows about the same that would be in force at once, or begin at the same moment."""
    groups: dict[tuple[str, ...], list[CatalogueRow]] = {}
    for row in rows:
        groups.setdefault(row.about, []).append(row)
    pairs = []
    for group in groups.values():
        group.sort(key=lambda row: row.valid_from)
        pairs += [
            (first, second)
            for first, second in pairwise(group)
            if first.valid_until is None
            or first.valid_until > second.valid_from
            or first.valid_from == second.valid_from
        ]
    return pairs


class CatalogueItem(CatalogueRow):
    """One item 事项 of a list, as [001 附件1-3] and [002 附件2] print it, with what a seal use needs of it.

    Document kinds, aliases, bases and conditions are read out of the printed text by us; the text itself
    is kept whole.
    """

    prefix: ClassVar[str] = "itm"

    list: ListName
    number: ItemNumber
    main_name: Text
    sub_name: Text | None
    power_type: Name
    implementing_organ: Name
    """001: 市级实施单位; 002: 授权委托部门. As printed, to be resolved to a registered organ."""
    supervising_organs: tuple[ListedName, ...]
    """002: 业务主管部门. 001 has no such column: 市级行业主管部门 in general [001 四(五)]."""
    remarks: Text | None
    mode: DelegationMode
    document_kinds: Annotated[tuple[DocumentKind, ...], Field(min_length=1)]
    licence_kinds: tuple[DocumentKind, ...]
    """Those of the document kinds that carry a licence number."""
    aliases: tuple[ListedName, ...]
    bases: Annotated[tuple[Basis, ...], Field(min_length=1)] | None
    """None: every basis."""
    condition_fields: tuple[ConditionField, ...]
    condition: Text | None
    regions: Annotated[tuple[RegionCode, ...], Field(min_length=1)] | None
    """None: every region."""
    pilot_until: UtcTime | None
    """Until then open in registered pilot regions only; None: no pilot phase."""

    @property
    def key(self) -> ItemKey:
        """List and number, which identify the item; its name never does."""
        return ItemKey(list=self.list, number=self.number)

    @property
    def about(self) -> tuple[str, ...]:
        return (self.list, str(self.number))

    @property
    def name(self) -> str:
        """子项名称, or 主项名称 where there is none."""
        return self.sub_name or self.main_name

    def compiled_condition(self) -> Condition | None:
        """The condition ready to evaluate; compiled once per text and process."""
        return None if self.condition is None else compile_condition(self.condition, self.condition_fields)

    @field_validator("document_kinds", "licence_kinds", "aliases", "bases", "regions", "supervising_organs")
    @classmethod
    def _names_nothing_twice(cls, values: tuple[str, ...] | None) -> tuple[str, ...] | None:
        twice = sorted({value for value in values or () if (values or ()).count(value) > 1})
        if twice:
            raise ValueError(f"重复：{'、'.join(twice)} / named twice: {', '.join(twice)}")
        return values

    @field_validator("licence_kinds")
    @classmethod
    def _licences_are_documents(cls, kinds: tuple[str, ...], info: ValidationInfo) -> tuple[str, ...]:
        allowed = info.data.get("document_kinds", kinds)
        foreign = sorted(set(kinds) - set(allowed))
        if foreign:
            raise ValueError(f"不在文书类型中：{'、'.join(foreign)} / not a document kind: {', '.join(foreign)}")
        return kinds

    @field_validator("condition")
    @classmethod
    def _condition_compiles(cls, text: str | None, info: ValidationInfo) -> str | None:
        fields = info.data.get("condition_fields")
        if fields is None:  # refused already, and named
            return text
        if text is None:
            if fields:
                raise ValueError("声明了字段却没有条件 / fields are declared but there is no condition")
            return text
        try:
            compile_condition(text, fields)
        except ConditionError as error:
            raise ValueError(str(error)) from error
        return text


class SetupRow(CatalogueRow):
    """One row of a setup table 设置表: the number that a region's seals carry [000 附件], [002 附件3-1]."""

    prefix: ClassVar[str] = "stp"

    regime: Regime
    region: RegionCode
    region_name: Name
    number: SealNumber
    name_pattern: Name
    """As printed: 赣州市XX局行政审批专用章（12）."""

    @property
    def about(self) -> tuple[str, ...]:
        return (self.regime, self.region)

    def facts(self) -> SetupFacts:
        """What the rules look at."""
        return SetupFacts(regime=self.regime, region=self.region, number=self.number)

    @field_validator("name_pattern")
    @classmethod
    def _carries_the_number(cls, pattern: str, info: ValidationInfo) -> str:
        number = info.data.get("number")
        if number is not None and not re.fullmatch(rf".*XX局.*行政审批专用章（{number}）", pattern):
            raise ValueError(
                f"印章名称应含“XX局”并以“行政审批专用章（{number}）”结尾 / "
                f"the name pattern should hold XX局 and end with 行政审批专用章（{number}）"
            )
        return pattern


class PilotRegion(CatalogueRow):
    """A region where an item is open during its pilot phase.

    [002 附件2 序号12] says “8个乡镇先行试点” and does not name them: administrators register them.
    """

    prefix: ClassVar[str] = "plt"

    list: ListName
    number: ItemNumber
    region: RegionCode

    @property
    def key(self) -> ItemKey:
        """The item that the region pilots."""
        return ItemKey(list=self.list, number=self.number)

    @property
    def about(self) -> tuple[str, ...]:
        return (self.list, str(self.number), self.region)
