"""What a worker saw in a document, and what a caller puts before the rules with it."""

from dataclasses import dataclass
from typing import Any

from policies.facts import Objection
from sealing.order import Caller, Order


@dataclass(frozen=True, slots=True, kw_only=True)
class Inspection:
    """What a worker saw in the document."""

    length: int
    pages: int
    objections: tuple[Objection, ...]
    texts: tuple[str, ...]
    issuer_line: str | None

    @classmethod
    def of(cls, answer: dict[str, Any]) -> "Inspection":
        """Read a worker's answer."""
        return cls(
            length=answer["length"],
            pages=answer["pages"],
            objections=tuple(
                Objection(code=each["code"], zh=each["zh"], en=each["en"]) for each in answer["objections"]
            ),
            texts=tuple(answer["texts"]),
            issuer_line=answer["issuer_line"],
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Presented:
    """What a caller puts before the rules: the order, the approval, the document as a worker saw it.

    A paper use has neither document nor approval statement.
    """

    order: Order
    caller: Caller
    application: str
    approval: str | None = None
    digest: str | None = None
    inspection: Inspection | None = None
