"""What perception_node asks of the processor: bound to one core at 30 images a second, with nothing
to do, and disabled while images go on.

Run it with `make bench` on a machine that does nothing else.
"""

import argparse
import os

import numpy as np
import rclpy
from std_srvs.srv import SetBool
from stream import RATE_HZ, Stream, print_setting

MAX_BUSY, MAX_IDLE = 0.35, 0.02


def verdict(share, bar):
    return f"{share:6.1%} of a core (bar: under {bar:.0%}: {'met' if share < bar else 'NOT MET'})"


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--secs", type=int, default=20, help="how long each is measured (20)")
    secs = parser.parse_args().secs
    if secs < 1:
        parser.error(f"--secs is {secs}, expected at least 1")
    print_setting()
    # The camera has the other cores.
    *others, core = sorted(os.sched_getaffinity(0))
    if others:
        os.sched_setaffinity(0, others)
    rclpy.init()
    with Stream(cpus={core}) as stream:
        stream.warm_up()
        answers, busy = stream.measure(secs * RATE_HZ)
        answers.check()
        idle = stream.idle_share(secs)
        reply = stream.client.ask(SetBool, "perception_node/enable", data=False)
        assert reply.success, reply.message
        stream.feed(RATE_HZ)
        _, disabled = stream.measure(secs * RATE_HZ)
    rclpy.shutdown()
    p50, p95 = np.quantile(answers.received_ms, [0.5, 0.95])
    print(f"load      {os.getloadavg()[0]:.1f} after the run")
    print(f"perception_node bound to one core, one face, 640x480 rgb8, {secs} s each")
    print(
        f"{RATE_HZ} images/s      {verdict(busy, MAX_BUSY)}; {answers.lost} of {answers.offered} "
        f"images lost (bar: none); p50 {p50:.1f} ms, p95 {p95:.1f} ms"
    )
    print(f"no images        {verdict(idle, MAX_IDLE)}")
    print(f"disabled         {verdict(disabled, MAX_IDLE)}; images went on")


if __name__ == "__main__":
    main()
