"""Fits the decision rule of a model (`decision`) to what people see, and tells what it costs.

A guest whose calm face is taken for an angry or sad one is worse served than one whose anger is
overlooked, so a negative label (angry, disgust, fear, sad) needs more evidence than another:

1. Weights for sad, for fear, and one for angry and disgust, which a robot answers alike: those
   that read at most so many neutral faces as negative and keep most of accuracy plus the share
   of the negative faces that are read as what they are.
2. `min_confidence`: the least from which the labels reported are wrong half as often as all of
   them are, off the curve of accuracy over coverage.
3. `min_confidence_of` for the same three: those that leave at most so many neutral faces read as
   negative with `sure`, and keep most negative faces read as what they are with `sure`.

The limits that the fit aims at are a tenth below those asked for, so that other faces keep them
too. What is printed is fitted on one half of the images and scored on the other, both ways; the
rule that `--write` puts into the file is fitted on all. The temperature is not touched: the export
folds it into the network; it is only fitted again on each half, to tell how well it holds on faces
that it was not fitted to.
"""

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import onnx

from . import tables
from .contract import check, read_metadata
from .data import add_data_arguments, read_data
from .decision import KEY, MIN_CONFIDENCE, Decided, Decision
from .errors import UserError, run_step
from .export import write_model
from .faces import DataSet
from .ferplus import FerPlus, ferplus, in_known_order
from .labels import KNOWN_LABELS, NEGATIVE_LABELS
from .metrics import coverage_at, fit_temperature
from .scores import NEGATIVE, decide_known, score_decided
from .session import EmotionSession

# Labels that share a weight, as they share an answer in `config/policy.yaml`.
GROUPS = (("sad",), ("angry", "disgust"), ("fear",))
WEIGHTS = tuple(round(0.3 + 0.05 * step, 2) for step in range(15))
THRESHOLDS = tuple(round(0.3 + 0.05 * step, 2) for step in range(13))
ERROR_WHERE_SURE = 0.5
FITTED_BELOW = 0.9
HALVES_SEED = 0


@dataclass(frozen=True)
class Limits:
    """The largest share of neutral faces that may be read as negative, in all and with `sure`."""

    negative: float = 0.05
    negative_sure: float = 0.02


def _choices(values: Sequence[float], unset: float) -> Iterator[dict[str, float]]:
    """Every way to give each group one of the values; labels that have `unset` are left out."""
    for chosen in product(values, repeat=len(GROUPS)):
        named = {
            name: value
            for group, value in zip(GROUPS, chosen, strict=True)
            for name in group
            if value != unset
        }
        yield dict(sorted(named.items()))


@dataclass(frozen=True)
class _Truth:
    """What people see, as masks [N] and the labels [N] in `KNOWN_LABELS` order."""

    labels: np.ndarray
    neutral: np.ndarray
    negative: np.ndarray

    @classmethod
    def of(cls, seen: FerPlus) -> "_Truth":
        neutral = seen.labels == KNOWN_LABELS.index("neutral")
        return cls(seen.labels, neutral, NEGATIVE[seen.labels])


def _mean(values: np.ndarray) -> float:
    return float(values.mean()) if values.size else 0.0


def fit_weights(
    probabilities: np.ndarray, labels: Sequence[str], seen: FerPlus, limit: float
) -> dict[str, float]:
    """Step 1. A `UserError` where no weights keep the limit."""
    truth, best = _Truth.of(seen), (-1.0, {})
    for weights in _choices(sorted(WEIGHTS, reverse=True), 1.0):
        chosen = decide_known(Decision(weights), probabilities, labels).labels
        if _mean(NEGATIVE[chosen[truth.neutral]]) > limit:
            continue
        right = chosen == truth.labels
        value = _mean(right) + _mean(right[truth.negative])
        if value > best[0] + 1e-9:
            best = value, weights
    if best[0] < 0:
        raise UserError(
            f"weights down to {min(WEIGHTS)} read more than {limit:.1%} of the neutral faces as "
            "negative; expected a model that tells them apart"
        )
    return best[1]


