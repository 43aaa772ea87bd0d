"""Rules about the caller and the persons of a seal use."""

from collections.abc import Iterator

from policies.facts import AgreementFacts, Facts
from policies.roles import principal_roles, roles_at, seal_user_roles
from policies.rules.clause import Outcome, Sentence, judged, missing, passed, refused, rule


@rule("caller_for_grantee", city_county="[000 三(二)5]", county_township="[002 附件3 三(二)5]")
def caller_for_grantee(facts: Facts) -> Outcome:
    """The calling client may act for the grantee, and the request names that organ and a person.

    Handing the power on to anyone else is forbidden (严禁再行委托).
    """
    agreement = facts.agreement
    if agreement is None:
        return missing(facts, "agreement")
    return judged(
        _why_not_for_grantee(facts, agreement),
        zh=f"客户端 {facts.caller.client} 可代表承接单位 {agreement.grantee}",
        en=f"client {facts.caller.client} may act for the grantee {agreement.grantee}",
    )


def _why_not_for_grantee(facts: Facts, agreement: AgreementFacts) -> Iterator[Sentence]:
    caller, organ = facts.caller, facts.request.organ
    if agreement.grantee not in caller.organs:
        yield Sentence(
            zh=f"客户端 {caller.client} 可代表 {'、'.join(caller.organs) or '无单位'}，"
            f"应含承接单位 {agreement.grantee}",
            en=f"client {caller.client} may act for {', '.join(caller.organs) or 'no organ'}, "
            f"expected the grantee {agreement.grantee} among them",
        )
    if organ != agreement.grantee:
        yield Sentence(
            zh=f"申请单位为 {organ or '（未填）'}，应为承接单位 {agreement.grantee}",
            en=f"the request names organ {organ or '(none)'}, expected the grantee {agreement.grantee}",
        )
    if not facts.request.applicant:
        yield Sentence(zh="未填写用章申请人，应写明申请的人员", en="the request names no applicant, expected a person")


@rule("applicant_is_seal_user", city_county="[000 二(二)]", county_township="[002 附件3 二.2]")
def applicant_is_seal_user(facts: Facts) -> Outcome:
    """The applicant is now a designated seal user (用章人员) of the grantee."""
    applicant, agreement = facts.applicant, facts.agreement
    if applicant is None or agreement is None:
        return missing(facts, "applicant", "agreement")
    if applicant.id != facts.request.applicant:
        return refused(
            f"登记人员为 {applicant.id}，应为申请所写的 {facts.request.applicant or '（未填）'}",
            f"the person on record is {applicant.id}, "
            f"expected {facts.request.applicant or '(none)'} as the request names",
        )
    if not seal_user_roles(applicant, agreement.grantee, facts.now):
        return refused(
            f"{applicant.id} 现在不是承接单位 {agreement.grantee} 的用章人员",
            f"{applicant.id} is not now a seal user of the grantee {agreement.grantee}, expected to be one",
        )
    return passed(
        f"{applicant.id} 是承接单位 {agreement.grantee} 的用章人员",
        f"{applicant.id} is a seal user of the grantee {agreement.grantee}",
    )


@rule("custodian_named", city_county="[000 二(三)]", county_township="[002 附件3 二.3]")
def custodian_named(facts: Facts) -> Outcome:
    """The seal has a custodian, and this person now keeps seals at the grantee (指定专人负责保管)."""
    seal, agreement = facts.seal, facts.agreement
    if seal is None or agreement is None:
        return missing(facts, "seal", "agreement")
    if seal.custodian is None:
        return refused(
            f"印章 {seal.name} 没有保管人，应指定专人保管",
            f"seal {seal.name} has no custodian, expected a named person",
        )
    roles = roles_at(seal.custodian, agreement.grantee, facts.now)
    if not any(role.role == "custodian" for role in roles):
        return refused(
            f"保管人 {seal.custodian.id} 现在不是承接单位 {agreement.grantee} 的保管人",
            f"the custodian {seal.custodian.id} is not now a custodian at the grantee {agreement.grantee}, "
            "expected to be one",
        )
    return passed(
        f"印章由承接单位的 {seal.custodian.id} 保管",
        f"the seal is kept by {seal.custodian.id} of the grantee",
    )


@rule(
    "two_persons",
    city_county="inference from [000 二(二)]",
    county_township="inference from [002 附件3 二.2]",
)
def two_persons(facts: Facts) -> Outcome:
    """Approver and applicant are different natural persons, also those whom either acts for."""
    applicant, approval, agreement = facts.applicant, facts.approval, facts.agreement
    if applicant is None or approval is None or agreement is None:
        return missing(facts, "applicant", "approval", "agreement")
    approver, on_behalf_of = approval.principal, approval.on_behalf_of
    if approver is None:
        return refused(
            "审批人不是登记人员，无法与申请人比对",
            "the approver is not a registered person, expected one to compare with the applicant",
        )
    asking_roles = seal_user_roles(applicant, agreement.grantee, facts.now)
    approving_roles = principal_roles(approver, agreement.grantee, facts.now, on_behalf_of=on_behalf_of)
    asking = {applicant.natural_person, *(role.on_behalf_of for role in asking_roles)}
    approving = {approver.natural_person, on_behalf_of, *(role.on_behalf_of for role in approving_roles)}
    if (asking & approving) - {None}:
        return refused(
            f"申请人 {applicant.id} 与审批人 {approver.id} 是同一人或代表同一人，应为不同的人",
            f"applicant {applicant.id} and approver {approver.id} are, or act for, one person, "
            "expected different persons",
        )
    return passed(
        f"申请人 {applicant.id} 与审批人 {approver.id} 是不同的人",
        f"applicant {applicant.id} and approver {approver.id} are different persons",
    )
