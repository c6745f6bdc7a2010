"""How often each rule of a policy would fire, by what people see: each image as if it lasted.

A rule fires where the label that users get is one of its emotions and its confidence is at least
the rule's. Rules without an emotion are left out, and of the others all that is not about the
expression: attention, distance and so on. How long an expression must last and how long a rule
rests are left aside too, and with them what smoothing over time takes away: on a robot, rules fire
less often than here.

The second table proposes, for each rule, the least confidence in steps of 0.05 at which the rule
fires for no more than 1 in 200 of the faces that people call neutral, less a tenth; and checks that
by finding it on one half of the images and counting on the other, both ways.
"""

import argparse
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from . import tables
from .contract import check
from .data import add_data_arguments, read_data
from .decide import FITTED_BELOW, halves
from .decision import Decided
from .errors import UserError, run_step
from .ferplus import FerPlus, ferplus
from .labels import KNOWN_LABELS
from .scores import decide_known
from .session import EmotionSession

NEUTRAL_RATE = 1 / 200
SMILE_TAGGERS = 8
SMILE_RATE = 0.85
# Never below: under a half, the network holds the other expressions together for more probable.
CONFIDENCES = tuple(round(0.5 + 0.05 * step, 2) for step in range(10))


@dataclass(frozen=True)
class Rule:
    """What of a policy's rule a single image decides."""

    name: str
    emotions: tuple[str, ...]
    confidence: float

    def fires(self, decided: Decided, confidence: float | None = None) -> np.ndarray:
        """Bool [N]: for which of the faces, at this confidence in place of the rule's own."""
        least = np.float32(self.confidence if confidence is None else confidence)
        labels = [KNOWN_LABELS.index(name) for name in self.emotions]
        return np.isin(decided.labels, labels) & (decided.confidence >= least)


def _rule(where: str, content: Any) -> Rule:
    try:
        when = content["when"]
        emotion, confidence = when["emotion"], when["confidence"]
        emotions = (emotion,) if isinstance(emotion, str) else tuple(emotion)
        rule = Rule(str(content["name"]), emotions, float(confidence))
    except (KeyError, TypeError, ValueError) as error:
        raise UserError(
            f"{where}: expected name, and when with emotion and confidence ({error!r})"
        ) from error
    for name in rule.emotions:
        if name not in KNOWN_LABELS:
            raise UserError(
                f"{where}: emotion is {name}, expected one of {', '.join(KNOWN_LABELS)}"
            )
    return rule


def read_rules(path: Path) -> list[Rule]:
    """The rules of a policy file, in its order."""
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise UserError(f"{path}: not readable as a policy ({error})") from error
    rules = content.get("rules") if isinstance(content, dict) else None
    if not isinstance(rules, list) or not rules:
        raise UserError(f"{path}: no rules, expected a policy like config/policy.yaml")
    about = [(number, rule) for number, rule in enumerate(rules, 1) if not _is_about_others(rule)]
    if not about:
        raise UserError(f"{path}: no rule with emotion, expected one at least")
    return [_rule(f"{path}: rule {number}", rule) for number, rule in about]


def _is_about_others(rule: Any) -> bool:
    """Whether a rule is about attention, distance and the like, which no single image decides."""
    when = rule.get("when") if isinstance(rule, dict) else None
    return isinstance(when, dict) and bool(when) and not when.keys() & {"emotion", "confidence"}


def groups(seen: FerPlus) -> dict[str, np.ndarray]:
    """Masks [N] of the images by what most people see, and where nearly all see a smile."""
    found = {f"people see {name}": seen.labels == index for index, name in enumerate(KNOWN_LABELS)}
    found[f"at least {SMILE_TAGGERS} of ten say happy"] = seen.said_by("happy", SMILE_TAGGERS)
    return found


def _percent(which: np.ndarray, digits: int) -> str:
    return f"{which.mean():.{digits}%}" if which.size else ""


