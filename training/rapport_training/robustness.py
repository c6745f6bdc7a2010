"""Accuracy under what a camera does to faces, cut as given and as the robot cuts them.

Two tables: each hardship with and without alignment by O-Net's landmarks; and with `--crops`, the
choice of margin and alignment on all hardships together. A model with contempt is scored by what
most people see (FER+) and the decision that users get, a model of seven classes by the challenge's
label. The robot brings what it shows to O-Net, and the crop that it reads, to a normal exposure
(`exposure`).
"""

import argparse
import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch.nn import functional

from . import tables
from .alignment import TEMPLATE_PX, align
from .data import add_data_arguments, read_data
from .errors import run_step
from .exposure import expose
from .faces import Faces
from .ferplus import ferplus
from .labels import CONTEMPT
from .landmark_template import ONet
from .scores import challenge_order, decide_known
from .session import EmotionSession

Change = Callable[[torch.Tensor, torch.Generator], torch.Tensor]

SEED = 0
# The crops are compared on every third image.
CROP_STEP = 3
# As the pipeline's default: a find below it is no face.
MIN_FACE_PROBABILITY = 0.7
# Margin and whether the face is set level; the first is the image as it is given.
WAYS = ((None, False), (1.0, False), (0.9, True), (1.0, True), (1.1, True), (1.2, True))
# The head's radius in px of a 48x48 crop: 85 mm where the template's eyes are 63 mm apart.
HEAD_RADIUS_PX = 24.0


def _camera(faces: torch.Tensor) -> torch.Tensor:
    """What eight bits keep."""
    return faces.round().clamp(0, 255)


