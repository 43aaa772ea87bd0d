def test_a_sound_record_has_no_break(world):
    world.fill(5)
    world.book.checkpoint(world.now, 5)
    world.fill(3)
    assert world.book.audit() == []
