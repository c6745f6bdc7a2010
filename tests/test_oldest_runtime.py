"""The oldest ONNX Runtime whose wheel holds the library loads the models and reads the same."""

import json
import subprocess

import pytest

from graph import BIN_DIR, ROOT

OLDEST = ROOT / ".prefix/lib/onnxruntime-oldest/libonnxruntime.so"


def analyze(*options):
    picture = ROOT / "tests/pictures/astronaut.jpg"
    command = [BIN_DIR / "rapport", "analyze", picture, "--json", *options]
    result = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert result.returncode == 0, result.stderr
    [document] = json.loads(result.stdout)
    return document["faces"]


def test_the_oldest_runtime_reads_the_same():
    assert OLDEST.is_file(), f"{OLDEST} not found; run `make setup`"
    newest, oldest = analyze(), analyze("--onnxruntime", OLDEST)
    assert len(oldest) == len(newest) == 1
    assert oldest[0]["label"] == newest[0]["label"]
    # Rounding differs from version to version.
    assert oldest[0]["confidence"] == pytest.approx(newest[0]["confidence"], abs=0.05)
