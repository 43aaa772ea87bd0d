"""The CMS bytes: fixed vectors, read again by asn1crypto and by openssl."""

import json
import subprocess
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from asn1crypto import cms as oracle
from asn1crypto import tsp
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding

from signer.cms import longest_signed_data, signed_attributes, signed_data, verify_signature
from signer.errors import SignatureMismatchError

if TYPE_CHECKING:
    from tests.signer.core.conftest import Signatory


VECTORS = Path(__file__).resolve().parents[2] / "vectors" / "cms"
NAMES = ["p256", "rsa3072"]


def vector(name: str) -> dict[str, bytes | str | list[bytes]]:
    stored = json.loads((VECTORS / f"{name}.json").read_text())
    texts = {"algorithm"}
    return {
        key: value
        if key in texts
        else [bytes.fromhex(each) for each in value]
        if isinstance(value, list)
        else bytes.fromhex(value)
        for key, value in stored.items()
    }


@pytest.mark.parametrize("name", NAMES)
def test_the_bytes_never_change(name: str) -> None:
    known = vector(name)
    attributes = signed_attributes(known["document_digest"], known["chain"][0])
    assert attributes == known["signed_attributes"]
    written = signed_data(attributes, known["signature"], known["chain"], known["algorithm"])
    assert written == known["signed_data"]


@pytest.mark.parametrize("name", NAMES)
def test_the_stored_signature_is_good_and_others_are_not(name: str) -> None:
    known = vector(name)
    message, certificate, algorithm = known["signed_attributes"], known["chain"][0], known["algorithm"]
    verify_signature(known["signature"], message, certificate, algorithm)
    with pytest.raises(SignatureMismatchError):
        verify_signature(known["signature"], message + b"\0", certificate, algorithm)


@pytest.mark.parametrize("name", NAMES)
def test_asn1crypto_reads_what_pades_asks_for(name: str) -> None:
    known = vector(name)
    info = oracle.ContentInfo.load(known["signed_data"], strict=True)
    assert info["content_type"].native == "signed_data"
    content = info["content"]
    assert content["version"].native == "v1"
    assert content["encap_content_info"]["content_type"].native == "data"
    assert content["encap_content_info"]["content"].native is None
    assert {each.chosen.dump() for each in content["certificates"]} == set(known["chain"])
    (signer,) = content["signer_infos"]
    kinds = {each["type"].native: each["values"] for each in signer["signed_attrs"]}
    reference_oid = "1.2.840.113549.1.9.16.2.47"
    assert set(kinds) - {reference_oid, "signing_certificate_v2"} == {"content_type", "message_digest"}
    assert kinds["message_digest"][0].native == known["document_digest"]
    reference = kinds.get(reference_oid) or kinds["signing_certificate_v2"]
    certificate = tsp.SigningCertificateV2.load(reference[0].dump())["certs"][0]
    assert certificate["cert_hash"].native == sha256(known["chain"][0]).digest()
    assert certificate["hash_algorithm"]["algorithm"].native == "sha256"
    assert signer["unsigned_attrs"].native is None
    assert signer["signed_attrs"].untag().dump() == known["signed_attributes"]


@pytest.mark.parametrize(
    ("name", "identifier"),
    [("p256", "300a06082a8648ce3d040302"), ("rsa3072", "300d06092a864886f70d01010b0500")],
)
def test_parameters_are_null_with_rsa_and_absent_with_ecdsa(name: str, identifier: str) -> None:
    known = vector(name)
    (signer,) = oracle.ContentInfo.load(known["signed_data"])["content"]["signer_infos"]
    assert signer["signature_algorithm"].dump().hex() == identifier
    assert signer["digest_algorithm"].dump().hex() == "300b0609608648016503040201"


@pytest.mark.parametrize("name", NAMES)
def test_attributes_are_in_der_order(name: str) -> None:
    known = vector(name)
    members = [each.dump() for each in oracle.CMSAttributes.load(known["signed_attributes"])]
    assert members == sorted(members)


@pytest.mark.tool("openssl")
@pytest.mark.parametrize("name", NAMES)
def test_openssl_parses_it(name: str, tmp_path: Path) -> None:
    (tmp_path / "cms.der").write_bytes(vector(name)["signed_data"])
    command = ["openssl", "cms", "-cmsout", "-print", "-inform", "DER", "-in", tmp_path / "cms.der"]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert "contentType: pkcs7-signedData" in said
    assert said.count("object: id-smime-aa-signingCertificateV2") == 1
    assert "signingTime" not in said


def test_the_bound_on_the_length_holds_and_is_close(signatory: "Signatory") -> None:
    attributes = signed_attributes(bytes(32), signatory.chain[0])
    bound = longest_signed_data(signatory.chain, signatory.algorithm)
    lengths = [
        len(signed_data(attributes, signatory.sign(attributes), signatory.chain, signatory.algorithm))
        for _ in range(20)
    ]
    assert bound - 8 <= min(lengths)
    assert max(lengths) <= bound


def test_issuer_and_serial_are_those_of_the_certificate(signatory: "Signatory") -> None:
    attributes = signed_attributes(bytes(32), signatory.chain[0])
    written = signed_data(attributes, b"\x01", signatory.chain, signatory.algorithm)
    (signer,) = oracle.ContentInfo.load(written)["content"]["signer_infos"]
    own = oracle.Certificate.load(signatory.chain[0])
    assert signer["sid"].chosen["issuer"].dump() == own.issuer.dump()
    assert signer["sid"].chosen["serial_number"].native == own.serial_number


def test_a_key_of_another_curve_is_not_taken_for_p256() -> None:
    key, name = ec.generate_private_key(ec.SECP384R1()), x509.Name([])
    made = x509.CertificateBuilder(issuer_name=name, subject_name=name, public_key=key.public_key(), serial_number=1)
    dated = made.not_valid_before(datetime(2026, 1, 1, tzinfo=UTC)).not_valid_after(datetime(2027, 1, 1, tzinfo=UTC))
    certificate = dated.sign(key, SHA256()).public_bytes(Encoding.DER)
    with pytest.raises(SignatureMismatchError):
        verify_signature(key.sign(b"x", ec.ECDSA(SHA256())), b"x", certificate, "ecdsa-p256-sha256")
