"""How long an image takes from published to emotion received, over DDS between two processes.

One face at 640x480, 30 images a second, best effort. Prints the figures of the README. Run it with
`make bench` on a machine that does nothing else.
"""

import argparse
import array
import importlib.metadata
import os
import platform
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import rclpy
from rclpy.utilities import get_rmw_implementation_identifier

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests"))

from rapport.msg import FaceEmotionArray  # noqa: E402

from graph import Camera, Client, NodeProcess, stamp_ns  # noqa: E402
from scenes import smiling_face  # noqa: E402

RATE_HZ = 30
FRAMES = 600
WARM_UP_FRAMES = 60
LOGGED_FRAMES = 300


def moving_pictures():
    """The face on a small ellipse, 3 px and 2 px, once in 32 images; as message data."""
    picture = smiling_face()
    turns = np.arange(32) / 32 * 2 * np.pi
    moved = (
        np.roll(picture, (round(2 * np.sin(t)), round(3 * np.cos(t))), axis=(0, 1)) for t in turns
    )
    # An array is handed on as it is; bytes are copied one by one.
    return [array.array("B", picture.tobytes()) for picture in moved]


class Run:
    """One node, fed with so many images at the rate, after a warm-up."""

    def __init__(self, folder, pictures, frames, ros_arguments=()):
        self.client = Client("/")
        emotions = self.client.collect(FaceEmotionArray, "emotions")
        camera = Camera(self.client, emotions)
        log = folder / f"{len(list(folder.iterdir()))}.log"
        env = os.environ | {"ROS_LOG_DIR": str(folder)}
        self.node = NodeProcess("perception_node", ["--ros-args", *ros_arguments], log, env)
        try:
            camera.wait_until_answered()
            self.feed(camera, pictures, WARM_UP_FRAMES)
            emotions.clear()
            cpu, start = self.node.cpu_secs(), time.monotonic()
            stamps = self.feed(camera, pictures, frames)
            self.cpu_share = (self.node.cpu_secs() - cpu) / (time.monotonic() - start)
            self.client.spin_for(1.0)
            status, _ = self.node.stop()
        finally:
            self.node.kill()
            self.client.close()
        if status != 0:
            raise SystemExit(f"perception_node ended with status {status}:\n{self.node.text}")
        answers = {
            stamp_ns(message.header): (len(message.faces), sent, received)
            for message, sent, received in zip(
                emotions.messages, emotions.sent_ns, emotions.received_ns, strict=True
            )
        }
        found = [(stamp, *answers[stamp]) for stamp in stamps if stamp in answers]
        self.lost = len(stamps) - len(found)
        self.faceless = sum(faces == 0 for _, faces, _, _ in found)
        # Since the stamp, which is set just before the image is published.
        self.sent_ms = np.array([(sent - stamp) / 1e6 for stamp, _, sent, _ in found])
        self.received_ms = np.array([(received - stamp) / 1e6 for stamp, _, _, received in found])

    def feed(self, camera, pictures, frames):
        """Publishes images stamped with the time now; returns the stamps."""
        image = camera.image(smiling_face())
        stamps = []
        due = time.monotonic()
        for index in range(frames):
            while (wait := due - time.monotonic()) > 0:
                self.client.executor.spin_once(timeout_sec=wait)
            due += 1 / RATE_HZ
            image.data = pictures[index % len(pictures)]
            now = time.time_ns()
            image.header.stamp.sec, image.header.stamp.nanosec = divmod(now, 10**9)
            camera.images.publish(image)
            stamps.append(now)
        return stamps


def logged_ms(text):
    """Medians of what the node's debug log says of each frame; empty if it says nothing."""
    frames = re.findall(r"frame: (.*_ms=.*)$", text, re.MULTILINE)
    columns = {}
    for frame in frames[WARM_UP_FRAMES:]:
        for name, value in re.findall(r"(\w+_ms)=([\d.]+)", frame):
            columns.setdefault(name, []).append(float(value))
    return {name: np.median(values) for name, values in columns.items()}


def version(package):
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return "not known"


def git_commit():
    def git(*arguments):
        return subprocess.run(
            ["git", "-C", ROOT, *arguments], capture_output=True, text=True, check=False
        ).stdout.strip()

    changed = ", with changes" if git("status", "--porcelain", "--untracked-files=no") else ""
    return (git("rev-parse", "--short", "HEAD") or "not known") + changed


def cpu_model():
    found = re.search(r"model name\s*:\s*(.*)", Path("/proc/cpuinfo").read_text())
    return found[1] if found else platform.processor() or platform.machine()


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--frames", type=int, default=FRAMES, help=f"images measured ({FRAMES})")
    frames = parser.parse_args().frames
    if frames < 10:
        parser.error(f"--frames is {frames}, expected at least 10")

    load = os.getloadavg()
    print(f"machine   {cpu_model()}, {os.cpu_count()} cores, load {load[0]:.1f} before the run")
    print(
        f"versions  ONNX Runtime {version('onnxruntime')}, rclpy {version('ros-jazzy-rclpy')}, "
        f"{get_rmw_implementation_identifier()}, commit {git_commit()}",
        flush=True,
    )
    rclpy.init()
    pictures = moving_pictures()
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        run = Run(folder, pictures, frames)
        # Apart from the first, so that writing a log does not slow what is measured.
        debug = ("--log-level", "perception_node:=debug")
        logged = logged_ms(Run(folder, pictures, min(frames, LOGGED_FRAMES), debug).node.text)
    rclpy.shutdown()

    print(f"load      {os.getloadavg()[0]:.1f} after the run")
    print(f"one face, 640x480 rgb8, {RATE_HZ} images/s, {frames} images, best effort")
    if run.lost + run.faceless > frames / 2:
        raise SystemExit(f"{run.lost} images not answered, {run.faceless} without a face in it")
    p50, p95 = np.quantile(run.received_ms, [0.5, 0.95])
    print(
        f"image published -> emotion received   p50 {p50:.1f} ms, p95 {p95:.1f} ms, "
        f"max {run.received_ms.max():.1f} ms"
    )
    print(f"image published -> emotion sent       p50 {np.median(run.sent_ms):.1f} ms")
    print(
        f"frames lost                           {run.lost}; answered with no face in it {run.faceless}"
    )
    print(f"CPU of the node                       {run.cpu_share:.0%} of one core")
    if "inference_ms" in logged:
        parts = ", ".join(
            f"{name.removesuffix('_ms')} {value:.1f}"
            for name, value in logged.items()
            if name not in ("total_ms", "inference_ms")
        )
        total, inference = logged["total_ms"], logged["inference_ms"]
        print(f"in the pipeline, median               {total:.1f} ms ({parts})")
        print(f"inside ONNX Runtime, median           {inference:.1f} ms")
        print(f"share of the p50 outside ONNX Runtime {1 - inference / p50:.0%}")
    else:
        print("in the pipeline, median               n/a (this build logs no times)")
        print("inside ONNX Runtime, median           n/a")
        print("share of the p50 outside ONNX Runtime n/a")


if __name__ == "__main__":
    main()
