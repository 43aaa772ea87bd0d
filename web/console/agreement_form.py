"""The form of an agreement's terms, part by part as [000 二(一)] names them; each mistake beside its field."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Any, Final, TypeVar

from ledger.moments import to_text
from registry.agreement_terms import AgreementTerms, AgreementTermsError, read_terms
from registry.china_time import BEIJING

SEPARATOR: Final = "｜"
"""Between the parts of one line."""
LINES: Final = ("grantor_rights", "grantor_duties", "grantee_rights", "grantee_duties")
FIELDS: Final = (
    "original",
    "number",
    "regime",
    "relation",
    "grantor",
    "grantee",
    "legal_basis",
    "scope",
    "items",
    "authority",
    "valid_from",
    "valid_until",
    *LINES,
    "liability",
    "grantor_signatory",
    "grantee_signatory",
    "announcement",
    "weakest_assurance",
    "system_attested_daily_cap",
    "filing_required",
    "approval_working_days",
    "issuer_required",
)
_WHERE: Final[Mapping[str, str]] = {
    "period": "valid_from",
    "signatories": "grantor_signatory",
    "users": "grantee",
    "terms": "number",
}
"""Where a part of the terms has another name in the form."""
Pair = tuple[str, str]
T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class TypedTerms:
    """What the form says: the terms as restricted JSON, or what is wrong by field as (Chinese, English)."""

    terms: Mapping[str, Any] = field(default_factory=dict)
    wrong: Mapping[str, Pair] = field(default_factory=dict)


def read_form(fields: Mapping[str, str]) -> TypedTerms:
    """Judge what was typed. Nothing is guessed: a part that is missing is named."""
    wrong: dict[str, Pair] = {}
    terms = {
        "v": 1,
        **{name: fields.get(name, "") for name in ("number", "regime", "relation", "grantor", "grantee", "scope")},
        **{name: fields.get(name, "") for name in ("authority", "liability", "announcement", "weakest_assurance")},
        **{name: _lines(fields.get(name, "")) for name in LINES},
        "users": [fields.get("grantee", "")],
        "legal_basis": [_basis(line) for line in _lines(fields.get("legal_basis", ""))],
        "items": _each(fields, "items", wrong),
        "period": _period(fields, wrong),
        "signatories": {side: _signatory(fields, f"{side}_signatory", wrong) for side in ("grantor", "grantee")},
        "system_attested_daily_cap": _number(fields, "system_attested_daily_cap", wrong),
        "filing_required": fields.get("filing_required") == "yes",
        "approval_working_days": _number(fields, "approval_working_days", wrong),
        "issuer_required": fields.get("issuer_required", ""),
    }
    if not fields.get("original"):
        wrong["original"] = ("请先上传协议原件", "upload the signed original first")
    wrong = {name: pair for name in FIELDS if (pair := wrong.get(name)) is not None}
    return TypedTerms(wrong=wrong) if wrong else _judged(terms)


def typed_of(terms: AgreementTerms) -> dict[str, str]:
    """The fields as they would have been typed for ``terms``: where an amendment begins."""
    plain = terms.model_dump(mode="json")
    last = terms.period.valid_until - timedelta(microseconds=1)
    return {
        **{name: str(plain[name]) for name in ("number", "regime", "relation", "grantor", "grantee", "scope")},
        **{name: str(plain[name]) for name in ("authority", "liability", "announcement", "weakest_assurance")},
        **{name: "\n".join(plain[name]) for name in LINES},
        "legal_basis": "\n".join(
            SEPARATOR.join(filter(None, (each.title, each.document_number, each.clause))) for each in terms.legal_basis
        ),
        "items": "\n".join(f"{each.list} {each.number}" for each in terms.items),
        "valid_from": terms.period.valid_from.astimezone(BEIJING).date().isoformat(),
        "valid_until": last.astimezone(BEIJING).date().isoformat(),
        **{
            f"{side}_signatory": SEPARATOR.join((each.name, each.office))
            for side, each in (("grantor", terms.signatories.grantor), ("grantee", terms.signatories.grantee))
        },
        "system_attested_daily_cap": str(terms.system_attested_daily_cap or ""),
        "filing_required": "yes" if terms.filing_required else "no",
        "approval_working_days": str(terms.approval_working_days),
        "issuer_required": terms.issuer_required,
    }


def _judged(terms: Mapping[str, Any]) -> TypedTerms:
    try:
        read_terms(terms)
    except AgreementTermsError as error:
        where = dict.fromkeys(_WHERE.get(part, part) for part in error.parts)
        return TypedTerms(wrong=dict.fromkeys(where, (error.zh, error.en)))
    return TypedTerms(terms=terms)


def _lines(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines() if line.strip()]


def _basis(line: str) -> dict[str, str | None]:
    title, number, clause = (*(part.strip() for part in line.split(SEPARATOR, 2)), "", "")[:3]
    return {"title": title, "document_number": number or None, "clause": clause or None}


def _each(fields: Mapping[str, str], name: str, wrong: dict[str, Pair]) -> list[dict[str, Any]]:
    found = []
    for line in _lines(fields.get(name, "")):
        catalogue, _, number = line.rpartition(" ")
        if not catalogue.strip() or not (number.isascii() and number.isdecimal()):
            wrong[name] = (
                f"“{line[:40]}”应为清单和序号，例如 001-2 30",
                f"“{line[:40]}” should be list and number, as 001-2 30",
            )
        else:
            found.append({"list": catalogue.strip(), "number": int(number)})
    return found


def _period(fields: Mapping[str, str], wrong: dict[str, Pair]) -> dict[str, str]:
    first, last = (_day(fields, name, wrong) for name in ("valid_from", "valid_until"))
    if first is None or last is None:
        return {}
    if last < first:
        wrong["valid_until"] = ("期限止不能早于期限起", "the last day cannot be before the first")
    return {"valid_from": _midnight(first), "valid_until": _midnight(last + timedelta(days=1))}


def _day(fields: Mapping[str, str], name: str, wrong: dict[str, Pair]) -> date | None:
    return _parsed(
        fields,
        name,
        date.fromisoformat,
        wrong=wrong,
        expected=("应为日期，例如 2026-12-31", "a day as 2026-12-31 is expected"),
    )


def _number(fields: Mapping[str, str], name: str, wrong: dict[str, Pair]) -> int | None:
    if not fields.get(name):
        return None
    return _parsed(fields, name, _whole, wrong=wrong, expected=("应为整数", "a whole number is expected"))


def _whole(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and len(text) < 10):  # noqa: PLR2004  far above any cap
        raise ValueError(text)
    return int(text)


def _parsed(
    fields: Mapping[str, str], name: str, parse: Callable[[str], T], *, wrong: dict[str, Pair], expected: Pair
) -> T | None:
    try:
        return parse(fields.get(name, ""))
    except ValueError:
        wrong[name] = expected
        return None


def _midnight(day: date) -> str:
    return to_text(datetime.combine(day, time(), BEIJING))


def _signatory(fields: Mapping[str, str], name: str, wrong: dict[str, Pair]) -> dict[str, str]:
    person, _, office = fields.get(name, "").partition(SEPARATOR)
    if not person.strip() or not office.strip():
        wrong[name] = (f"应为姓名{SEPARATOR}职务", f"name{SEPARATOR}office is expected")
    return {"name": person.strip(), "office": office.strip()}
