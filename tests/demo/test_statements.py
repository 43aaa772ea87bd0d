"""What the demo signs on its own is what the service reads."""

from base64 import b64decode
from datetime import UTC, datetime, timedelta, timezone

import pytest

from demo.statements import APPROVAL, SigningKey, canonical, digest, moment, new_id, terms_digest
from ledger.canonical import canonical as canonical_of_record
from ledger.ids import is_id
from registry.errors import EvidenceError
from registry.statements import RegisteredKey, open_statement


def registered(key: SigningKey) -> RegisteredKey:
    return RegisteredKey(
        id=key.id,
        kind="person",
        holder=new_id("per"),
        public_key=b64decode(key.public),
        valid_from=datetime(2026, 1, 1, tzinfo=UTC),
        valid_until=None,
    )


@pytest.mark.parametrize(
    "value",
    [
        {"b": "号", "a": [1, True, None]},
        {"〔2026〕": '“2号章”\n\t\\"'},
        [],
        {"facts": {"volume_m3": "22.5"}},
        "\u2028\x7f",
    ],
)
def test_canonical_form_is_the_services_own(value: object) -> None:
    assert canonical(value) == canonical_of_record(value)


def test_the_service_opens_what_the_demo_signs() -> None:
    key = SigningKey(id=new_id("pky"))
    opened = open_statement(key.sign({"v": 1, "事": "项"}, APPROVAL), typ=APPROVAL, find_key=lambda _: registered(key))
    assert opened.payload == {"v": 1, "事": "项"}


def test_another_key_does_not_open_it() -> None:
    key, other = SigningKey(id=new_id("pky")), SigningKey(id=new_id("pky"))
    other.id = key.id
    with pytest.raises(EvidenceError) as raised:
        open_statement(key.sign({"v": 1}, APPROVAL), typ=APPROVAL, find_key=lambda _: registered(other))
    assert raised.value.code == "statement-signature-wrong"


def test_ids_have_the_form_of_the_service() -> None:
    made = {new_id("apr") for _ in range(50)}
    assert len(made) == 50
    assert all(is_id(each) for each in made)


def test_times_and_digests() -> None:
    beijing = timezone(timedelta(hours=8))
    assert moment(datetime(2026, 11, 23, 9, tzinfo=beijing)) == "2026-11-23T01:00:00.000000Z"
    assert digest(b"") == "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    assert terms_digest({"v": 1}) != terms_digest({"v": 2})
