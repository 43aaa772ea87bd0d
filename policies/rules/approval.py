"""Rules about the principal's approval (主要负责人签字同意)."""

import json
from collections.abc import Iterable, Iterator

from policies.facts import (
    AgreementFacts,
    ApprovalFacts,
    DocumentFacts,
    Facts,
    ManifestLine,
    RequestFacts,
    SealFacts,
    Value,
)
from policies.folding import fold
from policies.roles import principal_roles
from policies.rules.clause import Outcome, Sentence, judged, missing, passed, refused, rule
from policies.words import item_en, moment


@rule("principal_approved", city_county="[000 二(二)]", county_township="[002 附件3 二.2]")
def principal_approved(facts: Facts) -> Outcome:
    """A principal of the grantee approved this very document, for this very use.

    The approver has the role both when the approval begins and now. The approval binds digest, kind,
    copy, numbers and placement of the document, and seal, agreement version, item, case, basis,
    predecessor, facts, ``final``, applicant and grantee.
    """
    approval, agreement, seal, document = facts.approval, facts.agreement, facts.seal, facts.document
    if approval is None or agreement is None or seal is None or document is None:
        return missing(facts, "approval", "agreement", "seal", "document")
    return judged(
        (
            *_evidence_problems(approval),
            *_principal_problems(facts, approval, agreement),
            *_other_use(facts.request, approval, agreement=agreement, seal=seal),
            *_other_document(facts.request, approval, document),
        ),
        zh=f"凭证 {approval.id} 表明承接单位负责人已同意本文书",
        en=f"approval {approval.id} shows that a principal of the grantee approved this document",
    )


def _evidence_problems(approval: ApprovalFacts) -> Iterator[Sentence]:
    if not approval.evidence_valid:
        yield Sentence(
            zh=f"审批凭证无效（{approval.evidence_error or '原因不明'}），应有已登记密钥的有效签名",
            en=f"the approval evidence is not valid ({approval.evidence_error or 'no reason given'}), "
            "expected a valid signature by a registered key",
        )


def _principal_problems(facts: Facts, approval: ApprovalFacts, agreement: AgreementFacts) -> Iterator[Sentence]:
    approver = approval.principal
    if approver is None:
        yield Sentence(
            zh="审批人不是登记人员，应为承接单位的主要负责人",
            en="the approver is not a registered person, expected a principal of the grantee",
        )
        return
    for time in dict.fromkeys((approval.not_before, facts.now)):
        if not principal_roles(approver, agreement.grantee, time, on_behalf_of=approval.on_behalf_of):
            yield Sentence(
                zh=f"{approver.id} 在 {moment(time)} 不是承接单位 {agreement.grantee} "
                "的主要负责人、主持工作的负责人，也没有当时任此职的所称被代理人的授权书",
                en=f"at {moment(time)} {approver.id} is not a principal or acting principal of "
                f"{agreement.grantee}, nor a deputy with a registered document of the person named, "
                "who led the organ then",
            )


def _facts_text(facts: dict[str, Value]) -> str:
    # As text, because 1 == True in Python, and an approval of the one is none of the other.
    return json.dumps(facts, ensure_ascii=False, sort_keys=True)


def _folded(number: str | None) -> str:
    return "（无）" if number is None else fold(number)


Compared = tuple[str, str, object, object]
"""A thing's name in Chinese and English, what the approval says of it, and what this use says."""


def _differences(compared: Iterable[Compared]) -> Iterator[Sentence]:
    for zh, en, found, expected in compared:
        if found != expected:
            yield Sentence(
                zh=f"审批凭证所写的{zh}为 {found}，本次用章为 {expected}",
                en=f"the {en} in the approval is {found}, expected {expected} as in this use",
            )


def _other_use(
    request: RequestFacts, approval: ApprovalFacts, *, agreement: AgreementFacts, seal: SealFacts
) -> Iterator[Sentence]:
    return _differences(
        (
            ("承接单位", "grantee", approval.grantee, agreement.grantee),
            ("申请人", "applicant", approval.applicant, request.applicant),
            ("印章", "seal", approval.seal, seal.id),
            ("协议", "agreement", approval.agreement, agreement.number),
            ("协议版本", "agreement version", approval.agreement_version, agreement.version),
            ("事项", "item", item_en(approval.item), item_en(request.item)),
            ("办件编号", "case number", _folded(approval.case_number), _folded(request.case_number)),
            ("申请类别", "basis", approval.basis, request.basis),
            ("前一证照编号", "predecessor", _folded(approval.predecessor), _folded(request.predecessor)),
            ("申报事实", "facts", _facts_text(approval.facts), _facts_text(request.facts)),
            ("终章标记", "final mark", approval.final, request.final),
        )
    )


