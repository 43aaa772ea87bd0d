"""What the authority's services and the verdict page cost, through the real server.

Time-stamps and revocation answers are asked one after the other over one connection, each with a nonce, so none is
answered from what is kept. The page is that of a sealed file of ten pages: judged, every
page drawn, the seals outlined.
"""

import http.client
import secrets
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

import pikepdf
from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp
from servers import Server, running

from authority.timestamp import make_request, token_of
from benchmarks.load import Prepared, installation
from sealing.parts import seal_parts
from sealing.seal import Sealer
from sealing.workshop import open_workshop

ROUNDS, EACH = 5, 60
PAGES, VIEWS = 10, 5


def run(out: Callable[[str], None]) -> None:
    """Print ``tsa_per_s``, ``ocsp_per_s`` and ``page_verdict_s``."""
    with installation() as prepared:
        sealed, request = _sealed(prepared), _ocsp_request(prepared)
        with running(
            prepared.settings, prepared.folder, verification_rate="900000/hour", sandbox_seconds="30"
        ) as server:
            connection = http.client.HTTPConnection(urlsplit(server.address).netloc, timeout=60)
            stamps = [_rate(lambda: _stamp(connection)) for _ in range(ROUNDS)]
            answers = [_rate(lambda: _answer(connection, request())) for _ in range(ROUNDS)]
            connection.close()
            pages = [_seconds(lambda: _page(server, sealed)) for _ in range(VIEWS)]
    out(f"figure tsa_per_s {statistics.median(stamps):.0f}")
    out(f"figure ocsp_per_s {statistics.median(answers):.0f}")
    out(f"figure page_verdict_s {statistics.median(pages):.3f} (minimum {min(pages):.3f})")


def _seconds(work: Callable[[], None]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def _rate(work: Callable[[], None]) -> float:
    return EACH / _seconds(lambda: [work() for _ in range(EACH)] and None)


def _post(connection: http.client.HTTPConnection, path: str, kind: str, body: bytes) -> bytes:
    connection.request("POST", path, body, {"Content-Type": kind})
    answer = connection.getresponse()
    content = answer.read()
    if answer.status != http.client.OK:
        raise RuntimeError(f"{answer.status} {content[:300]!r}")
    return content


def _stamp(connection: http.client.HTTPConnection) -> None:
    digest, nonce = secrets.token_bytes(32), secrets.randbits(63)
    asked = make_request(digest, nonce=nonce)
    token_of(_post(connection, "/v1/authority/tsa", "application/timestamp-query", asked), digest=digest, nonce=nonce)


def _answer(connection: http.client.HTTPConnection, request: bytes) -> None:
    found = ocsp.load_der_ocsp_response(_post(connection, "/v1/authority/ocsp", "application/ocsp-request", request))
    if found.certificate_status is not ocsp.OCSPCertStatus.GOOD:
        raise RuntimeError(str(found.certificate_status))


def _ocsp_request(prepared: Prepared) -> Callable[[], bytes]:
    with open_workshop(prepared.settings) as shop, shop.database.read() as connection:
        order = prepared.world.order("city")
        parts = seal_parts(connection, shop.registry, order.seal)
        issuer = shop.installation.issuer_certificate
    if parts is None:
        raise RuntimeError("the seal has no key")
    certificate = x509.load_der_x509_certificate(parts.chain[0])

    def request() -> bytes:
        nonce = x509.OCSPNonce(secrets.token_bytes(16))
        builder = ocsp.OCSPRequestBuilder().add_certificate(certificate, issuer, SHA1())
        return builder.add_extension(nonce, critical=False).build().public_bytes(Encoding.DER)

    return request


def _sealed(prepared: Prepared) -> Path:
    """A sealed file of ten pages, as a download gives it."""
    world, folder = prepared.world, prepared.folder
    order = world.order("city")
    document, longer = world.document("city", order, folder), folder / "ten-pages.pdf"
    with pikepdf.open(document) as pdf:
        while len(pdf.pages) < PAGES:
            pdf.pages.append(pdf.pages[0])
        pdf.save(longer)
    submission = world.submit(order, longer, world.approve("city", order, longer))
    with open_workshop(prepared.settings) as shop:
        outcome = Sealer(shop).seal(submission, prepared.caller)
        if outcome.sealed_digest is None:
            raise RuntimeError(str([each for each in outcome.findings if not each["passed"]]))
        return shop.documents.read_path(outcome.sealed_digest)


def _page(server: Server, sealed: Path) -> None:
    boundary = secrets.token_hex(16)
    head = f'--{boundary}\r\nContent-Disposition: form-data; name="document"; filename="x.pdf"\r\n'
    body = (
        f"{head}Content-Type: application/pdf\r\n\r\n".encode()
        + sealed.read_bytes()
        + f"\r\n--{boundary}--\r\n".encode()
    )
    connection = http.client.HTTPConnection(urlsplit(server.address).netloc, timeout=60)
    page = _post(connection, "/verify", f"multipart/form-data; boundary={boundary}", body)
    connection.close()
    if page.count(b"data:image/") < PAGES:
        raise RuntimeError("the page does not show every page of the file")
