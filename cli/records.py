"""Records as the command shows them: the stored content as JSON, or as one table."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from cli.console import show_facts, show_json, show_table

if TYPE_CHECKING:
    from registry.record import Record
    from registry.store import Stored


def as_json(stored: "Stored[Any]") -> dict[str, Any]:
    """The record with its version and the ledger entry that vouches for it."""
    record: Record = stored.record
    body = record.model_dump(mode="json", exclude={"secret_hash"})  # of no use to anyone who reads it here
    return {**body, "version": stored.version, "entry": stored.entry_index}


def show(stored: "Stored[Any]", *, json: bool, **more: object) -> None:
    """One record, and what else there is to say of it."""
    value = {**as_json(stored), **more}
    if json:
        show_json(value)
    else:
        show_facts(value)


def show_list(found: "Sequence[Stored[Any]]", columns: Sequence[str], *, json: bool) -> None:
    """Several records; ``columns`` are names of their members, ``a.b`` reaches into a part."""
    values = [as_json(each) for each in found]
    if json:
        show_json(values)
    else:
        show_table(columns, ([_reach(value, column) for column in columns] for value in values))


def _reach(value: Any, path: str) -> object:  # noqa: ANN401  JSON
    for name in path.split("."):
        value = value.get(name) if isinstance(value, dict) else None
    return ", ".join(map(str, value)) if isinstance(value, list) else value
