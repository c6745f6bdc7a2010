#!/usr/bin/env python3
"""Writes before_labels_once.mcap: five JPEG images of a face, and what `rapport record` added to
such a recording by the message definitions of commit e9dfb1b, field by field.

Needs a clone that has that commit, and mcap and Pillow (tools/requirements.txt).
"""

import io
import struct
import subprocess
from pathlib import Path

from mcap.writer import CompressionType, Writer
from PIL import Image

HERE = Path(__file__).resolve().parent
COMMIT = "e9dfb1b"
START_NS = 1_780_000_000 * 10**9
QOS = "- history: keep_last\n  depth: 10\n  reliability: reliable\n  durability: volatile\n"
LABELS = ["angry", "disgust", "fear", "happy", "neutral", "sad", "surprise"]
PROBABILITIES = [0.001, 0.001, 0.002, 0.98, 0.01, 0.001, 0.005]
AFFECT_SOURCE = "Russell & Mehrabian 1977, doi:10.1016/0092-6566(77)90037-X"

HEADER = [
    ("std_msgs/Header", "builtin_interfaces/Time stamp\nstring frame_id\n"),
    ("builtin_interfaces/Time", "int32 sec\nuint32 nanosec\n"),
]
REGION = "uint32 x_offset\nuint32 y_offset\nuint32 height\nuint32 width\nbool do_rectify\n"


def message_file(name):
    """The text of one of our own definitions as it was then."""
    command = ["git", "-C", HERE, "show", f"{COMMIT}:msg/{name}.msg"]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def definition(own, nested):
    parts = [f"{'=' * 80}\nMSG: {name}\n{text}" for name, text in nested]
    return (own + "".join(parts)).encode()


class Cdr:
    """Little-endian CDR, each number at a multiple of its size."""

    def __init__(self, stamp_ns):
        self.body = bytearray()
        sec, nanosec = divmod(stamp_ns, 10**9)
        self.number("i", sec).number("I", nanosec).text("camera")

    def number(self, kind, *values):
        for value in values:
            self.body += bytes(-len(self.body) % struct.calcsize(kind))
            self.body += struct.pack("<" + kind, value)
        return self

    def data(self, data):
        self.number("I", len(data))
        self.body += data
        return self

    def text(self, text):
        return self.data(text.encode() + b"\0")

    def numbers(self, values):
        return self.number("I", len(values)).number("f", *values)

    def finish(self):
        return b"\0\1\0\0" + bytes(self.body)


def face(cdr):
    cdr.text("face_1").number("I", 97, 94, 55, 47).number("B", 0).number("f", 0.93)
    cdr.text("happy").number("f", 0.98).number("B", 1)
    cdr.number("I", len(LABELS))
    for label in LABELS:
        cdr.text(label)
    cdr.numbers(PROBABILITIES).numbers(PROBABILITIES)
    cdr.number("f", 0.79, 0.47).text(AFFECT_SOURCE)


def main():
    picture = Image.open(HERE.parent / "pictures" / "astronaut_face_60px.png").convert("RGB")
    file = io.BytesIO()
    picture.crop((330, 90, 570, 330)).save(file, "JPEG", quality=85)
    emotions = definition(
        message_file("FaceEmotionArray"),
        [
            *HEADER,
            ("rapport/FaceEmotion", message_file("FaceEmotion")),
            ("sensor_msgs/RegionOfInterest", REGION),
        ],
    )
    image = definition("std_msgs/Header header\nstring format\nuint8[] data\n", HEADER)
    with open(HERE / "before_labels_once.mcap", "wb") as out:
        writer = Writer(out, compression=CompressionType.ZSTD)
        writer.start(profile="ros2", library="rapport 0.1.0")

        def channel(topic, kind, text):
            schema = writer.register_schema(kind, "ros2msg", text)
            return writer.register_channel(topic, "cdr", schema, {"offered_qos_profiles": QOS})

        kind = "sensor_msgs/msg/CompressedImage"
        images = channel("/camera/image_raw/compressed", kind, image)
        emotions_channel = channel("/emotions", "rapport/msg/FaceEmotionArray", emotions)
        for index in range(5):
            stamp_ns = START_NS + index * 100_000_000
            log_ns = stamp_ns + 3_000_000
            cdr = Cdr(stamp_ns).text("jpeg").data(file.getvalue())
            writer.add_message(images, log_ns, cdr.finish(), log_ns)
            # A face is confirmed in its second image.
            faces = min(index, 1)
            cdr = Cdr(stamp_ns).number("I", 240, 240, faces)
            if faces:
                face(cdr)
            writer.add_message(emotions_channel, log_ns, cdr.finish(), log_ns)
        writer.finish()


if __name__ == "__main__":
    main()
