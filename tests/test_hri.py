"""REP-155 (ROS4HRI): the people on /humans/faces, with messages defined as there."""

import array
import itertools

import numpy as np
import PIL.Image
import pytest
from sensor_msgs.msg import Image
from std_srvs.srv import SetBool

from scenes import overlap, photograph, smiling_face, two_people

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
    # Reliable, as hri_face_detect's are and those ask who read them.
    crops = client.collect(Image, f"/humans/faces/{face.face_id}/cropped", "default")
    assert client.spin_until(lambda: camera.ask(smiling_face()) and len(crops))
    crop = crops.messages[-1]
    pixels = rgb(crop)
    roi = face.roi
    cut = smiling_face()[roi.y_offset :, roi.x_offset :][: roi.height, : roi.width]
    # A face is taller than wide: black at both sides, the face's own colours in the middle.
    assert roi.height > roi.width
    assert not pixels[:, :3].any() and not pixels[:, -3:].any()
    width = round(128 * roi.width / roi.height)
    inner = pixels[:, (128 - width) // 2 :][:, :width]
    assert np.abs(inner.mean((0, 1)) - cut.mean((0, 1))).max() < 4


def rgb(crop):
    """The pixels of a crop of 128x128 in bgr8, as red, green and blue."""
    assert (crop.width, crop.height, crop.step, crop.encoding) == (128, 128, 384, "bgr8")
    return np.asarray(crop.data, np.uint8).reshape(128, 128, 3)[:, :, ::-1]


def tilted(degrees):
    picture = PIL.Image.fromarray(smiling_face())
    return np.asarray(picture.rotate(degrees, center=(450, 211), fillcolor=(90, 90, 90)))


def test_the_aligned_face_is_level_however_it_is_held(perception, client, camera):
    found = []
    for degrees in (0, 20):
        camera.ask(tilted(degrees), after_secs=5.0)
        camera.ask(tilted(degrees))
        (face,) = camera.ask(tilted(degrees)).faces
        left, right = face.landmarks[:2]
        slope = np.degrees(np.arctan2(right.y - left.y, right.x - left.x))
        assert slope == pytest.approx(-degrees, abs=8)
        aligned = client.collect(Image, f"/humans/faces/{face.face_id}/aligned")
        assert client.spin_until(lambda: camera.ask(tilted(degrees)) and len(aligned))  # noqa: B023
        found.append(rgb(aligned.messages[-1]).astype(float))
    middle = [picture[30:110, 30:98] for picture in found]
    same = np.corrcoef(*(picture.ravel() for picture in middle))[0, 1]
    assert same > 0.9, same


def test_landmarks_have_their_places(perception, client, camera):
    if not hasattr(hri_msgs, "FacialLandmarks"):
        pytest.skip("the installed hri_msgs has no FacialLandmarks: run `make setup`")
    camera.ask(smiling_face())
    (face,) = camera.ask(smiling_face()).faces
    topic = f"/humans/faces/{face.face_id}/landmarks"
    landmarks = client.collect(hri_msgs.FacialLandmarks, topic)
    assert client.spin_until(lambda: camera.ask(smiling_face()) and len(landmarks))
    answer = camera.ask(smiling_face())
    message = of_image(client, landmarks, answer.header)
    assert (message.width, message.height, len(message.landmarks)) == (640, 480, 70)
    # Right is the person's own: at the left of the image.
    names = ["RIGHT_PUPIL", "LEFT_PUPIL", "NOSE", "MOUTH_OUTER_RIGHT", "MOUTH_OUTER_LEFT"]
    places = [getattr(hri_msgs.FacialLandmarks, name) for name in names]
    for place, point in zip(places, answer.faces[0].landmarks, strict=True):
        there = message.landmarks[place]
        assert (there.x * 640, there.y * 480) == pytest.approx((point.x, point.y), abs=0.01)
        assert there.c == pytest.approx(answer.faces[0].detection_confidence)
    others = [p for i, p in enumerate(message.landmarks) if i not in places]
    assert all((p.x, p.y, p.c) == (0, 0, 0) for p in others)


class Detector:
    """Finds no faces but tells of one, as hri_face_detect does."""

    def __init__(self, client, face_id, kind):
        self.tracked = client.publisher(hri_msgs.IdsList, "/humans/faces/tracked")
        self.images = client.publisher(Image, f"/humans/faces/{face_id}/{kind}")
        self.face_id = face_id

    def send(self, picture, secs):
        ids = hri_msgs.IdsList(ids=[self.face_id] if picture is not None else [])
        self.tracked.publish(ids)
        if picture is not None:
            image = Image(encoding="bgr8", width=128, height=128, step=384)
            image.header.stamp.sec, image.header.frame_id = secs, "camera"
            image.data = array.array("B", picture[:, :, ::-1].tobytes())
            self.images.publish(image)


def crop_of(name, left, top, side):
    picture = photograph(name)[top : top + side, left : left + side]
    return np.asarray(PIL.Image.fromarray(picture).resize((128, 128)))


@pytest.mark.parametrize("kind", ["cropped", "aligned"])
def test_faces_that_another_node_finds_get_their_expression(start, client, kind):
    node = start("perception_node", {"faces_from": kind})
    detector = Detector(client, "vwxyz", kind)
    expressions = client.collect(hri_msgs.Expression, "/humans/faces/vwxyz/expression")
    smile = crop_of("astronaut.jpg", 165, 45, 128)
    secs = itertools.count(1000)

    def heard():
        detector.send(smile, next(secs))
        return client.spin_until(lambda: len(expressions), 0.3)

    assert client.spin_until(heard), node.text
    message = expressions.messages[-1]
    assert message.expression == "happy" and message.confidence > 0.5 and message.valence > 0
    assert message.header.frame_id == "camera" and message.header.stamp.sec >= 1000
    # It does nothing else: no camera, no list of faces of its own.
    topic = client.node.resolve_topic_name
    assert client.node.count_subscribers(topic("image")) == 0
    assert client.node.count_publishers("/humans/faces/tracked") == 1
    assert client.node.count_publishers(topic("emotions")) == 0

    # The face leaves, and its topics end, though no image of it comes any more.
    images = f"/humans/faces/vwxyz/{kind}"
    assert client.node.count_subscribers(images) == 1

    def is_gone():
        detector.send(None, 0)
        client.spin_for(0.1)
        return client.node.count_subscribers(images) == 0

    assert client.spin_until(is_gone)
    assert client.spin_until(
        lambda: client.node.count_publishers("/humans/faces/vwxyz/expression") == 0
    )
    assert node.alive and not node.errors
    assert node.stop()[0] == 0


def test_a_detector_that_is_not_there_is_named(start, client):
    node = start("perception_node", {"faces_from": "cropped"})
    assert client.spin_until(lambda: node.lines("[WARN]", "no list of faces"), 20.0)
    assert "start a face detector" in node.lines("[WARN]", "no list of faces")[0]


def test_off_by_default(start, client, camera):
    start("perception_node")
    camera.wait_until_connected()
    assert client.node.count_publishers("/humans/faces/tracked") == 0
