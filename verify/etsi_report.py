"""A verdict as a signature validation report of ETSI TS 119 102-2 (V1.4.1, clause 4): XML that other systems read.

The order of the elements is that of the standard. What it has no place for (seal, agreement, item, ledger, approval,
present status) stands in ``OtherInformation``, in a name space of ours. The same verdict gives the same bytes.
"""

from base64 import b64encode
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final
from xml.etree.ElementTree import Element, SubElement, tostring

from ledger.moments import to_text
from verify.verdict import Finding, Indication, SignatureVerdict, Verdict, indication_of

MEDIA_TYPE: Final = "application/xml"
NAMESPACES: Final[Mapping[str, str]] = {
    "vr": "http://uri.etsi.org/19102/v1.4.1#",
    "ds": "http://www.w3.org/2000/09/xmldsig#",
    "xades": "http://uri.etsi.org/01903/v1.3.2#",
    "tsl": "http://uri.etsi.org/02231/v2#",
    "yx": "urn:yinxin:verdict:v1",
}
_SHA256: Final = "http://www.w3.org/2001/04/xmlenc#sha256"
_ETSI: Final = "urn:etsi:019102"
_MAIN: Final = {
    Indication.TOTAL_PASSED: f"{_ETSI}:mainindication:total-passed",
    Indication.INDETERMINATE: f"{_ETSI}:mainindication:indeterminate",
    Indication.TOTAL_FAILED: f"{_ETSI}:mainindication:total-failed",
}
_PROCESS: Final = {"PAdES-B-T": "LTVM", "PAdES-B-LT": "LTVM", "PAdES-B-LTA": "LTA"}
"""TS 119 102-2 4.3.11: which process of EN 319 102-1 answered; every other form is judged by the basic one."""
_PROVEN: Final = {"outside_time_stamp": "validation", "operator_time_stamp": "validation", "witnessed": "provided"}
"""Bases of a time that is a proof of existence (4.5.5), and how it came: from the file, or beside it."""
_FILE: Final = "O-file"
_FACTS: Final = (
    "seal",
    "agreement",
    "item",
    "approval",
    "ledger",
    "certificate",
    "coverage",
    "time",
    "status",
    "digests",
)


def to_xml(verdict: Verdict, *, validator: bytes | None = None) -> bytes:
    """The report in UTF-8. ``validator`` is the certificate (DER) of the service that judged.

    A file without a judged signature gets one report with its status only, as 4.3.1 asks for at least one.
    """
    root = Element("vr:ValidationReport", {f"xmlns:{prefix}": uri for prefix, uri in NAMESPACES.items()})
    for number, signature in enumerate(verdict.signatures, start=1):
        _signature(root, number, signature, verdict)
    if not verdict.signatures:
        _status(SubElement(root, "vr:SignatureValidationReport"), verdict.findings, None)
    _objects(root, verdict)
    if validator is not None:
        identity = SubElement(SubElement(root, "vr:SignatureValidator"), "vr:DigitalId")
        _text(identity, "tsl:X509Certificate", b64encode(validator).decode())
    report: bytes = tostring(root, encoding="utf-8", xml_declaration=True)
    return report + b"\n"


def _signature(root: Element, number: int, signature: SignatureVerdict, verdict: Verdict) -> None:
    report = SubElement(root, "vr:SignatureValidationReport")
    _identifier(report, number, signature)
    _constraints(report)
    _times(report, signature, verdict.judged_at)
    _signers_document(report, signature)
    _attributes(report, signature)
    _signer(report, number, signature)
    _quality(report, signature)
    process = SubElement(report, "vr:SignatureValidationProcess")
    name = _PROCESS.get(signature.level or "", "Basic")
    _text(process, "vr:SignatureValidationProcessID", f"{_ETSI}:validationprocess:{name}")
    # What concerns the whole file concerns each signature: nobody who reads one report may miss it.
    _status(report, (*verdict.findings, *signature.findings), number)
    _other(report, signature)


