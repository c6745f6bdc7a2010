"""All figures of one model on the validation part, as metadata and model card hold them."""

from collections.abc import Iterable
from typing import Any

import numpy as np

from .faces import DataSet
from .labels import LABELS
from .metrics import class_scores, confusion_matrix, reliability, roc_auc
from .session import EmotionSession


def score(session: EmotionSession, data: DataSet) -> dict[str, Any]:
    """Accuracy with and without Training's twins, per class, and calibration."""
    faces = data.validation
    alone = ~data.validation_twins()
    probabilities, _ = session.run_all(faces.images)
    mirrored = session.run_all_mirrored(faces.images)
    right = probabilities.argmax(axis=1) == faces.labels
    flip_right = (probabilities + mirrored).argmax(axis=1) == faces.labels
    confusion = confusion_matrix(faces.labels, probabilities.argmax(axis=1), len(LABELS))

    def share(values: np.ndarray) -> float:
        return round(float(values.mean()), 4)

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
    return {
        "set": data.validation_name,
        "images": len(faces),
        "accuracy": share(right),
        "images_without_twins": int(alone.sum()),
        "accuracy_without_twins": share(right[alone]),
        "accuracy_flip_averaged": share(flip_right),
        "accuracy_flip_averaged_without_twins": share(flip_right[alone]),
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
