"""Faces of a site with what people say that they show: an export of `rapport feedback export`.

`feedback.jsonl` has an object a line; those with a `file` and a label as `answer` count here. The
pictures are level crops as the network sees them, so they become training images by being made
small, grey, and brought to a normal exposure, as the robot does it.

Where such faces train, a guard holds what was reached: by FER+'s protocol the network must not
become worse than what it began from, or the run is refused and `export` takes nothing from it.
"""

import argparse
import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from PIL import Image, UnidentifiedImageError

from .errors import UserError
from .exposure import expose
from .faces import Faces
from .ferplus import ferplus, in_known_order
from .files import whole
from .labels import INPUT_SIZE_PX, KNOWN_LABELS, LABELS, VOTE_COLUMNS, VOTE_LABELS
from .session import EmotionSession
from .targets import VOTES

LINES = "feedback.jsonl"
GUARD = "guard.json"
# An answer counts like an image that all ten taggers agree on.
TAGGERS = 10.0
# Share of an epoch's images that are the site's.
SHARE = 0.1
# An answer counts at most so many times the median one.
MOST_WEIGHT = 10.0


def add_feedback_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds `--feedback` and `--feedback-share`."""
    parser.add_argument(
        "--feedback",
        type=Path,
        metavar="FOLDER",
        help="faces of a site that train too, an export with faces; goes with --targets votes and "
        "--begin, and the run is refused where FER+ accuracy falls",
    )
    parser.add_argument(
        "--feedback-share",
        type=float,
        default=SHARE,
        help=f"share of the images that are the site's, default {SHARE}",
    )


def check_feedback_arguments(args: argparse.Namespace) -> None:
    """A `UserError` where they do not go with the others of the step `train`."""
    if not 0 < args.feedback_share < 1:
        raise UserError(f"--feedback-share is {args.feedback_share}, expected between 0 and 1")
    if args.feedback is not None:
        if args.targets != VOTES or args.begin is None or args.votes is None:
            raise UserError(
                "--feedback: expected --targets votes, --votes FILE and --begin with it: people "
                "answer what they see, and the guard compares with what the run began from"
            )
        if args.teaching is not None or args.fold is not None:
            raise UserError("--feedback with --teaching or --fold: expected neither of them")


@dataclass(frozen=True)
class Site:
    """The faces, and how many faces of the site each stands for [N]."""

    faces: Faces
    weights: np.ndarray

    def __len__(self) -> int:
        return len(self.weights)

    def drawn(self, beside: int, share: float, seed: int) -> Faces:
        """So many of them, by their weights and with repetition, that they are `share` of all."""
        count = max(1, round(share / (1 - share) * beside))
        chance = np.minimum(self.weights, MOST_WEIGHT * np.median(self.weights))
        generator = np.random.default_rng(seed)
        rows = generator.choice(len(self), size=count, p=chance / chance.sum())
        return self.faces.part(rows)


def _picture(path: Path) -> np.ndarray:
    """Grey uint8 [48,48]."""
    try:
        with Image.open(path) as image:
            grey = image.convert("L").resize((INPUT_SIZE_PX,) * 2, Image.Resampling.BOX)
    except (UnidentifiedImageError, SyntaxError, Image.DecompressionBombError) as error:
        raise UserError(f"{path}: not readable as a picture ({error})") from error
    except OSError as error:  # Pillow raises it for files cut short, too
        raise UserError(f"{path}: {error.strerror or error}") from error
    face = torch.from_numpy(np.asarray(grey, dtype=np.float32).copy())[None, None]
    return expose(face)[0, 0].round().clamp(0, 255).numpy().astype(np.uint8)


def _line(text: str, where: str) -> dict[str, Any]:
    try:
        line = json.loads(text)
    except json.JSONDecodeError as error:
        raise UserError(f"{where}: not JSON ({error}), expected one object a line") from error
    if not isinstance(line, dict):
        raise UserError(f"{where}: {type(line).__name__}, expected an object")
    chance = line.get("chance")
    if isinstance(chance, bool) or not isinstance(chance, int | float) or not 0 < chance <= 1:
        raise UserError(f"{where}: chance is {json.dumps(chance)}, expected more than 0, up to 1")
    answer = line.get("answer")
    if answer not in (*KNOWN_LABELS, "not_a_face", "cant_tell"):
        raise UserError(f"{where}: answer is {json.dumps(answer)}, expected a label or no label")
    file = line.get("file")
    if file is not None and not isinstance(file, str):
        raise UserError(f"{where}: file is {json.dumps(file)}, expected a name or null")
    return line


def read_feedback(folder: Path) -> Site:
    """Reads an export. Raises `UserError` with file and line of anything that is wrong."""
    path = folder / LINES
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (FileNotFoundError, NotADirectoryError):
        raise UserError(f"{path}: no such file; expected an export with faces") from None
    except UnicodeDecodeError as error:
        raise UserError(f"{path}: not UTF-8 ({error})") from error
    images, labels, weights = [], [], []
    for number, text in enumerate(lines, 1):
        if not text.strip():
            continue
        where = f"{path}:{number}"
        line = _line(text, where)
        if line.get("file") is None or line["answer"] not in KNOWN_LABELS:
            continue
        picture = (folder / line["file"]).resolve()
        if not picture.is_relative_to(folder.resolve()):
            raise UserError(f"{where}: file is {line['file']}, expected one inside {folder}")
        images.append(_picture(picture))
        labels.append(line["answer"])
        weights.append(1 / line["chance"])
    if not images:
        raise UserError(
            f"{path}: {len(lines)} lines, none with a face and a label; expected answers about "
            "faces that people consented to keep"
        )
    votes = np.zeros((len(labels), len(VOTE_COLUMNS)), dtype=np.float32)
    votes[np.arange(len(labels)), [VOTE_LABELS.index(name) for name in labels]] = TAGGERS
    # Contempt is none of the challenge's; only the votes are learnt from.
    challenge = [LABELS.index(name) if name in LABELS else 0 for name in labels]
    return Site(Faces(np.stack(images), np.array(challenge), votes), np.array(weights))


def together(first: Faces, second: Faces) -> Faces:
    """Both, one after the other; both have votes."""
    if first.votes is None or second.votes is None:
        raise UserError("--feedback learns what people say, expected --votes FILE too")
    return Faces(
        np.concatenate([first.images, second.images]),
        np.concatenate([first.labels, second.labels]),
        np.concatenate([first.votes, second.votes]),
    )


@dataclass(frozen=True)
class Guard:
    """FER+ accuracy on the validation part of what a run began from, and of what came out."""

    before: float
    after: float | None = None

    @property
    def holds(self) -> bool:
        """Whether nothing was lost."""
        return self.after is not None and self.after >= self.before

    def save(self, run: Path) -> None:
        """Into the run's folder."""
        with whole(run / GUARD) as part:
            part.write_text(json.dumps({**asdict(self), "holds": self.holds}) + "\n")

    def refuse(self, run: Path) -> None:
        """A `UserError` where it does not hold."""
        if self.after is None:
            raise UserError(f"{run}: a run with --feedback that is not finished: run `train` again")
        if not self.holds:
            raise UserError(
                f"{run}: refused: FER+ accuracy is {self.after:.2%}, expected at least the "
                f"{self.before:.2%} of what it began from; give more feedback, a smaller "
                "--feedback-share or a lower --learning-rate"
            )


