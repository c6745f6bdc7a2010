"""What `rapport evaluate` costs: how long the networks wait for images, speed, memory, and how much
faster several jobs are.

Makes recordings of one face in 640x480 at 30 images a second from a photograph of tests/pictures,
in a temporary folder: raw, raw in chunks packed with zstd, JPEG, and a raw one of 2 GB; and a folder
of JPEG pictures. Every image is searched. Prints Markdown tables. What is compared takes turns in one
run; every comparison ends if the figures differ.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
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
EVERY_IMAGE = ["--search-hz", "0", "--classify-hz", "0"]
CORES = sorted(os.sched_getaffinity(0))
# The limits.
MOST_WAITING = 0.15
LEAST_SPEED_UP = 1.8


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


def write_folder(path: Path, count: int) -> None:
    """Pictures with the label happy."""
    folder = path / "happy"
    folder.mkdir(parents=True)
    shown = pictures()
    for index in range(count):
        moved = np.roll(shown[index % DIFFERENT], index // DIFFERENT, axis=0)
        Image.fromarray(moved).save(folder / f"{index:05}.jpg", quality=90)


def evaluate(source: Path, out: Path, cores: int, *options: str) -> tuple[dict, float, float]:
    """The report, the seconds of the whole command on so many cores, and the resident memory in MB at
    its highest."""
    shutil.rmtree(out, ignore_errors=True)
    bound = ",".join(str(core) for core in CORES[:cores])
    command = ["taskset", "-c", bound, BIN_DIR / "rapport", "evaluate", source, "-o", out, *options]
    start = time.monotonic()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    secs = time.monotonic() - start
    if status:
        sys.exit(f"evaluate.py: rapport evaluate ended with status {status >> 8}")
    return json.loads((out / "report.json").read_text()), secs, usage.ru_maxrss / 1000


def figures(report: dict, out: Path) -> str:
    """All that must not depend on the number of jobs."""
    kept = {key: value for key, value in report.items() if key not in ("timing", "provenance")}
    rows = [path.read_text() for path in sorted(out.rglob("frames.csv"))]
    return json.dumps(kept) + "".join(rows)


def print_reading(secs: float, big_gb: float) -> None:
    """How much of an evaluation is reading: on one core in between, on two beside the networks."""
    frames = round(secs * FRAMES_PER_SEC)
    kinds = [
        ("raw", frames, CompressionType.NONE, False),
        ("raw, zstd chunks", frames, CompressionType.ZSTD, False),
        ("JPEG, quality 90", frames, CompressionType.NONE, True),
    ]
    if big_gb > 0:
        many = round(big_gb * 1e9 / (640 * 480 * 3))
        kinds.append((f"raw, {big_gb:g} GB", many, CompressionType.NONE, False))
    print("| recording | cores | times real time | waiting for images | pipeline p50 | resident |")
    print("|---|---|---|---|---|---|")
    for name, count, compression, jpeg in kinds:
        with tempfile.TemporaryDirectory(prefix="rapport-bench-") as folder:
            bag, out = Path(folder) / "bag.mcap", Path(folder) / "out"
            write(bag, count, compression, jpeg)
            for cores in range(1, min(len(CORES), 2) + 1):
                report, _, resident_mb = evaluate(bag, out, cores, *EVERY_IMAGE)
                timing = report["timing"]
                total_ms = timing["models"][0]["total"]["p50_ms"]
                waiting = timing["waiting_share"]
                limit = f" (at most {MOST_WAITING:.0%})" if cores == 2 else ""
                print(
                    f"| {name} | {cores} | {timing['times_real_time']:.1f} | {waiting:.1%}{limit} "
                    f"| {total_ms:.1f} ms | {resident_mb:.0f} MB |",
                    flush=True,
                )


def print_jobs(secs: float, count: int, recordings: int, rounds: int) -> None:
    """How much faster two jobs on two cores are than one."""
    ways = {"one core": (1, 1), "two cores": (2, 1), "two jobs": (2, 2)}
    print(
        "\nImages a second of the whole command, networks on one thread in each job. Ratios are "
        f"medians over {rounds} rounds in which the three take turns.\n"
    )
    print(
        "| source | 1 job, 1 core | 1 job, 2 cores | 2 jobs, 2 cores "
        f"| 2 jobs over 1 job on 1 core (at least {LEAST_SPEED_UP}) | over 1 job on 2 cores |"
    )
    print("|---|---|---|---|---|---|")
    frames = round(secs * FRAMES_PER_SEC)
    with tempfile.TemporaryDirectory(prefix="rapport-bench-") as folder:
        folder = Path(folder)
        out = folder / "out"
        write_folder(folder / "pictures", count)
        write(folder / "raw.mcap", frames, CompressionType.NONE, False)
        write(folder / "zstd.mcap", frames, CompressionType.ZSTD, False)
        (folder / "many").mkdir()
        for index in range(recordings):
            write(folder / "many" / f"{index}.mcap", frames, CompressionType.ZSTD, False)
        sources = [
            ("pictures, JPEG", folder / "pictures", []),
            ("one recording, raw, every image", folder / "raw.mcap", EVERY_IMAGE),
            ("one recording, zstd chunks, every image", folder / "zstd.mcap", EVERY_IMAGE),
            (f"{recordings} recordings, zstd chunks, every image", folder / "many", EVERY_IMAGE),
            (f"{recordings} recordings, zstd chunks, usual rates", folder / "many", []),
        ]
        for name, source, options in sources:
            rates: dict[str, list[float]] = {way: [] for way in ways}
            seen = set()
            for _ in range(rounds):
                for way, (cores, jobs) in ways.items():
                    report, secs, _ = evaluate(source, out, cores, "--jobs", str(jobs), *options)
                    rates[way].append(report["source"]["frames_used"] / secs)
                    seen.add(figures(report, out))
            if len(seen) != 1:
                sys.exit(f"evaluate.py: {name}: the figures depend on the number of jobs")
            one, two, both = (statistics.median(rates[way]) for way in ways)
            over = {
                way: statistics.median(
                    fast / slow for fast, slow in zip(rates["two jobs"], rates[way], strict=True)
                )
                for way in ("one core", "two cores")
            }
            print(
                f"| {name} | {one:.1f} | {two:.1f} | {both:.1f} "
                f"| {over['one core']:.2f} | {over['two cores']:.2f} |",
                flush=True,
            )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--secs", type=float, default=20.0, help="length of the short recordings")
    parser.add_argument("--big-gb", type=float, default=2.0, help="size of the long one; 0: none")
    parser.add_argument("--pictures", type=int, default=1000, help="how many pictures there are")
    parser.add_argument("--recordings", type=int, default=4, help="how many recordings at once")
    parser.add_argument("--rounds", type=int, default=3, help="how often each number of jobs runs")
    arguments = parser.parse_args()
    print_reading(arguments.secs, arguments.big_gb)
    if len(CORES) < 2:
        print("\nOne core: several jobs are not compared.")
        return
    print_jobs(arguments.secs, arguments.pictures, arguments.recordings, arguments.rounds)


if __name__ == "__main__":
    main()
