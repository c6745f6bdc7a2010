"""What viewers of the dashboard cost perception_node: its processor time with none, one and five of
them, each of whom gets the live picture. The rounds take turns, so that what else the machine does
meets all of them alike.

Run it with `make bench` on a machine that does nothing else.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import rclpy
from stream import RATE_HZ, Stream, print_setting

from dashboard import Viewer, address_of
from graph import NodeProcess

COUNTS = (0, 1, 5)
BAR = 0.03


def view(address, count):
    """Looks at the robot until standard input ends; prints how many pictures came to each viewer."""
    viewers = [Viewer(address) for _ in range(count)]
    for viewer in viewers:
        viewer.look("/")
    print("looking", flush=True)
    sys.stdin.read()
    for viewer in viewers:
        print(len(viewer.pictures), flush=True)
        viewer.close()


class Viewers:
    """So many viewers, in a process of their own: the camera must not wait for them."""

    def __init__(self, address, count):
        self.start = time.monotonic()
        self.process = subprocess.Popen(
            [sys.executable, __file__, "--view", address, str(count)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.process.stdout.readline()

    def end(self):
        """Pictures a second of each."""
        secs = time.monotonic() - self.start
        counts, _ = self.process.communicate(timeout=30)
        return [int(count) / secs for count in counts.split()]


def measure(stream, dashboard, address, count, secs):
    """Processor time of perception_node for each image that it answered, ms; the share of a core that
    dashboard_node takes; the viewers' rates; the share of images lost."""
    viewers = Viewers(address, count)
    stream.feed(2 * RATE_HZ)
    start = time.monotonic()
    of_dashboard, of_perception = dashboard.cpu_secs(), stream.node.cpu_secs()
    answers, _ = stream.measure(secs * RATE_HZ)
    # Images that a busy machine loses cost nothing: what counts is the cost of one.
    perception_ms = (
        1e3 * (stream.node.cpu_secs() - of_perception) / (answers.offered - answers.lost)
    )
    share = (dashboard.cpu_secs() - of_dashboard) / (time.monotonic() - start)
    answers.check()
    rates = viewers.end()
    if count and min(rates) < 1:
        raise SystemExit(f"{count} viewers got {rates} pictures a second")
    return perception_ms, share, rates, answers.lost / answers.offered


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--secs", type=int, default=15, help="seconds of each measurement (15)")
    parser.add_argument("--rounds", type=int, default=5, help="measurements of each (5)")
    parser.add_argument("--view", nargs=2, metavar=("ADDRESS", "COUNT"), help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.view:
        address, count = arguments.view
        view(address, int(count))
        return
    if min(arguments.secs, arguments.rounds) < 1:
        parser.error("--secs and --rounds are at least 1")
    print_setting()
    # The camera, the dashboard and the viewers have the other cores.
    *others, core = sorted(os.sched_getaffinity(0))
    if others:
        os.sched_setaffinity(0, others)
    rclpy.init()
    found = {count: [] for count in COUNTS}
    with tempfile.TemporaryDirectory() as folder, Stream(cpus={core}) as stream:
        given = {"listen": "127.0.0.1:0", "state_dir": folder, "robots": "['/']"}
        arguments_of = [
            part for name, value in given.items() for part in ("-p", f"{name}:={value}")
        ]
        env = os.environ | {"ROS_LOG_DIR": folder}
        log = Path(folder) / "dashboard.log"
        dashboard = NodeProcess("dashboard_node", ["--ros-args", *arguments_of], log, env)
        try:
            address = address_of(dashboard)
            stream.warm_up()
            for _ in range(arguments.rounds):
                for count in COUNTS:
                    found[count].append(measure(stream, dashboard, address, count, arguments.secs))
        finally:
            dashboard.kill()
    rclpy.shutdown()
    print(f"load      {os.getloadavg()[0]:.1f} after the run")
    print(
        f"perception_node bound to one core, one face, {RATE_HZ} images/s of 640x480 rgb8, medians of "
        f"{arguments.rounds} x {arguments.secs} s each"
    )
    none = [ms for ms, *_ in found[0]]
    for count, measured in found.items():
        ms, shares, rates, lost = zip(*measured, strict=True)
        line = (
            f"{count} viewers  perception_node {statistics.median(ms):.2f} ms of processor time an image "
            f"({min(ms):.2f} to {max(ms):.2f}), {statistics.mean(lost):.1%} of them lost; "
            f"dashboard_node {statistics.median(shares):.1%} of a core"
        )
        if count:
            # Each round beside its own without viewers.
            more = statistics.median(one / other for one, other in zip(ms, none, strict=True)) - 1
            verdict = "met" if more <= BAR else "NOT MET"
            each = statistics.median(rate for of_round in rates for rate in of_round)
            line += f"; {more:+.1%} (bar: {BAR:+.0%}: {verdict}); {each:.1f} pictures a second each"
        print(line)


if __name__ == "__main__":
    main()
