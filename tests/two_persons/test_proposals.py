"""Two persons, and nothing less: what is proposed, who may decide it, and what every way round it gives."""

import signal
import subprocess
import sys
from base64 import b64decode
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import get_args

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from two_administrators import Administrator
from world import identity_number, public_bytes

from ledger.ids import new_id
from ledger.moments import to_text
from registry.agreement_terms import terms_digest
from registry.errors import ConflictError, EvidenceError, NotFoundError, RecordInvalidError, TransitionError
from registry.proposals import ProposalAction
from registry.record import build
from registry.records import Agreement, Person, PersonKey, Proposal, RoleAssignment, Seal, SealKey
from sealing.administration import persons, seals
from sealing.administration.acts import acting, end, put
from sealing.administration.key_registration import KeyRequest
from sealing.administration.persons import RoleRequest
from sealing.administration.proposals import LONGEST_ACT, decide, end_overdue, propose
from sealing.administration.proposed_acts import CONTENTS
from sealing.administration.seals import SealRequest
from tests.two_persons.conftest import Desk, outcome

TESTS = Path(__file__).parents[1]


def code_of(attempt, *errors: type[Exception]) -> str:
    with pytest.raises(errors or (EvidenceError,)) as caught:
        attempt()
    return caught.value.code


def another(desk: Desk, *, like: Administrator | None = None, role: str = "grantor_administrator") -> Administrator:
    """A further person with a key; with ``like`` another account of that human."""
    human = desk.shop.natural_person(identity_number(900))
    if like is not None:
        human = desk.get(Person, like.person).natural_person
    person = Person(id=new_id("per"), name="示例又一人", natural_person=human)
    private = ec.generate_private_key(ec.SECP256R1())
    dated = {"valid_from": desk.world.now, "valid_until": None}
    key = build(
        PersonKey,
        id=new_id("pky"),
        person=person.id,
        algorithm="ES256",
        public_key=public_bytes(private),
        registered_by="per-" + "b" * 26,
        document="示例",
        **dated,
    )
    given = build(
        RoleAssignment,
        id=new_id("rol"),
        person=person.id,
        organ=desk.first.organ,
        role=role,
        document="示例任命",
        on_behalf_of=None,
        **dated,
    )
    with acting(desk.shop, desk.act()) as changes:
        for record in (person, key, given):
            put(changes, record)
    return Administrator(person=person.id, organ=desk.first.organ, kid=key.id, key=private)


def test_an_act_proposed_and_approved_is_done_and_every_step_is_an_entry(desk: Desk) -> None:
    before = len(desk.kinds())
    opened = desk.propose("rotate_key", seal=desk.seal, algorithm="ecdsa-p256-sha256")
    assert opened.state == "open"
    assert desk.kinds()[before:] == ["proposal.proposed"]
    ended = desk.decide(opened)
    assert (ended.state, ended.decided_by, ended.proposed_by) == (
        "carried_out",
        desk.second.person,
        desk.first.person,
    )
    new = desk.get(SealKey, outcome(ended)["key"])
    assert (new.seal, new.serial, new.key_version) == (desk.seal, outcome(ended)["serial"], 2)
    kinds = desk.kinds()[before:]
    assert (kinds[:2], kinds[-1]) == (["proposal.proposed", "proposal.approved"], "proposal.carried_out")
    assert {"certificate.intended", "seal_key.certified", "seal_key.retired"} <= set(kinds)
    assert desk.shop.book.audit() == []


def test_a_rejected_proposal_does_nothing(desk: Desk) -> None:
    ended = desk.decide(desk.propose("destroy_seal", seal=desk.seal), choice="reject")
    assert (ended.state, ended.outcome) == ("rejected", None)
    assert code_of(lambda: desk.decide(ended), TransitionError) == "proposal-not-open"


