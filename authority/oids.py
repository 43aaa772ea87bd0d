"""Object identifiers: the project's own (2.25 and a UUID, Rec. ITU-T X.667) and the standard ones it uses.

``docs/oids.md`` tells what the project's own mean. They are in signed certificates and never change.
"""

from uuid import UUID


def _from_uuid(text: str) -> str:
    return f"2.25.{UUID(text).int}"


SEAL_BINDING = _from_uuid("58d2f0da-5e18-48e3-8cf6-1463a97453b2")
"""Certificate extension: which agreement, organs, seal and log the certificate belongs to."""

EMBEDDED_POLICY = _from_uuid("27a3f4d0-3e4e-4fd7-8a30-e2292d3898de")
"""Certificate policy: issued by the embedded authority, which holds no licence."""

TIME_STAMP_POLICY = _from_uuid("024b4a78-fb6e-42d7-bc68-50bf7b937591")
"""Time-stamp policy: what the embedded time-stamp authority promises."""

DOCUMENT_SIGNING = "1.3.6.1.5.5.7.3.36"
"""id-kp-documentSigning (RFC 9336 section 3.1)."""
