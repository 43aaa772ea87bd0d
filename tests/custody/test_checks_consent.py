"""A seal's certificate, and the end of a seal's key, rest on what two persons signed; nothing else will do."""

from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from checked_keystore import Checked
from told_state import ToldState, groups_of, shown
from two_administrators import Administrator

from custody.checks import check_use
from custody.pins import Pin, Pins
from custody.requests import UseRequest
from keystore.interface import GroundsError
from keystore.open import open_keystore
from ledger.canonical import canonical
from registry.proposals import Proposal
from registry.records import SealKey
from sealing.audit_keys import audit_keys

ALGORITHM = "ecdsa-p256-sha256"


@dataclass
class Case:
    """A use, or an end, that would pass, and who signed for it."""

    checked: Checked
    request: UseRequest
    now: datetime
    state: ToldState
    action: Any
    content: dict[str, Any]

    @property
    def first(self) -> Administrator:
        return self.checked.world.administrators["city"][0]

    @property
    def second(self) -> Administrator:
        return self.checked.world.administrators["city"][1]

    def judge(self, **grounds: Any) -> Any:
        whole = {**(self.request.grounds or {}), **grounds}
        return check_use(replace(self.request, grounds=whole), self.state, self.now)

    def refused(self, **grounds: Any) -> str:
        with pytest.raises(GroundsError) as caught:
            self.judge(**grounds)
        return caught.value.en

    def signed(
        self,
        *,
        first: Administrator | None = None,
        second: Administrator | None = None,
        action: Any = None,
        content: dict[str, Any] | None = None,
        choice: Any = "approve",
        **changed: Any,
    ) -> dict[str, str]:
        """A consent of one's own making."""
        about, act = content or self.content, action or self.action
        origin = self.checked.shop.installation.log_origin
        proposal = (first or self.first).proposal(origin, act, about, self.now, **changed)
        record = Proposal.model_construct(
            id=_claims(proposal)["id"],
            action=act,
            content_digest=_claims(proposal)["content_digest"],
            statement=proposal,
        )
        decision = (second or self.second).decision(record, origin, self.now, choice)
        return {"proposal": proposal, "decision": decision, "content": canonical(about).decode()}


def _claims(jws: str) -> Any:
    import base64
    import json

    part = jws.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))


@pytest.fixture(params=["certificate", "destruction"])
def case(request: pytest.FixtureRequest, checked: Checked) -> Case:
    seal, world = checked.world.seals["city"], checked.world

    def act() -> Any:
        return replace(world.act("测试"), now=checked.clock())

    rotation = {"seal": seal, "algorithm": ALGORITHM}
    world.two_persons("rotate_key", "city", act(), **rotation)
    asked, now, action, content = checked.desk.asked["ca"], checked.desk.now, "rotate_key", rotation
    if request.param == "destruction":
        world.two_persons("cancel_seal", "city", act(), seal=seal, reason="superseded")
        world.two_persons("destroy_seal", "city", act(), seal=seal)
        asked, now, action, content = checked.desk.asked["seal"], checked.desk.now, "destroy_seal", {"seal": seal}
        assert asked.ends
    return Case(checked, asked, now, ToldState(checked.keystore.state), action, content)


def test_what_two_persons_signed_passes(case: Case) -> None:
    assert case.judge()["consent"]
    assert case.judge(consent=case.signed())["consent"]
    assert audit_keys(case.checked.shop).findings == []


def test_nothing_signed(case: Case) -> None:
    whole = {name: value for name, value in (case.request.grounds or {}).items() if name != "consent"}
    with pytest.raises(GroundsError, match="did not come along"):
        check_use(replace(case.request, grounds=whole), case.state, case.now)


@pytest.mark.parametrize("brought", [None, "x", {}, {"proposal": 1, "decision": 2, "content": 3}], ids=repr)
def test_what_is_no_consent(case: Case, brought: Any) -> None:
    assert "did not come along" in case.refused(consent=brought)


@pytest.mark.parametrize("content", ["", "[]", "{", '{"a":1,"a":1}', '{ "seal":"x"}'])
def test_a_content_that_cannot_be_read(case: Case, content: str) -> None:
    assert case.refused(consent={**case.signed(), "content": content})


def test_one_person_alone(case: Case) -> None:
    alone = case.signed(second=case.first)
    assert "both statements are by one person" in case.refused(consent=alone)


