"""An item's own condition, such as "15 m³以上": checked when published, evaluated on declared facts.

The only home of CEL. What a condition may say stands in :mod:`registry.condition_text`. Anything but a
plain true refuses: a missing field, a wrong type, too many digits, an error inside CEL.
"""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Annotated, Any, Literal, get_args

from cel_expr_python import cel
from pydantic import BaseModel, ConfigDict, StringConstraints, field_validator

from policies.facts import ConditionFacts, Value
from registry.condition_text import (
    FRACTION_DIGITS,
    WHOLE_DIGITS,
    ConditionError,
    fold,
    refuse_at,
    refuse_where,
    rewrite,
    scaled,
)
from registry.fields import Name

FieldType = Literal["text", "truth", "integer", "decimal"]
FIELD_TYPES: tuple[FieldType, ...] = get_args(FieldType)

_CEL_TYPES = {
    "text": cel.Type.STRING,
    "truth": cel.Type.BOOL,
    "integer": cel.Type.INT,
    "decimal": cel.Type.UINT,
}
_PLACE = re.compile(r"<input>:(\d+):(\d+): ([^\n]*)")
_NAME = re.compile(r"[a-z][a-z0-9_]{0,63}")
_RESERVED = frozenset(  # words of CEL, and of conditions
    {
        "in",
        "true",
        "false",
        "null",
        "decimal",
        "as",
        "break",
        "const",
        "continue",
        "else",
        "for",
        "function",
        "if",
        "import",
        "let",
        "loop",
        "package",
        "namespace",
        "return",
        "var",
        "void",
        "while",
    }
)
_LARGEST = 2**53 - 1  # whole numbers of the canonical JSON
_LONGEST_TEXT = 200


class ConditionField(BaseModel):
    """One fact that a condition asks for: ``volume_m3:decimal:m³:采伐蓄积`` in a catalogue row."""

    model_config = ConfigDict(strict=True, frozen=True, extra="forbid")

    name: str
    type: FieldType
    unit: Annotated[str, StringConstraints(max_length=20, pattern=r"^[^:;\s]*$")]
    label: Annotated[Name, StringConstraints(pattern=r"^[^:;]+$")]

    @field_validator("name")
    @classmethod
    def _plain_name(cls, name: str) -> str:
        if not _NAME.fullmatch(name) or name in _RESERVED:
            raise ValueError(
                f"字段名“{name}”应为小写字母、数字、下划线且非保留字 / "
                f"field name {name!r}: expected lower-case letters, digits, underscores, not a reserved word"
            )
        return name


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """A condition that passed its checks: it can only answer true, false or an error."""

    text: str
    fields: tuple[ConditionField, ...]
    expression: Any  # cel.Expression; the library ships no type marker


@dataclass(frozen=True, slots=True, kw_only=True)
class _Refusal:
    zh: str
    en: str


def compile_condition(text: str, fields: Sequence[ConditionField]) -> Condition:
    """Check a condition against its fields and make it ready to evaluate.

    Raises :class:`ConditionError` with line and column: a word that is not allowed, a name that is not
    declared, types that do not fit, a result that is not a truth value, a declared field left unused.
    """
    return _compile(text, tuple(fields))


@lru_cache(maxsize=512)
def _compile(text: str, fields: tuple[ConditionField, ...]) -> Condition:
    names = [field.name for field in fields]
    if not names:
        raise refuse_at(text, 0, "条件没有声明字段", "the condition declares no field")
    if len(set(names)) != len(names):
        raise refuse_at(text, 0, f"字段重复：{', '.join(names)}", f"a field is declared twice: {', '.join(names)}")
    rewritten, used = rewrite(text, names)
    expression = _checked(rewritten, {field.name: _CEL_TYPES[field.type] for field in fields})
    unused = ", ".join(name for name in names if name not in used)
    if unused:
        raise refuse_at(text, 0, f"字段未在条件中使用：{unused}", f"declared but not used: {unused}")
    return Condition(text=text, fields=fields, expression=expression)


def _checked(rewritten: str, variables: Mapping[str, cel.Type]) -> Any:  # noqa: ANN401  cel.Expression has no marker
    try:
        # By keyword only: a wrong positional argument to NewEnv ends the process.
        expression = cel.NewEnv(variables=dict(variables)).compile(rewritten)
    except RuntimeError as error:
        raise _explained(str(error)) from error
    if expression.return_type() != cel.Type.BOOL:
        found = expression.return_type().name()
        raise refuse_where(1, 1, f"条件的结果应为真假值，现为{found}", f"the result is {found}, expected a truth value")
    return expression


