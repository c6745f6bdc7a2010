"""The tests of the wheel: it is installed in an environment of its own, and nothing here finds it
elsewhere. `make test-python` sets that up."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

ROOT = Path(__file__).resolve().parents[2]
PICTURES = ROOT / "tests" / "pictures"


def picture(name: str) -> np.ndarray:
    """A photograph as uint8 (height, width, 3), red, green, blue."""
    return np.asarray(Image.open(PICTURES / name).convert("RGB"))


@pytest.fixture(scope="session")
def rapport():
    return pytest.importorskip(
        "rapport._api", reason="the wheel is not installed: make test-python"
    )


@pytest.fixture(scope="session")
def astronaut() -> np.ndarray:
    return picture("astronaut.jpg")


@pytest.fixture(scope="session")
def pipeline(rapport):
    return rapport.Pipeline()


@pytest.fixture(scope="session")
def command() -> Path:
    """The program `rapport` that pip installed."""
    import sys

    return Path(sys.executable).with_name("rapport")


@pytest.fixture(scope="session")
def corridor(tmp_path_factory) -> Path:
    """A recording of 2 s: a face that moves a little, 640x480, 15 images a second, and three labels."""
    from recordings import write

    return write(tmp_path_factory.mktemp("bags") / "corridor.mcap", frames=30)
