"""What administrators do, through the store: each change one entry, on the version that was read."""

from datetime import timedelta

import pytest
from registry_samples import (
    DIGEST,
    GRANTEE,
    GRANTOR,
    THIRD,
    client,
    client_approval_key,
    organ,
    organ_key,
    person,
    person_key,
    private_key,
    public,
    seal,
    status_change,
    terms,
)

from ledger.ids import new_id
from ledger.tables import subjects
from policies.facts import SetupFacts
from registry.agreements import sign_version
from registry.changes import Changes
from registry.errors import ConflictError, EvidenceError, NotFoundError, RecordInvalidError, TransitionError
from registry.records import Agreement, DocumentStatus, Seal
from registry.store import Act, Actor

WHO = Actor(id="per-" + "w" * 26, name="管理员甲", organ=GRANTOR)
SETUP = SetupFacts(regime="county_township", region="360732100", number=35)


class Office:
    """An administrator at work on a world with both organs and their keys."""

    def __init__(self, world) -> None:
        self.world = world
        world.put(organ())
        world.put(organ(code=GRANTEE, legal_name="兴国县潋江镇人民政府", region="360732100", level="township"))
        self.keys = {
            code: world.put(organ_key(organ=code, public_key=public(code))).record.id for code in (GRANTOR, GRANTEE)
        }

    def do(self, name: str, *arguments, why: str = "依规办理", **options):
        self.world.now += timedelta(seconds=1)
        with self.world.database.write() as connection:
            act = Act(by=WHO, why=why, now=self.world.now)
            changes = Changes(store=self.world.store, connection=connection, act=act)
            return getattr(changes, name)(*arguments, **options)

    def sign(self, agreement: Agreement, *organs: str):
        stored = None
        for code in organs:
            jws = sign_version(agreement, code, kid=self.keys[code], key=private_key(code))
            stored = self.do("attach_signature", agreement.id, jws)
        return stored

    def agreement_in_force(self) -> Agreement:
        draft = self.do("register_agreement", terms(), original_digest=DIGEST).record
        self.sign(draft, GRANTOR, GRANTEE)
        return self.do("bring_into_force", draft.id).record

    def kinds(self, subject: str) -> list[str]:
        """The kinds of entries about a subject, oldest first."""
        with self.world.database.read() as connection:
            rows = connection.execute(subjects.select().where(subjects.c.subject == subject).order_by(subjects.c.index))
            return [self.world.store.book.trusted(connection, row.index).kind for row in rows.all()]


@pytest.fixture
def office(world) -> Office:
    return Office(world)


def test_agreement_from_draft_to_its_end(office):
    done = office.agreement_in_force()
    assert done.current.signed_by == (GRANTOR, GRANTEE)
    office.do("change_agreement", done.id, "suspend", why="检查发现异常")
    office.do("change_agreement", done.id, "resume")
    wider = terms(scope="另加一项")
    pending = office.do("amend", done.id, wider, original_digest=DIGEST).record
    office.sign(pending, GRANTEE, GRANTOR)
    office.do("bring_into_force", done.id)
    ended = office.do("change_agreement", done.id, "recall", why="收回权限")
    assert (ended.record.state, ended.record.reason, ended.record.terms) == ("recalled", "收回权限", wider)
    assert office.world.get(Agreement, done.id) == ended
    assert office.kinds(done.id) == [
        "agreement.drafted",
        "agreement.signed",
        "agreement.signed",
        "agreement.brought_into_force",
        "agreement.suspended",
        "agreement.resumed",
        "agreement.amendment_drafted",
        "agreement.signed",
        "agreement.signed",
        "agreement.amended",
        "agreement.recalled",
    ]


def test_unregistered_organ_has_no_agreement(office):
    with pytest.raises(NotFoundError, match=THIRD):
        office.do("register_agreement", terms(grantee=THIRD, users=[THIRD]), original_digest=DIGEST)


def test_agreement_number_is_unique(office):
    office.do("register_agreement", terms(), original_digest=DIGEST)
    with pytest.raises(ConflictError):
        office.do("register_agreement", terms(), original_digest=DIGEST)


