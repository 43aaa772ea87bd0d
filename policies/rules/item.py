"""Rules about the item: an item is identified by list and number, never by name."""

from collections.abc import Iterator

from policies.facts import DelegationMode, Facts, ItemFacts, RequestFacts
from policies.rules.clause import Outcome, Sentence, judged, missing, passed, refused, rule
from policies.words import item_en, item_zh, word

SEALING_MODES: dict[str, DelegationMode] = {
    "city_county": "substantive_review",
    "county_township": "no2_seal",
}
"""The one mode under either regime that may carry a No. 2 seal [000 一(三)] [002 附件3 一.3]."""


@rule(
    "item_listed",
    city_county="[000 一(三)] [000 二(三)]",
    county_township="[002 附件3 一.3] [002 附件3 二.3]",
)
def item_listed(facts: Facts) -> Outcome:
    """The agreement names the item asked for (适用事项)."""
    agreement, key = facts.agreement, facts.request.item
    if agreement is None:
        return missing(facts, "agreement")
    if key not in agreement.items:
        return refused(
            f"事项 {item_zh(key)} 不在协议 {agreement.number} 的 {len(agreement.items)} 个适用事项之内",
            f"item {item_en(key)} is not among the {len(agreement.items)} items of agreement "
            f"{agreement.number}, expected one of them",
        )
    return passed(
        f"事项 {item_zh(key)} 是协议 {agreement.number} 的适用事项",
        f"item {item_en(key)} is on the list of agreement {agreement.number}",
    )


@rule("item_delegable", city_county="[000 一(三)]", county_township="[002 附件3 一.3]")
def item_delegable(facts: Facts) -> Outcome:
    """The catalogue now gives the item the mode that carries the seal, and this kind of document."""
    item, agreement = facts.item, facts.agreement
    if item is None or agreement is None:
        return missing(facts, "item", "agreement")
    return judged(
        _why_not_delegable(item, facts.request, SEALING_MODES.get(agreement.regime)),
        zh=f"{item.name} 的办理方式为{word(item.mode)}，可出具{word(facts.request.document_kind)}",
        en=f"{item.name} is delegated as {item.mode} and has documents of kind {facts.request.document_kind}",
    )


def _why_not_delegable(item: ItemFacts, request: RequestFacts, mode: str | None) -> Iterator[Sentence]:
    if item.key != request.item:
        yield Sentence(
            zh=f"目录给出的是 {item_zh(item.key)}，应为申请的 {item_zh(request.item)}",
            en=f"the catalogue row is {item_en(item.key)}, expected {item_en(request.item)} as asked for",
        )
    if item.mode != mode:
        yield Sentence(
            zh=f"{item.name} 的办理方式为{word(item.mode)}，只有{word(str(mode))}事项可用“2号章”",
            en=f"{item.name} is delegated as {item.mode}, expected {mode}, the only mode that may carry the No. 2 seal",
        )
    if request.document_kind not in item.document_kinds:
        zh = "、".join(word(each) for each in item.document_kinds)
        yield Sentence(
            zh=f"文书类型为{word(request.document_kind)}，该事项可用的类型是：{zh}",
            en=f"the document is a {request.document_kind}, expected one of {', '.join(item.document_kinds)}",
        )


@rule("item_implementer", city_county="[001 附件2]", county_township="[002 附件2]")
def item_implementer(facts: Facts) -> Outcome:
    """The item's implementing organ (市级实施单位 or 授权委托部门) is the agreement's grantor."""
    item, agreement = facts.item, facts.agreement
    if item is None or agreement is None:
        return missing(facts, "item", "agreement")
    if item.implementing_organ is None:
        return refused(
            f"{item.name} 在目录中的实施单位没有对应的登记单位，应为 {agreement.grantor}",
            f"no registered organ is known as the implementing organ of {item.name}, expected {agreement.grantor}",
        )
    if item.implementing_organ != agreement.grantor:
        return refused(
            f"{item.name} 的实施单位为 {item.implementing_organ}，应为协议的授权（委托）单位 {agreement.grantor}",
            f"{item.name} is implemented by {item.implementing_organ}, "
            f"expected the agreement's grantor {agreement.grantor}",
        )
    return passed(
        f"{item.name} 的实施单位就是授权（委托）单位 {agreement.grantor}",
        f"{item.name} is implemented by the grantor {agreement.grantor}",
    )


@rule("item_region", city_county="[001 附件2]", county_township="[002 附件2 no. 12]")
def item_region(facts: Facts) -> Outcome:
    """The item is open to the grantee's region now (no. 12 of [002 附件2] began in 8 pilot townships)."""
    item, grantee = facts.item, facts.grantee
    if item is None or grantee is None:
        return missing(facts, "item", "grantee")
    if item.regions is not None and grantee.region not in item.regions:
        open_to = "、".join(item.regions) or "无"
        return refused(
            f"{item.name} 现在只在这些地区开办：{open_to}；承接单位的地区是 {grantee.region}",
            f"{item.name} is now open to {', '.join(item.regions) or 'no region'}, "
            f"and the grantee's region is {grantee.region}",
        )
    return passed(
        f"{item.name} 现在对地区 {grantee.region} 开办", f"{item.name} is now open to region {grantee.region}"
    )


@rule("item_condition", city_county="[001 附件2]", county_township="[002 附件2]")
def item_condition(facts: Facts) -> Outcome:
    """The item's own condition holds for the declared facts, and the item is open to this basis."""
    item = facts.item
    if item is None:
        return missing(facts, "item")
    return judged(
        (*_basis_not_open(item, facts.request), *_condition_not_met(item)),
        zh=f"{item.name} 的办理条件成立",
        en=f"the conditions of {item.name} hold",
    )


def _basis_not_open(item: ItemFacts, request: RequestFacts) -> Iterator[Sentence]:
    if item.bases is not None and request.basis not in item.bases:
        zh = "、".join(word(each) for each in item.bases) or "无"
        yield Sentence(
            zh=f"申请类别为{word(request.basis)}，该事项只办理：{zh}",
            en=f"the basis is {request.basis}, expected one of: {', '.join(item.bases) or 'none'}",
        )


def _condition_not_met(item: ItemFacts) -> Iterator[Sentence]:
    condition = item.condition
    if condition is None or (condition.outcome is True and condition.error is None):
        return
    if condition.error is not None or condition.outcome is None:
        yield Sentence(
            zh=f"条件 {condition.expression} 无法得出结果（{condition.error or '无结果'}），应为成立",
            en=f"condition {condition.expression} could not be evaluated "
            f"({condition.error or 'no outcome'}), expected true",
        )
        return
    yield Sentence(
        zh=f"申报的事实不满足条件 {condition.expression}",
        en=f"the declared facts do not meet the condition {condition.expression}, expected true",
    )
