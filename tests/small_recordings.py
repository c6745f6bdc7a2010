"""Many small recordings: people in 320x240 who come and go, with a topic that says what they show."""

from functools import cache
from io import BytesIO

import numpy as np
from mcap.writer import Writer as McapWriter
from PIL import Image
from rosbags.typesys import Stores, get_typestore

from scenes import photograph

STORE = get_typestore(Stores.ROS2_JAZZY)
START_NS = 1_760_000_000 * 10**9
FRAMES_PER_SEC = 10
IMAGE = "sensor_msgs/msg/CompressedImage"
STRING = "std_msgs/msg/String"
# Lights of a picture, so that confidences differ.
LIGHTS = 5


@cache
def _jpeg(who, light):
    """A JPEG of the astronaut, who smiles, of Grace Hopper, who does not, or of nobody."""
    if who == "nobody":
        pixels = photograph("rocket.jpg", 320, 240)
    else:
        pixels = np.full((240, 320, 3), 90, np.uint8)
        if who in ("astronaut", "both"):
            pixels[20:180, 10:145] = photograph("astronaut.jpg", 160, 160)[:, :135]
        if who in ("hopper", "both"):
            pixels[20:220, 150:320] = photograph("hopper.jpg", 170, 200)
    pixels = (pixels * (1.0 - 0.12 * light)).astype(np.uint8)
    file = BytesIO()
    Image.fromarray(pixels).save(file, "JPEG", quality=85)
    return np.frombuffer(file.getvalue(), np.uint8)


def write_recording(path, number, frames):
    """An MCAP file of so many images. Who is in view, and when, follows from the number."""
    path.parent.mkdir(parents=True, exist_ok=True)
    kinds = STORE.types
    people = ["astronaut", "hopper", "both", "nobody"]
    with path.open("wb") as file:
        writer = McapWriter(file)
        writer.start(profile="ros2")
        topics = {}
        for topic, kind in (("/camera/compressed", IMAGE), ("/said", STRING)):
            schema = writer.register_schema(kind, "ros2msg", b"")
            topics[kind] = writer.register_channel(topic, "cdr", schema)

        def add(kind, message, stamp):
            data = bytes(STORE.serialize_cdr(message, kind))
            writer.add_message(topics[kind], stamp, data, stamp)

        for index in range(frames):
            stamp = START_NS + number * 3600 * 10**9 + index * 10**9 // FRAMES_PER_SEC
            who = people[(number + index // 12) % (3 if number % 5 else 4)]
            if index % 12 == 0:
                word = {"astronaut": "happy", "hopper": "neutral"}.get(who, "")
                add(STRING, kinds[STRING](word), stamp)
            header = kinds["std_msgs/msg/Header"](
                kinds["builtin_interfaces/msg/Time"](*divmod(stamp, 10**9)), "camera"
            )
            light = (number + index // 3) % LIGHTS
            image = kinds[IMAGE](header, "rgb8; jpeg compressed bgr8", _jpeg(who, light))
            add(IMAGE, image, stamp)
        writer.finish()


def write_recordings(folder, count, frames):
    """So many recordings, in two folders; `frames`: the number of images by the recording's number."""
    for number in range(count):
        write_recording(
            folder / f"day{number % 2 + 1}" / f"{number:03}.mcap", number, frames(number)
        )
    return folder
