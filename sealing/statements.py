"""What the document must state, and whether it does: else a listed item's name could seal another item's licence."""

from policies.facts import Statement, Value
from policies.folding import states, states_number
from sealing.order import Order

NUMBERS = ("document_number", "licence_number")


def statements(
    order: Order, names: tuple[str, ...], texts: tuple[str, ...], confirms: tuple[str, ...]
) -> tuple[Statement, ...]:
    """One statement for the item's name or alias, each number given, and each declared fact.

    ``names`` are the item's name and aliases, any of which will do; ``confirms`` are the values that the approver
    confirms by eye, for scans without text.
    """
    text = "\n".join(texts)
    # 是 and 否 stand in every text: a truth value counts only when the approver confirms it.
    truths = {f"facts.{name}" for name, value in order.facts.items() if isinstance(value, bool)}
    wanted: list[tuple[str, tuple[str, ...]]] = [("item", names)]
    if order.document_number:
        wanted.append(("document_number", (order.document_number,)))
    if order.licence_number:
        wanted.append(("licence_number", (order.licence_number,)))
    wanted += [(f"facts.{name}", (_spoken(value),)) for name, value in sorted(order.facts.items())]
    return tuple(
        Statement(
            name=name,
            value=values[0] if values else "",
            found=name not in truths and any(_stands(name, text, value) for value in values),
            confirmed=name in confirms,
        )
        for name, values in wanted
    )


def _stands(name: str, text: str, value: str) -> bool:
    # A piece of the printed number would be free when the number itself is in use.
    return (states_number if name in NUMBERS else states)(text, value)


def _spoken(value: Value) -> str:
    if isinstance(value, bool):
        return "是" if value else "否"
    return str(value)
