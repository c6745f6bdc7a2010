"""The same pictures through this package and through `fer` and `deepface`, where they are installed with
weights in their wheels: faces found, seconds a picture, memory, accuracy by FER+'s votes.

Each runs in a process of its own on one core. The pictures are those of tests/pictures, whose faces are
counted here, and, with --fer2013 and --votes, faces of FER2013's PublicTest (48x48), enlarged and set
into a larger picture as none of the three takes one so small. Labels are compared with what most of
FER+'s ten taggers say; those that not all three can give (contempt) are left out.
"""

from __future__ import annotations

import argparse
import csv
import importlib.metadata
import importlib.util
import io
import json
import lzma
import os
import resource
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
from PIL import Image

ROOT = Path(__file__).resolve().parent.parent
# How many faces each shows.
PHOTOGRAPHS = {
    "astronaut.jpg": 1,
    "hopper.jpg": 1,
    "solvay_1927.jpg": 29,
    "coffee.jpg": 0,
    "chelsea.jpg": 0,
    "rocket.jpg": 0,
}
VOTES = ("neutral", "happy", "surprise", "sad", "angry", "disgust", "fear")
ENGINES = ("rapport", "fer", "deepface")


def cut_out(path: Path, votes: Path, count: int) -> list[tuple[np.ndarray, str]]:
    """The first faces of PublicTest on which most taggers agree: uint8 (384, 384, 3), and the label."""
    found = []
    with lzma.open(path, "rt") as pixels, votes.open(newline="") as counted:
        for face, row in zip(csv.DictReader(pixels), csv.reader(counted_rows(counted))):
            if face["Usage"] != "PublicTest":
                continue
            given = [int(number) for number in row[2:]]
            best = int(np.argmax(given))
            # Not-a-face and contempt come after the seven; half of ten votes is agreement.
            if best >= len(VOTES) or given[best] * 2 <= sum(given):
                continue
            grey = np.array(face["pixels"].split(), np.uint8).reshape(48, 48)
            large = Image.fromarray(grey).resize((240, 240), Image.Resampling.BICUBIC)
            canvas = Image.new("L", (384, 384), 128)
            canvas.paste(large, (72, 72))
            found.append((np.asarray(canvas.convert("RGB")), VOTES[best]))
            if len(found) == count:
                break
    return found


def counted_rows(file: io.TextIOBase) -> io.TextIOBase:
    """The votes without their header."""
    next(file)
    return file


def engine(name: str):
    """A function from uint8 (height, width, 3), red, green, blue, to a label for each face."""
    if name == "rapport":
        import rapport

        pipeline = rapport.Pipeline()
        return lambda image: [person.label for person in pipeline.process(image)]
    if name == "fer":
        try:
            from fer import FER
        except ImportError:
            from fer.fer import FER

        detector = FER(mtcnn=False)

        def labels(image: np.ndarray) -> list[str]:
            faces = detector.detect_emotions(np.ascontiguousarray(image[..., ::-1]))
            return [max(face["emotions"], key=face["emotions"].get) for face in faces]

        return labels
    from deepface import DeepFace

    def of_deepface(image: np.ndarray) -> list[str]:
        bgr = np.ascontiguousarray(image[..., ::-1])
        faces = DeepFace.analyze(bgr, actions=["emotion"], enforce_detection=False, silent=True)
        return [face["dominant_emotion"] for face in faces if face["face_confidence"] > 0]

    return of_deepface


def run(name: str, arguments: argparse.Namespace) -> dict:
    """Looks at all pictures with one engine, in this process."""
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    folder = ROOT / "tests/pictures"
    pictures = {name: np.asarray(Image.open(folder / name).convert("RGB")) for name in PHOTOGRAPHS}
    faces = []
    if arguments.fer2013 and arguments.votes:
        faces = cut_out(arguments.fer2013, arguments.votes, arguments.count)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    begin = time.perf_counter()
    look = engine(name)
    look(pictures["astronaut.jpg"])
    ready = time.perf_counter() - begin
    begin = time.perf_counter()
    photographs = {name: len(look(picture)) for name, picture in pictures.items()}
    photograph_secs = (time.perf_counter() - begin) / len(pictures)
    begin = time.perf_counter()
    said = [look(image) for image, _ in faces]
    face_secs = (time.perf_counter() - begin) / max(1, len(faces))
    right = [labels[:1] == [truth] for labels, (_, truth) in zip(said, faces)]
    found = [bool(labels) for labels in said]
    return {
        "engine": f"{name} {version(name)}",
        "photographs": photographs,
        "ready_secs": ready,
        "photograph_secs": photograph_secs,
        "face_secs": face_secs,
        "mib": (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024,
        "faces": len(faces),
        "found": sum(found),
        "right": sum(right),
    }


def version(name: str) -> str:
    return importlib.metadata.version({"rapport": "rapport-expressions"}.get(name, name))


def table(results: list[dict]) -> str:
    """Markdown."""
    lines = [
        "| package | faces found in the photographs, of 31 | found where nobody is | ready, s | a photograph, s "
        "| memory, MiB | FER+ faces found | right, of all | a face, ms |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for result in results:
        counts = result["photographs"]
        seen = sum(min(counts[name], count) for name, count in PHOTOGRAPHS.items())
        extra = sum(max(0, counts[name] - count) for name, count in PHOTOGRAPHS.items())
        faces = result["faces"]
        share = (lambda number: f"{number / faces:.1%}") if faces else (lambda _: "no data")
        lines.append(
            f"| {result['engine']} | {seen} | {extra} | {result['ready_secs']:.1f} "
            f"| {result['photograph_secs']:.2f} | {result['mib']:.0f} | {share(result['found'])} "
            f"| {share(result['right'])} | {result['face_secs'] * 1e3:.0f} |"
        )
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--fer2013", type=Path, help="fer2013.csv.xz")
    parser.add_argument("--votes", type=Path, help="ferplus_votes.csv")
    parser.add_argument("--count", type=int, default=300, help="faces of FER2013")
    parser.add_argument(
        "--python",
        action="append",
        default=[],
        metavar="ENGINE=PYTHON",
        help="the interpreter of an environment that has it",
    )
    parser.add_argument("--engine", choices=ENGINES, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.engine:
        print(json.dumps(run(arguments.engine, arguments)))
        return
    pythons = dict(pair.split("=", 1) for pair in arguments.python)
    results, missing = [], []
    for name in ENGINES:
        python = pythons.get(name, sys.executable)
        if name not in pythons and importlib.util.find_spec(name) is None:
            missing.append(f"{name}: not installed here; give --python {name}=PYTHON")
            continue
        line = [python, __file__, "--engine", name, "--count", str(arguments.count)]
        for option in ("fer2013", "votes"):
            if path := getattr(arguments, option):
                line += [f"--{option}", str(path.resolve())]
        done = subprocess.run(line, capture_output=True, text=True)
        if done.returncode:
            # As where the weights are not in the wheel and cannot be fetched.
            last = (done.stderr.strip().splitlines() or ["no message"])[-1]
            missing.append(f"{name}: {last}")
            continue
        results.append(json.loads(done.stdout.splitlines()[-1]))
    print(table(results))
    for line in missing:
        print(f"left out: {line}")


if __name__ == "__main__":
    main()
