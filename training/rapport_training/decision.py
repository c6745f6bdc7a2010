"""From probabilities to the label that users get: the decision rule in a model's metadata.

The metadata key `decision` holds JSON:

    {"weights": {"sad": 0.7}, "min_confidence": 0.5, "min_confidence_of": {"sad": 0.7}}

Each probability is multiplied by its label's weight (0 to 1; 1 where none is given), and the label
with the largest product is reported; of equals, the first in the model's order. Its confidence is
its own probability, without the weight. `sure` is true where the confidence is at least
`min_confidence_of` its label or, where that names none, `min_confidence`. The probabilities that
are published stay as the network gives them. Every key may be left out: weights are then 1 and
`min_confidence` is 0.5, which is also the rule of a model without `decision`. All in float32.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from .errors import UserError

KEY = "decision"
MIN_CONFIDENCE = 0.5


@dataclass(frozen=True)
class Decided:
    """Per face: index of the label reported, its own probability, and whether that is enough."""

    labels: np.ndarray
    confidence: np.ndarray
    sure: np.ndarray


@dataclass(frozen=True)
class Decision:
    """The rule of one model. Without arguments: the most probable label, sure from 0.5."""

    weights: dict[str, float] = field(default_factory=dict)
    min_confidence: float = MIN_CONFIDENCE
    min_confidence_of: dict[str, float] = field(default_factory=dict)

    def decide(self, probabilities: np.ndarray, labels: Sequence[str]) -> Decided:
        """What is reported for probabilities [N,K] of these labels."""
        weights = np.array([self.weights.get(name, 1.0) for name in labels], dtype=np.float32)
        least = np.array(
            [self.min_confidence_of.get(name, self.min_confidence) for name in labels],
            dtype=np.float32,
        )
        probabilities = probabilities.astype(np.float32)
        chosen = (probabilities * weights).argmax(axis=1)
        confidence = probabilities[np.arange(len(chosen)), chosen]
        return Decided(chosen, confidence, confidence >= least[chosen])

    def to_json(self) -> str:
        """As the metadata holds it."""
        return json.dumps(
            {
                "weights": self.weights,
                "min_confidence": self.min_confidence,
                "min_confidence_of": self.min_confidence_of,
            }
        )


def _share(where: str, value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
        raise UserError(f"{where} is {json.dumps(value)}, expected a number from 0 to 1")
    return float(value)


def _shares(where: str, value: Any, labels: Sequence[str]) -> dict[str, float]:
    if not isinstance(value, dict):
        raise UserError(f"{where} is {json.dumps(value)}, expected labels with numbers")
    for name in value:
        if name not in labels:
            raise UserError(f"{where} names `{name}`, expected labels of {', '.join(labels)}")
    return {name: _share(f"{where} of {name}", number) for name, number in value.items()}


def read_decision(text: str | None, labels: Sequence[str], where: str) -> Decision:
    """The rule that the metadata holds; the default where it holds none.

    `where` begins the message of a `UserError`, which names what was found and what is expected.
    """
    if text is None:
        return Decision()
    where = f"{where}: metadata `{KEY}`"
    try:
        content = json.loads(text)
    except json.JSONDecodeError as error:
        raise UserError(f"{where} is no JSON ({error})") from error
    if not isinstance(content, dict):
        raise UserError(f"{where} is {text[:80]}, expected a JSON object")
    known = ("weights", "min_confidence", "min_confidence_of")
    for key in content:
        if key not in known:
            raise UserError(f"{where} has `{key}`, expected {', '.join(known)}")
    decision = Decision(
        _shares(f"{where}: weights", content.get("weights", {}), labels),
        _share(f"{where}: min_confidence", content.get("min_confidence", MIN_CONFIDENCE)),
        _shares(f"{where}: min_confidence_of", content.get("min_confidence_of", {}), labels),
    )
    if all(decision.weights.get(name, 1.0) == 0 for name in labels):
        raise UserError(f"{where}: every weight is 0, expected at least one above")
    return decision
