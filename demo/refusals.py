"""Every refusal that the rules demand, brought about on purpose; each names the rule it must fail."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from demo.approval_system import Answer, ApprovalSystem, Case, renumbered
from demo.cases import felling_case, hygiene_case
from demo.documents import felling_licence, gas_decision, hygiene_decision, plain_decision
from demo.registration import Clients
from demo.typesetting import Paper, typeset


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """A seal use that was refused, or should have been."""

    name: str
    rule: str
    answer: Answer

    @property
    def as_expected(self) -> bool:
        """Nothing was sealed, and the rule is among those named."""
        return self.answer.impression is None and self.rule in self.answer.findings


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """What the refusals act on. ``used`` is a case whose decision was sealed before."""

    system: ApprovalSystem
    clients: Clients
    used: Case


def refusals(stage: Stage) -> Iterator[Refusal]:
    """All of them, one after the other; the seal that is suspended is in use again afterwards."""
    for name, rule, attempt in _ATTEMPTS:
        yield Refusal(name=name, rule=rule, answer=attempt(stage))


def resume(stage: Stage, name: str) -> None:
    """Put the seal of an agreement in use again."""
    _change(stage, name, "resume", "查明情况，恢复使用")


def _use(stage: Stage, case: Case, paper: Paper) -> Answer:
    """An honest use as far as the approval goes; something else is wrong with it."""
    content = typeset(paper)
    approval = stage.system.approve(case, [(paper, content)])
    return stage.system.ask(stage.system.order(case, paper), content, approval)


def _new_gas_licence(stage: Stage) -> Answer:
    case = stage.system.case("city", ("001-3", 38), word="赣市审燃")
    return _use(stage, case, gas_decision(case.particulars, change=False))


def _item_not_agreed(stage: Stage) -> Answer:
    case = stage.system.case("city", ("001-2", 25), word="赣市审林")
    return _use(stage, case, plain_decision(case.particulars, "省重点保护陆生野生动物人工繁育许可证核发"))


def _wrong_bureau(stage: Stage) -> Answer:
    case = stage.system.case("town", ("002-2", 26), word="兴审农")
    return _use(stage, case, plain_decision(case.particulars, "农机购置补贴"))


def _caller_from_elsewhere(stage: Stage) -> Answer:
    case = hygiene_case(stage.system)
    paper = hygiene_decision(case.particulars)
    content = typeset(paper)
    approval = stage.system.approve(case, [(paper, content)])
    order = stage.system.order(case, paper)
    return stage.system.ask(order, content, approval, client=stage.clients.elsewhere)


def _no_approval(stage: Stage) -> Answer:
    case = hygiene_case(stage.system)
    paper = hygiene_decision(case.particulars)
    return stage.system.ask(stage.system.order(case, paper), typeset(paper), None)


def _approved_by_the_applicant(stage: Stage) -> Answer:
    case = hygiene_case(stage.system)
    paper = hygiene_decision(case.particulars)
    content = typeset(paper)
    applicant = stage.system.registered.staff[case.grant.grantee.code].principal_as_user
    approval = stage.system.approve(case, [(paper, content)], applicant=applicant)
    return stage.system.ask(stage.system.order(case, paper, applicant=applicant), content, approval)


def _changed_after_approval(stage: Stage) -> Answer:
    case = hygiene_case(stage.system)
    paper = hygiene_decision(case.particulars)
    approval = stage.system.approve(case, [(paper, typeset(paper))])
    opening = [each.replace("48平方米", "480平方米") for each in paper.data["opening"]]
    changed = replace(paper, data=paper.data | {"opening": opening})
    return stage.system.ask(stage.system.order(case, changed), typeset(changed), approval)


def _number_used_before(stage: Stage) -> Answer:
    number = stage.used.particulars.document_number.replace("〔", "[").replace("〕", "]")
    case = renumbered(hygiene_case(stage.system), number)
    return _use(stage, case, hygiene_decision(case.particulars))


def _in_the_grantees_name(stage: Stage) -> Answer:
    case = hygiene_case(stage.system)
    return _use(stage, case, hygiene_decision(case.particulars, issuer=case.grant.grantee.name))


def _small_timber(stage: Stage) -> Answer:
    case = felling_case(stage.system, "14.9")
    return _use(stage, case, felling_licence(case.particulars, "14.9"))


def _another_items_document(stage: Stage) -> Answer:
    case = hygiene_case(stage.system)
    return _use(stage, case, hygiene_decision(case.particulars, item="食品经营许可"))


def _suspended_seal(stage: Stage) -> Answer:
    _change(stage, "town", "suspend", "发现异常，停用待查")
    case = hygiene_case(stage.system)
    return _use(stage, case, hygiene_decision(case.particulars))


def _agreement_over(stage: Stage) -> Answer:
    left = (stage.system.registered.ends["short"] - datetime.now(UTC)).total_seconds()
    time.sleep(max(0.0, left))
    case = felling_case(stage.system, "22.5", "short")
    return _use(stage, case, felling_licence(case.particulars, "22.5"))


def _change(stage: Stage, name: str, change: str, reason: str) -> None:
    seal = stage.system.registered.seals[name]
    stage.clients.grantors.post(f"/v1/seals/{seal}/state", {"change": change, "reason": reason})


_ATTEMPTS: tuple[tuple[str, str, Callable[[Stage], Answer]], ...] = (
    ("燃气经营许可证新办（附件3 第38项，窗口受理）", "item_delegable", _new_gas_licence),
    ("协议未列的事项（附件2 第25项）", "item_listed", _item_not_agreed),
    ("号码对、单位不对：行政审批局（35）用于农机购置补贴", "item_implementer", _wrong_bureau),
    ("外县审批系统来盖章", "caller_for_grantee", _caller_from_elsewhere),
    ("没有负责人批准", "principal_approved", _no_approval),
    ("申请人自己批准", "two_persons", _approved_by_the_applicant),
    ("批准后文书被改动（48→480平方米）", "principal_approved", _changed_after_approval),
    ("文书编号已用过（换了括号）", "numbers_given", _number_used_before),
    ("以承接单位自己的名义发文", "in_grantors_name", _in_the_grantees_name),
    ("采伐蓄积 14.9 立方米", "item_condition", _small_timber),
    ("文书不是所报事项的（食品经营许可）", "document_states_facts", _another_items_document),
    ("印章已停用", "seal_active", _suspended_seal),
    ("协议已到期", "agreement_in_force", _agreement_over),
)
