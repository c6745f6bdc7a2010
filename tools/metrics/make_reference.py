"""Write tests/reference/metrics.json: cases with scikit-learn's answers, for tests/metrics.rs.

    python -m venv venv && venv/bin/pip install scikit-learn==1.9.1
    venv/bin/python tools/metrics/make_reference.py tests/reference/metrics.json

The cases are random but seeded: scores with and without ties, classes that are absent from the
labels, from the predictions or from both, a single class, one sample.
"""

from __future__ import annotations

import argparse
import json
import warnings
from pathlib import Path

import numpy as np
import sklearn
from plain import plain
from sklearn.calibration import calibration_curve
from sklearn.metrics import (
    average_precision_score,
    classification_report,
    confusion_matrix,
    precision_recall_curve,
    roc_auc_score,
    roc_curve,
)

CLASSES = 7
SEED = 20251124


def reports(truth, predicted, labels):
    """The report for each choice of zero_division, keys as scikit-learn has them."""
    return {
        name: classification_report(
            truth, predicted, labels=labels, output_dict=True, zero_division=value
        )
        for name, value in (("0", 0.0), ("1", 1.0), ("nan", np.nan))
    }


def curves(truth, scores):
    """ROC and precision-recall of each class against the rest; null where it is not defined."""
    found = []
    for index in range(CLASSES):
        positive, score = truth == index, scores[:, index]
        entry = {"roc": None, "pr": None}
        if positive.any() and not positive.all():
            fpr, tpr, thresholds = roc_curve(positive, score)
            auc = roc_auc_score(positive, score)
            entry["roc"] = {"fpr": fpr, "tpr": tpr, "thresholds": thresholds, "auc": auc}
        if positive.any():
            precision, recall, thresholds = precision_recall_curve(
                positive, score, drop_intermediate=True
            )
            entry["pr"] = {
                "precision": precision,
                "recall": recall,
                "thresholds": thresholds,
                "average_precision": average_precision_score(positive, score),
            }
        found.append(entry)
    return found


def macro_auc(truth, scores):
    """The mean over classes, where scikit-learn gives one: all there, scores that sum to 1."""
    if len(np.unique(truth)) < CLASSES or not np.allclose(scores.sum(axis=1), 1.0):
        return None
    return roc_auc_score(truth, scores, multi_class="ovr", average="macro")


def reliability(truth, predicted, scores):
    """Accuracy and mean confidence of each bin with anything in it.

    Null where a confidence lies on the edge of two bins: scikit-learn counts it to the lower one.
    """
    confidence = scores.max(axis=1)
    if np.isin(np.round(confidence, 9), np.linspace(0, 1, 11)[1:-1].round(9)).any():
        return None
    accuracy, mean = calibration_curve(predicted == truth, confidence, n_bins=10)
    return {"accuracy": accuracy, "mean_confidence": mean}


def case(name, truth, scores, subset=None):
    predicted = scores.argmax(axis=1)
    return {
        "name": name,
        "truth": truth,
        "scores": scores,
        "predicted": predicted,
        "confusion": confusion_matrix(truth, predicted, labels=range(CLASSES)),
        "report": reports(truth, predicted, None),
        "subset": subset,
        "subset_report": reports(truth, predicted, subset) if subset else None,
        "curves": curves(truth, scores),
        "macro_auc": macro_auc(truth, scores),
        "reliability": reliability(truth, predicted, scores),
    }


def distributions(rng, truth, sharpness, decimals):
    """Probabilities that lean to the true class, [N, 7]; few decimals make ties."""
    logits = rng.normal(size=(len(truth), CLASSES))
    logits[np.arange(len(truth)), truth] += sharpness
    scores = np.exp(logits)
    return np.round(scores / scores.sum(axis=1, keepdims=True), decimals)


def cases():
    rng = np.random.default_rng(SEED)

    def random(count, classes, sharpness=1.0, decimals=6):
        truth = rng.choice(classes, size=count)
        return truth, distributions(rng, truth, sharpness, decimals)

    every = list(range(CLASSES))
    yield case("random", *random(60, every), subset=[0, 3, 4])
    yield case("guessing", *random(60, every, sharpness=0.0))
    yield case("ties", *random(60, every, decimals=1), subset=[5, 2])
    yield case("hardly anything but ties", *random(40, every, decimals=0))
    truth, scores = random(40, [0, 3, 4, 6])
    yield case("classes nobody shows", truth, scores, subset=every)
    scores = scores.copy()
    scores[:, [1, 3]] = 0.0
    yield case("classes never predicted", truth, scores, subset=every)
    yield case("two classes", *random(30, [3, 4], decimals=2))
    yield case("a single class", *random(20, [3]))
    truth = np.full(5, 4)
    yield case("a single class, all right", truth, np.eye(CLASSES)[truth], subset=[3, 4])
    yield case("all wrong", truth, np.eye(CLASSES)[(truth + 1) % CLASSES])
    yield case("one sample", np.array([2]), np.eye(CLASSES)[[2]] * 0.7 + 0.05)
    yield case("a subset that nobody shows", truth, np.eye(CLASSES)[truth], subset=[0, 1])
    truth = np.repeat(every, 4)
    yield case("every class alike", truth, np.full((len(truth), CLASSES), 1 / CLASSES))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("out", type=Path, metavar="FILE.json")
    arguments = parser.parse_args()
    # What is not defined is what the cases are about.
    warnings.simplefilter("ignore")
    document = {
        "made_by": f"tools/metrics/make_reference.py, scikit-learn {sklearn.__version__}",
        "cases": [plain(found, lambda number: round(number, 12)) for found in cases()],
    }
    arguments.out.write_text(json.dumps(document, separators=(",", ":")) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
