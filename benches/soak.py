"""Runs perception_node for as long as asked, with one face at 640x480 and 30 images a second over
DDS, and tells how its memory, its latency and the images that it did not answer went.

`make soak SOAK_MINUTES=60` prints a table and the growth of memory, and draws both.
"""

import argparse
import os
from pathlib import Path

import matplotlib
import numpy as np
import rclpy
from stream import RATE_HZ, ROOT, Stream, print_setting

matplotlib.use("Agg")
from matplotlib import pyplot  # noqa: E402

MAX_ROWS = 60
MAX_GROWTH = 0.01


class Soak:
    """The run, row by row. A row is a minute, or more where there would be too many."""

    def __init__(self, minutes):
        self.row_minutes = -(-minutes // MAX_ROWS)
        self.rows = minutes // self.row_minutes
        self.memory_mb = []  # once a second
        self.p50_ms, self.p95_ms, self.lost = [], [], []
        self.offered = 0

    def run(self, stream):
        print("minute   memory MB   p50 ms   p95 ms   images   not answered", flush=True)
        previous = None
        for _ in range(self.rows):
            stamps = []
            for _ in range(self.row_minutes * 60):
                stamps += stream.feed(RATE_HZ)
                if not stream.node.alive:
                    status = stream.node.wait()
                    raise SystemExit(f"the node ended with status {status}:\n{stream.node.text}")
                self.memory_mb.append(stream.node.anonymous_kb() / 1024)
            # The last answers are still on their way: a row is told when the next one is over.
            if previous:
                self.tell(stream.answers_to(previous))
            previous = stamps
        stream.client.spin_for(1.0)
        self.tell(stream.answers_to(previous))

    def tell(self, answers):
        if not len(answers.received_ms):
            raise SystemExit(f"none of {answers.offered} images was answered in time")
        p50, p95 = np.quantile(answers.received_ms, [0.5, 0.95])
        self.p50_ms.append(p50)
        self.p95_ms.append(p95)
        self.lost.append(answers.lost)
        self.offered += answers.offered
        row = len(self.lost)
        seconds = self.row_minutes * 60
        memory = np.median(self.memory_mb[(row - 1) * seconds : row * seconds])
        print(
            f"{row * self.row_minutes:6} {memory:11.2f} {p50:8.1f} {p95:8.1f} "
            f"{answers.offered:8} {answers.lost:14}",
            flush=True,
        )

    def growth(self):
        """Of the memory, from the median of the second minute to that of the last one."""
        second, last = np.median(self.memory_mb[60:120]), np.median(self.memory_mb[-60:])
        return last / second - 1

    def draw(self, path):
        minutes = np.arange(1, self.rows + 1) * self.row_minutes
        figure, (memory, latency, lost) = pyplot.subplots(
            3, 1, sharex=True, figsize=(8, 6), height_ratios=(2, 2, 1), layout="constrained"
        )
        # The median of ten seconds: a few hundred points for an hour.
        tens = np.median(np.reshape(self.memory_mb, (-1, 10)), axis=1)
        memory.plot(np.arange(len(tens)) / 6, tens)
        memory.set(ylabel="memory (MB)", ylim=(0, 1.15 * max(tens)))
        memory.set_title(f"perception_node, one face, 640x480, {RATE_HZ} images/s over DDS")
        latency.plot(minutes, self.p50_ms, label="p50")
        latency.plot(minutes, self.p95_ms, label="p95")
        latency.set(ylabel="image to emotion (ms)", ylim=(0, None))
        latency.legend(loc="upper right")
        lost.bar(minutes, self.lost, width=0.8 * self.row_minutes)
        lost.set(xlabel="minutes", ylabel="not answered", ylim=(0, max(5, *self.lost)))
        for axes in (memory, latency, lost):
            axes.grid(alpha=0.3)
        figure.align_ylabels()
        path.parent.mkdir(parents=True, exist_ok=True)
        figure.savefig(path)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=int, default=10, help="how long (10)")
    parser.add_argument(
        "--plot", type=Path, default=ROOT / "target" / "soak.svg", help="SVG, PNG or PDF to write"
    )
    args = parser.parse_args()
    if args.minutes < 3:
        parser.error(f"--minutes is {args.minutes}, expected at least 3: the first does not count")
    supported = pyplot.figure().canvas.get_supported_filetypes()
    if args.plot.suffix.removeprefix(".") not in supported:
        parser.error(f"--plot is {args.plot}, expected a name that ends in .svg, .png or .pdf")

    print_setting()
    rclpy.init()
    soak = Soak(args.minutes)
    with Stream() as stream:
        stream.warm_up()
        soak.run(stream)
        status, _ = stream.node.stop()
        if status != 0 or stream.node.errors:
            raise SystemExit(f"perception_node ended with status {status}:\n{stream.node.text}")
    rclpy.shutdown()
    soak.draw(args.plot)

    growth = soak.growth()
    print(f"load      {os.getloadavg()[0]:.1f} after the run")
    print(f"latency   p50 {np.median(soak.p50_ms):.1f} ms, p95 {np.median(soak.p95_ms):.1f} ms")
    print(f"images    {soak.offered}, not answered {sum(soak.lost)}")
    print(
        f"memory    {np.median(soak.memory_mb[60:120]):.2f} MB in the second minute, "
        f"{growth:+.2%} to the last, most {max(soak.memory_mb):.2f} MB "
        f"(bar: growth under {MAX_GROWTH:.0%}: {'met' if growth < MAX_GROWTH else 'NOT MET'})"
    )
    print(f"plot      {args.plot}")


if __name__ == "__main__":
    main()
