"""A card's measured parts are replaced, its prose is not; figures repeat to the byte."""

import numpy as np
import pytest

from rapport_training import figures
from rapport_training.card import fill
from rapport_training.errors import UserError
from rapport_training.metrics import reliability


def test_only_blocks_change():
    card = "# Card\n<!-- scores -->\nold\nold\n<!-- end -->\nprose\n<!-- speed -->\n<!-- end -->\n"
    blocks = {"scores": lambda: "66 %", "speed": lambda: "1 ms", "roc": lambda: 1 / 0}
    filled = fill(card, blocks, "card.md")
    assert filled == (
        "# Card\n<!-- scores -->\n66 %\n<!-- end -->\nprose\n<!-- speed -->\n1 ms\n<!-- end -->\n"
    )
    assert fill(filled, blocks, "card.md") == filled
    with pytest.raises(UserError, match=r"card\.md: block `scors`, expected one of roc, scores"):
        fill(card.replace("scores", "scors"), blocks, "card.md")


def test_only_the_blocks_asked_for_are_measured():
    card = "<!-- people-roc -->\nold\n<!-- end -->\n<!-- speed -->\nold\n<!-- end -->\n"
    blocks = {"people-roc": lambda: "new", "speed": lambda: 1 / 0}
    filled = fill(card, blocks, "card.md", ["people-roc"])
    assert filled == card.replace("-->\nold", "-->\nnew", 1)


def test_figures_are_drawn_and_repeat(tmp_path):
    generator = np.random.default_rng(0)
    labels = generator.integers(0, 7, 300)
    probabilities = generator.dirichlet(np.ones(7), 300)
    drawn = []
    for name in ("a", "b"):
        folder = tmp_path / name
        figures.distribution([5, 1, 4, 9, 6, 6, 3], "all", folder / "distribution.svg")
        right, confidence = probabilities.argmax(1) == labels, probabilities.max(1)
        found = reliability(labels, probabilities)
        figures.calibration(found, right, confidence, 0.5, folder / "calibration.svg")
        figures.roc(labels, probabilities, folder / "roc.svg")
        drawn.append([path.read_bytes() for path in sorted(folder.iterdir())])
    assert drawn[0] == drawn[1]
    assert b"34 images" in drawn[0][1] and b"surprise" in drawn[0][2]
