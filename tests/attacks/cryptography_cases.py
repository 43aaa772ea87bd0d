"""The CMS, the certificate and the time-stamps tampered with; certificates that are revoked or expired; filled gaps."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta

from asn1crypto import x509 as asn1_x509
from asn1crypto.cms import ContentInfo
from attacks.base import NOW, Base
from attacks.case import UNCLEAR, Case, later
from attacks.incremental import Update
from attacks.places import byte_range, cms_of, with_byte_range, with_cms
from attacks.stranger import certificate_for
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from world import START

from verify.trust import Trust

SHA256 = bytes.fromhex("608648016503040201")
WRONG = ("cms_malformed", "signature_value_wrong", "document_changed", "cms_not_acceptable", "signature_malformed")
Edit = Callable[[ContentInfo, Base], ContentInfo | bytes]


def _edited(edit: Edit) -> Callable[[Base], bytes]:
    return lambda base: with_cms(base.final, edit(ContentInfo.load(cms_of(base.final)), base))


def _signer(cms: ContentInfo):  # type: ignore[no-untyped-def]  asn1crypto has no types
    return cms["content"]["signer_infos"][0]


def _digest_algorithm(name: str) -> Edit:
    def edit(cms: ContentInfo, base: Base) -> ContentInfo:
        _signer(cms)["digest_algorithm"]["algorithm"] = name
        return cms

    return edit


def _digest_algorithms(cms: ContentInfo, base: Base) -> ContentInfo:
    cms["content"]["digest_algorithms"][0]["algorithm"] = "sha1"
    return cms


def _signature_algorithm(name: str) -> Edit:
    def edit(cms: ContentInfo, base: Base) -> ContentInfo:
        _signer(cms)["signature_algorithm"] = {"algorithm": name}
        return cms

    return edit


def _message_digest(cms: ContentInfo, base: Base) -> ContentInfo:
    for attribute in _signer(cms)["signed_attrs"]:
        if attribute["type"].native == "message_digest":
            attribute["values"] = [b"\x11" * 32]
    return cms


def _attribute_dropped(name: str) -> Edit:
    def edit(cms: ContentInfo, base: Base) -> ContentInfo:
        kept = [each for each in _signer(cms)["signed_attrs"] if each["type"].native != name]
        _signer(cms)["signed_attrs"] = kept
        return cms

    return edit


def _attribute_doubled(cms: ContentInfo, base: Base) -> ContentInfo:
    found = list(_signer(cms)["signed_attrs"])
    _signer(cms)["signed_attrs"] = [*found, found[0]]
    return cms


def _out_of_order(cms: ContentInfo, base: Base) -> bytes:
    """The signed attributes, each as it was, in another order than DER asks for."""
    der = cms.dump()
    parts = [each.dump() for each in _signer(cms)["signed_attrs"]]
    whole, turned = b"".join(sorted(parts)), b"".join(sorted(parts, reverse=True))
    start = der.index(parts[0])
    if len(whole) != len(b"".join(parts)):
        raise AssertionError(len(whole))
    return der[:start] + turned + der[start + len(whole) :]


def _two_signers(cms: ContentInfo, base: Base) -> ContentInfo:
    signer = _signer(cms)
    cms["content"]["signer_infos"] = [signer, signer]
    return cms


def _no_signers(cms: ContentInfo, base: Base) -> ContentInfo:
    cms["content"]["signer_infos"] = []
    return cms


def _value(change: Callable[[bytes], bytes]) -> Edit:
    def edit(cms: ContentInfo, base: Base) -> ContentInfo:
        _signer(cms)["signature"] = change(_signer(cms)["signature"].native)
        return cms

    return edit


def _content_enclosed(cms: ContentInfo, base: Base) -> ContentInfo:
    """The CMS brings content of its own along, as if it had signed that."""
    cms["content"]["encap_content_info"] = {"content_type": "data", "content": b"other content"}
    return cms


def _other_content_type(cms: ContentInfo, base: Base) -> bytes:
    return bytes(cms["content"].dump())


def _indefinite_length(cms: ContentInfo, base: Base) -> bytes:
    """BER: the outermost value with an indefinite length."""
    inner = cms.contents
    return b"\x30\x80" + inner + b"\x00\x00"


def _certificates(keep: Callable[[bytes, Base], bytes]) -> Edit:
    def edit(cms: ContentInfo, base: Base) -> ContentInfo:
        leaf = _leaf(cms)
        others = [each for each in cms["content"]["certificates"] if each.dump() != leaf]
        cms["content"]["certificates"] = [
            asn1_x509.Certificate.load(keep(leaf, base)),
            *(each.chosen for each in others),
        ]
        return cms

    return edit


def _leaf(cms: ContentInfo) -> bytes:
    serial = _signer(cms)["sid"].chosen["serial_number"].native
    found = [each for each in cms["content"]["certificates"] if each.chosen.serial_number == serial]
    return bytes(found[0].dump())


def _same_key(leaf: bytes, base: Base) -> bytes:
    """A certificate for the same key and of the same name and number, issued by a stranger."""
    own = x509.load_der_x509_certificate(leaf)
    made = (
        x509.CertificateBuilder()
        .subject_name(own.subject)
        .issuer_name(own.issuer)
        .public_key(own.public_key())
        .serial_number(own.serial_number)
        .not_valid_before(own.not_valid_before_utc)
        .not_valid_after(own.not_valid_after_utc + timedelta(days=9000))
    )
    for each in own.extensions:
        made = made.add_extension(each.value, critical=each.critical)
    from cryptography.hazmat.primitives.hashes import SHA256 as HASH

    return made.sign(base.stranger.key, HASH()).public_bytes(Encoding.DER)


def _plain_same_key(leaf: bytes, base: Base) -> bytes:
    own = x509.load_der_x509_certificate(leaf)
    made = certificate_for(own.public_key(), base.stranger.key, "Somebody")
    return made.public_bytes(Encoding.DER)


def _no_certificates(cms: ContentInfo, base: Base) -> ContentInfo:
    cms["content"]["certificates"] = []
    return cms


_EDITS: dict[str, Edit] = {
    "digest-algorithm-sha1": _digest_algorithm("sha1"),
    "digest-algorithm-md5": _digest_algorithm("md5"),
    "digest-algorithm-sha512": _digest_algorithm("sha512"),
    "digest-algorithm-sha384": _digest_algorithm("sha384"),
    "digest-algorithms-of-the-set": _digest_algorithms,
    "signature-algorithm-rsa": _signature_algorithm("sha256_rsa"),
    "signature-algorithm-ecdsa-sha1": _signature_algorithm("sha1_ecdsa"),
    "signature-algorithm-ecdsa-sha512": _signature_algorithm("sha512_ecdsa"),
    "message-digest-changed": _message_digest,
    "message-digest-dropped": _attribute_dropped("message_digest"),
    "content-type-dropped": _attribute_dropped("content_type"),
    "signing-certificate-dropped": _attribute_dropped("signing_certificate_v2"),
    "attribute-doubled": _attribute_doubled,
    "attributes-out-of-order": _out_of_order,
    "two-signers": _two_signers,
    "no-signer": _no_signers,
    "value-zero": _value(lambda value: b"\x30\x06\x02\x01\x00\x02\x01\x00"),
    "value-flipped": _value(lambda value: value[:-1] + bytes([value[-1] ^ 1])),
    "value-empty": _value(lambda value: b""),
    "content-enclosed": _content_enclosed,
    "content-type-other": _other_content_type,
    "indefinite-length": _indefinite_length,
    "certificate-of-the-same-key": _certificates(_same_key),
    "certificate-of-another-name-and-the-same-key": _certificates(_plain_same_key),
    "certificates-removed": _no_certificates,
}
_DOUBT = {
    "digest-algorithm-sha1": ("algorithm_too_weak", *WRONG),
    "digest-algorithm-md5": ("algorithm_too_weak", *WRONG),
}


def _copied_signature(base: Base) -> bytes:
    """The signature of another sealed file."""
    return with_cms(base.final, cms_of(base["other"].data))


def _gap_space(base: Base) -> bytes:
    """The hole is wider than the value, and filled with what nobody signed."""
    data = base.final
    first, length, second, rest = byte_range(data)
    wedge = b"/Evil true"
    moved = data[:second] + wedge + data[second:]
    return with_byte_range(moved, b"[%d %d %d %d]" % (first, length, second + len(wedge), rest))


def _gap_padding(written: bytes) -> Callable[[Base], bytes]:
    def make(base: Base) -> bytes:
        data = bytearray(base.final)
        second = byte_range(base.final)[2]
        data[second - 1 - len(written) : second - 1] = written
        return bytes(data)

    return make


def _copied_timestamp(base: Base) -> bytes:
    return with_cms(base.stranger.timestamp(base.final), cms_of(base.stranger.timestamp(base["other"].data)))


def _moved_timestamp(base: Base) -> bytes:
    """A time-stamp cut out of the file it belongs to and appended to another one."""
    mine, theirs = base.final, base["other"].data
    return mine + base.stranger.timestamp(theirs)[len(theirs) :]


def _doubled_timestamp(base: Base) -> bytes:
    """A second field that holds the same time-stamp."""
    update = Update(base.stranger.timestamp(base.final))
    field = update.seal
    number = update.add(
        b"<< /FT /Sig /T (Again) /V %s /Type /Annot /Subtype /Widget /Rect [0 0 0 0] /F 132 >>" % field.V.unparse()
    )
    root = update.pdf.Root
    form = root.AcroForm
    listed = b" ".join(each.unparse() for each in form.Fields)
    body = form.unparse(resolved=True).replace(
        b"/Fields " + form.Fields.unparse(), b"/Fields [%s %d 0 R]" % (listed, number)
    )
    if form.is_indirect:
        update.objects[form.objgen[0]] = body
    else:
        whole = root.unparse(resolved=True)
        update.objects[root.objgen[0]] = whole.replace(b"/AcroForm " + form.unparse(), b"/AcroForm " + body)
    return update.write()


def _flipped_timestamp(base: Base) -> bytes:
    data = base.stranger.timestamp(base.final)
    cms = bytearray(cms_of(data))
    cms[-20] ^= 1
    return with_cms(data, bytes(cms))


def _crl(when_days: int) -> Callable[[Base], Trust]:
    return lambda base: replace(base.trust, crls=(base.crl("final", START + timedelta(days=when_days)),))


def cases() -> Iterator[Case]:
    """All families of this module."""
    for name, edit in _EDITS.items():
        family = "certificate-swap" if "certificate" in name else "algorithm-confusion"
        codes = _DOUBT.get(name, WRONG)
        yield Case(family=family, name=name, make=_edited(edit), codes=codes)
    yield Case(family="algorithm-confusion", name="signature-of-another-file", make=_copied_signature, codes=WRONG)
    gap = ("signature_malformed", "pdf_broken")
    yield Case(family="gap-filled", name="behind-the-value", make=_gap_space, codes=gap)
    for name, written in {"digits": b"41" * 20, "object": b"> /Evil <41".ljust(40, b"4"), "one-digit": b"1"}.items():
        yield Case(family="gap-filled", name=f"padding-{name}", make=_gap_padding(written), codes=gap)
    stamps = {
        "copied": (_copied_timestamp, ("document_changed", "timestamp_wrong")),
        "moved-with-its-revision": (_moved_timestamp, ("uncovered_bytes", "pdf_broken", "signature_malformed")),
        "doubled": (_doubled_timestamp, ("signature_malformed", "changed_after_sealing")),
        "value-flipped": (_flipped_timestamp, ("signature_value_wrong", "cms_malformed")),
    }
    for name, (make, codes) in stamps.items():
        yield Case(family="time-stamp", name=name, make=make, codes=codes)
    yield from _standing()


def _standing() -> Iterator[Case]:
    plain = {"family": "certificate-standing", "make": lambda base: base.final}
    yield Case(name="revoked-before", codes=("certificate_revoked",), trust=_crl(-1), **plain)
    yield Case(name="revoked-after", codes=("certificate_revoked",), expected=UNCLEAR, trust=_crl(0.5), **plain)
    yield Case(
        name="expired", codes=("certificate_out_of_bounds", "no_trusted_path"), expected=UNCLEAR,
        now=later(20 * 365), **plain,
    )  # fmt: skip
    yield Case(
        name="not-yet-valid", codes=("certificate_out_of_bounds", "no_trusted_path", "ledger_time_ahead"),
        expected=UNCLEAR, now=NOW - timedelta(days=900), **plain,
    )  # fmt: skip
    yield Case(
        name="root-not-trusted", codes=("no_trusted_path",), expected=UNCLEAR,
        trust=lambda base: replace(base.trust, roots=(base.stranger.certificate,)), **plain,
    )  # fmt: skip
    yield Case(
        name="receipt-of-another-file", family="certificate-standing", make=lambda base: base.final, of="other",
        codes=("receipt_of_another_file",),
    )  # fmt: skip
