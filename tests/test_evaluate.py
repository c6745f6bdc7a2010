"""Offline and on the graph the same: a recording that is played through the node, evaluated, and
copied with its emotions by `rapport record`.
"""

import csv
import json
import os
import subprocess
from pathlib import Path

import numpy as np
import pytest
from mcap.reader import make_reader
from rapport.msg import FaceEmotionArray
from rclpy.serialization import deserialize_message
from rosbags.interfaces import (
    Qos,
    QosDurability,
    QosHistory,
    QosLiveliness,
    QosReliability,
    QosTime,
)
from rosbags.rosbag2 import Reader, StoragePlugin, Writer
from rosbags.typesys import Stores, get_types_from_msg, get_typestore

import scenes
from graph import BIN_DIR, stamp_ns

RAPPORT = BIN_DIR / "rapport"
STORE = get_typestore(Stores.ROS2_JAZZY)
START_NS = 1_760_000_000 * 10**9
FRAMES_PER_SEC = 15
FRAMES = 120
TOPIC = "/camera/image_raw"


def picture(index):
    """Two people who come and move, in light that comes and goes."""
    if index < 20:
        return scenes.two_people(shift_px=index, right=False)
    if index < 70:
        return scenes.two_people(shift_px=20, right=True)
    # Dark and back: the network is less sure, and labels change.
    light = 1.0 - 0.8 * abs(((index - 70) % 50) - 25) / 25
    return (scenes.two_people(shift_px=(FRAMES - index) // 3) * light).astype(np.uint8)


@pytest.fixture(scope="module")
def bag(tmp_path_factory):
    path = tmp_path_factory.mktemp("evaluate") / "corridor"
    none = QosTime(0, 0)
    offer = Qos(
        QosHistory.KEEP_LAST,
        10,
        # So that DDS loses nothing: what is compared is the labels.
        QosReliability.RELIABLE,
        QosDurability.VOLATILE,
        none,
        none,
        QosLiveliness.AUTOMATIC,
        none,
        False,
    )
    kinds = STORE.types
    with Writer(path, version=9, storage_plugin=StoragePlugin.MCAP) as writer:
        images = writer.add_connection(
            TOPIC, "sensor_msgs/msg/Image", typestore=STORE, offered_qos_profiles=[offer]
        )
        for index in range(FRAMES):
            pixels = picture(index)
            stamp = START_NS + index * 10**9 // FRAMES_PER_SEC
            header = kinds["std_msgs/msg/Header"](
                kinds["builtin_interfaces/msg/Time"](*divmod(stamp, 10**9)), "camera"
            )
            height, width = pixels.shape[:2]
            image = kinds["sensor_msgs/msg/Image"](
                header, height, width, "rgb8", 0, 3 * width, pixels.reshape(-1)
            )
            data = STORE.serialize_cdr(image, "sensor_msgs/msg/Image")
            writer.write(images, stamp + 3_000_000, data)
    return path


def rapport(*arguments):
    result = subprocess.run(
        [RAPPORT, *map(str, arguments)], capture_output=True, text=True, timeout=120
    )
    assert "panicked" not in result.stderr, result.stderr
    return result


def labels_of(message):
    return {face.face_id: face.label for face in message.faces}


def test_a_recording_gives_the_same_labels_offline_and_through_the_node(
    bag, tmp_path, start, client, emotions, namespace
):
    # A copy counts the faces, as its reports repeat.
    start("perception_node", {"deterministic_ids": "true"})
    client.wait_for_publisher_of(emotions)
    process = subprocess.Popen(
        [
            RAPPORT,
            "replay",
            bag,
            "--wait-for-subscribers=30",
            "--ros-args",
            "-r",
            f"{TOPIC}:={namespace}/image",
        ],
        stdout=subprocess.DEVNULL,
        env=os.environ | {"ROS_LOG_DIR": str(tmp_path)},
    )
    try:
        assert client.spin_until(lambda: process.poll() is not None, 60)
        client.spin_for(1.0)
    finally:
        process.kill()
        process.wait()
    online = {stamp_ns(message.header): labels_of(message) for message in emotions.messages}
    # On a busy machine the node drops images; those that it processes are compared.
    assert len(online) >= FRAMES / 2, f"{len(online)} of {FRAMES} images processed"

    result = rapport("evaluate", bag, "-o", tmp_path / "out")
    assert result.returncode == 0, result.stderr
    offline = {}
    with (tmp_path / "out" / "frames.csv").open(newline="") as file:
        for row in csv.DictReader(file):
            seconds, nanoseconds = row["stamp"].split(".")
            faces = offline.setdefault(int(seconds) * 10**9 + int(nanoseconds), {})
            if row["face_id"]:
                faces[row["face_id"]] = row["predicted"]
    assert len(offline) == FRAMES
    same = sum(offline[stamp] == labels for stamp, labels in online.items())
    assert sum(bool(labels) for labels in online.values()) > len(online) / 2
    assert len({label for labels in online.values() for label in labels.values()}) > 1
    # A dropped image may move the moment of a change by one.
    dropped = FRAMES - len(online)
    assert same >= 0.99 * len(online) - dropped, (
        f"{same} of {len(online)} frames have the same labels, {dropped} dropped"
    )


def test_a_notebook_loads_the_report(bag, tmp_path):
    labels = tmp_path / "labels.csv"
    labels.write_text("start,end,face_id,label\n0,4.6,face_1,happy\n4.6,8,face_1,neutral\n")
    result = rapport("evaluate", bag, "--labels", labels, "-o", tmp_path / "out")
    assert result.returncode == 0, result.stderr
    report = json.loads((tmp_path / "out" / "report.json").read_text())
    assert str(tmp_path) not in (tmp_path / "out" / "report.json").read_text()
    assert report["provenance"]["command"][:3] == ["rapport", "evaluate", bag.name]
    found = report["classification_report"]
    assert {"accuracy", "macro avg", "weighted avg"} <= found.keys()
    assert found["happy"].keys() == {"precision", "recall", "f1-score", "support"}
    # The same from frames.csv, by hand.
    with (tmp_path / "out" / "frames.csv").open(newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["label"] and row["predicted"]]
    right = sum(row["label"] == row["predicted"] for row in rows)
    assert found["accuracy"] == pytest.approx(right / len(rows), abs=1e-12)
    assert found["weighted avg"]["support"] == len(rows)


@pytest.mark.parametrize(
    "arguments, code, words",
    [
        (["evaluate", "{tmp}/absent"], 1, ["absent", "no such file"]),
        (["evaluate", "{bag}", "--topic", "/none"], 1, ["no topic /none", TOPIC]),
        (["evaluate", "{bag}", "--labels", "a.csv", "--label-topic", "b"], 2, ["--label-topic"]),
        (["evaluate", "{bag}", "--usage", "Test"], 2, ["Training, PublicTest"]),
        (["evaluate", "{bag}", "--votes", "a.csv"], 1, ["--votes does not go with"]),
        (["record", "{bag}", "{bag}"], 1, ["exists already"]),
        (["record", "{bag}"], 2, ["<OUT>"]),
    ],
)
def test_exit_codes_are_those_of_the_help(bag, tmp_path, arguments, code, words):
    arguments = [argument.format(bag=bag, tmp=tmp_path) for argument in arguments]
    if arguments[0] == "evaluate":
        arguments += ["-o", tmp_path / "out"]
    result = rapport(*arguments)
    assert result.returncode == code, result.stderr
    assert all(word in result.stderr for word in words), result.stderr


def installed_hash(type_name):
    """The hash that rosidl gave a type when its package was built."""
    package, _, name = type_name.split("/")
    for prefix in os.environ["AMENT_PREFIX_PATH"].split(":"):
        file = Path(prefix) / "share" / package / "msg" / f"{name}.json"
        if file.exists():
            return json.loads(file.read_text())["type_hashes"][0]["hash_string"]
    raise AssertionError(f"{type_name} is not installed")


def test_a_copy_with_emotions_is_opened_by_others_and_played(bag, tmp_path, client, namespace):
    copy = tmp_path / "copy"
    result = rapport("record", bag, copy, "--annotated")
    assert result.returncode == 0, result.stderr

    # mcap: every message, by channel.
    with (copy / "copy_0.mcap").open("rb") as file:
        reader = make_reader(file)
        topics = [channel.topic for _, channel, _ in reader.iter_messages()]
    assert {topic: topics.count(topic) for topic in set(topics)} == {
        TOPIC: FRAMES,
        "/emotions": FRAMES,
        "/annotated_image/compressed": FRAMES,
    }

    # rosbags: by metadata.yaml, with the types as the copy itself defines them.
    store = get_typestore(Stores.ROS2_JAZZY)
    with Reader(copy) as reader:
        [added] = [c for c in reader.connections if c.topic == "/emotions"]
        for connection in reader.connections:
            assert connection.digest == installed_hash(connection.msgtype), connection.topic
        store.register(get_types_from_msg(added.msgdef.data, added.msgtype))
        images = [c for c in reader.connections if c.topic == TOPIC]
        assert reader.message_count == 3 * FRAMES
        recorded = [(when, data) for _, when, data in reader.messages([added])]
        assert [when for when, _ in recorded] == [when for _, when, _ in reader.messages(images)]
    for index, (_, data) in enumerate(recorded):
        by_rosbags = store.deserialize_cdr(data, "rapport/msg/FaceEmotionArray")
        by_rclpy = deserialize_message(data, FaceEmotionArray)
        assert stamp_ns(by_rclpy.header) == START_NS + index * 10**9 // FRAMES_PER_SEC
        assert by_rosbags.header.frame_id == by_rclpy.header.frame_id == "camera"
        assert [f.label for f in by_rosbags.faces] == [f.label for f in by_rclpy.faces]
        assert by_rosbags.labels == by_rclpy.labels and by_rclpy.affect_source
        for face in by_rclpy.faces:
            assert sum(face.probabilities) == pytest.approx(1, abs=1e-4)
            confidence = face.probabilities[by_rclpy.labels.index(face.label)]
            assert face.confidence == pytest.approx(confidence)
            assert 0 < face.roi.width < 640 and not face.roi.do_rectify

    # rapport replay: a subscriber that knows the type gets them.
    emotions = client.collect(FaceEmotionArray, "played")
    process = subprocess.Popen(
        [
            RAPPORT,
            "replay",
            copy,
            "--rate=2",
            "--topic=/emotions",
            "--wait-for-subscribers=30",
            "--ros-args",
            "-r",
            f"/emotions:={namespace}/played",
        ],
        stdout=subprocess.DEVNULL,
        env=os.environ | {"ROS_LOG_DIR": str(tmp_path)},
    )
    try:
        assert client.spin_until(lambda: len(emotions) == FRAMES, 60), f"{len(emotions)} came"
    finally:
        process.kill()
        process.wait()
    expected = [deserialize_message(data, FaceEmotionArray) for _, data in recorded]
    # By their text: an unknown pose is NaN, which equals nothing.
    assert [repr(message) for message in emotions.messages] == [repr(m) for m in expected]
