"""What has become of seal, agreement, certificate and document by now, as a log at hand tells it.

It changes nothing about the signature: a document that was annulled since was sealed rightly.
"""

from collections.abc import Iterator

from verify.verdict import Facts, Finding, warning

_QUIET = {None, "unknown"}


def judge_status(status: Facts) -> Iterator[Finding]:
    """Warnings where the present state (:class:`verify.ledger_evidence.LogAnswer`) is not what it was at sealing."""
    document, seal = status.get("document"), status.get("seal")
    agreement, certificate = status.get("agreement"), status.get("certificate")
    if document not in {*_QUIET, "in_force"}:
        yield warning(
            "document_not_in_force",
            f"文书现状为 {document}，不再按原样有效",
            f"the document is {document} by now; it is no longer in force as it stands",
        )
    if seal not in {*_QUIET, "active"}:
        yield warning("seal_not_active", f"印章现状为 {seal}", f"the seal is {seal} by now")
    if agreement not in {*_QUIET, "in_force"}:
        yield warning("agreement_not_in_force", f"协议现状为 {agreement}", f"the agreement is {agreement} by now")
    if certificate == "held":
        yield warning(
            "certificate_held_now",
            "证书现处于暂停（certificateHold）",
            "the certificate is on hold (certificateHold) now",
        )
