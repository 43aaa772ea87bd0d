"""What a worker process does to find the time-stamps in a PDF: JSON in and JSON out. Nothing is judged here."""

from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from verify.case import mapped
from verify.signature_reading import Reading, open_reader, read_signatures


def list_time_stamps(*, document: str) -> dict[str, Any]:
    """``signatures`` (how many stand in the file at ``document``) and ``tokens``, base64 of DER, oldest first.

    Tokens of document time-stamps and of signatures; a file that cannot be read has none.
    """
    with mapped(Path(document)) as (stream, data):
        try:
            readings = read_signatures(data, open_reader(stream)[0]).readings
            tokens = [token for reading in sorted(readings, key=lambda each: each.revision) for token in _of(reading)]
        except Exception:  # noqa: BLE001  whatever a parser raises: there is nothing to renew in it
            return {"signatures": 0, "tokens": []}
    return {"signatures": len(readings), "tokens": [b64encode(each).decode() for each in tokens]}


def _of(reading: Reading) -> Iterator[bytes]:
    if reading.is_timestamp:
        yield reading.cms_bytes
        return
    unsigned: Any = reading.signer_info["unsigned_attrs"]
    for attribute in unsigned if unsigned.native is not None else ():
        if attribute["type"].native == "signature_time_stamp_token":
            yield from (value.dump() for value in attribute["values"])
