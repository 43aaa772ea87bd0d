"""Ways round the checks of a seal's key: each is refused, and told why."""

import shutil
from base64 import b64decode, b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from asn1crypto import x509
from checked_keystore import Checked
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from told_state import ToldState, groups_of, shown

from custody.checks import check_use
from custody.pins import Pin, Pins
from custody.requests import UseRequest
from keystore.files import FileKeystore
from keystore.interface import GroundsError, SigningKey
from keystore.open import open_keystore
from ledger.evidence import Evidence
from signer.cms import signed_attributes

_DER, _SPKI = Encoding.DER, PublicFormat.SubjectPublicKeyInfo


@dataclass
class Case:
    """A seal use that would pass, its state, and the log's key, as if it had been stolen."""

    checked: Checked
    request: UseRequest
    state: ToldState
    log_key: SigningKey
    folder: Path

    def judge(self, request: UseRequest | None = None, **changed: Any) -> Mapping[str, Any]:
        self.state.real = self.checked.keystore.state
        asked = replace(request or self.request, **changed)
        return check_use(asked, self.state, self.checked.desk.now)

    def refused(self, request: UseRequest | None = None, **changed: Any) -> str:
        with pytest.raises(GroundsError) as caught:
            self.judge(request, **changed)
        return caught.value.en

    def grounds(self, **changed: Any) -> dict[str, Any]:
        assert self.request.grounds is not None
        return {**self.request.grounds, **changed}

    def intent(self, **changed: Mapping[str, Any]) -> dict[str, Any]:
        """Grounds with an intent of which some values are others, and which is in a log all the same."""
        groups = groups_of(self.grounds()["intent"])
        for name, values in changed.items():
            groups[name] = {**groups[name], **values}
        return self.grounds(intent=shown("seal.intended", groups, self.log_key, self.state, self.checked.desk.now))


@pytest.fixture(scope="module")
def asked(looked_at: Checked) -> tuple[UseRequest, datetime]:
    """One honest seal use, as it was asked, and when."""
    looked_at.seal()
    return looked_at.desk.asked["seal"], looked_at.desk.now


@pytest.fixture
def case(looked_at: Checked, asked: tuple[UseRequest, datetime], tmp_path: Path) -> Case:
    settings, (request, looked_at.desk.now) = looked_at.shop.settings, asked
    raw = open_keystore(settings.keystore_uri, key_encryption_key=settings.key_encryption_key_path)
    shutil.copytree(looked_at.keystore.pins, tmp_path / "pins")
    return Case(
        checked=looked_at,
        request=request,
        state=ToldState(looked_at.keystore.state, pinned=tmp_path / "pins"),
        log_key=raw.open(looked_at.shop.installation.log_key),
        folder=tmp_path,
    )


def test_the_use_that_was_made_passes_and_is_told(case: Case) -> None:
    about = case.judge()
    assert about == case.checked.keystore.about("seal")[-1]
    assert about["document"] == groups_of(case.grounds()["intent"])["document"]["source_digest"]


def test_a_forged_intent_in_the_log_itself_is_what_the_other_tests_change(case: Case) -> None:
    assert case.judge(grounds=case.intent())["form"] == "seal"


def test_an_intent_is_used_once(case: Case) -> None:
    case.state.used.add(Evidence.from_json(case.grounds()["intent"]).check(case.state.log)[0].id)  # type: ignore[arg-type]
    assert "was used before" in case.refused()


def test_the_record_itself_remembers_the_intent(case: Case) -> None:
    with pytest.raises(GroundsError, match="was used before"):
        check_use(case.request, case.checked.keystore.state, case.checked.desk.now)


def test_an_intent_whose_lease_lapsed_is_abandoned(case: Case) -> None:
    case.checked.desk.now += timedelta(minutes=2)
    assert "the lease of the intent ended" in case.refused()


