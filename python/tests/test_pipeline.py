"""Images in, people out: the same as the command line sees them, whatever the array looks like."""

from __future__ import annotations

import json
import pickle
import subprocess
import threading
import time

import numpy as np
import pytest
from PIL import Image

from conftest import PICTURES, picture


@pytest.mark.parametrize("name", ["solvay_rows.png", "solvay_1927.jpg", "astronaut.jpg"])
def test_people_are_those_of_the_command_line_to_the_digit(pipeline, command, tmp_path, name):
    # Without loss: decoders of JPEG differ by a level or two.
    path = tmp_path / "picture.png"
    Image.open(PICTURES / name).convert("RGB").save(path)
    printed = subprocess.run([command, "analyze", "--json", path], capture_output=True, check=True)
    faces = json.loads(printed.stdout)[0]["faces"]
    people = pipeline.process(np.asarray(Image.open(path).convert("RGB")))
    assert len(people) == len(faces) > 0
    for person, face in zip(people, faces):
        assert (person.id, person.label, person.sure) == (
            face["face_id"],
            face["label"],
            face["sure"],
        )
        assert np.float32(person.confidence) == np.float32(face["confidence"])
        assert {k: np.float32(v) for k, v in person.probabilities.items()} == {
            k: np.float32(v) for k, v in face["probabilities"].items()
        }
        assert np.float32(person.valence) == np.float32(face["valence"])
        points = [[point["x"], point["y"]] for point in face["landmarks"]]
        assert np.array_equal(person.landmarks, np.float32(points))


def test_a_person_says_all_that_is_known(rapport, astronaut):
    (person,) = rapport.Pipeline(horizontal_fov_deg=60).process(astronaut)
    assert (person.id, person.label, person.sure) == ("face_1", "happy", True)
    assert 0.9 < person.confidence <= 1
    assert person.confidence == pytest.approx(person.probabilities["happy"])
    assert sum(person.probabilities.values()) == pytest.approx(1, abs=1e-5)
    x, y, width, height = person.box
    assert 0 < x < 512 and 0 < y < 512 and width > 80 and height > 80
    assert person.landmarks.shape == (5, 2) and person.landmarks.dtype == np.float32
    left_eye, right_eye, nose, *_ = person.landmarks
    assert x < left_eye[0] < nose[0] < right_eye[0] < x + width
    assert 0.3 < person.pose.distance_m < 3 and person.pose.position_m[2] > 0
    assert np.linalg.norm(person.pose.orientation) == pytest.approx(1)
    assert abs(person.yaw_deg) < 40
    assert person.valence > 0.5
    row = person.to_dict()
    assert row["happy"] == person.probabilities["happy"] and row["x_px"] == x
    assert "happy" in repr(person) and "face_1" in repr(person)
    assert rapport.Pipeline().process(astronaut)[0].pose is None


@pytest.mark.parametrize("name", ["coffee.jpg", "chelsea.jpg", "rocket.jpg"])
def test_nobody_is_no_error(pipeline, name):
    assert pipeline.process(picture(name)) == []


def test_layouts_of_one_image_give_one_answer(rapport, pipeline, astronaut):
    from rapport._native import is_borrowed

    expected = pipeline.process(astronaut)
    height, width = astronaut.shape[:2]
    bgr = np.ascontiguousarray(astronaut[..., ::-1])
    padded = np.zeros((height, width + 24, 3), np.uint8)
    padded[:, :width] = astronaut
    alpha = np.dstack([astronaut, np.full((height, width), 7, np.uint8)])
    # Each with whether it is used as it lies.
    for image, channels, borrowed in [
        (astronaut, "rgb", True),
        (bgr, "bgr", True),
        (bgr[..., ::-1], "rgb", True),
        (padded[:, :width], "rgb", True),
        (alpha, "rgb", True),
        (alpha[..., :3], "rgb", False),
        (np.asfortranarray(astronaut), "rgb", False),
        (astronaut[::-1][::-1], "rgb", True),
        (np.ascontiguousarray(astronaut[::-1])[::-1], "rgb", False),
    ]:
        assert is_borrowed(image) == borrowed
        assert pipeline.process(image, channels=channels) == expected
    assert pipeline.process(Image.fromarray(astronaut)) == expected
    grey = np.asarray(Image.fromarray(astronaut).convert("L"))
    assert pipeline.process(grey) == pipeline.process(grey[..., None])
    assert pipeline.process(grey) == pipeline.process(np.dstack([grey] * 3))
    # A view that begins and ends in the middle of rows.
    cut = astronaut[10:300, 100:400]
    assert is_borrowed(cut) and pipeline.process(cut) == pipeline.process(cut.copy())


