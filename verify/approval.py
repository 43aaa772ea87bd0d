"""How strong the approval behind a seal was: its statement checked again with the key that stands in the receipt.

That this key belongs to this person or approval system is the operator's word; the verdict says so.
"""

from base64 import b64decode
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from registry.approval import ApprovalEvidenceError, ApprovalStatement, read_statement
from registry.passkeys import Passkey
from registry.statements import KeyKind, RegisteredKey
from verify.verdict import Facts, Finding, doubt, failure, note, warning

_KINDS: dict[str, KeyKind] = {"person": "person", "client": "client"}


def judge_approval(
    openings: Mapping[str, Any], *, audience: str, sealed_at: datetime
) -> tuple[tuple[Finding, ...], Facts]:
    """Judge the approval in the openings of an impression's entry; ``audience`` is the log's origin."""
    group = openings.get("approval")
    if not isinstance(group, dict) or not isinstance(group.get("jws"), str):
        missing = doubt(
            "approval_evidence_missing",
            "回执中没有批准声明，无法判断批准的强度",
            "the receipt holds no approval statement, so how strong the approval was cannot be told",
        )
        return (missing,), {}
    try:
        statement = _read(group, audience)
    except (ApprovalEvidenceError, KeyError, TypeError, ValueError) as error:
        zh, en = (error.zh, error.en) if isinstance(error, ApprovalEvidenceError) else ("密钥不可读", "key unreadable")
        return (failure("approval_evidence_invalid", f"批准声明无效：{zh}", f"the approval is not valid: {en}"),), {}
    findings = (*_differences(statement, group, openings, sealed_at), *_strength(statement))
    return findings, _facts(statement, openings)


def _read(group: Mapping[str, Any], audience: str) -> ApprovalStatement:
    key = group["key"]
    registered = RegisteredKey(
        id=key["id"],
        kind=_KINDS[key["kind"]],
        holder=key["holder"],
        public_key=b64decode(key["public_key"], validate=True),
        valid_from=datetime.min.replace(tzinfo=UTC),  # when it was registered only the operator's record tells
        valid_until=None,
        passkey=None if key.get("passkey") is None else Passkey.model_validate(key["passkey"]),
    )
    return read_statement(group["jws"], lambda kid: registered if kid == registered.id else None, audience=audience)


def _differences(
    statement: ApprovalStatement, group: Mapping[str, Any], openings: Mapping[str, Any], sealed_at: datetime
) -> Iterator[Finding]:
    claims = statement.claims
    pairs = [
        ("assurance", statement.assurance, group.get("assurance")),
        ("id", claims.id, group.get("id")),
        ("seal", claims.seal, _of(openings, "seal", "seal")),
        ("agreement", claims.agreement, _of(openings, "seal", "agreement")),
        ("agreement_version", claims.agreement_version, _of(openings, "seal", "agreement_version")),
        ("grantee", claims.grantee, _of(openings, "seal", "grantee_code")),
        ("item", f"{claims.item.list} {claims.item.number}", _of(openings, "case", "item")),
        ("case_number", claims.case_number, _of(openings, "case", "case_number")),
        ("final", claims.final, _of(openings, "case", "final")),
        ("applicant", claims.applicant, _of(openings, "persons", "applicant")),
        ("principal", claims.principal, _of(openings, "persons", "principal")),
    ]
    different = [name for name, said, recorded in pairs if recorded is not _ABSENT and said != recorded]
    if not any(line.digest == _of(openings, "document", "source_digest") for line in claims.manifest):
        different.append("manifest")
    different += list(_numbers(statement, openings))
    if not claims.not_before <= sealed_at < claims.expires:
        different.append("not_before/expires")
    if different:
        listed = ", ".join(different)
        yield failure(
            "approval_does_not_cover",
            f"批准声明与本次用章不符：{listed}",
            f"the approval is not for this seal use; different: {listed}",
        )


def _numbers(statement: ApprovalStatement, openings: Mapping[str, Any]) -> Iterator[str]:
    source = _of(openings, "document", "source_digest")
    for line in statement.claims.manifest:
        if line.digest != source:
            continue
        for name, said in (("document_number", line.document_number), ("licence_number", line.licence_number)):
            recorded = _of(openings, "numbers", name)
            if recorded is not _ABSENT and recorded != said:
                yield name


_ABSENT: Any = object()
"""A group that was erased or not handed out is no contradiction."""


def _of(openings: Mapping[str, Any], group: str, name: str) -> Any:  # noqa: ANN401  a JSON value
    values = openings.get(group)
    return values.get(name) if isinstance(values, dict) else _ABSENT


def _strength(statement: ApprovalStatement) -> Iterator[Finding]:
    if statement.assurance == "system_attested":
        yield warning(
            "system_attested",
            "批准由审批系统的密钥担保，不是负责人本人签名",
            "the approval system vouches for the approval; the principal did not sign it",
        )
    yield note(
        "key_enrolment_operator_only",
        "批准密钥属于谁，以运营方登记为凭",
        "whose key signed the approval is the operator's word",
    )


def _facts(statement: ApprovalStatement, openings: Mapping[str, Any]) -> Facts:
    claims = statement.claims
    name = _of(openings, "persons", "principal_name")
    return {
        "assurance": statement.assurance,
        "statement": statement.digest,
        "principal": claims.principal,
        "principal_name": None if name is _ABSENT else name,
        "on_behalf_of": claims.on_behalf_of,
        "key": statement.key.id,
        "key_holder": statement.key.holder,
        "key_enrolment": "operator_only",
        "facts": dict(claims.facts),
    }
