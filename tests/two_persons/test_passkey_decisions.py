"""The second person decides with a passkey: the same checks, and the custody process takes it as any statement."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from passkey_people import PasskeyHolder, with_passkey
from software_authenticator import encoded
from world import CITY, COUNTY, World, build_world

from registry.base64url import from_base64url
from registry.errors import EvidenceError
from registry.passkeys import Assertion
from registry.records import Proposal
from registry.store import Act, Actor
from sealing.administration.passkey_decisions import begin_decision, finish_decision
from sealing.administration.proposals import propose
from sealing.audit import audit
from sealing.errors import NotAllowedError
from sealing.pending_statements import take
from sealing.workshop import open_workshop


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Keys are in a custody process, which judges the two statements itself; it takes the real time."""
    settings, plan = build_world(
        tmp_path_factory.mktemp("decisions") / "data", datetime.now(UTC), unsafe_in_process_keys=False
    )
    with open_workshop(settings) as shop:
        made = plan.fill(shop)
        yield made
        assert audit(shop, datetime.now(UTC)) == []


def proposed(world: World) -> str:
    first, _ = world.administrators[CITY]
    content = {"seal": world.seals["city"], "algorithm": "ecdsa-p256-sha256"}
    now = datetime.now(UTC)
    statement = first.proposal(world.shop.installation.log_origin, "rotate_key", content, now)
    act = Act(by=Actor(id=first.person, name="示例", organ=first.organ), why="示例", now=now)
    return propose(world.shop, "rotate_key", content, statement, act).record.id


def decided(world: World, holder: PasskeyHolder, person: str, proposal: str, choice: str = "approve") -> Proposal:
    now = datetime.now(UTC)
    handle = begin_decision(world.shop, proposal, person=person, choice=choice, reason="已核对", now=now)  # type: ignore[arg-type]
    statement = take(world.shop, handle, now)
    response = holder.authenticator.sign(statement.challenge)["response"]
    assertion = Assertion(
        authenticator_data=from_base64url(response["authenticatorData"]),
        client_data=from_base64url(response["clientDataJSON"]),
        signature=from_base64url(response["signature"]),
    )
    credential = encoded(holder.authenticator.credential_id)
    return finish_decision(world.shop, statement, credential=credential, assertion=assertion, now=now).record


def test_a_decision_by_passkey_is_carried_out_by_the_custody_process(world: World) -> None:
    _, second = world.administrators[CITY]
    done = decided(world, with_passkey(world, second.person), second.person, proposed(world))
    assert done.state == "carried_out", done.outcome


def test_the_proposer_cannot_decide_and_a_stranger_neither(world: World) -> None:
    first, _ = world.administrators[CITY]
    proposal = proposed(world)
    with pytest.raises(EvidenceError) as refused:
        decided(world, with_passkey(world, first.person), first.person, proposal)
    assert refused.value.code == "proposal-same-person"
    stranger = world.staff[COUNTY].principal
    with pytest.raises(EvidenceError) as refused:
        decided(world, with_passkey(world, stranger), stranger, proposal)
    assert refused.value.code == "proposal-not-administrator"


def test_without_a_passkey_nobody_is_asked_to_decide(world: World) -> None:
    with pytest.raises(NotAllowedError):
        begin_decision(
            world.shop,
            proposed(world),
            person=world.staff[COUNTY].user,
            choice="approve",
            reason="x",
            now=datetime.now(UTC) + timedelta(seconds=1),
        )
