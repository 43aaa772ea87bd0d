"""An act of two persons asks for an approved proposal in its own transaction."""

import json
from dataclasses import replace
from datetime import timedelta

import pytest
from registry_samples import proposal

from ledger.ids import new_id
from registry.errors import TransitionError
from registry.proposals import content_digest, decided
from registry.store import row_subject
from sealing.administration import two_persons
from sealing.administration.acts import acting, put

CONTENT = {"seal": "sea-" + "s" * 26}


def stored(office, *, action="cancel_seal", approved=True):
    """A proposal in the database, approved or open."""
    found = proposal(
        id=new_id("ppl"),
        action=action,
        content=json.dumps(CONTENT, separators=(",", ":")),
        content_digest=content_digest(CONTENT),
        proposed_at=office.now,
        expires=office.now + timedelta(hours=1),
    )
    with acting(office.shop, office.act()) as changes:
        before = put(changes, found)
        if approved:
            second = "per-" + "t" * 26
            after = decided(found, "approve", jws="a.b.c", person=second, reason="同意", now=office.now)
            put(changes, after, replaces=before, verb="approved")
    return found.id


def refused(office, proposal_id, *actions, **about):
    with acting(office.shop, replace(office.act(), proposal=proposal_id)) as changes:
        with pytest.raises(TransitionError) as caught:
            two_persons.require(changes, *actions, **about)
        return caught.value.code


def test_an_approved_proposal_of_the_action_is_given_back_to_the_act(office):
    approved = stored(office)
    with acting(office.shop, replace(office.act(), proposal=approved)) as changes:
        found = two_persons.require(changes, "destroy_seal", "cancel_seal", seal=CONTENT["seal"])
    assert (found.id, found.state) == (approved, "approved")


def test_without_a_proposal_or_with_one_that_nobody_approved_the_act_is_refused(office):
    assert refused(office, None, "cancel_seal") == "two-persons-needed"
    assert refused(office, new_id("ppl"), "cancel_seal") == "two-persons-needed"
    assert refused(office, "not an id", "cancel_seal") == "two-persons-needed"
    assert refused(office, stored(office, approved=False), "cancel_seal") == "two-persons-needed"


def test_the_approval_of_another_act_or_of_another_seal_counts_for_nothing(office):
    approved = stored(office)
    assert refused(office, approved, "destroy_seal") == "two-persons-needed"
    assert refused(office, approved, "cancel_seal", seal="sea-" + "t" * 26) == "proposal-about-another"
    assert refused(office, approved, "cancel_seal", agreement="agr-" + "t" * 26) == "proposal-about-another"


def test_the_entry_of_a_change_names_the_proposal_it_carries_out(office):
    approved = stored(office)
    seal = office.world.seals["town"]
    from sealing.administration.seals import set_custodian

    custodian = office.world.staff["town"].custodian
    set_custodian(office.shop, seal, custodian, replace(office.act(), proposal=approved))
    _, groups = office.newest()
    assert groups["act"]["proposal"] == approved
    with office.shop.database.read() as connection:
        entry = office.shop.book.latest(connection, approved)
    assert entry is not None
    assert entry.leaf.subjects == (seal, row_subject(seal), approved)
