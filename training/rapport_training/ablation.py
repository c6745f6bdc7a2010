"""What to turn the taggers' votes into: one linear layer on fixed features, target by target.

The features are those of `--model` (its last maps, averaged), so that each choice costs seconds.
The layer is fitted on Training and scored by FER+ on PublicTest.
"""

import argparse
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from .beginning import PRETRAINED_FACES, FromModel
from .data import add_data_arguments, read_data
from .device import add_device_argument, image_batches, mixed_precision, pick_device
from .engine import weighted_cross_entropy
from .errors import UserError, run_step
from .faces import Faces
from .labels import KNOWN_LABELS, VOTE_LABELS
from .network import SHAPES, EmotionNetwork
from .people import report
from .tables import table
from .targets import Targets, is_no_face, vote_shares, vote_targets

EPOCHS = 40
BATCH = 512
LEARNING_RATE = 3e-3
SEEDS = (1, 2, 3)


def chosen(votes: np.ndarray) -> Targets:
    """As training has it."""
    targets = vote_targets(votes)
    return replace(targets, weights=targets.weights * ~is_no_face(votes))


def with_single_votes(votes: np.ndarray) -> Targets:
    """Single votes count like others."""
    counts = votes[:, [VOTE_LABELS.index(name) for name in KNOWN_LABELS]]
    sums = counts.sum(axis=1, keepdims=True)
    shares = np.where(sums > 0, counts / np.maximum(sums, 1), 1 / len(KNOWN_LABELS))
    return replace(chosen(votes), shares=shares.astype(np.float32))


def majority(votes: np.ndarray) -> Targets:
    """The label that most taggers name, and nothing of the others."""
    targets = chosen(votes)
    one_hot = np.eye(len(KNOWN_LABELS), dtype=np.float32)[targets.shares.argmax(1)]
    return replace(targets, shares=one_hot)


def all_alike(votes: np.ndarray) -> Targets:
    """Every image counts as much, whatever its votes for `unknown` and `NF`."""
    targets = chosen(votes)
    return replace(targets, weights=np.ones_like(targets.weights))


def only_clear(votes: np.ndarray) -> Targets:
    """Only images where one label has more than half of all votes."""
    targets = chosen(votes)
    clear = vote_shares(votes)[:, : len(VOTE_LABELS)].max(1) > 0.5
    return replace(targets, weights=targets.weights * clear)


CHOICES: dict[str, Callable[[np.ndarray], Targets]] = {
    "shares of the votes, single votes dropped, weighted (as trained)": chosen,
    "the same with single votes": with_single_votes,
    "the same, every image alike": all_alike,
    "the same, only images with a majority": only_clear,
    "the majority's label alone": majority,
}


@torch.no_grad()
def features(network: EmotionNetwork, faces: Faces, device: torch.device) -> torch.Tensor:
    """Mean of the last maps [N,C]."""
    with mixed_precision(device):
        parts = [
            network.features(part).mean(dim=(2, 3)).float()
            for part in image_batches(faces.images, device)
        ]
    return torch.cat(parts)


def fit(inputs: torch.Tensor, targets: Targets, seed: int) -> torch.nn.Linear:
    """A linear layer from features to logits."""
    torch.manual_seed(seed)
    layer = torch.nn.Linear(inputs.shape[1], len(targets.labels)).to(inputs.device)
    shares, weights = (
        torch.from_numpy(part.astype(np.float32)).to(inputs.device)
        for part in (targets.shares, targets.weights)
    )
    optimizer = torch.optim.Adam(layer.parameters(), LEARNING_RATE)
    steps = EPOCHS * (len(inputs) // BATCH)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
    generator = torch.Generator().manual_seed(seed)
    for _ in range(steps):
        rows = torch.randint(len(inputs), (BATCH,), generator=generator).to(inputs.device)
        loss = weighted_cross_entropy(layer(inputs[rows]), shares[rows], weights[rows])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
    return layer


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    add_data_arguments(parser)
    parser.add_argument("--model", type=Path, required=True, help="models/fer2013.onnx")
    parser.add_argument("--network", default="mobile", choices=SHAPES, help="its shape")
    add_device_argument(parser)
    args = parser.parse_args()
    data = read_data(args)
    if data.training.votes is None or data.validation.votes is None:
        raise UserError("the choice is about the votes, expected --votes FILE")
    device = pick_device(args.device)
    network = EmotionNetwork(SHAPES[args.network], len(KNOWN_LABELS)).to(device)
    first = torch.from_numpy(data.training.images[:PRETRAINED_FACES])[:, None].float().to(device)
    FromModel(args.model).fill(network, first)
    network.eval().to(memory_format=torch.channels_last)
    inputs, scored = (features(network, part, device) for part in (data.training, data.validation))
    rows = []
    for name, choose in CHOICES.items():
        targets = choose(data.training.votes)
        found = [
            report(
                fit(inputs, targets, seed)(scored).softmax(1).detach().cpu().numpy(),
                data.validation,
            )
            for seed in SEEDS
        ]
        mean = {key: np.mean([one[key] for one in found]) for key in found[0]}
        rows.append(
            [
                name,
                f"{mean['accuracy']:.1%}",
                f"{mean['neutral as negative']:.1%}",
                f"{mean['cross-entropy']:.3f}",
            ]
        )
    print(table(["target", "FER+", "neutral read as negative", "cross-entropy to votes"], rows))


if __name__ == "__main__":
    run_step(main)
