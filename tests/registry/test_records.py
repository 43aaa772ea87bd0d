"""Records are strict: no unknown field, no wrong kind of value, nothing that does not read as it looks."""

import json
from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from pydantic import ValidationError
from registry_samples import (
    GRANTEE,
    GRANTOR,
    client,
    client_approval_key,
    one_of_each,
    organ,
    organ_key,
    person,
    person_key,
    role,
)

from ledger.canonical import canonical, parse
from ledger.ids import is_id, new_id
from registry.errors import RecordInvalidError, RegistryError
from registry.organs import Organ, Succession
from registry.record import DatedRecord, build, derived_id, read, reasons, sentences

VECTOR = "sta-nekp7hbnj37zyfefrimwtbtzay"
EACH = [pytest.param(record, id=type(record).__name__) for record in one_of_each()]


@pytest.mark.parametrize("record", EACH)
def test_every_record_is_restricted_json_and_back(record):
    body = record.model_dump(mode="json")
    assert parse(canonical(body)) == body
    assert read(type(record), body) == record


@pytest.mark.parametrize("record", EACH)
def test_unknown_and_missing_fields_are_refused(record):
    body = record.model_dump(mode="json")
    with pytest.raises(RecordInvalidError, match="note"):
        read(type(record), body | {"note": "x"})
    with pytest.raises(RecordInvalidError, match="id"):
        read(type(record), {name: value for name, value in body.items() if name != "id"})


@pytest.mark.parametrize("record", EACH)
def test_records_cannot_be_changed(record):
    with pytest.raises(ValidationError):
        record.id = new_id("oth")


@pytest.mark.parametrize("record", EACH)
@pytest.mark.parametrize(
    "value", ["", "sea-1", "SEA-" + "A" * 26, "sea-" + "1" * 26, "sea-" + "a" * 27, 7, None], ids=str
)
def test_id_is_opaque(record, value):
    with pytest.raises(RecordInvalidError):
        read(type(record), record.model_dump(mode="json") | {"id": value})


def test_times_are_utc_with_microseconds():
    body = role(valid_from=datetime(2024, 1, 1, tzinfo=UTC)).model_dump(mode="json")
    assert body["valid_from"] == "2024-01-01T00:00:00.000000Z"
    assert body["valid_until"] is None


@pytest.mark.parametrize(
    "moment",
    [
        datetime(2024, 1, 1),  # noqa: DTZ001  the missing zone is the point
        datetime(2024, 1, 1, tzinfo=timezone(timedelta(hours=8))),
        datetime(1999, 12, 31, tzinfo=UTC),
        datetime(3000, 1, 1, tzinfo=UTC),
        "2024-01-01T00:00:00Z",
        1704067200,
    ],
    ids=str,
)
def test_other_times_are_refused(moment):
    with pytest.raises(ValidationError):
        role(valid_from=moment)


@pytest.mark.parametrize(
    "name",
    [
        "",
        " 兴国县",
        "兴国县\n ",
        "兴国\n县",
        "兴国\u200b县",
        "兴国\u202e县",
        "兴国\ue000县",
        "兴国\x00县",
        "e\u0301",
        "兴" * 201,
        7,
    ],
    ids=ascii,
)
def test_names_read_as_they_look(name):
    with pytest.raises(ValidationError):
        organ(legal_name=name)


def test_error_names_field_but_not_the_value():
    """What was typed may be a secret or a person's data."""
    body = client().model_dump(mode="json") | {"secret_hash": "hunter2"}
    with pytest.raises(RecordInvalidError) as caught:
        read(type(client()), body)
    assert "secret_hash" in caught.value.en
    assert "hunter2" not in str(caught.value)
    assert caught.value.code == "record-invalid"


def test_each_sentence_is_in_one_language():
    """Validators write both; neither sentence holds the other, and every place is named in both."""
    later, earlier = datetime(2026, 2, 1, tzinfo=UTC), datetime(2026, 1, 1, tzinfo=UTC)
    with pytest.raises(RecordInvalidError) as caught:
        build(DatedRecord, id="per-" + "a" * 26, valid_from=later, valid_until=earlier)
    assert caught.value.zh == "DatedRecord 内容不合格：DatedRecord: 有效期的起始须早于终止"
    assert caught.value.en == "DatedRecord is not acceptable: DatedRecord: the period must begin before it ends"


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ("Value error, 有误 / wrong", ("有误", "wrong")),
        ("有误 / wrong / worse", ("有误", "wrong / worse")),
        ("Input should be a valid string", ("Input should be a valid string",) * 2),
    ],
)
def test_what_a_validator_said_is_split_once(message, expected):
    assert sentences(message) == expected