def fit_min_confidence(decided: Decided, seen: FerPlus) -> float:
    """Step 2: the default, or more where the labels reported are not right often enough."""
    right = decided.labels == seen.labels
    asked = 1 - ERROR_WHERE_SURE * (1 - _mean(right))
    thresholds = [value for value in THRESHOLDS if value >= MIN_CONFIDENCE]
    for found in coverage_at(right, decided.confidence, thresholds):
        if found.accuracy >= asked:
            return found.threshold
    return thresholds[-1]


def fit_min_confidence_of(
    decided: Decided, seen: FerPlus, min_confidence: float, limit: float
) -> dict[str, float]:
    """Step 3. The strictest where none keeps the limit."""
    truth = _Truth.of(seen)
    right, negative = decided.labels == truth.labels, NEGATIVE[decided.labels]
    confidence = decided.confidence.astype(np.float32)
    values = [value for value in THRESHOLDS if value >= min_confidence]
    best: tuple[float, dict[str, float]] = (-1.0, dict.fromkeys(NEGATIVE_LABELS, values[-1]))
    for choice in _choices(values, min_confidence):
        least = np.array(
            [choice.get(name, min_confidence) for name in KNOWN_LABELS], dtype=np.float32
        )
        sure = confidence >= least[decided.labels]
        if _mean((negative & sure)[truth.neutral]) > limit:
            continue
        value = _mean((right & sure)[truth.negative])
        if value > best[0] + 1e-9:
            best = value, choice
    return best[1]


def fit(
    probabilities: np.ndarray, labels: Sequence[str], seen: FerPlus, limits: Limits
) -> Decision:
    """The whole rule, on probabilities [N,K] of the images that count."""
    weights = fit_weights(probabilities, labels, seen, FITTED_BELOW * limits.negative)
    decided = decide_known(Decision(weights), probabilities, labels)
    least = fit_min_confidence(decided, seen)
    limit = FITTED_BELOW * limits.negative_sure
    return Decision(weights, least, fit_min_confidence_of(decided, seen, least, limit))


