"""The token endpoint and the tokens it gives: one way in for each kind of credential, and none besides."""

import base64
import hashlib
import hmac
import json
from base64 import b64encode
from datetime import timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from joserfc import jws
from joserfc.jwk import ECKey
from world import public_bytes

from api.client_authentication import ASSERTION, TOKEN_PATH
from api.tokens import TYP
from registry.records import Client
from sealing.administration import clients
from tests.api.live import SECRET, Service, basic

GRANT = {"grant_type": "client_credentials"}
ENDPOINT = "http://127.0.0.1:8420/oauth/token"


def ask(service: Service, form: Any = None, headers: dict[str, str] | None = None) -> Any:
    return service.http.post(TOKEN_PATH, data=GRANT if form is None else form, headers=headers or {})


def use(service: Service, token: str) -> Any:
    return service.http.get("/v1/organs", headers={"Authorization": f"Bearer {token}"})


def part(value: Any) -> str:
    data = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def signed(header: dict[str, Any], claims: Any, key: ec.EllipticCurvePrivateKey) -> str:
    """A compact JWS of anything, so that wrong shapes can be signed rightly."""
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

    message = f"{part(header)}.{part(claims)}"
    r, s = decode_dss_signature(key.sign(message.encode(), ec.ECDSA(hashes.SHA256())))
    return f"{message}.{part(r.to_bytes(32) + s.to_bytes(32))}"


@pytest.fixture(scope="module")
def asserting(service: Service) -> tuple[str, ec.EllipticCurvePrivateKey]:
    key = ec.generate_private_key(ec.SECP256R1())
    client = service.register("asserting", ("auditor",), (), secret_hash=None, public_key=public_bytes(key))
    return client, key


_SERIAL = iter(range(10**6))


def assertion(service: Service, client: str, **changed: Any) -> dict[str, Any]:
    now = int(service.world.now.timestamp())
    claims = {"iss": client, "sub": client, "aud": ENDPOINT, "exp": now + 60, "jti": f"id-{next(_SERIAL)}"} | changed
    return {name: value for name, value in claims.items() if value is not None}


def bring(service: Service, token: str, **more: str) -> Any:
    return ask(service, GRANT | {"client_assertion_type": ASSERTION, "client_assertion": token} | more)


def test_secret_gives_a_token_that_opens_a_route(service: Service) -> None:
    answer = ask(service, headers=basic(service.clients["auditor"]))
    assert answer.status_code == 200
    assert answer.json()["expires_in"] == 600
    assert answer.headers["cache-control"] == "no-store"
    assert use(service, answer.json()["access_token"]).status_code == 200


def test_the_token_is_an_es256_jwt_that_joserfc_verifies(service: Service) -> None:
    token = ask(service, headers=basic(service.clients["auditor"])).json()["access_token"]
    shop = service.world.shop
    key = ECKey.import_key(shop.keystore.open(shop.installation.token_key).public_key)
    opened = jws.deserialize_compact(token, key, algorithms=["ES256"])
    assert opened.protected["typ"] == TYP
    claims = json.loads(opened.payload or b"")
    assert claims["sub"] == service.clients["auditor"]
    assert set(claims) == {"iss", "aud", "sub", "iat", "exp", "jti"}


def test_a_registered_client_gets_in_with_the_secret_it_was_given(service: Service) -> None:
    request = clients.ClientRequest(name="新系统", roles=("auditor",))
    issued = clients.register(service.world.shop, request, service.world.act())
    assert issued.secret is not None
    assert ask(service, headers=basic(issued.client.record.id, issued.secret)).status_code == 200


