"""What the custody process checks before it uses a key: one module a purpose. No SQL, no network, no clock.

Nothing that a caller says is believed because it says so. What a use rests on is an entry of the log under a checkpoint
that this process signed, or the form of the message alone where no entry can be asked for.
"""

from collections.abc import Callable, Mapping
from datetime import datetime

from custody.checks.authority_use import check_ca
from custody.checks.destruction import check_destruction
from custody.checks.log_use import check_log
from custody.checks.refusal import refuse
from custody.checks.report_use import check_report
from custody.checks.seal_use import check_seal
from custody.checks.service_use import check_ocsp, check_timestamp, check_token
from custody.requests import CheckState, UseRequest
from keystore.interface import Purpose
from ledger.canonical import JsonValue

__all__ = ["check_use"]

_CHECKS: Mapping[Purpose, Callable[[UseRequest, CheckState, datetime], Mapping[str, JsonValue]]] = {
    "seal": check_seal,
    "ca": check_ca,
    "log": check_log,
    "report": check_report,
    "timestamp": check_timestamp,
    "ocsp": check_ocsp,
    "token": check_token,
}
"""No key of the purpose ``crl`` or ``witness`` is used here: lists are the authority's, witnesses keep their own."""


def check_use(request: UseRequest, state: CheckState, now: datetime) -> Mapping[str, JsonValue]:
    """Judge one use of one key, or its end, and say what the record of uses shall tell of it.

    Raises :class:`keystore.interface.GroundsError`, which says what was found and what was expected.
    """
    if request.ends:
        return check_destruction(request, state, now)
    check = _CHECKS.get(request.purpose)
    if check is None:
        refuse(f"没有用途 {request.purpose} 的检查", f"no key of the purpose {request.purpose} is used here")
    return check(request, state, now)