def test_what_is_approved_and_cannot_be_done_says_why(desk: Desk) -> None:
    ended = desk.decide(desk.propose("destroy_seal", seal=desk.seal))
    assert (ended.state, outcome(ended)["code"]) == ("failed", "seal-change-refused")
    assert desk.get(Seal, desk.seal).state == "active"


def test_the_life_of_a_seal_to_its_destruction(desk: Desk) -> None:
    key = desk.both("rotate_key", seal=desk.seal, algorithm="rsa3072-sha256")["key"]
    desk.both("cancel_seal", seal=desk.seal, reason="privilege_withdrawn")
    early = desk.get(SealKey, key).not_before + timedelta(seconds=1)
    text = early.isoformat(timespec="microseconds").replace("+00:00", "Z")
    desk.both("backdate_revocation", key=key, effective=text)
    assert desk.get(SealKey, key).revoked_effective == early
    desk.both("destroy_seal", seal=desk.seal)
    assert desk.get(Seal, desk.seal).state == "destroyed"
    issued = desk.both(
        "issue_seal", agreement=desk.world.agreements["city"], custodian=desk.world.staff["county"].custodian
    )
    assert desk.get(Seal, issued["seal"]).state == "pending"


@pytest.mark.parametrize("action", [each for each in get_args(ProposalAction) if each in CONTENTS])
def test_a_content_of_another_form_is_refused(desk: Desk, action: ProposalAction) -> None:
    for content in ({}, {"seal": desk.seal, "more": 1}):
        assert code_of(lambda c=content: desk.propose(action, **c), RecordInvalidError) == "record-invalid"


def test_a_backup_is_not_restored_by_a_running_service(desk: Desk) -> None:
    assert code_of(lambda: desk.propose("restore_backup", backup="x"), RecordInvalidError) == "proposal-not-here"


@pytest.mark.parametrize(
    "act",
    [
        lambda desk, act: seals.issue(
            desk.shop, SealRequest(agreement=desk.world.agreements["city"], custodian=None), act
        ),
        lambda desk, act: seals.rotate_key(desk.shop, desk.seal, act),
        lambda desk, act: seals.cancel(desk.shop, desk.seal, "superseded", act),
    ],
    ids=["issue", "rotate", "cancel"],
)
def test_no_function_does_it_for_one_person(desk: Desk, act) -> None:
    before = desk.kinds()
    assert code_of(lambda: act(desk, desk.act()), TransitionError) == "two-persons-needed"
    opened = desk.propose("destroy_seal", seal=desk.seal)
    named = replace(desk.act(), proposal=opened.id)
    assert code_of(lambda: act(desk, named), TransitionError) == "two-persons-needed"
    assert desk.kinds() == [*before, "proposal.proposed"]


def test_nobody_decides_their_own_proposal(desk: Desk) -> None:
    opened = desk.propose("destroy_seal", seal=desk.seal)
    assert code_of(lambda: desk.decide(opened, by=desk.first)) == "proposal-same-person"


def test_two_accounts_of_one_human_are_one_person(desk: Desk) -> None:
    opened = desk.propose("destroy_seal", seal=desk.seal)
    assert code_of(lambda: desk.decide(opened, by=another(desk, like=desk.first))) == "proposal-same-person"
    assert desk.get(Proposal, opened.id).state == "open"


def test_only_an_administrator_of_the_organ_proposes_and_decides(desk: Desk) -> None:
    custodian = another(desk, role="custodian")
    elsewhere = next(pair[0] for name, pair in desk.world.administrators.items() if name != "city")
    content = {"seal": desk.seal}
    assert code_of(lambda: desk.propose("destroy_seal", by=custodian, **content)) == "proposal-not-administrator"
    assert code_of(lambda: desk.propose("destroy_seal", by=elsewhere, **content)) == "proposal-of-another-organ"
    pretending = replace(elsewhere, organ=desk.first.organ)
    assert code_of(lambda: desk.propose("destroy_seal", by=pretending, **content)) == "proposal-not-administrator"
    opened = desk.propose("destroy_seal", seal=desk.seal)
    assert code_of(lambda: desk.decide(opened, by=custodian)) == "proposal-not-administrator"
    assert code_of(lambda: desk.decide(opened, by=elsewhere)) == "decision-of-another"
    assert code_of(lambda: desk.decide(opened, by=pretending)) == "proposal-not-administrator"


