"""`rapport replay` plays a recording onto its topics: same bytes, same order, same intervals.

Needs a Python with rclpy, rosbags, pytest and numpy. RAPPORT_BIN_DIR is the directory that holds
the binary, <repository>/target/release where it is not set.
"""

import os
import random
import signal
import subprocess
import tempfile
import time
from pathlib import Path

# Other processes on the network must not be heard. Set before rclpy is imported.
os.environ.setdefault("ROS_DOMAIN_ID", str(random.randrange(1, 100)))
os.environ.setdefault("ROS_LOG_DIR", tempfile.gettempdir())

import numpy as np
import pytest
import rclpy
from geometry_msgs.msg import TransformStamped
from mcap.reader import make_reader
from rapport.msg import FaceEmotion, FaceEmotionArray
from rclpy.qos import DurabilityPolicy, HistoryPolicy, QoSProfile, ReliabilityPolicy
from rclpy.serialization import deserialize_message
from rosbags.interfaces import (
    Qos,
    QosDurability,
    QosHistory,
    QosLiveliness,
    QosReliability,
    QosTime,
)
from rosbags.rosbag2 import CompressionFormat, CompressionMode, StoragePlugin, Writer
from rosbags.typesys import Stores, get_types_from_msg, get_typestore
from rosgraph_msgs.msg import Clock
from sensor_msgs.msg import CompressedImage, Image
from std_msgs.msg import String

REPOSITORY = Path(__file__).resolve().parent.parent
BIN_DIR = Path(os.environ.get("RAPPORT_BIN_DIR", REPOSITORY / "target" / "release"))
RAPPORT = BIN_DIR / "rapport"

START_NS = 1_700_000_000 * 10**9
INTERVAL_NS = 50_000_000
COUNT = 20

STORE = get_typestore(Stores.ROS2_JAZZY)
STORE.register(get_types_from_msg("float64 secret", "unheard_msgs/msg/Riddle"))

RELIABLE = QoSProfile(depth=100)
SENSOR = QoSProfile(depth=100, reliability=ReliabilityPolicy.BEST_EFFORT)
LATCHED = QoSProfile(
    depth=100,
    history=HistoryPolicy.KEEP_LAST,
    durability=DurabilityPolicy.TRANSIENT_LOCAL,
)


def offer(reliability, durability):
    none = QosTime(0, 0)
    return [
        Qos(
            QosHistory.UNKNOWN,
            0,
            reliability,
            durability,
            none,
            none,
            QosLiveliness.AUTOMATIC,
            none,
            False,
        )
    ]


def cdr(type_name, *fields):
    return bytes(STORE.serialize_cdr(STORE.types[type_name](*fields), type_name))


def header(frame, index=0):
    return STORE.types["std_msgs/msg/Header"](
        STORE.types["builtin_interfaces/msg/Time"](1_700_000_000, index), frame
    )


def recorded_messages():
    """(topic, log time, CDR) of 20 strings and 20 pictures in turn, and one static transform."""
    vector = STORE.types["geometry_msgs/msg/Vector3"](1.0, 2.0, 3.0)
    rotation = STORE.types["geometry_msgs/msg/Quaternion"](0.0, 0.0, 0.0, 1.0)
    transform = STORE.types["geometry_msgs/msg/Transform"](vector, rotation)
    static = cdr("geometry_msgs/msg/TransformStamped", header("map"), "camera", transform)
    messages = [("/tf_static", START_NS, static)]
    for index in range(COUNT):
        when = START_NS + index * INTERVAL_NS
        text = cdr("std_msgs/msg/String", f"message {index} ☺")
        pixels = np.full(48 * 64 * 3, index, np.uint8)
        image = cdr(
            "sensor_msgs/msg/Image", header("camera", index), 48, 64, "rgb8", 0, 192, pixels
        )
        messages += [("/chatter", when, text), ("/camera/image_raw", when + 1_000_000, image)]
    return messages


TOPICS = {
    "/tf_static": (
        "geometry_msgs/msg/TransformStamped",
        offer(QosReliability.RELIABLE, QosDurability.TRANSIENT_LOCAL),
    ),
    "/chatter": (
        "std_msgs/msg/String",
        offer(QosReliability.RELIABLE, QosDurability.VOLATILE),
    ),
    "/camera/image_raw": (
        "sensor_msgs/msg/Image",
        offer(QosReliability.BEST_EFFORT, QosDurability.VOLATILE),
    ),
}