def test_the_proposal_in_place_of_a_decision(case: Case) -> None:
    consent = case.signed()
    assert "typ yinxin-decision+jws" in case.refused(consent={**consent, "decision": consent["proposal"]})


def test_a_rejection(case: Case) -> None:
    assert "did not approve" in case.refused(consent=case.signed(choice="reject"))


def test_another_act(case: Case) -> None:
    assert "what was approved is to cancel_seal" in case.refused(consent=case.signed(action="cancel_seal"))


def test_another_seal(case: Case) -> None:
    content = {**case.content, "seal": case.checked.world.seals["town"]}
    assert "approved something else" in case.refused(consent=case.signed(content=content))


@pytest.mark.parametrize("case", ["certificate"], indirect=True)
def test_a_key_of_another_algorithm_than_was_approved(case: Case) -> None:
    content = {**case.content, "algorithm": "rsa3072-sha256"}
    assert "approved something else: algorithm=" in case.refused(consent=case.signed(content=content))


def test_another_content_than_was_signed(case: Case) -> None:
    other = {**case.signed(), "content": canonical({**case.content, "more": 1}).decode()}
    assert "over the content" in case.refused(consent=other)


def test_a_key_that_nobody_registered(case: Case) -> None:
    from cryptography.hazmat.primitives.asymmetric import ec

    stranger = replace(case.second, key=ec.generate_private_key(ec.SECP256R1()))
    assert "does not verify" in case.refused(consent=case.signed(second=stranger))
    unknown = replace(case.second, kid="pky-" + "z" * 26)
    assert "the registration of key" in case.refused(consent=case.signed(second=unknown))


def test_where_only_listed_keys_count_a_recorded_one_does_not(case: Case) -> None:
    case.state.learns = False
    assert "is not pinned here" in case.refused()


def test_listed_keys_count(case: Case, tmp_path: Path) -> None:
    known, case.state.learns, case.state.pinned = Pins(case.state.pins), False, tmp_path / "listed"
    listed = Pins(case.state.pinned)
    for each in (case.first, case.second):
        pin = known.find(each.kid)
        assert pin is not None
        listed.add(
            Pin(**{**{name: getattr(pin, name) for name in ("id", "kind", "holder", "public_key")}, "how": "listed"})
        )
    assert case.judge()["consent"]


def test_statements_serve_once(checked: Checked) -> None:
    seal = checked.world.seals["city"]
    act = replace(checked.world.act("换钥"), now=checked.clock())
    checked.world.two_persons("rotate_key", "city", act, seal=seal, algorithm=ALGORITHM)
    asked = checked.desk.asked["ca"]
    state = ToldState(checked.keystore.state)
    state.used.add(check_use(asked, state, checked.desk.now)["consent"])
    with pytest.raises(GroundsError, match="served before"):
        check_use(asked, state, checked.desk.now)


def test_keys_of_other_purposes_are_not_destroyed(case: Case) -> None:
    for purpose in ("ca", "log", "ocsp"):
        with pytest.raises(GroundsError, match=f"purpose {purpose} is not destroyed here"):
            check_use(replace(case.request, purpose=purpose, ends=True), case.state, case.now)  # type: ignore[arg-type]


def test_a_key_that_was_certified_for_another_seal_is_not_destroyed(checked: Checked) -> None:
    """The statements are about one seal, the intent names the key of another one."""
    world = checked.world
    act = lambda: replace(world.act("测试"), now=checked.clock())  # noqa: E731  each a later moment
    world.two_persons("cancel_seal", "city", act(), seal=world.seals["city"], reason="superseded")
    world.two_persons("destroy_seal", "city", act(), seal=world.seals["city"])
    asked, state = checked.desk.asked["seal"], ToldState(checked.keystore.state)
    with checked.shop.database.read() as connection:
        other = checked.shop.registry.find_one(connection, SealKey, seal=world.seals["town"], current=True).record
    settings = checked.shop.settings
    raw = open_keystore(settings.keystore_uri, key_encryption_key=settings.key_encryption_key_path)
    assert asked.grounds is not None
    said = {**groups_of(asked.grounds["intent"])["key"], "key": other.key_ref}
    log_key = raw.open(checked.shop.installation.log_key)
    intent = shown("key_destruction.intended", {"key": said}, log_key, state, checked.desk.now)
    request = replace(asked, key_ref=other.key_ref, grounds={**asked.grounds, "intent": intent})
    with pytest.raises(GroundsError, match="was never certified for the seal"):
        check_use(request, state, checked.desk.now)
