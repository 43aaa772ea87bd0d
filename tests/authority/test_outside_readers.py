"""Tokens and revocation answers made by openssl, read by us; and the same bytes with one of them changed."""

import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest
from cryptography import x509

from authority.errors import AuthorityError, OcspResponseError, TimeStampTokenError
from authority.ocsp_response import read_response
from authority.timestamp_token import read_token

pytestmark = pytest.mark.tool("openssl")
_SETTINGS = """
[tsa]
default_tsa = one
[one]
serial = {folder}/serial
signer_digest = sha256
default_policy = 1.2.3.4.1
digests = sha256
accuracy = secs:1, millisecs:500
ess_cert_id_chain = no
ess_cert_id_alg = {ess}
[req]
distinguished_name = dn
[dn]
[ca]
basicConstraints = critical,CA:TRUE
keyUsage = critical,keyCertSign,cRLSign
[stamping]
keyUsage = critical,digitalSignature
extendedKeyUsage = critical,timeStamping
[answering]
keyUsage = critical,digitalSignature
extendedKeyUsage = OCSPSigning
noCheck = ignored
[plain]
keyUsage = critical,digitalSignature
"""


@dataclass(slots=True)
class Shell:
    folder: Path

    def __call__(self, *arguments: str) -> str:
        done = subprocess.run(["openssl", *arguments], cwd=self.folder, capture_output=True, text=True, check=True)
        return done.stdout

    def settings(self, ess: str) -> None:
        (self.folder / "cnf").write_text(_SETTINGS.format(folder=self.folder, ess=ess))

    def leaf(self, name: str, profile: str) -> None:
        curve = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-384")
        subject = ("-subj", f"/CN={name}", "-config", "cnf")
        self("req", "-new", *curve, "-nodes", "-keyout", f"{name}.key", "-out", f"{name}.csr", *subject)
        signed = ("-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days", "30")
        self(
            "x509",
            "-req",
            "-in",
            f"{name}.csr",
            *signed,
            "-out",
            f"{name}.pem",
            "-extfile",
            "cnf",
            "-extensions",
            profile,
        )

    def token(self, unit: str) -> bytes:
        (self.folder / "data").write_bytes(b"what was there")
        self("ts", "-query", "-data", "data", "-sha256", "-cert", "-out", "query")
        made = ("-config", "cnf", "-queryfile", "query", "-inkey", f"{unit}.key", "-signer", f"{unit}.pem")
        self("ts", "-reply", *made, "-token_out", "-out", "token")
        return (self.folder / "token").read_bytes()

    def answer(self, responder: str, state: str) -> bytes:
        serial = self("x509", "-in", "unit.pem", "-noout", "-serial").strip().partition("=")[2]
        since = "261101000000Z,keyCompromise" if state == "R" else ""
        (self.folder / "index").write_text(f"{state}\t361231235959Z\t{since}\t{serial}\tunknown\t/CN=unit\n")
        by = ("-rsigner", f"{responder}.pem", "-rkey", f"{responder}.key")
        asked = ("-issuer", "ca.pem", "-cert", "unit.pem", "-respout", "answer", "-ndays", "2")
        self("ocsp", "-index", "index", "-CA", "ca.pem", *by, *asked)
        return (self.folder / "answer").read_bytes()

    @property
    def root(self) -> x509.Certificate:
        return x509.load_pem_x509_certificate((self.folder / "ca.pem").read_bytes())


@pytest.fixture(scope="module")
def shell(tmp_path_factory: pytest.TempPathFactory) -> Shell:
    made = Shell(tmp_path_factory.mktemp("openssl"))
    made.settings("sha256")
    (made.folder / "serial").write_text("01\n")
    root = ("-keyout", "ca.key", "-out", "ca.pem", "-subj", "/CN=Outside root", "-days", "30")
    made("req", "-x509", "-newkey", "rsa:2048", "-nodes", *root, "-config", "cnf", "-extensions", "ca")
    made.leaf("unit", "stamping")
    made.leaf("responder", "answering")
    made.leaf("somebody", "plain")
    return made


@pytest.mark.parametrize("ess", ["sha1", "sha256"])
def test_a_token_of_openssl_is_read(shell: Shell, ess: str) -> None:
    """With ESSCertID (version 1, SHA-1) and with ESSCertIDv2."""
    shell.settings(ess)
    token = read_token(shell.token("unit"))
    assert token.covers(b"what was there")
    assert not token.covers(b"something else")
    assert (token.policy, token.algorithm, token.weak) == ("1.2.3.4.1", "sha256", ())
    assert token.accuracy is not None
    assert token.accuracy.total_seconds() == 1.5
    assert token.signer.subject.rfc4514_string() == "CN=unit"


def test_every_changed_byte_of_what_was_signed_is_noticed(shell: Shell) -> None:
    """Outside the certificates, no byte of the signed content or of the signed attributes can be another."""
    token = shell.token("unit")
    content = token.index(b"\x06\x04\x2a\x03\x04\x01")  # the policy, in the content
    for at in [*range(content, content + 90), *range(len(token) - 60, len(token))]:
        changed = bytearray(token)
        changed[at] ^= 1
        with pytest.raises(TimeStampTokenError):
            read_token(bytes(changed))


@pytest.mark.parametrize("cut", [b"", b"\x30", b"\x30\x80", b"\x00" * 64, b"0" * (257 * 1024)])
def test_what_is_no_token_is_named(cut: bytes) -> None:
    with pytest.raises(TimeStampTokenError) as raised:
        read_token(cut)
    assert raised.value.code in {"token-malformed", "token-too-large"}


def test_trailing_bytes_are_refused(shell: Shell) -> None:
    with pytest.raises(TimeStampTokenError):
        read_token(shell.token("unit") + b"\0")


@pytest.mark.parametrize(("state", "status"), [("V", "good"), ("R", "revoked")])
def test_an_answer_of_openssl_is_read(shell: Shell, state: str, status: str) -> None:
    (answer,) = read_response(shell.answer("responder", state), shell.root)
    assert (answer.status, answer.vouched) == (status, True)
    assert answer.responder.subject.rfc4514_string() == "CN=responder"
    assert (answer.revoked is None) == (status == "good")
    if answer.revoked:
        assert (answer.revoked.reason, answer.revoked.time.year) == ("key_compromise", 2026)


def test_the_issuer_may_answer_itself(shell: Shell) -> None:
    (answer,) = read_response(shell.answer("ca", "V"), shell.root)
    assert (answer.status, answer.responder) == ("good", shell.root)


@pytest.mark.parametrize("responder", ["somebody", "unit"])
def test_nobody_else_may_answer(shell: Shell, responder: str) -> None:
    """A certificate of the same issuer that is not for answering."""
    with pytest.raises(OcspResponseError) as raised:
        read_response(shell.answer(responder, "V"), shell.root)
    assert raised.value.code == "ocsp-responder"


def test_a_changed_answer_is_refused(shell: Shell) -> None:
    answer = shell.answer("responder", "V")
    for at in range(60, 200):
        changed = bytearray(answer)
        changed[at] ^= 1
        with pytest.raises(AuthorityError):
            read_response(bytes(changed), shell.root)
