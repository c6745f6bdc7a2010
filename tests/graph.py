"""A node as a process of its own, and an independent rclpy client on the same graph."""

import array
import contextlib
import fcntl
import os
import re
import signal
import subprocess
import time
from pathlib import Path

import numpy as np
import rclpy
from rclpy.executors import SingleThreadedExecutor
from rclpy.qos import qos_profile_default, qos_profile_sensor_data
from sensor_msgs.msg import Image

ROOT = Path(__file__).resolve().parent.parent
BIN_DIR = Path(os.environ.get("RAPPORT_BIN_DIR", ROOT / "target" / "release"))

# For anything that ought to take milliseconds, on a machine that builds something meanwhile.
PATIENCE_SECS = 30.0

CLIENT_QOS = {"sensor": qos_profile_sensor_data, "default": qos_profile_default}


def remove_stale_segments(folder=Path("/dev/shm")):
    """Frees the shared memory of participants that were killed: each leaves its segment, 64 MiB by
    config/fastdds.xml. Once the memory is full, new participants fail and others end by SIGBUS."""
    for lock in folder.glob("fastrtps_*_el"):
        segment = lock.with_name(lock.name.removesuffix("_el"))
        # Locked while its process lives; may be gone already.
        with contextlib.suppress(OSError), open(lock) as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            # A port is small, and the next process of its number takes it over.
            if "_port" not in segment.name:
                segment.unlink(missing_ok=True)
                lock.unlink()