def rates(rules: list[Rule], decided: Decided, seen: FerPlus) -> str:
    """A table: how often each rule fires, by what people see."""
    fired = [rule.fires(decided) for rule in rules]
    rows = []
    for name, mask in groups(seen).items():
        shares = [_percent(where[mask], 1) for where in fired]
        rows.append([name, str(int(mask.sum())), *shares])
    header = [
        f"`{rule.name}`: {' or '.join(rule.emotions)} from {rule.confidence:g}" for rule in rules
    ]
    return tables.table(["faces", "images", *header], rows)


def least_confidence(rule: Rule, decided: Decided, neutral: np.ndarray) -> float:
    """The least confidence that keeps the rate; the highest where none does."""
    for confidence in CONFIDENCES:
        fired = rule.fires(decided, confidence)[neutral]
        if fired.sum() <= FITTED_BELOW * NEUTRAL_RATE * len(fired):
            return confidence
    return CONFIDENCES[-1]


def proposal(rules: list[Rule], decided: Decided, seen: FerPlus) -> str:
    """A table: the least confidence of each rule, and its rates, also found on the other half."""
    neutral = seen.labels == KNOWN_LABELS.index("neutral")
    parts = halves(len(seen))
    rows = []
    for rule in rules:
        meant = np.isin(seen.labels, [KNOWN_LABELS.index(name) for name in rule.emotions])
        across = np.zeros(len(seen), dtype=bool)
        for fitted, counted in (parts, parts[::-1]):
            known = Decided(*(part[fitted] for part in (decided.labels, decided.confidence)), None)
            confidence = least_confidence(rule, known, neutral[fitted])
            across[counted] = rule.fires(decided, confidence)[counted]
        least = least_confidence(rule, decided, neutral)
        now, then = rule.fires(decided), rule.fires(decided, least)
        rows.append(
            [
                f"`{rule.name}`",
                f"{rule.confidence:g}",
                _percent(now[neutral], 2),
                _percent(now[meant], 1),
                f"{least:g}",
                _percent(then[neutral], 2),
                _percent(then[meant], 1),
                _percent(across[neutral], 2),
            ]
        )
    header = ["rule", "confidence", "fires on neutral", "on what it is for"]
    header += ["least confidence for 1 in 200", "on neutral", "on what it is for"]
    return tables.table([*header, "on neutral, found on the other half"], rows)


def verdict(rules: list[Rule], decided: Decided, seen: FerPlus) -> str:
    """The two bars in words: neutral faces are left in peace, smiles are answered."""
    neutral = seen.labels == KNOWN_LABELS.index("neutral")
    smiles = seen.said_by("happy", SMILE_TAGGERS)
    fired = [rule.fires(decided)[neutral] for rule in rules]
    most = max(float(where.mean()) if where.size else 0.0 for where in fired)
    happy = [rule.fires(decided) for rule in rules if "happy" in rule.emotions]
    answered = float(np.any(happy, axis=0)[smiles].mean()) if happy and smiles.any() else 0.0
    return (
        f"On faces that people call neutral no rule fires for more than {most:.2%} (at most "
        f"{NEUTRAL_RATE:.1%} asked for). Where at least {SMILE_TAGGERS} of ten taggers say happy, "
        f"the rule for happy fires for {answered:.1%} (at least {SMILE_RATE:.0%} asked for)."
    )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add_data_arguments(parser)
    parser.add_argument("--model", type=Path, required=True, help="an emotion model as ONNX")
    parser.add_argument("--policy", type=Path, required=True, help="as config/policy.yaml")
    args = parser.parse_args()
    check(args.model)
    rules, session = read_rules(args.policy), EmotionSession(args.model)
    faces = read_data(args).validation
    if faces.votes is None:
        raise UserError("what people see is in the votes, expected --votes FILE")
    seen = ferplus(faces.votes)
    probabilities, _ = session.run_all(faces.images[seen.rows])
    decided = decide_known(session.decision, probabilities, session.labels)
    print(rates(rules, decided, seen), verdict(rules, decided, seen), sep="\n\n", end="\n\n")
    print(proposal(rules, decided, seen))


if __name__ == "__main__":
    run_step(main)
