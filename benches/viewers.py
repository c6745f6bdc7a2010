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
    """Shares of a core that perception_node and dashboard_node take, and the viewers' rates."""
    viewers = Viewers(address, count)
    stream.feed(2 * RATE_HZ)
    before = dashboard.cpu_secs()
    start = time.monotonic()
    answers, perception = stream.measure(secs * RATE_HZ)
    share = (dashboard.cpu_secs() - before) / (time.monotonic() - start)
    answers.check()
    rates = viewers.end()
    if count and min(rates) < 1:
        raise SystemExit(f"{count} viewers got {rates} pictures a second")
    return perception, share, rates, answers.lost / answers.offered


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
    none = statistics.median(share for share, *_ in found[0])
    for count, measured in found.items():
        shares, dashboards, rates, lost = zip(*measured, strict=True)
        share = statistics.median(shares)
        more = share / none - 1
        line = (
            f"{count} viewers  perception_node {share:6.2%} of a core "
            f"({min(shares):.2%} to {max(shares):.2%}), dashboard_node {statistics.median(dashboards):.1%}, "
            f"{statistics.mean(lost):.1%} of the images lost"
        )
        if count:
            verdict = "met" if more <= BAR else "NOT MET"
            each = statistics.median(rate for round_ in rates for rate in round_)
            line += (
                f"; {more:+.1%} (bar: {BAR:+.0%}: {verdict}); {each:.1f} pictures a second for each"
            )
        print(line)


if __name__ == "__main__":
    main()
