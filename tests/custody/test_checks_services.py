"""Time-stamps, revocation answers, lists, reports and tokens: what the service makes passes, and nothing else."""

import json
from base64 import b64decode, b64encode, urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from asn1crypto import crl as asn1_crl
from asn1crypto import ocsp, tsp
from checked_keystore import Checked
from told_state import ToldState

from api.tokens import Tokens
from custody.checks import check_use
from custody.requests import UseRequest
from keystore.interface import GroundsError
from sealing import revocation
from sealing.administration.seals import SealPolicy, set_policy
from sealing.audit_keys import audit_keys
from sealing.verification import judge_upload
from sealing.verification_report import make_report
from signer.cms import signed_attributes

PURPOSES = ("log", "seal", "ca", "timestamp", "ocsp", "report", "token")


@pytest.fixture(scope="module")
def served(looked_at: Checked) -> dict[str, tuple[UseRequest, datetime]]:
    """An installation that has used every key there is, through the checks; what was asked last of each."""
    shop, desk = looked_at.shop, looked_at.desk
    act = replace(looked_at.world.act("选定级别"), now=looked_at.clock())
    set_policy(shop, looked_at.world.seals["city"], SealPolicy(level="PAdES-B-LTA", check_mark="none"), act)
    outcome = looked_at.seal()
    sealed = shop.documents.read_path(str(outcome.sealed_digest))
    verdict = judge_upload(shop, sealed, length=sealed.stat().st_size, receipt=None, now=desk.now)
    assert make_report(shop, verdict, name="x.pdf", language="zh", now=looked_at.clock())
    assert revocation.crl(shop, looked_at.clock())
    Tokens(shop.keystore.open(shop.installation.token_key), "http://x", timedelta(minutes=10)).issue("c", desk.now)
    return {purpose: (request, desk.now) for purpose, request in desk.asked.items()}


@pytest.fixture
def state(looked_at: Checked) -> ToldState:
    return ToldState(looked_at.keystore.state)


def refused(
    asked: tuple[UseRequest, datetime], state: ToldState, later: timedelta = timedelta(), **changed: Any
) -> str:
    request, now = asked
    with pytest.raises(GroundsError) as caught:
        check_use(replace(request, **changed), state, now + later)
    return caught.value.en


def test_every_key_of_a_service_was_used_and_each_use_is_as_the_ledger_tells(
    looked_at: Checked, served: Mapping[str, Any]
) -> None:
    told = audit_keys(looked_at.shop)
    assert told.findings == []
    forms = {str(line.about.get("form")) for line in looked_at.keystore.uses_after(0) if line.event == "use"}
    assert forms == {
        "root", "issuer", "certificate", "checkpoint", "seal", "timestamp", "answer", "list", "report", "token",
    }  # fmt: skip
    assert set(served) == set(PURPOSES)


def test_a_report_whose_use_is_missing_is_named(looked_at: Checked, served: Mapping[str, Any]) -> None:
    """The entry of a report that left names its intent."""
    with looked_at.shop.database.read() as connection:
        (index,) = looked_at.shop.book.indexes(connection, "report.made")
        made = looked_at.shop.book.entry(connection, index).value("report")
        intent = looked_at.shop.book.entry(connection, made["intent_entry"])  # type: ignore[index, call-overload]
    assert intent.kind == "report.intended"
    assert looked_at.keystore.about("report")[-1]["intent"] == intent.leaf.id


@pytest.mark.parametrize("purpose", ["timestamp", "ocsp", "token", "ca"])
def test_each_is_of_this_hour(served: Mapping[str, Any], state: ToldState, purpose: str) -> None:
    assert refused(served[purpose], state, later=timedelta(hours=1))
    assert refused(served[purpose], state, later=-timedelta(hours=1))


@pytest.mark.parametrize(("purpose", "other"), [(one, other) for one in PURPOSES for other in PURPOSES if one != other])
def test_no_key_signs_what_is_for_another_purpose(
    served: Mapping[str, Any], state: ToldState, purpose: str, other: str
) -> None:
    """The very message, grounds and file that passed for one key are refused for every key of another purpose."""
    request, now = served[other]
    mine = served[purpose][0]
    asked = replace(request, purpose=purpose, key_ref=mine.key_ref, public_key=mine.public_key)
    if request.file is not None:
        request.file.seek(0)
    assert refused((asked, now), state)


def test_a_purpose_without_checks_is_refused(served: Mapping[str, Any], state: ToldState) -> None:
    assert "no key of the purpose witness is used here" in refused(served["log"], state, purpose="witness")
    assert "no key of the purpose crl is used here" in refused(served["ca"], state, purpose="crl")


# --- time-stamps


def _stamp(served: Mapping[str, Any], **changed: Any) -> dict[str, Any]:
    """The message and grounds of a time-stamp that says something else, with attributes that fit it."""
    request, _ = served["timestamp"]
    info = tsp.TSTInfo.load(_bytes(request, "content"))
    for name, value in changed.items():
        info[name] = value
    content = info.dump(force=True)
    message = bytearray(request.message)
    old = sha256(_bytes(request, "content")).digest()
    at = bytes(message).index(old)
    message[at : at + 32] = sha256(content).digest()
    return {"message": bytes(message), "grounds": {**request.grounds, "content": b64encode(content).decode()}}


def test_a_time_stamp_of_another_time(served: Mapping[str, Any], state: ToldState) -> None:
    assert check_use(replace(served["timestamp"][0], **_stamp(served, serial_number=5)), state, served["timestamp"][1])
    earlier = datetime(2026, 1, 1, tzinfo=UTC)
    assert "the clock here" in refused(served["timestamp"], state, **_stamp(served, gen_time=earlier))


