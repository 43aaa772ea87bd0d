"""A transit engine that speaks HashiCorp Vault's HTTP API over TLS and really signs, for the tests of its client.

Paths, fields, messages and statuses follow Vault's HTTP API documentation ("Transit secrets engine", "HTTP API") and
the answers of its open-source server: creating what exists warns, a list of nothing is 404, a key that is absent is
404 without a word, 403 for a token that is unknown, 503 while sealed, 429 over a quota, 307 on a standby.
"""

import json
import re
import ssl
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Lock, Thread
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
from cryptography.hazmat.primitives.hashes import SHA256, Hash
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

MOUNT = "transit"
_KEYS = re.compile(rf"/v1/{MOUNT}/keys/([\w.-]+)")
_CONFIG = re.compile(rf"/v1/{MOUNT}/keys/([\w.-]+)/(config|rotate)")
_SIGN = re.compile(rf"/v1/{MOUNT}/sign/([\w.-]+)")
PrivateKey = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey
MAKERS: dict[str, Callable[[], PrivateKey]] = {
    "ecdsa-p256": lambda: ec.generate_private_key(ec.SECP256R1()),
    "rsa-3072": lambda: rsa.generate_private_key(public_exponent=65537, key_size=3072),
    "ed25519": ed25519.Ed25519PrivateKey.generate,
}


class RefusalError(Exception):
    def __init__(self, status: int, *errors: str) -> None:
        self.status, self.errors = status, list(errors)


@dataclass
class TransitKey:
    name: str
    type: str
    properties: dict[str, Any]
    versions: dict[int, PrivateKey] = field(default_factory=dict)

    def rotate(self) -> None:
        self.versions[len(self.versions) + 1] = MAKERS[self.type]()

    def data(self) -> dict[str, Any]:
        kinds = {"ecdsa-p256": "P-256"}
        return {
            "name": self.name,
            "type": self.type,
            "latest_version": len(self.versions),
            "min_available_version": 0,
            "min_decryption_version": 1,
            "supports_signing": True,
            "auto_rotate_period": 0,
            **self.properties,
            "keys": {
                str(number): {
                    "name": kinds.get(self.type, self.type),
                    "public_key": formatted(key),
                    "certificate_chain": "",
                    "creation_time": datetime.now(UTC).isoformat(),
                }
                for number, key in self.versions.items()
            },
        }


def formatted(key: PrivateKey) -> str:
    public = key.public_key()
    if isinstance(public, ed25519.Ed25519PublicKey):
        return b64encode(public.public_bytes(Encoding.Raw, PublicFormat.Raw)).decode()
    return public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


@dataclass
class Vault:
    """The state of the server, which a test may change while it runs."""

    tokens: set[str] = field(default_factory=lambda: {"hvs.first"})
    keys: dict[str, TransitKey] = field(default_factory=dict)
    sealed: bool = False
    standby: bool = False
    requests: list[tuple[str, str, dict[str, Any]]] = field(default_factory=list)
    answer_instead: Callable[[BaseHTTPRequestHandler], None] | None = None
    after_signing: Callable[[bytes], bytes] = lambda signature: signature
    port: int = 0
    over_quota: bool = False
    held: Event = field(default_factory=Event)
    lock: Lock = field(default_factory=Lock)
    keeps_deleted: bool = False
    close_after_answer: bool = False
    headers: list[dict[str, str]] = field(default_factory=list)

    def answer(self, method: str, path: str, token: str, body: dict[str, Any]) -> dict[str, Any] | None:
        if self.sealed:
            raise RefusalError(503, "Vault is sealed")
        if self.over_quota:
            raise RefusalError(429, 'request path "transit": rate limit quota exceeded')
        if not path.startswith(f"/v1/{MOUNT}/"):
            raise RefusalError(404, f'no handler for route "{path.removeprefix("/v1/")}". route entry not found.')
        if token not in self.tokens:
            raise RefusalError(403, "permission denied")
        if path == f"/v1/{MOUNT}/keys" and method == "LIST":
            return self._list()
        if (found := _KEYS.fullmatch(path)) is not None:
            return self._key(method, found[1], body)
        if (found := _CONFIG.fullmatch(path)) is not None and method == "POST":
            return self._change(found[1], found[2], body)
        if (found := _SIGN.fullmatch(path)) is not None and method == "POST":
            return self._sign(found[1], body)
        raise RefusalError(405, "unsupported operation")

    def _list(self) -> dict[str, Any]:
        if not self.keys:
            raise RefusalError(404)
        return {"data": {"keys": sorted(self.keys)}}

    def _key(self, method: str, name: str, body: dict[str, Any]) -> dict[str, Any] | None:
        if method == "POST":
            return self._create(name, body)
        if method == "DELETE":
            if name not in self.keys:
                raise RefusalError(400, f"error deleting policy {name}: could not delete key; not found")
            if not self.keys[name].properties["deletion_allowed"]:
                raise RefusalError(400, f"error deleting policy {name}: deletion is not allowed for this policy")
            if not self.keeps_deleted:
                del self.keys[name]
            return None
        if name not in self.keys:
            raise RefusalError(404)
        return {"data": self.keys[name].data()}

    def _create(self, name: str, body: dict[str, Any]) -> dict[str, Any]:
        kind = body.get("type", "aes256-gcm96")
        if kind not in MAKERS:
            raise RefusalError(400, f"unknown key type {kind}")
        warnings = [f"key {name} already existed"] if name in self.keys else None
        if warnings is None:
            settable = {each: body.get(each, False) for each in ("exportable", "allow_plaintext_backup", "derived")}
            fixed = {"deletion_allowed": False, "imported_key": False, "min_encryption_version": 0}
            self.keys[name] = TransitKey(name, kind, settable | fixed)
            self.keys[name].rotate()
        return {"data": self.keys[name].data(), "warnings": warnings}

    def _change(self, name: str, what: str, body: dict[str, Any]) -> dict[str, Any]:
        if name not in self.keys:
            raise RefusalError(400, f"no existing key named {name} could be found")
        if what == "rotate":
            self.keys[name].rotate()
        else:
            self.keys[name].properties |= body
        return {"data": self.keys[name].data()}

    def _sign(self, name: str, body: dict[str, Any]) -> dict[str, Any]:
        if name not in self.keys:
            raise RefusalError(400, "signing key not found")
        key = self.keys[name]
        version = body.get("key_version", 0) or len(key.versions)
        if version > len(key.versions):
            raise RefusalError(400, "requested version for signing is higher than the latest key version")
        if version < key.properties["min_encryption_version"]:
            raise RefusalError(400, "requested version for signing is less than the minimum encryption key version")
        raw = self.after_signing(sign(key.versions[version], b64decode(body["input"], validate=True), body))
        return {"data": {"signature": f"vault:v{version}:{b64encode(raw).decode()}", "key_version": version}}


