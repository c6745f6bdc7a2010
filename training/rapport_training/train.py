"""Trains the network; the same command resumes from the last finished epoch.

Epochs are seeded one by one, so a resumed run repeats what an unbroken one would have done.
With `--minutes` the schedule follows the clock: on a busy machine it ends in time, with the
learning rate at zero, after as many epochs as fitted. CPU and GPU run the same code: bf16
autocast where the processor has it, with images and augmentation on the device.
"""

import argparse
import json
import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn import functional
from tqdm import tqdm

from . import checkpoint
from .augment import CALM, Augmentation, augment
from .beginning import (
    PRETRAINED_FACES,
    SIDES_PX,
    Beginning,
    FromChance,
    Sides,
    read_beginning,
)
from .data import add_data_arguments, read_data
from .device import (
    add_device_argument,
    enlarged,
    image_batches,
    mixed_precision,
    pick_device,
)
from .engine import Batch, Engine, weighted_cross_entropy
from .errors import UserError, run_step
from .faces import Faces
from .feedback import (
    Guard,
    add_feedback_arguments,
    check_feedback_arguments,
    read_feedback,
    start_guard,
    together,
)
from .ferplus import ferplus
from .labels import INPUT_SIZE_PX, KNOWN_LABELS, LABELS
from .network import SHAPES, EmotionNetwork, NetworkShape
from .targets import CHALLENGE, LABELS_OF, make_targets, vote_shares
from .teach import Fold, digest, read_teaching
from .views import Views, mix

WARM_UP_SHARE = 0.03
# Lower, so that weights to begin from are not forgotten.
PRETRAINED_LEARNING_RATE = 0.03
SCORE_EVERY_EPOCHS = 3
# The clock must not run ahead of a GPU that has steps waiting.
SYNCHRONISE_EVERY_STEPS = 8
# What a run may change when it is taken up again.
FREE_IN_RECIPE = {"epochs", "minutes"}


@dataclass(frozen=True)
class Recipe:
    """What decides the weights, with the seed. Stored in the model's metadata."""

    epochs: int = 45
    # If given, the schedule's length instead of `epochs`.
    minutes: float | None = None
    # Whose reading is learnt, of `targets`.
    reading: str = CHALLENGE
    batch: int = 128
    learning_rate: float = 0.1
    weight_decay: float = 5e-4
    votes_weight: float = 0.4
    votes_head_weight: float = 0.2
    # Share of the targets that comes from teachers, where there are any.
    teacher_weight: float = 0.7
    average_decay: float = 0.998
    # Share of the images that are mixed with another one.
    mix_share: float = 0.0
    # How far uphill a step looks, 0 for not at all.
    sharpness: float = 0.0
    # Side that the images are enlarged to, if any.
    side_px: int | None = None
    # Whether filters and maps are rounded as int8 does.
    rounded: bool = False
    seed: int = 1


def learning_rate_at(progress: float, peak: float) -> float:
    """Linear warm-up, then a half cosine to zero. `progress` runs from 0 to 1."""
    if progress < WARM_UP_SHARE:
        return peak * progress / WARM_UP_SHARE
    return peak * 0.5 * (1 + math.cos(math.pi * (progress - WARM_UP_SHARE) / (1 - WARM_UP_SHARE)))


def side_px_at(progress: float, sides: Sides = SIDES_PX) -> int:
    """Side of the training images. `progress` runs from 0 to 1."""
    return next(side for start, side in reversed(sides) if progress >= start)


@torch.no_grad()
def answer_all(network: nn.Module, images: np.ndarray, side_px: int) -> np.ndarray:
    """Probabilities float32 [N,K] for grey uint8 [N,H,W], at the side that the network learnt."""
    network.eval()
    device = next(network.parameters()).device
    with mixed_precision(device):
        parts = [
            network(enlarged(part, side_px)).float().softmax(1)
            for part in image_batches(images, device)
        ]
    return torch.cat(parts).cpu().numpy()


