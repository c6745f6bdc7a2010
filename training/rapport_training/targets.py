"""What is learnt: the challenge's label, softened by what ten taggers saw, or what they saw.

Two readings, told apart. The taggers' majority agrees with the challenge on two rows in three only,
so for the challenge's reading their votes are not mixed in as they are: a regression learns
P(challenge label | votes); each row's answer comes from a fit that never saw that row
(cross-fitting). The people's reading is the votes themselves, as `ferplus` counts them.
"""

from dataclasses import dataclass

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold

from .errors import UserError
from .faces import Faces
from .ferplus import without_single_votes
from .labels import KNOWN_LABELS, LABELS, VOTE_COLUMNS, VOTE_LABELS

FOLDS = 5
CHALLENGE, VOTES = "challenge", "votes"
# By the name of the reading: the labels of a network that learns it.
LABELS_OF = {CHALLENGE: LABELS, VOTES: KNOWN_LABELS}


@dataclass(frozen=True)
class Targets:
    """Shares float32 [N,K] that sum to 1, and how much each image counts, float32 [N]."""

    labels: tuple[str, ...]
    shares: np.ndarray
    weights: np.ndarray


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


def vote_targets(votes: np.ndarray) -> Targets:
    """What the taggers saw, from votes [N,10].

    A single vote is noise. An image counts by the share of its votes that are for an expression,
    and not at all where most of them say that it is no face, or that it is not known.
    """
    left = without_single_votes(votes)
    counts = left[:, [VOTE_LABELS.index(name) for name in KNOWN_LABELS]]
    sums, all_sums = counts.sum(axis=1), left.sum(axis=1)
    uniform = np.full_like(counts, 1 / counts.shape[1])
    shares = np.where(sums[:, None] > 0, counts / np.maximum(sums, 1)[:, None], uniform)
    weights = np.where(left.argmax(axis=1) < len(VOTE_LABELS), sums / np.maximum(all_sums, 1), 0)
    return Targets(KNOWN_LABELS, shares.astype(np.float32), weights.astype(np.float32))


def is_no_face(votes: np.ndarray) -> np.ndarray:
    """Bool [N]: where more taggers say that it is no face than anything else."""
    return votes.argmax(axis=1) == VOTE_COLUMNS.index("NF")


def make_targets(faces: Faces, reading: str, votes_weight: float, seed: int) -> Targets:
    """The targets of a reading, `CHALLENGE` or `VOTES`."""
    if reading == VOTES:
        if faces.votes is None:
            raise UserError("--targets votes needs the votes, expected --votes FILE")
        return vote_targets(faces.votes)
    shares = soft_targets(faces, votes_weight, seed)
    return Targets(LABELS, shares, np.ones(len(faces), dtype=np.float32))
