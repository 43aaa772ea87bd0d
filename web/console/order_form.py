"""The form of an application: from what was typed to an order, each mistake beside its field."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from pydantic import ValidationError

from policies.facts import Value
from registry.record import sentences
from sealing.choices import ItemChoice, SealChoice
from sealing.order import Order
from signer.errors import PlacementError

FIELDS: Final = (
    "use",
    "case_number",
    "document_kind",
    "copy",
    "basis",
    "predecessor",
    "document_number",
    "licence_number",
    "filing_number",
    "place",
    "keyword",
    "page",
    "x_mm",
    "y_mm",
    "more",
)
FACT: Final = "fact."
"""Before the name of a fact that the item's condition asks for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Typed:
    """What the form says: an order, or what is wrong by field as (Chinese, English)."""

    order: Order | None = None
    wrong: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    choice: ItemChoice | None = None


def kept(fields: Mapping[str, str]) -> dict[str, str]:
    """The fields that a draft keeps, as typed."""
    return {name: value for name, value in fields.items() if name in FIELDS or name.startswith(FACT)}


def use_of(seal: SealChoice, item: ItemChoice) -> str:
    """The value of one choice: seal, list and number."""
    return f"{seal.seal} {item.key.list} {item.key.number}"


def read_form(fields: Mapping[str, str], offered: list[SealChoice], *, organ: str, applicant: str) -> Typed:
    """Judge what was typed. Nothing is guessed: a field that is missing is named."""
    chosen = {use_of(seal, item): (seal, item) for seal in offered for item in seal.items}.get(fields.get("use", ""))
    if chosen is None:
        return Typed(wrong={"use": ("请选择印章和事项", "choose a seal and an item")})
    seal, item = chosen
    facts, wrong = _facts(fields, item)
    values: dict[str, Any] = {
        "organ": organ,
        "applicant": applicant,
        "seal": seal.seal,
        "item": {"list": item.key.list, "number": item.key.number},
        "facts": facts,
        "placement": _placement(fields),
        "final": fields.get("more", "") != "yes",
    }
    for name in ("case_number", "document_kind", "copy", "basis"):
        values[name] = fields.get(name, "")
    for name in ("predecessor", "document_number", "licence_number", "filing_number"):
        values[name] = fields.get(name) or None
    order, more = _order(values)
    wrong |= more
    return Typed(order=None if wrong else order, wrong=wrong, choice=item)


def _order(values: dict[str, Any]) -> tuple[Order | None, dict[str, tuple[str, str]]]:
    try:
        order = Order.model_validate(values)
        order.placement_text()
    except ValidationError as error:
        return None, {str(each["loc"][0]): _said(each) for each in error.errors()}
    except PlacementError as error:
        return None, {"place": (error.zh, error.en)}
    return order, {}


def _said(error: Any) -> tuple[str, str]:  # noqa: ANN401  an entry of pydantic's list
    if error["type"] in {"string_too_short", "literal_error", "string_pattern_mismatch"}:
        return ("请填写", "this is needed")
    return sentences(error["msg"])


def _placement(fields: Mapping[str, str]) -> dict[str, Any]:
    kind = fields.get("place", "date_line")
    if kind == "keyword":
        return {"kind": "keyword", "text": fields.get("keyword", "")}
    if kind == "position":
        page = fields.get("page", "")
        return {
            "kind": "position",
            "page": int(page) if page.isascii() and page.isdecimal() and len(page) < 7 else page,  # noqa: PLR2004
            "x_mm": fields.get("x_mm", ""),
            "y_mm": fields.get("y_mm", ""),
        }
    return {"kind": kind}


def _facts(fields: Mapping[str, str], item: ItemChoice) -> tuple[dict[str, Value], dict[str, tuple[str, str]]]:
    facts: dict[str, Value] = {}
    wrong: dict[str, tuple[str, str]] = {}
    for asked in item.asks_for:
        name, typed = asked.name, fields.get(FACT + asked.name, "")
        if not typed:
            wrong[FACT + name] = (f"请填写{asked.label}", f"{asked.label} is needed")
        elif asked.type == "integer":
            if typed.isascii() and typed.lstrip("-").isdecimal() and len(typed) < 16:  # noqa: PLR2004  below 2^53
                facts[name] = int(typed)
            else:
                wrong[FACT + name] = (f"{asked.label}应为整数", f"{asked.label}: a whole number is expected")
        elif asked.type == "truth":
            facts[name] = typed == "yes"
        else:
            facts[name] = typed
    return facts, wrong
