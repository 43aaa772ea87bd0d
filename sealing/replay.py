"""Decide an old entry again from its recorded facts and rule set: the same findings must come out."""

from dataclasses import dataclass
from typing import Any

from policies.facts import Facts, from_json
from policies.rulesets import decide
from sealing.entries import findings_json
from sealing.errors import UnknownError
from sealing.workshop import Workshop

DECIDED = ("seal.intended", "seal.refused", "paper.used")


@dataclass(frozen=True, slots=True, kw_only=True)
class Replayed:
    """What was recorded and what the same rules say of the same facts today."""

    entry: int
    rule_set: str
    recorded: list[dict[str, Any]]
    again: list[dict[str, Any]]

    @property
    def same(self) -> bool:
        """Whether every finding is word for word the recorded one."""
        return self.recorded == self.again


def replay(shop: Workshop, entry: int) -> Replayed:
    """Replay the decision of one entry.

    Raises :class:`UnknownError` for an entry that holds no complete decision, ``ledger`` errors for one that is
    not there or was changed.
    """
    with shop.database.read() as connection:
        stored = shop.book.trusted(connection, entry)
    opening = stored.openings.get("decision")
    if stored.kind not in DECIDED or opening is None or not isinstance(opening.value, dict):
        raise UnknownError(
            "no-decision",
            f"第 {entry} 条（{stored.kind}）没有可重做的裁决；应为 {'、'.join(DECIDED)}",
            f"entry {entry} ({stored.kind}) holds no decision to replay; expected one of {', '.join(DECIDED)}",
        )
    value: dict[str, Any] = opening.value
    decision = decide(from_json(Facts, value["facts"]), value["rule_set"])
    return Replayed(entry=entry, rule_set=value["rule_set"], recorded=value["findings"], again=findings_json(decision))
