"""Scores as Markdown tables, for the terminal and for the model cards."""

from typing import Any

import numpy as np

from .labels import KNOWN_LABELS, LABELS
from .metrics import coverage_at

THRESHOLDS = (0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)
RULES = {"argmax": "most probable label", "decision": "as users get it"}


def table(header: list[str], rows: list[list[str]]) -> str:
    """A Markdown table."""
    lines = ["| " + " | ".join(header) + " |", "|---" * len(header) + "|"]
    return "\n".join(lines + ["| " + " | ".join(row) + " |" for row in rows])


def accuracy(scores: dict[str, Any]) -> str:
    """The challenge's accuracy, with and without mirror images and duplicates."""
    names = (
        (f"all {scores['images']} images", ""),
        (
            f"the {scores['images_without_duplicates']} that are no duplicate of a Training image",
            "_without_duplicates",
        ),
    )
    rows = [
        [name, f"{scores['accuracy' + end]:.2%}", f"{scores['accuracy_flip_averaged' + end]:.2%}"]
        for name, end in names
    ]
    return (
        table([f"{scores['set']}, its own label", "one pass", "mean with mirror image"], rows)
        + f"\n\nMacro F1 {scores['macro_f1']:.3f}; area under the ROC curve "
        f"{scores['macro_roc_auc']:.3f}, mean over the classes; expected calibration error "
        f"{scores['expected_calibration_error']:.2%}."
    )


def _rules(found: dict[str, Any]) -> dict[str, str]:
    """Both rules, or one where a model without a rule of its own makes them the same."""
    return {"argmax": RULES["argmax"]} if found["argmax"] == found["decision"] else RULES


def people(scores: dict[str, Any]) -> str:
    """The people's reading: by the most probable label, and by the decision that users get."""
    found = scores["ferplus"]
    rules = _rules(found)
    keys = {
        "accuracy": "accuracy",
        "accuracy, images that are no duplicate of a Training image": "accuracy_without_duplicates",
        "macro F1": "macro_f1",
        "neutral faces read as angry, disgust, fear or sad": "neutral_as_negative",
        "the same, and `sure`": "neutral_as_negative_sure",
        "`sure`": "sure",
        "accuracy where `sure`": "accuracy_sure",
        "expected calibration error, against the votes": "expected_calibration_error",
    }
    rows = []
    for name, key in keys.items():
        form = ".3f" if key == "macro_f1" else ".2%"
        rows.append([name, *(f"{found[rule][key]:{form}}" for rule in rules)])
    return (
        table([f"{scores['set']}, FER+: {found['images']} images", *rules.values()], rows)
        + f"\n\nCross-entropy to the votes {found['cross_entropy']:.3f} nats; the entropy of the "
        f"votes themselves, which no network can go below, {found['entropy_of_votes']:.3f}."
    )


def per_class(scores: dict[str, Any]) -> str:
    """The challenge's reading: precision, recall, F1, ROC AUC and support of each class."""
    keys = ("precision", "recall", "f1", "roc_auc")
    rows = [
        [name, *(f"{s[key]:.3f}" for key in keys), str(s["support"])]
        for name, s in scores["per_class"].items()
    ]
    return table(["class", "precision", "recall", "F1", "ROC AUC", "images"], rows)


def people_per_class(scores: dict[str, Any]) -> str:
    """The people's reading: precision, recall and F1 of each class, by both rules."""
    rules = _rules(scores["ferplus"])
    found = {rule: scores["ferplus"][rule]["per_class"] for rule in rules}
    keys = {"precision": "precision", "recall": "recall", "F1": "f1"}
    header = ["class", *(f"{key}, {name}" for name in rules.values() for key in keys), "images"]
    rows = []
    for name in KNOWN_LABELS:
        values = [found[rule][name][key] for rule in rules for key in keys.values()]
        support = found["argmax"][name]["support"]
        rows.append([name, *(f"{value:.3f}" for value in values), str(support)])
    return table(header, rows)


def _confusion(names: tuple[str, ...], counts: list[list[int]], corner: str) -> str:
    rows = [[name, *map(str, row)] for name, row in zip(names, counts, strict=True)]
    return table([corner, *names], rows)


def confusion(scores: dict[str, Any]) -> str:
    """The challenge's reading. Rows: its label. Columns: read as."""
    return _confusion(LABELS, scores["confusion"], "label \\ read as")


def people_confusion(scores: dict[str, Any]) -> str:
    """The people's reading, by the decision that users get. Rows: what most people see."""
    counts = scores["ferplus"]["decision"]["confusion"]
    return _confusion(KNOWN_LABELS, counts, "people see \\ read as")


def coverage(right: np.ndarray, confidence: np.ndarray) -> str:
    """What a threshold of confidence buys."""
    rows = [
        [f"{c.threshold:g}", f"{c.coverage:.1%}", f"{c.accuracy:.1%}", f"{c.accuracy_below:.1%}"]
        for c in coverage_at(right, confidence, THRESHOLDS)
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
    lines = {
        "accuracy": "accuracy",
        "accuracy without duplicates of Training images": "accuracy_without_duplicates",
        "expected calibration error": "expected_calibration_error",
    }
    overall = [[name, *(f"{s[key]:.2%}" for s in named.values())] for name, key in lines.items()]
    return table(["", *named], overall) + "\n\n" + table(header, rows)
