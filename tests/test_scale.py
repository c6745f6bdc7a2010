"""Many recordings in shards: the recipes of docs/scale.md, killed processes, and the report of all."""

import contextlib
import json
import os
import re
import shutil
import signal
import subprocess
import time

import pytest

from graph import BIN_DIR, ROOT
from small_recordings import write_recordings

RAPPORT = BIN_DIR / "rapport"
PAGE = (ROOT / "docs" / "scale.md").read_text()
RECORDINGS = 20
OPTIONS = ["--label-topic", "/said", "--parquet"]


def block(*words):
    """The one block of the page that has these words."""
    blocks = re.findall(r"^```(?:bash|sh)\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    (found,) = [text for text in blocks if all(word in text for word in words)]
    return found


def figures(folder):
    """All but what is different in every run."""
    report = json.loads((folder / "report.json").read_text())
    del report["timing"], report["provenance"]
    return report


def evaluate(*arguments, cwd, expected=0):
    done = subprocess.run(
        [RAPPORT, "evaluate", *map(str, arguments)],
        cwd=cwd,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == expected, done.stderr
    assert "panicked" not in done.stderr
    return done


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    """Recordings, and the report of one run over all of them."""
    folder = tmp_path_factory.mktemp("study")
    write_recordings(folder / "recordings", RECORDINGS, lambda number: 6 + number % 7)
    done = evaluate("recordings", *OPTIONS, "-o", "one", cwd=folder)
    assert f"{RECORDINGS} recordings evaluated, 0 had a result, 0 failed" in done.stdout
    return folder


@pytest.fixture
def in_study(study):
    """The folder of the recordings, as the commands of the page expect it; runs them."""
    shutil.rmtree(study / "results", ignore_errors=True)
    environment = os.environ | {"PATH": f"{BIN_DIR}:{os.environ['PATH']}"}

    def run(command, **more):
        return subprocess.run(
            ["bash", "-euo", "pipefail", "-c", command],
            cwd=study,
            env=environment | more,
            capture_output=True,
            text=True,
            timeout=300,
        )

    return run


def test_eight_tasks_of_a_slurm_array_make_the_report_of_one_run(study, in_study):
    script = study / "evaluate.sbatch"
    script.write_text(block("#SBATCH"))
    assert script.read_text().startswith("#!/bin/bash\n#SBATCH ")
    first, last = map(
        int, re.search(r"--array=(\d+)-(\d+)$", script.read_text(), re.MULTILINE).groups()
    )
    assert (first, last) == (1, 8)
    # Two at a time, as a cluster would run more.
    for one in range(first, last + 1, 2):
        tasks = [
            subprocess.Popen(
                ["bash", script],
                cwd=study,
                env=os.environ
                | {
                    "PATH": f"{BIN_DIR}:{os.environ['PATH']}",
                    "SLURM_ARRAY_TASK_ID": str(task),
                    "SLURM_ARRAY_TASK_COUNT": str(last),
                },
                stdout=subprocess.DEVNULL,
            )
            for task in (one, one + 1)
        ]
        assert [task.wait(120) for task in tasks] == [0, 0]
    assert not (study / "results" / "report.json").exists()
    # What the second job runs.
    merge = re.search(r"--wrap '(.*)'", block("afterany"))[1]
    done = in_study(merge)
    assert done.returncode == 0, done.stderr
    assert f"{RECORDINGS} recordings; report in" in done.stdout
    assert figures(study / "results") == figures(study / "one")


def test_xargs_makes_the_report_of_one_run(study, in_study):
    done = in_study(block("xargs"))
    assert done.returncode == 0, done.stderr
    assert figures(study / "results") == figures(study / "one")


def test_gnu_parallel_makes_the_report_of_one_run(study, in_study):
    version = (
        subprocess.run(["parallel", "--version"], capture_output=True, text=True)
        if (shutil.which("parallel"))
        else None
    )
    if version is None or not version.stdout.startswith("GNU parallel"):
        pytest.skip("GNU parallel is not installed")
    done = in_study(block("parallel --halt"))
    assert done.returncode == 0, done.stderr
    assert figures(study / "results") == figures(study / "one")


def test_a_killed_shard_goes_on(study, in_study):
    results = study / "results"
    command = [RAPPORT, "evaluate", "recordings", *OPTIONS, "-o", "results", "--shard", "2/2"]
    process = subprocess.Popen(command, cwd=study, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 60
    done = []
    # Somewhere in the middle of the third recording, or of a later one.
    while len(done) < 2 and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.01)
        # A folder of parts may go while it is searched.
        with contextlib.suppress(FileNotFoundError):
            done = sorted((results / "recordings").rglob("result.msgpack.zst"))
    assert process.poll() is None, "it was done before it could be killed"
    process.send_signal(signal.SIGKILL)
    process.wait()
    done = sorted((results / "recordings").rglob("result.msgpack.zst"))
    assert 2 <= len(done) < RECORDINGS // 2
    written = {path: path.stat().st_mtime_ns for path in done}

    # A job that is started twice by mistake, while the first is at work.
    again = evaluate(
        "recordings", *OPTIONS, "-o", "results", "--shard", "2/2", cwd=study, expected=1
    )
    assert "expected --resume" in again.stderr
    resumed = evaluate(
        "recordings", *OPTIONS, "-o", "results", "--shard", "2/2", "--resume", cwd=study
    )
    left = RECORDINGS // 2 - len(done)
    assert f"{left} recordings evaluated, {len(done)} had a result, 0 failed" in resumed.stdout
    assert {path: path.stat().st_mtime_ns for path in done} == written
    early = evaluate("merge", "results", "-o", "early", cwd=study, expected=3)
    assert f"{RECORDINGS // 2} recordings; report in" in early.stdout
    evaluate("recordings", *OPTIONS, "-o", "results", "--shard", "1/2", cwd=study)
    evaluate("merge", "results", "-o", "results", cwd=study)
    assert figures(results) == figures(study / "one")


def test_a_recording_that_fails_is_named(study, tmp_path):
    broken = tmp_path / "recordings"
    shutil.copytree(study / "recordings" / "day1", broken)
    (broken / "004.mcap").write_text("no recording")
    done = evaluate("recordings", "--label-topic", "/said", "-o", "out", cwd=tmp_path, expected=3)
    assert "9 recordings evaluated, 0 had a result, 1 failed; 10 in all" in done.stdout
    assert re.search(r"^  failed: 004\.mcap: .*004\.mcap", done.stdout, re.MULTILINE)
    report = figures(tmp_path / "out")
    (failed,) = [one for one in report["source"]["recordings"] if "problem" in one]
    assert failed["name"] == "004.mcap"


def test_wrong_options_are_named(study, tmp_path):
    for arguments, message in [
        (["recordings", "--shard", "9/8"], "found `9/8`, expected i/n"),
        (["recordings", "--cut-out"], "--cut-out does not go with several recordings"),
        (["recordings", "--parquet-group-rows", "5"], "--parquet"),
        (["recordings", "recordings/day1/nothing.mcap"], "nothing.mcap"),
        (["merge", "recordings"], "recordings: no results, expected a folder"),
        (["merge"], "RESULTS"),
        ([], "SOURCE"),
    ]:
        done = subprocess.run(
            [
                RAPPORT,
                "evaluate",
                *arguments,
                *([] if "merge" in arguments or not arguments else ["-o", tmp_path / "out"]),
            ],
            cwd=study,
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert done.returncode in (1, 2), arguments
        assert message in done.stderr, f"{arguments}: {done.stderr}"
