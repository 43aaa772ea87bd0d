"""An authority's key: certificates that were intended, revocation lists, and at the founding root and issuer."""

from datetime import datetime

from asn1crypto import core

from custody.checks.certificate_use import check_certificate
from custody.checks.refusal import refuse_unless
from custody.checks.revocation_list import check_revocation_list
from custody.requests import CheckState, UseRequest
from ledger.canonical import JsonValue

_EXPLICIT_VERSION, _PLAIN_VERSION = b"\xa0", b"\x02"
"""How the first member of a TBSCertificate and of a TBSCertList v2 begins (RFC 5280 4.1, 5.1)."""


def check_ca(request: UseRequest, state: CheckState, now: datetime) -> dict[str, JsonValue]:
    """What the record shall say of a certificate or a list that may be signed. Refuses anything else."""
    try:
        first = core.Sequence.load(request.message, strict=True).contents[:1]
    except (ValueError, TypeError):
        first = b""
    if first == _EXPLICIT_VERSION:
        return check_certificate(request, state, now)
    refuse_unless(
        first == _PLAIN_VERSION, "要签名的既不是证书，也不是吊销列表", "neither a certificate nor a revocation list"
    )
    return check_revocation_list(request, now)
