"""The approval statement: one form, one algorithm, one audience, and everything that a seal use is made of."""

import base64
import hmac
import json
import subprocess
import sys
from hashlib import sha256

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from registry_samples import (
    DIGEST,
    ORIGIN,
    PRINCIPAL,
    claims,
    claims_json,
    private_key,
    registered,
    spki,
)

from ledger.canonical import canonical
from registry.approval import TYP, ApprovalEvidenceError, make_statement, read_statement
from registry.statements import RegisteredKey, check_public_key, sign_statement

PERSON = registered("principal", kind="person", holder=PRINCIPAL, key_id="pky-" + "k" * 26)
CLIENT = registered("platform", kind="client", holder="cli-" + "c" * 26, key_id="cak-" + "k" * 26)
ORGAN = registered("organ", kind="organ", holder="91350100M000100Y43", key_id="oky-" + "k" * 26)


def find(kid: str) -> RegisteredKey | None:
    return {key.id: key for key in (PERSON, CLIENT, ORGAN)}.get(kid)


def refused(statement: str, *, audience: str = ORIGIN, finder=find) -> ApprovalEvidenceError:
    with pytest.raises(ApprovalEvidenceError) as caught:
        read_statement(statement, finder, audience=audience)
    assert caught.value.zh
    assert caught.value.en
    return caught.value


def statement(**changes) -> str:
    return make_statement(claims(**changes), kid=PERSON.id, key=private_key("principal"))


def encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def forged(header: dict, payload: bytes, *, key: str = "principal") -> str:
    """A JWS with any header, signed rightly with ES256 whatever the header says."""
    signing = f"{encoded(json.dumps(header).encode())}.{encoded(payload)}"
    r, s = decode_dss_signature(private_key(key).sign(signing.encode(), ec.ECDSA(hashes.SHA256())))
    return f"{signing}.{encoded(r.to_bytes(32, 'big') + s.to_bytes(32, 'big'))}"


VECTOR = "83f9c6c23a31da06d868832fcc203241f3452997d96a642138a37dbbdb669a75"
HEADER = {"alg": "ES256", "kid": PERSON.id, "typ": TYP}


def test_persons_statement_reads_back():
    made = statement()
    read = read_statement(made, find, audience=ORIGIN)
    assert read.claims == claims()
    assert (read.assurance, read.key, read.jws) == ("person_signed", PERSON, made)
    assert read.digest == "sha256:" + sha256(made.encode()).hexdigest()
    assert read.claims.manifest[0].digest == DIGEST


def test_systems_statement_is_only_attested():
    made = make_statement(claims(), kid=CLIENT.id, key=private_key("platform"))
    assert read_statement(made, find, audience=ORIGIN).assurance == "system_attested"


def test_forge_helper_can_make_a_good_one():
    """Else every refusal below could have another reason."""
    good = forged(HEADER, canonical(claims_json()))
    assert read_statement(good, find, audience=ORIGIN).claims == claims()


def test_form_is_fixed_for_ever():
    header, payload, _ = statement().split(".")
    assert json.loads(base64.urlsafe_b64decode(header + "==")) == HEADER
    assert base64.urlsafe_b64decode(payload + "==") == canonical(claims_json())
    assert sha256(canonical(claims_json())).hexdigest() == VECTOR


@pytest.mark.parametrize("member", ["jwk", "jku", "x5c", "x5u", "x5t", "crit", "b64", "cty", "nonce", "zip", "enc"])
def test_header_members_that_steer_are_refused(member):
    values = {"crit": ["b64"], "b64": False, "x5c": ["AA"], "jwk": {"kty": "EC"}}
    error = refused(forged(HEADER | {member: values.get(member, "x")}, canonical(claims_json())))
    assert error.code == "statement-header-refused"
    assert member in error.en


@pytest.mark.parametrize("missing", ["alg", "kid", "typ"])
def test_header_members_that_must_stand_there(missing):
    header = {name: value for name, value in HEADER.items() if name != missing}
    assert refused(forged(header, canonical(claims_json()))).code == "statement-header-refused"


@pytest.mark.parametrize("alg", ["none", "HS256", "ES384", "ES512", "RS256", "PS256", "EdDSA", "es256", "ES256K"])
def test_other_algorithms_are_refused(alg):
    error = refused(forged(HEADER | {"alg": alg}, canonical(claims_json())))
    assert error.code == "statement-header-refused"
    assert alg in error.en


@pytest.mark.parametrize("typ", ["JWT", "at+jwt", "yinxin-agreement+jws", "YINXIN-APPROVAL+JWS", "jose"])
def test_other_kinds_of_statement_are_refused(typ):
    assert refused(forged(HEADER | {"typ": typ}, canonical(claims_json()))).code == "statement-header-refused"


