"""Accuracy under what a camera does to faces, cut as given and as the robot cuts them.

Two tables: each hardship with and without alignment by O-Net's landmarks, and the choice of
margin and alignment on all hardships together.
"""

import argparse
import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch.nn import functional

from .alignment import align
from .data import add_data_arguments, read_data
from .errors import run_step
from .faces import Faces
from .landmark_template import ONet
from .session import EmotionSession

Change = Callable[[torch.Tensor, torch.Generator], torch.Tensor]

SEED = 0
# As the pipeline's default: a find below it is no face.
MIN_FACE_PROBABILITY = 0.7
MARGINS = (0.9, 1.0, 1.1, 1.2)


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
        """Aligned where found; as they are where not."""
        aligned = align(self.faces, self.landmarks_px, margin, level)
        return torch.where(torch.from_numpy(self.found)[:, None, None, None], aligned, self.faces)


def find(onet: ONet, faces: torch.Tensor, batch: int = 256) -> Found:
    """O-Net's view of the faces."""
    answers = [onet(part.numpy()[:, 0]) for part in faces.split(batch)]
    probability, points = (np.concatenate(part) for part in zip(*answers, strict=True))
    return Found(faces, probability >= MIN_FACE_PROBABILITY, points)


def accuracy(session: EmotionSession, faces: torch.Tensor, labels: np.ndarray) -> float:
    """Share of the labels that are right."""
    probabilities, _ = session.run_all(faces.numpy()[:, 0])
    return float((probabilities.argmax(axis=1) == labels).mean())


def measure(session: EmotionSession, onet: ONet, data: Faces) -> tuple[str, str]:
    """Both tables in Markdown: hardships, and margin by alignment."""
    original = torch.from_numpy(data.images).float()[:, None]
    rows = ["| faces | as given | cut by the robot | found by O-Net |", "|---|---|---|---|"]
    ways = [(None, False)] + [(margin, level) for level in (False, True) for margin in MARGINS]
    scores = {way: [] for way in ways}
    for name, change in HARDSHIPS.items():
        found = find(onet, change(original, torch.Generator().manual_seed(SEED)))
        for margin, level in ways:
            faces = found.faces if margin is None else found.cut(margin, level)
            scores[margin, level].append(accuracy(session, faces, data.labels))
        as_given, by_robot = scores[None, False][-1], scores[1.0, True][-1]
        rows.append(f"| {name} | {as_given:.1%} | {by_robot:.1%} | {found.found.mean():.1%} |")
    names = list(HARDSHIPS)
    columns = {
        "as they are": [0],
        "tilt 30": [names.index("tilt 30 degrees")],
        "off centre 20 %": [names.index("off centre by 20 %")],
        "loose 1.3": [names.index("loose crop, side 1.3")],
        "mean of all": list(range(len(names))),
    }
    choice = [
        "| crop | side | " + " | ".join(columns) + " |",
        "|---" * (len(columns) + 2) + "|",
    ]
    for margin, level in ways:
        kind = "as given" if margin is None else "level" if level else "shift and scale only"
        means = [np.mean([scores[margin, level][i] for i in c]) for c in columns.values()]
        side = "" if margin is None else f"{margin:g}"
        choice.append(f"| {kind} | {side} | " + " | ".join(f"{m:.1%}" for m in means) + " |")
    return "\n".join(rows), "\n".join(choice)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    add_data_arguments(parser)
    parser.add_argument("--model", type=Path, required=True, help="an emotion model as ONNX")
    parser.add_argument("--onet", type=Path, required=True, help="O-Net as ONNX")
    args = parser.parse_args()
    torch.set_num_threads(1)
    hardships, choice = measure(
        EmotionSession(args.model), ONet(args.onet), read_data(args).validation
    )
    print(hardships, choice, sep="\n\n")


if __name__ == "__main__":
    run_step(main)