@pytest.mark.parametrize(
    ("form", "authorization", "error", "status"),
    [
        (GRANT, None, "invalid_client", 401),
        (GRANT, "Basic !!!", "invalid_client", 401),
        (GRANT, "Basic " + b64encode(b"no-colon").decode(), "invalid_client", 401),
        (GRANT, "Bearer abc", "invalid_client", 401),
        (GRANT, "Basic " + b64encode(b"cli-" + b"a" * 26 + b":x").decode(), "invalid_client", 401),
        ({"grant_type": "password"}, "Basic YTpi", "unsupported_grant_type", 400),
        ({}, "Basic YTpi", "invalid_request", 400),
        (GRANT | {"client_secret": "x"}, None, "invalid_request", 400),
        ("grant_type=client_credentials&grant_type=client_credentials", None, "invalid_request", 400),
        ("\xff\xfe".encode("latin-1"), None, "invalid_request", 400),
    ],
)
def test_what_the_token_endpoint_refuses(
    service: Service, form: Any, authorization: str | None, error: str, status: int
) -> None:
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    if authorization:
        headers["Authorization"] = authorization
    kind = "data" if isinstance(form, dict) else "content"
    answer = service.http.post(TOKEN_PATH, headers=headers, **{kind: form})
    assert (answer.status_code, answer.json()["error"]) == (status, error)
    assert answer.json()["zh"]
    assert ("www-authenticate" in answer.headers) == (status == 401)


def test_a_json_body_is_no_token_request(service: Service) -> None:
    answer = service.http.post(TOKEN_PATH, json=GRANT, headers=basic(service.clients["auditor"]))
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")


def test_wrong_secret_and_secret_of_another(service: Service) -> None:
    one = ask(service, headers=basic(service.clients["auditor"], SECRET + "x"))
    unknown = ask(service, headers=basic("cli-" + "a" * 26))
    assert one.status_code == unknown.status_code == 401
    assert one.json() == unknown.json()  # nothing tells which ids exist


def test_a_client_with_a_key_has_no_secret(service: Service, asserting: tuple[str, Any]) -> None:
    assert ask(service, headers=basic(asserting[0], "")).status_code == 401


def test_client_id_beside_the_credential_must_be_the_same(service: Service) -> None:
    mine = basic(service.clients["auditor"])
    assert ask(service, GRANT | {"client_id": service.clients["auditor"]}, mine).status_code == 200
    assert ask(service, GRANT | {"client_id": service.clients["operator"]}, mine).status_code == 401


def test_suspension_ends_tokens_at_once(service: Service) -> None:
    client = service.register("leaving", ("auditor",), ())
    token = service.token("leaving")
    assert use(service, token).status_code == 200
    clients.change_state(service.world.shop, client, "suspend", service.world.act())
    answer = use(service, token)
    assert (answer.status_code, answer.json()["code"]) == (401, "client-not-active")
    assert ask(service, headers=basic(client)).json()["error"] == "invalid_client"


def test_roles_are_those_of_now_not_those_of_the_token(service: Service) -> None:
    client = service.register("demoted", ("operator",), ())
    token = service.token("demoted")
    store = service.world.shop.registry
    with service.world.shop.database.write() as connection:
        found = store.get(connection, Client, client)
        changed = Client.model_validate({**dict(found.record), "roles": ("auditor",)})
        act = service.world.act()
        store.put(connection, changed, by=act.by, why=act.why, now=act.now, replaces=found)
    answer = service.http.post("/v1/clients", json={}, headers={"Authorization": f"Bearer {token}"})
    assert (answer.status_code, answer.json()["code"]) == (403, "role-required")


def test_an_assertion_gives_a_token_and_counts_once(service: Service, asserting: tuple[str, Any]) -> None:
    client, key = asserting
    token = signed({"alg": "ES256", "typ": "JWT", "kid": client}, assertion(service, client), key)
    assert bring(service, token).status_code == 200
    again = bring(service, token)
    assert (again.status_code, again.json()["error"]) == (401, "invalid_client")
    assert "used before" in again.json()["en"]