@pytest.mark.parametrize("message", [b"", b"hello", b"\x31\x00", b"\x30\x00"], ids=["empty", "text", "set", "sequence"])
def test_what_is_not_signed_attributes(case: Case, message: bytes) -> None:
    assert "signed attributes" in case.refused(message=message)


def test_a_certificate_is_not_for_a_seals_key(case: Case) -> None:
    issuer = case.checked.shop.installation.issuer_certificate.public_bytes(_DER)
    tbs = x509.Certificate.load(issuer)["tbs_certificate"]
    assert "neither signed attributes nor a request" in case.refused(message=tbs.dump())


def test_another_file(case: Case) -> None:
    content = bytearray(_content(case))
    content[-3] ^= 1
    assert "ByteRange has the digest" in case.refused(file=BytesIO(bytes(content)))


def test_a_file_that_is_longer(case: Case) -> None:
    assert "recorded are" in case.refused(file=BytesIO(_content(case) + b"more"))


def test_no_file(case: Case) -> None:
    assert "the prepared file did not come along" in case.refused(file=None)


def test_another_prefix_with_attributes_that_fit_it(case: Case) -> None:
    content = bytearray(_content(case))
    content[100] ^= 1
    layout = case.grounds()["layout"]
    first, before, after, rest = layout["byte_range"]
    covered = sha256(content[first:before] + content[after : after + rest]).digest()
    message = signed_attributes(covered, _certificate(case))
    grounds = case.intent(document={"to_be_signed": _digest(message), "byte_range_digest": "sha256:" + covered.hex()})
    said = case.refused(message=message, file=BytesIO(bytes(content)), grounds=grounds)
    assert "source_digest is" in said


def test_another_message_than_was_intended(case: Case) -> None:
    message = signed_attributes(bytes(32), _certificate(case))
    assert "to_be_signed is" in case.refused(message=message)


def test_the_certificate_of_another_seal(case: Case) -> None:
    other = case.checked.shop.installation.issuer_certificate.public_bytes(_DER)
    assert "name another certificate" in case.refused(grounds=case.grounds(certificate=b64encode(other).decode()))


def test_an_intent_for_another_key(case: Case) -> None:
    assert "key is" in case.refused(grounds=case.intent(document={"key": "file:seal-" + "0" * 32}))


def test_an_entry_that_is_no_intent(case: Case) -> None:
    groups = groups_of(case.grounds()["intent"])
    impressed = shown("seal.impressed", groups, case.log_key, case.state, case.checked.desk.now)
    assert "expected seal.intended" in case.refused(grounds=case.grounds(intent=impressed))


