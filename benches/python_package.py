"""What the Python package costs: from `pip install` of the wheel to the first result, what
`Pipeline.process` adds to the Rust pipeline, and how threads scale. `tools/wheel bench` runs it.

The Rust pipeline times itself in the same call (`Pipeline.timings`), so that both times are of the same
image in the same moment: all beside it is the package's.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import numpy as np
from PIL import Image

import rapport

ROOT = Path(__file__).resolve().parent.parent
FIRST = """
import sys, time
begin = time.perf_counter()
import numpy, rapport
pixels = numpy.fromfile(sys.argv[1], numpy.uint8).reshape(480, 640, 3)
people = rapport.Pipeline().process(pixels)
print(time.perf_counter() - begin, people[0].label)
"""


def face() -> np.ndarray:
    """uint8 (480, 640, 3): one face, 60 px tall."""
    picture = Image.open(ROOT / "tests/pictures/astronaut_face_60px.png").convert("RGB")
    return np.asarray(picture)


def install(wheel: Path) -> None:
    """Prints the time from `pip install` in a new environment to the first result."""
    with tempfile.TemporaryDirectory() as folder:
        venv, pixels = Path(folder) / "venv", Path(folder) / "face.raw"
        face().tofile(pixels)
        subprocess.run([sys.executable, "-m", "venv", venv], check=True)
        python = venv / "bin" / "python"
        begin = time.perf_counter()
        pip = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", wheel]
        subprocess.run(pip, check=True)
        installed = time.perf_counter() - begin
        line = [python, "-c", FIRST, pixels]
        said = subprocess.run(line, check=True, capture_output=True, text=True, cwd=folder).stdout
        whole = time.perf_counter() - begin
        first, label = said.split()
        print(
            f"pip install to first result: {whole:.1f} s (install {installed:.1f} s, import and first "
            f"picture {float(first):.2f} s, {label}), at most 15"
        )


def overhead(frames: int) -> None:
    """Prints what the package adds to the Rust pipeline's own time."""
    image = face()
    moved = [np.roll(image, 2 * (i % 15), axis=1) for i in range(15)]
    for name, settings in [
        ("followed, as in the node", {}),
        ("every image in full", {"search_hz": 0, "classify_hz": 0}),
    ]:
        pipeline = rapport.Pipeline(**settings)
        added, inside = [], []
        for number in range(frames):
            pixels = moved[number % 15]
            begin = time.perf_counter()
            people = pipeline.process(pixels, number / 30)
            took = time.perf_counter() - begin
            if number >= 30:
                assert len(people) == 1
                inside.append(pipeline.timings.total_secs)
                added.append(took - inside[-1])
        share = sum(added) / sum(inside)
        print(
            f"Pipeline.process, 640x480, one face, {name}: median {statistics.median(inside) * 1e3:.2f} ms "
            f"in Rust, {statistics.median(added) * 1e6:.0f} us beside it, {share:.2%} of all, at most 3 %"
        )


def threads(pictures: int) -> None:
    """Prints how many times as fast two pipelines in two threads are as one, and a batch of two jobs."""
    image = face()

    def work(pipeline: rapport.Pipeline, count: int) -> None:
        for _ in range(count):
            pipeline.process(image)

    pipelines = [rapport.Pipeline() for _ in range(2)]
    for pipeline in pipelines:
        work(pipeline, 5)
    rates = {"one thread": [], "two threads": [], "two jobs": []}
    # In turns: the machine's pace changes.
    for _ in range(5):
        begin = time.perf_counter()
        work(pipelines[0], pictures)
        rates["one thread"].append(pictures / (time.perf_counter() - begin))
        pair = [threading.Thread(target=work, args=(p, pictures // 2)) for p in pipelines]
        begin = time.perf_counter()
        for thread in pair:
            thread.start()
        for thread in pair:
            thread.join()
        rates["two threads"].append(pictures / (time.perf_counter() - begin))
        begin = time.perf_counter()
        pipelines[0].process_batch([image] * pictures, jobs=2)
        rates["two jobs"].append(pictures / (time.perf_counter() - begin))
    one = statistics.median(rates["one thread"])
    for name, found in rates.items():
        rate = statistics.median(found)
        print(f"{name}: {rate:.0f} pictures a second, {rate / one:.2f} times one thread")
    print(f"on {os.cpu_count()} cores; load before: {os.getloadavg()[0]:.1f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("wheel", type=Path, help="the wheel that is installed")
    parser.add_argument("--frames", type=int, default=630, help="frames of the overhead")
    parser.add_argument(
        "--pictures", type=int, default=60, help="pictures of each turn of the threads"
    )
    arguments = parser.parse_args()
    overhead(arguments.frames)
    threads(arguments.pictures)
    install(arguments.wheel)


if __name__ == "__main__":
    main()