def sign(key: PrivateKey, content: bytes, body: dict[str, Any]) -> bytes:
    """As Vault does by default: hashes itself unless told not to, PSS unless told PKCS #1."""
    if isinstance(key, ed25519.Ed25519PrivateKey):
        return key.sign(content)
    if body.get("hash_algorithm", "sha2-256") != "sha2-256":
        raise RefusalError(400, f"invalid hash algorithm {body['hash_algorithm']!r}")
    if not body.get("prehashed", False):
        hashing = Hash(SHA256())
        hashing.update(content)
        content = hashing.finalize()
    if len(content) != SHA256.digest_size:
        raise RefusalError(400, "crypto/rsa: input must be hashed message")
    if isinstance(key, ec.EllipticCurvePrivateKey):
        if body.get("marshaling_algorithm", "asn1") != "asn1":
            raise RefusalError(400, "the tests ask for asn1 only")
        return key.sign(content, ec.ECDSA(Prehashed(SHA256())))
    if body.get("signature_algorithm", "pss") == "pkcs1v15":
        return key.sign(content, padding.PKCS1v15(), Prehashed(SHA256()))
    return key.sign(content, padding.PSS(padding.MGF1(SHA256()), padding.PSS.DIGEST_LENGTH), Prehashed(SHA256()))


def _handler(vault: Vault) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _any(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers.get("content-length", "0"))) or b"{}")
            vault.requests.append((self.command, self.path, body))
            vault.headers.append({name.lower(): value for name, value in self.headers.items()})
            if vault.answer_instead is not None:
                vault.answer_instead(self)
                return
            if vault.standby:
                self.say(307, b"", location=f"https://active.example{self.path}")
                return
            try:
                with vault.lock:
                    value = vault.answer(self.command, self.path, self.headers.get("x-vault-token", ""), body)
            except RefusalError as refusal:
                self.say(refusal.status, json.dumps({"errors": refusal.errors}).encode())
                return
            self.say(204 if value is None else 200, b"" if value is None else json.dumps(value).encode())

        do_GET = do_POST = do_DELETE = do_LIST = _any  # noqa: N815  the library's names

        def say(self, status: int, content: bytes, **headers: str) -> None:
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)
            self.close_connection = self.close_connection or vault.close_after_answer

        def log_message(self, *_: object) -> None:
            pass

    return Handler


@contextmanager
def vault_running(tls: ssl.SSLContext, vault: Vault, *, port: int = 0) -> Iterator[Vault]:
    """Serve ``vault`` on this machine; ``vault.port`` says where."""
    server = ThreadingHTTPServer(("127.0.0.1", port), _handler(vault), bind_and_activate=False)
    server.daemon_threads = True
    server.allow_reuse_address = True
    server.server_bind()
    server.server_activate()
    # The handshake is made when the connection is first read, in its own thread.
    server.socket = tls.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    vault.port = server.server_address[1]
    try:
        yield vault
    finally:
        vault.held.set()
        server.shutdown()
        server.server_close()