class NodeProcess:
    """A running program of this package; its output goes to a file."""

    def __init__(self, program, arguments, log, env):
        self.log = log
        with open(log, "wb") as output:
            self.process = subprocess.Popen(
                [BIN_DIR / program, *arguments],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=env,
            )

    @property
    def pid(self):
        return self.process.pid

    @property
    def text(self):
        return self.log.read_text(errors="replace")

    def lines(self, *words):
        """The lines of the output that hold all of the words."""
        return [line for line in self.text.splitlines() if all(word in line for word in words)]

    @property
    def errors(self):
        return self.lines("[ERROR]")

    @property
    def alive(self):
        return self.process.poll() is None

    def wait(self, timeout_secs=PATIENCE_SECS):
        """The exit status."""
        return self.process.wait(timeout_secs)

    def stop(self, by=signal.SIGINT):
        """Sends a signal; returns the exit status and the seconds it took."""
        start = time.monotonic()
        self.process.send_signal(by)
        status = self.wait()
        return status, time.monotonic() - start

    def kill(self):
        if self.alive:
            self.process.kill()
        self.process.wait()

    def anonymous_kb(self):
        """Memory of its own in kB: resident, without files and the senders' shared segments."""
        status = Path(f"/proc/{self.pid}/status").read_text()
        return int(re.search(r"RssAnon:\s+(\d+)", status)[1])

    def cpu_secs(self):
        """Processor time used so far."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


class Collector:
    """The messages of a topic since it was last cleared."""

    def __init__(self, client, kind, topic, qos):
        self.messages = []
        # When each was sent and when it came here, nanoseconds since 1970.
        self.sent_ns = []
        self.received_ns = []
        qos = CLIENT_QOS[qos] if isinstance(qos, str) else qos
        self.subscription = client.node.create_subscription(kind, topic, self._take, qos)

    def _take(self, message, info):
        self.received_ns.append(time.time_ns())
        self.messages.append(message)
        self.sent_ns.append(info["source_timestamp"])

    def clear(self):
        self.messages.clear()
        self.sent_ns.clear()
        self.received_ns.clear()

    def __len__(self):
        return len(self.messages)


class Client:
    """An rclpy node in the namespace of the nodes under test."""

    def __init__(self, namespace):
        self.node = rclpy.create_node("client", namespace=namespace)
        self.executor = SingleThreadedExecutor()
        self.executor.add_node(self.node)

    def collect(self, kind, topic, qos="default"):
        return Collector(self, kind, topic, qos)

    def publisher(self, kind, topic, qos="default"):
        return self.node.create_publisher(kind, topic, CLIENT_QOS[qos])

    def spin_until(self, condition, timeout_secs=PATIENCE_SECS):
        """Spins until the condition holds, and returns whether it came to hold."""
        end = time.monotonic() + timeout_secs
        while not condition():
            left = end - time.monotonic()
            if left <= 0:
                return False
            self.executor.spin_once(timeout_sec=min(left, 0.02))
        return True

    def publish_until(self, publisher, message, condition):
        """Publishes until the condition holds, as best effort may lose a message; whether it did."""

        def holds():
            publisher.publish(message)
            return self.spin_until(condition, 1.0)

        return self.spin_until(holds)

    def spin_for(self, secs):
        self.spin_until(lambda: False, secs)

    def ask(self, kind, service, **fields):
        """The response of a service to a request with these fields."""
        asker = self.node.create_client(kind, service)
        try:
            assert self.spin_until(asker.service_is_ready), f"nobody offers {service}"
            return self.call(asker.call_async(kind.Request(**fields)))
        finally:
            self.node.destroy_client(asker)

    def call(self, future):
        """The response of a service."""
        assert self.spin_until(future.done), "the service did not respond"
        return future.result()

    def publishers_of(self, topic):
        """The ids of the publishers of a topic: one that ended and began again has another."""
        found = self.node.get_publishers_info_by_topic(topic)
        return [tuple(info.endpoint_gid) for info in found]

    def wait_for_publisher_of(self, collector):
        assert self.spin_until(lambda: collector.subscription.get_publisher_count() > 0), (
            f"nobody publishes {collector.subscription.topic_name}"
        )

    def wait_for_subscriber_of(self, publisher):
        assert self.spin_until(lambda: publisher.get_subscription_count() > 0), (
            f"nobody subscribes {publisher.topic_name}"
        )

    def close(self):
        self.executor.shutdown()
        self.node.destroy_node()


def stamp_ns(header):
    return header.stamp.sec * 1_000_000_000 + header.stamp.nanosec


class Camera:
    """Publishes pictures as images, best effort as cameras do, and gets the messages about them.

    Its stamps are on a clock of their own, which goes on by what the test says: what depends on
    the time between two images does not depend on how busy the machine is.
    """

    FRAME_ID = "camera_optical_frame"

    def __init__(self, client, emotions, topic="image"):
        self.client = client
        self.emotions = emotions
        self.images = client.publisher(Image, topic, "sensor")
        self.now_ns = 1_000_000_000_000

    def image(self, picture, after_secs=1 / 30):
        """An image message: mono8 or rgb8 by the picture's shape, stamped later than the last."""
        self.now_ns += round(after_secs * 1e9)
        message = Image(encoding="mono8" if picture.ndim == 2 else "rgb8")
        message.header.frame_id = self.FRAME_ID
        message.header.stamp.sec, message.header.stamp.nanosec = divmod(self.now_ns, 10**9)
        message.height, message.width = picture.shape[:2]
        message.step = picture[0].size
        # An array is handed on as it is; bytes are copied one by one.
        message.data = array.array("B", picture.tobytes())
        return message

    def wait_until_connected(self):
        """Waits until both sides have found each other: an image goes in, a message comes out."""
        self.client.wait_for_subscriber_of(self.images)
        self.client.wait_for_publisher_of(self.emotions)
        self.ask(np.zeros((48, 64), np.uint8), resend_secs=0.5)
        # One that was sent twice stood still for as long as that took: what follows is far ahead.
        self.now_ns += 60 * 10**9

    def ask(self, picture, after_secs=1 / 30, **fields):
        """Sends a picture and returns the message about it. Fields of the image can be replaced."""
        resend_secs = fields.pop("resend_secs", 5.0)
        image = self.image(picture, after_secs)
        for name, value in fields.items():
            setattr(image, name, value)
        return self.ask_image(image, resend_secs)

    def send(self, picture, after_secs=1 / 30):
        """Sends a picture and waits for nothing; returns the stamp of the image."""
        image = self.image(picture, after_secs)
        self.images.publish(image)
        return stamp_ns(image.header)

    def processed_stamps(self):
        """The stamps of the images that messages have come about."""
        return [stamp_ns(message.header) for message in self.emotions.messages]

    def ask_image(self, image, resend_secs=5.0):
        stamp = stamp_ns(image.header)
        found = []

        def processed():
            found[:] = [m for m in self.emotions.messages if stamp_ns(m.header) == stamp]
            return found

        end = time.monotonic() + PATIENCE_SECS
        # Best effort may lose an image; the same one again asks the same question.
        while time.monotonic() < end:
            self.images.publish(image)
            if self.client.spin_until(processed, resend_secs):
                return found[0]
        raise AssertionError(f"image {stamp} was not processed in {PATIENCE_SECS} s")
