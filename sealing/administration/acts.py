"""One administrative act is one transaction: committed when the block ends, and nothing of it before."""

from collections.abc import Iterator
from contextlib import contextmanager

from registry.changes import Changes
from registry.store import Act
from sealing.workshop import Workshop


@contextmanager
def acting(shop: Workshop, act: Act) -> Iterator[Changes]:
    """The changes that one act may make, in a transaction of its own.

    Raises what the changes raise, and ``ledger.errors.DatabaseError``.
    """
    with shop.database.write() as connection:
        yield Changes(store=shop.registry, connection=connection, act=act)