def test_public_key_used_as_a_secret_is_refused():
    """The classic: HS256 with the public key's bytes as the secret."""
    header, payload = encoded(json.dumps(HEADER | {"alg": "HS256"}).encode()), encoded(canonical(claims_json()))
    pem = private_key("principal").public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    for secret in (pem, spki("principal")):
        mac = hmac.new(secret, f"{header}.{payload}".encode(), "sha256").digest()
        assert refused(f"{header}.{payload}.{encoded(mac)}").code == "statement-header-refused"


@pytest.mark.parametrize("value", [7, None, ["ES256"], {"a": 1}, True])
@pytest.mark.parametrize("member", ["alg", "kid", "typ"])
def test_header_values_must_be_text(member, value):
    assert refused(forged(HEADER | {member: value}, canonical(claims_json()))).code == "statement-header-refused"


def test_header_with_a_member_twice_is_refused():
    good = statement().split(".")
    twice = f'{{"alg":"ES256","kid":"{PERSON.id}","typ":"{TYP}","typ":"{TYP}"}}'
    assert refused(".".join([encoded(twice.encode()), *good[1:]])).code == "statement-header-refused"


@pytest.mark.parametrize(
    "broken",
    [
        "",
        "a",
        "a.b",
        "a.b.c",
        "..",
        "a.b.c.d",
        "é.é.é",
        "e30.e30.e30",
        "W10.e30.AA",
        "bnVsbA.e30.AA",
        "IjEi.e30.AA",
    ],
)
def test_what_is_no_compact_jws_is_refused(broken):
    assert refused(broken).code in {"statement-malformed", "statement-header-refused"}


def test_json_serialisation_is_refused():
    header, payload, signature = statement().split(".")
    flattened = json.dumps({"protected": header, "payload": payload, "signature": signature})
    assert refused(flattened).code == "statement-malformed"
    assert refused({"protected": header, "payload": payload, "signature": signature}).code == "statement-malformed"


def test_detached_payload_is_refused():
    header, _, signature = statement().split(".")
    assert refused(f"{header}..{signature}").code == "statement-signature-wrong"


def test_long_statement_is_refused():
    assert refused(statement() + "A" * 70_000).code == "statement-malformed"


def test_other_spellings_of_the_same_statement_are_refused():
    """A statement's digest stands in entries, so it has one spelling: no padding, no second last character."""
    header, payload, signature = statement().split(".")
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    last = alphabet[alphabet.index(signature[-1]) ^ 1]
    for other in (signature + "==", signature[:-1] + last, signature + " ", signature[:-1] + "+"):
        assert refused(f"{header}.{payload}.{other}").code in {"statement-malformed", "statement-signature-wrong"}


