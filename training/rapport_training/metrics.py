"""Scores of a classifier from its probabilities."""

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize_scalar
from sklearn.metrics import roc_auc_score

ECE_BINS = 15


@dataclass(frozen=True)
class ClassScore:
    """Scores of one class; 0 where there is nothing to divide by. `support`: its images."""

    precision: float
    recall: float
    f1: float
    support: int


def confusion_matrix(labels: np.ndarray, predictions: np.ndarray, classes: int) -> np.ndarray:
    """Counts int64 [classes, classes]: rows are the labels, columns the predictions."""
    counts = np.bincount(labels * classes + predictions, minlength=classes * classes)
    return counts.reshape(classes, classes)


def class_scores(confusion: np.ndarray) -> list[ClassScore]:
    """Precision, recall, F1 and support per class."""
    right = np.diag(confusion).astype(float)
    predicted, actual = confusion.sum(axis=0), confusion.sum(axis=1)
    precision = right / np.maximum(predicted, 1)
    recall = right / np.maximum(actual, 1)
    f1 = 2 * right / np.maximum(predicted + actual, 1)
    return [
        ClassScore(float(p), float(r), float(f), int(n))
        for p, r, f, n in zip(precision, recall, f1, actual, strict=True)
    ]


@dataclass(frozen=True)
class Reliability:
    """Per bin of confidence: mean confidence, accuracy (NaN where empty) and images.

    Against votes, `accuracy` is the mean share of the votes that the answer got.
    """

    confidence: np.ndarray
    accuracy: np.ndarray
    images: np.ndarray

    def expected_calibration_error(self) -> float:
        """Mean gap between confidence and accuracy (Guo et al. 2017)."""
        gaps = np.nan_to_num(np.abs(self.confidence - self.accuracy))
        return float((gaps * self.images).sum() / self.images.sum())


def _binned(confidence: np.ndarray, right: np.ndarray) -> Reliability:
    bins = np.minimum((confidence * ECE_BINS).astype(int), ECE_BINS - 1)
    images = np.bincount(bins, minlength=ECE_BINS)
    with np.errstate(invalid="ignore"):
        return Reliability(
            np.bincount(bins, weights=confidence, minlength=ECE_BINS) / images,
            np.bincount(bins, weights=right, minlength=ECE_BINS) / images,
            images,
        )


def reliability(labels: np.ndarray, probabilities: np.ndarray) -> Reliability:
    """Confidence against accuracy over `ECE_BINS` equal bins."""
    return _binned(probabilities.max(axis=1), probabilities.argmax(axis=1) == labels)


def vote_reliability(
    shares: np.ndarray, answers: np.ndarray, confidence: np.ndarray
) -> Reliability:
    """Confidence [N] of the answers [N] against the shares of the votes [N,K] that they got."""
    return _binned(confidence, shares[np.arange(len(answers)), answers])


@dataclass(frozen=True)
class Coverage:
    """Answers at or above a confidence: their share of all, and how many are right; NaN if none.

    `accuracy_below` is that of the rest.
    """

    threshold: float
    coverage: float
    accuracy: float
    accuracy_below: float


def coverage_at(
    right: np.ndarray, confidence: np.ndarray, thresholds: Iterable[float]
) -> list[Coverage]:
    """What is left, and how good it is, if answers below each threshold are not trusted.

    `right`: bool [N], which answers are right; `confidence` [N] of each.
    """

    def share(values: np.ndarray) -> float:
        return float(values.mean()) if values.size else math.nan

    found = []
    for threshold in thresholds:
        kept = confidence >= threshold
        found.append(Coverage(threshold, share(kept), share(right[kept]), share(right[~kept])))
    return found


def roc_auc(labels: np.ndarray, probabilities: np.ndarray) -> list[float]:
    """Area under each class's ROC curve, it against all others; NaN for a class without images."""
    return [
        float(roc_auc_score(labels == index, probabilities[:, index]))
        if 0 < (labels == index).sum() < len(labels)
        else math.nan
        for index in range(probabilities.shape[1])
    ]


def fit_temperature(targets: np.ndarray, logits: np.ndarray) -> float:
    """The divisor of the logits [N,K] with the least cross-entropy, within 0.2..5.

    `targets` are labels int [N], or shares [N,K] in the logits' order, such as those of the votes.
    """
    shares = np.eye(logits.shape[1])[targets] if targets.ndim == 1 else targets

    def cross_entropy(log_temperature: float) -> float:
        scaled = logits / np.exp(log_temperature)
        scaled = scaled - scaled.max(axis=1, keepdims=True)
        log_sum = np.log(np.exp(scaled).sum(axis=1, keepdims=True))
        return float((shares * (log_sum - scaled)).sum(axis=1).mean())

    found = minimize_scalar(cross_entropy, bounds=(np.log(0.2), np.log(5.0)), method="bounded")
    return float(np.exp(found.x))