def _identifier(report: Element, number: int, signature: SignatureVerdict) -> None:
    """4.3.3; the digest is that of the data to be signed."""
    identifier = SubElement(report, "vr:SignatureIdentifier", {"id": f"S-{number}"})
    _digest(identifier, "vr:DigestAlgAndValue", str(signature.digests["to_be_signed"]))
    _text(identifier, "vr:HashOnly", "false")
    _text(identifier, "vr:DocHashOnly", "false")
    _text(identifier, "vr:DAIdentifier", signature.field)


def _constraints(report: Element) -> None:
    """4.3.5: no signature policy is named by the file; the rules are the verifier's own."""
    constraints = SubElement(report, "vr:ValidationConstraintsEvaluationReport")
    policy = SubElement(constraints, "vr:SignatureValidationPolicy")
    SubElement(SubElement(policy, "vr:SignaturePolicyIdentifier"), "xades:SignaturePolicyImplied")
    _text(policy, "vr:PolicyName", "yinxin/verdict/v1")


def _times(report: Element, signature: SignatureVerdict, judged_at: str) -> None:
    """4.3.6; without a proof of an earlier time the best signature time is that of judging."""
    times = SubElement(report, "vr:ValidationTimeInfo")
    _text(times, "vr:ValidationTime", judged_at)
    best = SubElement(times, "vr:BestSignatureTime")
    proven, proof = signature.time.get("proven"), _PROVEN.get(str(signature.time.get("basis")))
    _text(best, "vr:POETime", proven if proven and proof else judged_at)
    _text(best, "vr:TypeOfProof", f"{_ETSI}:poetype:{proof if proven and proof else 'validation'}")


def _signers_document(report: Element, signature: SignatureVerdict) -> None:
    document = SubElement(report, "vr:SignersDocument")
    _digest(document, "vr:DigestAlgAndValue", str(signature.digests["byte_range"]))
    SubElement(document, "vr:SignersDocumentRef", {"VOReference": _FILE})


def _attributes(report: Element, signature: SignatureVerdict) -> None:
    """Annex A: the claimed time (``/M``) and the ByteRange, both covered by the signature."""
    found = list(_attributes_of(signature))
    if found:
        SubElement(report, "vr:SignatureAttributes").extend(found)


def _attributes_of(signature: SignatureVerdict) -> Iterator[Element]:
    claimed = pdf_time(str(signature.time.get("claimed") or ""))
    if claimed is not None:
        element = Element("vr:SigningTime", {"Signed": "true"})
        _text(element, "vr:Time", to_text(claimed))
        yield element
    ranges = signature.coverage.get("byte_range")
    if ranges:
        element = Element("vr:ByteRange")
        element.text = " ".join(str(int(each)) for each in ranges)
        yield element


def pdf_time(text: str) -> datetime | None:
    """A PDF date (ISO 32000-2 7.9.4) in UTC; None for one that is not written in full."""
    plain = text.removeprefix("D:").replace("'", "").replace("Z0000", "Z")
    for form in ("%Y%m%d%H%M%S%z", "%Y-%m-%dT%H:%M:%S.%f%z", "%Y-%m-%dT%H:%M:%S%z"):
        try:
            return datetime.strptime(plain, form).astimezone(UTC)
        except (ValueError, OverflowError):
            continue
    return None


def _signer(report: Element, number: int, signature: SignatureVerdict) -> None:
    information = SubElement(report, "vr:SignerInformation")
    SubElement(information, "vr:SignerCertificate", {"VOReference": f"C-{number}"})
    _text(information, "vr:Signer", str(signature.certificate.get("subject", "")))


def _quality(report: Element, signature: SignatureVerdict) -> None:
    """4.3.10: the level reached, and that a seal is only a specimen."""
    quality = SubElement(report, "vr:SignatureQuality")
    _text(quality, "vr:SignatureQualityInformation", f"urn:yinxin:level:{signature.level or 'none'}")
    if signature.seal.get("specimen"):
        _text(quality, "vr:SignatureQualityInformation", "urn:yinxin:quality:specimen")


