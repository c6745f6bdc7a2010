"""REP-155 (ROS4HRI): the people on /humans/faces, with messages defined as there."""

import numpy as np
import pytest
from sensor_msgs.msg import Image
from std_srvs.srv import SetBool

from scenes import overlap, smiling_face, two_people

hri_msgs = pytest.importorskip("hri_msgs.msg", reason="hri_msgs is not installed")


@pytest.fixture
def ids(client):
    return client.collect(hri_msgs.IdsList, "/humans/faces/tracked")


@pytest.fixture
def perception(start, camera):
    node = start("perception_node", {"publish_hri": "true"})
    if node_lacks_it(node):
        pytest.skip("the node was built without hri_msgs")
    camera.wait_until_connected()
    return node


def node_lacks_it(node):
    return bool(node.lines("[ERROR]", "this build is without it"))


def of_image(client, collector, header):
    """The message about the image with this header."""

    def found():
        return [message for message in collector.messages if message.header == header]

    assert client.spin_until(found)
    return found()[0]


def test_every_face_has_its_topics_and_takes_them_with_it(perception, client, camera, ids):
    client.wait_for_publisher_of(ids)
    camera.ask(two_people())
    answer = camera.ask(two_people())
    faces = answer.faces
    tracked = of_image(client, ids, answer.header)
    assert len(faces) == 2
    assert sorted(tracked.ids) == sorted(face.face_id for face in faces)
    assert tracked.header.frame_id == camera.FRAME_ID

    face = faces[0]
    base = f"/humans/faces/{face.face_id}"
    rois = client.collect(hri_msgs.NormalizedRegionOfInterest2D, f"{base}/roi")
    expressions = client.collect(hri_msgs.Expression, f"{base}/expression")

    def both_are_heard():
        camera.ask(two_people())
        return rois.messages and expressions.messages

    assert client.spin_until(both_are_heard)
    answer = camera.ask(two_people())
    face = next(f for f in answer.faces if f.face_id == face.face_id)

    roi = of_image(client, rois, answer.header)
    box = [roi.xmin * 640, roi.ymin * 480, (roi.xmax - roi.xmin) * 640, (roi.ymax - roi.ymin) * 480]
    expected = [face.roi.x_offset, face.roi.y_offset, face.roi.width, face.roi.height]
    assert overlap(box, expected) > 0.95
    assert roi.c == pytest.approx(face.detection_confidence)

    expression = of_image(client, expressions, answer.header)
    names = {"disgust": "disgusted", "fear": "scared", "surprise": "surprised"}
    assert expression.expression == names.get(face.label, face.label)
    assert expression.confidence == pytest.approx(face.confidence)
    assert expression.valence == pytest.approx(face.valence)
    assert expression.arousal == pytest.approx(face.arousal)

    # Longer than a missed face is held.
    camera.ask(np.zeros((480, 640, 3), np.uint8), after_secs=5.0)
    answer = camera.ask(np.zeros((480, 640, 3), np.uint8))
    assert client.spin_until(lambda: client.node.count_publishers(f"{base}/roi") == 0)
    assert of_image(client, ids, answer.header).ids == []


def test_a_missed_face_keeps_its_topics_and_disabling_ends_them(perception, client, camera, ids):
    client.wait_for_publisher_of(ids)
    camera.ask(smiling_face())
    (face,) = camera.ask(smiling_face()).faces
    roi = f"/humans/faces/{face.face_id}/roi"
    assert client.spin_until(lambda: client.node.count_publishers(roi) == 1)
    publishers = client.publishers_of(roi)
    answer = camera.ask(np.zeros((480, 640, 3), np.uint8))
    assert of_image(client, ids, answer.header).ids == []
    answer = camera.ask(smiling_face())
    (again,) = answer.faces
    assert again.face_id == face.face_id
    assert of_image(client, ids, answer.header).ids == [face.face_id]
    # Topics that had ended would be those of another publisher now, or of none.
    assert client.publishers_of(roi) == publishers
    assert client.ask(SetBool, "perception_node/enable", data=False).success
    assert client.spin_until(lambda: ids.messages[-1].ids == [])
    assert client.spin_until(lambda: client.node.count_publishers(roi) == 0)


def test_the_crop_is_made_while_somebody_listens(perception, client, camera):
    camera.ask(smiling_face())
    (face,) = camera.ask(smiling_face()).faces
    crops = client.collect(Image, f"/humans/faces/{face.face_id}/cropped", "sensor")
    assert client.spin_until(lambda: camera.ask(smiling_face()) and len(crops))
    crop = crops.messages[-1]
    assert (crop.width, crop.height, crop.step, crop.encoding) == (128, 128, 384, "rgb8")
    pixels = np.asarray(crop.data, np.uint8).reshape(128, 128, 3)
    roi = face.roi
    cut = smiling_face()[roi.y_offset :, roi.x_offset :][: roi.height, : roi.width]
    # A face is taller than wide: black at both sides, the face's own colours in the middle.
    assert roi.height > roi.width
    assert not pixels[:, :3].any() and not pixels[:, -3:].any()
    width = round(128 * roi.width / roi.height)
    inner = pixels[:, (128 - width) // 2 :][:, :width]
    assert np.abs(inner.mean((0, 1)) - cut.mean((0, 1))).max() < 4


def test_off_by_default(start, client, camera):
    start("perception_node")
    camera.wait_until_connected()
    assert client.node.count_publishers("/humans/faces/tracked") == 0
