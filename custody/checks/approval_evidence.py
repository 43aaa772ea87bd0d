"""The approval behind a seal use, checked with a key that this process has pinned itself."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from custody.checks.refusal import refuse, refuse_unless
from custody.checks.shown_entry import ShownEntry, log_identity, shown_entry
from custody.errors import CustodyError
from custody.pins import Pin, Pins, registration
from custody.requests import CheckState, UseRequest
from registry.approval import ApprovalEvidenceError, ApprovalStatement, read_statement
from registry.errors import EvidenceError
from registry.statements import RegisteredKey

REGISTRATIONS = ("person_key.registered", "client_approval_key.registered")


def check_approval(request: UseRequest, state: CheckState, intent: ShownEntry, now: datetime) -> str:
    """The id of the approval that ``intent`` rests on. Refuses one that is not for exactly this use."""
    jws = intent.group("approval").get("jws")
    refuse_unless(isinstance(jws, str), "意向没有批准声明", "the intent holds no approval statement")
    try:
        statement = read_statement(str(jws), _Finder(request, state), audience=log_identity(state).origin)
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


class _Finder:
    """From the key id in a statement to the pinned key; learns a key whose registration is shown, if it may."""

    def __init__(self, request: UseRequest, state: CheckState) -> None:
        self._request = request
        self._state = state

    def __call__(self, key_id: str) -> RegisteredKey | None:
        pins = Pins(self._state.pins)
        try:
            pin = pins.find(key_id)
            if pin is None and self._state.learns:
                pin = self._shown(key_id)
                pins.add(pin)
        except CustodyError as error:
            refuse(error.zh, error.en)
        if pin is None or not (self._state.learns or pin.how == "listed"):
            refuse(f"批准密钥 {key_id} 未固定在本进程", f"the approval key {key_id} is not pinned here")
        return pin.registered()

    def _shown(self, key_id: str) -> Pin:
        entry = shown_entry(self._request, self._state, "approval_key", kinds=REGISTRATIONS)
        try:
            pin = registration(entry.leaf.kind, entry.group("body"))
        except (ValueError, EvidenceError) as error:
            refuse(f"第 {entry.index} 条不是批准密钥的登记", f"entry {entry.index} registers no approval key: {error}")
        refuse_unless(
            pin.id == key_id,
            f"附上的是密钥 {pin.id} 的登记，批准声明由 {key_id} 签名",
            f"the registration of key {pin.id} came along, the approval is signed by {key_id}",
        )
        return pin


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