def test_a_key_signs_for_its_holder_only(desk: Desk) -> None:
    borrowed = replace(desk.first, person=desk.second.person)
    assert code_of(lambda: desk.propose("destroy_seal", by=borrowed, seal=desk.seal)) == "proposal-key-not-the-persons"
    opened = desk.propose("destroy_seal", seal=desk.seal)
    borrowed = replace(desk.second, kid=desk.first.kid, key=desk.first.key)
    assert code_of(lambda: desk.decide(opened, by=borrowed)) == "proposal-key-not-the-persons"


def test_the_statement_is_over_this_content_and_this_action(desk: Desk) -> None:
    act, content = desk.act(), {"seal": desk.seal}

    def proposing(action: ProposalAction, signed: dict[str, str]):
        statement = desk.first.proposal(desk.audience, action, signed, act.now)
        return lambda: propose(desk.shop, "destroy_seal", content, statement, act)

    assert code_of(proposing("destroy_seal", {"seal": desk.world.seals["town"]})) == "proposal-other-content"
    assert code_of(proposing("cancel_seal", content)) == "proposal-other-action"


def test_a_statement_serves_one_installation_for_its_time(desk: Desk) -> None:
    act, content = desk.act(), {"seal": desk.seal}

    def proposing(audience: str = desk.audience, **changed):
        statement = desk.first.proposal(audience, "destroy_seal", content, act.now, **changed)
        return lambda: propose(desk.shop, "destroy_seal", content, statement, act)

    long_ago = act.now - timedelta(hours=30)
    assert code_of(proposing("elsewhere.example/log")) == "proposal-audience-wrong"
    assert code_of(proposing(made=long_ago, expires=long_ago + timedelta(hours=1))) == "proposal-statement-expired"
    later = act.now + timedelta(hours=1)
    assert code_of(proposing(made=later, expires=later + timedelta(hours=1))) == "proposal-statement-early"


def test_a_statement_is_brought_once(desk: Desk) -> None:
    opened = desk.propose("destroy_seal", seal=desk.seal)
    again = lambda: propose(  # noqa: E731  judged below
        desk.shop, "destroy_seal", {"seal": desk.seal}, opened.statement, desk.act()
    )
    assert code_of(again, ConflictError) == "record-changed"


def test_the_decision_of_another_proposal_counts_for_nothing(desk: Desk) -> None:
    one = desk.propose("destroy_seal", seal=desk.seal)
    two = desk.propose("destroy_seal", seal=desk.world.seals["city"])
    act = desk.act()
    statement = desk.second.decision(one, desk.audience, act.now)
    assert code_of(lambda: decide(desk.shop, two.id, statement, act)) == "decision-of-another"
    assert desk.get(Proposal, two.id).state == "open"


def test_a_decision_is_made_once(desk: Desk) -> None:
    opened = desk.propose("cancel_seal", seal=desk.seal, reason="superseded")
    act = desk.act()
    statement = desk.second.decision(opened, desk.audience, act.now)
    assert decide(desk.shop, opened.id, statement, act).record.state == "carried_out"
    again = lambda: decide(desk.shop, opened.id, statement, desk.act())  # noqa: E731  judged below
    assert code_of(again, TransitionError) == "proposal-not-open"


def test_an_expired_proposal_is_decided_by_nobody_and_closed(desk: Desk) -> None:
    opened = desk.propose("destroy_seal", seal=desk.seal)
    desk.seconds += 25 * 3600
    assert code_of(lambda: desk.decide(opened), TransitionError) == "proposal-not-open"
    assert end_overdue(desk.shop, desk.now) == [opened.id]
    assert end_overdue(desk.shop, desk.now) == []
    assert desk.get(Proposal, opened.id).state == "expired"


