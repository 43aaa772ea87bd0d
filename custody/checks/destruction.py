"""The end of a key: only of a seal's key, foreseen by an entry, and wanted by two persons."""

from datetime import datetime

from custody.checks.consent import check_about, check_consent
from custody.checks.refusal import refuse_unless
from custody.checks.shown_entry import shown_entry
from custody.requests import CheckState, UseRequest
from ledger.canonical import JsonValue

INTENDED = "key_destruction.intended"


def check_destruction(request: UseRequest, state: CheckState, now: datetime) -> dict[str, JsonValue]:
    """What the record shall say of a key that may be destroyed. Refuses any other.

    For which seal a key was certified is told by this process's own record; of a key older than that record it is not
    known, and the entry is believed.
    """
    refuse_unless(
        request.purpose == "seal",
        f"用途为 {request.purpose} 的密钥不在此销毁",
        f"a key of the purpose {request.purpose} is not destroyed here",
    )
    intent = shown_entry(request, state, "intent", kinds=(INTENDED,))
    wanted = intent.group("key")
    refuse_unless(
        wanted.get("key") == request.key_ref,
        f"意向针对密钥 {wanted.get('key')}",
        f"the intent is for key {wanted.get('key')}, asked for is {request.key_ref}",
    )
    proposal, _, content = check_consent(request, state, now, actions=("destroy_seal",))
    check_about(content, seal=wanted.get("seal"))
    told = f"{wanted.get('seal')} {request.key_ref}"
    older = any(each.ref == request.key_ref and each.adopted for each in state.generated("seal"))
    refuse_unless(
        older or any(state.seen(purpose, "certified", told) for purpose in ("ca", "seal")),
        f"密钥 {request.key_ref} 不是为印章 {wanted.get('seal')} 签发证书的密钥",
        f"key {request.key_ref} was never certified for the seal {wanted.get('seal')}",
    )
    return {"form": "destruction", "intent": intent.leaf.id, "entry": intent.index, "consent": proposal}