def accuracy(
    network: nn.Module,
    faces: Faces,
    labels: tuple[str, ...] = LABELS,
    side_px: int = INPUT_SIZE_PX,
) -> float:
    """Share of faces whose most probable label is right: the challenge's, or most people's."""
    chosen = answer_all(network, faces.images, side_px).argmax(1)
    if labels == KNOWN_LABELS and faces.votes is not None:
        seen = ferplus(faces.votes)
        return float((chosen[seen.rows] == seen.labels).mean())
    return float((chosen == faces.labels).mean())


class Trainer:
    """Network, average and optimizer, and the epochs done so far."""

    def __init__(
        self,
        faces: Faces,
        recipe: Recipe,
        shape: NetworkShape,
        device: torch.device | None = None,
        taught: np.ndarray | None = None,
        fold: Fold | None = None,
        beginning: Beginning | None = None,
        augmentation: Augmentation | None = None,
        views: Views | None = None,
    ) -> None:
        """`taught`: the teachers' probabilities [N,K]. `fold`: which rows were left out.

        `views`: of the same faces, with targets of their own.
        """
        beginning = beginning or FromChance()
        self.recipe, self.shape, self.fold = recipe, shape, fold
        self.device = device or torch.device("cpu")
        self.images = torch.from_numpy(faces.images)[:, None].to(self.device)
        targets = make_targets(faces, recipe.reading, recipe.votes_weight, recipe.seed)
        shares = torch.from_numpy(targets.shares)
        if taught is not None:
            shares = torch.lerp(shares, torch.from_numpy(taught), recipe.teacher_weight)
        self.labels, self.targets = targets.labels, shares.to(self.device)
        self.weights = torch.from_numpy(targets.weights).to(self.device)
        self.views, self.taught = views, taught is not None or views is not None
        # What the run is about, for a run that is taken up again to be the same.
        self.content = {
            "images_sha256": digest(faces.images),
            "teaching_sha256": None if taught is None else digest(taught),
        }
        self.votes = None
        if faces.votes is not None and recipe.reading == CHALLENGE:
            self.votes = torch.from_numpy(vote_shares(faces.votes)).to(self.device)
        torch.manual_seed(recipe.seed)
        self.pretrained, self.earlier = beginning.pretrained, beginning.earlier
        self.sides_px = beginning.sides_px
        if recipe.side_px is not None:
            self.sides_px = ((0.0, recipe.side_px),)
        network = EmotionNetwork(shape, len(self.labels)).to(self.device)
        first = self.images[:PRETRAINED_FACES].float()
        beginning.fill(network, enlarged(first, self.side_px) if recipe.side_px else first)
        if recipe.rounded:
            network.round_as_int8()
        self.network = network.to(memory_format=torch.channels_last)
        self.engine = Engine(self.network, self._loss, recipe.weight_decay, recipe.sharpness)
        self.averaged = self.engine.averaged
        self.augmentation = augmentation or Augmentation()
        self.epochs_done = 0
        self.steps_done = 0
        self.train_secs = 0.0

    @property
    def side_px(self) -> int:
        """The images' side at the end of the schedule."""
        return self.sides_px[-1][1]

    def accuracy(self, faces: Faces) -> float:
        """Of the averaged weights, by the reading that is learnt."""
        return accuracy(self.averaged, faces, self.labels, self.side_px)

    def progress(self, share_of_epoch: float = 0.0) -> float:
        """Where the schedule stands, from 0 to 1."""
        if self.recipe.minutes is not None:
            return self.train_secs / (60 * self.recipe.minutes)
        return (self.epochs_done + share_of_epoch) / self.recipe.epochs

    def resume(self, folder: Path) -> bool:
        """Continues from the folder's checkpoint, if there is one."""
        content = checkpoint.load(folder)
        if content is None:
            return False
        if NetworkShape(**content["shape"]) != self.shape:
            raise UserError(
                f"{folder}: its checkpoint has shape {content['shape']}, "
                f"expected {self.shape}; give another --run folder"
            )
        self._refuse_another_run(folder, content)
        self.network.load_state_dict(content["network"])
        self.averaged.load_state_dict(content["averaged"])
        self.earlier = content.get("earlier", self.earlier)
        self.pretrained = content.get("pretrained", False)
        self.sides_px = content.get("sides_px", self.sides_px)
        self.engine.momentum.copy_(content["optimizer"]["momentum"])
        self.epochs_done = content["epochs_done"]
        self.steps_done = content["steps_done"]
        self.train_secs = content["train_secs"]
        return True

    def _refuse_another_run(self, folder: Path, content: dict[str, Any]) -> None:
        kept = {"taught": content.get("taught", False), "fold": content.get("fold")}
        # What an older checkpoint does not mention was not there to be changed.
        found = vars(Recipe()) | vars(Augmentation()) | content["recipe"] | content["augmentation"]
        found |= kept
        expected = vars(self.recipe) | vars(self.augmentation)
        expected |= {"taught": self.taught, "fold": self.fold_numbers}
        differ = [
            f"{key} {found.get(key)}, now {value}"
            for key, value in expected.items()
            if key not in FREE_IN_RECIPE and found.get(key) != value
        ]
        if (
            differ == []
            and content.get("images_sha256", self.content["images_sha256"])
            != (self.content["images_sha256"])
        ):
            differ.append("other training images (another --sample, or other data)")
        if (
            differ == []
            and content.get("teaching_sha256", self.content["teaching_sha256"])
            != (self.content["teaching_sha256"])
        ):
            differ.append("other answers of teachers (the content of --teaching)")
        if differ:
            raise UserError(
                f"{folder}: its run has {'; '.join(differ)}: "
                "repeat the options of that run, or give another --run folder"
            )

    @property
    def fold_numbers(self) -> list[int] | None:
        """Which part of how many is left out."""
        return None if self.fold is None else self.fold.numbers()

    def save(self, folder: Path) -> None:
        """Writes the folder's checkpoint."""
        content = {
            "network": self.network.state_dict(),
            "averaged": self.averaged.state_dict(),
            "optimizer": {"momentum": self.engine.momentum},
            "epochs_done": self.epochs_done,
            "steps_done": self.steps_done,
            "train_secs": self.train_secs,
            "recipe": vars(self.recipe),
            "augmentation": vars(self.augmentation),
            "votes_used": self.votes is not None or self.recipe.reading != CHALLENGE,
            "labels": list(self.labels),
            "taught": self.taught,
            **self.content,
            "pretrained": self.pretrained,
            "earlier": self.earlier,
            "sides_px": self.sides_px,
            "fold": self.fold_numbers,
        }
        checkpoint.save(folder, content, self.shape)

    def _loss(self, network: nn.Module, batch: Batch) -> torch.Tensor:
        faces, targets, weights, *votes = batch
        if not votes:
            return weighted_cross_entropy(network(faces), targets, weights)
        logits, vote_logits = network.forward_with_votes(faces)
        loss = weighted_cross_entropy(logits, targets, weights)
        votes_loss = functional.cross_entropy(vote_logits.float(), votes[0])
        return loss + self.recipe.votes_head_weight * votes_loss

    def _batch(self, rows: torch.Tensor, side_px: int, generator: torch.Generator) -> Batch:
        weights = self.weights[rows]
        if self.views is None:
            faces, targets = self.images[rows].float(), self.targets[rows]
        else:
            faces, targets = self.views.pick(rows, generator)
            # Where the taggers are silent, the teachers still answer.
            weights = torch.ones_like(weights)
        faces = augment(faces, self.augmentation, generator)
        if self.recipe.mix_share:
            # In another order of its own, since `rows` come at random.
            faces, own = mix(faces, faces.roll(1, 0), self.recipe.mix_share, generator)
            targets = torch.lerp(targets.roll(1, 0), targets, own[:, None])
            weights = torch.lerp(weights.roll(1, 0), weights, own)
        faces = enlarged(faces, side_px).contiguous(memory_format=torch.channels_last)
        votes = () if self.votes is None else (self.votes[rows],)
        return (faces, targets, weights, *votes)

    def run_epoch(self, on_step: Callable[[float], None] = lambda progress: None) -> float:
        """One pass over the images, or what time is left of it; returns the mean loss.

        `on_step` hears where the schedule stands.
        """
        generator = torch.Generator(self.device)
        generator.manual_seed(self.recipe.seed * 10_000 + self.epochs_done)
        order = torch.randperm(len(self.images), generator=generator, device=self.device)
        # A short last batch would give the norms poor statistics; it waits for another order.
        steps = max(1, len(order) // self.recipe.batch)
        total, done = torch.zeros((), device=self.device), 0
        self.network.train()
        for step in range(steps):
            start = time.monotonic()
            progress = self.progress(step / steps)
            if progress >= 1:
                break
            rows = order[step * self.recipe.batch : (step + 1) * self.recipe.batch]
            batch = self._batch(rows, side_px_at(progress, self.sides_px), generator)
            # A young average would remember the random start; it looks back less far.
            young = (1 + self.steps_done) / (10 + self.steps_done)
            rate = learning_rate_at(progress, self.recipe.learning_rate)
            loss = self.engine.step(batch, rate, min(self.recipe.average_decay, young))
            if self.device.type == "cuda" and step % SYNCHRONISE_EVERY_STEPS == 0:
                torch.cuda.synchronize()
            # Not `.item()`: reading a number would make the GPU wait for every step.
            total, done = total + loss, done + 1
            self.steps_done += 1
            self.train_secs += time.monotonic() - start
            on_step(progress)
        self.epochs_done += 1
        return total.item() / max(1, done)


def arguments() -> argparse.Namespace:
    """The command line, checked."""
    defaults = Recipe()
    parser = argparse.ArgumentParser(description=__doc__)
    add_data_arguments(parser)
    parser.add_argument("--run", type=Path, required=True, help="folder for the checkpoint")
    parser.add_argument("--network", choices=SHAPES, default="small", help="default small")
    parser.add_argument(
        "--begin",
        type=Path,
        metavar="FOLDER|FILE",
        help="weights to begin from: a source's, an earlier run's, an exported model, or a file "
        "of training/weights",
    )
    parser.add_argument(
        "--targets",
        choices=LABELS_OF,
        default=CHALLENGE,
        help="whose reading: the challenge's label, or the taggers' votes with contempt",
    )
    parser.add_argument("--batch", type=int, default=defaults.batch, help="default 128")
    parser.add_argument("--sharpness", type=float, default=0.0, help="how far uphill a step looks")
    parser.add_argument("--mix", type=float, default=0.0, help="share of the images to be mixed")
    parser.add_argument("--side", type=int, help="enlarge the images to this side in px")
    parser.add_argument("--learning-rate", type=float, help="its peak; default by the start")
    parser.add_argument("--calm", action="store_true", help="images are changed less")
    parser.add_argument(
        "--rounded",
        action="store_true",
        help="round filters and maps as int8 does: a last short run, --begin an earlier one",
    )
    parser.add_argument("--epochs", type=int, default=defaults.epochs)
    parser.add_argument("--minutes", type=float, help="schedule by the clock, not by epochs")
    parser.add_argument(
        "--teacher-weight",
        type=float,
        default=defaults.teacher_weight,
        help=f"share of the targets that --teaching gives, default {defaults.teacher_weight}",
    )
    parser.add_argument("--seed", type=int, default=defaults.seed)
    parser.add_argument("--fold", type=Fold.parse, metavar="K/N", help="leave out part K of N")
    parser.add_argument("--teaching", type=Path, help="teachers' answers, made by the step `teach`")
    add_feedback_arguments(parser)
    parser.add_argument("--sample", type=int, help="train on so many images only, to try it out")
    add_device_argument(parser)
    parser.add_argument("--threads", type=int, default=1, help="torch threads, default 1")
    args = parser.parse_args()
    if args.epochs < 1 or args.threads < 1 or (args.sample is not None and args.sample < 1):
        raise UserError("--epochs, --threads and --sample: expected numbers from 1")
    if args.minutes is not None and not 0 < args.minutes < math.inf:
        raise UserError(f"--minutes is {args.minutes}, expected more than 0")
    if args.batch < 1 or args.sharpness < 0 or not 0 <= args.mix <= 1:
        raise UserError("--batch from 1, --sharpness from 0, --mix from 0 to 1 are expected")
    if args.side is not None and args.side < INPUT_SIZE_PX:
        raise UserError(f"--side is {args.side}, expected {INPUT_SIZE_PX} or more")
    if not 0 <= args.teacher_weight <= 1:
        raise UserError(f"--teacher-weight is {args.teacher_weight}, expected 0 to 1")
    if args.rounded and not SHAPES[args.network].separable:
        raise UserError(f"--rounded with --network {args.network}: it is for --network mobile only")
    check_feedback_arguments(args)
    if args.learning_rate is not None and not 0 < args.learning_rate < math.inf:
        raise UserError(f"--learning-rate is {args.learning_rate}, expected more than 0")
    return args


def main() -> None:
    args = arguments()
    torch.set_num_threads(args.threads)
    data = read_data(args)
    rows = np.arange(len(data.training))
    if args.fold is not None:
        rows = args.fold.kept(len(rows))
    if args.sample is not None:
        rows = np.random.default_rng(args.seed).permutation(rows)[: args.sample]
    faces = data.training.part(rows)
    taught = None
    if args.teaching is not None:
        taught = read_teaching(args.teaching, data.training, LABELS_OF[args.targets])[rows]
    if args.feedback is not None:
        site = read_feedback(args.feedback)
        drawn = site.drawn(len(faces), args.feedback_share, args.seed)
        print(f"{len(site)} faces of the site, as {len(drawn)} of the images", flush=True)
        faces = together(faces, drawn)
    beginning, learning_rate = FromChance(), Recipe.learning_rate
    if args.begin is not None:
        fold = None if args.fold is None else args.fold.numbers()
        beginning = read_beginning(args.begin, args.run, args.network, fold)
        learning_rate = PRETRAINED_LEARNING_RATE
    if args.learning_rate is not None:
        learning_rate = args.learning_rate
    recipe = Recipe(
        epochs=args.epochs,
        minutes=args.minutes,
        reading=args.targets,
        batch=args.batch,
        sharpness=args.sharpness,
        mix_share=args.mix,
        side_px=args.side,
        seed=args.seed,
        learning_rate=learning_rate,
        teacher_weight=args.teacher_weight,
        rounded=args.rounded,
    )
    trainer = Trainer(
        faces,
        recipe,
        SHAPES[args.network],
        pick_device(args.device),
        taught,
        args.fold,
        beginning,
        CALM if args.calm else None,
    )
    args.run.mkdir(parents=True, exist_ok=True)
    if trainer.resume(args.run):
        print(f"resumed after epoch {trainer.epochs_done}", flush=True)
    guard = None
    if args.feedback is not None:
        guard = start_guard(args.run, args.begin, trainer, data.validation)

    # The bar shows in a terminal only; the lines do everywhere.
    bar = tqdm(
        total=1.0,
        initial=min(1.0, trainer.progress()),
        disable=None,
        bar_format="{percentage:3.0f}%|{bar}| {remaining} left, {desc}",
    )

    def on_step(progress: float) -> None:
        bar.update(progress - bar.n)

    while trainer.progress() < 1:
        bar.set_description(f"epoch {trainer.epochs_done + 1}")
        loss = trainer.run_epoch(on_step)
        trainer.save(args.run)
        entry = {
            "epoch": trainer.epochs_done,
            "loss": round(loss, 4),
            "train_minutes": round(trainer.train_secs / 60, 1),
        }
        if trainer.epochs_done % SCORE_EVERY_EPOCHS == 0:
            entry["validation"] = round(trainer.accuracy(data.validation), 4)
        with (args.run / "log.jsonl").open("a", encoding="utf-8") as log:
            log.write(json.dumps(entry) + "\n")
        left_minutes = trainer.train_secs / 60 * (1 / trainer.progress() - 1)
        tqdm.write(f"{json.dumps(entry)}  {max(0.0, left_minutes):.0f} min left")
    bar.close()
    print(f"{data.validation_name} {trainer.accuracy(data.validation):.4f}")
    print(f"{data.training_name}, not augmented {trainer.accuracy(faces):.4f}")
    if guard is not None:
        guard = Guard(guard.before, trainer.accuracy(data.validation))
        guard.save(args.run)
        guard.refuse(args.run)


if __name__ == "__main__":
    run_step(main)
