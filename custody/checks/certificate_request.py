"""A seal key's own request for a certificate by an outside authority (PKCS #10, RFC 2986)."""

from asn1crypto import csr

from custody.checks.refusal import refuse, refuse_unless
from custody.checks.shown_entry import shown_entry, unused
from custody.requests import CheckState, UseRequest
from ledger.canonical import JsonValue

REQUESTED = "certificate.requested"


def check_certificate_request(request: UseRequest, state: CheckState) -> dict[str, JsonValue]:
    """What the record shall say of a request for this key's own certificate, which an entry of the log foresaw."""
    try:
        frame = csr.CertificationRequestInfo.load(request.message, strict=True)
        shape = (frame["version"].native, len(frame["attributes"]), frame["subject_pk_info"].dump())
        same = frame.dump(force=True) == request.message
    except (ValueError, TypeError, KeyError):
        refuse("要签名的既不是签名属性，也不是证书申请", "neither signed attributes nor a request for a certificate")
    refuse_unless(
        same and shape == ("v1", 0, request.public_key),
        "证书申请不是为本密钥作出的，或含有附加属性",
        "the request for a certificate is not for this key, or asks for more",
    )
    intent = shown_entry(request, state, "intent", kinds=(REQUESTED,))
    unused(intent, request, state)
    wanted = intent.group("request")
    refuse_unless(
        wanted.get("key") == request.key_ref,
        f"意向针对密钥 {wanted.get('key')}",
        f"the intent is for key {wanted.get('key')}, asked for is {request.key_ref}",
    )
    return {
        "form": "request",
        "intent": intent.leaf.id,
        "entry": intent.index,
        "seal": str(wanted.get("seal")),
        "certified": f"{wanted.get('seal')} {request.key_ref}",
    }
