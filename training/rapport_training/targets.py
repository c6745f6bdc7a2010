"""Soft targets: the challenge's label, softened by what ten taggers saw.

The taggers' majority agrees with the challenge on two rows in three only, so their votes are
not mixed in as they are. A regression learns P(challenge label | votes); each row's answer
comes from a fit that never saw that row (cross-fitting).
"""

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold

from .errors import UserError
from .faces import Faces
from .labels import LABELS

FOLDS = 5


def vote_shares(votes: np.ndarray) -> np.ndarray:
    """Votes [N,10] to shares that sum to 1. A row without votes becomes uniform."""
    sums = votes.sum(axis=1, keepdims=True)
    uniform = np.full_like(votes, 1.0 / votes.shape[1])
    return np.where(sums > 0, votes / np.maximum(sums, 1.0), uniform)


def label_given_votes(votes: np.ndarray, labels: np.ndarray, seed: int) -> np.ndarray:
    """P(challenge label | votes) float32 [N,7], cross-fitted."""
    if len(labels) < FOLDS or np.bincount(labels).max() < FOLDS:
        raise UserError(
            f"{len(labels)} images, no class with {FOLDS}: too few to learn what the votes "
            "tell; give more images, or train without --votes"
        )
    shares = vote_shares(votes)
    # Square roots spread the small shares, where one vote more or less says most.
    inputs = np.concatenate([shares, np.sqrt(shares)], axis=1)
    probabilities = np.zeros((len(labels), len(LABELS)), dtype=np.float32)
    folds = StratifiedKFold(FOLDS, shuffle=True, random_state=seed)
    for fit_rows, answer_rows in folds.split(inputs, labels):
        model = LogisticRegression(C=1.0, max_iter=500)
        model.fit(inputs[fit_rows], labels[fit_rows])
        columns = model.classes_.astype(int)
        probabilities[np.ix_(answer_rows, columns)] = model.predict_proba(inputs[answer_rows])
    return probabilities


def soft_targets(faces: Faces, votes_weight: float, seed: int) -> np.ndarray:
    """Targets float32 [N,7] that sum to 1; one-hot where there are no votes."""
    one_hot = np.eye(len(LABELS), dtype=np.float32)[faces.labels]
    if faces.votes is None or votes_weight == 0:
        return one_hot
    given_votes = label_given_votes(faces.votes, faces.labels, seed)
    return (1 - votes_weight) * one_hot + votes_weight * given_votes
