"""Recordings and films, read without ROS."""

from __future__ import annotations

import numpy as np
import pytest

from recordings import FRAMES_PER_SEC, START_NS, TOPIC, frames


def test_pictures_come_as_they_were_recorded(rapport, corridor):
    bag = rapport.read_bag(corridor)
    assert [(t.name, t.type, t.message_count) for t in bag.topics] == [
        (TOPIC, "sensor_msgs/msg/Image", 30),
        ("/label", "std_msgs/msg/String", 3),
    ]
    assert "string frame_id" in bag.topics[0].definition
    assert bag.duration_secs == pytest.approx(29 / FRAMES_PER_SEC + 0.004)
    assert bag.warnings == []
    pictures = list(bag)
    assert [p.number for p in pictures] == list(range(30))
    for picture, pixels in zip(pictures, frames(30)):
        assert np.array_equal(picture.pixels, pixels)
        assert picture.time_secs == pytest.approx(picture.number / FRAMES_PER_SEC, abs=1e-8)
        assert picture.log_time_ns - picture.stamp_ns == 4_000_000
        assert picture.frame_id == "camera"
    assert pictures[0].stamp_ns == START_NS
    assert len(list(bag.pictures("camera/image_raw"))) == 30


def test_messages_come_as_bytes(rapport, corridor):
    from recordings import STORE

    bag = rapport.read_bag(corridor)
    labels = list(bag.messages(["/label"]))
    assert [m.topic for m in labels] == ["/label"] * 3
    text = STORE.deserialize_cdr(labels[0].data, labels[0].type)
    assert text.data == "happy"
    everything = list(bag.messages())
    assert len(everything) == 33
    assert [m.log_time_ns for m in everything] == sorted(m.log_time_ns for m in everything)


def test_what_is_no_recording_is_named(rapport, corridor, tmp_path):
    with pytest.raises(rapport.RecordingError, match="nowhere.mcap: no such file or directory"):
        rapport.read_bag(tmp_path / "nowhere.mcap")
    (tmp_path / "text.mcap").write_text("no recording")
    with pytest.raises(rapport.RecordingError, match="text.mcap: found .* expected an MCAP"):
        rapport.read_bag(tmp_path / "text.mcap")
    bag = rapport.read_bag(corridor)
    with pytest.raises(
        rapport.RecordingError, match="no topic /depth in the recording, found: /camera/image_raw"
    ):
        bag.pictures("/depth")
    with pytest.raises(
        rapport.RecordingError, match="no topic /depth in the recording, found: /camera/image_raw"
    ):
        bag.messages(["/depth"])


def test_a_cut_recording_is_read_up_to_the_cut_with_a_warning(rapport, corridor, tmp_path):
    cut = tmp_path / "cut.mcap"
    whole = corridor.read_bytes()
    cut.write_bytes(whole[: len(whole) * 2 // 3])
    bag = rapport.read_bag(cut)
    with pytest.warns(rapport.RecordingWarning, match="cut off at byte"):
        count = sum(1 for _ in bag)
    assert 5 < count < 30


def test_people_are_followed_through_frames(rapport, corridor):
    pipeline = rapport.Pipeline()
    whole = [t.people for t in rapport.track(corridor, pipeline=pipeline)]
    assert len(whole) == 30 and {p.id for people in whole for p in people} == {"face_1"}
    times = [picture.time_secs for picture in rapport.read_bag(corridor)]
    for video in (rapport.read_bag(corridor), zip(times, frames(30))):
        assert [t.people for t in rapport.track(video, pipeline=pipeline)] == whole
    # By counting, times differ from the stamps by a nanosecond here and there.
    bgr = [pixels[..., ::-1] for pixels in frames(30)]
    for video, channels in ((frames(30), "rgb"), (bgr, "bgr")):
        tracked = rapport.track(video, pipeline=pipeline, fps=FRAMES_PER_SEC, channels=channels)
        for frame, people in zip(tracked, whole, strict=True):
            assert [(p.id, p.label, p.box) for p in frame.people] == [
                (p.id, p.label, p.box) for p in people
            ]
            for one, other in zip(frame.people, people):
                assert one.probabilities == pytest.approx(other.probabilities, abs=1e-4)
    first = next(rapport.track(frames(3), fps=5))
    assert first.time_secs == 0 and first.people == [] and first.pixels.shape == (480, 640, 3)


def test_frames_without_times_need_a_rate(rapport):
    with pytest.raises(rapport.SettingError, match="expected fps, or pairs"):
        list(rapport.track(frames(2)))
    with pytest.raises(rapport.SettingError, match="fps is 0, expected a number above 0"):
        rapport.track(frames(2), fps=0)


def test_a_film_is_tracked(rapport, tmp_path):
    av = pytest.importorskip("av", reason="PyAV is not installed")
    path = tmp_path / "film.mp4"
    with av.open(str(path), "w") as film:
        stream = film.add_stream("mpeg4", rate=FRAMES_PER_SEC)
        stream.width, stream.height, stream.bit_rate = 640, 480, 4_000_000
        for pixels in frames(20):
            film.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")))
        film.mux(stream.encode())
    tracked = list(rapport.track(path))
    assert len(tracked) == 20
    assert tracked[10].time_secs == pytest.approx(10 / FRAMES_PER_SEC, abs=0.001)
    assert {p.id for t in tracked for p in t.people} == {"face_1"}
    (tmp_path / "text.mp4").write_text("no film")
    with pytest.raises(rapport.RapportError, match="text.mp4: not read as a film"):
        list(rapport.track(tmp_path / "text.mp4"))
    with pytest.raises(rapport.RapportError, match="nowhere.mp4: not read as a film"):
        list(rapport.track(tmp_path / "nowhere.mp4"))


def test_reading_and_evaluating_see_the_same(rapport, corridor):
    """What `evaluate` says of each frame is what `track` finds in it."""
    evaluated = rapport.evaluate(corridor).frames.to_arrow().to_pylist()
    tracked = [
        (number, person)
        for number, frame in enumerate(rapport.track(corridor))
        for person in frame.people
    ]
    rows = [row for row in evaluated if row["predicted"]]
    assert len(rows) == len(tracked) > 20
    for row, (number, person) in zip(rows, tracked):
        assert (row["frame"], row["face_id"], row["predicted"]) == (number, person.id, person.label)
        assert np.float32(row["confidence"]) == np.float32(person.confidence)


def test_a_grey_camera_gives_grey_pictures(rapport, tmp_path):
    from recordings import STORE, Writer

    path = tmp_path / "grey.mcap"
    kind = "sensor_msgs/msg/Image"
    kinds = STORE.types
    grey = frames(1)[0][..., 1]
    with path.open("wb") as file:
        writer = Writer(file)
        writer.start("ros2", "test")
        definition, _ = STORE.generate_msgdef(kind, ros_version=2)
        schema = writer.register_schema(kind, "ros2msg", definition.encode())
        channel = writer.register_channel("/grey", "cdr", schema)
        header = kinds["std_msgs/msg/Header"](kinds["builtin_interfaces/msg/Time"](0, 0), "")
        image = kinds[kind](header, 480, 640, "mono8", 0, 640, grey.reshape(-1).copy())
        writer.add_message(channel, 5, bytes(STORE.serialize_cdr(image, kind)), 5)
        writer.finish()
    (picture,) = rapport.read_bag(path)
    assert picture.pixels.shape == (480, 640) and np.array_equal(picture.pixels, grey)
    assert picture.stamp_ns is None
