"""Passkeys for decisions: the same checks as for keys in files, and the custody process takes them as well."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from passkey_people import ORIGIN, RP, PasskeyHolder, with_passkey_now
from software_authenticator import SoftwareAuthenticator, encoded
from two_administrators import both
from world import CITY, COUNTY, OPERATOR, World, build_world

from accounts.approval_passkeys import begin_offer, finish_offer, offer_options, offered_by
from accounts.desk import RelyingParty
from accounts.enrolment import invite, open_account
from accounts.errors import PasskeyError, StateError
from registry.base64url import from_base64url
from registry.errors import EvidenceError, TransitionError
from registry.passkeys import Assertion
from registry.records import PersonKey, Proposal
from registry.store import Act, Actor
from sealing.account_desk import make_desk, sign_in_place
from sealing.administration import offered_passkeys
from sealing.administration.offered_passkeys import confirm
from sealing.administration.passkey_decisions import begin_decision, finish_decision
from sealing.administration.proposals import propose
from sealing.audit import audit
from sealing.errors import NotAllowedError
from sealing.pending_statements import take
from sealing.workshop import open_workshop

PASSWORD = "a sentence that nobody guesses"


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
    done = decided(world, with_passkey_now(world, second.person), second.person, proposed(world))
    assert done.state == "carried_out", done.outcome


def test_the_proposer_cannot_decide_and_a_stranger_neither(world: World) -> None:
    first, _ = world.administrators[CITY]
    proposal = proposed(world)
    with pytest.raises(EvidenceError) as refused:
        decided(world, with_passkey_now(world, first.person), first.person, proposal)
    assert refused.value.code == "proposal-same-person"
    stranger = world.staff[COUNTY].principal
    with pytest.raises(EvidenceError) as refused:
        decided(world, with_passkey_now(world, stranger), stranger, proposal)
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


def offered(world: World, person: str, name: str) -> str:
    """A passkey that the person made on the approval pages, of an account opened for it."""
    shop, now = world.shop, datetime.now(UTC)
    desk, place = make_desk(shop, sign_in_place(shop.settings)), RelyingParty(rp_id=RP, origin=ORIGIN)
    open_account(
        desk, invite(desk, person, "open", by=person, now=now), name, password="a sentence to open it", now=now
    )
    with shop.database.write() as connection:
        handle = begin_offer(connection, person, now)
    with shop.database.read() as connection:
        options = offer_options(connection, place, handle, name=name, now=now)
    answer = SoftwareAuthenticator(RP, ORIGIN).register(from_base64url(options["challenge"]), person.encode())
    return finish_offer(desk, place, handle, answer=answer, now=now).id


def test_an_offered_passkey_is_registered_once_compared(world: World) -> None:
    person = world.staff[COUNTY].principal
    offer = offered(world, person, "principal")
    act = Act(by=OPERATOR, why="当面核对", now=datetime.now(UTC))
    key = confirm(world.shop, offer, document="示例登记表", act=act).record
    assert key.passkey is not None
    assert (key.person, key.passkey.origin) == (person, ORIGIN)
    with world.shop.database.read() as connection:
        assert offered_by(connection, person) == []
    with pytest.raises(StateError):
        confirm(world.shop, offer, document="示例登记表", act=act)


def test_the_passkey_of_an_administrator_takes_two_persons(world: World) -> None:
    first, _ = world.administrators[CITY]
    offer = offered(world, first.person, "administrator")
    act = Act(by=OPERATOR, why="当面核对", now=datetime.now(UTC))
    with pytest.raises(TransitionError) as refused:
        confirm(world.shop, offer, document="示例登记表", act=act)
    assert refused.value.code == "two-persons-needed"
    content = offered_passkeys.proposed(world.shop, offer, organ=first.organ, document="示例登记表")
    made = both(world.shop, world.administrators[CITY], "add_administrator", content, act)
    with world.shop.database.read() as connection:
        key = world.shop.registry.get(connection, PersonKey, made["key"]).record
        assert offered_by(connection, first.person) == []
    assert key.passkey is not None
    assert key.passkey.model_dump() == content["passkey"]


def test_a_passkey_made_to_sign_in_is_no_approval_passkey(world: World) -> None:
    """Its relying party is another: the browser would not even give it, and the service does not take it."""
    shop, now, person = world.shop, datetime.now(UTC), world.staff[COUNTY].user
    desk, place = make_desk(shop, sign_in_place(shop.settings)), RelyingParty(rp_id=RP, origin=ORIGIN)
    open_account(
        desk, invite(desk, person, "open", by=person, now=now), "user", password="a sentence to open it", now=now
    )
    with shop.database.write() as connection:
        handle = begin_offer(connection, person, now)
    with shop.database.read() as connection:
        options = offer_options(connection, place, handle, name="user", now=now)
    elsewhere = SoftwareAuthenticator("yinxin.example", "https://yinxin.example")
    answer = elsewhere.register(from_base64url(options["challenge"]), person.encode())
    with pytest.raises(PasskeyError):
        finish_offer(desk, place, handle, answer=answer, now=now)