def _dim(faces: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    # A tenth of the light, and the noise that a sensor adds at any light.
    return _camera(faces * 0.1 + 2 * torch.randn(faces.shape, generator=generator))


def _glare(faces: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    return _camera(faces * 2)


def _side_light(faces: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    gain = torch.linspace(0.2, 1, faces.shape[3])
    left = torch.rand(len(faces), 1, 1, 1, generator=generator) < 0.5
    return _camera(faces * torch.where(left, gain, gain.flip(0)))


def _noise(deviation: float) -> Change:
    return lambda faces, generator: _camera(
        faces + deviation * torch.randn(faces.shape, generator=generator)
    )


def _blur(sigma_px: float) -> Change:
    reach = math.ceil(3 * sigma_px)
    x = torch.arange(-reach, reach + 1, dtype=torch.float32)
    kernel = torch.exp(-(x**2) / (2 * sigma_px**2))
    kernel = (kernel / kernel.sum())[None, None]

    def blur(faces: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
        faces = functional.pad(faces, [reach] * 4, mode="replicate")
        faces = functional.conv2d(faces, kernel[..., None, :])
        return _camera(functional.conv2d(faces, kernel[..., None]))

    return blur


def _small(side_px: int) -> Change:
    def shrink(faces: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
        size = faces.shape[2:]
        small = functional.interpolate(faces, (side_px,) * 2, mode="bilinear", antialias=True)
        return functional.interpolate(_camera(small), size, mode="bilinear", align_corners=False)

    return shrink


def _moved(tilt_deg: float = 0, shift_share: float = 0, side: float = 1) -> Change:
    """Tilt to either side, shift in any direction, a crop of another side; all at once."""

    def move(faces: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
        count = len(faces)
        sign = torch.where(torch.rand(count, generator=generator) < 0.5, -1.0, 1.0)
        tilt = sign * math.radians(tilt_deg)
        direction = 2 * math.pi * torch.rand(count, generator=generator)
        cos, sin = side * tilt.cos(), side * tilt.sin()
        # The grid runs from -1 to 1: a share of the side is twice that there.
        x, y = (2 * shift_share * f for f in (direction.cos(), direction.sin()))
        matrix = torch.stack([cos, -sin, x, sin, cos, y], dim=1).reshape(-1, 2, 3)
        grid = functional.affine_grid(matrix, list(faces.shape), align_corners=False)
        return functional.grid_sample(faces, grid, padding_mode="border", align_corners=False)

    return move


def _yaw(degrees: float) -> Change:
    """Heads turned to either side, each as an upright cylinder that wears its image.

    The crop follows the landmarks' mean, as the robot's does. What the image does not show of a
    head's side, the border goes on for. A cylinder has no nose that hides the far cheek: a real
    head turned as far is harder to read.
    """

    def turn(faces: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
        height, width = faces.shape[2:]
        angle = math.radians(degrees)
        left = torch.rand(len(faces), 1, 1, generator=generator) < 0.5
        # In radii from the axis.
        landmarks = (torch.from_numpy(TEMPLATE_PX[:, 0]) - width / 2) / HEAD_RADIUS_PX
        shift = (landmarks.asin() + angle).sin().mean().float() - landmarks.mean().float()
        x = (torch.arange(width) + 0.5 - width / 2) / HEAD_RADIUS_PX + shift
        before = (x.clamp(-1, 1).asin() - angle).clamp(-math.pi / 2, math.pi / 2).sin()
        before = before * HEAD_RADIUS_PX / (width / 2)
        y = (torch.arange(height) + 0.5) * 2 / height - 1
        grid = torch.stack(torch.meshgrid(before, y, indexing="xy"), dim=2)
        # To the other side: the same on the mirror image.
        sides = torch.where(left[..., None], faces, faces.flip(3))
        grid = grid.expand(len(faces), -1, -1, -1)
        turned = functional.grid_sample(sides, grid, padding_mode="border", align_corners=False)
        return torch.where(left[..., None], turned, turned.flip(3))

    return turn


HARDSHIPS: dict[str, Change] = {
    "as they are": lambda faces, generator: faces,
    "dim: a tenth of the light, noise 2": _dim,
    "glare: twice the light, clipped": _glare,
    "light from one side, 1 to 1/5": _side_light,
    "noise, deviation 10 grey levels": _noise(10),
    "noise, deviation 20 grey levels": _noise(20),
    "blur, sigma 1 px": _blur(1),
    "blur, sigma 2 px": _blur(2),
    "face of 24 px": _small(24),
    "face of 16 px": _small(16),
    "tilt 15 degrees": _moved(tilt_deg=15),
    "tilt 30 degrees": _moved(tilt_deg=30),
    "yaw 15 degrees": _yaw(15),
    "yaw 30 degrees": _yaw(30),
    "yaw 45 degrees": _yaw(45),
    "yaw 60 degrees": _yaw(60),
    "off centre by 10 %": _moved(shift_share=0.1),
    "off centre by 20 %": _moved(shift_share=0.2),
    "loose crop, side 1.3": _moved(side=1.3),
    "tight crop, side 0.8": _moved(side=0.8),
}


@dataclass(frozen=True)
class Found:
    """Hard faces [N,1,48,48], which of them O-Net finds, and their landmarks [N,5,2] in px."""

    faces: torch.Tensor
    found: np.ndarray
    landmarks_px: np.ndarray

    def cut(self, margin: float, level: bool) -> torch.Tensor:
        """Aligned where found, as they are where not; at a normal exposure."""
        aligned = align(self.faces, self.landmarks_px, margin, level)
        found = torch.from_numpy(self.found)[:, None, None, None]
        return expose(torch.where(found, aligned, self.faces))


def find(onet: ONet, faces: torch.Tensor, exposed: bool = True, batch: int = 256) -> Found:
    """O-Net's view of the faces, at a normal exposure as the robot shows them to it."""
    parts = [expose(part) if exposed else part for part in faces.split(batch)]
    answers = [onet(part.numpy()[:, 0]) for part in parts]
    probability, points = (np.concatenate(part) for part in zip(*answers, strict=True))
    return Found(faces, probability >= MIN_FACE_PROBABILITY, points)


@dataclass(frozen=True)
class Reading:
    """What counts as right: the images [N,1,48,48] and their labels in `KNOWN_LABELS` order.

    `by_people`: what most people see, and the label that users get; else the challenge's label,
    and the most probable one of its seven.
    """

    faces: torch.Tensor
    labels: np.ndarray
    by_people: bool

    @classmethod
    def of(cls, session: EmotionSession, data: Faces) -> "Reading":
        """People's for a model with contempt, which learnt it from votes; else the challenge's."""
        faces = torch.from_numpy(data.images).float()[:, None]
        if CONTEMPT in session.labels and data.votes is not None:
            seen = ferplus(data.votes)
            return cls(faces[seen.rows], seen.labels, True)
        return cls(faces, data.labels, False)

    def accuracy(self, session: EmotionSession, faces: torch.Tensor) -> float:
        """Share of these faces whose label is right."""
        probabilities, _ = session.run_all(faces.numpy()[:, 0])
        if self.by_people:
            chosen = decide_known(session.decision, probabilities, session.labels).labels
        else:
            chosen = challenge_order(probabilities, session.labels).argmax(axis=1)
        return float((chosen == self.labels).mean())

    def __str__(self) -> str:
        kind = "FER+, by the decision that users get" if self.by_people else "the challenge's label"
        return f"{len(self.labels)} images; {kind}"


def hardships(session: EmotionSession, onet: ONet, data: Faces) -> str:
    """A table: each hardship, as given and as the robot cuts, and what O-Net finds of it."""
    reading, rows = Reading.of(session, data), []
    for name, change in HARDSHIPS.items():
        hard = change(reading.faces, torch.Generator().manual_seed(SEED))
        found, before = find(onet, hard), find(onet, hard, exposed=False)
        as_given, by_robot = (reading.accuracy(session, x) for x in (hard, found.cut(1.0, True)))
        shares = (as_given, by_robot, found.found.mean(), before.found.mean())
        rows.append([name, *(f"{share:.1%}" for share in shares)])
    header = ["as given", "cut by the robot", "found by O-Net", "found without exposure"]
    return tables.table([str(reading), *header], rows)


def crops(session: EmotionSession, onet: ONet, data: Faces) -> str:
    """A table: margin by alignment over the hardships, on every third image."""
    reading = Reading.of(session, data.part(np.arange(0, len(data), CROP_STEP)))
    scores: dict[tuple[float | None, bool], list[float]] = {way: [] for way in WAYS}
    for change in HARDSHIPS.values():
        found = find(onet, change(reading.faces, torch.Generator().manual_seed(SEED)))
        for margin, level in WAYS:
            faces = found.faces if margin is None else found.cut(margin, level)
            scores[margin, level].append(reading.accuracy(session, faces))
    names = list(HARDSHIPS)
    columns = {
        "as they are": [0],
        "tilt 30": [names.index("tilt 30 degrees")],
        "off centre 20 %": [names.index("off centre by 20 %")],
        "loose 1.3": [names.index("loose crop, side 1.3")],
        "mean of all": list(range(len(names))),
    }
    rows = []
    for margin, level in WAYS:
        kind = "as given" if margin is None else "level" if level else "shift and scale only"
        means = [np.mean([scores[margin, level][i] for i in c]) for c in columns.values()]
        side = "" if margin is None else f"{margin:g}"
        rows.append([kind, side, *(f"{mean:.1%}" for mean in means)])
    return tables.table(["crop", "side", *columns], rows)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add_data_arguments(parser)
    parser.add_argument("--model", type=Path, required=True, help="an emotion model as ONNX")
    parser.add_argument("--onet", type=Path, required=True, help="O-Net as ONNX")
    parser.add_argument("--crops", action="store_true", help="compare margins and alignment too")
    args = parser.parse_args()
    torch.set_num_threads(1)
    session, onet, faces = EmotionSession(args.model), ONet(args.onet), read_data(args).validation
    print(hardships(session, onet, faces), end="\n\n")
    if args.crops:
        print(crops(session, onet, faces))


if __name__ == "__main__":
    run_step(main)