@pytest.mark.parametrize(
    ("image", "text"),
    [
        (np.zeros((480, 640, 3), np.float32), "image has dtype float32, expected uint8"),
        (np.zeros((480, 640, 2), np.uint8), r"image has shape \(480, 640, 2\), expected \(height"),
        (np.zeros(7, np.uint8), r"image has shape \(7\), expected"),
        (np.zeros((0, 640, 3), np.uint8), "image is 640x0 pixels, expected 1 to 16384 a side"),
        (np.zeros((1, 20000), np.uint8), "image is 20000x1 pixels, expected 1 to 16384 a side"),
        ("portrait.jpg", "image is a str, expected a numpy.ndarray of uint8"),
        (None, "image is a NoneType, expected"),
    ],
)
def test_what_is_no_image_is_named(rapport, pipeline, image, text):
    with pytest.raises(rapport.ImageError, match=text) as caught:
        pipeline.process(image)
    assert isinstance(caught.value, (ValueError, rapport.RapportError))
    with pytest.raises(rapport.ImageError, match="image 1: " + text):
        pipeline.process_batch([np.zeros((40, 40), np.uint8), image])


def test_settings_out_of_range_are_named(rapport, pipeline, astronaut):
    for settings, text in [
        ({"min_confidence": 1.5}, "min_confidence is 1.5, expected 0 to 1"),
        ({"search_hz": float("nan")}, "search_hz is NaN, expected 0 to 1000"),
        ({"horizontal_fov_deg": 180}, "horizontal_fov_deg is 180, expected 1 to 175"),
        ({"threads": 0}, "threads is 0, expected 1 to 64"),
        ({"working_size": (10, 480)}, r"working_size is \(10, 480\), expected \(width, height\)"),
    ]:
        with pytest.raises(rapport.SettingError, match=text):
            rapport.Pipeline(**settings)
    with pytest.raises(rapport.SettingError, match="channels is `gbr`, expected `rgb` or `bgr`"):
        pipeline.process(astronaut, channels="gbr")
    with pytest.raises(rapport.SettingError, match="time_secs is -1, expected a number of seconds"):
        pipeline.process(astronaut, -1.0)


def test_models_that_are_none_are_named(rapport, tmp_path):
    with pytest.raises(rapport.ModelError, match="missing.onnx: No such file"):
        rapport.Pipeline(model=tmp_path / "missing.onnx")
    (tmp_path / "text.onnx").write_text("no model")
    with pytest.raises(rapport.ModelError, match="text.onnx: not loaded by ONNX Runtime"):
        rapport.Pipeline(model=tmp_path / "text.onnx")


def test_networks_of_the_package_have_names(rapport, astronaut):
    pipeline = rapport.Pipeline(model="fer2013")
    assert pipeline.model[0] == "fer2013" and len(pipeline.model[2]) == 64
    assert "contempt" not in pipeline.labels
    assert pipeline.process(astronaut)[0].label == "happy"


def test_a_sequence_keeps_ids_and_begins_anew_after_reset(rapport):
    image = picture("astronaut_face_60px.png")
    pipeline = rapport.Pipeline()
    seen = [pipeline.process(np.roll(image, 3 * i, axis=1), i / 15) for i in range(15)]
    # A find of a single image is none yet.
    assert seen[0] == [] and [len(people) for people in seen[2:]] == [1] * 13
    assert {people[0].id for people in seen[2:]} == {"face_1"}
    assert any(people[0].distribution_age_secs > 0 for people in seen[2:])
    assert pipeline.timings.total_secs > 0
    # Pictures between do not disturb it.
    assert pipeline.process(picture("hopper.jpg"))[0].id == "face_1"
    assert pipeline.process(np.roll(image, 45, axis=1), 1.0)[0].id == "face_1"
    pipeline.reset()
    assert pipeline.process(image, 0.0) == []


