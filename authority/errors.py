"""What can go wrong with certificates, grouped by who can act."""

from typing import Literal

from cryptography import x509

TimeStampFailure = Literal[
    "badAlg",
    "badRequest",
    "badDataFormat",
    "timeNotAvailable",
    "unacceptedPolicy",
    "unacceptedExtension",
    "systemFailure",
]
"""PKIFailureInfo, RFC 3161 2.4.2."""

UNREADABLE = (ValueError, x509.DuplicateExtension, x509.UnsupportedGeneralNameType, x509.InvalidVersion)
"""What ``cryptography`` raises for a certificate, a list or their extensions that it cannot read."""


class AuthorityError(Exception):
    """Root of this package's errors; ``code`` is stable, ``zh`` and ``en`` say found and expected."""

    def __init__(self, code: str, zh: str, en: str) -> None:
        """``code`` in kebab-case; the sentences hold no secret."""
        super().__init__(f"{zh} / {en}")
        self.code = code
        self.zh = zh
        self.en = en


class ProfileError(AuthorityError):
    """What was asked for does not fit the certificate or list profile; whoever asked can correct it."""


class BindingError(AuthorityError):
    """The seal extension of a certificate is not one of ours: malformed, or of an unknown version."""


class OutsideCertificateError(AuthorityError):
    """A certificate from an outside authority cannot serve the seal key; the code names the first problem."""


class RevocationListError(AuthorityError):
    """A certificate revocation list is malformed, of another issuer, or not signed by it."""


class IssuedSignatureError(AuthorityError):
    """The key returned a signature that its own certificate does not verify. Nothing was released."""


class SignatureValueError(AuthorityError):
    """A signature value is not by the key it is said to be by, or its algorithm is none that is judged."""


class SignedDataError(AuthorityError):
    """CMS SignedData is malformed, not DER where it must be, or names no certificate that is there."""


class TimeStampTokenError(AuthorityError):
    """A time-stamp token (RFC 3161) is malformed, not signed as it must be, or by a certificate for other things."""


class OcspResponseError(AuthorityError):
    """A revocation answer (RFC 6960) is malformed, or not signed by the issuer or by a responder of its own."""


class TimeStampRequestError(AuthorityError):
    """A time-stamp request cannot be granted; ``failure`` is the PKIFailureInfo of its answer (RFC 3161 2.4.2)."""

    def __init__(self, failure: TimeStampFailure, zh: str, en: str) -> None:
        """Keep the failure beside the sentences."""
        super().__init__("timestamp-request", zh, en)
        self.failure = failure


class TimeStampResponseError(AuthorityError):
    """A time-stamp authority refused, or what it sent is no token for what was asked."""


class OcspRequestError(AuthorityError):
    """An OCSP request is malformed, too large, or asks for something that is not understood."""
