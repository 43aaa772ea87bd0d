"""Rules about the seal itself."""

from collections.abc import Iterator

from policies.facts import AgreementFacts, Facts, OrganFacts, SealFacts, SetupFacts
from policies.folding import fold, is_seal_name
from policies.rules.clause import Outcome, Sentence, judged, missing, passed, refused, rule
from policies.words import word


@rule("seal_active", city_county="[000 二(四)] [001 四(五)]", county_township="[002 附件3 二.4]")
def seal_active(facts: Facts) -> Outcome:
    """The seal is active: not pending, suspended, cancelled or destroyed."""
    seal = facts.seal
    if seal is None:
        return missing(facts, "seal")
    if seal.state != "active":
        return refused(
            f"印章 {seal.name} 的状态为{word(seal.state)}，应为启用",
            f"seal {seal.name} is {seal.state}, expected active",
        )
    return passed(f"印章 {seal.name} 已启用", f"seal {seal.name} is active")


@rule("seal_fits_grantee", city_county="[000 附件]", county_township="[002 附件3-1]")
def seal_fits_grantee(facts: Facts) -> Outcome:
    """The seal is the grantor's, of this agreement, with the number and name set for the grantee's region."""
    seal, agreement, setup = facts.seal, facts.agreement, facts.setup
    grantor, grantee = facts.grantor, facts.grantee
    if seal is None or agreement is None or setup is None or grantor is None or grantee is None:
        return missing(facts, "seal", "agreement", "setup", "grantor", "grantee")
    return judged(
        (
            *_not_of_agreement(seal, agreement, grantor=grantor, grantee=grantee),
            *_not_as_set_up(seal, agreement, setup=setup, grantee=grantee),
            *_not_so_named(seal, grantor),
        ),
        zh=f"印章 {seal.name} 属于 {grantor.legal_name}，编号与 {grantee.legal_name} 相符",
        en=f"seal {seal.name} belongs to {grantor.legal_name} and its number is that of {grantee.legal_name}",
    )


def _not_of_agreement(
    seal: SealFacts, agreement: AgreementFacts, *, grantor: OrganFacts, grantee: OrganFacts
) -> Iterator[Sentence]:
    compared = (
        ("印章所属单位", "the seal's owner", seal.owner, agreement.grantor),
        ("印章所依协议", "the seal's agreement", seal.agreement, agreement.number),
        ("授权（委托）单位", "the grantor", grantor.code, agreement.grantor),
        ("承接单位", "the grantee", grantee.code, agreement.grantee),
    )
    for zh, en, found, expected in compared:
        if found != expected:
            yield Sentence(zh=f"{zh}为 {found}，应为 {expected}", en=f"{en} is {found}, expected {expected}")


def _not_as_set_up(
    seal: SealFacts, agreement: AgreementFacts, *, setup: SetupFacts, grantee: OrganFacts
) -> Iterator[Sentence]:
    if (setup.regime, setup.region) != (agreement.regime, grantee.region):
        yield Sentence(
            zh=f"设置表的行属于{word(setup.regime)} {setup.region}，应属于{word(agreement.regime)} {grantee.region}",
            en=f"the setup row is for {setup.regime} {setup.region}, expected {agreement.regime} {grantee.region}",
        )
    if seal.number != setup.number:
        yield Sentence(
            zh=f"印章编号为 {seal.number}，设置表为该地区定的编号是 {setup.number}",
            en=f"the seal's number is {seal.number}, expected {setup.number}, set for the grantee's region",
        )


def _not_so_named(seal: SealFacts, grantor: OrganFacts) -> Iterator[Sentence]:
    expected = f"{grantor.legal_name}行政审批专用章（{seal.number}）"
    if not is_seal_name(seal.name):
        yield Sentence(
            zh=f"印章名称 {seal.name} 应只有汉字和（编号）",
            en=f"the seal's name is {seal.name}, expected only Chinese characters and its number in （）",
        )
    if fold(seal.name) != fold(expected):
        yield Sentence(
            zh=f"印章名称为 {seal.name}，应为 {expected}",
            en=f"the seal is named {seal.name}, expected {expected}",
        )


@rule("daily_cap", city_county="setting", county_township="setting")
def daily_cap(facts: Facts) -> Outcome:
    """The seal's daily number, where one is set, leaves room for this use.

    ``used_today`` counts the other uses: this application's own live intent is left out.
    """
    seal = facts.seal
    if seal is None:
        return missing(facts, "seal")
    if seal.daily_cap is None:
        return passed("印章未设每日用章上限", "the seal has no daily cap")
    if seal.used_today >= seal.daily_cap:
        return refused(
            f"印章今日已用 {seal.used_today} 次，每日上限为 {seal.daily_cap} 次",
            f"the seal was used {seal.used_today} times today, expected fewer than {seal.daily_cap}, its cap",
        )
    return passed(
        f"印章今日已用 {seal.used_today} 次，未达上限 {seal.daily_cap} 次",
        f"the seal was used {seal.used_today} times today, below its cap of {seal.daily_cap}",
    )
