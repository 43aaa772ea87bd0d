"""What other programs say about the same files. For information only: nothing depends on it."""

import asyncio
import shutil
import subprocess
from io import BytesIO
from pathlib import Path

from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.validation import async_validate_pdf_signature
from pyhanko_certvalidator import ValidationContext

_SECONDS = 20


def pdfsig_says_valid(path: Path) -> bool | None:
    """Whether every signature that poppler finds is valid; None where the program is not there."""
    if shutil.which("pdfsig") is None:
        return None
    try:
        done = subprocess.run(
            ["pdfsig", "-nocert", path], capture_output=True, text=True, timeout=_SECONDS, check=False
        )
    except (subprocess.TimeoutExpired, UnicodeDecodeError):
        return False
    states = [line for line in done.stdout.splitlines() if "Signature Validation:" in line]
    return bool(states) and all("Signature is Valid" in line for line in states)


def pyhanko_says_valid(data: bytes, roots: tuple[x509.Certificate, ...]) -> bool:
    """Whether every signature is valid, trusted and unchanged by the default validation of the library."""
    try:
        return asyncio.run(_validate(data, roots))
    except Exception:  # noqa: BLE001  whatever it raises, it does not say valid
        return False


async def _validate(data: bytes, roots: tuple[x509.Certificate, ...]) -> bool:
    reader = PdfFileReader(BytesIO(data))
    trusted = [asn1_x509.Certificate.load(root.public_bytes(Encoding.DER)) for root in roots]
    states = [
        await async_validate_pdf_signature(each, ValidationContext(trust_roots=trusted, allow_fetching=False))
        for each in reader.embedded_regular_signatures
    ]
    return bool(states) and all(each.bottom_line for each in states)
