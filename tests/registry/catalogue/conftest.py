"""A small item and setup row that tests vary."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, TypeVar

import pytest

from registry.catalogue_rows import CatalogueItem, CatalogueRow, PilotRegion, SetupRow, row_id

Row = TypeVar("Row", bound=CatalogueRow)
NOON = datetime(2024, 5, 1, 12, tzinfo=UTC)
ITEM: dict[str, Any] = {
    "list": "009-1",
    "number": 7,
    "main_name": "测试事项核发",
    "sub_name": None,
    "power_type": "行政许可",
    "implementing_organ": "市行政审批局",
    "supervising_organs": (),
    "remarks": None,
    "mode": "substantive_review",
    "document_kinds": ("decision", "licence"),
    "licence_kinds": ("licence",),
    "aliases": (),
    "bases": None,
    "condition_fields": (),
    "condition": None,
    "regions": None,
    "pilot_until": None,
    "valid_from": datetime(2024, 1, 1, tzinfo=UTC),
    "valid_until": None,
    "source": "[009 附件1 序号7]",
}
SETUP: dict[str, Any] = {
    "regime": "city_county",
    "region": "360732",
    "region_name": "兴国县",
    "number": 12,
    "name_pattern": "赣州市XX局行政审批专用章（12）",
    "valid_from": datetime(2024, 1, 1, tzinfo=UTC),
    "valid_until": None,
    "source": "[009 附件 序号12]",
}
PILOT: dict[str, Any] = {
    "list": "009-1",
    "number": 7,
    "region": "360732035",
    "valid_from": datetime(2024, 1, 1, tzinfo=UTC),
    "valid_until": None,
    "source": "兴府办字〔2024〕1号",
}


def _made(kind: type[Row], standard: dict[str, Any], changes: dict[str, Any]) -> Row:
    content = {**standard, **changes}
    about = kind.model_construct(**content).about
    return kind.model_validate({"id": row_id(kind, about, content["valid_from"]), **content})


@pytest.fixture
def an_item() -> Callable[..., CatalogueItem]:
    return lambda **changes: _made(CatalogueItem, ITEM, changes)


@pytest.fixture
def a_setup_row() -> Callable[..., SetupRow]:
    return lambda **changes: _made(SetupRow, SETUP, changes)


@pytest.fixture
def a_pilot() -> Callable[..., PilotRegion]:
    return lambda **changes: _made(PilotRegion, PILOT, changes)


@pytest.fixture
def now() -> datetime:
    return NOON
