"""What the codes of a verdict are called, in Chinese and in English."""

from collections.abc import Mapping
from typing import Final

from verify.verdict import Indication

Words = tuple[str, str]
"""Chinese and English."""

INDICATIONS: Final[Mapping[Indication, Words]] = {
    Indication.TOTAL_PASSED: ("通过", "PASSED"),
    Indication.INDETERMINATE: ("无法判定", "CANNOT TELL"),
    Indication.TOTAL_FAILED: ("不通过", "FAILED"),
}
CHANGED: Final[Words] = ("通过，但现状有变", "PASSED, BUT CHANGED SINCE")
"""In place of passed, where the present status is not :data:`SOUND`."""
SEVERITIES: Final[Mapping[str, Words]] = {
    "failure": ("不合格", "failure"),
    "doubt": ("存疑", "doubt"),
    "warning": ("提醒", "warning"),
    "note": ("说明", "note"),
}
KINDS: Final[Mapping[str, Words]] = {
    "seal": ("2号章", "No. 2 seal"),
    "foreign": ("其他签名", "other signature"),
    "report": ("核验专用章", "verification seal"),
    "timestamp": ("时间戳", "time-stamp"),
}
APPROVAL: Final[Mapping[str, Words]] = {
    "person_signed": ("负责人本人密钥签名", "signed with the principal's own key"),
    "system_attested": ("审批系统担保", "vouched for by the approval system"),
}
REVOCATION: Final[Mapping[str, Words]] = {
    "good": ("未吊销", "not revoked"),
    "revoked": ("已吊销", "revoked"),
    "stale": ("吊销列表过期", "revocation list out of date"),
    "not_checked": ("未核对吊销", "revocation not checked"),
}
BASIS: Final[Mapping[str, Words]] = {
    "outside_time_stamp": ("由外部时间戳证明", "proven by an outside time-stamp"),
    "witnessed": ("由外部见证证明", "proven by outside witnesses"),
    "operator_time_stamp": ("运营方自己的时间戳", "a time-stamp of the operator's own"),
    "operator_only": ("以运营方台账为凭", "the operator's word in the ledger"),
    "claimed_only": ("仅为文件自称", "only what the file claims"),
}
TIMES: Final[Mapping[str, Words]] = {
    "proven": ("证明不晚于", "not later than"),
    "ledger": ("台账", "ledger"),
    "claimed": ("文件自称", "claimed"),
}
WITNESSED: Final[Mapping[str, Words]] = {
    "operator_only": ("没有外部见证", "no outside witness"),
}
HELD: Final[Words] = ("曾暂停", "Was on hold")
REVOKED: Final[Words] = ("已吊销", "Revoked")
_SEAL: Final[Mapping[str, Words]] = {
    "pending": ("未启用", "not yet enabled"),
    "active": ("启用中", "active"),
    "suspended": ("已停用", "suspended"),
    "cancelled": ("已注销", "cancelled"),
    "destroyed": ("已销毁", "destroyed"),
    "unknown": ("不明", "unknown"),
}
_AGREEMENT: Final[Mapping[str, Words]] = {
    "draft": ("草案", "draft"),
    "in_force": ("有效", "in force"),
    "suspended": ("已中止", "suspended"),
    "ended": ("已终止", "ended"),
    "recalled": ("已收回", "recalled"),
    "unknown": ("不明", "unknown"),
}
_CERTIFICATE: Final[Mapping[str, Words]] = {
    "good": ("有效", "good"),
    "held": ("已暂停", "on hold"),
    "revoked": ("已吊销", "revoked"),
    "unknown": ("不明", "unknown"),
}
_DOCUMENT: Final[Mapping[str, Words]] = {
    "in_force": ("有效", "in force"),
    "amended": ("已变更", "amended"),
    "annulled": ("已撤销", "annulled"),
    "retracted": ("已撤回", "retracted"),
    "cancelled": ("已注销", "cancelled"),
    "revoked_as_penalty": ("已吊销（处罚）", "revoked as a penalty"),
    "replaced": ("已被替换（补证）", "replaced"),
    "unknown": ("不明", "unknown"),
}
SOUND: Final[Mapping[str, str]] = {
    "document": "in_force",
    "seal": "active",
    "agreement": "in_force",
    "certificate": "good",
}
"""The present status that a reader of a passed file would expect."""
UNKNOWN: Final = "unknown"
"""Where the record cannot tell; findings say so, a status does not."""
STATUS: Final[Mapping[str, tuple[Words, Mapping[str, Words]]]] = {
    "document": (("文书", "document"), _DOCUMENT),
    "seal": (("印章", "seal"), _SEAL),
    "agreement": (("协议", "agreement"), _AGREEMENT),
    "certificate": (("证书", "certificate"), _CERTIFICATE),
}
