"""Many recordings by Ray: the recipe of docs/python.md with two workers gives what one process gives."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

import pytest

from conftest import ROOT

RECIPE = ROOT / "python/examples/ray_recordings.py"


def test_two_workers_give_what_one_process_gives(rapport, corridor, tmp_path):
    pytest.importorskip("ray", reason="Ray is not installed")
    parquet = pytest.importorskip("pyarrow.parquet")
    folder, output = tmp_path / "recordings", tmp_path / "faces"
    folder.mkdir()
    for number in range(4):
        shutil.copy(corridor, folder / f"{number}.mcap")
    (folder / "broken.mcap").write_text("no recording")
    done = subprocess.run(
        [sys.executable, RECIPE, folder, output, "--workers", "2"],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        # Its sockets' paths are bounded, so they lie in /tmp.
        env={**os.environ, "RAY_TMPDIR": "/tmp", "HOME": str(tmp_path)},
        timeout=900,
    )
    assert done.returncode == 0, done.stderr
    rows = parquet.read_table(output).sort_by(
        [("recording", "ascending"), ("time_secs", "ascending")]
    )
    rows = rows.to_pylist()
    failed = [row for row in rows if row["error"]]
    assert [row["recording"] for row in failed] == ["broken.mcap"]
    assert "expected an MCAP" in failed[0]["error"]
    expected = [
        (frame.time_secs, person.id, person.label, pytest.approx(person.confidence))
        for frame in rapport.track(corridor)
        for person in frame.people
    ]
    for number in range(4):
        own = [row for row in rows if row["recording"] == f"{number}.mcap"]
        assert [(r["time_secs"], r["id"], r["label"], r["confidence"]) for r in own] == expected
