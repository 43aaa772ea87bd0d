"""Rules about how much, when and from where a seal is used, as its owner has set it.

No clause asks for them: they keep the harm small that a stolen credential of a client can do. What stands in a
finding of a permitted use goes into receipts, so the caller's address is told in a refusal only.
"""

from datetime import datetime, timedelta, timezone
from ipaddress import IPv6Address, ip_address, ip_network

from policies.facts import Facts, HoursFacts
from policies.rules.clause import Outcome, passed, refused, rule

BEIJING = timezone(timedelta(hours=8), "CST")


@rule("monthly_cap", city_county="setting", county_township="setting")
def monthly_cap(facts: Facts) -> Outcome:
    """The seal's monthly number, where one is set, leaves room for this use.

    ``used_this_month`` counts the other uses of this month in Beijing: this application's own live intent is left out.
    """
    limits = facts.limits
    if limits is None:
        return _not_gathered()
    cap, used = limits.monthly_cap, limits.used_this_month
    if cap is None:
        return passed("印章未设每月用章上限", "the seal has no monthly cap")
    if used is None:
        return refused(
            f"本月用章次数未能查得，每月上限为 {cap} 次",
            f"the uses of this month could not be counted, expected fewer than {cap}, the seal's cap",
        )
    if used >= cap:
        return refused(
            f"印章本月已用 {used} 次，每月上限为 {cap} 次",
            f"the seal was used {used} times this month, expected fewer than {cap}, its cap",
        )
    return passed(
        f"印章本月已用 {used} 次，未达上限 {cap} 次",
        f"the seal was used {used} times this month, below its cap of {cap}",
    )


@rule("working_hours", city_county="setting", county_township="setting")
def working_hours(facts: Facts) -> Outcome:
    """It is within the hours set for the seal, in Beijing, and on a working day where only those count.

    The first minute named is within, the last one is not. A day that the calendar does not know is no working day.
    """
    limits = facts.limits
    if limits is None:
        return _not_gathered()
    hours = limits.hours
    if hours is None:
        return passed("印章未设用章时段", "the seal has no hours set")
    try:
        local = facts.now.astimezone(BEIJING)
    except OverflowError:
        return refused("现在的时间无法换算为北京时间", "the present time cannot be told in Beijing")
    found = f"{local:%H:%M}"
    if not hours.opens <= found < hours.closes:
        return refused(
            f"现在是北京时间 {found}，用章时段为 {hours.opens} 至 {hours.closes}（不含）",
            f"it is {found} in Beijing, expected {hours.opens} until before {hours.closes}",
        )
    return _on_working_day(hours, local) if hours.working_days_only else _within(hours)


def _on_working_day(hours: HoursFacts, local: datetime) -> Outcome:
    day = f"{local:%Y-%m-%d}"
    if hours.working_day is None or hours.day != day:
        return refused(
            f"日历不能确定 {day} 是否工作日，该印章只在工作日使用；请登记该年度的放假安排",
            f"the calendar cannot tell whether {day} is a working day, expected one; register that year's holidays",
        )
    if not hours.working_day:
        return refused(
            f"{day} 不是工作日，该印章只在工作日使用", f"{day} is no working day, expected one for this seal"
        )
    return _within(hours)


def _within(hours: HoursFacts) -> Outcome:
    zh, en = ("工作日", " on working days") if hours.working_days_only else ("", "")
    return passed(
        f"在印章的用章时段内：{zh}{hours.opens} 至 {hours.closes}",
        f"within the seal's hours: {hours.opens} until {hours.closes}{en}",
    )


@rule("allowed_network", city_county="setting", county_township="setting")
def allowed_network(facts: Facts) -> Outcome:
    """The caller's address is in one of the networks set for the seal, where any are set."""
    limits = facts.limits
    if limits is None:
        return _not_gathered()
    if not limits.networks:
        return passed("印章未限定网络", "the seal is not bound to a network")
    address = facts.caller.address
    if address is None:
        return refused(
            f"来源地址未知，应在印章限定的 {len(limits.networks)} 个网段之内",
            f"the caller's address is not known, expected one in the {len(limits.networks)} networks set for the seal",
        )
    if not any(_inside(address, network) for network in limits.networks):
        return refused(
            f"来源地址为 {address}，应在印章限定的 {len(limits.networks)} 个网段之内",
            f"the caller's address is {address}, expected one in the {len(limits.networks)} networks set for the seal",
        )
    return passed("来源地址在印章限定的网段之内", "the caller's address is in a network set for the seal")


def _not_gathered() -> Outcome:
    """As ``clause.missing``, whose table of names belongs to rules released before there were limits."""
    return refused(
        "缺少判断所需的事实：印章的用章限制",
        "facts needed for this rule are missing: limits",
    )


def _inside(address: str, network: str) -> bool:
    """What is no address or no network is inside of nothing. An IPv4 address written as IPv6 is what it stands for."""
    try:
        found, allowed = ip_address(address), ip_network(network)
    except ValueError:
        return False
    mapped = found.ipv4_mapped if isinstance(found, IPv6Address) else None
    return (mapped or found) in allowed