def write_bag(path, plugin, mode=CompressionMode.NONE, unheard=False):
    writer = Writer(path, version=9, storage_plugin=plugin)
    if mode != CompressionMode.NONE:
        writer.set_compression(mode, CompressionFormat.ZSTD)
    with writer:
        connections = {
            topic: writer.add_connection(
                topic, type_name, typestore=STORE, offered_qos_profiles=qos
            )
            for topic, (type_name, qos) in TOPICS.items()
        }
        for topic, when, data in recorded_messages():
            writer.write(connections[topic], when, data)
        if unheard:
            riddle = writer.add_connection("/riddle", "unheard_msgs/msg/Riddle", typestore=STORE)
            writer.write(riddle, START_NS, cdr("unheard_msgs/msg/Riddle", 42.0))
    return path


class Listener:
    """An rclpy node that keeps (topic, time of arrival, bytes) of what it hears."""

    def __init__(self):
        self.context = rclpy.Context()
        rclpy.init(context=self.context)
        self.node = rclpy.create_node("listener", context=self.context)
        self.executor = rclpy.executors.SingleThreadedExecutor(context=self.context)
        self.executor.add_node(self.node)
        self.heard = []

    def listen(self, topic, kind, qos):
        def keep(data):
            self.heard.append((topic, time.monotonic(), bytes(data)))

        self.node.create_subscription(kind, topic, keep, qos, raw=True)

    def listen_to_all(self, prefix=""):
        self.listen(prefix + "/chatter", String, RELIABLE)
        self.listen(prefix + "/camera/image_raw", Image, SENSOR)
        self.listen(prefix + "/tf_static", TransformStamped, LATCHED)

    def spin_until(self, done, at_most):
        deadline = time.monotonic() + at_most
        while time.monotonic() < deadline and not done():
            self.executor.spin_once(timeout_sec=0.02)

    def on(self, topic):
        return [(when, data) for heard, when, data in self.heard if heard == topic]

    def close(self):
        self.executor.shutdown()
        self.node.destroy_node()
        rclpy.shutdown(context=self.context)


@pytest.fixture
def listener():
    listener = Listener()
    yield listener
    listener.close()


