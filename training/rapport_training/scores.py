"""All figures of one model on PublicTest, as the metadata and the model card hold them."""

from typing import Any

import numpy as np

from .data import Fer2013
from .labels import LABELS
from .metrics import class_scores, confusion_matrix, expected_calibration_error
from .session import EmotionSession


def score(session: EmotionSession, data: Fer2013) -> dict[str, Any]:
    """PublicTest accuracy with and without Training's twins, per class, and calibration."""
    faces = data.public_test
    alone = ~data.public_test_twins()
    probabilities, _ = session.run_all(faces.images)
    mirrored, _ = session.run_all(faces.images[:, :, ::-1])
    right = probabilities.argmax(axis=1) == faces.labels
    flip_right = (probabilities + mirrored).argmax(axis=1) == faces.labels
    confusion = confusion_matrix(faces.labels, probabilities.argmax(axis=1), len(LABELS))

    def share(values: np.ndarray) -> float:
        return round(float(values.mean()), 4)

    per_class = {
        name: {
            "precision": round(s.precision, 3),
            "recall": round(s.recall, 3),
            "f1": round(s.f1, 3),
            "support": s.support,
        }
        for name, s in zip(LABELS, class_scores(confusion), strict=True)
    }
    return {
        "set": "FER2013 PublicTest",
        "images": len(faces),
        "accuracy": share(right),
        "images_without_twins": int(alone.sum()),
        "accuracy_without_twins": share(right[alone]),
        "accuracy_flip_averaged": share(flip_right),
        "accuracy_flip_averaged_without_twins": share(flip_right[alone]),
        "macro_f1": round(float(np.mean([c["f1"] for c in per_class.values()])), 4),
        "expected_calibration_error": round(
            expected_calibration_error(faces.labels, probabilities), 4
        ),
        "per_class": per_class,
        "confusion": confusion.tolist(),
    }
