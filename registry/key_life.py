"""The life of a seal key as one pure machine: which step leads from which states where, and who may take it.

The first two states are those of a proposal, before there is a key; ``generated`` is a key in the keystore that no
certificate names yet. From ``certified`` on the state stands in the record (:class:`registry.seal_keys.SealKey`).
``docs/life-cycles.md`` holds the same table. 电子签名法 13: the key belongs to the signer alone; 15: on suspicion, tell
and stop, so stopping takes one person and starting or ending takes two.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal, get_args

from registry.errors import TransitionError

KeyState = Literal[
    "requested", "approved", "generated", "certified", "active", "suspended", "retired", "cancelled", "destroyed"
]
KeyStep = Literal[
    "request",
    "approve",
    "generate",
    "certify",
    "activate",
    "suspend",
    "resume",
    "retire",
    "suspect",
    "cancel",
    "discard",
    "destroy",
]
KeyRole = Literal["administrator", "custodian", "system"]
"""Who takes a step: an administrator of the grantor, the seal's custodian, or the service by a rule of its own."""

STATES: Final[tuple[KeyState, ...]] = get_args(KeyState)


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One row of the table. ``sources`` is empty for the step that begins a life.

    ``persons`` is how many natural persons stand behind it; the service alone may take a step of none.
    """

    sources: tuple[KeyState, ...]
    to: KeyState
    roles: tuple[KeyRole, ...]
    persons: Literal[0, 1, 2]
    zh: str


_LIVING: Final[tuple[KeyState, ...]] = ("certified", "active", "suspended", "retired")

LIFE: Final[Mapping[KeyStep, Step]] = {
    "request": Step(sources=(), to="requested", roles=("administrator",), persons=1, zh="申请"),
    "approve": Step(sources=("requested",), to="approved", roles=("administrator",), persons=2, zh="批准"),
    "generate": Step(sources=("approved",), to="generated", roles=("system",), persons=0, zh="生成"),
    "certify": Step(sources=("generated",), to="certified", roles=("system",), persons=0, zh="签发证书"),
    "activate": Step(sources=("certified",), to="active", roles=("administrator", "system"), persons=1, zh="启用"),
    "suspend": Step(
        sources=("certified", "active"),
        to="suspended",
        roles=("administrator", "custodian", "system"),
        persons=1,
        zh="停用",
    ),
    "resume": Step(sources=("suspended",), to="active", roles=("administrator",), persons=1, zh="恢复"),
    "retire": Step(
        sources=("certified", "active", "suspended"), to="retired", roles=("administrator",), persons=2, zh="换下"
    ),
    "suspect": Step(sources=_LIVING, to="cancelled", roles=("administrator", "custodian"), persons=1, zh="疑似失密"),
    "cancel": Step(sources=_LIVING, to="cancelled", roles=("administrator",), persons=2, zh="注销"),
    "discard": Step(sources=("generated",), to="destroyed", roles=("system",), persons=0, zh="弃用"),
    "destroy": Step(sources=("cancelled",), to="destroyed", roles=("administrator",), persons=2, zh="销毁"),
}
"""Step: from which states to which, by whom. What is not listed is refused."""


def after(state: KeyState | None, step: KeyStep, *, role: KeyRole) -> KeyState:
    """The state after ``step``, taken by ``role``; ``state`` is None before a life begins.

    Raises :class:`TransitionError` ``key-change-refused``, naming the states expected, or ``key-role-refused``.
    """
    row = LIFE[step]
    allowed = row.sources or (None,)
    if state not in allowed:
        raise TransitionError(
            "key-change-refused",
            f"密钥状态为 {state}，{row.zh}只能从 {'、'.join(map(str, allowed))} 进行",
            f"the key is {state}; {step} is possible from {', '.join(map(str, allowed))} only",
        )
    if role not in row.roles:
        raise TransitionError(
            "key-role-refused",
            f"{row.zh}由 {'、'.join(row.roles)} 办理，不由 {role} 办理",
            f"{step} is a step of {', '.join(row.roles)}, not of {role}",
        )
    return row.to


def enough_persons(step: KeyStep, persons: int, *, role: KeyRole) -> bool:
    """Whether so many different natural persons stand behind the step; the service acts by rule, behind it is none."""
    row = LIFE[step]
    return role in row.roles and (role == "system" or persons >= row.persons)