@pytest.mark.parametrize(
    ("group", "changed", "named"),
    [
        ("seal", {"seal": "sea-" + "a" * 26}, "seal"),
        ("seal", {"agreement": "另一协议"}, "agreement"),
        ("seal", {"agreement_version": 2}, "agreement_version"),
        ("seal", {"grantee_code": "1136000000000000XX"}, "grantee"),
        ("case", {"item": "001-2 28"}, "item"),
        ("case", {"case_number": "办件-2"}, "case_number"),
        ("case", {"document_kind": "licence"}, "document_kind"),
        ("case", {"copy": "duplicate 1"}, "copy"),
        ("case", {"final": False}, "final"),
        ("case", {"facts": {"volume_m3": "1"}}, "facts"),
        ("numbers", {"document_number": "兴审批〔2026〕0号"}, "document_number"),
        ("numbers", {"licence_number": "1"}, "licence_number"),
        ("approval", {"id": "apv-" + "a" * 26}, "id"),
        ("approval", {"assurance": "system_attested"}, "assurance"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_an_approval_of_something_else(case: Case, group: str, changed: dict[str, Any], named: str) -> None:
    assert f"different: {named}" in case.refused(grounds=case.intent(**{group: changed}))


def test_the_approval_of_another_document(case: Case) -> None:
    other = case.checked.submission()
    said = case.refused(grounds=case.intent(approval={"jws": other.approval}))
    assert "document" in said.split("different: ")[1].split(", ")


def test_an_approval_by_a_key_nobody_registered(case: Case) -> None:
    staff = case.checked.world.staff["county"]
    other = case.checked.submission()
    forged = case.checked.world.approve(
        "city", other.order, other.source, signed_with=(staff.key_id, ec.generate_private_key(ec.SECP256R1()))
    )
    assert "does not verify" in case.refused(grounds=case.intent(approval={"jws": forged}))


def test_an_approval_that_has_expired(case: Case) -> None:
    grounds = case.intent(application={"lease_until": "2027-01-01T00:00:00.000000Z"})
    case.checked.desk.now += timedelta(days=20)
    assert "does not hold at this time" in case.refused(grounds=grounds)


def test_no_approval_at_all(case: Case) -> None:
    grounds = case.intent(approval={"id": None, "assurance": None, "jws": None, "key": None})
    assert "no approval statement" in case.refused(grounds=grounds)


def _unpinned(case: Case) -> None:
    case.state.pinned = case.folder / "no-pins"


def test_a_key_that_is_not_pinned_is_learned_from_its_registration(case: Case) -> None:
    _unpinned(case)
    key_id = case.checked.world.staff["county"].key_id
    assert case.judge()["form"] == "seal"
    found = Pins(case.state.pins).find(key_id)
    assert found is not None
    assert found.how == "recorded"
    # Learned once: from now on nobody need show it, and nobody can show another.
    assert case.judge(grounds=case.grounds(approval_key=None))["form"] == "seal"


def test_a_key_that_is_not_pinned_and_not_shown(case: Case) -> None:
    _unpinned(case)
    assert "no evidence of the log came along as approval_key" in case.refused(grounds=case.grounds(approval_key=None))


def test_the_registration_of_another_key(case: Case) -> None:
    _unpinned(case)
    body = {**groups_of(case.grounds()["approval_key"])["body"], "id": "pky-" + "b" * 26}
    entry = shown("person_key.registered", {"body": body}, case.log_key, case.state, case.checked.desk.now)
    assert "the registration of key pky-" in case.refused(grounds=case.grounds(approval_key=entry))


def test_an_entry_that_registers_no_approval_key(case: Case) -> None:
    _unpinned(case)
    body = groups_of(case.grounds()["approval_key"])["body"]
    entry = shown("organ_key.registered", {"body": body}, case.log_key, case.state, case.checked.desk.now)
    assert "expected person_key.registered" in case.refused(grounds=case.grounds(approval_key=entry))


def test_a_registration_under_a_checkpoint_that_was_not_signed_here(case: Case) -> None:
    _unpinned(case)
    groups = groups_of(case.grounds()["approval_key"])
    entry = shown("person_key.registered", groups, case.log_key, case.state, case.checked.desk.now)
    case.state.roots.clear()
    assert "not signed here" in case.refused(grounds=case.grounds(approval_key=entry))


def test_where_keys_are_listed_a_learned_one_does_not_count(case: Case) -> None:
    case.state.learns = False
    assert "is not pinned here" in case.refused()


def test_where_keys_are_listed_a_listed_one_counts(case: Case) -> None:
    case.state.learns = False
    pins = Pins(case.state.pins)
    pin = pins.find(case.checked.world.staff["county"].key_id)
    assert pin is not None
    pins.add(replace(pin, how="listed"))
    assert case.judge()["form"] == "seal"


def test_a_pin_stands_against_the_log(case: Case) -> None:
    """Another key under the same id, however well registered, is not believed."""
    _unpinned(case)
    key_id, holder = case.checked.world.staff["county"].key_id, case.checked.world.staff["county"].principal
    other = ec.generate_private_key(ec.SECP256R1()).public_key()
    der = other.public_bytes(_DER, _SPKI)
    Pins(case.state.pins).add(Pin(id=key_id, kind="person", holder=holder, public_key=der, how="recorded"))
    assert "does not verify" in case.refused()


def test_a_checkpoint_by_another_key(case: Case, tmp_path: Path) -> None:
    secret = tmp_path / "kek"
    FileKeystore.create_key_encryption_key(secret)
    other = open_keystore(f"file:{tmp_path / 'keys'}", key_encryption_key=secret).generate("log", "ed25519")
    groups = groups_of(case.grounds()["intent"])
    entry = shown("seal.intended", groups, other, case.state, case.checked.desk.now)
    assert "the evidence intent does not hold" in case.refused(grounds=case.grounds(intent=entry))


def test_a_checkpoint_of_another_log_by_the_same_key(case: Case) -> None:
    groups = groups_of(case.grounds()["intent"])
    entry = shown("seal.intended", groups, case.log_key, case.state, case.checked.desk.now, origin="other.example/log")
    assert "the evidence intent does not hold" in case.refused(grounds=case.grounds(intent=entry))


def test_a_fork_that_a_stolen_log_key_signed(case: Case) -> None:
    """Even the real log key does not help: what counts is what this process signed."""
    grounds = case.intent()
    case.state.roots.clear()
    assert "was not signed here" in case.refused(grounds=grounds)


def _other_opening(evidence: dict[str, Any]) -> None:
    evidence["openings"]["seal"] = {**evidence["openings"]["seal"], "value": {}}


def _other_proof(evidence: dict[str, Any]) -> None:
    evidence["proof"] = evidence["proof"][1:]


def _other_leaf(evidence: dict[str, Any]) -> None:
    evidence["leaf"] = "AAAA"


@pytest.mark.parametrize("change", [_other_opening, _other_proof, _other_leaf], ids=["opening", "proof", "leaf"])
def test_evidence_that_was_changed(case: Case, change: Callable[[dict[str, Any]], None]) -> None:
    evidence = dict(case.grounds()["intent"])
    evidence["openings"] = dict(evidence["openings"])
    change(evidence)
    assert "the evidence intent does not hold" in case.refused(grounds=case.grounds(intent=evidence))


@pytest.mark.parametrize("name", ["intent", "layout", "certificate"])
@pytest.mark.parametrize("value", [None, "", 1, {}, ["x"]], ids=["absent", "text", "number", "object", "list"])
def test_grounds_of_any_shape_are_refused(case: Case, name: str, value: Any) -> None:
    assert case.refused(grounds=case.grounds(**{name: value}))


def test_no_grounds(case: Case) -> None:
    assert "no evidence of the log came along as intent" in case.refused(grounds=None)


def _content(case: Case) -> bytes:
    assert isinstance(case.request.file, BytesIO)
    return case.request.file.getvalue()


def _certificate(case: Case) -> bytes:
    return b64decode(case.grounds()["certificate"])


def _digest(message: bytes) -> str:
    return "sha256:" + sha256(message).hexdigest()


def test_the_last_checkpoint_of_the_record_is_believed_to_the_letter_only(case: Case) -> None:
    evidence = dict(case.grounds()["intent"])
    last = case.checked.keystore.state.last("log")
    origin, size, root, *_ = evidence["checkpoint"].split("\n")
    assert last is not None
    assert (last["origin"], last["size"], last["root"]) == (origin, int(size), b64decode(root).hex())
    for old, new in ((f"{origin}\n", "other.example/log\n"), (f"\n{size}\n", f"\n{int(size) + 1}\n")):
        told = evidence["checkpoint"].replace(old, new, 1)
        assert "does not hold" in case.refused(grounds=case.grounds(intent={**evidence, "checkpoint": told}))
    extended = evidence["checkpoint"].replace("\n\n", "\nmore\n\n", 1)
    assert "signature" in case.refused(grounds=case.grounds(intent={**evidence, "checkpoint": extended}))


def test_an_intent_older_than_what_is_remembered(case: Case) -> None:
    case.state.gone = case.grounds()["intent"]["index"] - 1
    assert case.judge()["form"] == "seal"
    case.state.gone = case.grounds()["intent"]["index"]
    assert "is too old" in case.refused()