@pytest.fixture
def replay():
    """Starts `rapport replay`; what still runs at the end of the test is killed.

    On a busy machine discovery may take seconds, so it waits for subscribers as long as it takes,
    where the test subscribes to all topics.
    """
    started = []

    def start(*arguments, wait_secs=20):
        process = subprocess.Popen(
            [RAPPORT, "replay", f"--wait-for-subscribers={wait_secs}", *map(str, arguments)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        if process.poll() is None:
            process.kill()
        process.communicate()


@pytest.fixture(scope="module")
def bag(tmp_path_factory):
    return write_bag(tmp_path_factory.mktemp("bags") / "corridor", StoragePlugin.MCAP)


def expected_on(topic):
    """The recorded bytes; DDS fills every message up to a multiple of four."""
    return [
        data + bytes(-len(data) % 4)
        for recorded, _, data in recorded_messages()
        if recorded == topic
    ]


def listen_to_the_end(listener, process, at_most=40):
    listener.spin_until(lambda: process.poll() is not None, at_most)
    listener.spin_until(lambda: False, 0.2)
    stdout, stderr = process.communicate(timeout=5)
    return process.returncode, stdout, stderr


@pytest.mark.parametrize(
    "plugin, mode",
    [
        (StoragePlugin.MCAP, CompressionMode.NONE),
        (StoragePlugin.MCAP, CompressionMode.STORAGE),
        (StoragePlugin.MCAP, CompressionMode.FILE),
        (StoragePlugin.SQLITE3, CompressionMode.NONE),
        (StoragePlugin.SQLITE3, CompressionMode.MESSAGE),
    ],
)
def test_every_message_arrives_unchanged_in_order_at_its_interval(
    tmp_path, listener, replay, plugin, mode
):
    listener.listen_to_all()
    process = replay(write_bag(tmp_path / "bag", plugin, mode))
    code, stdout, stderr = listen_to_the_end(listener, process)

    assert code == 0, stderr
    for topic in TOPICS:
        assert [data for _, data in listener.on(topic)] == expected_on(topic), topic
    image = deserialize_message(listener.on("/camera/image_raw")[7][1], Image)
    assert (image.header.stamp.nanosec, image.width, image.data[0]) == (7, 64, 7)

    times = np.array([when for when, _ in listener.on("/chatter")])
    assert times[-1] - times[0] == pytest.approx((COUNT - 1) * INTERVAL_NS / 1e9, abs=0.15)
    assert np.median(np.diff(times)) == pytest.approx(INTERVAL_NS / 1e9, abs=0.015)
    last = stdout.strip().splitlines()[-1]
    assert f"published {2 * COUNT + 1} messages" in last
    assert f"/chatter {COUNT}" in last and "/tf_static 1" in last


def test_a_single_file_plays_too(bag, listener, replay):
    listener.listen_to_all()
    code, _, stderr = listen_to_the_end(listener, replay(next(bag.glob("*.mcap"))))
    assert code == 0, stderr
    assert len(listener.on("/chatter")) == COUNT


def test_the_recorded_quality_of_service_is_offered(bag, listener, replay):
    replay(bag, "--loop", wait_secs=0)
    node = listener.node
    listener.spin_until(lambda: node.get_publishers_info_by_topic("/tf_static"), 10)
    listener.spin_until(lambda: node.get_publishers_info_by_topic("/camera/image_raw"), 10)
    [static] = node.get_publishers_info_by_topic("/tf_static")
    [image] = node.get_publishers_info_by_topic("/camera/image_raw")
    assert static.qos_profile.durability == DurabilityPolicy.TRANSIENT_LOCAL
    assert static.qos_profile.reliability == ReliabilityPolicy.RELIABLE
    assert image.qos_profile.durability == DurabilityPolicy.VOLATILE
    assert image.qos_profile.reliability == ReliabilityPolicy.BEST_EFFORT

    # Who comes late still gets the static transform.
    listener.spin_until(lambda: False, 1.5)
    listener.listen("/tf_static", TransformStamped, LATCHED)
    listener.spin_until(lambda: listener.on("/tf_static"), 5)
    assert listener.on("/tf_static")[0][1] == expected_on("/tf_static")[0]


def test_rate_changes_the_intervals(bag, listener, replay):
    listener.listen_to_all()
    code, _, stderr = listen_to_the_end(listener, replay(bag, "--rate", "4"))
    assert code == 0, stderr
    times = [when for when, _ in listener.on("/chatter")]
    assert len(times) == COUNT
    assert times[-1] - times[0] == pytest.approx((COUNT - 1) * INTERVAL_NS / 4e9, abs=0.1)


def test_only_the_named_topics_play(bag, listener, replay):
    listener.listen_to_all()
    arguments = ["--topic", "/chatter", "--topic", "tf_static", "--rate", "4"]
    code, stdout, stderr = listen_to_the_end(listener, replay(bag, *arguments))
    assert code == 0, stderr
    assert len(listener.on("/chatter")) == COUNT
    assert len(listener.on("/tf_static")) == 1
    assert listener.on("/camera/image_raw") == []
    assert "image_raw" not in stdout


def test_loop_starts_again(bag, listener, replay):
    listener.listen_to_all()
    process = replay(bag, "--loop", "--rate", "10")
    listener.spin_until(lambda: len(listener.on("/chatter")) > 3 * COUNT, 40)
    process.send_signal(signal.SIGINT)
    code, _, stderr = listen_to_the_end(listener, process)
    assert code == 0, stderr
    passes = expected_on("/chatter") * 4
    heard = [data for _, data in listener.on("/chatter")]
    assert heard[: 3 * COUNT] == passes[: 3 * COUNT]


def test_clock_tells_the_time_of_the_recording(bag, listener, replay):
    listener.listen("/clock", Clock, QoSProfile(depth=1, reliability=ReliabilityPolicy.BEST_EFFORT))
    process = replay(bag, "--rate", "0.5", "--clock", "100", wait_secs=3)
    code, _, stderr = listen_to_the_end(listener, process)
    assert code == 0, stderr
    clock = listener.on("/clock")
    stamps = [deserialize_message(data, Clock).clock for _, data in clock]
    seconds = np.array([(s.sec - START_NS // 10**9) + s.nanosec / 1e9 for s in stamps])
    length = (COUNT - 1) * INTERVAL_NS / 1e9
    # Played at half speed, the recording takes twice its length.
    assert len(clock) == pytest.approx(2 * length * 100, rel=0.2)
    assert (np.diff(seconds) > 0).all()
    assert 0 <= seconds[0] < 0.1 and seconds[-1] == pytest.approx(length, abs=0.1)
    wall = clock[-1][0] - clock[0][0]
    assert (seconds[-1] - seconds[0]) / wall == pytest.approx(0.5, abs=0.05)


def test_ros_arguments_remap(bag, listener, replay):
    listener.listen_to_all("/elsewhere")
    arguments = [part for topic in TOPICS for part in ("-r", f"{topic}:=/elsewhere{topic}")]
    process = replay("--rate", "4", "--ros-args", *arguments, "--", bag)
    code, stdout, stderr = listen_to_the_end(listener, process)
    assert code == 0, stderr
    assert len(listener.on("/elsewhere/chatter")) == COUNT
    assert f"/elsewhere/chatter {COUNT}" in stdout


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_at_once(bag, listener, replay, number):
    listener.listen_to_all()
    secs = []
    # A machine that builds something else may hold a process up: one attempt of these must do.
    for _ in range(3):
        listener.heard.clear()
        process = replay(bag, "--rate", "0.01")
        listener.spin_until(lambda: listener.heard, 30)
        assert listener.heard
        sent = time.monotonic()
        process.send_signal(number)
        assert process.wait(timeout=30) == 0
        secs.append(time.monotonic() - sent)
        stdout, _ = process.communicate()
        assert "published" in stdout
        if secs[-1] < 1.0:
            break
    assert min(secs) < 1.0, secs


def test_a_type_that_is_not_installed_is_named_and_the_rest_plays(tmp_path, listener, replay):
    listener.listen_to_all()
    process = replay(write_bag(tmp_path / "bag", StoragePlugin.MCAP, unheard=True), "--rate", "4")
    code, _, stderr = listen_to_the_end(listener, process)
    assert code == 3
    [warning] = [line for line in stderr.splitlines() if "warning" in line]
    assert "/riddle" in warning and "unheard_msgs/msg/Riddle" in warning
    assert "ros-jazzy-unheard-msgs" in warning
    assert len(listener.on("/chatter")) == COUNT


def test_a_cut_recording_plays_to_the_cut(bag, tmp_path, listener, replay):
    listener.listen_to_all()
    whole = next(bag.glob("*.mcap")).read_bytes()
    cut = tmp_path / "cut.mcap"
    cut.write_bytes(whole[: len(whole) // 2])
    code, _, stderr = listen_to_the_end(listener, replay(cut, "--rate", "4"))
    assert code == 3
    assert f"cut off at byte {len(whole) // 2}" in stderr
    heard = [data for _, data in listener.on("/chatter")]
    assert 5 <= len(heard) < COUNT
    assert heard == expected_on("/chatter")[: len(heard)]


OLD_RECORDING = REPOSITORY / "tests" / "recordings" / "before_labels_once.mcap"


def test_a_topic_of_another_definition_is_named_and_the_rest_plays(listener, replay):
    images, emotions = "/camera/image_raw/compressed", "/emotions"
    listener.listen(images, CompressedImage, SENSOR)
    listener.listen(emotions, FaceEmotionArray, RELIABLE)
    code, stdout, stderr = listen_to_the_end(listener, replay(OLD_RECORDING, wait_secs=2))
    assert code == 3
    [warning] = [line for line in stderr.splitlines() if "warning" in line]
    for word in (emotions, "rapport/FaceEmotionArray", "without labels", "recorded with labels"):
        assert word in warning, warning
    assert len(listener.on(images)) == 5, stderr
    assert listener.on(emotions) == [] and emotions not in stdout


def test_watch_says_that_messages_are_of_another_definition(listener):
    with open(OLD_RECORDING, "rb") as file:
        old = [m.data for _, _, m in make_reader(file).iter_messages(topics=["/emotions"])]
    publisher = listener.node.create_publisher(FaceEmotionArray, "/emotions", RELIABLE)
    watch = subprocess.Popen(
        [RAPPORT, "watch", "--give-up", "30"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        listener.spin_until(lambda: publisher.get_subscription_count() > 0, 25)
        for data in old:
            publisher.publish(data)
        # What can be read is shown after it.
        now = FaceEmotionArray(labels=["happy"], faces=[FaceEmotion(face_id="a", label="happy")])
        publisher.publish(now)
        listener.spin_until(lambda: False, 1.0)
        watch.send_signal(signal.SIGINT)
        stdout, _ = watch.communicate(timeout=10)
    finally:
        watch.kill()
        watch.wait()
    [told] = [line for line in stdout.splitlines() if "definition" in line]
    assert "rapport/msg/FaceEmotionArray" in told and "old recording" in told
    assert f"{len(old)} emotion messages" in stdout
    assert "a looks happy" in stdout, stdout


def test_years_without_a_message_are_skipped(tmp_path, listener, replay):
    listener.listen("/chatter", String, RELIABLE)
    with Writer(tmp_path / "bag", version=9, storage_plugin=StoragePlugin.SQLITE3) as writer:
        chatter = writer.add_connection("/chatter", "std_msgs/msg/String", typestore=STORE)
        # The recorder's clock began in 1970 and was set while it ran.
        for index, when in enumerate([0, 10**8, START_NS, START_NS + 10**8]):
            writer.write(chatter, when, cdr("std_msgs/msg/String", str(index)))
    code, _, stderr = listen_to_the_end(listener, replay(tmp_path / "bag"))
    assert code == 3
    assert "no message for" in stderr and "clock" in stderr
    assert len(listener.on("/chatter")) == 4


@pytest.mark.parametrize("command", ["replay", "watch", "record"])
def test_a_reader_that_leaves_is_no_failure(bag, tmp_path, listener, command):
    arguments = {
        "replay": [bag, "--rate", "10", "--wait-for-subscribers", "0"],
        "watch": ["--give-up", "30"],
        "record": [bag, tmp_path / "copy.mcap"],
    }
    read, write = os.pipe()
    os.close(read)
    process = subprocess.Popen(
        [RAPPORT, command, *map(str, arguments[command])],
        stdout=write,
        stderr=subprocess.PIPE,
        text=True,
    )
    os.close(write)
    try:
        if command == "watch":
            publisher = listener.node.create_publisher(FaceEmotionArray, "/emotions", RELIABLE)
            listener.spin_until(lambda: publisher.get_subscription_count() > 0, 25)
            publisher.publish(FaceEmotionArray(faces=[FaceEmotion(face_id="a", label="happy")]))
        _, stderr = process.communicate(timeout=60)
    finally:
        process.kill()
        process.wait()
    assert process.returncode == 0, stderr
    assert "panicked" not in stderr and "Broken pipe" not in stderr, stderr


@pytest.mark.parametrize(
    "arguments, code, words",
    [
        (["{bag}/absent"], 1, ["absent", "no such file"]),
        (["{bag}", "--topic", "/nothing"], 1, ["/nothing", "/chatter"]),
        (["{bag}", "--rate", "0"], 2, ["--rate", "0.001 to"]),
        (["{bag}", "--rate", "fast"], 2, ["--rate", "fast"]),
        (["{bag}", "--ros-args", "-r", "nonsense"], 1, ["ROS arguments", "nonsense"]),
        (["{bag}", "--ros-args", "--bogus"], 1, ["--bogus"]),
    ],
)
def test_wrong_usage_is_one_clear_error(bag, arguments, code, words):
    arguments = [argument.format(bag=bag) for argument in arguments]
    result = subprocess.run(
        [RAPPORT, "replay", *arguments], capture_output=True, text=True, timeout=10
    )
    assert result.returncode == code
    assert all(word in result.stderr for word in words), result.stderr
    assert "panicked" not in result.stderr
