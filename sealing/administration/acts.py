"""One administrative act is one transaction: committed when the block ends, and nothing of it before."""

from collections.abc import Iterator
from contextlib import contextmanager

from registry.changes import Changes
from registry.store import Act
from sealing.workshop import Workshop


@contextmanager
def acting(shop: Workshop, act: Act) -> Iterator[Changes]:
    """The changes of one act, e.g. ``with acting(shop, act) as changes: changes.attach_signature(…)``.

    Raises what the changes raise, and ``ledger.errors.DatabaseError``.
    """
    with shop.database.write() as connection:
        yield Changes(store=shop.registry, connection=connection, act=act)
