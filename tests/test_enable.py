"""The service `enable`: off, the node takes no images and stays ready."""

import pytest
from std_srvs.srv import SetBool

from graph import stamp_ns
from scenes import smiling_face


@pytest.fixture
def enable(client):
    return lambda on: client.ask(SetBool, "perception_node/enable", data=on)


def test_off_takes_no_images_and_on_takes_them_again(perception, client, camera, enable):
    topic = client.node.resolve_topic_name("image")
    answer = enable(False)
    assert answer.success and "no images are taken" in answer.message
    # The subscription ends with the next image.
    image = camera.image(smiling_face())
    assert client.publish_until(
        camera.images, image, lambda: client.node.count_subscribers(topic) == 0
    )
    camera.emotions.clear()
    while_off = stamp_ns(image.header), camera.send(smiling_face())
    assert enable(True).success
    camera.wait_until_connected()
    camera.ask(smiling_face())
    assert camera.ask(smiling_face()).faces
    # What was published about an image of before would have come before these.
    assert not set(while_off) & set(camera.processed_stamps())


def test_whoever_is_seen_after_a_pause_may_be_anybody(perception, camera, enable):
    camera.ask(smiling_face())
    (before,) = camera.ask(smiling_face()).faces
    assert enable(False).success and enable(True).success
    assert not camera.ask(smiling_face()).faces, "not confirmed"
    (after,) = camera.ask(smiling_face()).faces
    assert after.face_id != before.face_id


def test_it_waits_for_an_inactive_node(start, client, enable):
    start("perception_node", {"autostart": "false"})
    answer = enable(True)
    assert answer.success and "once the node is active" in answer.message
