"""Signatures of statements, as this system checks them by itself, beside what a JOSE library says of them."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import ECKey

from ledger.ids import new_id
from registry.errors import EvidenceError
from registry.statements import RegisteredKey, open_statement, sign_statement

TYP = "yinxin-test+jws"
ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
"""Of the group of P-256."""


def der(signature: bytes) -> bytes:
    return encode_dss_signature(int.from_bytes(signature[:32]), int.from_bytes(signature[32:]))


CHANGES: dict[str, Callable[[bytes], bytes]] = {
    "as signed": lambda it: it,
    "the other s": lambda it: it[:32] + (ORDER - int.from_bytes(it[32:])).to_bytes(32),
    "empty": lambda it: b"",
    "one byte short": lambda it: it[:-1],
    "one byte more": lambda it: it + b"\0",
    "a zero between": lambda it: it[:32] + b"\0" + it[32:],
    "a zero before": lambda it: b"\0" + it,
    "DER": der,
    "zeros": lambda it: bytes(64),
    "r only": lambda it: it[:32] + bytes(32),
    "swapped": lambda it: it[32:] + it[:32],
    "a bit turned": lambda it: bytes([it[0] ^ 1]) + it[1:],
    "r and the order": lambda it: (2**256 - 1).to_bytes(32) + it[32:],
}


TAKEN = (CHANGES["as signed"], CHANGES["the other s"])
"""ECDSA itself takes ``n - s`` for ``s``."""


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES.keys())
def test_a_signature_is_taken_when_the_library_takes_it(change: Callable[[bytes], bytes]) -> None:
    private, key_id = ec.generate_private_key(ec.SECP256R1()), new_id("pky")
    public = private.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    signed, _, signature = sign_statement({"a": 1}, typ=TYP, kid=key_id, key=private).rpartition(".")
    changed = change(urlsafe_b64decode(signature + "=="))
    statement = f"{signed}.{urlsafe_b64encode(changed).rstrip(b'=').decode()}"
    try:
        jws.deserialize_compact(statement, ECKey.import_key(public), algorithms=["ES256"])
        taken = True
    except (JoseError, ValueError):
        taken = False
    key = RegisteredKey(
        id=key_id,
        kind="person",
        holder=new_id("per"),
        public_key=public,
        valid_from=datetime.min.replace(tzinfo=UTC),
        valid_until=None,
    )
    if taken:
        assert open_statement(statement, typ=TYP, find_key=lambda _: key).payload == {"a": 1}
    else:
        with pytest.raises(EvidenceError) as refused:
            open_statement(statement, typ=TYP, find_key=lambda _: key)
        assert refused.value.code == "statement-signature-wrong"
    assert taken is (change in TAKEN)
