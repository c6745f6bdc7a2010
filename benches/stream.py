"""What the benches share: a node as a process, fed with images as a camera would send them."""

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
from rapport.msg import FaceEmotionArray
from rclpy.utilities import get_rmw_implementation_identifier

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests"))

from graph import Camera, Client, NodeProcess, stamp_ns  # noqa: E402
from scenes import smiling_face  # noqa: E402

RATE_HZ = 30
WARM_UP_FRAMES = 60


def moving_pictures():
    """One face at 640x480 on a small ellipse, 3 px and 2 px, once in 32 images; as message data."""
    picture = smiling_face()
    turns = np.arange(32) / 32 * 2 * np.pi
    moved = (
        np.roll(picture, (round(2 * np.sin(t)), round(3 * np.cos(t))), axis=(0, 1)) for t in turns
    )
    # An array is handed on as it is; bytes are copied one by one.
    return [array.array("B", picture.tobytes()) for picture in moved]


class Answers:
    """What became of a stretch of images."""

    def __init__(self, stamps_ns, answers):
        found = [(stamp, *answers[stamp]) for stamp in stamps_ns if stamp in answers]
        self.offered = len(stamps_ns)
        self.lost = self.offered - len(found)
        self.faceless = sum(faces == 0 for _, faces, _, _ in found)
        # Since the stamp, which is set just before the image is published.
        self.sent_ms = np.array([(sent - stamp) / 1e6 for stamp, _, sent, _ in found])
        self.received_ms = np.array([(received - stamp) / 1e6 for stamp, _, _, received in found])

    def check(self):
        """Ends the bench where there is nothing to measure."""
        if self.lost + self.faceless > self.offered / 2:
            raise SystemExit(
                f"of {self.offered} images {self.lost} were not answered, "
                f"{self.faceless} with no face"
            )


class Stream:
    """A node of its own process and a camera before it; a context that ends both."""

    def __init__(self, *ros_arguments, program="perception_node", cpus=None):
        self._folder = tempfile.TemporaryDirectory()
        folder = Path(self._folder.name)
        self.client = Client("/")
        self._answers = {}
        self._subscription = self.client.node.create_subscription(
            FaceEmotionArray, "emotions", self._take, 10
        )
        self._camera = Camera(self.client, None)
        self._image = self._camera.image(smiling_face())
        self._pictures = moving_pictures()
        self._due = 0.0
        self._sent = 0
        self.node = NodeProcess(
            program,
            ["--ros-args", *ros_arguments],
            folder / "log",
            os.environ | {"ROS_LOG_DIR": str(folder)},
        )
        if cpus is not None:
            os.sched_setaffinity(self.node.pid, cpus)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.node.kill()
        self.client.close()
        self._folder.cleanup()

    def _take(self, message, info):
        self._answers[stamp_ns(message.header)] = (
            len(message.faces),
            info["source_timestamp"],
            time.time_ns(),
        )

    def warm_up(self):
        """Waits until images are answered, then for some more of them."""
        self.client.wait_for_subscriber_of(self._camera.images)
        end = time.monotonic() + 60
        while not self._answers:
            self.feed(1)
            if time.monotonic() > end or not self.node.alive:
                raise SystemExit(f"{self.node.process.args[0]} answers nothing:\n{self.node.text}")
        self.feed(WARM_UP_FRAMES)
        self._answers.clear()

    def feed(self, frames):
        """Publishes images at the rate, stamped with the time now; returns the stamps."""
        stamps = []
        for _ in range(frames):
            # A camera that was held up goes on at its rate and does not catch up.
            self._due = max(self._due + 1 / RATE_HZ, time.monotonic() - 1 / RATE_HZ)
            while (wait := self._due - time.monotonic()) > 0:
                self.client.executor.spin_once(timeout_sec=wait)
            self._image.data = self._pictures[self._sent % len(self._pictures)]
            self._sent += 1
            now = time.time_ns()
            self._image.header.stamp.sec, self._image.header.stamp.nanosec = divmod(now, 10**9)
            self._camera.images.publish(self._image)
            stamps.append(now)
        return stamps

    def answers_to(self, stamps):
        """What came back for images fed some time ago; older answers are forgotten."""
        answers = Answers(stamps, self._answers)
        self._answers = {s: answer for s, answer in self._answers.items() if s > stamps[-1]}
        return answers

    def measure(self, frames):
        """The answers to so many images, and the node's share of one core meanwhile."""
        cpu_secs, start = self.node.cpu_secs(), time.monotonic()
        stamps = self.feed(frames)
        share = (self.node.cpu_secs() - cpu_secs) / (time.monotonic() - start)
        self.client.spin_for(1.0)
        return self.answers_to(stamps), share

    def idle_share(self, secs):
        """The node's share of one core while nothing is sent to it."""
        cpu_secs = self.node.cpu_secs()
        self.client.spin_for(secs)
        return (self.node.cpu_secs() - cpu_secs) / secs


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


def print_setting():
    """The machine and the versions; for the head of every bench."""
    load = os.getloadavg()[0]
    print(f"machine   {cpu_model()}, {os.cpu_count()} cores, load {load:.1f} before the run")
    print(
        f"versions  ONNX Runtime {version('onnxruntime')}, rclpy {version('ros-jazzy-rclpy')}, "
        f"{get_rmw_implementation_identifier()}, commit {git_commit()}",
        flush=True,
    )
