"""A wrong image gives one error that says what was found and what was expected; life goes on."""

import array

import numpy as np
import pytest

from graph import stamp_ns
from scenes import smiling_face

# What is wrong: the fields of a 640x480 rgb8 image that are replaced, and words of the error.
WRONG = {
    "short data": (
        {"data": array.array("B", bytes(1000))},
        ["data", "1000 bytes", "921600"],
    ),
    "empty data": ({"data": array.array("B")}, ["data", "0 bytes", "921600"]),
    "short step": ({"step": 640}, ["step", "640 bytes", "1920"]),
    "long step": ({"step": 5000}, ["data", "921600 bytes", "2400000", "step 5000"]),
    "huge step": ({"step": 2**32 - 1}, ["data", "921600 bytes", "step 4294967295"]),
    "no size": ({"width": 0, "height": 0}, ["0x0", "expected 1 to"]),
    "huge size": (
        {"width": 2**32 - 1, "height": 2**32 - 1},
        ["4294967295", "expected 1 to"],
    ),
    "unknown encoding": ({"encoding": "32SC1"}, ["`32SC1`", "rgb8, bgr8, mono8"]),
    "no encoding": ({"encoding": ""}, ["encoding", "rgb8, bgr8, mono8"]),
}


def send_wrong(camera, node, fields, known_errors):
    """Sends a wrong image; returns its stamp once the node has logged an error."""
    image = camera.image(smiling_face())
    for name, value in fields.items():
        setattr(image, name, value)
    for _ in range(6):
        camera.images.publish(image)
        # Sent again only if the error has not come for long: best effort may lose an image.
        if camera.client.spin_until(lambda: len(node.errors) > known_errors, 5.0):
            return stamp_ns(image.header)
    raise AssertionError("no error came")


@pytest.mark.parametrize("name", WRONG)
def test_one_error_with_found_and_expected_then_the_next_good_image(perception, camera, name):
    fields, words = WRONG[name]
    stamp = send_wrong(camera, perception, fields, 0)
    camera.ask(smiling_face())
    assert len(camera.ask(smiling_face()).faces) == 1
    assert len(perception.errors) == 1
    for word in words:
        assert word in perception.errors[0]
    assert stamp not in [stamp_ns(message.header) for message in camera.emotions.messages]
    assert perception.alive


def test_each_new_fault_gives_one_error_and_a_repeated_one_does_not_flood(perception, camera):
    for known, (fields, _) in enumerate(WRONG.values()):
        send_wrong(camera, perception, fields, known)
    assert len(perception.errors) == len(WRONG)

    image = camera.image(np.zeros((48, 64), np.uint8))
    image.encoding = "32FC1"
    for _ in range(20):
        camera.images.publish(image)
        camera.client.spin_for(0.02)
    camera.ask(smiling_face())
    assert len(camera.ask(smiling_face()).faces) == 1
    assert len(perception.lines("[ERROR]", "32FC1")) == 1
    assert perception.alive
