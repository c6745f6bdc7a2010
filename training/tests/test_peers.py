"""Networks beside each other: accuracy by both readings, and times."""

import numpy as np
import pytest

from rapport_training import peers
from rapport_training.decision import Decision
from rapport_training.faces import Faces
from rapport_training.labels import CONTEMPT, LABELS, VOTE_COLUMNS
from rapport_training.peers import Network


@pytest.fixture
def faces(images) -> Faces:
    """Eight faces that the challenge calls sad; people call five neutral, one has no majority."""
    votes = np.zeros((8, len(VOTE_COLUMNS)), dtype=np.float32)
    votes[:5, VOTE_COLUMNS.index("neutral")] = 9
    votes[5:7, VOTE_COLUMNS.index("sadness")] = 8
    votes[7, :2] = 5
    return Faces(images[:8], np.full(8, LABELS.index("sad")), votes)


def says(faces: Faces, labels, decision, **probabilities: float) -> Network:
    answer = np.array([probabilities.get(name, 0.0) for name in labels], dtype=np.float32)
    return Network(lambda x: np.tile(answer, (len(x), 1)), faces.images, labels, decision)


def test_both_readings_and_the_decision(faces):
    named = {
        "peer": says(faces, LABELS, Decision(), sad=0.6, neutral=0.4),
        "ours": says(faces, (CONTEMPT, *LABELS), Decision({"sad": 0.5}), sad=0.6, neutral=0.4),
    }
    lines = peers.scores(named, faces).splitlines()
    assert lines[2].startswith("| peer | 100.00% | 28.57% |") and "| 100.0% | 100.0% |" in lines[2]
    assert lines[3].startswith("| ours | 100.00% | 28.57% |")
    assert lines[4].startswith("| ours, as users get it | 100.00% | 71.43% |")
    assert "| 0.0% | 0.0% |" in lines[4]


def test_without_votes_the_challenge_alone(faces):
    named = {"peer": says(faces, LABELS, Decision(), sad=1.0)}
    plain = Faces(faces.images, faces.labels, None)
    assert peers.scores(named, plain).splitlines()[2] == "| peer | 100.00% |"


def test_times_are_told_beside_the_first(faces, monkeypatch):
    monkeypatch.setattr(peers, "ROUNDS", 1)
    monkeypatch.setattr(peers, "median_ms", lambda call, calls: 2.0)
    named = {name: says(faces, LABELS, Decision(), sad=1.0) for name in ("ours", "peer")}
    assert peers.times(named).splitlines()[3] == "| peer | 2.00 | 0.25 | 1.00 |"
