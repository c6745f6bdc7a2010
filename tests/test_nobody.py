"""When images end, whatever the reason, the last faces do not stay: a message without any follows."""

import time

import numpy as np
import pytest
from lifecycle_msgs.msg import Transition
from lifecycle_msgs.srv import ChangeState
from std_srvs.srv import SetBool

from scenes import nobody, smiling_face


@pytest.fixture
def watched(perception, camera):
    """A node that has just reported a face; returns the header of that image."""
    camera.ask(smiling_face())
    answer = camera.ask(smiling_face())
    assert answer.faces
    return answer.header


def change(client, label):
    return client.ask(
        ChangeState, "perception_node/change_state", transition=Transition(label=label)
    ).success


def is_empty(client, emotions, header):
    """Whether the newest message comes to be one without faces, under the header of the last image."""

    def empty():
        newest = emotions.messages[-1]
        return newest.header == header and not newest.faces

    assert client.spin_until(empty), emotions.messages[-1]
    newest = emotions.messages[-1]
    assert (newest.image_width, newest.image_height) == (640, 480) and newest.labels
    return True


@pytest.mark.parametrize("way", ["disabled", "deactivated", "shut down", "ended"])
def test_the_last_faces_are_taken_back(watched, perception, client, emotions, way):
    # Longer than images may stay away: it is the end that takes them back.
    if way == "disabled":
        assert client.ask(SetBool, "perception_node/enable", data=False).success
    elif way == "deactivated":
        assert change(client, "deactivate")
    elif way == "shut down":
        assert change(client, "shutdown")
    else:
        assert perception.stop()[0] == 0
    assert is_empty(client, emotions, watched)


@pytest.mark.parametrize("hold_secs", [0.6, 4.0])
def test_a_camera_that_died_leaves_nobody_in_view(start, camera, client, emotions, hold_secs):
    start("perception_node", {"hold_secs": hold_secs})
    camera.wait_until_connected()
    camera.ask(smiling_face())
    answer = camera.ask(smiling_face())
    begin = time.monotonic()
    (face,) = answer.faces
    assert is_empty(client, emotions, answer.header)
    assert time.monotonic() - begin > 0.8 * hold_secs
    count = len(emotions)
    client.spin_for(1.5 * hold_secs)
    assert len(emotions) == count, "it is said once"
    # The camera goes on where it was, as a recording that was paused.
    (again,) = camera.ask(smiling_face()).faces
    assert again.face_id == face.face_id


def test_a_camera_that_sends_rubbish_leaves_nobody_in_view(start, camera, client, emotions):
    start("perception_node", {"hold_secs": 0.6})
    camera.wait_until_connected()
    camera.ask(smiling_face())
    answer = camera.ask(smiling_face())
    assert answer.faces
    rubbish = camera.image(smiling_face())
    rubbish.encoding = "32SC1"

    def empty():
        camera.images.publish(rubbish)
        client.spin_for(0.1)
        return not emotions.messages[-1].faces

    assert client.spin_until(empty)
    assert emotions.messages[-1].header == answer.header


def test_where_nobody_was_there_is_nothing_to_take_back(perception, camera, client, emotions):
    camera.ask(np.ascontiguousarray(nobody()))
    count = len(emotions)
    client.spin_for(2.0)
    assert client.ask(SetBool, "perception_node/enable", data=False).success
    client.spin_for(0.5)
    assert len(emotions) == count
