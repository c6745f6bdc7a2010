"""Trains the network; the same command resumes from the last finished epoch.

Epochs are seeded one by one, so a resumed run repeats what an unbroken one would have done.
With `--minutes` the schedule follows the clock: on a busy machine it ends in time, with the
learning rate at zero, after as many epochs as fitted. CPU and GPU run the same code: bf16
autocast where the processor has it, with images and augmentation on the device.
"""

import argparse
import copy
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
from .beginning import SIDES_PX, Beginning, FromChance, Sides, read_beginning
from .data import add_data_arguments, read_data
from .device import add_device_argument, image_batches, mixed_precision, pick_device
from .errors import UserError, run_step
from .faces import Faces
from .network import SHAPES, EmotionNetwork, NetworkShape
from .targets import soft_targets, vote_shares
from .teach import Fold, read_teaching

WARM_UP_SHARE = 0.03
MOMENTUM = 0.9
# Lower, so that weights to begin from are not forgotten.
PRETRAINED_LEARNING_RATE = 0.03
SCORE_EVERY_EPOCHS = 3
# What a run may change when it is taken up again.
FREE_IN_RECIPE = {"epochs", "minutes"}


@dataclass(frozen=True)
class Recipe:
    """What decides the weights, with the seed. Stored in the model's metadata."""

    epochs: int = 45
    # If given, the schedule's length instead of `epochs`.
    minutes: float | None = None
    batch: int = 128
    learning_rate: float = 0.1
    weight_decay: float = 5e-4
    votes_weight: float = 0.4
    votes_head_weight: float = 0.2
    # Share of the targets that comes from teachers, where there are any.
    teacher_weight: float = 0.7
    average_decay: float = 0.998
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


def resize(faces: torch.Tensor, side_px: int) -> torch.Tensor:
    """Faces [N,1,H,W] at another size, averaged and not picked where it is smaller."""
    if faces.shape[-1] == side_px:
        return faces
    return functional.interpolate(faces, (side_px, side_px), mode="bilinear", antialias=True)


def make_optimizer(network: nn.Module, recipe: Recipe) -> torch.optim.SGD:
    """SGD with Nesterov momentum; norms, biases and filters of single channels do not decay."""
    decays, stays = [], []
    for module in network.modules():
        single = isinstance(module, nn.Conv2d) and module.groups > 1
        for parameter in module.parameters(recurse=False):
            if parameter.requires_grad:
                (decays if parameter.ndim > 1 and not single else stays).append(parameter)
    groups = [
        {"params": decays, "weight_decay": recipe.weight_decay},
        {"params": stays, "weight_decay": 0.0},
    ]
    return torch.optim.SGD(groups, recipe.learning_rate, MOMENTUM, nesterov=True)


@torch.no_grad()
def average_into(averaged: nn.Module, network: nn.Module, decay: float) -> None:
    """Exponential moving average of weights and of the norms' statistics."""
    goals = averaged.state_dict().values()
    for goal, source in zip(goals, network.state_dict().values(), strict=True):
        if goal.is_floating_point():
            goal.lerp_(source, 1 - decay)
        else:
            goal.copy_(source)