def test_flipped_bits_are_refused():
    made = statement()
    header, payload, signature = made.split(".")
    content = bytearray(base64.urlsafe_b64decode(payload + "=="))
    content[len(content) // 2] ^= 1
    assert refused(f"{header}.{encoded(bytes(content))}.{signature}").code == "statement-signature-wrong"
    raw = bytearray(base64.urlsafe_b64decode(signature + "=="))
    raw[5] ^= 1
    assert refused(f"{header}.{payload}.{encoded(bytes(raw))}").code == "statement-signature-wrong"
    assert refused(f"{header}.{payload}.{encoded(bytes(64))}").code == "statement-signature-wrong"


def test_unknown_key_is_refused():
    assert refused(statement(), finder=lambda _kid: None).code == "statement-key-unknown"


@pytest.mark.parametrize("kid", ["", "\x00", "\ud800", "../../key", "pky-" + "k" * 25, "k" * 5000])
def test_kid_that_is_no_id_is_never_looked_up(kid):
    def finder(_kid: str) -> RegisteredKey | None:
        raise AssertionError("looked up")

    error = refused(forged(HEADER | {"kid": kid}, canonical(claims_json())), finder=finder)
    assert error.code == "statement-key-unknown"
    assert len(error.en) < 150


def test_finder_that_gives_another_key_is_not_believed():
    assert refused(statement(), finder=lambda _kid: CLIENT).code == "statement-key-unknown"


def test_key_of_another_person_is_refused():
    other = RegisteredKey(
        id=PERSON.id,
        kind="person",
        holder="per-" + "z" * 26,
        public_key=PERSON.public_key,
        valid_from=PERSON.valid_from,
        valid_until=None,
    )
    assert refused(statement(), finder=lambda _kid: other).code == "approval-key-not-the-principals"


def test_organs_agreement_key_approves_nothing():
    made = make_statement(claims(), kid=ORGAN.id, key=private_key("organ"))
    assert refused(made).code == "approval-key-not-the-principals"


def test_signature_by_another_key_is_refused():
    made = make_statement(claims(), kid=PERSON.id, key=private_key("platform"))
    assert refused(made).code == "statement-signature-wrong"


def _spki(public) -> bytes:
    return public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


@pytest.mark.parametrize(
    "public_key",
    [
        b"",
        b"\x30\x00",
        _spki(ec.derive_private_key(5, ec.SECP384R1()).public_key()),
        _spki(ec.derive_private_key(5, ec.SECP256K1()).public_key()),
        _spki(rsa.generate_private_key(65537, 2048).public_key()),
    ],
    ids=["empty", "no key", "P-384", "secp256k1", "RSA"],
)
def test_registered_key_must_be_on_p256(public_key):
    with pytest.raises(Exception, match="public key") as caught:
        check_public_key(public_key)
    assert caught.value.code == "key-unsuitable"
    odd = RegisteredKey(
        id=PERSON.id,
        kind="person",
        holder=PRINCIPAL,
        public_key=public_key,
        valid_from=PERSON.valid_from,
        valid_until=None,
    )
    assert refused(statement(), finder=lambda _kid: odd).code == "key-unsuitable"


def test_statement_for_another_installation_is_refused():
    error = refused(statement(), audience="other.example/log")
    assert error.code == "approval-audience-wrong"
    assert ORIGIN in error.en
    assert "other.example/log" in error.en


@pytest.mark.parametrize(
    "payload",
    [
        json.dumps(claims_json(), ensure_ascii=True).encode(),
        json.dumps(claims_json(), ensure_ascii=False, indent=1).encode(),
        canonical(claims_json())[:-1] + b',"v":1}',
        canonical(claims_json()).replace(b'"agreement_version":1', b'"agreement_version":1.0'),
        canonical(claims_json()).replace(b'"agreement_version":1', b'"agreement_version":1e0'),
        b"[]",
        b"null",
        b"\xff\xfe",
        b"",
    ],
)
def test_payload_has_one_spelling(payload):
    assert refused(forged(HEADER, payload)).code == "statement-not-canonical"


@pytest.mark.parametrize("field", sorted(claims_json()))
def test_no_claim_may_be_left_out(field):
    value = claims_json()
    del value[field]
    error = refused(forged(HEADER, canonical(value)))
    assert error.code == "approval-claims-invalid"
    assert field in error.en


LINE = claims_json()["manifest"][0]


@pytest.mark.parametrize(
    "changes",
    [
        {"v": 2},
        {"v": True},
        {"v": "1"},
        {"id": "apr-1"},
        {"not_before": "2026-11-23T09:00:00.000000+08:00"},
        {"not_before": "2026-11-23"},
        {"not_before": 1763866800},
        {"expires": "2026-11-23T01:00:00.000000Z"},
        {"expires": "2026-11-22T01:00:00.000000Z"},
        {"expires": "9999-12-31T00:00:00.000000Z"},
        {"manifest": []},
        {"manifest": [LINE, LINE]},
        {"manifest": [LINE | {"digest": "sha256:AB"}]},
        {"manifest": [LINE | {"copy": "duplicate 0"}]},
        {"manifest": [LINE | {"copy": "duplicate"}]},
        {"manifest": [LINE | {"kind": "seal"}]},
        {"manifest": [LINE | {"extra": 1}]},
        {"manifest": [LINE | {"document_number": ""}]},
        {"manifest": [LINE | {"document_number": "1\u202e2"}]},
        {"manifest": [LINE | {"copy_": "original"}]},
        {"facts": {"Area": "1"}},
        {"facts": {"area": None}},
        {"facts": {"area": ["1"]}},
        {"final": 1},
        {"final": "true"},
        {"item": {"list": "002-2", "number": "14"}},
        {"item": "002-2/14"},
        {"agreement_version": 0},
        {"agreement_version": True},
        {"basis": "other"},
        {"grantee": "兴国县"},
        {"principal": None},
        {"confirms": "item"},
        {"jti": "x"},
    ],
    ids=str,
)
def test_wrong_claims_are_refused(changes):
    error = refused(forged(HEADER, canonical(claims_json(**changes))))
    assert error.code == "approval-claims-invalid"


def test_facts_keep_their_kind():
    read = read_statement(statement(), find, audience=ORIGIN)
    assert read.claims.facts == {"premises": "理发店", "area_m2": "22.5", "staff": 3, "first": True}
    assert read.claims.facts["first"] is True


def test_several_documents_of_a_case():
    lines = [LINE, LINE | {"digest": DIGEST.replace("ab", "cd"), "copy": "duplicate 1"}]
    assert len(read_statement(statement(manifest=lines), find, audience=ORIGIN).claims.manifest) == 2


def test_agreement_signature_is_no_approval():
    made = sign_statement(claims_json(), typ="yinxin-agreement+jws", kid=PERSON.id, key=private_key("principal"))
    assert refused(made).code == "statement-header-refused"


def test_reading_needs_no_database():
    """A verifier reads approvals offline: no SQL may come in with the module."""
    code = "import sys, registry.approval; print('\\n'.join(sys.modules))"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert {"sqlalchemy", "ledger.tables", "registry.tables"} & set(loaded.stdout.split()) == set()
