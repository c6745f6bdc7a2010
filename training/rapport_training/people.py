"""The people's reading in one command, on one GPU: teachers, their views, students, rounding.

Each training is bound to the clock, so that the whole takes `--minutes` on any GPU. Every step's
checkpoint is kept in a folder of its own under `--run`; a folder that is there already is taken up
where it stands. A tenth of the Training rows is held back throughout, for choices.
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
from .network import SHAPES
from .targets import VOTES, is_no_face, vote_targets
from .teach import Fold, write_teaching
from .train import Recipe, Trainer, answer_all
from .views import Views, make_views

HELD_BACK = Fold(1, 10)
VIEWS = 20
VIEWS_SEED = 7
TEACHER_WEIGHT = 0.75
VIEWS_MIX_SHARE = 0.25


@dataclass(frozen=True)
class Plan:
    """One training: what it is called, what it begins from, and its share of the time."""

    name: str
    network: str
    # `human` or `dlib`: a source's folder; or the name of an earlier plan.
    begin: str
    share: float
    recipe: Recipe
    augmentation: Augmentation


_TEACHER = Recipe(
    reading=VOTES, batch=128, learning_rate=0.03, average_decay=0.998, side_px=160, sharpness=0.05
)
TEACHERS = (
    Plan("t1", "mobile-teacher", "human", 0.14, replace(_TEACHER, seed=1), TAUGHT),
    Plan(
        "t2",
        "mobile-teacher",
        "human",
        0.10,
        replace(_TEACHER, seed=2, side_px=128, sharpness=0.0, mix_share=0.6, batch=256),
        TAUGHT,
    ),
    Plan("t3", "mobile-teacher", "human", 0.15, replace(_TEACHER, seed=3, mix_share=0.3), TAUGHT),
    Plan(
        "t4",
        "face-teacher",
        "dlib",
        0.08,
        replace(_TEACHER, seed=4, side_px=144, learning_rate=0.02),
        TAUGHT,
    ),
)
_STUDENT = Recipe(reading=VOTES, batch=512, learning_rate=0.1, average_decay=0.998)
_ROUNDED = replace(_STUDENT, learning_rate=0.01, rounded=True)
STUDENTS = (
    Plan("short", "mobile-short", "human", 0.19, replace(_STUDENT, seed=11), ROUGH),
    Plan("free", "mobile-free", "human", 0.19, replace(_STUDENT, seed=12), ROUGH),
)
ROUNDED = (
    Plan("short-int8", "mobile-short", "short", 0.06, replace(_ROUNDED, seed=21), ROUGH),
    Plan("free-int8", "mobile-free", "free", 0.06, replace(_ROUNDED, seed=22), ROUGH),
)


def report(name: str, given: np.ndarray, faces: Faces, neutral: int = 4) -> dict[str, float]:
    """FER+ accuracy of probabilities [N,8], and neutral faces read as negative ones."""
    seen = ferplus(faces.votes)
    chosen = given[seen.rows].argmax(1)
    calm = chosen[seen.labels == neutral]
    entropy = -(seen.shares * np.log(given[seen.rows] + 1e-9)).sum(1).mean()
    return {
        f"{name} accuracy": round(float((chosen == seen.labels).mean()), 4),
        f"{name} neutral as negative": round(float(np.isin(calm, (0, 1, 2, 5)).mean()), 4),
        f"{name} cross-entropy": round(float(entropy), 4),
    }


def held_back_rows(training: Faces) -> tuple[np.ndarray, np.ndarray]:
    """Rows to train on, and rows held back: without images of no face, and without duplicates."""
    rows = HELD_BACK.kept(len(training))
    rows = rows[~is_no_face(training.votes[rows])]
    held = HELD_BACK.left_out(len(training))
    # A duplicate in Training would make a face no longer new.
    known = {image.tobytes() for image in training.images[rows]}
    return rows, held[[image.tobytes() not in known for image in training.images[held]]]


class People:
    """The data, the folders, and the trainings that are done."""

    def __init__(
        self, data: DataSet, sources: dict[str, Path], folder: Path, device: torch.device
    ) -> None:
        if data.training.votes is None:
            raise UserError("the people's reading needs the votes, expected --votes FILE")
        rows, held = held_back_rows(data.training)
        self.training, self.device = data.training.part(rows), device
        self.parts = {"held back": data.training.part(held), "PublicTest": data.validation}
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
            fold=HELD_BACK,
            beginning=read_beginning(begin, folder, plan.network, HELD_BACK.numbers()),
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
        for name, faces in self.parts.items():
            entry |= report(name, self._answers(trainer, faces.images), faces)
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

    def both_ways(self, trainer: Trainer, images: np.ndarray) -> np.ndarray:
        """Probabilities [N,K], averaged with those of the mirror images."""
        mirrored = np.ascontiguousarray(images[:, :, ::-1])
        return (self._answers(trainer, images) + self._answers(trainer, mirrored)) / 2

    def views(self, teachers: list[Trainer], count: int) -> Views:
        """Views of the Training rows with the teachers' mean answer."""
        start = time.monotonic()
        for name, faces in self.parts.items():
            given = [self.both_ways(teacher, faces.images) for teacher in teachers]
            for teacher, alone in zip(teachers, given, strict=True):
                self.log({"mirrored, seed": teacher.recipe.seed, **report(name, alone, faces)})
            self.log({"name": "all teachers", **report(name, np.mean(given, axis=0), faces)})

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
    parser.add_argument("--run", type=Path, required=True, help="folder for all checkpoints")
    parser.add_argument("--minutes", type=float, default=10.0, help="of training, default 10")
    add_device_argument(parser)
    args = parser.parse_args()
    data = read_data(args)
    args.run.mkdir(parents=True, exist_ok=True)
    sources = {"human": args.human, "dlib": args.dlib}
    people = People(data, sources, args.run, pick_device(args.device))
    teachers = [people.train(plan, plan.share * args.minutes) for plan in TEACHERS]
    given = [people.both_ways(teacher, data.training.images) for teacher in teachers]
    write_teaching(args.run / "teaching.npz", np.mean(given, axis=0), data.training)
    views = people.views(teachers, VIEWS)
    for plan in (*STUDENTS, *ROUNDED):
        people.train(plan, plan.share * args.minutes, views)


if __name__ == "__main__":
    run_step(main)
