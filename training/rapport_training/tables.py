"""Scores as Markdown tables, for the terminal and for the model cards."""

from typing import Any

import numpy as np

from .labels import LABELS
from .metrics import coverage_at

THRESHOLDS = (0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)


def table(header: list[str], rows: list[list[str]]) -> str:
    """A Markdown table."""
    lines = ["| " + " | ".join(header) + " |", "|---" * len(header) + "|"]
    return "\n".join(lines + ["| " + " | ".join(row) + " |" for row in rows])


def accuracy(scores: dict[str, Any]) -> str:
    """Accuracy with and without flip averaging and with and without duplicated images."""
    names = (
        (f"all {scores['images']} images", ""),
        (f"{scores['images_without_twins']} without a twin in Training", "_without_twins"),
    )
    rows = [
        [name, f"{scores['accuracy' + end]:.2%}", f"{scores['accuracy_flip_averaged' + end]:.2%}"]
        for name, end in names
    ]
    return (
        table([scores["set"], "one pass", "averaged with its mirror image"], rows)
        + f"\n\nMacro F1 {scores['macro_f1']:.3f}; area under the ROC curve "
        f"{scores['macro_roc_auc']:.3f}, mean over the classes; expected calibration error "
        f"{scores['expected_calibration_error']:.2%}."
    )


def per_class(scores: dict[str, Any]) -> str:
    """Precision, recall, F1, ROC AUC and support of each class."""
    keys = ("precision", "recall", "f1", "roc_auc")
    rows = [
        [name, *(f"{s[key]:.3f}" for key in keys), str(s["support"])]
        for name, s in scores["per_class"].items()
    ]
    return table(["class", "precision", "recall", "F1", "ROC AUC", "images"], rows)


def confusion(scores: dict[str, Any]) -> str:
    """Rows: shown. Columns: read as."""
    rows = [
        [name, *map(str, counts)] for name, counts in zip(LABELS, scores["confusion"], strict=True)
    ]
    return table(["shown \\ read as", *LABELS], rows)


def coverage(labels: np.ndarray, probabilities: np.ndarray) -> str:
    """What a threshold of confidence buys."""
    rows = [
        [f"{c.threshold:g}", f"{c.coverage:.1%}", f"{c.accuracy:.1%}", f"{c.accuracy_below:.1%}"]
        for c in coverage_at(labels, probabilities, THRESHOLDS)
    ]
    return table(["confidence from", "faces", "right of them", "right of the others"], rows)


def beside(named: dict[str, dict[str, Any]]) -> str:
    """The paper's table for several models side by side: per class, then over all."""
    keys = {"precision": "precision", "recall": "recall", "F1": "f1", "ROC AUC": "roc_auc"}
    header = ["class", *(f"{key}, {name}" for key in keys for name in named), "support"]
    rows = []
    for label in LABELS:
        values = [s["per_class"][label][key] for key in keys.values() for s in named.values()]
        support = next(iter(named.values()))["per_class"][label]["support"]
        rows.append([label, *(f"{value:.3f}" for value in values), str(support)])
    means = [s[f"macro_{key}"] for key in keys.values() for s in named.values()]
    images = next(iter(named.values()))["images"]
    rows.append(["mean of the classes", *(f"{mean:.3f}" for mean in means), str(images)])
    overall = table(
        ["", *named],
        [
            ["accuracy", *(f"{s['accuracy']:.2%}" for s in named.values())],
            [
                "accuracy without twins",
                *(f"{s['accuracy_without_twins']:.2%}" for s in named.values()),
            ],
            [
                "expected calibration error",
                *(f"{s['expected_calibration_error']:.2%}" for s in named.values()),
            ],
        ],
    )
    return overall + "\n\n" + table(header, rows)
