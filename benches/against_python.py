"""CPU time a frame of perception_node against `python_node.py`, on the same images over DDS.

The nodes run one after the other, twice, in one run: ours as it is started by default, ours
searching and classifying every image, and the Python node, which does that. First of all the answers
of the last two to the same images are compared: equal work is a condition, and the bench ends where
it does not hold.
"""

import argparse
from pathlib import Path

import numpy as np
import rclpy
from rapport.msg import FaceEmotionArray
from stream import RATE_HZ, ROOT, Stream, logged_ms, print_setting

# isort: split
# From tests/, where stream looks too.
from graph import Camera
from scenes import box, overlap, photograph, smiling_face, two_people

EVERY_IMAGE = ("-p", "search_hz:=0.0", "-p", "classify_hz:=0.0")
# A node's program and arguments, by the name in the table.
NODES = {
    "default": (Path("perception_node"), ()),
    "every image": (Path("perception_node"), EVERY_IMAGE),
    "Python": (ROOT / "benches" / "python_node.py", ()),
}
ROUNDS = 2
BARS = {"default": 0.30, "every image": 0.76}


def answers(program, arguments):
    """The faces found in each picture when it is seen for the third time."""
    pictures = [smiling_face(), two_people(), photograph("solvay_1927.jpg", 1280, 960)]
    with Stream(*arguments, program=program) as stream:
        stream.warm_up()
        camera = Camera(stream.client, stream.client.collect(FaceEmotionArray, "emotions"))
        camera.now_ns = 2 * 10**18
        found = []
        for picture in pictures:
            camera.ask(picture, after_secs=5.0)
            camera.ask(picture)
            found.append(camera.ask(picture).faces)
        return found


def compare():
    """Ends the bench unless both nodes find the same faces, boxes and labels."""
    by_program = [answers(*NODES[name]) for name in ("every image", "Python")]
    faces, overlaps, differences, labels = 0, [], [], 0
    for rust, python in zip(*by_program, strict=True):
        faces += max(len(rust), len(python))
        for face in rust:
            best = max(python, key=lambda other: overlap(box(face), box(other)), default=None)
            if best is None or (shared := overlap(box(face), box(best))) < 0.5:
                continue
            overlaps.append(shared)
            labels += face.label == best.label
            differences.append(np.abs(np.subtract(face.probabilities, best.probabilities)).max())
    print(
        f"equal work: {len(overlaps)} of {faces} faces found by both, boxes overlap by "
        f"{min(overlaps):.2f} or more (median {np.median(overlaps):.2f}), {labels} equal labels, "
        f"probabilities differ by {np.median(differences):.3f} in the median, "
        f"{max(differences):.3f} at most"
    )
    same = (
        len(overlaps) >= 0.95 * faces
        and np.median(overlaps) >= 0.95
        and labels >= 0.85 * len(overlaps)
        and np.median(differences) <= 0.05
    )
    if not same:
        raise SystemExit("the nodes do not do the same work")


def cpu_ms(program, arguments, frames):
    with Stream(*arguments, program=program) as stream:
        stream.warm_up()
        answers, share = stream.measure(frames)
        answers.check()
        answered = 1 - answers.lost / frames
        return share / (RATE_HZ * answered) * 1e3, np.median(answers.received_ms), answers.lost


def inference_ms(program, arguments, frames):
    """Apart from the rest, so that writing a log does not slow what is measured."""
    level = ("--log-level", f"{program.stem}:=debug")
    with Stream(*arguments, *level, program=program) as stream:
        stream.warm_up()
        stream.measure(frames)
        return logged_ms(stream.node.text)["inference_ms"]


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--frames", type=int, default=450, help="images a round and node (450)")
    frames = parser.parse_args().frames
    print_setting()
    rclpy.init()
    compare()
    rounds = {name: [] for name in NODES}
    for _ in range(ROUNDS):
        for name, node in NODES.items():
            rounds[name].append(cpu_ms(*node, frames))
    inside = {name: inference_ms(*node, 150) for name, node in NODES.items()}
    rclpy.shutdown()

    print(f"one face, 640x480 rgb8, {RATE_HZ} images/s, {ROUNDS} rounds of {frames} images")
    print("node         CPU ms a frame   in ONNX Runtime   outside   image to emotion p50   lost")
    total = {}
    for name, results in rounds.items():
        cpu, latency, lost = np.array(results).T
        total[name] = cpu.mean()
        print(
            f"{name:11} {total[name]:15.2f} {inside[name]:17.2f} {total[name] - inside[name]:9.2f} "
            f"{np.median(latency):19.1f} ms {lost.sum():6.0f}"
        )
    bound = inside["Python"] / total["Python"]
    print(
        f"the networks alone are {bound:.2f} of the Python node's time; CPU a frame over Python's:"
    )
    for name, bar in BARS.items():
        ratio = total[name] / total["Python"]
        print(f"{name}: {ratio:.2f} (bar {bar}: {'met' if ratio <= bar else 'NOT MET'})")


if __name__ == "__main__":
    main()
