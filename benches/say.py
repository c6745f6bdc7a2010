"""From a smile to the goal of /skill/say, over DDS between behavior_node and a stand-in robot.

One person at 30 messages a second; a rule answers a smile of one second. Prints how long after the
image with which the rule is fulfilled the robot has the goal, and how long after the second was over.
"""

import argparse
import os
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import rclpy
from rapport.msg import FaceEmotion, FaceEmotionArray

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests"))

from graph import Client, NodeProcess  # noqa: E402
from stand_in import Ros4HriRobot  # noqa: E402

RATE_HZ = 30
RULE_SECS = 1.0
POLICY = f"""\
version: 1
pause_secs: 0
rules:
  - name: answer-a-smile
    when: {{emotion: happy, confidence: 0.6, for_secs: {RULE_SECS}}}
    cooldown_secs: 0
    answer: {{say: Hello., duration_secs: 0.1}}
"""


class Person:
    """Shows one expression after another, each message stamped and sent in real time."""

    def __init__(self, client):
        self.client = client
        self.emotions = client.publisher(FaceEmotionArray, "emotions")
        self.next = time.monotonic()

    def show(self, label):
        """One message; returns when it was stamped, nanoseconds since 1970."""
        self.next = max(self.next + 1 / RATE_HZ, time.monotonic())
        self.client.spin_for(max(self.next - time.monotonic(), 0))
        now_ns = time.time_ns()
        message = FaceEmotionArray(labels=["happy", "neutral"])
        message.header.stamp.sec, message.header.stamp.nanosec = divmod(now_ns, 10**9)
        message.faces = [FaceEmotion(face_id="f1", label=label, confidence=0.9)]
        self.emotions.publish(message)
        return now_ns


def measure(person, robot):
    """Smiles until the robot has a goal: ms after the fulfilling image, ms after the rule's time."""
    for _ in range(RATE_HZ):
        person.show("neutral")
    before = len(robot.came_ns)
    stamps = []
    while len(robot.came_ns) == before:
        stamps.append(person.show("happy"))
        if len(stamps) > 10 * RATE_HZ:
            sys.exit("no goal within 10 s of a smile")
    came_ns = robot.came_ns[-1]
    due_ns = stamps[0] + RULE_SECS * 1e9
    fulfilling_ns = next(stamp for stamp in stamps if stamp >= due_ns)
    return (came_ns - fulfilling_ns) / 1e6, (came_ns - due_ns) / 1e6


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--smiles", type=int, default=30, help="how many are measured (30)")
    smiles = parser.parse_args().smiles
    if smiles < 2:
        parser.error(f"--smiles is {smiles}, expected at least 2")
    rclpy.init()
    with tempfile.TemporaryDirectory() as folder:
        policy = Path(folder) / "policy.yaml"
        policy.write_text(POLICY)
        robot, client = Ros4HriRobot(), Client("/")
        given = ["-p", f"policy_file:={policy}", "-p", "robot:=ros4hri"]
        env = os.environ | {"ROS_LOG_DIR": folder}
        node = NodeProcess("behavior_node", ["--ros-args", *given], Path(folder) / "node.log", env)
        try:
            person = Person(client)
            client.wait_for_subscriber_of(person.emotions)
            client.spin_for(2.0)
            after_image, after_rule = np.transpose([measure(person, robot) for _ in range(smiles)])
        finally:
            node.stop()
            robot.close()
            client.close()
    rclpy.shutdown()
    print(f"load      {os.getloadavg()[0]:.1f} after the run")
    print(f"{smiles} smiles, {RATE_HZ} messages/s, a rule of {RULE_SECS} s")
    for name, values in [
        ("fulfilling image -> goal at the robot", after_image),
        ("rule's time over -> goal at the robot", after_rule),
    ]:
        p50, p95 = np.quantile(values, [0.5, 0.95])
        print(f"{name}   p50 {p50:.1f} ms, p95 {p95:.1f} ms, max {values.max():.1f} ms")


if __name__ == "__main__":
    main()
