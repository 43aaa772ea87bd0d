"""What the dashboard counts: the same as the register's lines, for one's own organs only, over thirty days."""

from datetime import timedelta

from world import CITY, COUNTY, OTHER

from registry.china_time import BEIJING
from registry.records import Agreement
from sealing.expiring import expiring
from sealing.statistics import DAYS, Uses, statistics


def counted(installed, organ, side, now=None):
    with installed.shop.database.read() as connection:
        code = installed.world.codes[organ]
        return statistics(connection, [code], side=side, now=now or installed.clock())


def used(installed):
    """Two seal uses and one refusal of the city's seal in the county."""
    world = installed.world
    for _ in range(2):
        assert installed.sealer().seal(world.submission("city", installed.folder), installed.caller).state == "sealed"
    order = world.order("city")
    refused = world.submit(order, world.document("city", order, installed.folder), None)
    assert installed.sealer().seal(refused, installed.caller).state == "refused"


def test_both_sides_count_the_same_uses(installed):
    used(installed)
    lent, own = counted(installed, CITY, "grantor"), counted(installed, COUNTY, "grantee")
    for each in (lent, own):
        assert each.total == Uses(done=2, refused=1)
        assert each.items == [("001-2 30", Uses(done=2, refused=1))]
        assert ("principal_approved", 1) in each.rules
        today = installed.clock().astimezone(BEIJING).date()
        assert (len(each.days), each.days[-1]) == (DAYS, (today, Uses(done=2, refused=1)))
        assert sum(uses.done for _, uses in each.days) == 2
        assert each.waiting is not None
        assert 0 <= each.waiting.half <= each.waiting.most
    assert lent.organs == [(installed.world.codes[COUNTY], Uses(done=2, refused=1))]
    assert own.organs == [(installed.world.codes[CITY], Uses(done=2, refused=1))]


def test_anothers_uses_are_not_counted(installed):
    used(installed)
    for side in ("grantor", "grantee"):
        other = counted(installed, OTHER, side)
        assert (other.total, other.items, other.rules, other.waiting) == (Uses(done=0, refused=0), [], [], None)


def test_what_is_older_than_the_period_is_left_out(installed):
    used(installed)
    later = installed.clock() + timedelta(days=DAYS)
    assert counted(installed, CITY, "grantor", later).total == Uses(done=0, refused=0)


def test_what_ends_soon_is_told_with_the_days_that_are_left(installed):
    world, now = installed.world, installed.clock()
    with installed.shop.database.read() as connection:
        agreement = installed.shop.registry.get(connection, Agreement, world.agreements["city"]).record
        end = agreement.terms.period.valid_until
        early = expiring(connection, installed.shop, [world.codes[CITY]], end - timedelta(days=91))
        assert agreement.id not in {each.id for each in early}
        late = expiring(connection, installed.shop, [world.codes[CITY]], end - timedelta(days=30, hours=1))
        mine = [each for each in late if each.id == agreement.id]
        assert [(each.what, each.name, each.days) for each in mine] == [("agreement", agreement.terms.number, 30)]
        assert expiring(connection, installed.shop, ["91360000MA00000000"], now) == []
