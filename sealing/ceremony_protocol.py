"""The protocol of a key ceremony: what was done and made, in Chinese and English, with room for signatures."""

from collections.abc import Sequence

from sealing.ceremony import Step

_STEPS = {
    "root": ("制作根密钥与根证书", "root key and certificate made"),
    "request": ("在目标密钥库制作签发密钥", "issuing key made in the target keystore"),
    "issue": ("以根签发签发机构证书及根的吊销列表", "issuing authority certified, root's list signed"),
    "shares": ("密钥加密密钥分片", "key-encryption key split into shares"),
    "init": ("以仪式结果建立安装", "installation made from the outcome"),
    "list": ("重新签发根的吊销列表", "root's list signed anew"),
}
_LINE = "_" * 30


def protocol(steps: Sequence[Step], *, present: int) -> str:
    """The protocol as text, to be printed and signed by ``present`` persons. It holds public facts only."""
    lines = [
        "密钥仪式记录 / Protocol of a key ceremony",
        "",
        f"地点 / place: {_LINE}   日期 / date: {_LINE}",
        "",
    ]
    for number, step in enumerate(sorted(steps, key=lambda each: each.time), start=1):
        zh, en = _STEPS.get(step.step, (step.step, step.step))
        lines += [f"{number}. {zh} / {en}", f"   {step.time}"]
        lines += [f"   {name}: {value}" for name, value in step.facts.items()]
        lines.append(f"   已核对 / checked: {_LINE}")
        lines.append("")
    lines += ["在场人员 / those present", ""]
    lines += [f"{number}. 姓名 / name: {_LINE}   签名 / signature: {_LINE}\n" for number in range(1, present + 1)]
    return "\n".join(lines)
