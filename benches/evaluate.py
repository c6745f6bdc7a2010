"""What `rapport evaluate` costs: share of reading and decoding, speed, memory.

Makes recordings of one face in 640x480 at 30 images a second from a photograph of tests/pictures,
in a temporary folder: raw, raw in chunks packed with zstd, JPEG, and a raw one of 2 GB. Prints a
Markdown table. Ratios come from one run; the processor is held to one core.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from mcap.writer import CompressionType
from mcap.writer import Writer as McapWriter
from PIL import Image
from rosbags.typesys import Stores, get_typestore

ROOT = Path(__file__).resolve().parent.parent
BIN_DIR = Path(os.environ.get("RAPPORT_BIN_DIR", ROOT / "target" / "release"))
STORE = get_typestore(Stores.ROS2_JAZZY)
START_NS = 1_760_000_000 * 10**9
FRAMES_PER_SEC = 30
# Frames that are different; a longer recording repeats them.
DIFFERENT = 30


def pictures() -> list[np.ndarray]:
    """A face that moves a little, with a camera's noise: packing has something to do."""
    picture = np.asarray(Image.open(ROOT / "tests/pictures/astronaut_face_60px.png").convert("RGB"))
    noise = np.random.default_rng(7)
    moved = (np.roll(picture, index % 15, axis=1) for index in range(DIFFERENT))
    return [np.clip(p + noise.normal(0, 2, p.shape), 0, 255).astype(np.uint8) for p in moved]


def message(pixels: np.ndarray, jpeg: bytes | None, stamp: int):
    """A message's type and its CDR."""
    kinds = STORE.types
    time = kinds["builtin_interfaces/msg/Time"](*divmod(stamp, 10**9))
    header = kinds["std_msgs/msg/Header"](time, "camera")
    if jpeg:
        kind = "sensor_msgs/msg/CompressedImage"
        data = np.frombuffer(jpeg, np.uint8)
        filled = kinds[kind](header, "rgb8; jpeg compressed bgr8", data)
    else:
        kind = "sensor_msgs/msg/Image"
        height, width = pixels.shape[:2]
        filled = kinds[kind](header, height, width, "rgb8", 0, 3 * width, pixels.reshape(-1))
    return kind, bytes(STORE.serialize_cdr(filled, kind))


def to_jpeg(pixels: np.ndarray, folder: Path) -> bytes:
    path = folder / "frame.jpg"
    Image.fromarray(pixels).save(path, quality=90)
    return path.read_bytes()


def write(path: Path, frames: int, compression: CompressionType, jpeg: bool) -> None:
    shown = pictures()
    packed = [to_jpeg(pixels, path.parent) if jpeg else None for pixels in shown]
    with path.open("wb") as file:
        writer = McapWriter(file, compression=compression)
        writer.start(profile="ros2")
        channel = None
        for index in range(frames):
            stamp = START_NS + index * 10**9 // FRAMES_PER_SEC
            which = index % DIFFERENT
            kind, data = message(shown[which], packed[which], stamp)
            if channel is None:
                schema = writer.register_schema(kind, "ros2msg", b"")
                channel = writer.register_channel("/camera", "cdr", schema)
            writer.add_message(channel, stamp, data, stamp)
        writer.finish()


def evaluate(bag: Path, out: Path) -> tuple[dict, float]:
    """The report's timing, and the resident memory in MB at its highest."""
    command = ["taskset", "-c", "0", BIN_DIR / "rapport", "evaluate", bag, "-o", out]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        sys.exit(f"evaluate.py: rapport evaluate ended with status {status >> 8}")
    return json.loads((out / "report.json").read_text())["timing"], usage.ru_maxrss / 1000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--secs", type=float, default=20.0, help="length of the short recordings")
    parser.add_argument("--big-gb", type=float, default=2.0, help="size of the long one; 0: none")
    arguments = parser.parse_args()
    frames = round(arguments.secs * FRAMES_PER_SEC)
    kinds = [
        ("raw", frames, CompressionType.NONE, False),
        ("raw, zstd chunks", frames, CompressionType.ZSTD, False),
        ("JPEG, quality 90", frames, CompressionType.NONE, True),
    ]
    if arguments.big_gb > 0:
        many = round(arguments.big_gb * 1e9 / (640 * 480 * 3))
        kinds.append((f"raw, {arguments.big_gb:g} GB", many, CompressionType.NONE, False))
    print("| recording | times real time | reading and decoding | pipeline p50 | resident |")
    print("|---|---|---|---|---|")
    for name, count, compression, jpeg in kinds:
        with tempfile.TemporaryDirectory(prefix="rapport-bench-") as folder:
            bag = Path(folder) / "bag.mcap"
            write(bag, count, compression, jpeg)
            timing, resident_mb = evaluate(bag, Path(folder) / "out")
        total_ms = timing["models"][0]["total"]["p50_ms"]
        share = timing["read_and_decode_share"]
        print(
            f"| {name} | {timing['times_real_time']:.1f} | {share:.1%} "
            f"| {total_ms:.1f} ms | {resident_mb:.0f} MB |",
            flush=True,
        )


if __name__ == "__main__":
    main()
