"""Machine clients: the secret is shown once and kept as a hash; states; attesting keys."""

from hashlib import sha256
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from world import COUNTY, organ_code

from registry.errors import EvidenceError, NotFoundError, RecordInvalidError, TransitionError
from registry.records import Client, ClientApprovalKey
from sealing.administration import clients
from sealing.administration.clients import ClientRequest
from sealing.administration.key_registration import KeyRequest


def spki() -> bytes:
    public = ec.generate_private_key(ec.SECP256R1()).public_key()
    return public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def platform(office, **changed) -> ClientRequest:
    values = {"name": "审批平台", "roles": ("approval_system",), "organs": (office.world.codes[COUNTY],)}
    return ClientRequest(**{**values, **changed})


def test_a_secret_has_256_bits_and_only_its_hash_is_kept(office):
    issued = clients.register(office.shop, platform(office), office.act())
    assert issued.secret is not None
    assert len(issued.secret) == 43  # 32 bytes, base64url without padding
    assert issued.client.record.secret_hash == "sha256:" + sha256(issued.secret.encode()).hexdigest()
    assert issued.secret not in repr(issued)
    for path in Path(office.shop.settings.data).rglob("*"):
        assert not path.is_file() or issued.secret.encode() not in path.read_bytes(), path


def test_each_client_has_a_secret_of_its_own(office):
    secrets = {clients.register(office.shop, platform(office), office.act()).secret for _ in range(5)}
    assert len(secrets) == 5


def test_a_client_with_its_own_key_gets_no_secret(office):
    issued = clients.register(office.shop, platform(office, public_key=spki()), office.act())
    assert issued.secret is None
    assert issued.client.record.secret_hash is None
    assert issued.client.record.public_key is not None


@pytest.mark.parametrize(
    ("changed", "error"),
    [
        ({"organs": (organ_code(99),)}, NotFoundError),
        ({"organs": ()}, RecordInvalidError),
        ({"roles": ()}, RecordInvalidError),
        ({"roles": ("root",)}, RecordInvalidError),
        ({"public_key": b"x"}, EvidenceError),
        ({"name": " "}, RecordInvalidError),
    ],
    ids=["unknown organ", "no organ", "no role", "unknown role", "no key", "blank name"],
)
def test_what_cannot_be_a_client_is_refused(office, changed, error):
    before = office.kinds()
    with pytest.raises(error):
        clients.register(office.shop, platform(office, **changed), office.act())
    assert office.kinds() == before


def test_states_go_the_way_of_the_table(office):
    client = clients.register(office.shop, platform(office), office.act()).client.record.id
    seen = [
        clients.change_state(office.shop, client, change, office.act()).record.state
        for change in ("suspend", "resume", "close")
    ]
    assert seen == ["suspended", "active", "closed"]
    assert office.newest()[0] == "client.closed"
    for change in ("suspend", "resume", "close"):
        with pytest.raises(TransitionError) as caught:
            clients.change_state(office.shop, client, change, office.act())
        assert caught.value.code == "client-change-refused"


def test_a_renewed_secret_replaces_the_old_one(office):
    issued = clients.register(office.shop, platform(office), office.act())
    client = issued.client.record.id
    renewed = clients.renew_secret(office.shop, client, office.act("泄露"))
    assert renewed.secret not in (None, issued.secret)
    kept = office.get(Client, client).secret_hash
    assert kept == clients.secret_hash(renewed.secret or "")
    assert kept != clients.secret_hash(issued.secret or "")


def test_a_closed_client_gets_neither_secret_nor_key(office):
    client = clients.register(office.shop, platform(office), office.act()).client.record.id
    clients.change_state(office.shop, client, "close", office.act())
    with pytest.raises(TransitionError):
        clients.renew_secret(office.shop, client, office.act())
    with pytest.raises(TransitionError):
        clients.register_approval_key(office.shop, client, KeyRequest(public_key=spki(), document="表"), office.act())


def test_the_attesting_key_is_not_the_authentication_key(office):
    own = spki()
    client = clients.register(office.shop, platform(office, public_key=own), office.act()).client.record.id
    with pytest.raises(RecordInvalidError) as caught:
        clients.register_approval_key(office.shop, client, KeyRequest(public_key=own, document="表"), office.act())
    assert caught.value.code == "approval-key-is-authentication-key"
    key = clients.register_approval_key(
        office.shop, client, KeyRequest(public_key=spki(), document="表"), office.act()
    ).record
    act = office.act()
    clients.end_approval_key(office.shop, key.id, act)
    assert office.get(ClientApprovalKey, key.id).valid_until == act.now


def test_a_client_cannot_authenticate_with_a_key_of_somebody_else(office):
    own = spki()
    clients.register(office.shop, platform(office, public_key=own), office.act())
    with pytest.raises(RecordInvalidError) as caught:
        clients.register(office.shop, platform(office, public_key=own), office.act())
    assert caught.value.code == "key-of-another"