def test_draft_needs_the_digest_of_its_original(office):
    with pytest.raises(RecordInvalidError, match="original_digest"):
        office.do("register_agreement", terms(), original_digest="")


def test_key_of_a_third_organ_signs_nothing(office):
    third = office.world.put(organ_key(organ=THIRD, public_key=public(THIRD))).record
    draft = office.do("register_agreement", terms(), original_digest=DIGEST).record
    jws = sign_version(draft, GRANTOR, kid=third.id, key=private_key(THIRD))
    with pytest.raises(EvidenceError) as caught:
        office.do("attach_signature", draft.id, jws)
    assert caught.value.code == "statement-key-unknown"


def test_refused_change_writes_nothing(office):
    draft = office.do("register_agreement", terms(), original_digest=DIGEST)
    with pytest.raises(TransitionError):
        office.do("bring_into_force", draft.record.id)
    assert office.world.get(Agreement, draft.record.id) == draft
    assert office.kinds(draft.record.id) == ["agreement.drafted"]


def test_seal_from_engraving_to_destruction(office):
    agreement = office.agreement_in_force()
    made = office.do("register_seal", seal(agreement=agreement.id), setup=SETUP).record
    assert made.state == "pending"
    for change in ("enable", "suspend", "resume", "cancel", "destroy"):
        office.do("change_seal", made.id, change, why=f"原因{change}")
    filed = office.do("file_seal_change", made.id, 4, "赣公备2026-7")
    assert filed.record.filings[4].filing_number == "赣公备2026-7"
    assert filed.record.filings[0].person == WHO.id
    assert filed.record.filings[1].reason == "原因suspend"
    assert office.world.get(Seal, made.id) == filed
    assert office.kinds(made.id) == [
        f"seal.{verb}" for verb in ("registered", "enabled", "suspended", "resumed", "cancelled", "destroyed", "filed")
    ]


def test_seal_that_does_not_fit_is_not_registered(office):
    agreement = office.agreement_in_force()
    with pytest.raises(RecordInvalidError, match="number should be 12"):
        office.do(
            "register_seal",
            seal(agreement=agreement.id),
            setup=SetupFacts(regime="county_township", region="360732100", number=12),
        )
    with pytest.raises(NotFoundError):
        office.do("register_seal", seal(), setup=SETUP)
    assert office.world.find(Seal) == []


def test_document_status_grows(office):
    impression = new_id("imp")
    office.do("change_document_status", impression, status_change("amended"))
    done = office.do("change_document_status", impression, status_change("cancelled"))
    assert [change.status for change in done.record.changes] == ["amended", "cancelled"]
    assert done.version == 2
    assert office.kinds(done.record.id) == ["document_status.amended", "document_status.cancelled"]
    with pytest.raises(TransitionError):
        office.do("change_document_status", impression, status_change("amended"))
    assert office.world.find(DocumentStatus, impression=impression, status="cancelled") == [done]


def test_keys_are_registered_for_who_is_registered(office):
    office.do("register_key", organ_key(public_key=public("second")))
    holder = office.world.put(person()).record
    office.do("register_key", person_key(person=holder.id))
    platform = office.world.put(client()).record
    done = office.do("register_key", client_approval_key(client=platform.id))
    assert office.kinds(done.record.id) == ["client_approval_key.registered"]
    for orphan in (organ_key(organ=THIRD), person_key(), client_approval_key()):
        with pytest.raises(NotFoundError):
            office.do("register_key", orphan)


def test_key_that_is_none_is_not_registered(office):
    with pytest.raises(EvidenceError) as caught:
        office.do("register_key", organ_key(public_key="AAAA"))
    assert caught.value.code == "key-unsuitable"


def test_authentication_key_is_not_registered_for_approvals(office):
    platform = office.world.put(client(public_key=public("both"))).record
    with pytest.raises(RecordInvalidError) as caught:
        office.do("register_key", client_approval_key(client=platform.id, public_key=public("both")))
    assert caught.value.code == "approval-key-is-authentication-key"
