"""How long an image takes from published to emotion received, over DDS between two processes.

One face at 640x480, 30 images a second, best effort. Prints the figures of the README. Run it with
`make bench` on a machine that does nothing else.
"""

import argparse
import os

import numpy as np
import rclpy
from stream import RATE_HZ, Stream, logged_ms, print_setting

FRAMES = 600
LOGGED_FRAMES = 300


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--frames", type=int, default=FRAMES, help=f"images measured ({FRAMES})")
    frames = parser.parse_args().frames
    if frames < 10:
        parser.error(f"--frames is {frames}, expected at least 10")

    print_setting()
    rclpy.init()
    with Stream() as stream:
        stream.warm_up()
        answers, cpu_share = stream.measure(frames)
    answers.check()
    # Apart from the first, so that writing a log does not slow what is measured.
    with Stream("--log-level", "perception_node:=debug") as stream:
        stream.warm_up()
        stream.measure(min(frames, LOGGED_FRAMES))
        logged = logged_ms(stream.node.text)
    rclpy.shutdown()

    print(f"load      {os.getloadavg()[0]:.1f} after the run")
    print(f"one face, 640x480 rgb8, {RATE_HZ} images/s, {frames} images, best effort")
    p50, p95 = np.quantile(answers.received_ms, [0.5, 0.95])
    print(
        f"image published -> emotion received   p50 {p50:.1f} ms, p95 {p95:.1f} ms, "
        f"max {answers.received_ms.max():.1f} ms"
    )
    print(f"image published -> emotion sent       p50 {np.median(answers.sent_ms):.1f} ms")
    print(
        f"frames lost                           {answers.lost}; answered with no face in it {answers.faceless}"
    )
    print(f"CPU of the node                       {cpu_share:.0%} of one core")
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