@torch.no_grad()
def accuracy(network: nn.Module, faces: Faces) -> float:
    """Share of faces whose most probable label is right."""
    network.eval()
    device = next(network.parameters()).device
    with mixed_precision(device):
        answers = [network(part).argmax(1).cpu() for part in image_batches(faces.images, device)]
    return float((torch.cat(answers).numpy() == faces.labels).mean())


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
    ) -> None:
        """`taught`: the teachers' probabilities [N,7]. `fold`: which rows were left out."""
        beginning = beginning or FromChance()
        self.recipe, self.shape, self.fold = recipe, shape, fold
        self.device = device or torch.device("cpu")
        self.images = torch.from_numpy(faces.images)[:, None].to(self.device)
        targets = torch.from_numpy(soft_targets(faces, recipe.votes_weight, recipe.seed))
        if taught is not None:
            targets = torch.lerp(targets, torch.from_numpy(taught), recipe.teacher_weight)
        self.taught = taught is not None
        self.targets = targets.to(self.device)
        self.votes = None
        if faces.votes is not None:
            self.votes = torch.from_numpy(vote_shares(faces.votes)).to(self.device)
        torch.manual_seed(recipe.seed)
        self.pretrained, self.earlier = beginning.pretrained, beginning.earlier
        self.sides_px = beginning.sides_px
        self.network = EmotionNetwork(shape)
        beginning.fill(self.network, self.images)
        if recipe.rounded:
            self.network.round_as_int8()
        self.network = self.network.to(self.device, memory_format=torch.channels_last)
        self.averaged = copy.deepcopy(self.network)
        self.optimizer = make_optimizer(self.network, recipe)
        self.augmentation = augmentation or Augmentation()
        self.epochs_done = 0
        self.steps_done = 0
        self.train_secs = 0.0

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
        self.optimizer.load_state_dict(content["optimizer"])
        self.epochs_done = content["epochs_done"]
        self.steps_done = content["steps_done"]
        self.train_secs = content["train_secs"]
        return True

    def _refuse_another_run(self, folder: Path, content: dict[str, Any]) -> None:
        kept = {"taught": content.get("taught", False), "fold": content.get("fold")}
        # What an older checkpoint does not mention was not there to be changed.
        found = vars(Recipe()) | content["recipe"] | content["augmentation"] | kept
        expected = vars(self.recipe) | vars(self.augmentation)
        expected |= {"taught": self.taught, "fold": self.fold_numbers}
        differ = [
            f"{key} {found.get(key)}, now {value}"
            for key, value in expected.items()
            if key not in FREE_IN_RECIPE and found.get(key) != value
        ]
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
            "optimizer": self.optimizer.state_dict(),
            "epochs_done": self.epochs_done,
            "steps_done": self.steps_done,
            "train_secs": self.train_secs,
            "recipe": vars(self.recipe),
            "augmentation": vars(self.augmentation),
            "votes_used": self.votes is not None,
            "taught": self.taught,
            "pretrained": self.pretrained,
            "earlier": self.earlier,
            "sides_px": self.sides_px,
            "fold": self.fold_numbers,
        }
        checkpoint.save(folder, content, self.shape)

    def loss(self, faces: torch.Tensor, rows: torch.Tensor) -> torch.Tensor:
        with mixed_precision(self.device):
            logits, vote_logits = self.network.forward_with_votes(faces)
        loss = functional.cross_entropy(logits.float(), self.targets[rows])
        if self.votes is not None:
            votes_loss = functional.cross_entropy(vote_logits.float(), self.votes[rows])
            loss = loss + self.recipe.votes_head_weight * votes_loss
        return loss

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
            for group in self.optimizer.param_groups:
                group["lr"] = learning_rate_at(progress, self.recipe.learning_rate)
            rows = order[step * self.recipe.batch : (step + 1) * self.recipe.batch]
            faces = augment(self.images[rows].float(), self.augmentation, generator)
            faces = resize(faces, side_px_at(progress, self.sides_px))
            loss = self.loss(faces.contiguous(memory_format=torch.channels_last), rows)
            self.optimizer.zero_grad(set_to_none=True)
            loss.backward()
            self.optimizer.step()
            # A young average would remember the random start; it looks back less far.
            young = (1 + self.steps_done) / (10 + self.steps_done)
            average_into(self.averaged, self.network, min(self.recipe.average_decay, young))
            # Not `.item()`: reading a number would make the GPU wait for every step.
            total, done = total + loss.detach(), done + 1
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
        metavar="FOLDER",
        help="weights to begin from (--network face or mobile), or an earlier run of the same one",
    )
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
    parser.add_argument("--sample", type=int, help="train on so many images only, to try it out")
    add_device_argument(parser)
    parser.add_argument("--threads", type=int, default=1, help="torch threads, default 1")
    args = parser.parse_args()
    if args.epochs < 1 or args.threads < 1 or (args.sample is not None and args.sample < 1):
        raise UserError("--epochs, --threads and --sample: expected numbers from 1")
    if args.minutes is not None and not 0 < args.minutes < math.inf:
        raise UserError(f"--minutes is {args.minutes}, expected more than 0")
    if not 0 <= args.teacher_weight <= 1:
        raise UserError(f"--teacher-weight is {args.teacher_weight}, expected 0 to 1")
    if args.rounded and not SHAPES[args.network].separable:
        raise UserError(f"--rounded with --network {args.network}: it is for --network mobile only")
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
        taught = read_teaching(args.teaching, data.training)[rows]
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
            entry["validation"] = round(accuracy(trainer.averaged, data.validation), 4)
        with (args.run / "log.jsonl").open("a", encoding="utf-8") as log:
            log.write(json.dumps(entry) + "\n")
        left_minutes = trainer.train_secs / 60 * (1 / trainer.progress() - 1)
        tqdm.write(f"{json.dumps(entry)}  {max(0.0, left_minutes):.0f} min left")
    bar.close()
    print(f"{data.validation_name} {accuracy(trainer.averaged, data.validation):.4f}")
    print(f"{data.training_name}, not augmented {accuracy(trainer.averaged, faces):.4f}")


if __name__ == "__main__":
    run_step(main)
