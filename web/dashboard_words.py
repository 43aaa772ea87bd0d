"""The words of the dashboard in both languages."""

from collections.abc import Mapping
from typing import Final

TEXTS: Final[Mapping[str, tuple[str, str]]] = {
    "nav_dashboard": ("用章概况", "Overview"),
    "dashboard_lent": ("出借印章近{days}天的使用情况", "Use of the seals you lend, last {days} days"),
    "dashboard_used": ("本单位近{days}天的用章情况", "Seal uses of your organ, last {days} days"),
    "uses_done": ("已用章", "Uses"),
    "uses_refused": ("被拒绝", "Refusals"),
    "day": ("日期", "Day"),
    "by_day": ("按日", "By day"),
    "by_item": ("按事项", "By item"),
    "by_grantee": ("按承接单位", "By grantee"),
    "by_grantor": ("按授权单位", "By grantor"),
    "by_rule": ("按未通过的规则", "Refusals by rule"),
    "rule": ("规则", "Rule"),
    "refusals": ("拒绝次数", "Refusals"),
    "waiting_time": ("从申请到盖章", "From application to seal"),
    "waiting_half": ("一半不超过", "half within"),
    "waiting_most": ("九成不超过", "nine of ten within"),
    "duration_seconds": ("{count}秒", "{count} s"),
    "duration_minutes": ("{count}分钟", "{count} min"),
    "duration_hours": ("{count}小时", "{count} h"),
    "duration_days": ("{count}天", "{count} days"),
    "ending_soon": ("{days}天内到期", "Ending within {days} days"),
    "ending_what": ("什么", "What"),
    "ending_name": ("名称", "Name"),
    "ending_at": ("到期时间", "Ends"),
    "days_left": ("剩余天数", "Days left"),
    "nothing_ends": ("没有即将到期的协议、证书或职务。", "No agreement, certificate or role ends soon."),
    "no_uses": ("这段时间没有用章，也没有拒绝。", "No use and no refusal in this time."),
    "no_refusals": ("这段时间没有拒绝。", "Nothing was refused in this time."),
    "numbers": ("数字", "Numbers"),
    "others": ("其余", "others"),
}

VALUES: Final[Mapping[str, Mapping[str, tuple[str, str]]]] = {
    "ending": {
        "agreement": ("协议", "agreement"),
        "certificate": ("印章证书", "certificate of the seal"),
        "role": ("职务", "role"),
    },
}
