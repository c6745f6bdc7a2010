"""The people's reading in one command, on one GPU: teachers, their views, a student, rounding.

Each training is bound to the clock, so that the whole takes `--minutes` on any GPU. Every step's
checkpoint is kept in a folder of its own under `--run`; a folder that is there already is taken up
where it stands. All Training rows that show a face train; PublicTest scores.
"""

import argparse
import json
import time
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch

from .augment import ROUGH, TAUGHT, Augmentation
from .beginning import read_beginning
from .data import add_data_arguments, read_data
from .device import add_device_argument, enlarged, mixed_precision, pick_device
from .errors import UserError, run_step
from .faces import DataSet, Faces
from .ferplus import ferplus
from .labels import KNOWN_LABELS, NEGATIVE_LABELS
from .network import SHAPES
from .targets import VOTES, is_no_face, vote_targets
from .train import Recipe, Trainer, answer_all
from .views import Views, make_views

VIEWS = 14
VIEWS_SEED = 7
TEACHER_WEIGHT = 0.75
VIEWS_MIX_SHARE = 0.25
NEGATIVE = tuple(KNOWN_LABELS.index(name) for name in NEGATIVE_LABELS)


@dataclass(frozen=True)
class Plan:
    """One training: what it is called, what it begins from, and its share of the time."""

    name: str
    network: str
    # `human`, `dlib` or `challenge`: a source's folder or model; or the name of an earlier plan.
    begin: str
    share: float
    recipe: Recipe
    augmentation: Augmentation


_TEACHER = Recipe(reading=VOTES, batch=256, learning_rate=0.03, average_decay=0.998)
# Three bodies, so that they err on different faces: the challenge's network, which has seen these
# images longest, and two that know faces and see them enlarged.
TEACHERS = (
    Plan("a1", "mobile", "challenge", 0.08, replace(_TEACHER, seed=1, sharpness=0.05), TAUGHT),
    Plan(
        "b1",
        "mobile-teacher",
        "human",
        0.21,
        replace(_TEACHER, seed=2, batch=128, sharpness=0.05, side_px=128),
        TAUGHT,
    ),
    Plan(
        "b2",
        "mobile-teacher",
        "human",
        0.12,
        replace(_TEACHER, seed=3, learning_rate=0.05, mix_share=0.4, side_px=112),
        TAUGHT,
    ),
    Plan(
        "a2",
        "mobile",
        "challenge",
        0.08,
        replace(_TEACHER, seed=4, sharpness=0.05, mix_share=0.4),
        TAUGHT,
    ),
    Plan("d1", "face-teacher", "dlib", 0.12, replace(_TEACHER, seed=5, side_px=112), TAUGHT),
)
_STUDENT = Recipe(reading=VOTES, batch=512, learning_rate=0.1, average_decay=0.998, seed=12)
STUDENTS = (
    Plan("short", "mobile-short", "human", 0.27, _STUDENT, ROUGH),
    Plan(
        "short-int8",
        "mobile-short",
        "short",
        0.12,
        replace(_STUDENT, learning_rate=0.01, rounded=True, seed=22),
        ROUGH,
    ),
)


def report(given: np.ndarray, faces: Faces) -> dict[str, float]:
    """FER+ accuracy of probabilities [N,8], and neutral faces read as negative ones."""
    seen = ferplus(faces.votes)
    chosen = given[seen.rows].argmax(1)
    calm = chosen[seen.labels == KNOWN_LABELS.index("neutral")]
    entropy = -(seen.shares * np.log(given[seen.rows] + 1e-9)).sum(1).mean()
    return {
        "accuracy": round(float((chosen == seen.labels).mean()), 4),
        "neutral as negative": round(float(np.isin(calm, NEGATIVE).mean()), 4),
        "cross-entropy": round(float(entropy), 4),
    }