def _other_document(request: RequestFacts, approval: ApprovalFacts, document: DocumentFacts) -> Iterator[Sentence]:
    lines = [line for line in approval.manifest if line.digest == document.digest]
    if not lines:
        yield Sentence(
            zh=f"文书摘要 {document.digest} 不在审批凭证所列的 {len(approval.manifest)} 份文书之内，"
            "应为审批时所读的那一份",
            en=f"the document's digest {document.digest} is not among the {len(approval.manifest)} that the "
            "approval lists, expected the very document that was approved",
        )
        return
    yield from min((tuple(_differences(_line(request, line))) for line in lines), key=len)


def _line(request: RequestFacts, line: ManifestLine) -> tuple[Compared, ...]:
    return (
        ("文书类型", "kind", line.kind, request.document_kind),
        ("正副本", "copy", line.copy, request.copy),
        ("审批文书编号", "document number", _folded(line.document_number), _folded(request.document_number)),
        ("证书编号", "licence number", _folded(line.licence_number), _folded(request.licence_number)),
        ("盖章位置", "placement", line.placement, request.placement),
    )


@rule("approval_fresh", city_county="inference", county_township="inference")
def approval_fresh(facts: Facts) -> Outcome:
    """The approval is inside its validity and no other application has used it.

    It begins at ``not_before`` and ends before the earlier of ``expires`` and ``fresh_until``.
    """
    approval = facts.approval
    if approval is None:
        return missing(facts, "approval")
    return judged(
        _why_not_fresh(facts, approval),
        zh=f"凭证 {approval.id} 在有效期内，未被其他申请使用",
        en=f"approval {approval.id} is inside its validity and not used by another application",
    )


def _why_not_fresh(facts: Facts, approval: ApprovalFacts) -> Iterator[Sentence]:
    end = min(approval.expires, approval.fresh_until)
    if not approval.not_before <= facts.now < end:
        yield Sentence(
            zh=f"审批凭证自 {moment(approval.not_before)} 至 {moment(end)}（不含）有效，现在是 {moment(facts.now)}",
            en=f"the approval is valid from {moment(approval.not_before)} until before {moment(end)}, "
            f"and now is {moment(facts.now)}",
        )
    if approval.used_by not in {None, facts.request.application}:
        yield Sentence(
            zh=f"凭证 {approval.id} 已被另一申请使用，一份凭证只用于一次申请",
            en=f"approval {approval.id} was used by another application, expected one application each",
        )


@rule(
    "approval_assurance",
    city_county="[电子签名法 13]; inference",
    county_township="[电子签名法 13]; inference",
)
def approval_assurance(facts: Facts) -> Outcome:
    """The evidence is as strong as the agreement asks; system_attested also stays within its daily cap.

    ``system_attested_today`` counts the other uses: this application's own live intent is left out.
    """
    approval, agreement = facts.approval, facts.agreement
    if approval is None or agreement is None:
        return missing(facts, "approval", "agreement")
    if approval.assurance == "person_signed":
        return passed("审批由本人签名", "the approval was signed by the person (person_signed)")
    if agreement.weakest_assurance != approval.assurance:
        return refused(
            f"审批仅有系统证明，协议要求本人签名（{agreement.weakest_assurance}）",
            f"the approval is {approval.assurance}, expected {agreement.weakest_assurance} by the agreement",
        )
    return _within_attested_cap(approval.system_attested_today, agreement.system_attested_daily_cap)


def _within_attested_cap(today: int, cap: int | None) -> Outcome:
    if cap is None:
        return refused(
            "协议未定系统证明的每日上限，应先约定",
            "the agreement sets no daily cap for system_attested approvals, expected one",
        )
    if today >= cap:
        return refused(
            f"今日系统证明的审批已有 {today} 次，每日上限为 {cap} 次",
            f"{today} system_attested approvals were used today, expected fewer than {cap}, the cap",
        )
    return passed(
        f"今日系统证明的审批 {today} 次，未达上限 {cap} 次",
        f"{today} system_attested approvals were used today, below the cap of {cap}",
    )
