"""The annotated image is made only while someone listens."""

import numpy as np
from sensor_msgs.msg import Image

from scenes import FACE_60PX, photograph, smiling_face


def test_it_shows_the_image_with_marks_around_the_face(perception, camera, client):
    annotated = client.collect(Image, "annotated_image")
    client.wait_for_publisher_of(annotated)
    picture = smiling_face()
    camera.ask(picture)

    def marked():
        camera.ask(picture)
        return annotated.messages and camera.emotions.messages[-1].faces

    assert client.spin_until(marked)
    answered = camera.emotions.messages[-1].header
    assert client.spin_until(lambda: annotated.messages[-1].header == answered, 5.0)
    image = annotated.messages[-1]
    assert image.header.frame_id == camera.FRAME_ID
    assert (image.width, image.height, image.encoding) == (640, 480, "rgb8")
    assert image.step == 640 * 3
    pixels = np.frombuffer(image.data, np.uint8).reshape(480, 640, 3)
    changed = np.any(pixels != picture, axis=2)
    left, top, width, height = FACE_60PX
    around = np.zeros((480, 640), bool)
    around[max(top - 80, 0) : top + height + 80, left - 120 : left + width + 120] = True
    assert changed[around].sum() > 100, "no marks around the face"
    assert not changed[~around].any(), "pixels far from the face changed"


def test_it_costs_nothing_while_nobody_listens(start, camera, client):
    # What is not sent cannot be observed, but what it costs to make can. The smallest working
    # size leaves the conversion and drawing of a large image as the main cost.
    node = start("perception_node", {"working_width": 32, "working_height": 32})
    camera.wait_until_connected()
    picture = photograph("solvay_1927.jpg", 1920, 1440)[:, :, 0].copy()

    def cpu_ms_per_image():
        for _ in range(3):
            camera.ask(picture)
        before = node.cpu_secs()
        for _ in range(25):
            camera.ask(picture)
        return (node.cpu_secs() - before) / 25 * 1e3

    alone = cpu_ms_per_image()
    annotated = client.collect(Image, "annotated_image", "sensor")
    client.wait_for_publisher_of(annotated)
    assert client.spin_until(lambda: camera.ask(picture) and annotated.messages)
    heard = cpu_ms_per_image()
    assert len(annotated) > 1
    topic = annotated.subscription.topic_name
    client.node.destroy_subscription(annotated.subscription)
    assert client.spin_until(lambda: client.node.count_subscribers(topic) == 0)
    client.spin_for(0.5)  # until the node has heard of it too
    alone_again = cpu_ms_per_image()
    print(f"CPU ms per image: {alone:.1f} alone, {heard:.1f} heard, {alone_again:.1f} after")
    assert heard > 1.4 * alone
    assert heard > 1.4 * alone_again
