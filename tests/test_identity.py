"""A person keeps one id while in view, through short misses, and gets a new one after leaving."""

from scenes import two_people


def ids(message):
    """Ids from left to right."""
    return [face.face_id for face in sorted(message.faces, key=lambda face: face.roi.x_offset)]


def test_two_people_who_move_keep_their_ids(perception, camera):
    camera.ask(two_people())
    first = ids(camera.ask(two_people()))
    assert len(set(first)) == 2
    for step in range(1, 16):
        assert ids(camera.ask(two_people(3 * step))) == first, f"after {step} steps"


def test_a_short_miss_keeps_the_id(perception, camera):
    camera.ask(two_people())
    left, right = ids(camera.ask(two_people()))
    for _ in range(5):
        assert ids(camera.ask(two_people(right=False), after_secs=0.1)) == [left]
    assert ids(camera.ask(two_people(), after_secs=0.1)) == [left, right]


def test_an_image_stamped_a_little_late_costs_nobody_their_id(perception, camera):
    camera.ask(two_people())
    first = ids(camera.ask(two_people()))
    assert ids(camera.ask(two_people(), after_secs=-0.05)) == first
    assert ids(camera.ask(two_people(), after_secs=0.1)) == first


def test_all_tracks_are_reset_where_the_clock_was_set_back_and_that_is_said(perception, camera):
    camera.ask(two_people())
    first = ids(camera.ask(two_people()))
    assert ids(camera.ask(two_people(), after_secs=-10.0)) == []
    assert not set(ids(camera.ask(two_people()))) & set(first)
    assert perception.lines("[WARN]", "the stamps of the images went back by 10.0 s")
    # As a recording that is played in a loop: that is no error, and is warned of once.
    camera.ask(two_people(), after_secs=-10.0)
    assert not perception.errors and len(perception.lines("[WARN]", "went back")) == 1


def test_a_face_that_was_away_for_longer_than_hold_secs_is_new(start, camera):
    start("perception_node", {"hold_secs": 0.5})
    camera.wait_until_connected()
    camera.ask(two_people())
    left, right = ids(camera.ask(two_people()))
    for _ in range(7):
        assert ids(camera.ask(two_people(right=False), after_secs=0.1)) == [left]
    camera.ask(two_people(), after_secs=0.1)
    returned = ids(camera.ask(two_people()))
    assert returned[0] == left
    assert len(returned) == 2
    assert returned[1] not in (left, right)
