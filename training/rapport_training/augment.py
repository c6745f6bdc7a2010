"""Random changes to a batch of faces: what a camera and a face crop do to a face.

Shift, scale and roll cover the jitter that is left after alignment onto the landmark
template; light, blur and noise cover dim rooms and small, distant faces.
"""

import math
from dataclasses import dataclass

import torch
from torch.nn import functional


@dataclass(frozen=True)
class Augmentation:
    """Ranges are uniform and symmetric; shares are the part of the images changed."""

    roll_deg: float = 14.0
    log_scale: float = 0.16
    shift_share: float = 0.08  # of the image's side
    log_gamma: float = 0.5
    light_share: float = 0.5
    light_gradient: float = 0.5  # uneven light: gain over the face, 1 +- this
    blur_share: float = 0.1
    noise_share: float = 0.2
    noise_grey: float = 10.0  # largest standard deviation, in grey levels
    erase_share: float = 0.25
    erase_side: tuple[float, float] = (0.15, 0.4)  # of the image's side


# For few epochs, on weights that know faces already.
CALM = Augmentation(
    roll_deg=12.0, log_scale=0.13, light_share=0.35, noise_share=0.12, erase_share=0.15
)


def _uniform(count: int, spread: float, generator: torch.Generator) -> torch.Tensor:
    return (_random(generator, count) * 2 - 1) * spread


def _random(generator: torch.Generator, *size: int) -> torch.Tensor:
    return torch.rand(size, generator=generator, device=generator.device)


def _warp(faces: torch.Tensor, a: Augmentation, generator: torch.Generator) -> torch.Tensor:
    count = len(faces)
    roll = _uniform(count, math.radians(a.roll_deg), generator)
    scale = torch.exp(_uniform(count, a.log_scale, generator))
    flip = torch.where(_random(generator, count) < 0.5, -1.0, 1.0)
    matrix = torch.zeros(count, 2, 3, device=faces.device)
    matrix[:, 0, 0] = flip * scale * roll.cos()
    matrix[:, 0, 1] = -scale * roll.sin()
    matrix[:, 1, 0] = flip * scale * roll.sin()
    matrix[:, 1, 1] = scale * roll.cos()
    # The grid runs from -1 to 1: a shift by a share of the side is twice that there.
    matrix[:, 0, 2] = _uniform(count, 2 * a.shift_share, generator)
    matrix[:, 1, 2] = _uniform(count, 2 * a.shift_share, generator)
    grid = functional.affine_grid(matrix, list(faces.shape), align_corners=False)
    # A camera crop has picture around the face, never a black rim; the border repeats.
    return functional.grid_sample(faces, grid, padding_mode="border", align_corners=False)


def _light(faces: torch.Tensor, a: Augmentation, generator: torch.Generator) -> torch.Tensor:
    count, _, height, width = faces.shape
    gamma = torch.exp(_uniform(count, a.log_gamma, generator))[:, None, None, None]
    angle = _uniform(count, math.pi, generator)
    y = torch.linspace(-1, 1, height, device=faces.device)[None, :, None]
    x = torch.linspace(-1, 1, width, device=faces.device)[None, None, :]
    slope = angle.cos()[:, None, None] * x + angle.sin()[:, None, None] * y
    strength = _uniform(count, a.light_gradient, generator)[:, None, None]
    lit = (faces / 255).clamp(0, 1).pow(gamma) * (1 + strength * slope)[:, None]
    return lit.clamp(0, 1) * 255


def _erase(faces: torch.Tensor, a: Augmentation, generator: torch.Generator) -> torch.Tensor:
    count, _, height, width = faces.shape
    low, high = a.erase_side
    sides = low + _random(generator, 2, count) * (high - low)
    centres = _random(generator, 2, count)
    y = torch.linspace(0, 1, height, device=faces.device)[None, :, None]
    x = torch.linspace(0, 1, width, device=faces.device)[None, None, :]
    inside = ((y - centres[0, :, None, None]).abs() < sides[0, :, None, None] / 2) & (
        (x - centres[1, :, None, None]).abs() < sides[1, :, None, None] / 2
    )
    grey = _random(generator, count)[:, None, None, None] * 255
    return torch.where(inside[:, None], grey, faces)


def _blur(faces: torch.Tensor) -> torch.Tensor:
    half = functional.avg_pool2d(faces, 2)
    return functional.interpolate(half, faces.shape[2:], mode="bilinear", align_corners=False)


def augment(
    faces: torch.Tensor, augmentation: Augmentation, generator: torch.Generator
) -> torch.Tensor:
    """Grey float [N,1,H,W] in 0..255 to the same, changed. Repeats with the generator.

    The generator lives on the device of the faces.
    """
    a = augmentation
    faces = _warp(faces, a, generator)

    def some(share: float) -> torch.Tensor:
        return torch.nonzero(_random(generator, len(faces)) < share)[:, 0]

    rows = some(a.blur_share)
    faces[rows] = _blur(faces[rows])
    rows = some(a.light_share)
    faces[rows] = _light(faces[rows], a, generator)
    rows = some(a.noise_share)
    deviation = _random(generator, len(rows), 1, 1, 1) * a.noise_grey
    noise = torch.randn(faces[rows].shape, generator=generator, device=faces.device) * deviation
    faces[rows] = (faces[rows] + noise).clamp(0, 255)
    rows = some(a.erase_share)
    faces[rows] = _erase(faces[rows], a, generator)
    return faces