class People:
    """The data, the folders, and the trainings that are done."""

    def __init__(
        self, data: DataSet, sources: dict[str, Path], folder: Path, device: torch.device
    ) -> None:
        if data.training.votes is None:
            raise UserError("the people's reading needs the votes, expected --votes FILE")
        self.training = data.training.part(np.flatnonzero(~is_no_face(data.training.votes)))
        self.scored, self.device = data.validation, device
        self.sources, self.folder = sources, folder

    def train(self, plan: Plan, minutes: float, views: Views | None = None) -> Trainer:
        """Trains for so long, and says how well."""
        start = time.monotonic()
        folder = self.folder / plan.name
        begin = self.sources.get(plan.begin, self.folder / plan.begin)
        trainer = Trainer(
            self.training,
            replace(plan.recipe, minutes=minutes),
            SHAPES[plan.network],
            self.device,
            beginning=read_beginning(begin, folder, plan.network, None),
            augmentation=plan.augmentation,
            views=views,
        )
        folder.mkdir(parents=True, exist_ok=True)
        trainer.resume(folder)
        losses = []
        while trainer.progress() < 1:
            losses.append(round(trainer.run_epoch(), 3))
        trainer.save(folder)
        entry = {"name": plan.name, "epochs": trainer.epochs_done, "steps": trainer.steps_done}
        entry["images_a_second"] = round(
            trainer.steps_done * plan.recipe.batch / max(trainer.train_secs, 1e-9)
        )
        entry["losses"] = losses[:: max(1, len(losses) // 8)]
        entry |= report(self._answers(trainer, self.scored.images), self.scored)
        entry["seconds"] = round(time.monotonic() - start, 1)
        self.log(entry)
        return trainer

    def log(self, entry: dict) -> None:
        """Prints an entry, and keeps it."""
        text = json.dumps(entry)
        print(text, flush=True)
        with (self.folder / "log.jsonl").open("a", encoding="utf-8") as log:
            log.write(text + "\n")

    @staticmethod
    def _answers(trainer: Trainer, images: np.ndarray) -> np.ndarray:
        return answer_all(trainer.averaged, images, trainer.side_px)

    def both_ways(self, trainer: Trainer) -> np.ndarray:
        """Probabilities [N,K] for the scored images, averaged with those of their mirror images."""
        images = self.scored.images
        mirrored = np.ascontiguousarray(images[:, :, ::-1])
        return (self._answers(trainer, images) + self._answers(trainer, mirrored)) / 2

    def views(self, teachers: list[Trainer], count: int) -> Views:
        """Views of the Training rows with the teachers' mean answer."""
        start = time.monotonic()
        given = np.mean([self.both_ways(teacher) for teacher in teachers], axis=0)
        self.log({"name": "all teachers, both ways", **report(given, self.scored)})

        def answer(faces: torch.Tensor) -> torch.Tensor:
            with mixed_precision(self.device):
                given = [
                    teacher.averaged(
                        enlarged(faces, teacher.side_px).contiguous(
                            memory_format=torch.channels_last
                        )
                    )
                    .float()
                    .softmax(1)
                    for teacher in teachers
                ]
            return torch.stack(given).mean(0)

        for teacher in teachers:
            teacher.averaged.eval()
        targets = vote_targets(self.training.votes)
        shares, weights = (
            torch.from_numpy(part).to(self.device) for part in (targets.shares, targets.weights)
        )
        images = torch.from_numpy(self.training.images)[:, None].to(self.device)
        views = make_views(
            images, shares, weights, answer, count, TEACHER_WEIGHT, VIEWS_MIX_SHARE, VIEWS_SEED
        )
        self.log({"name": "views", "seconds": round(time.monotonic() - start, 1)})
        return views


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    add_data_arguments(parser)
    parser.add_argument("--human", type=Path, required=True, help="`models` of @vladmandic/human")
    parser.add_argument("--dlib", type=Path, required=True, help="`model` of @vladmandic/face-api")
    parser.add_argument("--challenge", type=Path, required=True, help="models/fer2013.onnx")
    parser.add_argument("--run", type=Path, required=True, help="folder for all checkpoints")
    parser.add_argument("--minutes", type=float, default=7.2, help="of training, default 7.2")
    add_device_argument(parser)
    args = parser.parse_args()
    data = read_data(args)
    args.run.mkdir(parents=True, exist_ok=True)
    sources = {"human": args.human, "dlib": args.dlib, "challenge": args.challenge}
    people = People(data, sources, args.run, pick_device(args.device))
    teachers = [people.train(plan, plan.share * args.minutes) for plan in TEACHERS]
    views = people.views(teachers, VIEWS)
    for plan in STUDENTS:
        people.train(plan, plan.share * args.minutes, views)


if __name__ == "__main__":
    run_step(main)
