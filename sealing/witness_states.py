"""When each configured witness last cosigned the record, and what it last answered."""

from dataclasses import dataclass
from datetime import datetime

from ledger import witnessed
from sealing.witness_exchange import COSIGNED
from sealing.workshop import Workshop


@dataclass(frozen=True, slots=True, kw_only=True)
class WitnessState:
    """One configured witness. ``cosigned`` and ``size`` tell its newest cosignature; None when there is none.

    ``asked`` and ``outcome`` tell the last call: ``cosigned``, or the code of what went wrong, or ``never-asked``.
    """

    name: str
    url: str
    vkey: str
    cosigned: datetime | None
    size: int | None
    asked: datetime | None
    outcome: str

    @property
    def good(self) -> bool:
        """Whether it cosigned when it was last asked."""
        return self.outcome == COSIGNED


def witness_states(shop: Workshop) -> list[WitnessState]:
    """The state of each configured witness, in the order of the list."""
    if not shop.witnesses:
        return []
    with shop.database.read() as connection:
        answers = witnessed.answers(connection)
        newest = {each.identity: witnessed.newest(connection, [each.identity]) for each in shop.witnesses}
    states = list[WitnessState]()
    for each in shop.witnesses:
        note, answer = newest[each.identity], answers.get(each.identity.vkey)
        states.append(
            WitnessState(
                name=each.identity.name,
                url=each.url,
                vkey=each.identity.vkey,
                cosigned=note.time if note else None,
                size=note.size if note else None,
                asked=answer.asked if answer else None,
                outcome=answer.outcome if answer else "never-asked",
            )
        )
    return states
