"""Recordings for tests: a face of tests/pictures that moves a little, as a camera would see it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from mcap.writer import Writer
from PIL import Image
from rosbags.typesys import Stores, get_typestore

ROOT = Path(__file__).resolve().parents[2]
START_NS = 1_760_000_000 * 10**9
FRAMES_PER_SEC = 15
TOPIC = "/camera/image_raw"
STORE = get_typestore(Stores.ROS2_JAZZY)


def frames(count: int) -> list[np.ndarray]:
    """uint8 (480, 640, 3), red, green, blue."""
    path = ROOT / "tests/pictures/astronaut_face_60px.png"
    picture = np.asarray(Image.open(path).convert("RGB"))
    return [np.roll(picture, 2 * (index % 15), axis=1) for index in range(count)]


def write(path: Path, frames: int = 30, encoding: str = "bgr8") -> Path:
    """Writes a recording; its path."""
    kinds = STORE.types
    with path.open("wb") as file:
        writer = Writer(file)
        writer.start("ros2", "rapport tests")
        channels = {}
        for topic, kind in ((TOPIC, "sensor_msgs/msg/Image"), ("/label", "std_msgs/msg/String")):
            definition, _ = STORE.generate_msgdef(kind, ros_version=2)
            schema = writer.register_schema(kind, "ros2msg", definition.encode())
            channels[topic] = (kind, writer.register_channel(topic, "cdr", schema))

        def send(topic: str, message: object, time_ns: int) -> None:
            kind, channel = channels[topic]
            data = bytes(STORE.serialize_cdr(message, kind))
            writer.add_message(channel, time_ns, data, time_ns)

        for number, pixels in enumerate(globals()["frames"](frames)):
            stamp_ns = START_NS + number * 10**9 // FRAMES_PER_SEC
            header = kinds["std_msgs/msg/Header"](
                kinds["builtin_interfaces/msg/Time"](*divmod(stamp_ns, 10**9)), "camera"
            )
            if number % 10 == 0:
                send("/label", kinds["std_msgs/msg/String"]("happy"), stamp_ns)
            height, width = pixels.shape[:2]
            data = pixels[..., ::-1] if encoding == "bgr8" else pixels
            image = kinds["sensor_msgs/msg/Image"](
                header,
                height,
                width,
                encoding,
                0,
                3 * width,
                np.ascontiguousarray(data).reshape(-1),
            )
            send(TOPIC, image, stamp_ns + 4_000_000)
        writer.finish()
    return path
