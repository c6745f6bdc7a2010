"""The rule that is fitted keeps its limits and costs little; halves are halves."""

import re

import numpy as np
import pytest

from rapport_training import decide
from rapport_training.decide import (
    Limits,
    fit,
    fit_min_confidence_of,
    halves,
    rule_table,
    temperature_across,
    trade,
)
from rapport_training.decision import Decision
from rapport_training.errors import UserError
from rapport_training.ferplus import FerPlus, ferplus
from rapport_training.labels import KNOWN_LABELS, VOTE_COLUMNS
from rapport_training.scores import decide_known, score_people

COUNT = 1200
SAD, NEUTRAL = KNOWN_LABELS.index("sad"), KNOWN_LABELS.index("neutral")


@pytest.fixture(scope="module")
def seen() -> FerPlus:
    generator = np.random.default_rng(0)
    votes = np.zeros((COUNT, len(VOTE_COLUMNS)), dtype=np.float32)
    # Neutral more often than the rest, as in the data.
    said = generator.choice(8, COUNT, p=[0.44, *[0.08] * 7])
    votes[np.arange(COUNT), said] = generator.integers(6, 11, COUNT)
    return ferplus(votes)


@pytest.fixture(scope="module")
def probabilities(seen) -> np.ndarray:
    """Mostly right, but one neutral face in five leans to sad a little."""
    generator = np.random.default_rng(1)
    answers = generator.dirichlet(np.ones(8), COUNT) * 0.4
    answers[np.arange(COUNT), seen.labels] += 0.6
    leaning = (seen.labels == NEUTRAL) & (generator.random(COUNT) < 0.2)
    answers[leaning] = 0.02
    answers[leaning, SAD] = 0.48
    answers[leaning, NEUTRAL] = 0.4
    return answers.astype(np.float32)


def test_the_limits_are_kept_at_little_cost(seen, probabilities):
    before = score_people(probabilities, KNOWN_LABELS, Decision(), seen)["argmax"]
    assert before["neutral_as_negative"] > 0.1
    rule = fit(probabilities, KNOWN_LABELS, seen, Limits())
    after = score_people(probabilities, KNOWN_LABELS, rule, seen)["decision"]
    assert after["neutral_as_negative"] <= 0.05 and after["neutral_as_negative_sure"] <= 0.02
    assert after["accuracy"] > before["accuracy"]
    assert rule.weights == {"sad": 0.8} and "sad" not in rule.min_confidence_of
    assert after["per_class"]["sad"]["recall"] == before["per_class"]["sad"]["recall"]


def test_a_limit_with_sure_takes_a_threshold_of_its_own(seen, probabilities):
    sharper = probabilities.copy()
    leaning = np.isclose(sharper[:, SAD], 0.48)
    sharper[leaning, SAD], sharper[leaning, NEUTRAL] = 0.58, 0.3
    decided = decide_known(Decision(), sharper, KNOWN_LABELS)
    assert fit_min_confidence_of(decided, seen, 0.5, 0.02) == {"sad": 0.6}
    assert fit_min_confidence_of(decided, seen, 0.6, 0.02) == {}


def test_a_model_that_cannot_is_refused(seen):
    answers = np.full((COUNT, 8), 0.01, dtype=np.float32)
    answers[:, SAD] = 0.93
    with pytest.raises(UserError, match=r"read more than 4\.5% of the neutral faces as negative"):
        fit(answers, KNOWN_LABELS, seen, Limits())


def test_halves_hold_every_image_once():
    one, other = halves(11)
    assert sorted([*one, *other]) == list(range(11)) and abs(len(one) - len(other)) == 1
    assert np.array_equal(one, halves(11)[0])


def test_a_temperature_that_is_wrong_is_found_on_either_half(seen):
    shares = np.maximum(seen.shares, 0.02)
    sharp = shares**2 / (shares**2).sum(axis=1, keepdims=True)
    told = temperature_across(sharp, KNOWN_LABELS, seen, Decision())
    first, other = re.search(r"is ([\d.]+) and ([\d.]+) times", told).groups()
    assert first == other and float(first) < 1


def test_tables_name_rule_and_cost(seen, probabilities, monkeypatch):
    monkeypatch.setattr(decide, "WEIGHTS", (0.7, 1.0))
    monkeypatch.setattr(decide, "THRESHOLDS", (0.5, 0.7))
    rule = Decision({"sad": 0.7}, 0.5, {"sad": 0.7})
    told = trade(probabilities, KNOWN_LABELS, seen, rule, Limits())
    assert told.count("\n") == 7 and "at most 5% and 2.0% asked for, across halves" in told
    assert "| sad | 0.7 | 0.7 |" in rule_table(rule, KNOWN_LABELS)
    assert "| happy | 1 | 0.5 |" in rule_table(rule, KNOWN_LABELS)
