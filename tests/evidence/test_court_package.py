"""The package is judged by a bare interpreter and openssl; what is changed in it is noticed or declared unproven."""

import ast
import json
import sys
from base64 import b64decode, b64encode
from datetime import timedelta
from hashlib import sha256
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID
from evidence_packing import packed
from world import OPERATOR, START

from ledger.canonical import canonical
from ledger.entry import Draft
from ledger.moments import to_text
from registry.record import build
from registry.seal_keys import SealKey
from sealing.court_package import _consistency, build_package
from sealing.errors import UnknownError

pytestmark = pytest.mark.tool("openssl")
UNPROVEN = {"FORMAT.md", "judge.py", "manifest.json"}


def with_manifest(members: dict[str, bytes]) -> bytes:
    """As a forger would: every digest in the manifest fits again."""
    manifest = json.loads(members["manifest.json"])
    for name, data in members.items():
        if name != "manifest.json":
            manifest["members"].setdefault(name, {})["sha256"] = sha256(data).hexdigest()
    return packed(members | {"manifest.json": canonical(manifest)})


def test_a_genuine_package_passes(court: Any) -> None:
    code, said = court.judge(court.package)
    assert code == 0, said
    assert "通过 / PASSED" in said


def test_its_own_anchors_do_not_prove_it(court: Any) -> None:
    assert court.judge(court.package, trusted=False)[0] == 2


def test_the_same_record_gives_the_same_bytes(court: Any) -> None:
    assert build_package(court.shop, court.impression, START) == court.package


def test_the_script_needs_nothing_but_the_standard_library_and_is_short(court: Any) -> None:
    source = court.members()["judge.py"].decode()
    assert len(source.splitlines()) < 320
    imported = {
        name.name.split(".")[0]
        for each in ast.walk(ast.parse(source))
        if isinstance(each, ast.Import)
        for name in each.names
    } | {each.module.split(".")[0] for each in ast.walk(ast.parse(source)) if isinstance(each, ast.ImportFrom)}
    assert imported <= sys.stdlib_module_names


def flipped(data: bytes) -> bytes:
    """One bit in the middle; of text that is base64, inside of it."""
    place = len(data) // 2
    return data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :]


MEMBERS = (
    "document.pdf",
    "receipt.json",
    "consistency.json",
    "chain/signer.pem",
    "crl/issuer.crl",
    "crl/root.crl",
    "root.pem",
    "log.vkey",
    "entries/agreement.json",
    "entries/approval_key.json",
    "entries/certificate.json",
    "entries/organ_key_1.json",
    "entries/organ_key_2.json",
    "entries/seal.json",
)
"""What something proves; ``chain/issuers.pem`` stands in the CMS too, so that a broken copy breaks the list's check."""


def test_every_member_is_judged_or_declared_unproven(court: Any) -> None:
    names = set(court.members())
    assert names == {*MEMBERS, "chain/issuers.pem", *UNPROVEN, *(each for each in names if each.startswith("rules/"))}
    said = court.judge(court.package)[1]
    assert all(each in said for each in ("FORMAT.md", "judge.py", "rules/*", "manifest.json"))


@pytest.mark.parametrize("name", MEMBERS)
def test_a_changed_member_is_noticed_even_when_the_manifest_was_changed_too(court: Any, name: str) -> None:
    members = court.members()
    members[name] = flipped(members[name])
    code, said = court.judge(with_manifest(members))
    assert code == 1, (name, said)


def test_a_changed_member_is_noticed_by_the_manifest(court: Any) -> None:
    members = court.members()
    code, said = court.judge(packed(members | {"rules/words.py": b"", "chain/issuers.pem": b""}))
    assert code == 1
    assert "rules/words.py" in said


def test_a_missing_or_further_member_is_noticed(court: Any) -> None:
    members = court.members()
    assert court.judge(packed({name: data for name, data in members.items() if name != "entries/seal.json"}))[0] == 1
    assert court.judge(packed(members | {"entries/other.json": b"{}"}))[0] == 1


def test_other_anchors_refuse(court: Any) -> None:
    """A whole installation of a forger: everything fits but root and log key."""
    trusted = (court.folder / "log.vkey").read_text()
    try:
        origin, _, key = trusted.split("+", 2)
        other = b"\x01" + bytes(32)
        named = sha256(origin.encode() + b"\n" + other).digest()[:4].hex()
        assert b64decode(key) != other
        (court.folder / "log.vkey").write_text(f"{origin}+{named}+{b64encode(other).decode()}")
        assert court.judge(court.package)[0] == 1
    finally:
        (court.folder / "log.vkey").write_text(trusted)


def test_an_opening_with_another_value_is_noticed(court: Any) -> None:
    members = court.members()
    receipt = json.loads(members["receipt.json"])
    receipt["evidence"]["openings"]["case"]["value"]["case_number"] = "另一件"
    code, said = court.judge(with_manifest(members | {"receipt.json": canonical(receipt)}))
    assert code == 1
    assert "✗ receipt" in said


def test_bytes_added_to_the_document_are_pointed_at(court: Any) -> None:
    members = court.members()
    code, said = court.judge(with_manifest(members | {"document.pdf": members["document.pdf"] + b"\n%%EOF\n"}))
    assert code == 2, said
    assert "? 其后追加的内容" in said