def test_a_time_stamp_other_than_the_one_shown(served: Mapping[str, Any], state: ToldState) -> None:
    grounds = _stamp(served, serial_number=5)["grounds"]
    assert "about another time-stamp" in refused(served["timestamp"], state, grounds=grounds)


def test_a_time_stamp_is_no_signature_on_a_document(served: Mapping[str, Any], state: ToldState) -> None:
    request, _ = served["timestamp"]
    message = signed_attributes(bytes(32), _bytes(request, "certificate"))
    assert "expected 1.2.840.113549.1.9.16.1.4" in refused(served["timestamp"], state, message=message)


# --- revocation answers and lists


def test_an_answer_by_another_responder(served: Mapping[str, Any], state: ToldState) -> None:
    data = ocsp.ResponseData.load(served["ocsp"][0].message)
    data["responder_id"] = ocsp.ResponderId(name="by_key", value=bytes(20))
    assert "does not name this key" in refused(served["ocsp"], state, message=data.dump(force=True))


def _list(served: Mapping[str, Any]) -> Any:
    return asn1_crl.TbsCertList.load(served["ca"][0].message)


def test_the_list_passes_as_it_is(served: Mapping[str, Any], state: ToldState) -> None:
    request, now = served["ca"]
    assert check_use(request, state, now)["form"] == "list"


def test_a_list_that_holds_for_longer_than_a_day(served: Mapping[str, Any], state: ToldState) -> None:
    found = _list(served)
    found["next_update"] = asn1_crl.Time({"utc_time": datetime(2027, 1, 1, tzinfo=UTC)})
    assert "for at most 1 day" in refused(served["ca"], state, message=found.dump(force=True))


def test_a_list_by_another_authority(served: Mapping[str, Any], state: ToldState) -> None:
    """The list of the issuer is not for the root's key, nor the root's for the issuer's."""
    other = next(each for each in state.generated("ca") if each.ref != served["ca"][0].key_ref)
    said = refused(served["ca"], state, public_key=other.public_key, key_ref=other.ref)
    assert "not by the authority of this key" in said


def test_a_list_with_an_extension_that_changes_its_meaning(served: Mapping[str, Any], state: ToldState) -> None:
    found = _list(served)
    found["crl_extensions"].append({"extn_id": "delta_crl_indicator", "critical": True, "extn_value": 1})
    assert "has other extensions" in refused(served["ca"], state, message=found.dump(force=True))


def test_a_list_for_another_algorithm(served: Mapping[str, Any], state: ToldState) -> None:
    assert "the key signs with rsa3072-sha256" in refused(served["ca"], state, algorithm="rsa3072-sha256")


# --- reports


def test_a_report_is_used_once(served: Mapping[str, Any], state: ToldState, looked_at: Checked) -> None:
    request, _ = served["report"]
    request.file.seek(0)
    assert check_use(request, state, served["report"][1])["form"] == "report"
    state.used.add(looked_at.keystore.about("report")[-1]["intent"])
    assert "used before" in refused(served["report"], state)


def test_a_report_with_the_intent_of_a_seal(served: Mapping[str, Any], state: ToldState) -> None:
    request, _ = served["report"]
    grounds = {**request.grounds, "intent": served["seal"][0].grounds["intent"]}
    assert "expected report.intended" in refused(served["report"], state, grounds=grounds)


def test_a_report_of_another_file(served: Mapping[str, Any], state: ToldState, tmp_path: Path) -> None:
    request, _ = served["report"]
    content = bytearray(request.file.getvalue())
    content[50] ^= 1
    path = tmp_path / "other.pdf"
    path.write_bytes(content)
    with path.open("rb") as file:
        assert "ByteRange has the digest" in refused(served["report"], state, file=file)


# --- tokens


def _token(header: Mapping[str, Any], claims: Mapping[str, Any]) -> bytes:
    return b".".join(urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=") for part in (header, claims))


@pytest.mark.parametrize(
    ("header", "claims"),
    [
        ({"alg": "none"}, {}),
        ({"kid": "file:token-other"}, {}),
        ({"typ": "yinxin-approval+jws"}, {}),
        ({"jku": "http://x"}, {}),
        ({}, {"exp": 2**33}),
        ({}, {"iat": "now"}),
        ({}, {"iat": True}),
        ({}, {"exp": 0}),
    ],
    ids=["algorithm", "kid", "approval", "more", "endless", "text", "truth", "ended"],
)
def test_a_token_that_is_not_ours(
    served: Mapping[str, Any], state: ToldState, header: dict[str, Any], claims: dict[str, Any]
) -> None:
    request, now = served["token"]
    good_header = {"alg": "ES256", "typ": "yinxin-access+jwt", "kid": request.key_ref}
    good_claims = {"iat": int(now.timestamp()), "exp": int(now.timestamp()) + 600}
    assert check_use(replace(request, message=_token(good_header, good_claims)), state, now)["form"] == "token"
    message = _token({**good_header, **header}, {**good_claims, **claims})
    assert "token" in refused(served["token"], state, message=message)


@pytest.mark.parametrize("message", [b"", b"a", b"a.b", b"e30.e30.e30", b"W10.W10", b"e30=.e30="])
def test_what_is_no_token(served: Mapping[str, Any], state: ToldState, message: bytes) -> None:
    assert "token" in refused(served["token"], state, message=message)


def _bytes(request: UseRequest, name: str) -> bytes:
    assert request.grounds is not None
    return b64decode(request.grounds[name])
