"""A crop at a normal exposure and without coarse noise, as the robot gives it to its networks.

Of one crop, each pixel x in 0..255, with m its mean luminance (BT.601; of grey, its mean):

1. Gain g = 100/m where m is below 100, 150/m where it is above 150, else 1; at least 0.5, at most
   16. y = min(g x, 255). All channels have the same gain.
2. Noise s of y (Immerkaer 1996), per channel: sqrt(pi/2)/6 times the mean of |y * L| over all
   pixels but the outermost, where L is [[1,-2,1],[-2,4,-2],[1,-2,1]]. Of its square, 4^2 grey
   levels are taken for the face's own texture: n2 = max(0, s^2 - 16).
3. Wiener filter, per channel: with u and v the mean and the variance of y over 5x5 px (the border
   repeats), z = u + max(0, 1 - n2/max(v, 1e-6)) (y - u).

So a crop in normal light and without noise stays exactly as it is. Nothing is remembered from one
image to the next, and every step is continuous: means over a whole crop hardly move from image to
image, so nothing flickers.
"""

import math

import torch
from torch.nn import functional

NORMAL_MEAN = (100.0, 150.0)
GAIN = (0.5, 16.0)
TEXTURE_GREY = 4.0
WINDOW_PX = 5


def gain(faces: torch.Tensor) -> torch.Tensor:
    """The gain [N,1,1,1] that brings grey crops [N,1,H,W] to a normal exposure."""
    low, high = NORMAL_MEAN
    mean = faces.mean(dim=(1, 2, 3), keepdim=True)
    return (mean.clamp(low, high) / mean.clamp(min=1e-6)).clamp(*GAIN)


def noise_grey(faces: torch.Tensor) -> torch.Tensor:
    """The standard deviation [N,1,1,1] of the noise in crops [N,1,H,W], in grey levels."""
    kernel = torch.tensor([1.0, -2.0, 1.0], device=faces.device)
    residual = functional.conv2d(faces, torch.outer(kernel, kernel)[None, None])
    return math.sqrt(math.pi / 2) / 6 * residual.abs().mean(dim=(1, 2, 3), keepdim=True)


def denoise(faces: torch.Tensor) -> torch.Tensor:
    """Wiener's filter on crops [N,1,H,W]; where there is little noise, they stay as they are."""
    noise_square = (noise_grey(faces).square() - TEXTURE_GREY**2).clamp(min=0)
    padded = functional.pad(faces, [WINDOW_PX // 2] * 4, mode="replicate")
    mean = functional.avg_pool2d(padded, WINDOW_PX, 1)
    variance = functional.avg_pool2d(padded.square(), WINDOW_PX, 1) - mean.square()
    kept = (1 - noise_square / variance.clamp(min=1e-6)).clamp(min=0)
    return torch.where(noise_square > 0, mean + kept * (faces - mean), faces)


def expose(faces: torch.Tensor) -> torch.Tensor:
    """Grey crops float [N,1,H,W] in 0..255 at a normal exposure, on any device."""
    return denoise((faces * gain(faces)).clamp(max=255))