def _status(report: Element, findings: Sequence[Finding], number: int | None) -> None:
    indication = indication_of(tuple(findings))
    status = SubElement(report, "vr:SignatureValidationStatus")
    _text(status, "vr:MainIndication", _MAIN[indication])
    for uri in _sub_indications(findings, indication):
        _text(status, "vr:SubIndication", uri)
    if number is None and not findings:
        return
    data = SubElement(status, "vr:AssociatedValidationReportData")
    if number is not None:
        chain = SubElement(data, "vr:CertificateChain")
        SubElement(chain, "vr:SigningCertificate", {"VOReference": f"C-{number}"})
    if findings:
        _said(SubElement(data, "vr:AdditionalValidationReportData"), findings)


def _sub_indications(findings: Sequence[Finding], indication: Indication) -> list[str]:
    """Those of the findings that decide; where EN 319 102-1 has none, a name of ours that says why."""
    worst = {Indication.TOTAL_FAILED: "failure", Indication.INDETERMINATE: "doubt"}.get(indication)
    return list(
        dict.fromkeys(
            f"{_ETSI}:subindication:{each.sub_indication}"
            if each.sub_indication
            else f"urn:yinxin:subindication:{each.code}"
            for each in findings
            if each.severity == worst
        )
    )


def _said(target: Element, findings: Sequence[Finding]) -> None:
    """Each finding in both languages."""
    for finding in findings:
        for language, words in (("zh", finding.zh), ("en", finding.en)):
            data = SubElement(target, "vr:ReportData")
            _text(data, "vr:Type", f"urn:yinxin:finding:{finding.severity}:{finding.code}")
            _text(data, "vr:Value", words).set("xml:lang", language)


def _other(report: Element, signature: SignatureVerdict) -> None:
    facts = SubElement(SubElement(report, "vr:OtherInformation"), "yx:Facts", {"kind": signature.kind})
    for group in _FACTS:
        for name, value in _flat(group, getattr(signature, group, {})):
            _text(facts, "yx:Fact", value).set("name", clean(name))


def _flat(name: str, value: Any) -> Iterator[tuple[str, str]]:  # noqa: ANN401  a JSON value
    if isinstance(value, Mapping):
        for key in sorted(value):
            yield from _flat(f"{name}.{key}", value[key])
    elif isinstance(value, list | tuple):
        for place, each in enumerate(value):
            yield from _flat(f"{name}.{place}", each)
    elif value is not None:
        yield name, str(value).lower() if isinstance(value, bool) else str(value)


def _objects(root: Element, verdict: Verdict) -> None:
    """4.4: the file by its digest, and each signer's certificate as far as the verdict describes it."""
    objects = SubElement(root, "vr:SignatureValidationObjects")
    _digest(_object(objects, _FILE, "signedData"), "vr:DigestAlgAndValue", verdict.file_digest)
    for number, signature in enumerate(verdict.signatures, start=1):
        direct = SubElement(_object(objects, f"C-{number}", "certificate"), "vr:direct")
        for name in ("subject", "issuer", "serial", "not_before", "not_after"):
            if signature.certificate.get(name) is not None:
                _text(direct, "yx:Fact", str(signature.certificate[name])).set("name", name)


def _object(objects: Element, identity: str, kind: str) -> Element:
    found = SubElement(objects, "vr:ValidationObject", {"id": identity})
    _text(found, "vr:ObjectType", f"{_ETSI}:validationObject:{kind}")
    return SubElement(found, "vr:ValidationObjectRepresentation")


def _digest(parent: Element, name: str, digest: str) -> None:
    """``sha256:<hex>`` as the type of XAdES."""
    found = SubElement(parent, name)
    SubElement(found, "ds:DigestMethod", {"Algorithm": _SHA256})
    _text(found, "ds:DigestValue", b64encode(bytes.fromhex(digest.removeprefix("sha256:"))).decode())


def _text(parent: Element, name: str, text: str) -> Element:
    element = SubElement(parent, name)
    element.text = clean(text)
    return element


def clean(text: str) -> str:
    """``text`` without what XML 1.0 cannot hold and what would change how the rest reads."""
    return "".join(each if each.isprintable() else "\N{REPLACEMENT CHARACTER}" for each in text)
