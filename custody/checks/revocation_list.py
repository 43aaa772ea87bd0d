"""A revocation list: of this authority, of this hour, and of no other form than ours (RFC 5280 5)."""

from datetime import datetime, timedelta
from typing import Final

from cryptography import x509

from authority.issue import load_public_key
from authority.revocation import LONGEST_LIFE
from custody.checks.refusal import refuse, refuse_unless
from custody.checks.unsigned import UNREADABLE, unsigned_list
from custody.requests import UseRequest
from ledger.canonical import JsonValue

NEAR: Final = timedelta(minutes=10)
"""How far from this process' own clock what is signed may be dated."""
_EXTENSIONS = {x509.AuthorityKeyIdentifier.oid, x509.CRLNumber.oid}


def check_revocation_list(request: UseRequest, now: datetime) -> dict[str, JsonValue]:
    """What the record shall say of a list. Whether its lines are the registry's is not judged here."""
    found = unsigned_list(request)
    begins, ends = found.last_update_utc, found.next_update_utc
    refuse_unless(
        ends is not None and abs(begins - now) <= NEAR and begins < ends <= begins + LONGEST_LIFE,
        f"吊销列表的时间 {begins:%F %T} 至 {ends} 不合规；应自现在起不超过 {LONGEST_LIFE}",
        f"the list holds from {begins:%F %T} to {ends}; expected from now for at most {LONGEST_LIFE}",
    )
    try:
        number = found.extensions.get_extension_for_class(x509.CRLNumber).value.crl_number
        authority = found.extensions.get_extension_for_class(x509.AuthorityKeyIdentifier).value
        kinds, lines = {each.oid for each in found.extensions}, len(found)
    except (*UNREADABLE, x509.ExtensionNotFound):
        refuse("吊销列表的扩展不合规", "the extensions of the list are not those of ours")
    refuse_unless(
        kinds == _EXTENSIONS and authority.key_identifier == key_identifier(request.public_key),
        "吊销列表不是本密钥所属机构的，或含有其他扩展",
        "the list is not by the authority of this key, or has other extensions",
    )
    return {"form": "list", "number": f"{number:x}", "lines": lines}


def key_identifier(public_key: bytes) -> bytes:
    """RFC 5280 4.2.1.2, as the authority's own certificate has it. ``public_key`` is SubjectPublicKeyInfo, DER."""
    return x509.SubjectKeyIdentifier.from_public_key(load_public_key(public_key)).digest
