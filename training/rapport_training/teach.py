"""Distillation: what trained teachers say of each training image, kept in a file.

Teachers trained with `--fold K/N` answer for the images they never saw: what a network says of
an image that it has learnt by heart tells little more than the label (Hinton et al. 2015 on soft
targets; cross-fitting as in `targets`).
"""

import argparse
import hashlib
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from . import checkpoint
from .data import add_data_arguments, read_data
from .device import add_device_argument, enlarged, image_batches, pick_device
from .errors import UserError, run_step
from .faces import Faces
from .files import whole
from .labels import LABELS
from .session import EmotionSession

SPLIT_SEED = 0


@dataclass(frozen=True)
class Fold:
    """Part `index` of `count`, from 1: a fixed random part of the training rows."""

    index: int
    count: int

    @staticmethod
    def parse(text: str) -> "Fold":
        """Reads `K/N`. Raises ValueError, as argparse wants it."""
        index, count = (int(part) for part in text.split("/"))
        if not (2 <= count <= 100 and 1 <= index <= count):
            raise ValueError(text)
        return Fold(index, count)

    def numbers(self) -> list[int]:
        """As checkpoints keep it; `Fold(*numbers)` is the fold."""
        return [self.index, self.count]

    def left_out(self, rows: int) -> np.ndarray:
        """The rows of this part, of 0 to `rows`, in order."""
        order = np.random.default_rng(SPLIT_SEED).permutation(rows)
        return np.sort(order[self.index - 1 :: self.count])

    def kept(self, rows: int) -> np.ndarray:
        """All other rows, in order."""
        return np.setdiff1d(np.arange(rows), self.left_out(rows))


def digest(values: np.ndarray) -> str:
    """Tells one content from another."""
    return hashlib.sha256(np.ascontiguousarray(values).tobytes()).hexdigest()


@torch.no_grad()
def answers(
    network: torch.nn.Module, faces: Faces, device: torch.device, side_px: int | None = None
) -> np.ndarray:
    """Probabilities float32 [N,K], each face averaged with its mirror image.

    `side_px`: the side that the network learnt at, where it isn't the images' own.
    """
    network = network.to(device, memory_format=torch.channels_last).eval()
    parts = []
    for images in image_batches(faces.images, device):
        if side_px is not None:
            images = enlarged(images, side_px)
        both = network(images).softmax(1) + network(images.flip(3)).softmax(1)
        parts.append((both / 2).cpu().numpy())
    return np.concatenate(parts)


def answers_of_model(model: Path, faces: Faces) -> np.ndarray:
    """The same of an exported model."""
    session = EmotionSession(model)
    return (session.run_all(faces.images)[0] + session.run_all_mirrored(faces.images)) / 2


def teach(runs: list[Path], models: list[Path], faces: Faces, device: torch.device) -> np.ndarray:
    """The mean answer [N,K] of those teachers that did not see the row, or of all if all did.

    `models` are exported ones, taken to have seen every row.
    """
    fresh = all_of_them = np.zeros((), dtype=np.float32)
    seen_by_none = np.zeros(len(faces), dtype=np.int64)

    def add(name: Path, given: np.ndarray) -> None:
        nonlocal all_of_them, fresh
        if all_of_them.ndim and all_of_them.shape != given.shape:
            raise UserError(
                f"{name}: answers with {given.shape[1]} labels, expected those of the other "
                f"teachers, {all_of_them.shape[1]}"
            )
        all_of_them, fresh = all_of_them + given, fresh + np.zeros_like(given)

    for run in runs:
        network, content = checkpoint.load_network(run)
        given = answers(network, faces, device, content["recipe"].get("side_px"))
        add(run, given)
        if content.get("fold") is not None:
            rows = Fold(*content["fold"]).left_out(len(faces))
            fresh[rows] += given[rows]
            seen_by_none[rows] += 1
    for model in models:
        add(model, answers_of_model(model, faces))
    all_of_them = all_of_them / (len(runs) + len(models))
    print(f"{(seen_by_none > 0).mean():.1%} of the rows answered by teachers that never saw them")
    fair = fresh / np.maximum(seen_by_none, 1)[:, None]
    return np.where((seen_by_none > 0)[:, None], fair, all_of_them)


def write_teaching(path: Path, given: np.ndarray, faces: Faces) -> None:
    """Keeps the answers [N,K] with a digest of the images that they are about."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with whole(path) as part, part.open("wb") as file:
        np.savez_compressed(file, probabilities=given, images_sha256=digest(faces.images))


def read_teaching(path: Path, faces: Faces, labels: Sequence[str] = LABELS) -> np.ndarray:
    """The answers float32 [N,K] for these labels; a `UserError` where they are about others."""
    try:
        with np.load(path, allow_pickle=False) as content:
            found, sha256 = content["probabilities"], str(content["images_sha256"])
    except (OSError, ValueError, KeyError, TypeError, EOFError, zipfile.BadZipFile) as error:
        raise UserError(f"{path}: not a file of the step `teach` ({error})") from error
    if sha256 != digest(faces.images) or found.shape != (len(faces), len(labels)):
        raise UserError(
            f"{path}: made for {len(found)} other images or other labels, expected the "
            f"{len(faces)} training images and {', '.join(labels)}"
        )
    return found.astype(np.float32)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    add_data_arguments(parser)
    parser.add_argument("--runs", type=Path, nargs="*", default=[], help="the teachers' folders")
    parser.add_argument("--models", type=Path, nargs="*", default=[], help="exported teachers")
    parser.add_argument("--output", type=Path, required=True, help="the .npz file to write")
    add_device_argument(parser)
    args = parser.parse_args()
    if not args.runs and not args.models:
        raise UserError("no teacher is given, expected --runs or --models")
    faces = read_data(args).training
    given = teach(args.runs, args.models, faces, pick_device(args.device))
    # The first seven labels are the challenge's in every model of ours.
    print(f"agree with the label on {(given.argmax(1) == faces.labels).mean():.2%} of the rows")
    write_teaching(args.output, given, faces)
    print(f"{args.output}: {len(given)} rows")


if __name__ == "__main__":
    run_step(main)