def read_guard(run: Path) -> Guard | None:
    """The run's guard; none where it was no run with feedback."""
    path = run / GUARD
    if not path.is_file():
        return None
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        return Guard(float(content["before"]), content["after"])
    except (ValueError, KeyError, TypeError) as error:
        raise UserError(f"{path}: not a guard of the step `train` ({error})") from error


class Scored(Protocol):
    """What trains."""

    epochs_done: int

    def accuracy(self, faces: Faces) -> float:
        """By the reading that is learnt."""
        ...


def start_guard(run: Path, begin: Path, trainer: Scored, faces: Faces) -> Guard:
    """The guard of a run, with the accuracy of what it begins from: of a model the file's own."""
    earlier = read_guard(run) if trainer.epochs_done else None
    if earlier is not None:
        before = earlier.before
    elif begin.suffix == ".onnx" and faces.votes is not None:
        session, seen = EmotionSession(begin), ferplus(faces.votes)
        probabilities, _ = session.run_all(faces.images[seen.rows])
        known = in_known_order(probabilities, session.labels)
        before = float((known.argmax(axis=1) == seen.labels).mean())
    else:
        before = trainer.accuracy(faces)
    guard = Guard(before)
    guard.save(run)
    print(f"begins from FER+ accuracy {before:.4f}", flush=True)
    return guard
