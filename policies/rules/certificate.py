"""The rule about the certificate of the seal's key."""

from collections.abc import Iterator
from datetime import datetime

from policies.facts import AgreementFacts, CertificateFacts, Facts
from policies.rules.clause import Outcome, Sentence, judged, missing, rule
from policies.words import moment, word


@rule("key_certified", city_county="[电子签名法 13, 16]", county_township="[电子签名法 13, 16]")
def key_certified(facts: Facts) -> Outcome:
    """The seal's key has a certificate valid now, not revoked, by an issuer as good as is asked for.

    Validity includes both ends, as RFC 5280 4.1.2.5 has it. A licensed issuer also satisfies an
    agreement that asks for an internal one.
    """
    certificate, agreement = facts.certificate, facts.agreement
    if certificate is None or agreement is None:
        return missing(facts, "certificate", "agreement")
    return judged(
        _why_not_certified(certificate, agreement, facts.now),
        zh=f"证书 {certificate.serial} 有效，由{word(certificate.issuer)}签发",
        en=f"certificate {certificate.serial} is valid; its issuer is {certificate.issuer}",
    )


def _why_not_certified(certificate: CertificateFacts, agreement: AgreementFacts, now: datetime) -> Iterator[Sentence]:
    start, end = moment(certificate.not_before), moment(certificate.not_after)
    if not certificate.not_before <= now <= certificate.not_after:
        yield Sentence(
            zh=f"证书 {certificate.serial} 自 {start} 至 {end} 有效，现在是 {moment(now)}",
            en=f"certificate {certificate.serial} is valid from {start} to {end}, and now is {moment(now)}",
        )
    if certificate.revoked:
        yield Sentence(
            zh=f"证书 {certificate.serial} 已撤销，应未撤销",
            en=f"certificate {certificate.serial} is revoked, expected one that is not",
        )
    if certificate.issuer not in {"licensed", agreement.issuer_required}:
        yield Sentence(
            zh=f"证书由{word(certificate.issuer)}签发，应由{word(agreement.issuer_required)}签发",
            en=f"the certificate's issuer is {certificate.issuer}, expected {agreement.issuer_required}",
        )
