"""Trains the upper blocks and the head of an exported MobileNet anew, on the taggers' votes.

For a machine without a GPU: what comes before the upper blocks stays as the model has it, in int8,
and is computed once for a few views of each image by ONNX Runtime. The upper blocks then learn from
these very values, rounded in training as `quantise` rounds them. The first view is the image as it
is, the second its mirror image, the others are moved and roughened.
"""

import argparse
import copy
import json
import time
from pathlib import Path

import numpy as np
import onnx
import onnxruntime as ort
import torch
from onnx import TensorProto, helper, numpy_helper
from torch import nn
from torch.nn import functional

from . import checkpoint
from .augment import VIEWED, Augmentation, augment
from .contract import INPUT
from .data import add_data_arguments, read_data
from .device import mixed_precision
from .errors import UserError, run_step
from .exported import Exported, fill_from, read_exported
from .faces import Faces
from .ferplus import ferplus
from .labels import KNOWN_LABELS
from .network import SHAPES, VARIANCE_FLOOR, EmotionNetwork, as_int8
from .people import HELD_BACK, held_back_rows, report
from .targets import VOTES, vote_targets
from .teach import digest, read_teaching
from .train import Recipe, learning_rate_at

NETWORK = "mobile"
# Images that set the norms.
FACES = 192
BATCH_OF_SESSION = 64


class Lower:
    """What comes before a block, from 1, of an exported int8 model of shape `NETWORK`."""

    def __init__(self, path: Path, block: int) -> None:
        model = onnx.load(path)
        graph = model.graph
        made_by = {name: node for node in graph.node for name in node.output}
        constants = {entry.name: entry for entry in graph.initializer}
        try:
            convolutions = [node for node in graph.node if node.op_type == "Conv"]
            first = convolutions[1 + 2 * (block - 1)]
            rounding = made_by[made_by[first.input[0]].input[0]]
            scale, zero = (numpy_helper.to_array(constants[name]) for name in rounding.input[1:3])
            floor = next(
                constants[name]
                for node in graph.node
                if node.op_type == "Add"
                for name in node.input
                if name in constants and numpy_helper.to_array(constants[name]).size == 1
            )
        except (KeyError, IndexError, StopIteration) as error:
            raise UserError(
                f"{path}: no block {block} in int8 ({error}), expected a model of --network mobile"
            ) from error
        if rounding.op_type != "QuantizeLinear" or zero != 0:
            raise UserError(f"{path}: block {block} is not in int8, expected an int8 model")
        self.step = float(scale)
        # As `network.standardise` has it now.
        floor.CopyFrom(
            numpy_helper.from_array(
                np.full_like(numpy_helper.to_array(floor), VARIANCE_FLOOR), floor.name
            )
        )
        needed, kept = {rounding.output[0]}, []
        for node in reversed(list(graph.node)):
            if needed & set(node.output):
                kept.append(node)
                needed |= set(node.input)
        del graph.node[:], graph.output[:]
        graph.node.extend(reversed(kept))
        graph.output.append(
            helper.make_tensor_value_info(rounding.output[0], TensorProto.UINT8, None)
        )
        used = [entry for name, entry in constants.items() if name in needed]
        del graph.initializer[:]
        graph.initializer.extend(used)
        options = ort.SessionOptions()
        options.intra_op_num_threads = 1
        self._session = ort.InferenceSession(model.SerializeToString(), options)

    def __call__(self, faces: torch.Tensor) -> np.ndarray:
        """Maps uint8 [N,C,h,w] of faces [N,1,48,48]; `step` is what one is worth."""
        parts = [
            self._session.run(None, {INPUT: part.numpy()})[0]
            for part in faces.split(BATCH_OF_SESSION)
        ]
        return np.concatenate(parts)


