"""What the document must state, and whether it does: else a listed item's name could seal another item's licence."""

from policies.facts import Statement, Value
from policies.folding import states
from sealing.order import Order


def statements(
    order: Order, names: tuple[str, ...], texts: tuple[str, ...], confirms: tuple[str, ...]
) -> tuple[Statement, ...]:
    """One statement for the item's name or alias, each number given, and each declared fact.

    ``names`` are the item's name and aliases, any of which will do; ``confirms`` are the values that the approver
    confirms by eye, for scans without text.
    """
    text = "\n".join(texts)
    wanted: list[tuple[str, tuple[str, ...]]] = [("item", names)]
    if order.document_number:
        wanted.append(("document_number", (order.document_number,)))
    if order.licence_number:
        wanted.append(("licence_number", (order.licence_number,)))
    wanted += [(f"facts.{name}", (_spoken(value),)) for name, value in order.facts.items() if _is_stated(value)]
    return tuple(
        Statement(
            name=name,
            value=values[0] if values else "",
            found=any(states(text, value) for value in values),
            confirmed=name in confirms,
        )
        for name, values in wanted
    )


def _is_stated(value: Value) -> bool:
    # A truth value has no words of its own that a text could be searched for; the rules judge it as declared.
    return not isinstance(value, bool)


def _spoken(value: Value) -> str:
    return str(value)