@pytest.mark.parametrize(
    "changed",
    [
        {"aud": "yinxin.example/log"},
        {"aud": [ENDPOINT, "https://elsewhere.example"]},
        {"sub": "cli-" + "a" * 26},
        {"iss": "cli-" + "a" * 26},
        {"iss": None},
        {"exp": None},
        {"exp": 1},
        {"exp": "soon"},
        {"exp": True},
        {"exp": 10**400},
        {"exp": 4102444800},
        {"nbf": 4102444800},
        {"jti": None},
        {"jti": ""},
        {"jti": "x" * 201},
        {"jti": 7},
        {"jti": "编号"},
    ],
)
def test_assertions_with_a_wrong_claim(
    service: Service, asserting: tuple[str, ec.EllipticCurvePrivateKey], changed: dict[str, Any]
) -> None:
    client, key = asserting
    token = signed({"alg": "ES256", "typ": "JWT"}, assertion(service, client, **changed), key)
    answer = bring(service, token)
    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")


def test_an_assertion_by_another_key_or_by_a_client_with_a_secret(service: Service, asserting: tuple[str, Any]) -> None:
    other = ec.generate_private_key(ec.SECP256R1())
    assert (
        bring(service, signed({"alg": "ES256", "typ": "JWT"}, assertion(service, asserting[0]), other)).status_code
        == 401
    )
    secretive = service.clients["auditor"]
    assert (
        bring(service, signed({"alg": "ES256", "typ": "JWT"}, assertion(service, secretive), other)).status_code == 401
    )


def test_a_credential_and_an_assertion_at_once(service: Service, asserting: tuple[str, Any]) -> None:
    client, key = asserting
    token = signed({"alg": "ES256", "typ": "JWT"}, assertion(service, client), key)
    form = GRANT | {"client_assertion_type": ASSERTION, "client_assertion": token}
    assert ask(service, form, basic(service.clients["auditor"])).status_code == 401


WRONG_HEADERS: list[dict[str, Any]] = [
    {"alg": "none"},
    {"alg": "HS256"},
    {"alg": "ES384"},
    {"alg": "RS256"},
    {"typ": "yinxin-approval+jws"},
    {"typ": "other"},
    {"typ": None},
    {"jwk": {"kty": "EC"}},
    {"jku": "https://elsewhere.example/keys"},
    {"x5c": ["AA=="]},
    {"x5u": "https://elsewhere.example/cert"},
    {"crit": ["b64"], "b64": False},
    {"b64": True},
    {"kid": "cli-" + "b" * 26},
    {"zip": "DEF"},
]


@pytest.mark.parametrize("changed", WRONG_HEADERS, ids=str)
def test_assertions_with_a_wrong_header(service: Service, asserting: tuple[str, Any], changed: dict[str, Any]) -> None:
    client, key = asserting
    header = {name: value for name, value in ({"alg": "ES256", "typ": "JWT"} | changed).items() if value is not None}
    assert bring(service, signed(header, assertion(service, client), key)).status_code == 401


class _TokenKey:
    """The service's own token key, to sign wrong things rightly."""

    def __init__(self, service: Service) -> None:
        shop = service.world.shop
        self.key = shop.keystore.open(shop.installation.token_key)

    def sign(self, header: dict[str, Any], claims: Any) -> str:
        from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

        from keystore.interface import Permit

        message = f"{part(header)}.{part(claims)}"
        r, s = decode_dss_signature(self.key.sign(Permit.to_sign(self.key, message.encode()), message.encode()))
        return f"{message}.{part(r.to_bytes(32) + s.to_bytes(32))}"

    def claims(self, service: Service, **changed: Any) -> dict[str, Any]:
        now = int(service.world.now.timestamp())
        url = "http://127.0.0.1:8420"
        claims = {"iss": url, "aud": f"{url}/v1", "sub": service.clients["auditor"], "iat": now, "exp": now + 60}
        return claims | changed


