"""Rules about the agreement behind the seal."""

from collections.abc import Iterator
from datetime import datetime

from policies.facts import AgreementFacts, Facts, Relation
from policies.folding import LONGEST_NUMBER, find_lookalike, fold
from policies.rules.clause import Outcome, Sentence, judged, missing, passed, refused, rule
from policies.words import moment, word

RELATIONS: dict[str, Relation] = {"city_county": "authorisation", "county_township": "entrustment"}
"""[000 一(一)] speaks of 授权, [002 附件3 一.1] of 委托; they differ in law."""


@rule("agreement_in_force", city_county="[000 二(一)]", county_township="[002 附件3 二.1]")
def agreement_in_force(facts: Facts) -> Outcome:
    """The agreement is in force now, signed by both organs, and of the relation its regime knows.

    The period includes ``valid_from`` and excludes ``valid_until``.
    """
    agreement = facts.agreement
    if agreement is None:
        return missing(facts, "agreement")
    return judged(
        _why_not_in_force(agreement, facts.now),
        zh=f"协议 {agreement.number}（第{agreement.version}版）生效，双方均已签署",
        en=f"agreement {agreement.number} version {agreement.version} is in force and signed by both organs",
    )


def _why_not_in_force(agreement: AgreementFacts, now: datetime) -> Iterator[Sentence]:
    start, end = moment(agreement.valid_from), moment(agreement.valid_until)
    if agreement.state != "in_force":
        yield Sentence(
            zh=f"协议 {agreement.number} 的状态为{word(agreement.state)}，应为生效",
            en=f"agreement {agreement.number} is {agreement.state}, expected in_force",
        )
    if not agreement.valid_from <= now < agreement.valid_until:
        yield Sentence(
            zh=f"协议期限为 {start} 至 {end}（不含），现在是 {moment(now)}",
            en=f"the agreement runs from {start} until before {end}, and now is {moment(now)}",
        )
    unsigned = [each for each in (agreement.grantor, agreement.grantee) if each not in agreement.signed_by]
    if unsigned:
        yield Sentence(
            zh=f"协议缺少单位 {'、'.join(unsigned)} 的签署，应由双方签署",
            en=f"the agreement lacks the signature of {', '.join(unsigned)}, expected those of both organs",
        )
    if agreement.grantor == agreement.grantee:
        yield Sentence(
            zh=f"协议双方是同一单位 {agreement.grantor}，应为两个单位",
            en=f"both sides of the agreement are {agreement.grantor}, expected two organs",
        )
    expected = RELATIONS.get(agreement.regime)
    if agreement.relation != expected:
        yield Sentence(
            zh=f"{word(agreement.regime)}协议的关系为{word(agreement.relation)}，应为{word(str(expected))}",
            en=f"the relation of a {agreement.regime} agreement is {agreement.relation}, expected {expected}",
        )


@rule("filed_with_grantor", city_county="[001 三(二)]", county_township="inference")
def filed_with_grantor(facts: Facts) -> Outcome:
    """Where the agreement asks for prior filing with the grantor, the filing number is given."""
    agreement = facts.agreement
    if agreement is None:
        return missing(facts, "agreement")
    if not agreement.filing_required:
        return passed("协议不要求先报授权（委托）单位备案", "the agreement asks for no prior filing")
    number = facts.request.filing_number
    if number is None or not fold(number):
        return refused(
            "未填写报备编号，协议要求先报授权（委托）单位备案",
            "no filing number is given, expected one because the agreement asks for prior filing",
        )
    if len(number) > LONGEST_NUMBER:
        return refused(
            f"报备编号有 {len(number)} 个字符，最多 {LONGEST_NUMBER} 个",
            f"the filing number has {len(number)} characters, expected at most {LONGEST_NUMBER}",
        )
    lookalike = find_lookalike(number)
    if lookalike:
        return refused(f"报备编号{lookalike.zh}", f"the filing number {lookalike.en}")
    return passed(f"已报备，编号 {number}", f"filed with the grantor under {number}")
