"""The decision rule: what it reports, what it is without one, and what it refuses."""

import json

import numpy as np
import pytest

from rapport_training.decision import Decision, read_decision
from rapport_training.errors import UserError

LABELS = ("happy", "neutral", "sad")


def test_without_a_rule_the_most_probable_label_is_reported():
    rule = read_decision(None, LABELS, "m.onnx")
    assert rule == Decision() == read_decision("{}", LABELS, "m.onnx")
    found = rule.decide(np.array([[0.2, 0.3, 0.5], [0.45, 0.35, 0.2]]), LABELS)
    assert found.labels.tolist() == [2, 0]
    assert found.confidence == pytest.approx([0.5, 0.45])
    assert found.sure.tolist() == [True, False]


def test_weights_choose_and_confidence_stays_the_labels_own():
    text = json.dumps(
        {"weights": {"sad": 0.5}, "min_confidence": 0.4, "min_confidence_of": {"sad": 0.8}}
    )
    rule = read_decision(text, LABELS, "m.onnx")
    assert json.loads(rule.to_json()) == json.loads(text)
    found = rule.decide(
        np.array([[0.1, 0.35, 0.55], [0.05, 0.25, 0.7], [0.1, 0.1, 0.8], [0.1, 0.5, 0.4]]), LABELS
    )
    assert found.labels.tolist() == [1, 2, 2, 1]
    assert found.confidence == pytest.approx([0.35, 0.7, 0.8, 0.5])
    assert found.sure.tolist() == [False, False, True, True]


def test_of_equals_the_first_is_reported():
    assert Decision().decide(np.array([[0.25, 0.375, 0.375]]), LABELS).labels.tolist() == [1]
    equal = Decision(weights={"sad": 0.5}).decide(np.array([[0.0, 0.25, 0.5]]), LABELS)
    assert equal.labels.tolist() == [1]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "is no JSON"),
        ("[1]", "is [1], expected a JSON object"),
        ('{"weight": {}}', "has `weight`, expected weights, min_confidence, min_confidence_of"),
        ('{"weights": 1}', "weights is 1, expected labels with numbers"),
        ('{"weights": {"rage": 1}}', "weights names `rage`, expected labels of happy, neutral"),
        ('{"weights": {"sad": 2}}', "weights of sad is 2, expected a number from 0 to 1"),
        ('{"weights": {"sad": NaN}}', "expected a number from 0 to 1"),
        ('{"min_confidence": true}', "min_confidence is true, expected a number from 0 to 1"),
        ('{"min_confidence_of": {"sad": "x"}}', 'of sad is "x", expected a number'),
        ('{"weights": {"sad": 0, "happy": 0, "neutral": 0}}', "every weight is 0"),
    ],
)
def test_a_mistake_is_named(text, message):
    with pytest.raises(UserError) as error:
        read_decision(text, LABELS, "m.onnx")
    assert str(error.value).startswith("m.onnx: metadata `decision`")
    assert message in str(error.value)