def _explained(message: str) -> ConditionError:
    place = _PLACE.search(message)
    line, column, said = (int(place[1]), int(place[2]), place[3]) if place else (1, 1, message.partition("\n")[0])
    plain = re.sub(r"\buint\b", "decimal", said)
    if "decimal" in plain and "overload" in plain:
        return refuse_where(
            line,
            column,
            f'小数字段只能与 decimal("15") 这样的小数比较（{plain}）',
            f'a decimal field is compared with decimal("15") only ({plain})',
        )
    return refuse_where(line, column, f"条件有误（{plain}）", plain)


def evaluate(condition: Condition, declared: Mapping[str, Value]) -> ConditionFacts:
    """Evaluate a condition on declared facts. Never raises; without a clean answer the outcome is None.

    Facts that the condition does not ask for are not looked at.
    """
    bound: dict[str, str | bool | int] = {}
    refusals: list[_Refusal] = []
    for field in condition.fields:
        value = _bind(field, declared)
        if isinstance(value, _Refusal):
            refusals.append(value)
        else:
            bound[field.name] = value
    if refusals:
        error = f"{'；'.join(each.zh for each in refusals)} / {'; '.join(each.en for each in refusals)}"
        return ConditionFacts(expression=condition.text, outcome=None, error=error)
    return _answer(condition, bound)


def _answer(condition: Condition, bound: dict[str, str | bool | int]) -> ConditionFacts:
    try:
        result = condition.expression.eval(data=bound)
    except RuntimeError as error:
        return _no_answer(condition, str(error))
    if result.type() != cel.Type.BOOL:
        return _no_answer(condition, str(result.value()))
    return ConditionFacts(expression=condition.text, outcome=result.value() is True, error=None)


def _no_answer(condition: Condition, reason: str) -> ConditionFacts:
    return ConditionFacts(
        expression=condition.text,
        outcome=None,
        error=f"条件无法得出结果：{reason} / the condition gave no answer: {reason}",
    )


def _bind(field: ConditionField, declared: Mapping[str, Value]) -> str | bool | int | _Refusal:
    if field.name not in declared:
        return _Refusal(
            zh=f"缺少“{field.label}”（{field.name}）",
            en=f"missing {field.name} ({field.type}, {field.label})",
        )
    value = declared[field.name]
    if field.type == "truth":
        return value if isinstance(value, bool) else _wrong(field, value, "true 或 false", "true or false")
    if field.type == "integer":
        return _bind_integer(field, value)
    if field.type == "decimal":
        return _bind_decimal(field, value)
    return _bind_text(field, value)


def _bind_integer(field: ConditionField, value: Value) -> int | _Refusal:
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) <= _LARGEST:
        return value
    return _wrong(field, value, "小于2的53次方的整数", "a whole number below 2^53")


def _bind_decimal(field: ConditionField, value: Value) -> int | _Refusal:
    number = scaled(value) if isinstance(value, str) else None
    if number is not None:
        return number
    return _wrong(
        field,
        value,
        f'文字形式的小数，至多{WHOLE_DIGITS}位整数、{FRACTION_DIGITS}位小数，不带符号，例如"22.5"',
        f"a decimal as text, at most {WHOLE_DIGITS} whole and {FRACTION_DIGITS} further digits, unsigned, "
        f'such as "22.5"',
    )


def _bind_text(field: ConditionField, value: Value) -> str | _Refusal:
    if isinstance(value, str):
        folded = fold(value)
        printable = not any(unicodedata.category(letter).startswith("C") for letter in folded)
        if folded and printable and len(folded) <= _LONGEST_TEXT:
            return folded
    return _wrong(
        field,
        value,
        f"1至{_LONGEST_TEXT}字的文字，不含控制字符",
        f"text of 1 to {_LONGEST_TEXT} characters without control characters",
    )


def _wrong(field: ConditionField, value: object, zh: str, en: str) -> _Refusal:
    found = repr(value)[:60]
    return _Refusal(
        zh=f"“{field.label}”（{field.name}）为{found}，应为{zh}", en=f"{field.name} is {found}, expected {en}"
    )