def test_revocation_lists_of_an_authority_that_the_package_brought_prove_nothing(court: Any) -> None:
    """Who was revoked could bring an empty list and, in ``chain/issuers.pem``, the authority that signed it."""
    key, members, now = ec.generate_private_key(ec.SECP256R1()), court.members(), START
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "another")])
    own = x509.CertificateBuilder(name, name, key.public_key(), 7, now, now + timedelta(days=900))
    authority = own.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True).sign(key, SHA256())
    made = x509.CertificateRevocationListBuilder(name, now, now + timedelta(days=9)).sign(key, SHA256())
    members["crl/issuer.crl"] = made.public_bytes(Encoding.DER)
    members["chain/issuers.pem"] += authority.public_bytes(Encoding.PEM)
    code, said = court.judge(with_manifest(members))
    assert code == 1, said
    assert "✗ crl/issuer.crl" in said


def test_a_record_made_after_the_seal_use_is_no_ground_for_it(court: Any) -> None:
    """The key of the approval, enrolled again later: proven to be in the log, and too late."""
    members = court.members()
    use = json.loads(members["receipt.json"])["evidence"]["index"]
    members["entries/approval_key.json"], later = _changed_later(court)
    assert later > use
    notes = [json.loads(data)["checkpoint"] for name, data in members.items() if name.startswith("entries/")]
    notes.append(json.loads(members["receipt.json"])["evidence"]["checkpoint"])
    members["consistency.json"] = _consistency(court.shop, notes, START)  # as the operator itself could
    code, said = court.judge(with_manifest(members))
    assert code == 1
    assert "as of the seal use" in said


def _changed_later(court: Any) -> tuple[bytes, int]:
    """The evidence of an entry that holds the record of the approval key once more, after the seal use."""
    old = json.loads(court.members()["entries/approval_key.json"])
    groups = {name: each["value"] for name, each in old["openings"].items()}
    leaf = json.loads(b64decode(old["leaf"]))
    with court.shop.database.write() as connection:
        draft = Draft(kind=leaf["kind"], subjects=tuple(leaf["subjects"]), groups=groups)
        index = court.shop.book.append(connection, draft, START).index
    return canonical(court.shop.book.evidence(index, tuple(groups), START).to_json()), index


def test_an_unknown_impression(court: Any) -> None:
    with pytest.raises(UnknownError):
        build_package(court.shop, "imp-" + "a" * 26, START)


HOUR = timedelta(hours=1)


def held(start: timedelta, end: timedelta) -> dict[str, Any]:
    return {"holds": [{"start": to_text(START + start), "end": to_text(START + end)}]}


@pytest.mark.parametrize(
    ("changed", "code", "said"),
    [
        (held(-2 * HOUR, -HOUR), 0, "✓ 用章时证书未暂停"),
        (held(HOUR, 2 * HOUR), 0, "✓ 用章时证书未暂停"),
        (held(-HOUR, HOUR), 1, "✗ 用章时证书未暂停"),
        ({"serial": "abc"}, 1, "✗ 用章时证书未暂停"),
        ({"revoked_effective": to_text(START - HOUR)}, 2, "? 用章时证书未失效"),
        ({"revoked_effective": to_text(START + HOUR)}, 0, "✓ 用章时证书未失效"),
    ],
    ids=["held before", "held after", "held then", "another certificate", "not trusted then", "trusted then"],
)
def test_the_newest_record_of_the_certificate_decides(
    court: Any, changed: dict[str, Any], code: int, said: str
) -> None:
    """A hold that is over stands on no list: by the record as of the use alone the package passes."""
    members = court.members()
    old = json.loads(members["entries/certificate.json"])["openings"]["body"]["value"]
    draft = Draft(kind="certificate.revoked", subjects=(old["id"],), groups={"body": old | changed})
    with court.shop.database.write() as connection:
        index = court.shop.book.append(connection, draft, START).index
    evidence = court.shop.book.evidence(index, ("body",), START)
    members["entries/certificate_now.json"] = canonical(evidence.to_json())
    notes = [json.loads(data)["checkpoint"] for name, data in members.items() if name.startswith("entries/")]
    notes.append(json.loads(members["receipt.json"])["evidence"]["checkpoint"])
    members["consistency.json"] = _consistency(court.shop, notes, START)
    got, told = court.judge(with_manifest(members))
    assert (got, said in told) == (code, True), told


def test_a_package_brings_the_newest_record_of_the_certificate(court: Any) -> None:
    assert "entries/certificate_now.json" not in court.members()
    with court.shop.database.write() as connection:
        old = json.loads(court.members()["entries/certificate.json"])["openings"]["body"]["value"]
        found = court.shop.registry.lock(connection, SealKey, old["id"])
        later = build(SealKey, **{**dict(found.record), "retired_at": START + HOUR})
        court.shop.registry.put(connection, later, by=OPERATOR, why="轮换", now=START + HOUR, replaces=found)
    members = court.members(build_package(court.shop, court.impression, START + HOUR))
    assert json.loads(members["entries/certificate_now.json"])["openings"]["body"]["value"]["retired_at"]
    code, said = court.judge(packed(members))
    assert code == 0, said