@pytest.mark.parametrize("who", [0, 1], ids=["proposer", "decider"])
@pytest.mark.parametrize("what", [PersonKey, RoleAssignment], ids=["key", "role"])
def test_a_key_or_role_that_ended_between_counts_no_more(desk: Desk, who: int, what) -> None:
    opened = desk.propose("destroy_seal", seal=desk.seal)
    person = (desk.first, desk.second)[who].person
    with acting(desk.shop, desk.act()) as changes:
        (found,) = changes.store.find(changes.connection, what, person=person)
        end(changes, found)
    expected = {PersonKey: "proposal-key-ended", RoleAssignment: "proposal-not-administrator"}[what]
    assert code_of(lambda: desk.decide(opened)) == expected
    assert desk.get(Proposal, opened.id).state == "open"


def test_what_changed_between_proposal_and_approval_is_judged_as_it_is(desk: Desk) -> None:
    """An agreement was recalled meanwhile: the approved seal is not issued, and the record says why."""
    agreement = desk.world.agreements["city"]
    desk.both("cancel_seal", seal=desk.seal, reason="superseded")
    waiting = desk.propose("issue_seal", agreement=agreement)
    digest = terms_digest(desk.get(Agreement, agreement).terms)
    desk.both("change_agreement", agreement=agreement, change="recall", terms_digest=digest)
    ended = desk.decide(waiting)
    assert (ended.state, outcome(ended)["code"]) == ("failed", "agreement-not-in-force")


def test_two_decisions_at_once_are_one(desk: Desk) -> None:
    opened, third = desk.propose("cancel_seal", seal=desk.seal, reason="superseded"), another(desk)
    act = desk.act()
    statements = [each.decision(opened, desk.audience, act.now) for each in (desk.second, third)]
    before = desk.kinds().count("proposal.approved")

    def one(statement: str) -> str:
        try:
            return decide(desk.shop, opened.id, statement, act).record.state
        except TransitionError as error:
            return error.code

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(one, statements)) == ["carried_out", "proposal-not-open"]
    assert desk.kinds().count("proposal.approved") == before + 1


_KILLED = """
import os, signal, sys
sys.path[:0] = {paths!r}
from pathlib import Path
from sealing.administration import proposals, proposed_acts
from sealing.settings import Settings
from sealing.workshop import open_workshop
from registry.store import Act, Actor
from ledger.moments import from_text
data, proposal, statement, now = sys.argv[1:]
act = Act(by=Actor(id="cli-" + "c" * 26, name="x", organ=None), why="x", now=from_text(now))
proposed_acts.CancelSeal.carry_out = lambda self, shop, act: os.kill(os.getpid(), signal.SIGKILL)
with open_workshop(Settings(data=Path(data), unsafe_in_process_keys=True)) as shop:
    proposals.decide(shop, proposal, statement, act)
"""


def test_killed_between_approval_and_act(desk: Desk) -> None:
    """Nothing was done; the proposal is called interrupted, not done, and the act takes a new one."""
    opened = desk.propose("cancel_seal", seal=desk.seal, reason="superseded")
    act = desk.act()
    statement = desk.second.decision(opened, desk.audience, act.now)
    boot = _KILLED.format(paths=[str(TESTS.parent)])
    data = desk.shop.settings.data
    arguments = [sys.executable, "-c", boot, str(data), opened.id, statement, to_text(act.now)]
    killed = subprocess.run(arguments, check=False, cwd="/", capture_output=True, text=True)
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    assert (desk.get(Proposal, opened.id).state, desk.get(Seal, desk.seal).state) == ("approved", "active")
    assert end_overdue(desk.shop, desk.now) == []
    desk.seconds += int(LONGEST_ACT.total_seconds())
    assert end_overdue(desk.shop, desk.now) == [opened.id]
    closed = desk.get(Proposal, opened.id)
    assert (closed.state, outcome(closed)["code"]) == ("failed", "interrupted")
    named = replace(desk.act(), proposal=opened.id)
    cancel = lambda: seals.cancel(desk.shop, desk.seal, "superseded", named)  # noqa: E731  judged below
    assert code_of(cancel, TransitionError) == "two-persons-needed"
    desk.both("cancel_seal", seal=desk.seal, reason="superseded")
    assert desk.shop.book.audit() == []


