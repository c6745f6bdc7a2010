"""200 recordings in 8 shards, one of them killed and resumed, against one run over all.

Writes small recordings into a temporary folder, evaluates them in one run, and again in 8 shards, two at
a time. The third shard is killed (SIGKILL) in the middle and resumed. The report of the merged shards
must be that of the one run in every figure; the bench fails if it is not. Prints a Markdown table.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests"))

from small_recordings import write_recordings  # noqa: E402

BIN_DIR = Path(os.environ.get("RAPPORT_BIN_DIR", ROOT / "target" / "release"))
SHARDS = 8
AT_A_TIME = 2
KILLED = 3


def command(output: str, *more: str) -> list[str]:
    given = ["recordings", "--label-topic", "/said", "--parquet", "-o", output]
    return [str(BIN_DIR / "rapport"), "evaluate", *given, *more]


def run(arguments: list[str], folder: Path) -> float:
    start = time.monotonic()
    subprocess.run(arguments, cwd=folder, check=True, capture_output=True)
    return time.monotonic() - start


def shards(folder: Path) -> float:
    """Runs all shards but one, some at a time."""
    start = time.monotonic()
    waiting = [number for number in range(1, SHARDS + 1) if number != KILLED]
    running: list[subprocess.Popen] = []
    while waiting or running:
        while waiting and len(running) < AT_A_TIME:
            shard = f"{waiting.pop(0)}/{SHARDS}"
            quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
            running.append(
                subprocess.Popen(command("shards", "--shard", shard), cwd=folder, **quiet)
            )
        ended = [process for process in running if process.poll() is not None]
        assert all(process.returncode == 0 for process in ended), "a shard failed"
        running = [process for process in running if process.poll() is None]
        time.sleep(0.02)
    return time.monotonic() - start


def kill_and_resume(folder: Path) -> tuple[int, int]:
    """Kills a shard when a third of it is done, and resumes it: results before, and after."""
    arguments = command("shards", "--shard", f"{KILLED}/{SHARDS}", "--resume")
    before = results(folder)
    process = subprocess.Popen(
        arguments, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    while results(folder) < before + 8:
        assert process.poll() is None, "the shard was done before it could be killed"
        time.sleep(0.005)
    process.send_signal(signal.SIGKILL)
    process.wait()
    killed_at = results(folder) - before
    run(arguments, folder)
    return killed_at, results(folder) - before


def results(folder: Path) -> int:
    return len(list((folder / "shards" / "recordings").rglob("result.msgpack.zst")))


def figures(folder: Path) -> dict:
    report = json.loads((folder / "report.json").read_text())
    del report["timing"], report["provenance"]
    return report


def count(value) -> int:
    """How many numbers there are in a report."""
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        return sum(map(count, value))
    return int(isinstance(value, int | float) and not isinstance(value, bool))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--recordings", type=int, default=200)
    parser.add_argument("--frames", type=int, default=60, help="images of each recording, about")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        frames = lambda number: given.frames - 10 + number % 21  # noqa: E731
        write_recordings(folder / "recordings", given.recordings, frames)
        one = run(command("one"), folder)
        divided = shards(folder)
        killed_at, of = kill_and_resume(folder)
        merge = run(
            [str(BIN_DIR / "rapport"), "evaluate", "merge", "shards", "-o", "merged"], folder
        )
        report, expected = figures(folder / "merged"), figures(folder / "one")
        assert report == expected, "the report of the shards is another than that of one run"
        bytes_of = [path.stat().st_size for path in (folder / "one").rglob("result.msgpack.zst")]
        all_frames = report["source"]["frames"]
        print("| what | result |\n|---|---|")
        print(
            f"| recordings, frames, labelled faces | {given.recordings}, {all_frames:,}, "
            f"{report['models'][0]['coverage']['labelled']:,} |"
        )
        print(f"| one run over all | {one:.1f} s |")
        print(f"| {SHARDS - 1} of {SHARDS} shards, {AT_A_TIME} at a time | {divided:.1f} s |")
        print(f"| shard {KILLED}: killed after | {killed_at} of {of} recordings, then resumed |")
        print(f"| merging {given.recordings} results | {merge:.2f} s |")
        print(f"| size of a result | {sum(bytes_of) / all_frames:.0f} bytes a frame |")
        print(
            f"| figures of the report that are the same as those of one run | {count(report):,} of "
            f"{count(expected):,} |"
        )


if __name__ == "__main__":
    main()
