"""Trains the network; the same command resumes from the last finished epoch.

Epochs are seeded one by one, so a resumed run repeats what an unbroken one would have done.
"""

import argparse
import copy
import json
import math
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from . import checkpoint
from .augment import Augmentation, augment
from .data import Faces, add_data_arguments, read_fer2013
from .errors import UserError, run_step
from .network import EmotionNetwork, NetworkShape
from .targets import soft_targets, vote_shares

WARM_UP_SHARE = 0.03
MOMENTUM = 0.9


@dataclass(frozen=True)
class Recipe:
    """What decides the weights, with the seed. Stored in the model's metadata."""

    epochs: int = 45
    batch: int = 128
    learning_rate: float = 0.1
    weight_decay: float = 5e-4
    votes_weight: float = 0.4
    votes_head_weight: float = 0.2
    average_decay: float = 0.998
    seed: int = 1


def learning_rate_at(progress: float, peak: float) -> float:
    """Linear warm-up, then a half cosine to zero. `progress` runs from 0 to 1."""
    if progress < WARM_UP_SHARE:
        return peak * progress / WARM_UP_SHARE
    return peak * 0.5 * (1 + math.cos(math.pi * (progress - WARM_UP_SHARE) / (1 - WARM_UP_SHARE)))


def make_optimizer(network: nn.Module, recipe: Recipe) -> torch.optim.SGD:
    """SGD with Nesterov momentum; norms and biases do not decay."""
    decays = [p for p in network.parameters() if p.ndim > 1]
    stays = [p for p in network.parameters() if p.ndim <= 1]
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
def accuracy(network: nn.Module, faces: Faces, batch: int = 256) -> float:
    """Share of faces whose most probable label is right."""
    network.eval()
    right = 0
    for start in range(0, len(faces), batch):
        images = torch.from_numpy(faces.images[start : start + batch]).float()[:, None]
        with torch.autocast("cpu", torch.bfloat16):
            answers = network(images.contiguous(memory_format=torch.channels_last)).argmax(1)
        right += int((answers.numpy() == faces.labels[start : start + batch]).sum())
    return right / len(faces)


class Trainer:
    """Network, average and optimizer, and the epochs done so far."""

    def __init__(self, faces: Faces, recipe: Recipe, shape: NetworkShape) -> None:
        self.recipe, self.shape = recipe, shape
        self.images = torch.from_numpy(faces.images)[:, None]
        self.targets = torch.from_numpy(soft_targets(faces, recipe.votes_weight, recipe.seed))
        self.votes = None if faces.votes is None else torch.from_numpy(vote_shares(faces.votes))
        torch.manual_seed(recipe.seed)
        self.network = EmotionNetwork(shape).to(memory_format=torch.channels_last)
        self.averaged = copy.deepcopy(self.network)
        self.optimizer = make_optimizer(self.network, recipe)
        self.augmentation = Augmentation()
        self.epochs_done = 0

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
        self.network.load_state_dict(content["network"])
        self.averaged.load_state_dict(content["averaged"])
        self.optimizer.load_state_dict(content["optimizer"])
        self.epochs_done = content["epochs_done"]
        return True

    def save(self, folder: Path) -> None:
        content = {
            "network": self.network.state_dict(),
            "averaged": self.averaged.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "epochs_done": self.epochs_done,
            "recipe": vars(self.recipe),
            "augmentation": vars(self.augmentation),
            "votes_used": self.votes is not None,
        }
        checkpoint.save(folder, content, self.shape)

    def loss(self, faces: torch.Tensor, rows: torch.Tensor) -> torch.Tensor:
        with torch.autocast("cpu", torch.bfloat16):
            logits, vote_logits = self.network.forward_with_votes(faces)
        loss = functional.cross_entropy(logits.float(), self.targets[rows])
        if self.votes is not None:
            votes_loss = functional.cross_entropy(vote_logits.float(), self.votes[rows])
            loss = loss + self.recipe.votes_head_weight * votes_loss
        return loss

    def run_epoch(self) -> float:
        """One pass over the images; returns the mean loss."""
        generator = torch.Generator().manual_seed(self.recipe.seed * 10_000 + self.epochs_done)
        order = torch.randperm(len(self.images), generator=generator)
        # A short last batch would give the norms poor statistics; it waits for another order.
        steps = max(1, len(order) // self.recipe.batch)
        total = 0.0
        self.network.train()
        for step in range(steps):
            progress = (self.epochs_done + step / steps) / self.recipe.epochs
            for group in self.optimizer.param_groups:
                group["lr"] = learning_rate_at(progress, self.recipe.learning_rate)
            rows = order[step * self.recipe.batch : (step + 1) * self.recipe.batch]
            faces = augment(self.images[rows].float(), self.augmentation, generator)
            loss = self.loss(faces.contiguous(memory_format=torch.channels_last), rows)
            self.optimizer.zero_grad(set_to_none=True)
            loss.backward()
            self.optimizer.step()
            # A young average would remember the random start; it looks back less far.
            done = self.epochs_done * steps + step
            average_into(
                self.averaged,
                self.network,
                min(self.recipe.average_decay, (1 + done) / (10 + done)),
            )
            total += loss.item()
        self.epochs_done += 1
        return total / steps


def main() -> None:
    defaults = Recipe()
    parser = argparse.ArgumentParser(description=__doc__)
    add_data_arguments(parser)
    parser.add_argument("--run", type=Path, required=True, help="folder for the checkpoint")
    parser.add_argument("--epochs", type=int, default=defaults.epochs)
    parser.add_argument("--seed", type=int, default=defaults.seed)
    parser.add_argument("--sample", type=int, help="train on so many images only, to try it out")
    parser.add_argument("--threads", type=int, default=1, help="torch threads, default 1")
    args = parser.parse_args()
    if args.epochs < 1 or args.threads < 1 or (args.sample is not None and args.sample < 1):
        raise UserError("--epochs, --threads and --sample: expected numbers from 1")

    torch.set_num_threads(args.threads)
    data = read_fer2013(args.fer2013, args.votes)
    faces = data.training
    if args.sample is not None:
        rows = np.random.default_rng(args.seed).permutation(len(faces))[: args.sample]
        votes = None if faces.votes is None else faces.votes[rows]
        faces = Faces(faces.images[rows], faces.labels[rows], votes)
    trainer = Trainer(faces, Recipe(epochs=args.epochs, seed=args.seed), NetworkShape())
    args.run.mkdir(parents=True, exist_ok=True)
    if trainer.resume(args.run):
        print(f"resumed after epoch {trainer.epochs_done}", flush=True)

    while trainer.epochs_done < args.epochs:
        start = time.monotonic()
        loss = trainer.run_epoch()
        epoch_secs = time.monotonic() - start
        trainer.save(args.run)
        score = accuracy(trainer.averaged, data.public_test)
        left_minutes = (args.epochs - trainer.epochs_done) * (time.monotonic() - start) / 60
        entry = {
            "epoch": trainer.epochs_done,
            "loss": round(loss, 4),
            "public_test": round(score, 4),
            "epoch_secs": round(epoch_secs, 1),
        }
        with (args.run / "log.jsonl").open("a", encoding="utf-8") as log:
            log.write(json.dumps(entry) + "\n")
        print(f"{json.dumps(entry)}  {left_minutes:.0f} min left", flush=True)
    print(f"PublicTest {accuracy(trainer.averaged, data.public_test):.4f}")
    print(f"Training, not augmented {accuracy(trainer.averaged, faces):.4f}")


if __name__ == "__main__":
    run_step(main)
