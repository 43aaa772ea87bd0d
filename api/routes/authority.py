"""The embedded authority's certificates and revocation lists, for whoever verifies."""

from typing import Final

from fastapi import APIRouter
from starlette.responses import Response

from api.callers import PUBLIC
from api.service import Serving
from sealing import revocation

router: Final = APIRouter(prefix="/v1/authority", tags=["authority"], dependencies=[PUBLIC])
_PEM: Final = "application/x-pem-file"
_CRL: Final = "application/pkix-crl"
"""RFC 2585 4.2."""


@router.get("/root.pem", operation_id="readRoot", response_class=Response)
def read_root(service: Serving) -> Response:
    """The root. Trust it only after comparing it with what its operator gave you by another way."""
    return Response(service.shop.installation.root, media_type=_PEM)


@router.get("/issuer.pem", operation_id="readIssuer", response_class=Response)
def read_issuer(service: Serving) -> Response:
    """The authority that issues seal certificates."""
    return Response(service.shop.installation.issuer, media_type=_PEM)


@router.get("/issuer.crl", operation_id="readIssuerCrl", response_class=Response)
def read_issuer_crl(service: Serving) -> Response:
    """Seal certificates that are held or revoked; DER, valid for at most a day."""
    return Response(revocation.crl(service.shop, service.now()), media_type=_CRL)


@router.get("/root.crl", operation_id="readRootCrl", response_class=Response)
def read_root_crl(service: Serving) -> Response:
    """The root's own list."""
    return Response(revocation.root_crl(service.shop, service.now()), media_type=_CRL)
