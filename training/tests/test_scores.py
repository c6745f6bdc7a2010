"""The people's reading: by the most probable label and by the decision, and its tables."""

import numpy as np
import pytest

from rapport_training import tables
from rapport_training.decision import Decision
from rapport_training.ferplus import ferplus
from rapport_training.labels import CONTEMPT, LABELS, VOTE_COLUMNS
from rapport_training.scores import challenge_order, score_people

NAMES = (CONTEMPT, *LABELS)


@pytest.fixture
def seen():
    """Four neutral faces, two sad, one of contempt."""
    votes = np.zeros((7, len(VOTE_COLUMNS)), dtype=np.float32)
    for row, column in enumerate(("neutral",) * 4 + ("sadness",) * 2 + ("contempt",)):
        votes[row, VOTE_COLUMNS.index(column)] = 8
    return ferplus(votes)


def answers(*faces: dict[str, float]) -> np.ndarray:
    rows = [[face.get(name, 0.0) for name in NAMES] for face in faces]
    return np.array(rows, dtype=np.float32)


@pytest.fixture
def probabilities():
    sad = {"sad": 0.55, "neutral": 0.45}
    return answers(
        *[{"neutral": 1.0}] * 3, sad, {"sad": 1.0}, sad, {CONTEMPT: 0.75, "neutral": 0.25}
    )


def test_what_people_see_by_both_rules(seen, probabilities):
    scores = score_people(probabilities, NAMES, Decision({"sad": 0.5}, 0.5), seen)
    plain, ruled = scores["argmax"], scores["decision"]
    assert plain["accuracy"] == round(6 / 7, 4) == ruled["accuracy"]
    assert plain["neutral_as_negative"] == plain["neutral_as_negative_sure"] == 0.25
    assert ruled["neutral_as_negative"] == 0
    assert ruled["per_class"]["sad"]["recall"] == 0.5
    assert ruled["per_class"][CONTEMPT] == {
        "precision": 1.0,
        "recall": 1.0,
        "f1": 1.0,
        "support": 1,
    }
    # The two that the rule calls neutral are so with 0.45: not sure.
    assert ruled["sure"] == round(5 / 7, 4) and ruled["accuracy_sure"] == 1
    assert scores["entropy_of_votes"] == 0
    expected = -np.log([0.45, 0.55, 0.75]).sum() / 7
    assert scores["cross_entropy"] == pytest.approx(expected, abs=1e-4)


def test_a_class_that_a_model_does_not_have_costs_a_bounded_cross_entropy(seen):
    seven = np.full((7, 7), 1 / 7, dtype=np.float32)
    scores = score_people(seven, LABELS, Decision(), seen)
    assert scores["cross_entropy"] == pytest.approx((6 * np.log(7) - np.log(0.001)) / 7, abs=1e-4)
    assert scores["argmax"]["per_class"][CONTEMPT]["recall"] == 0


def test_the_challenge_is_scored_without_contempt():
    seven = challenge_order(answers({CONTEMPT: 0.5, "angry": 0.3, "surprise": 0.2}), NAMES)
    assert seven[0] == pytest.approx([0.6, 0, 0, 0, 0, 0, 0.4])


def test_a_model_without_a_rule_has_one_column(seen, probabilities):
    alone = np.ones(len(seen), dtype=bool)
    one, two = (
        {"set": "set", "ferplus": score_people(probabilities, NAMES, rule, seen, alone)}
        for rule in (Decision(), Decision({"sad": 0.5}))
    )
    assert tables.people(one).splitlines()[0].count("|") == 3
    assert tables.people(two).splitlines()[0].count("|") == 4
    assert "F1, as users get it" in tables.people_per_class(two)
    assert "as users get it" not in tables.people_per_class(one)
    assert tables.people_confusion(two).splitlines()[0].endswith("| contempt |")
