"""Records in and out, and every way of changing a row behind the service's back."""

from registry_samples import one_of_each

from ledger import migrate


def test_put_get_roundtrip(world):
    for record in one_of_each():
        stored = world.put(record)
        assert stored.version == 1
        assert world.get(type(record), record.id) == stored
    migrate.check(world.database)
