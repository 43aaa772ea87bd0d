"""The rule about numbers: 审批文书编号, 证书编号, 办件编号."""

from collections.abc import Iterator

from policies.facts import Facts, ItemFacts, NumberConflict, RequestFacts
from policies.folding import LONGEST_NUMBER, find_lookalike, fold, malformed_number
from policies.rules.clause import Outcome, Sentence, judged, missing, rule

NAMES = {
    "document_number": ("审批文书编号", "document number"),
    "licence_number": ("证书编号", "licence number"),
    "case_number": ("办件编号", "case number"),
    "predecessor": ("前一证照编号", "predecessor's number"),
}
UNIQUE = ("document_number", "licence_number")
"""The numbers that must be whole as printed, because they are compared with those in use."""


@rule("numbers_given", city_county="[000 二(三)]", county_township="[002 附件3 二.3]")
def numbers_given(facts: Facts) -> Outcome:
    """The numbers that the register asks for are given, read as what they are, and are not in use.

    The conflicts are found before: compared without punctuation, a number against each that may be read off
    the same print, within grantor, agreement lineage, kind and copy; a licence number may recur in its own
    case and in a later basis that names its predecessor.
    """
    item, conflicts, request = facts.item, facts.number_conflicts, facts.request
    if item is None or conflicts is None:
        return missing(facts, "item", "number_conflicts")
    return judged(
        (*_absent(request, item), *_malformed(request), *_in_use(conflicts)),
        zh=f"审批文书编号为 {request.document_number}，所需编号齐全且未被使用",
        en=f"the document number is {request.document_number}; the numbers needed are given and not in use",
    )


def _given(request: RequestFacts) -> dict[str, str]:
    numbers = {name: getattr(request, name) for name in NAMES}
    return {name: number for name, number in numbers.items() if number is not None}


def _absent(request: RequestFacts, item: ItemFacts) -> Iterator[Sentence]:
    needed = ["document_number", "case_number"]
    if request.document_kind in item.licence_kinds:
        needed.append("licence_number")
    given = _given(request)
    for name in needed:
        if not fold(given.get(name, "")):
            zh, en = NAMES[name]
            yield Sentence(zh=f"未填写{zh}，应填写", en=f"no {en} is given, expected one")


def _malformed(request: RequestFacts) -> Iterator[Sentence]:
    for name, number in _given(request).items():
        zh, en = NAMES[name]
        length = max(len(number), len(fold(number)))
        if length > LONGEST_NUMBER:
            yield Sentence(
                zh=f"{zh}有 {length} 个字符，最多 {LONGEST_NUMBER} 个",
                en=f"the {en} has {length} characters, expected at most {LONGEST_NUMBER}",
            )
            continue
        wrong = find_lookalike(number)
        if wrong is None and name in UNIQUE and fold(number):
            wrong = malformed_number(number)
        if wrong:
            yield Sentence(zh=f"{zh}{wrong.zh}", en=f"the {en} {wrong.en}")


def _in_use(conflicts: tuple[NumberConflict, ...]) -> Iterator[Sentence]:
    for conflict in conflicts:
        zh, en = NAMES[conflict.name]
        yield Sentence(
            zh=f"{zh} {conflict.value} 已用于 {conflict.used_by}，应未被使用",
            en=f"the {en} {conflict.value} is in use by {conflict.used_by}, expected one not in use",
        )
