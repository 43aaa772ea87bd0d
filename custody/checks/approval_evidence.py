"""The approval behind a seal use, checked with a key that this process has pinned itself."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from custody.checks.pinned_keys import PinnedKeys
from custody.checks.refusal import refuse, refuse_unless
from custody.checks.shown_entry import ShownEntry, log_identity
from custody.requests import CheckState, UseRequest
from registry.approval import ApprovalEvidenceError, ApprovalStatement, read_statement


def check_approval(request: UseRequest, state: CheckState, intent: ShownEntry, now: datetime) -> str:
    """The id of the approval that ``intent`` rests on. Refuses one that is not for exactly this use."""
    jws = intent.group("approval").get("jws")
    refuse_unless(isinstance(jws, str), "意向没有批准声明", "the intent holds no approval statement")
    try:
        statement = read_statement(
            str(jws), PinnedKeys(request, state, "approval_key"), audience=log_identity(state).origin
        )
    except ApprovalEvidenceError as error:
        refuse(f"批准声明不成立：{error.zh}", f"the approval does not hold: {error.en}")
    different = [*_differences(statement, intent), *_differences_of_line(statement, intent)]
    refuse_unless(
        not different,
        f"批准声明不是为本次用章作出的：{'、'.join(different)} 不符",
        f"the approval is not for this seal use; different: {', '.join(different)}",
    )
    refuse_unless(
        statement.claims.not_before <= now < statement.claims.expires,
        "批准声明不在有效期内",
        "the approval does not hold at this time",
    )
    return statement.claims.id


def _differences(statement: ApprovalStatement, intent: ShownEntry) -> Iterator[str]:
    claims, seal, case = statement.claims, intent.group("seal"), intent.group("case")
    pairs = (
        ("id", claims.id, intent.group("approval").get("id")),
        ("assurance", statement.assurance, intent.group("approval").get("assurance")),
        ("seal", claims.seal, seal.get("seal")),
        ("agreement", claims.agreement, seal.get("agreement")),
        ("agreement_version", claims.agreement_version, seal.get("agreement_version")),
        ("grantee", claims.grantee, seal.get("grantee_code")),
        ("item", f"{claims.item.list} {claims.item.number}", case.get("item")),
        ("case_number", claims.case_number, case.get("case_number")),
        ("basis", claims.basis, case.get("basis")),
        ("final", claims.final, case.get("final")),
        ("facts", dict(claims.facts), case.get("facts")),
    )
    yield from (name for name, said, recorded in pairs if said != recorded)


def _differences_of_line(statement: ApprovalStatement, intent: ShownEntry) -> Iterator[str]:
    """Of the one line of the manifest that is about the document."""
    document: Mapping[str, Any] = intent.group("document")
    line = next((each for each in statement.claims.manifest if each.digest == document.get("source_digest")), None)
    if line is None:
        yield "document"
        return
    numbers, case = intent.group("numbers"), intent.group("case")
    pairs = (
        ("document_number", line.document_number, numbers.get("document_number")),
        ("licence_number", line.licence_number, numbers.get("licence_number")),
        ("document_kind", line.kind, case.get("document_kind")),
        ("copy", line.copy_, case.get("copy")),
    )
    yield from (name for name, said, recorded in pairs if said != recorded)
