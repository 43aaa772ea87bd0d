"""The XML report has the elements of ETSI TS 119 102-2 in its order, and nothing of a file can change its shape."""

import re
from dataclasses import replace
from typing import Any

import pytest
from lxml import etree

from verify.etsi_report import NAMESPACES, clean, pdf_time, to_xml
from verify.verdict import Verdict, doubt, failure

VR, DS = f"{{{NAMESPACES['vr']}}}", f"{{{NAMESPACES['ds']}}}"
SHAPES = {
    "ValidationReport": r"(SignatureValidationReport )+(SignatureValidationObjects )?(SignatureValidator )?",
    "SignatureValidationReport": (
        r"(SignatureIdentifier )?(ValidationConstraintsEvaluationReport )?(ValidationTimeInfo )?(SignersDocument )?"
        r"(SignatureAttributes )?(SignerInformation )?(SignatureQuality )?(SignatureValidationProcess )?"
        r"SignatureValidationStatus (OtherInformation )?"
    ),
    "SignatureIdentifier": r"(DigestAlgAndValue )?(SignatureValue )?HashOnly DocHashOnly (DAIdentifier )?",
    "ValidationConstraintsEvaluationReport": r"(SignatureValidationPolicy )?(ValidationConstraint )*",
    "SignatureValidationPolicy": r"SignaturePolicyIdentifier (PolicyName )?",
    "ValidationTimeInfo": r"ValidationTime BestSignatureTime ",
    "BestSignatureTime": r"POETime TypeOfProof (POEObject )?",
    "SignersDocument": r"DigestAlgAndValue (SignersDocumentRepresentation )?(SignersDocumentRef )?",
    "SignatureAttributes": r"(SigningTime |ByteRange )+",
    "SignerInformation": r"SignerCertificate (Signer )?",
    "SignatureQuality": r"(SignatureQualityInformation )+",
    "SignatureValidationProcess": r"(SignatureValidationProcessID )?",
    "SignatureValidationStatus": r"MainIndication (SubIndication )*(AssociatedValidationReportData )*",
    "AssociatedValidationReportData": r"(CertificateChain )?(AdditionalValidationReportData )?",
    "CertificateChain": r"SigningCertificate (IntermediateCertificate )*",
    "AdditionalValidationReportData": r"(ReportData )+",
    "ReportData": r"Type Value ",
    "SignatureValidationObjects": r"(ValidationObject )+",
    "ValidationObject": r"ObjectType ValidationObjectRepresentation ",
    "ValidationObjectRepresentation": r"(direct |DigestAlgAndValue )+",
    "DigestAlgAndValue": r"DigestMethod DigestValue ",
    "SignatureValidator": r"(DigitalId )+",
    "DigitalId": r"X509Certificate ",
    "SigningTime": r"Time ",
}
"""The content of each element, from the tables of TS 119 102-2 clause 4 and annex A."""


def check_shape(root: Any) -> None:
    for element in root.iter(f"{VR}*"):
        name = etree.QName(element).localname
        children = "".join(f"{etree.QName(each).localname} " for each in element)
        if name in SHAPES:
            assert re.fullmatch(SHAPES[name], children), (name, children)
    identities = [each.get("id") for each in root.iter() if each.get("id")]
    assert len(identities) == len(set(identities))
    references = {each for element in root.iter() for each in (element.get("VOReference") or "").split()}
    assert references <= set(identities)


def statuses(root: Any) -> list[str]:
    return [each.text for each in root.iter(f"{VR}MainIndication")]


@pytest.mark.parametrize("which", ["passed", "failed"])
def test_the_shape_is_that_of_the_standard(which: str, request: pytest.FixtureRequest) -> None:
    verdict: Verdict = request.getfixturevalue(which)
    three = replace(verdict, signatures=verdict.signatures * 3)
    root = etree.fromstring(to_xml(three, validator=b"certificate"))
    check_shape(root)
    word = {"passed": "total-passed", "failed": "total-failed"}[which]
    assert statuses(root) == [f"urn:etsi:019102:mainindication:{word}"] * 3


def test_sub_indications_are_those_of_the_worst_findings(failed: Verdict) -> None:
    root = etree.fromstring(to_xml(failed))
    subs = [each.text for each in root.iter(f"{VR}SubIndication")]
    assert "urn:etsi:019102:subindication:HASH_FAILURE" in subs
    assert "urn:yinxin:subindication:receipt_of_another_file" in subs


def test_a_finding_on_the_whole_file_is_in_the_status_of_each_signature(passed: Verdict) -> None:
    spoiled = replace(passed, findings=(failure("uncovered_bytes", "未覆盖", "not covered", "FORMAT_FAILURE"),))
    assert statuses(etree.fromstring(to_xml(spoiled))) == ["urn:etsi:019102:mainindication:total-failed"]


def test_a_file_without_a_signature_has_one_report(passed: Verdict) -> None:
    finding = doubt("no_signature", "没有签名", "no signature", "SIGNED_DATA_NOT_FOUND")
    root = etree.fromstring(to_xml(replace(passed, signatures=(), findings=(finding,))))
    check_shape(root)
    assert statuses(root) == ["urn:etsi:019102:mainindication:indeterminate"]


def test_findings_are_told_in_both_languages(failed: Verdict) -> None:
    root = etree.fromstring(to_xml(failed))
    values = {(each.get("{http://www.w3.org/XML/1998/namespace}lang"), each.text) for each in root.iter(f"{VR}Value")}
    for finding in failed.signatures[0].findings:
        assert {("zh", finding.zh), ("en", finding.en)} <= values


def test_what_a_file_says_of_itself_cannot_change_the_report(passed: Verdict) -> None:
    nasty = '</vr:MainIndication><x a="\x00\x1b\u202e">&lt;]]>'
    signature = replace(passed.signatures[0], field=nasty, certificate={"subject": nasty})
    root = etree.fromstring(to_xml(replace(passed, signatures=(signature,))))
    check_shape(root)
    assert next(root.iter(f"{VR}DAIdentifier")).text == clean(nasty)
    assert not list(root.iter("x"))


def test_the_same_verdict_gives_the_same_bytes(passed: Verdict) -> None:
    again = Verdict.from_json(passed.to_json())
    assert to_xml(passed) == to_xml(again)


def test_the_best_signature_time_is_a_proven_one(passed: Verdict) -> None:
    def best(**time: str) -> str:
        signature = replace(passed.signatures[0], time=time)
        root = etree.fromstring(to_xml(replace(passed, signatures=(signature,))))
        return str(next(root.iter(f"{VR}POETime")).text)

    assert best(basis="outside_time_stamp", proven="2026-11-01T00:00:00.000000Z") == "2026-11-01T00:00:00.000000Z"
    assert best(basis="operator_only", ledger="2026-11-01T00:00:00.000000Z") == passed.judged_at


@pytest.mark.parametrize(
    ("text", "hour"),
    [("D:20261102010000Z", 1), ("D:20261102090000+08'00'", 1), ("D:20261102090000+08'00", 1)],
)
def test_pdf_times(text: str, hour: int) -> None:
    found = pdf_time(text)
    assert found is not None
    assert (found.hour, found.utcoffset()) == (hour, found.utcoffset())


@pytest.mark.parametrize("text", ["", "D:2026", "D:20261302010000Z", "yesterday", "D:00010101000000+14'00'"])
def test_what_is_no_full_pdf_time(text: str) -> None:
    assert pdf_time(text) is None
