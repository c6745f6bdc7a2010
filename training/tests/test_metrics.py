"""The scores equal scikit-learn's; calibration behaves as defined."""

import numpy as np
import pytest
from sklearn.metrics import confusion_matrix as sklearn_confusion
from sklearn.metrics import precision_recall_fscore_support

from rapport_training.metrics import (
    class_scores,
    confusion_matrix,
    coverage_at,
    fit_temperature,
    reliability,
    roc_auc,
    vote_reliability,
)


def test_scores_equal_scikit_learn():
    generator = np.random.default_rng(0)
    labels = generator.integers(0, 7, 500)
    # Class 6 is never predicted: a division by nothing must give 0, as there.
    predictions = np.where(generator.random(500) < 0.6, labels, generator.integers(0, 6, 500)) % 6
    confusion = confusion_matrix(labels, predictions, 7)
    assert np.array_equal(confusion, sklearn_confusion(labels, predictions, labels=range(7)))
    expected = precision_recall_fscore_support(
        labels, predictions, labels=range(7), zero_division=0
    )
    found = np.array([(s.precision, s.recall, s.f1, s.support) for s in class_scores(confusion)])
    assert np.allclose(found, np.array(expected).T)


def test_calibration_error_of_a_known_case():
    # Four answers at confidence 0.9, two of them right: the gap is 0.4.
    probabilities = np.array([[0.9, 0.1]] * 4)
    found = reliability(np.array([0, 0, 1, 1]), probabilities)
    assert found.expected_calibration_error() == pytest.approx(0.4)
    assert found.images.sum() == 4


def test_a_threshold_buys_accuracy_with_coverage():
    confidence, right = np.array([0.9, 0.8, 0.6, 0.7]), np.array([True, True, False, False])
    half, all_of_them, none = coverage_at(right, confidence, (0.75, 0, 0.95))
    assert (half.coverage, half.accuracy, half.accuracy_below) == (0.5, 1.0, 0.0)
    assert (all_of_them.coverage, all_of_them.accuracy) == (1.0, 0.5)
    assert np.isnan(all_of_them.accuracy_below) and np.isnan(none.accuracy)


def test_a_class_without_images_has_no_roc_curve():
    probabilities = np.array([[0.8, 0.1, 0.1], [0.3, 0.6, 0.1], [0.5, 0.4, 0.1]])
    areas = roc_auc(np.array([0, 1, 1]), probabilities)
    assert areas[:2] == [1.0, 1.0] and np.isnan(areas[2])


def test_temperature_is_recovered():
    generator = np.random.default_rng(1)
    logits = generator.normal(0, 2, (20_000, 7))
    exp = np.exp(logits)
    chances = exp / exp.sum(axis=1, keepdims=True)
    labels = (chances.cumsum(axis=1) > generator.random((20_000, 1))).argmax(axis=1)
    assert fit_temperature(labels, logits * 1.7) == pytest.approx(1.7, rel=0.03)


def test_temperature_is_fitted_to_shares_of_votes():
    logits = np.random.default_rng(2).normal(0, 2, (500, 8))
    exp = np.exp(logits)
    shares = exp / exp.sum(axis=1, keepdims=True)
    assert fit_temperature(shares, logits * 0.6) == pytest.approx(0.6, rel=1e-3)


def test_calibration_error_against_votes():
    # Both are said with 0.9; the one got 7 of 10 votes, the other 9 of 10.
    shares = np.array([[0.7, 0.3], [0.1, 0.9]])
    found = vote_reliability(shares, np.array([0, 1]), np.array([0.9, 0.9]))
    assert found.expected_calibration_error() == pytest.approx(0.1)
