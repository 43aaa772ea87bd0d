"""The embedded authority for whoever verifies: certificates, revocation lists and answers, time-stamps."""

from base64 import b64decode
from binascii import Error as Base64Error
from datetime import datetime
from email.utils import format_datetime
from hashlib import sha256
from typing import Annotated, Final

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from fastapi import APIRouter, Depends
from starlette.responses import Response

from api.callers import PUBLIC
from api.practice_statement import practice_statement
from api.rate_limit import limited_rate
from api.raw_body import RawBody, binary
from api.service import Serving
from authority import ocsp as ocsp_format
from authority import timestamp as timestamp_format
from sealing import ocsp, revocation, service_keys, timestamp_authority

router: Final = APIRouter(prefix="/v1/authority", tags=["authority"], dependencies=[PUBLIC])
_PEM: Final = "application/x-pem-file"
_CRL: Final = "application/pkix-crl"
"""RFC 2585 4.2."""
_CERTIFICATE: Final = "application/pkix-cert"
"""RFC 2585 4.1."""
_OCSP_REQUEST: Final = "application/ocsp-request"
_OCSP_RESPONSE: Final = "application/ocsp-response"
_TIME_STAMP_QUERY: Final = "application/timestamp-query"
_TIME_STAMP_REPLY: Final = "application/timestamp-reply"
OcspBody = Annotated[bytes, Depends(RawBody(_OCSP_REQUEST, ocsp_format.LONGEST_REQUEST))]
TimeStampBody = Annotated[bytes, Depends(RawBody(_TIME_STAMP_QUERY, timestamp_format.LONGEST_REQUEST))]


@router.get("/root.pem", operation_id="readRoot", response_class=Response)
def read_root(service: Serving) -> Response:
    """The root. Trust it only after comparing it with what its operator gave you by another way."""
    return Response(service.shop.installation.root, media_type=_PEM)


@router.get("/root.cer", operation_id="readRootCertificate", response_class=Response)
def read_root_certificate(service: Serving) -> Response:
    """The root as one DER certificate, where the issuer's certificate says it is."""
    return _certificate(service.shop.installation.root_certificate)


@router.get("/issuer.pem", operation_id="readIssuer", response_class=Response)
def read_issuer(service: Serving) -> Response:
    """The authority that issues the certificates of seals and of this service."""
    return Response(service.shop.installation.issuer, media_type=_PEM)


@router.get("/issuer.cer", operation_id="readIssuerCertificate", response_class=Response)
def read_issuer_certificate(service: Serving) -> Response:
    """The issuer as one DER certificate, where the certificates it issued say it is (RFC 5280 4.2.2.1)."""
    return _certificate(service.shop.installation.issuer_certificate)


@router.get("/certificates.pem", operation_id="readServiceCertificates", response_class=Response)
def read_service_certificates(service: Serving) -> Response:
    """All certificates of the OCSP responder, the time-stamp unit and the report seal, the newest first."""
    found = service_keys.certificates(service.shop)
    return Response(b"".join(each.public_bytes(Encoding.PEM) for each in found), media_type=_PEM)


@router.get("/issuer.crl", operation_id="readIssuerCrl", response_class=Response)
def read_issuer_crl(service: Serving) -> Response:
    """Certificates of seals and of this service that are held or revoked; DER, valid for at most a day."""
    return Response(revocation.crl(service.shop, service.now()), media_type=_CRL)


@router.get("/root.crl", operation_id="readRootCrl", response_class=Response)
def read_root_crl(service: Serving) -> Response:
    """The root's own list."""
    return Response(revocation.root_crl(service.shop, service.now()), media_type=_CRL)


@router.post(
    "/ocsp",
    operation_id="askRevocation",
    dependencies=[limited_rate("ocsp")],
    response_class=Response,
    openapi_extra=binary(_OCSP_REQUEST),
)
def ask_revocation(service: Serving, body: OcspBody) -> Response:
    """OCSP (RFC 6960): good only for serials that the record knows; suspended seals are revoked, certificateHold."""
    return Response(ocsp.respond(service.shop, body, service.now()), media_type=_OCSP_RESPONSE)


@router.get(
    "/ocsp/{encoded:path}",
    operation_id="readRevocation",
    dependencies=[limited_rate("ocsp")],
    response_class=Response,
)
def read_revocation(service: Serving, encoded: str) -> Response:
    """As the POST, with the request in base64 in the address; the answer may be kept by caches (RFC 5019 5 and 6)."""
    try:
        request = b64decode(encoded.lstrip("/"), validate=True)
    except Base64Error:
        request = b""
    now = service.now()
    answer = ocsp.answer(service.shop, request, now)
    return Response(answer.der, media_type=_OCSP_RESPONSE, headers=_caching(answer, now))


@router.post(
    "/tsa",
    operation_id="issueTimeStamp",
    dependencies=[limited_rate("time-stamp")],
    response_class=Response,
    openapi_extra=binary(_TIME_STAMP_QUERY),
)
def issue_time_stamp(service: Serving, body: TimeStampBody) -> Response:
    """Time-stamps (RFC 3161) over SHA-256, SHA-384 or SHA-512; a refusal is a TimeStampResp that says why."""
    return Response(timestamp_authority.respond(service.shop, body, service.now()), media_type=_TIME_STAMP_REPLY)


@router.get("/cps", operation_id="readPracticeStatement", response_class=Response)
def read_practice_statement(service: Serving) -> Response:
    """What this authority does and does not do, for people, in Chinese and English (RFC 3647 in short)."""
    page = practice_statement(service.shop.settings.public_url, service.shop.installation)
    return Response(page, media_type="text/html; charset=utf-8")


def _certificate(certificate: x509.Certificate) -> Response:
    return Response(certificate.public_bytes(Encoding.DER), media_type=_CERTIFICATE)


def _caching(answer: ocsp.OcspAnswer, now: datetime) -> dict[str, str]:
    """RFC 5019 6.2; an answer that nobody may keep says nothing, and the default is no-store."""
    if answer.until is None:
        return {}
    seconds = max(int((answer.until - now).total_seconds()), 0)
    return {
        "Cache-Control": f"max-age={seconds}, public, no-transform, must-revalidate",
        "Last-Modified": format_datetime(answer.made, usegmt=True),
        "Expires": format_datetime(answer.until, usegmt=True),
        "ETag": f'"{sha256(answer.der).hexdigest()}"',
    }