def halves(count: int) -> tuple[np.ndarray, np.ndarray]:
    """Two halves of so many images, at random, the same ones each time."""
    order = np.random.default_rng(HALVES_SEED).permutation(count)
    return np.sort(order[: count // 2]), np.sort(order[count // 2 :])


def decided_across(
    probabilities: np.ndarray, labels: Sequence[str], seen: FerPlus, limits: Limits
) -> Decided:
    """What is reported for each half by the rule that is fitted on the other."""
    parts = halves(len(seen))
    found = Decided(
        np.zeros(len(seen), dtype=int),
        np.zeros(len(seen), dtype=np.float32),
        np.zeros(len(seen), dtype=bool),
    )
    for fitted, scored in (parts, parts[::-1]):
        rule = fit(probabilities[fitted], labels, seen.part(fitted), limits)
        part = decide_known(rule, probabilities[scored], labels)
        found.labels[scored] = part.labels
        found.confidence[scored] = part.confidence
        found.sure[scored] = part.sure
    return found


def temperature_across(
    probabilities: np.ndarray, labels: Sequence[str], seen: FerPlus, rule: Decision
) -> str:
    """The temperature fitted again on each half, and the calibration error on the other."""
    logits = np.log(np.maximum(in_known_order(probabilities, labels), 1e-9))
    parts, found, fitted = halves(len(seen)), np.zeros_like(logits), []
    for known, scored in (parts, parts[::-1]):
        temperature = fit_temperature(seen.shares[known], logits[known])
        warmed = np.exp(logits[scored] / temperature)
        found[scored] = warmed / warmed.sum(axis=1, keepdims=True)
        fitted.append(f"{temperature:.2f}")
    decided = decide_known(rule, found, KNOWN_LABELS)
    error = score_decided(decided, seen)["expected_calibration_error"]
    return (
        f"Fitted again on each half, the temperature is {' and '.join(fitted)} times the file's; "
        f"the calibration error on the other half, by the rule as shipped, is {error:.2%}."
    )


def _row(name: str, scores: dict[str, Any], recall_sure: float) -> list[str]:
    recalls = [f"{scores['per_class'][label]['recall']:.1%}" for label in NEGATIVE_LABELS]
    keys = ("neutral_as_negative", "neutral_as_negative_sure", "accuracy")
    shares = [f"{scores[key]:.1%}" for key in keys]
    return [
        name,
        *shares,
        f"{scores['macro_f1']:.3f}",
        *recalls,
        f"{recall_sure:.1%}",
        f"{scores['sure']:.1%}",
        f"{scores['accuracy_sure']:.1%}",
    ]


def trade(
    probabilities: np.ndarray,
    labels: Sequence[str],
    seen: FerPlus,
    chosen: Decision,
    limits: Limits,
) -> str:
    """What the rule costs, for several limits across halves, and for the chosen rule itself."""
    negative = NEGATIVE[seen.labels]

    def row(name: str, decided: Decided) -> list[str]:
        kept = (decided.labels == seen.labels) & decided.sure
        return _row(name, score_decided(decided, seen), _mean(kept[negative]))

    rows = [row("most probable label", decide_known(Decision(), probabilities, labels))]
    scale = limits.negative_sure / limits.negative
    for asked in sorted({0.06, 0.04, 0.03, limits.negative}, reverse=True):
        tried = limits if asked == limits.negative else Limits(asked, asked * scale)
        name = f"at most {asked:.0%} and {tried.negative_sure:.1%} asked for, across halves"
        try:
            rows.append(row(name, decided_across(probabilities, labels, seen, tried)))
        except UserError:
            continue
    rows.append(row("as shipped, fitted on all", decide_known(chosen, probabilities, labels)))
    header = ["rule", "neutral read as negative", "and `sure`", "accuracy", "macro F1"]
    header += [f"recall of {name}" for name in NEGATIVE_LABELS]
    header += ["negative faces read right and `sure`", "`sure`", "right where `sure`"]
    return tables.table(header, rows)


def rule_table(decision: Decision, labels: Sequence[str]) -> str:
    """The rule's numbers per label."""
    rows = [
        [
            name,
            f"{decision.weights.get(name, 1.0):g}",
            f"{decision.min_confidence_of.get(name, decision.min_confidence):g}",
        ]
        for name in labels
    ]
    return tables.table(["label", "weight", "`sure` from"], rows)


def write(path: Path, decision: Decision, data: DataSet) -> None:
    """Puts the rule into the file's metadata, and the scores that users get by it."""
    model = onnx.load(path)
    write_model(model, path, read_metadata(model) | {KEY: decision.to_json()}, data)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add_data_arguments(parser)
    parser.add_argument("--model", type=Path, required=True, help="an emotion model as ONNX")
    parser.add_argument(
        "--negative",
        type=float,
        default=Limits.negative,
        help="largest share of neutral faces read as negative (default 0.05)",
    )
    parser.add_argument(
        "--negative-sure",
        type=float,
        default=Limits.negative_sure,
        help="the same with `sure` (default 0.02)",
    )
    parser.add_argument("--write", action="store_true", help="write the rule into the file")
    args = parser.parse_args()
    check(args.model)
    session, data = EmotionSession(args.model), read_data(args)
    if data.validation.votes is None:
        raise UserError("a decision is fitted to the votes, expected --votes FILE")
    seen = ferplus(data.validation.votes)
    probabilities, _ = session.run_all(data.validation.images[seen.rows])
    limits = Limits(args.negative, args.negative_sure)
    chosen = fit(probabilities, session.labels, seen, limits)
    print(trade(probabilities, session.labels, seen, chosen, limits), end="\n\n")
    decided = decide_known(chosen, probabilities, session.labels)
    print(tables.coverage(decided.labels == seen.labels, decided.confidence), end="\n\n")
    print(temperature_across(probabilities, session.labels, seen, chosen), end="\n\n")
    print(rule_table(chosen, session.labels), end="\n\n")
    print(f"decision: {chosen.to_json()}")
    if args.write:
        write(args.model, chosen, data)


if __name__ == "__main__":
    run_step(main)