def test_a_batch_is_its_pictures_one_by_one_whatever_the_jobs(pipeline):
    names = ["astronaut.jpg", "hopper.jpg", "coffee.jpg", "solvay_rows.png", "hopper_small.png"]
    images = [picture(name) for name in names]
    expected = [pipeline.process(image) for image in images]
    for jobs in (1, 2, 9):
        assert pipeline.process_batch(iter(images), jobs=jobs) == expected
    assert pipeline.process_batch([]) == []


def test_pipelines_and_people_are_pickled(rapport, astronaut):
    pipeline = rapport.Pipeline(min_confidence=0.9, horizontal_fov_deg=70.0)
    again = pickle.loads(pickle.dumps(pipeline))
    assert again.settings == pipeline.settings and repr(again) == repr(pipeline)
    people = pipeline.process(astronaut)
    assert again.process(astronaut) == people
    assert pickle.loads(pickle.dumps(people)) == people
    image = picture("hopper_small.png")
    assert pickle.loads(pickle.dumps(pipeline.process(image))) != people


def test_other_threads_go_on_meanwhile(rapport):
    """Without the GIL: a thread of pure Python gets on while an image is processed."""
    pipeline = rapport.Pipeline(working_size=(1920, 1920))
    image = np.tile(picture("solvay_1927.jpg"), (2, 2, 1))
    ticks, done = [], threading.Event()

    def tick() -> None:
        while not done.is_set():
            ticks.append(time.perf_counter())
            time.sleep(0.001)

    thread = threading.Thread(target=tick)
    thread.start()
    begin = time.perf_counter()
    pipeline.process(image)
    end = time.perf_counter()
    done.set()
    thread.join()
    inside = [t for t in ticks if begin < t < end]
    # Held all the while, there would be the ticks of Python's switch interval at most: one or two.
    assert len(inside) >= 5, f"{len(inside)} ticks in {end - begin:.3f} s"


def test_threads_share_a_pipeline_or_have_their_own(rapport, pipeline):
    image = picture("solvay_rows.png")
    expected = pipeline.process(image)
    found = []

    def work(own) -> None:
        found.extend(own.process(image) == expected for _ in range(3))

    threads = [
        threading.Thread(target=work, args=(own,))
        for own in (pipeline, pipeline, rapport.Pipeline(), rapport.Pipeline())
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [True] * 12


def test_an_explanation_lies_on_the_face(rapport, pipeline, astronaut):
    (person,) = pipeline.process(astronaut)
    why = pipeline.explain(astronaut, person)
    assert why.labels == pipeline.labels
    assert why.maps.shape[0] == len(why.labels) and why.maps.dtype == np.float32
    assert np.array_equal(why.map(), why.map("happy"))
    assert np.array_equal(why.map("sad"), why.maps[why.labels.index("sad")])
    middle = why.crop_to_image @ [why.crop_side_px / 2, why.crop_side_px / 2, 1]
    x, y, width, height = person.box
    assert x < middle[0] < x + width and y < middle[1] < y + height
    drawn = why.overlay(astronaut)
    assert drawn.shape == astronaut.shape and drawn.dtype == np.uint8
    changed = (drawn != astronaut).any(axis=2)
    rows, columns = np.nonzero(changed)
    assert changed.any() and rows.max() < y + 2 * height and columns.min() > x - width
    assert not np.array_equal(why.overlay(astronaut, "sad"), drawn)
    again = pickle.loads(pickle.dumps(person))
    assert np.array_equal(pipeline.explain(astronaut, again).maps, why.maps)
    with pytest.raises(rapport.SettingError, match="label is `bored`, expected one of angry"):
        why.map("bored")
