"""The practice statement of the embedded authority, as a page: what it checks, promises and does not promise."""

from hashlib import sha256
from html import escape
from importlib.resources import files
from string import Template
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from authority import oids
from authority.service_certificates import PROFILES
from sealing.installation import ISSUER_CRL_PATH, OCSP_PATH, ROOT_CRL_PATH, Installation

_PAGE: Final = "practice_statement.html"


def practice_statement(public_url: str, installation: Installation) -> str:
    """The page, HTML without script or style; the facts in it are those of this installation."""
    page = Template((files("api") / _PAGE).read_text(encoding="utf-8"))
    facts = {
        "root": _fingerprint(installation.root_certificate),
        "issuer": _fingerprint(installation.issuer_certificate),
        "policy": oids.EMBEDDED_POLICY,
        "time_policy": oids.TIME_STAMP_POLICY,
        "crl": public_url + ISSUER_CRL_PATH,
        "root_crl": public_url + ROOT_CRL_PATH,
        "ocsp": public_url + OCSP_PATH,
        "tsa": public_url + "/v1/authority/tsa",
        "certificates": public_url + "/v1/authority/certificates.pem",
        "log": installation.log_origin,
        **{f"{name}_days": str(profile.life.days) for name, profile in PROFILES.items()},
    }
    return page.substitute({name: escape(value) for name, value in facts.items()})


def _fingerprint(certificate: x509.Certificate) -> str:
    return sha256(certificate.public_bytes(Encoding.DER)).hexdigest()
