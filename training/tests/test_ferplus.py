"""FER+'s protocol on votes written by hand, and labels in any order."""

import numpy as np
import pytest

from rapport_training.ferplus import ferplus, in_known_order
from rapport_training.labels import CONTEMPT, KNOWN_LABELS, LABELS, VOTE_COLUMNS


def votes(*rows: dict[str, int]) -> np.ndarray:
    return np.array([[row.get(name, 0) for name in VOTE_COLUMNS] for row in rows], dtype=np.float32)


def test_a_label_needs_more_than_half_of_the_votes_left():
    found = ferplus(
        votes(
            {"neutral": 6, "sadness": 4},
            {"neutral": 5, "sadness": 5},  # half is not more than half
            {"anger": 4, "neutral": 3, "fear": 1, "sadness": 1, "disgust": 1},  # 4 of 7
            {"contempt": 7, "happiness": 3},
        )
    )
    assert found.rows.tolist() == [0, 2, 3]
    assert [KNOWN_LABELS[i] for i in found.labels] == ["neutral", "angry", CONTEMPT]


def test_single_votes_are_dropped_from_the_shares():
    found = ferplus(votes({"surprise": 7, "fear": 2, "anger": 1}))
    shares = dict(zip(KNOWN_LABELS, found.shares[0], strict=True))
    assert shares["surprise"] == pytest.approx(7 / 9) and shares["fear"] == pytest.approx(2 / 9)
    assert shares["angry"] == 0
    entropy = -(7 / 9 * np.log(7 / 9) + 2 / 9 * np.log(2 / 9))
    assert found.entropy() == pytest.approx(entropy)


def test_unknown_and_no_face_are_out_but_count_against_a_majority():
    found = ferplus(
        votes(
            {"NF": 10},
            {"unknown": 6, "happiness": 4},
            {"happiness": 5, "unknown": 3, "NF": 2},  # half
            {"happiness": 6, "unknown": 4},
            dict.fromkeys(VOTE_COLUMNS, 1),  # nothing is left
        )
    )
    assert found.rows.tolist() == [3]
    # Of the eight only: who could not tell says nothing about which.
    assert found.shares[0].sum() == 1 and found.shares[0].max() == 1


def test_said_by_counts_the_votes_as_given():
    found = ferplus(votes({"happiness": 8, "neutral": 2}, {"happiness": 7, "neutral": 3}))
    assert found.said_by("happy", 8).tolist() == [True, False]


def test_any_order_of_labels_and_seven_of_them():
    names = ("surprise", CONTEMPT, *(name for name in LABELS if name != "surprise"))
    eight = in_known_order(np.arange(16).reshape(2, 8), names)
    assert eight[0, KNOWN_LABELS.index("surprise")] == 0
    assert eight[1, KNOWN_LABELS.index(CONTEMPT)] == 9
    seven = in_known_order(np.ones((1, 7)), LABELS)
    assert seven[0].tolist() == [1] * 7 + [0]


def test_votes_of_another_width_are_refused():
    with pytest.raises(ValueError, match=r"expected \[N,10\]"):
        ferplus(np.zeros((3, 8)))
