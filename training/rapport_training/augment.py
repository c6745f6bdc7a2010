"""Random changes to a batch of faces: what a camera and a face crop do to a face.

Shift, scale and roll cover the jitter that is left after alignment onto the landmark
template; light, blur and noise cover dim rooms and small, distant faces.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch.nn import functional

# Of the image's side.
SMALL_SIDES = (0.28, 0.4, 0.55)


@dataclass(frozen=True)
class Augmentation:
    """Ranges are uniform and symmetric; shares are the part of the images changed."""

    flip_share: float = 0.5
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
    turn_share: float = 0.0  # squeezed and one half more than the other, as a turned head is
    turn_squeeze: float = 0.35
    dim_share: float = 0.0  # little light, and the noise of a sensor
    dim_gain: float = 0.06  # the least light
    glare_share: float = 0.0  # more light than the sensor holds
    glare_gain: float = 2.4  # the most
    small_share: float = 0.0  # few pixels: `SMALL_SIDES` in equal parts


# For few epochs, on weights that know faces already.
CALM = Augmentation(
    roll_deg=12.0, log_scale=0.13, light_share=0.35, noise_share=0.12, erase_share=0.15
)

# What moves a face within its crop, and no more: a teacher answers for such views.
MOVED = Augmentation(
    roll_deg=15.0,
    log_scale=0.16,
    shift_share=0.08,
    light_share=0.0,
    blur_share=0.0,
    noise_share=0.0,
    erase_share=0.0,
    turn_share=0.2,
)
# For teachers, which see faces as they are.
TAUGHT = Augmentation(
    roll_deg=15.0,
    log_scale=0.16,
    shift_share=0.08,
    light_share=0.4,
    blur_share=0.1,
    noise_share=0.15,
    erase_share=0.3,
    turn_share=0.15,
)
# What a dim or glaring room, a distance and a cheap camera do to a view that is moved already.
ROUGH = Augmentation(
    flip_share=0.0,
    roll_deg=0.0,
    log_scale=0.0,
    shift_share=0.0,
    log_gamma=0.6,
    light_share=0.4,
    light_gradient=0.75,
    blur_share=0.12,
    noise_share=0.15,
    noise_grey=18.0,
    erase_share=0.15,
    erase_side=(0.12, 0.35),
    dim_share=0.15,
    glare_share=0.1,
    small_share=0.12,
)


def _uniform(count: int, spread: float, generator: torch.Generator) -> torch.Tensor:
    return (_random(generator, count) * 2 - 1) * spread


def _random(generator: torch.Generator, *size: int) -> torch.Tensor:
    return torch.rand(size, generator=generator, device=generator.device)


def _warp(faces: torch.Tensor, a: Augmentation, generator: torch.Generator) -> torch.Tensor:
    count = len(faces)
    roll = _uniform(count, math.radians(a.roll_deg), generator)
    scale = torch.exp(_uniform(count, a.log_scale, generator))
    flip = torch.where(_random(generator, count) < a.flip_share, -1.0, 1.0)
    matrix = torch.zeros(count, 2, 3, device=faces.device)
    matrix[:, 0, 0] = flip * scale * roll.cos()
    matrix[:, 0, 1] = -scale * roll.sin()
    matrix[:, 1, 0] = flip * scale * roll.sin()
    matrix[:, 1, 1] = scale * roll.cos()
    # The grid runs from -1 to 1: a shift by a share of the side is twice that there.
    matrix[:, 0, 2] = _uniform(count, 2 * a.shift_share, generator)
    matrix[:, 1, 2] = _uniform(count, 2 * a.shift_share, generator)
    grid = functional.affine_grid(matrix, list(faces.shape), align_corners=False)
    if a.turn_share:
        turned = _random(generator, count) < a.turn_share
        squeeze = torch.where(turned, a.turn_squeeze * _random(generator, count), 0.0)
        lean = _uniform(count, 1.0, generator) * squeeze
        x = grid[..., 0]
        # Narrower by up to `squeeze`, and more so on the side that turns away.
        x = x * (1 + squeeze[:, None, None]) + lean[:, None, None] * (x * x - 0.3)
        grid = torch.stack([x, grid[..., 1]], dim=-1)
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


def _dim(faces: torch.Tensor, a: Augmentation, generator: torch.Generator) -> torch.Tensor:
    """As little light as `dim_gain`, evenly over its logarithm, noise, and what eight bits keep."""
    gain = torch.exp(_random(generator, len(faces), 1, 1, 1) * math.log(a.dim_gain))
    deviation = 0.5 + 2.5 * _random(generator, len(faces), 1, 1, 1)
    noise = torch.randn(faces.shape, generator=generator, device=faces.device)
    return (faces * gain + deviation * noise).round().clamp(0, 255)


def _glare(faces: torch.Tensor, a: Augmentation, generator: torch.Generator) -> torch.Tensor:
    gain = torch.exp(_random(generator, len(faces), 1, 1, 1) * math.log(a.glare_gain))
    return (faces * gain).clamp(0, 255)


def _noise(faces: torch.Tensor, a: Augmentation, generator: torch.Generator) -> torch.Tensor:
    deviation = _random(generator, len(faces), 1, 1, 1) * a.noise_grey
    noise = torch.randn(faces.shape, generator=generator, device=faces.device)
    return (faces + deviation * noise).clamp(0, 255)


def _small(faces: torch.Tensor, side_share: float) -> torch.Tensor:
    side_px = round(side_share * faces.shape[-1])
    small = functional.interpolate(faces, (side_px, side_px), mode="bilinear", antialias=True)
    return functional.interpolate(small, faces.shape[2:], mode="bilinear", align_corners=False)


def augment(
    faces: torch.Tensor, augmentation: Augmentation, generator: torch.Generator
) -> torch.Tensor:
    """Grey float [N,1,H,W] in 0..255 to the same, changed. Repeats with the generator.

    The generator lives on the device of the faces.
    """
    a = augmentation
    moves = a.roll_deg or a.log_scale or a.shift_share or a.flip_share
    faces = _warp(faces, a, generator) if moves else faces.clone()

    def change(share: float, how: Callable[[torch.Tensor], torch.Tensor]) -> None:
        # So many of them, whichever they are: a GPU need not stop to be asked how many.
        if count := round(share * len(faces)):
            rows = _random(generator, len(faces)).argsort()[:count]
            faces[rows] = how(faces[rows])

    change(a.blur_share, _blur)
    for side in SMALL_SIDES:
        change(a.small_share / len(SMALL_SIDES), lambda some, side=side: _small(some, side))
    change(a.light_share, lambda some: _light(some, a, generator))
    change(a.glare_share, lambda some: _glare(some, a, generator))
    change(a.noise_share, lambda some: _noise(some, a, generator))
    change(a.dim_share, lambda some: _dim(some, a, generator))
    change(a.erase_share, lambda some: _erase(some, a, generator))
    return faces
