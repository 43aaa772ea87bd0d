"""Rules about the document: that it can be sealed, whose it is, and what stands in it."""

import re
from collections.abc import Iterator

from policies.facts import DocumentFacts, Facts, ItemFacts, OrganFacts, RequestFacts, Statement
from policies.folding import fold
from policies.rules.clause import Outcome, Sentence, judged, missing, passed, refused, rule

_MARK = r"(?:\((?:盖章|公章|印章|签章|章)\))?"
_OFFICE = r"(?:发证|登记|审批|许可|核发|批准|备案|审核)(?:机关|单位|部门)"
ISSUER = re.compile(rf"(?:{_OFFICE}{_MARK}:)?(?P<name>.+?){_MARK}")
"""A folded 落款 line: the name, perhaps after “发证机关：” or beside “（盖章）”."""


@rule(
    "in_grantors_name",
    city_county="[行政许可法 24] [000 四.2]",
    county_township="[行政许可法 24] [002 附件3 四.2]",
)
def in_grantors_name(facts: Facts) -> Outcome:
    """The document is issued in the grantor's name (落款), never in the grantee's.

    The line over the date decides; only where there is none does the approver's confirmation count.
    """
    grantor, grantee, document = facts.grantor, facts.grantee, facts.document
    if grantor is None or grantee is None or document is None:
        return missing(facts, "grantor", "grantee", "document")
    if document.issuer_line is not None:
        return _issuer_line(document.issuer_line, grantor, grantee)
    if not document.issuer_confirmed:
        return refused(
            f"文书没有可读的落款，审批人也未确认落款为 {grantor.legal_name}",
            f"the document has no readable issuer line and the approver does not confirm it, "
            f"expected {grantor.legal_name}",
        )
    return passed(f"审批人确认落款为 {grantor.legal_name}", f"the approver confirms the issuer {grantor.legal_name}")


def _names(organ: OrganFacts) -> set[str]:
    return {fold(name) for name in (organ.legal_name, *organ.aliases)}


def _issuer_line(line: str, grantor: OrganFacts, grantee: OrganFacts) -> Outcome:
    match = ISSUER.fullmatch(fold(line))
    name = match["name"] if match else ""
    if name in _names(grantor) - _names(grantee):
        return passed(f"落款为 {line}", f"the document is issued by {line}")
    return refused(
        f"落款为 {line}，应为授权（委托）单位 {grantor.legal_name}，不得为承接单位",
        f"the document is issued by {line}, expected the grantor {grantor.legal_name} and never the grantee",
    )


@rule("document_states_facts", city_county="inference", county_township="inference")
def document_states_facts(facts: Facts) -> Outcome:
    """Item, numbers and each declared fact stand in the document, or the approval confirms each by name.

    Otherwise the name of a listed item would seal another item's licence.
    """
    document, item = facts.document, facts.item
    if document is None or item is None:
        return missing(facts, "document", "item")
    confirms = facts.approval.confirms if facts.approval else ()
    expected = _expected(facts.request, item)
    return judged(
        (
            sentence
            for name, values in expected.items()
            for sentence in _not_stated(name, values, statements=document.statements, confirms=confirms)
        ),
        zh=f"文书载明或经审批人确认：{'、'.join(expected)}",
        en=f"stated in the document or confirmed by the approver: {', '.join(expected)}",
    )


def _expected(request: RequestFacts, item: ItemFacts) -> dict[str, tuple[str, ...]]:
    """What must be stated: name → the folded values of which one will do; empty where any value will."""
    expected: dict[str, tuple[str, ...]] = {
        "item": tuple(fold(name) for name in (item.name, *item.aliases)),
        "document_number": (fold(request.document_number or ""),),
    }
    if request.licence_number is not None or request.document_kind in item.licence_kinds:
        expected["licence_number"] = (fold(request.licence_number or ""),)
    for name, value in request.facts.items():
        # A yes or no is worded by the document; who gathers the statements knows how.
        expected[f"facts.{name}"] = () if isinstance(value, bool) else (fold(str(value)),)
    return expected


def _not_stated(
    name: str,
    values: tuple[str, ...],
    *,
    statements: tuple[Statement, ...],
    confirms: tuple[str, ...],
) -> Iterator[Sentence]:
    about = [each for each in statements if each.name == name and _is_value(each.value, values)]
    if any(each.found or (each.confirmed and name in confirms) for each in about):
        return
    shown = "、".join(each.value for each in about) or "（未查）"
    yield Sentence(
        zh=f"文书中找不到 {name} {shown}，审批人也未确认",
        en=f"{name} {shown} was not found in the document and is not confirmed by the approver, "
        "expected one of the two",
    )


def _is_value(value: str, values: tuple[str, ...]) -> bool:
    folded = fold(value)
    return bool(folded) and (not values or folded in values)


@rule("document_sealable", city_county="[ISO 32000-2 12.8]", county_township="[ISO 32000-2 12.8]")
def document_sealable(facts: Facts) -> Outcome:
    """The PDF opens, has pages, cannot change its look later, and forbids no further signature."""
    document = facts.document
    if document is None:
        return missing(facts, "document")
    return judged(
        _why_not_sealable(document),
        zh=f"文书共 {document.pages} 页，可以盖章",
        en=f"the document has {document.pages} pages and can be sealed",
    )


def _why_not_sealable(document: DocumentFacts) -> Iterator[Sentence]:
    if document.pages < 1:
        yield Sentence(zh="文书没有页面，应至少一页", en="the document has no page, expected at least one")
    for each in document.objections:
        yield Sentence(zh=f"{each.zh}（{each.code}）", en=f"{each.en} ({each.code})")
