"""Recordings a second by Ray's workers, as python/examples/ray_recordings.py, against as many plain
processes of Python with the same package. `tools/wheel bench` runs it.

What is compared is the work itself: both have loaded their networks before the clock starts, by a first
pass over as many recordings as there are workers.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import sys
import tempfile
import time
from multiprocessing import get_context
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "python/examples"), str(ROOT / "python/tests")]
FOLLOW = None


def prepare() -> None:
    """In each plain process: its networks."""
    global FOLLOW
    from ray_recordings import Follow

    FOLLOW = Follow()


def follow(path: str) -> int:
    """A recording in a plain process; how many rows it has."""
    return sum(1 for _ in FOLLOW.rows(path))


def by_ray(paths: list[str], workers: int) -> tuple[float, int]:
    """Seconds from the first recording begun to the last done, by Ray's workers; rows."""
    import ray
    from ray_recordings import Follow

    class Timed(Follow):
        """Says when it worked."""

        def __call__(self, batch):
            begin = time.time()
            rows = sum(table.num_rows for table in super().__call__(batch))
            yield {"rows": [rows], "begin": [begin], "end": [time.time()]}

    found = (
        ray.data.from_items([{"recording": path} for path in paths], override_num_blocks=len(paths))
        .map_batches(Timed, batch_size=1, compute=ray.data.ActorPoolStrategy(size=workers))
        .take_all()
    )
    took = max(row["end"] for row in found) - min(row["begin"] for row in found)
    return took, sum(row["rows"] for row in found)


def by_processes(paths: list[str], workers: int) -> tuple[float, int]:
    """The same by plain processes."""
    with get_context("spawn").Pool(workers, initializer=prepare) as pool:
        pool.map(follow, paths[:workers], chunksize=1)
        begin = time.time()
        rows = sum(pool.map(follow, paths, chunksize=1))
        return time.time() - begin, rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--recordings", type=int, default=40)
    parser.add_argument("--frames", type=int, default=60, help="frames of each, 640x480")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    import ray

    from recordings import write

    with tempfile.TemporaryDirectory() as folder:
        first = write(Path(folder) / "0.mcap", frames=arguments.frames)
        paths = [str(first)]
        for number in range(1, arguments.recordings):
            paths.append(shutil.copy(first, Path(folder) / f"{number}.mcap"))
        python_path = os.pathsep.join(sys.path[:2])
        ray.init(
            num_cpus=arguments.workers + 1,
            include_dashboard=False,
            object_store_memory=256 << 20,
            log_to_driver=False,
            runtime_env={"env_vars": {"PYTHONPATH": python_path}},
        )
        ray.data.DataContext.get_current().enable_progress_bars = False
        ratios = []
        for number in range(arguments.rounds):
            plain_secs, plain_rows = by_processes(paths, arguments.workers)
            ray_secs, ray_rows = by_ray(paths, arguments.workers)
            assert plain_rows == ray_rows > 0, (plain_rows, ray_rows)
            ratios.append(plain_secs / ray_secs)
            print(
                f"round {number + 1}: {len(paths) / ray_secs:.2f} recordings a second by Ray, "
                f"{len(paths) / plain_secs:.2f} by plain processes, {ratios[-1]:.2f} times"
            )
        ray.shutdown()
    print(
        f"{arguments.workers} Ray workers on {arguments.recordings} recordings: "
        f"{statistics.median(ratios):.2f} times the rate of plain processes, at least 0.90"
    )


if __name__ == "__main__":
    main()