def view(images: np.ndarray, number: int, augmentation: Augmentation = VIEWED) -> torch.Tensor:
    """View `number`, from 0, of grey uint8 [N,48,48], as float [N,1,48,48]."""
    faces = torch.from_numpy(images).float()[:, None]
    if number == 0:
        return faces
    if number == 1:
        return faces.flip(3)
    parts = [
        augment(part, augmentation, torch.Generator().manual_seed(1000 * number + index))
        for index, part in enumerate(faces.split(512))
    ]
    return torch.cat(parts)


class Upper(nn.Module):
    """The blocks from one on, and the head: convolutions with offsets, and no norms.

    The model has learnt already. Without norms a step costs a third less, and a batch's other
    images do not matter. Filters are rounded as int8 has them.
    """

    def __init__(self, model: Exported, block: int) -> None:
        super().__init__()
        layers = model.layers[1 + 2 * (block - 1) :]
        self.filters = nn.ParameterList(
            filters.contiguous(memory_format=torch.channels_last) for filters, _ in layers
        )
        self.offsets = nn.ParameterList(offset.clone() for _, offset in layers)
        head, bias = model.for_labels(KNOWN_LABELS)
        self.head, self.bias = nn.Parameter(head), nn.Parameter(bias)

    def forward(self, maps: torch.Tensor) -> torch.Tensor:
        with mixed_precision(maps.device):
            for filters, offset in zip(self.filters, self.offsets, strict=True):
                # One channel each, then all channels.
                side = filters.shape[-1]
                groups = len(filters) if side > 1 else 1
                maps = functional.conv2d(maps, as_int8(filters), offset, 1, side // 2, 1, groups)
                maps = functional.relu6(maps)
        return functional.linear(maps.float().mean(dim=(2, 3)), self.head, self.bias)

    def into(self, model: Exported) -> Exported:
        """The model with what was learnt in its place."""
        learnt = [
            (filters.detach(), offset.detach())
            for filters, offset in zip(self.filters, self.offsets, strict=True)
        ]
        layers = [*model.layers[: -len(learnt)], *learnt]
        return Exported(model.path, layers, self.head.detach(), self.bias.detach(), KNOWN_LABELS)


def _maps(values: np.ndarray, step: float) -> torch.Tensor:
    maps = torch.from_numpy(np.ascontiguousarray(values)).float() * step
    return maps.contiguous(memory_format=torch.channels_last)


@torch.no_grad()
def answers(upper: Upper, values: np.ndarray, step: float) -> np.ndarray:
    """Probabilities [N,K] for maps uint8 [N,C,h,w]."""
    parts = [
        upper(_maps(values[start : start + 128], step)).softmax(1)
        for start in range(0, len(values), 128)
    ]
    return torch.cat(parts).numpy()


def refit(
    upper: Upper, views: list[np.ndarray], step: float, targets: torch.Tensor, recipe: Recipe
) -> tuple[Upper, int]:
    """Trains for `recipe.minutes`; returns the averaged weights, and the steps done."""
    averaged = copy.deepcopy(upper)
    decaying = [*upper.filters, upper.head]
    optimizer = torch.optim.AdamW(
        [
            {"params": decaying, "weight_decay": recipe.weight_decay},
            {"params": [*upper.offsets, upper.bias], "weight_decay": 0.0},
        ],
        recipe.learning_rate,
        betas=(0.9, 0.98),
    )
    generator, start, done = np.random.default_rng(recipe.seed), time.monotonic(), 0
    while True:
        order = generator.permutation(len(targets))
        for at in range(0, len(order) - recipe.batch + 1, recipe.batch):
            progress = (time.monotonic() - start) / (60 * recipe.minutes)
            if progress >= 1:
                return averaged, done
            for group in optimizer.param_groups:
                group["lr"] = learning_rate_at(progress, recipe.learning_rate)
            rows = np.sort(order[at : at + recipe.batch])
            which = generator.integers(0, len(views), len(rows))
            values = np.stack([views[v][row] for v, row in zip(which, rows, strict=True)])
            loss = functional.cross_entropy(upper(_maps(values, step)), targets[rows])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            done += 1
            with torch.no_grad():
                decay = min(recipe.average_decay, done / (9 + done))
                for goal, source in zip(averaged.parameters(), upper.parameters(), strict=True):
                    goal.lerp_(source, 1 - decay)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    add_data_arguments(parser)
    parser.add_argument("--model", type=Path, required=True, help="int8, of --network mobile")
    parser.add_argument("--teaching", type=Path, help="teachers' answers of the step `people`")
    parser.add_argument("--teacher-weight", type=float, default=0.6, help="default 0.6")
    parser.add_argument("--run", type=Path, required=True, help="folder for the checkpoint")
    parser.add_argument("--block", type=int, default=7, help="first to be trained, default 7")
    parser.add_argument("--views", type=int, default=4, help="of each image, default 4")
    parser.add_argument("--minutes", type=float, default=30.0, help="of training, default 30")
    parser.add_argument("--learning-rate", type=float, default=0.0003, help="default 0.0003")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--threads", type=int, default=1, help="torch threads, default 1")
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    data = read_data(args)
    if data.training.votes is None:
        raise UserError("the people's reading needs the votes, expected --votes FILE")
    rows, held = held_back_rows(data.training)
    training = data.training.part(rows)
    given = vote_targets(training.votes)
    shares, trust = torch.from_numpy(given.shares), torch.from_numpy(given.weights)[:, None]
    targets, taught = shares, None
    if args.teaching is not None:
        taught = read_teaching(args.teaching, data.training, KNOWN_LABELS)[rows]
        # Where the taggers are silent, the teachers have it all.
        trust = (1 - args.teacher_weight) * trust
        targets = torch.lerp(torch.from_numpy(taught), shares, trust)
    recipe = Recipe(
        minutes=args.minutes,
        reading=VOTES,
        batch=128,
        learning_rate=args.learning_rate,
        weight_decay=1e-3,
        average_decay=0.995,
        teacher_weight=args.teacher_weight if taught is not None else 0.0,
        rounded=True,
        seed=args.seed,
    )
    torch.manual_seed(recipe.seed)
    model, lower = read_exported(args.model), Lower(args.model, args.block)
    views = []
    for number in range(args.views):
        views.append(lower(view(training.images, number)))
        print(f"view {number + 1} of {args.views}", flush=True)
    upper, steps = refit(Upper(model, args.block), views, lower.step, targets, recipe)
    print(f"{steps} steps, {steps * recipe.batch / len(training):.1f} epochs")
    parts: dict[str, Faces] = {"held back": data.training.part(held), "PublicTest": data.validation}
    for name, faces in parts.items():
        counted = faces.part(ferplus(faces.votes).rows)
        found = answers(upper, lower(view(counted.images, 0)), lower.step)
        print(json.dumps(report(name, found, counted)))
    first = torch.from_numpy(data.training.images[:FACES]).float()[:, None]
    network = EmotionNetwork(SHAPES[NETWORK], len(KNOWN_LABELS))
    fill_from(network, upper.into(model), KNOWN_LABELS, first)
    save(args.run, network, recipe, steps, args, None if taught is None else digest(taught))


def save(
    run: Path,
    network: EmotionNetwork,
    recipe: Recipe,
    steps: int,
    args: argparse.Namespace,
    teaching_sha256: str | None,
) -> None:
    """Writes a checkpoint of the whole network, as the step `export` reads it."""
    content = {
        "network": network.state_dict(),
        "averaged": network.state_dict(),
        "optimizer": {},
        "epochs_done": 0,
        "steps_done": steps,
        "train_secs": 60 * recipe.minutes,
        "recipe": vars(recipe),
        "augmentation": vars(VIEWED),
        "votes_used": True,
        "labels": list(KNOWN_LABELS),
        "taught": teaching_sha256 is not None,
        "teaching_sha256": teaching_sha256,
        "pretrained": True,
        "earlier": {"model": args.model.name, "first_block": args.block, "views": args.views},
        "fold": HELD_BACK.numbers(),
    }
    run.mkdir(parents=True, exist_ok=True)
    checkpoint.save(run, content, network.shape)


if __name__ == "__main__":
    run_step(main)
