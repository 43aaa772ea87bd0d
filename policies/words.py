"""Chinese words for the codes that stand in facts: they name things in sentences and decide nothing."""

from datetime import UTC, datetime

from policies.facts import ItemKey

FACTS = {
    "agreement": "协议",
    "grantor": "授权（委托）单位",
    "grantee": "承接单位",
    "setup": "设置表中的编号",
    "seal": "印章",
    "item": "事项目录",
    "applicant": "用章申请人",
    "approval": "审批同意的凭证",
    "document": "文书",
    "certificate": "印章的数字证书",
    "number_conflicts": "编号查重结果",
}

WORDS = {
    "city_county": "市县",
    "county_township": "县乡",
    "authorisation": "授权",
    "entrustment": "委托",
    "draft": "草稿",
    "in_force": "生效",
    "suspended": "停用",
    "ended": "终止",
    "recalled": "收回",
    "pending": "待启用",
    "active": "启用",
    "cancelled": "注销",
    "destroyed": "销毁",
    "direct": "直接下放",
    "substantive_review": "下放实质性审核权",
    "window_forward": "服务窗口前移",
    "no2_seal": "“2号章”委托办",
    "assisted": "乡镇帮办代办",
    "system_extension": "业务系统延伸办",
    "decision": "决定书",
    "refusal": "不予许可决定书",
    "notice": "告知书",
    "licence": "证照",
    "filing": "备案凭证",
    "other": "其他文书",
    "new": "新办",
    "change": "变更",
    "renewal": "延续",
    "replacement": "补证",
    "cancellation": "注销",
    "principal": "主要负责人",
    "acting_principal": "主持工作的负责人",
    "deputy": "受书面授权的代理人",
    "seal_user": "用章人员",
    "custodian": "保管人",
    "person_signed": "本人签名",
    "system_attested": "系统证明",
    "internal": "内部机构",
    "licensed": "依法许可的机构",
}


def word(code: str) -> str:
    """The Chinese word for ``code``, or the code itself."""
    return WORDS.get(code, code)


def item_zh(key: ItemKey) -> str:
    """An item's key for a Chinese sentence: list and number."""
    return f"{key.list} 第{key.number}项"


def item_en(key: ItemKey) -> str:
    """An item's key for an English sentence: list and number."""
    return f"{key.list} no. {key.number}"


def moment(time: datetime) -> str:
    """A time for a sentence, in UTC."""
    return f"{time.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
