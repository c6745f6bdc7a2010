"""Rates of a policy's rules by what people see, and the confidence that keeps them low."""

import numpy as np
import pytest

from rapport_training.decision import Decided
from rapport_training.errors import UserError
from rapport_training.ferplus import ferplus
from rapport_training.labels import KNOWN_LABELS, VOTE_COLUMNS
from rapport_training.policy_rates import Rule, proposal, rates, read_rules, verdict

POLICY = """
version: 1
rules:
  - name: give-space
    when: {emotion: [angry, disgust], confidence: 0.65, for_secs: 2}
  - name: answer-a-smile
    when: {emotion: happy, confidence: 0.6, for_secs: 1}
"""


@pytest.fixture
def rules(tmp_path):
    path = tmp_path / "policy.yaml"
    path.write_text(POLICY)
    return read_rules(path)


def made(*faces: tuple[str, int, str, float]):
    """Faces as (column that people say, by how many, label reported, confidence)."""
    votes = np.zeros((len(faces), len(VOTE_COLUMNS)), dtype=np.float32)
    for row, (column, count, *_) in enumerate(faces):
        votes[row, VOTE_COLUMNS.index(column)] = count
    labels = np.array([KNOWN_LABELS.index(face[2]) for face in faces])
    confidence = np.array([face[3] for face in faces], dtype=np.float32)
    return Decided(labels, confidence, confidence >= 0.5), ferplus(votes)


def test_rules_are_read(rules):
    assert rules == [
        Rule("give-space", ("angry", "disgust"), 0.65),
        Rule("answer-a-smile", ("happy",), 0.6),
    ]


def test_a_rule_about_attention_alone_is_left_out(tmp_path):
    path = tmp_path / "policy.yaml"
    welcome = "  - name: welcome\n    when: {attention: engaged, for_secs: 3}\n"
    path.write_text(POLICY.replace("  - name: answer", welcome + "  - name: answer"))
    assert [rule.name for rule in read_rules(path)] == ["give-space", "answer-a-smile"]
    path.write_text("rules:\n" + welcome)
    with pytest.raises(UserError, match="no rule with emotion"):
        read_rules(path)


def test_rates_by_what_people_see(rules):
    decided, seen = made(
        ("happiness", 9, "happy", 0.6),
        ("happiness", 8, "happy", 0.59),
        ("happiness", 6, "neutral", 0.9),
        ("neutral", 9, "disgust", 0.7),
        ("neutral", 9, "neutral", 0.9),
        ("anger", 9, "angry", 0.66),
    )
    lines = rates(rules, decided, seen).splitlines()
    assert "`give-space`: angry or disgust from 0.65" in lines[0]
    assert "| people see happy | 3 | 0.0% | 33.3% |" in lines
    assert "| people see neutral | 2 | 50.0% | 0.0% |" in lines
    assert "| people see angry | 1 | 100.0% | 0.0% |" in lines
    assert "| at least 8 of ten say happy | 2 | 0.0% | 50.0% |" in lines
    told = verdict(rules, decided, seen)
    assert "more than 50.00%" in told and "fires for 50.0%" in told


def test_the_least_confidence_leaves_neutral_faces_in_peace(rules):
    # Of 400 neutral faces, eight are read as happy with 0.72.
    decided, seen = made(
        *[("neutral", 9, "neutral", 0.9)] * 392,
        *[("neutral", 9, "happy", 0.72)] * 8,
        *[("happiness", 9, "happy", 0.8)] * 50,
    )
    smile = proposal(rules, decided, seen).splitlines()[-1]
    assert smile.startswith("| `answer-a-smile` | 0.6 | 2.00% | 100.0% | 0.75 | 0.00% | 100.0% |")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("rules: [", "not readable as a policy"),
        ("version: 1", "no rules, expected a policy"),
        ("rules: [{name: a}]", "rule 1: expected name, and when with emotion and confidence"),
        (POLICY.replace("happy", "glad"), "rule 2: emotion is glad, expected one of angry"),
    ],
)
def test_a_mistake_is_named(tmp_path, text, message):
    path = tmp_path / "policy.yaml"
    path.write_text(text)
    with pytest.raises(UserError) as error:
        read_rules(path)
    assert message in str(error.value)
