"""Where torch computes."""

import argparse
from collections.abc import Iterator
from functools import cache

import numpy as np
import torch
from torch.nn import functional

from .errors import UserError

# Faces that go through a network at a time, where nothing is learnt from them.
BATCH = 256


def add_device_argument(parser: argparse.ArgumentParser) -> None:
    """Adds `--device`, spelt alike in every step."""
    choices = ("auto", "cpu", "cuda")
    parser.add_argument("--device", choices=choices, default="auto", help="auto: a GPU if any")


def pick_device(name: str) -> torch.device:
    """`auto`: the GPU if there is one. Raises `UserError` for one that is not there."""
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    if name == "cuda" and not torch.cuda.is_available():
        raise UserError(
            "--device cuda: torch finds no CUDA GPU here; expected one, or --device cpu"
        )
    return torch.device(name)


def mixed_precision(device: torch.device, cache: bool = True) -> torch.autocast:
    """bf16 autocast where the device computes in it; elsewhere it would be emulated, slowly.

    `cache`: whether weights that were cast are kept until its end.
    """
    able = device.type != "cpu" or _cpu_computes_in_bf16()
    return torch.autocast(device.type, torch.bfloat16, enabled=able, cache_enabled=cache)


@cache
def _cpu_computes_in_bf16() -> bool:
    found = torch.cpu.get_capabilities()
    return found.get("avx512_bf16", False) or found.get("amx_bf16", False)


def enlarged(faces: torch.Tensor, side_px: int) -> torch.Tensor:
    """Faces [N,1,H,W] at another size, averaged and not picked where it is smaller."""
    if faces.shape[-1] == side_px:
        return faces
    return functional.interpolate(faces, (side_px, side_px), mode="bilinear", antialias=True)


def image_batches(images: np.ndarray, device: torch.device) -> Iterator[torch.Tensor]:
    """Grey uint8 [N,H,W], in order, as float32 [<= BATCH,1,H,W] on the device, channels last."""
    for start in range(0, len(images), BATCH):
        part = torch.from_numpy(images[start : start + BATCH]).to(device).float()[:, None]
        yield part.contiguous(memory_format=torch.channels_last)
