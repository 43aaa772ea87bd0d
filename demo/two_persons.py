"""What takes two administrators: one proposes, another approves, each with a key of their own (docs/proposals.md)."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

from demo.people import Administrator, Office, Registered
from demo.service import Client, DemoError
from demo.statements import DECISION, PROPOSAL, canonical, digest, moment, new_id


def by_two(
    grantors: Client, registered: Registered, office: Office, action: str, content: dict[str, Any]
) -> dict[str, Any]:
    """What was made once the second administrator of ``office`` approved; anything else ends the demo."""
    first, second = registered.administrators[office.code]
    claims = _claims(registered, office, first, action, content)
    statement = first.key.sign(claims, PROPOSAL)
    body = {"action": action, "organ": office.code, "content": content, "statement": statement}
    proposed = grantors.post("/v1/proposals", body)["record"]["id"]
    decision = claims | {
        "person": second.person,
        "reason": "同意",
        "made": moment(datetime.now(UTC)),
        "proposal_digest": digest(statement.encode()),
        "decision": "approve",
    }
    body = {"statement": second.key.sign(decision, DECISION)}
    ended = grantors.post(f"/v1/proposals/{proposed}/decision", body)["record"]
    if ended["state"] != "carried_out":
        raise DemoError(f"{action}：{ended['outcome']}")
    registered.proposals += 1
    made: dict[str, Any] = json.loads(ended["outcome"])
    return made


def _claims(
    registered: Registered, office: Office, person: Administrator, action: str, content: dict[str, Any]
) -> dict[str, Any]:
    now = datetime.now(UTC)
    return {
        "v": 1,
        "id": new_id("ppl"),
        "aud": registered.origin,
        "action": action,
        "content_digest": digest(canonical(content)),
        "organ": office.code,
        "person": person.person,
        "reason": "演示提案",
        "made": moment(now),
        "expires": moment(now + timedelta(hours=24)),
    }
