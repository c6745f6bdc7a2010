"""Labelled images, and the two parts of a data set."""

from dataclasses import dataclass

import numpy as np

from .labels import LABELS


@dataclass(frozen=True)
class Faces:
    """Images uint8 [N,48,48], labels int64 [N] in `LABELS` order, votes float32 [N,10]."""

    images: np.ndarray
    labels: np.ndarray
    votes: np.ndarray | None

    def __len__(self) -> int:
        return len(self.labels)

    def part(self, rows: np.ndarray) -> "Faces":
        """The faces of these rows."""
        votes = None if self.votes is None else self.votes[rows]
        return Faces(self.images[rows], self.labels[rows], votes)

    def counts(self) -> list[int]:
        """Images per class, in `LABELS` order."""
        return np.bincount(self.labels, minlength=len(LABELS)).tolist()


@dataclass(frozen=True)
class DataSet:
    """`training` trains; `validation` chooses: PublicTest, or the paper's validation folder."""

    training: Faces
    validation: Faces
    training_name: str
    validation_name: str

    def validation_duplicates(self) -> np.ndarray:
        """Bool [N]: which validation images equal a training image pixel for pixel."""
        seen = {image.tobytes() for image in self.training.images}
        return np.array([image.tobytes() in seen for image in self.validation.images], dtype=bool)
