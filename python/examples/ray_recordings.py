"""Every face of many recordings as Parquet, by Ray: `python ray_recordings.py FOLDER OUTPUT --workers 2`.

Each worker keeps its networks and takes one recording after another. One that cannot be read becomes a
row with its error, and the others go on. On a cluster: `ray job submit`, with the wheel installed on each
node and FOLDER on a disk that all of them see.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

# Ray reports its use to its makers unless told otherwise.
os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")

import pyarrow as pa
import ray
import ray.data

import rapport

SCHEMA = pa.schema(
    [
        ("recording", pa.string()),
        ("time_secs", pa.float64()),
        ("id", pa.string()),
        ("label", pa.string()),
        ("confidence", pa.float32()),
        ("sure", pa.bool_()),
        ("valence", pa.float32()),
        ("arousal", pa.float32()),
        ("error", pa.string()),
    ]
)


class Follow:
    """A worker: the networks are loaded once."""

    def __init__(self) -> None:
        self.pipeline = rapport.Pipeline()

    def __call__(self, batch: dict[str, Any]) -> Iterator[pa.Table]:
        for path in batch["recording"]:
            yield pa.Table.from_pylist(list(self.rows(str(path))), schema=SCHEMA)

    def rows(self, path: str) -> Iterator[dict[str, Any]]:
        name = os.path.basename(path)
        try:
            for frame in rapport.track(path, pipeline=self.pipeline):
                for person in frame.people:
                    yield {
                        "recording": name,
                        "time_secs": frame.time_secs,
                        "id": person.id,
                        "label": person.label,
                        "confidence": person.confidence,
                        "sure": person.sure,
                        "valence": person.valence,
                        "arousal": person.arousal,
                    }
        except rapport.RapportError as error:
            yield {"recording": name, "error": str(error)}


def main() -> None:
    """Reads the command line and runs."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("output", type=Path)
    parser.add_argument("--workers", type=int, default=2)
    arguments = parser.parse_args()
    recordings = sorted(str(path.resolve()) for path in arguments.folder.glob("*.mcap"))
    if not recordings:
        parser.error(f"{arguments.folder}: found no .mcap, expected recordings")
    if not ray.is_initialized():
        # A core for each worker and one for reading names and writing rows, which take little of it.
        ray.init(
            num_cpus=arguments.workers + 1,
            include_dashboard=False,
            object_store_memory=256 << 20,
            log_to_driver=False,
        )
    ray.data.DataContext.get_current().enable_progress_bars = False
    items = [{"recording": path} for path in recordings]
    (
        # A block for each recording: workers that are done take the next.
        ray.data.from_items(items, override_num_blocks=len(items))
        .map_batches(
            Follow, batch_size=1, compute=ray.data.ActorPoolStrategy(size=arguments.workers)
        )
        # Rows are few: one process of Ray's is enough to write them, and starting one takes seconds.
        .write_parquet(str(arguments.output.resolve()), concurrency=1)
    )
    print(f"{len(recordings)} recordings, {arguments.output}")


if __name__ == "__main__":
    main()
