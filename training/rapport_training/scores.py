"""All figures of one model on the validation part, as metadata and model card hold them.

Two readings. The challenge's: its own label, by the most probable of its seven classes; a model
that has contempt is scored without it, the others' probabilities over their sum. And the people's,
by FER+'s protocol (`ferplus`), twice: by the most probable label (`argmax`), and by the label that
users get (`decision`).

The calibration error of the people's reading: the images are put into 15 equal bins by confidence,
the reported label's probability. A bin's gap is between the mean confidence and the mean share of
the taggers' votes that went to the reported label; the error is the mean gap, each bin counting by
its images. Cross-entropy to the votes is given beside their entropy, which no model can go below;
a probability under 0.001 counts as 0.001, so that a class that a model does not have costs
something, not everything.
"""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from .decision import Decided, Decision
from .faces import DataSet
from .ferplus import FerPlus, ferplus, in_known_order
from .labels import CONTEMPT, KNOWN_LABELS, LABELS, NEGATIVE_LABELS
from .metrics import class_scores, confusion_matrix, reliability, roc_auc, vote_reliability
from .session import EmotionSession

LEAST_PROBABILITY = 0.001
NEGATIVE = np.isin(KNOWN_LABELS, NEGATIVE_LABELS)


def challenge_order(probabilities: np.ndarray, labels: Sequence[str]) -> np.ndarray:
    """Probabilities [N,K] as [N,7] in `LABELS` order: without contempt, over their sum."""
    seven = in_known_order(probabilities, labels)[:, : KNOWN_LABELS.index(CONTEMPT)]
    return seven / np.maximum(seven.sum(axis=1, keepdims=True), np.finfo(seven.dtype).tiny)


def decide_known(rule: Decision, probabilities: np.ndarray, labels: Sequence[str]) -> Decided:
    """What the rule reports, as indices into `KNOWN_LABELS`."""
    decided = rule.decide(probabilities, labels)
    known = np.array([KNOWN_LABELS.index(name) for name in labels])
    return Decided(known[decided.labels], decided.confidence, decided.sure)


def _share(values: np.ndarray) -> float:
    return round(float(values.mean()), 4) if values.size else 0.0


def score_decided(decided: Decided, seen: FerPlus) -> dict[str, Any]:
    """The people's reading of what was reported for the images that count."""
    right = decided.labels == seen.labels
    confusion = confusion_matrix(seen.labels, decided.labels, len(KNOWN_LABELS))
    classes = class_scores(confusion)
    neutral = seen.labels == KNOWN_LABELS.index("neutral")
    negative = NEGATIVE[decided.labels]
    reported = vote_reliability(seen.shares, decided.labels, decided.confidence)
    return {
        "accuracy": _share(right),
        "macro_f1": round(float(np.mean([s.f1 for s in classes])), 4),
        "neutral_as_negative": _share(negative[neutral]),
        "neutral_as_negative_sure": _share((negative & decided.sure)[neutral]),
        "sure": _share(decided.sure),
        "accuracy_sure": _share(right[decided.sure]),
        "expected_calibration_error": round(reported.expected_calibration_error(), 4),
        "per_class": {
            name: {
                "precision": round(s.precision, 3),
                "recall": round(s.recall, 3),
                "f1": round(s.f1, 3),
                "support": s.support,
            }
            for name, s in zip(KNOWN_LABELS, classes, strict=True)
        },
        "confusion": confusion.tolist(),
    }


def score_people(
    probabilities: np.ndarray,
    labels: Sequence[str],
    decision: Decision,
    seen: FerPlus,
    alone: np.ndarray | None = None,
) -> dict[str, Any]:
    """The people's reading from probabilities [N,K] of the images that count.

    `alone`: bool [N], those that equal no Training image.
    """
    known = np.maximum(in_known_order(probabilities, labels), LEAST_PROBABILITY)
    cross_entropy = float(-(seen.shares * np.log(known)).sum(axis=1).mean())
    rules = {"argmax": Decision(), "decision": decision}
    decided = {name: decide_known(rule, probabilities, labels) for name, rule in rules.items()}
    scores: dict[str, Any] = {
        "images": len(seen),
        "cross_entropy": round(cross_entropy, 4),
        "entropy_of_votes": round(seen.entropy(), 4),
    }
    for name, found in decided.items():
        scores[name] = score_decided(found, seen)
        if alone is not None:
            scores[name]["accuracy_without_duplicates"] = _share(
                (found.labels == seen.labels)[alone]
            )
    return scores


def score(session: EmotionSession, data: DataSet) -> dict[str, Any]:
    """Both readings: the challenge's, and under `ferplus` the people's where there are votes."""
    faces = data.validation
    alone = ~data.validation_duplicates()
    answers, _ = session.run_all(faces.images)
    probabilities = challenge_order(answers, session.labels)
    mirrored = challenge_order(session.run_all_mirrored(faces.images), session.labels)
    right = probabilities.argmax(axis=1) == faces.labels
    flip_right = (probabilities + mirrored).argmax(axis=1) == faces.labels
    confusion = confusion_matrix(faces.labels, probabilities.argmax(axis=1), len(LABELS))
    areas = roc_auc(faces.labels, probabilities)
    classes = class_scores(confusion)

    def mean(values: Iterable[float]) -> float:
        return round(float(np.mean(list(values))), 4)

    per_class = {
        name: {
            "precision": round(s.precision, 3),
            "recall": round(s.recall, 3),
            "f1": round(s.f1, 3),
            "support": s.support,
            "roc_auc": round(area, 3),
        }
        for name, s, area in zip(LABELS, classes, areas, strict=True)
    }
    scores = {
        "set": data.validation_name,
        "images": len(faces),
        "accuracy": _share(right),
        "images_without_duplicates": int(alone.sum()),
        "accuracy_without_duplicates": _share(right[alone]),
        "accuracy_flip_averaged": _share(flip_right),
        "accuracy_flip_averaged_without_duplicates": _share(flip_right[alone]),
        "macro_precision": mean(s.precision for s in classes),
        "macro_recall": mean(s.recall for s in classes),
        "macro_f1": mean(s.f1 for s in classes),
        "macro_roc_auc": mean(areas),
        "expected_calibration_error": round(
            reliability(faces.labels, probabilities).expected_calibration_error(), 4
        ),
        "per_class": per_class,
        "confusion": confusion.tolist(),
    }
    if faces.votes is not None:
        seen = ferplus(faces.votes)
        if len(seen):
            scores["ferplus"] = score_people(
                answers[seen.rows], session.labels, session.decision, seen, alone[seen.rows]
            )
    return scores