def role_of(desk: Desk, person: str) -> RoleRequest:
    return RoleRequest(person=person, organ=desk.first.organ, role="grantor_administrator", document="示例任命")


def test_a_third_administrator_is_added_by_two(desk: Desk) -> None:
    person = persons.register(desk.shop, "示例第三人", identity_number(901), desk.act()).record.id
    private = ec.generate_private_key(ec.SECP256R1())
    alone = lambda: persons.assign_role(desk.shop, role_of(desk, person), desk.act())  # noqa: E731  judged below
    assert code_of(alone, TransitionError) == "two-persons-needed"
    about = {"person": person, "organ": desk.first.organ, "document": "示例任命"}
    desk.both("add_administrator", what="role", **about)
    request = KeyRequest(public_key=b"", document="x")
    key = lambda: persons.register_key(desk.shop, person, request, desk.act())  # noqa: E731  judged below
    assert code_of(key, TransitionError) == "two-persons-needed"
    made = desk.both("add_administrator", what="key", public_key=public_bytes(private), **about)
    third = Administrator(person=person, organ=desk.first.organ, kid=made["key"], key=private)
    opened = desk.propose("destroy_seal", by=third, seal=desk.seal)
    assert desk.decide(opened, choice="reject").state == "rejected"


def test_ending_the_others_does_not_open_the_beginning_again(desk: Desk) -> None:
    """Whoever ends the roles of all but themselves cannot then appoint somebody alone."""
    with acting(desk.shop, desk.act()) as changes:
        for kind in (RoleAssignment, PersonKey):
            (found,) = changes.store.find(changes.connection, kind, person=desk.second.person)
            end(changes, found)
    person = persons.register(desk.shop, "示例第三人", identity_number(902), desk.act()).record.id
    alone = lambda: persons.assign_role(desk.shop, role_of(desk, person), desk.act())  # noqa: E731  judged below
    assert code_of(alone, TransitionError) == "two-persons-needed"


def test_an_organ_gets_its_first_two_administrators_from_one(desk: Desk) -> None:
    organ = desk.world.codes["other"]
    for number in (903, 904):
        person = persons.register(desk.shop, f"示例{number}", identity_number(number), desk.act()).record.id
        persons.assign_role(desk.shop, replace(role_of(desk, person), organ=organ), desk.act())
        public_key = b64decode(public_bytes(ec.generate_private_key(ec.SECP256R1())))
        persons.register_key(desk.shop, person, KeyRequest(public_key=public_key, document="x"), desk.act())
    person = persons.register(desk.shop, "示例905", identity_number(905), desk.act()).record.id
    alone = lambda: persons.assign_role(  # noqa: E731  judged below
        desk.shop, replace(role_of(desk, person), organ=organ), desk.act()
    )
    assert code_of(alone, TransitionError) == "two-persons-needed"


def test_unknown_proposals_and_seals_are_not_found(desk: Desk) -> None:
    assert code_of(lambda: desk.propose("destroy_seal", seal=new_id("sea")), NotFoundError) == "record-not-found"
    opened = desk.propose("destroy_seal", seal=desk.seal)
    statement = desk.second.decision(opened, desk.audience, desk.now)
    missing = lambda: decide(desk.shop, new_id("ppl"), statement, desk.act())  # noqa: E731  judged below
    assert code_of(missing, NotFoundError) == "record-not-found"
