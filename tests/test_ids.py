"""How faces are called: by letters as REP-155 asks, or by numbers where that is wanted."""

import re

from scenes import two_people


def ids(camera):
    camera.ask(two_people())
    return [face.face_id for face in camera.ask(two_people()).faces]


def test_ids_are_short_and_another_node_gives_others(start, client, camera):
    found = []
    for _ in range(2):
        node = start("perception_node")
        camera.wait_until_connected()
        found += ids(camera)
        assert node.stop()[0] == 0
        topic = client.node.resolve_topic_name("emotions")
        assert client.spin_until(lambda: client.node.count_publishers(topic) == 0)
    assert len(found) == len(set(found)) == 4
    assert all(re.fullmatch("[a-z]{5}", face_id) for face_id in found), found


def test_they_are_numbers_where_that_is_asked_for(start, camera):
    start("perception_node", {"deterministic_ids": "true"})
    camera.wait_until_connected()
    assert sorted(ids(camera)) == ["face_1", "face_2"]