def test_all_reasons_are_told_with_their_places():
    with pytest.raises(ValidationError) as caught:
        Succession.model_validate({"organ": "1", "more": 1})
    zh, en = reasons(caught.value)
    for told in (zh, en):
        assert [each.split(":")[0] for each in told.split("; ")] == ["organ", "on", "document", "more"]


def test_build_gives_the_typed_error():
    with pytest.raises(RecordInvalidError, match="Succession"):
        build(Succession, organ=GRANTOR, on="yesterday", document="x")
    assert build(Succession, organ=GRANTOR, on=date(2024, 3, 1), document="赣编发〔2024〕1号").organ == GRANTOR


def test_error_says_both_languages():
    error = RegistryError("some-code", "中文", "English")
    assert (str(error), error.code, error.zh, error.en) == ("中文 / English", "some-code", "中文", "English")


def test_derived_id_is_fixed_and_depends_on_every_part():
    """Stored rows hold these ids: they must come out the same for ever."""
    assert derived_id("sta", "imp-1") == VECTOR
    assert is_id(derived_id("sta", "imp-1"))
    others = {
        derived_id("sta", "imp-2"),
        derived_id("stb", "imp-1")[4:],
        derived_id("sta", "imp-1", ""),
        derived_id("sta", "imp", "-1"),
    }
    assert VECTOR not in others
    assert VECTOR[4:] not in others
    assert len(others) == 4


def test_organ_names_are_told_apart():
    with pytest.raises(ValidationError, match="alias"):
        organ(aliases=("兴国县行政审批局",))
    with pytest.raises(ValidationError, match="alias"):
        organ(aliases=("审批局", "审批局"))


def test_organ_cannot_succeed_itself():
    step = {"on": date(2024, 3, 1), "document": "赣编发〔2024〕1号"}
    with pytest.raises(ValidationError, match="succeed"):
        organ(succeeded_by=Succession(organ=GRANTOR, **step))
    assert organ(succeeded_by=Succession(organ=GRANTEE, **step)).succeeded_by is not None


@pytest.mark.parametrize("region", ["36073", "3607321", "36073210", "3607321000", "36073x", ""])
def test_region_is_a_code_of_six_or_nine_digits(region):
    with pytest.raises(ValidationError):
        organ(region=region)
    assert isinstance(organ(region="360732100"), Organ)


def test_deputy_needs_a_letter_and_a_person():
    whom = new_id("per")
    assert role(role="deputy", on_behalf_of=whom).on_behalf_of == whom
    with pytest.raises(ValidationError, match="授权书"):
        role(role="deputy")
    with pytest.raises(ValidationError, match="授权书"):
        role(role="deputy", on_behalf_of=whom, document=None)


def test_only_deputies_and_acting_principals_act_for_another():
    assert role(role="acting_principal", on_behalf_of=new_id("per")).role == "acting_principal"
    assert role(role="acting_principal").on_behalf_of is None
    for other in ("principal", "seal_user", "custodian", "grantor_administrator"):
        with pytest.raises(ValidationError, match="acts for another"):
            role(role=other, on_behalf_of=new_id("per"))
    who = new_id("per")
    with pytest.raises(ValidationError, match="themselves"):
        role(role="deputy", person=who, on_behalf_of=who)


@pytest.mark.parametrize("build_key", [organ_key, person_key, client_approval_key, role])
def test_periods_run_forward(build_key):
    moment = datetime(2026, 1, 1, tzinfo=UTC)
    with pytest.raises(ValidationError, match="begin before"):
        build_key(valid_from=moment, valid_until=moment)


@pytest.mark.parametrize("value", ["not base64!", "AAA", "", "AAAA\n"])
def test_public_key_is_base64(value):
    with pytest.raises(ValidationError):
        organ_key(public_key=value)


def test_person_holds_no_identity_number():
    assert set(json.loads(person().model_dump_json())) == {"id", "name", "natural_person"}
    with pytest.raises(ValidationError):
        person(natural_person="11010519491231002X")


def test_client_proves_itself_one_way():
    with pytest.raises(ValidationError, match="either"):
        client(secret_hash="scrypt$" + "a" * 40)
    with pytest.raises(ValidationError, match="either"):
        client(public_key=None)
    assert client(secret_hash="scrypt$" + "a" * 40, public_key=None).public_key is None


@pytest.mark.parametrize(
    "changes",
    [
        {"roles": ()},
        {"roles": ("root",)},
        {"roles": ("auditor", "auditor")},
        {"organs": (GRANTEE, GRANTEE)},
        {"organs": ()},
        {"organs": (), "roles": ("grantor_administrator",)},
        {"state": "unknown"},
    ],
    ids=str,
)
def test_wrong_clients_are_refused(changes):
    with pytest.raises(ValidationError):
        client(**changes)


@pytest.mark.parametrize("who", ["operator", "auditor"])
def test_operator_and_auditor_act_for_no_organ(who):
    assert client(organs=(), roles=(who,)).organs == ()