@pytest.mark.parametrize("changed", [each for each in WRONG_HEADERS if each != {"typ": "other"}], ids=str)
def test_access_tokens_with_a_wrong_header(service: Service, changed: dict[str, Any]) -> None:
    own = _TokenKey(service)
    right = {"alg": "ES256", "typ": TYP, "kid": own.key.ref}
    assert use(service, own.sign(right, own.claims(service))).status_code == 200
    header = {name: value for name, value in (right | changed).items() if value is not None}
    answer = use(service, own.sign(header, own.claims(service)))
    assert (answer.status_code, answer.json()["code"]) == (401, "token-invalid")
    assert "WWW-Authenticate" in answer.headers


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"aud": "http://127.0.0.1:8420/oauth/token"}, "token-invalid"),
        ({"iss": "https://elsewhere.example"}, "token-invalid"),
        ({"sub": 5}, "token-invalid"),
        ({"sub": "nobody"}, "client-not-active"),
        ({"exp": "never"}, "token-expired"),
        ({"exp": 1}, "token-expired"),
        ({"iat": 4102444800, "exp": 4102444900}, "token-not-yet-valid"),
        ({"iat": None}, "token-not-yet-valid"),
    ],
)
def test_access_tokens_with_a_wrong_claim(service: Service, changed: dict[str, Any], code: str) -> None:
    own = _TokenKey(service)
    token = own.sign({"alg": "ES256", "typ": TYP, "kid": own.key.ref}, own.claims(service, **changed))
    answer = use(service, token)
    assert (answer.status_code, answer.json()["code"]) == (401, code)


def test_a_token_signed_with_the_public_key_as_a_secret(service: Service) -> None:
    """Algorithm confusion (RFC 8725 2.1)."""
    own = _TokenKey(service)
    message = f"{part({'alg': 'HS256', 'typ': TYP, 'kid': own.key.ref})}.{part(own.claims(service))}"
    mac = hmac.new(own.key.public_key, message.encode(), hashlib.sha256).digest()
    assert use(service, f"{message}.{part(mac)}").status_code == 401


@pytest.mark.parametrize(
    "spoil",
    [
        lambda token: token + "=",
        lambda token: token + ".",
        lambda token: token.rsplit(".", 1)[0] + ".",
        lambda token: "." + token,
        lambda token: token[:-2] + ("A" if token[-2] != "A" else "B") + token[-1],
        lambda token: "x" * 9000,
        lambda token: "{}",
        lambda token: "..",
        lambda token: "W10.W10.W10",
    ],
)
def test_spoiled_tokens(service: Service, spoil: Any) -> None:
    answer = use(service, spoil(service.token("auditor")))
    assert (answer.status_code, answer.json()["code"]) == (401, "token-invalid")


def test_the_last_character_of_a_signature_has_one_spelling(service: Service) -> None:
    """64 bytes leave four spare bits in base64url; setting them gives another text for the same signature."""
    token = service.token("auditor")
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    other = alphabet[alphabet.index(token[-1]) ^ 1]
    assert use(service, token[:-1] + other).status_code == 401


def test_a_name_given_twice_is_refused(service: Service) -> None:
    own = _TokenKey(service)
    header = f'{{"alg":"ES256","typ":"{TYP}","kid":"{own.key.ref}","kid":"{own.key.ref}"}}'.encode()
    assert use(service, own.sign(header, own.claims(service))).status_code == 401  # type: ignore[arg-type]  # bytes on purpose


def test_a_token_ends(service: Service) -> None:
    token, now = service.token("auditor"), service.world.now
    try:
        service.world.now = now + timedelta(seconds=599)
        assert use(service, token).status_code == 200
        service.world.now = now + timedelta(seconds=600)
        assert use(service, token).json()["code"] == "token-expired"
    finally:
        service.world.now = now


@pytest.mark.parametrize("authorization", [None, "Bearer", "Bearer ", "Basic YTpi", "bearer"])
def test_no_token(service: Service, authorization: str | None) -> None:
    headers = {} if authorization is None else {"Authorization": authorization}
    answer = service.http.get("/v1/organs", headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (401, "token-missing")
