"""Images in, emotion messages out: stamped as the image was, whole, and about the right face."""

import hashlib
import math

import numpy as np
import pytest
from rapport.msg import FaceEmotion

from graph import ROOT, stamp_ns
from scenes import FACE_60PX, box, grey, nobody, overlap, smiling_face

LABELS = ["angry", "disgust", "fear", "happy", "neutral", "sad", "surprise", "contempt"]


def test_emotions_carry_the_header_of_their_image_and_describe_the_face(perception, camera):
    picture = smiling_face()
    camera.ask(picture)  # the default confirms a face in its second image
    message = camera.ask(picture)

    assert stamp_ns(message.header) == camera.now_ns
    assert message.header.frame_id == camera.FRAME_ID
    assert (message.image_width, message.image_height) == (640, 480)
    assert len(message.faces) == 1
    face = message.faces[0]
    assert overlap(box(face), FACE_60PX) > 0.7, box(face)
    assert not face.roi.do_rectify
    assert face.face_id[0].isalpha()
    assert 0.5 <= face.detection_confidence <= 1.0
    assert face.label == FaceEmotion.HAPPY == "happy"
    assert list(message.labels) == LABELS
    for distribution in (face.probabilities, face.instant_probabilities):
        assert len(distribution) == len(LABELS)
        assert min(distribution) >= 0.0
        assert sum(distribution) == pytest.approx(1.0, abs=1e-4)
    assert face.confidence == pytest.approx(face.probabilities[LABELS.index("happy")], abs=1e-6)
    assert 0.0 < face.valence <= 1.0, "a smile is pleasant"
    assert -1.0 <= face.arousal <= 1.0
    assert message.affect_source


def test_the_message_names_its_network_and_the_landmarks(perception, camera):
    picture = smiling_face()
    camera.ask(picture)
    message = camera.ask(picture)
    model = ROOT / "models" / "emotion.onnx"
    assert message.model == "emotion"
    assert message.model_sha256 == hashlib.sha256(model.read_bytes()).hexdigest()
    [face] = message.faces
    x, y, width, height = box(face)
    left_eye, right_eye, nose, left_corner, right_corner = face.landmarks
    for point in face.landmarks:
        assert x < point.x < x + width and y < point.y < y + height and point.z == 0.0
    assert left_eye.x < nose.x < right_eye.x and left_corner.x < right_corner.x
    assert max(left_eye.y, right_eye.y) < nose.y < min(left_corner.y, right_corner.y)
    assert face.distribution_age == 0.0, "every face is classified in every image"


def test_what_is_not_known_says_so(perception, camera):
    picture = smiling_face()
    camera.ask(picture)
    [face] = camera.ask(picture).faces
    pose = face.pose
    numbers = [
        *(getattr(pose.position, axis) for axis in "xyz"),
        *(getattr(pose.orientation, axis) for axis in "xyzw"),
        face.distance_std_m,
    ]
    assert all(math.isnan(number) for number in numbers), numbers


def test_a_face_cut_by_the_border_has_its_roi_inside_the_image(perception, camera):
    left, top, width, height = FACE_60PX
    # The right edge of the image goes through the cheek.
    picture = np.ascontiguousarray(smiling_face()[:, : left + width - 8])
    camera.ask(picture)
    message = camera.ask(picture)
    assert len(message.faces) == 1
    x, y, roi_width, roi_height = box(message.faces[0])
    assert roi_width > 0 and roi_height > 0
    assert x + roi_width <= message.image_width == picture.shape[1]
    assert y + roi_height <= message.image_height


def test_an_image_without_faces_gives_an_empty_message(perception, camera):
    for _ in range(3):
        message = camera.ask(nobody())
        assert list(message.faces) == []
        assert (message.image_width, message.image_height) == (640, 427)
        assert message.header.frame_id == camera.FRAME_ID


def test_colour_orders_and_grey_give_the_same_face(perception, camera):
    picture = smiling_face()
    camera.ask(picture)
    faces = [
        camera.ask(picture).faces,
        camera.ask(np.ascontiguousarray(picture[:, :, ::-1]), encoding="bgr8").faces,
        camera.ask(grey(picture)).faces,
    ]
    assert [len(found) for found in faces] == [1, 1, 1]
    rgb, bgr, mono = (found[0] for found in faces)
    # The same pixels in another order are the same to the bit.
    assert box(bgr) == box(rgb)
    assert list(bgr.instant_probabilities) == list(rgb.instant_probabilities)
    assert overlap(box(mono), box(rgb)) > 0.8
    assert mono.label == rgb.label == "happy"
    assert mono.face_id == bgr.face_id == rgb.face_id


def test_padded_rows_are_read_by_their_step(perception, camera):
    picture = smiling_face()
    padded = np.full((480, 640 * 3 + 64), 255, np.uint8)
    padded[:, : 640 * 3] = picture.reshape(480, -1)
    camera.ask(picture)
    plain = camera.ask(picture).faces
    image = camera.image(padded)
    image.encoding, image.width = "rgb8", 640
    faces = camera.ask_image(image).faces
    assert [box(face) for face in faces] == [box(face) for face in plain]
