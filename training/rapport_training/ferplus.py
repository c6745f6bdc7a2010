"""FER+'s protocol: what most of ten taggers see in an image, as microsoft/FERPlus counts it.

Per image, in this order:

1. A vote that stands alone is noise: a class with one vote or less gets none.
2. The image's label is the class with more than half of the votes that are left. Without one, or
   where it is `unknown` or `NF` (no face), the image does not count.
3. The label is one of eight: the challenge's seven and contempt. `shares` are the votes left for
   these eight, over their sum.

A model of seven classes is scored on the same images: where people see contempt, it is wrong.
A model's classes may stand in any order; `in_known_order` brings them into that of `KNOWN_LABELS`,
with 0 for a class that the model does not have.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from .labels import KNOWN_LABELS, VOTE_COLUMNS, VOTE_LABELS

# Where the votes for each of `KNOWN_LABELS` stand among the columns of the file.
_COLUMNS = [VOTE_LABELS.index(name) for name in KNOWN_LABELS]


@dataclass(frozen=True)
class FerPlus:
    """The images that count: their rows [N], labels [N] and shares of the votes [N,8].

    Labels and shares are in the order of `KNOWN_LABELS`; `votes` [N,10] are as they were given.
    """

    rows: np.ndarray
    labels: np.ndarray
    shares: np.ndarray
    votes: np.ndarray

    def __len__(self) -> int:
        return len(self.rows)

    def part(self, which: np.ndarray) -> "FerPlus":
        """Some of the images, by index or mask."""
        return FerPlus(self.rows[which], self.labels[which], self.shares[which], self.votes[which])

    def entropy(self) -> float:
        """Mean entropy of the shares in nats: the least cross-entropy that a model can reach."""
        logs = np.log(np.where(self.shares > 0, self.shares, 1.0))
        return float(-(self.shares * logs).sum(axis=1).mean())

    def said_by(self, label: str, taggers: float) -> np.ndarray:
        """Bool [N]: where at least this many of the taggers, single votes included, say it."""
        return self.votes[:, VOTE_LABELS.index(label)] >= taggers


def without_single_votes(votes: np.ndarray) -> np.ndarray:
    """Votes [N,10] without those that nobody shares."""
    return np.where(votes <= 1, 0.0, votes)


def ferplus(votes: np.ndarray) -> FerPlus:
    """The images that count by the protocol, from votes [N,10] in `VOTE_COLUMNS` order."""
    if votes.ndim != 2 or votes.shape[1] != len(VOTE_COLUMNS):
        raise ValueError(f"votes are {votes.shape}, expected [N,{len(VOTE_COLUMNS)}]")
    left = without_single_votes(votes)
    most = left.argmax(axis=1)
    majority = left.max(axis=1) > 0.5 * left.sum(axis=1)
    rows = np.flatnonzero(majority & (most < len(VOTE_LABELS)))
    counts = left[rows][:, _COLUMNS]
    shares = counts / counts.sum(axis=1, keepdims=True)
    return FerPlus(rows, counts.argmax(axis=1), shares, votes[rows])


def in_known_order(probabilities: np.ndarray, labels: Sequence[str]) -> np.ndarray:
    """Probabilities [N,K] of a model's labels as [N,8] in `KNOWN_LABELS` order."""
    known = np.zeros((len(probabilities), len(KNOWN_LABELS)), dtype=probabilities.dtype)
    known[:, [KNOWN_LABELS.index(name) for name in labels]] = probabilities
    return known
