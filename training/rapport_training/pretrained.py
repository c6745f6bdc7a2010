"""Weights to begin from: networks that have learnt faces, though not their expressions.

Both were trained on faces several times our size, in colour. `SHAPES` of `network` has, for each
source, the layers that are taken; what could tell people apart at the end is left behind.
"""

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import nn

from .errors import UserError
from .labels import INPUT_SIZE_PX
from .network import SHAPES, EmotionNetwork, NetworkShape
from .tfjs import read_tensors

Weights = dict[str, torch.Tensor]
# How large a face's own deviation is, about, in grey levels: ours are divided by it.
TYPICAL_DEVIATION = 60
# How long the mean feature vector of a MobileNet is made, for its linear layer to begin on.
FEATURE_LENGTH = 12.0


@dataclass(frozen=True)
class Layer:
    """A convolution and its norm, and what they take: filters, then a scale and an offset."""

    conv: nn.Conv2d
    norm: nn.BatchNorm2d
    filters: torch.Tensor
    scale: torch.Tensor
    offset: torch.Tensor


def _layers_of_resnet(network: EmotionNetwork, weights: Weights) -> Iterator[Layer]:
    def layer(name: str, conv: nn.Conv2d, norm: nn.BatchNorm2d) -> Layer:
        scale, offset = weights[f"{name}/scale/weights"], weights[f"{name}/scale/biases"]
        return Layer(conv, norm, weights[f"{name}/conv/filters"], scale, offset)

    yield layer("conv32_down", network.stem, network.stem_norm)
    width_before, index = network.stem.out_channels, 0
    for block in network.blocks:
        width = block.conv1.out_channels
        index = index + 1 if width == width_before else 0
        name = f"conv{width}_{index or 'down'}"
        yield layer(f"{name}/conv1", block.conv1, block.norm1)
        yield layer(f"{name}/conv2", block.conv2, block.norm2)
        width_before = width


def _mobilenet_numbers(shape: NetworkShape) -> list[int]:
    """The source's number of each block. A stage with fewer blocks leaves the source's last out."""
    whole, numbers, first = SHAPES["mobile-teacher"].blocks, [], 1
    for count, count_in_source in zip(shape.blocks, whole, strict=True):
        numbers.extend(range(first, first + count))
        first += count_in_source
    return numbers


def _layers_of_mobilenet(network: EmotionNetwork, weights: Weights) -> Iterator[Layer]:
    def layer(name: str, filters: str, conv: nn.Conv2d, norm: nn.BatchNorm2d) -> Layer:
        # The scales of full convolutions are part of the filters already.
        offset = weights[f"{name}_bn/batchnorm_1/sub"]
        scale = weights.get(f"{name}_bn/batchnorm_1/mul", torch.ones_like(offset))
        return Layer(conv, norm, weights[f"{name}/{filters}"], scale, offset)

    yield layer("conv1", "convolution/merged_input", network.stem, network.stem_norm)
    for number, block in zip(_mobilenet_numbers(network.shape), network.blocks, strict=True):
        yield layer(f"conv_dw_{number}", "depthwise_kernel", block.conv1, block.norm1)
        yield layer(f"conv_pw_{number}", "convolution/merged_input", block.conv2, block.norm2)


@dataclass(frozen=True)
class Source:
    """Where weights come from, and how training begins on them."""

    package: str
    manifest: str
    what: str
    # Names in `SHAPES` of what can begin from it.
    shapes: tuple[str, ...]
    # One grey level in the source's input.
    level: float
    # As `beginning.SIDES_PX`.
    sides_px: tuple[tuple[float, int], ...]
    layers: Callable[[EmotionNetwork, Weights], Iterator[Layer]]


SOURCES = {
    # A ResNet, trained on about three million pictures of faces.
    "face": Source(
        "the folder `model` of npm's `@vladmandic/face-api`",
        "face_recognition_model-weights_manifest.json",
        "dlib's face recognition network (Davis King, 2017; CC0), its last stage and its face "
        "vector left behind",
        ("face", "face-teacher"),
        1 / 256,
        ((0.0, 40), (0.45, INPUT_SIZE_PX)),
        _layers_of_resnet,
    ),
    # MobileNet, trained on VGGFace2's pictures to tell people apart, then for age and gender.
    "mobile": Source(
        "the folder `models` of npm's `@vladmandic/human`",
        "faceres.json",
        "the face network of HSE_FaceRec_tf (Andrey Savchenko, 2019; Apache-2.0; trained on "
        "VGGFace2), its last block and its outputs left behind",
        ("mobile", "mobile-free", "mobile-short", "mobile-teacher"),
        1.0,
        ((0.0, INPUT_SIZE_PX),),
        _layers_of_mobilenet,
    ),
}


def source_of(shape: NetworkShape) -> Source:
    """The source whose weights a network of this shape can begin from."""
    return next(
        source for source in SOURCES.values() if shape in [SHAPES[name] for name in source.shapes]
    )


# A stem of stride 2 on the picture enlarged twice (bilinear) is one of stride 1 on the picture
# itself: rows are its pixels around i, columns their shares in the enlarged pixels around 2i.
ENLARGED = {
    # Pixels i-2 to i+2, enlarged pixels 2i-3 to 2i+3.
    7: torch.tensor(
        [
            [0.75, 0.25, 0.00, 0.00, 0.00, 0.00, 0.00],
            [0.25, 0.75, 0.75, 0.25, 0.00, 0.00, 0.00],
            [0.00, 0.00, 0.25, 0.75, 0.75, 0.25, 0.00],
            [0.00, 0.00, 0.00, 0.00, 0.25, 0.75, 0.75],
            [0.00, 0.00, 0.00, 0.00, 0.00, 0.00, 0.25],
        ]
    ),
    # Pixels i-1 to i+1, enlarged pixels 2i-1 to 2i+1.
    3: torch.tensor([[0.75, 0.25, 0.00], [0.25, 0.75, 0.75], [0.00, 0.00, 0.25]]),
}


def read_weights(folder: Path, source: Source) -> Weights:
    """Every tensor of the source, filters as [out,in,h,w] (depthwise ones [out,1,h,w])."""
    path = folder / source.manifest
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        manifest = content["weightsManifest"] if isinstance(content, dict) else content
        weights = {}
        for name, values in read_tensors(folder, manifest).items():
            tensor = torch.tensor(values, dtype=torch.float32)
            if tensor.ndim == 4:
                # The file keeps filters as [h,w,in,out], depthwise ones as [h,w,out,1].
                axes = (2, 3, 0, 1) if "depthwise" in name else (3, 2, 0, 1)
                tensor = tensor.permute(axes)
            weights[name] = tensor
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UserError(f"{path}: not readable ({error}), expected {source.package}") from error
    return weights


@torch.no_grad()
def set_layers(network: EmotionNetwork, layers: Iterable[Layer], images: torch.Tensor) -> None:
    """Puts convolutions with a fixed scale and offset into a network.

    Batch norms take the place of scale and offset and give, over `images` [N,1,H,W], the same
    values.
    """
    handles = []

    def as_norm(norm: nn.BatchNorm2d, scale: torch.Tensor, offset: torch.Tensor) -> None:
        def set_it(_: nn.Module, inputs: tuple[torch.Tensor]) -> None:
            variance, mean = torch.var_mean(inputs[0], dim=(0, 2, 3), correction=0)
            gain = scale.to(mean.device)
            norm.weight.copy_(gain * torch.sqrt(variance + norm.eps))
            norm.bias.copy_(offset.to(mean.device) + gain * mean)
            norm.running_mean.copy_(mean)
            norm.running_var.copy_(variance)

        handles.append(norm.register_forward_pre_hook(set_it))

    try:
        for layer in layers:
            layer.conv.weight.copy_(layer.filters)
            as_norm(layer.norm, layer.scale, layer.offset)
        for block in network.blocks:
            if block.shortcut is not None:
                width, width_in = block.shortcut.weight.shape[:2]
                # The source adds zeros for the new channels; a little noise lets them learn.
                block.shortcut.weight.mul_(0.1)
                block.shortcut.weight[:width_in, :, 0, 0] = torch.eye(width_in)
                as_norm(block.shortcut_norm, torch.ones(width), torch.zeros(width))
        network.train()
        network(images)
    finally:
        for handle in handles:
            handle.remove()


@torch.no_grad()
def begin_from(
    network: EmotionNetwork, weights: Weights, source: Source, images: torch.Tensor
) -> None:
    """Puts the weights into a network of a shape that belongs to `source`."""

    def layers() -> Iterator[Layer]:
        for layer in source.layers(network, weights):
            if layer.conv is not network.stem:
                yield layer
                continue
            grey = layer.filters.sum(dim=1, keepdim=True) * (TYPICAL_DEVIATION * source.level)
            if network.shape.stem_stride == 1:
                shares = ENLARGED[grey.shape[-1]]
                grey = shares @ grey @ shares.T
            yield replace(layer, filters=grey)

    try:
        set_layers(network, layers(), images)
    except (KeyError, RuntimeError) as error:
        raise UserError(
            f"weights to begin from: {error}, expected those of {source.package}"
        ) from error
    if network.shape.separable:
        # The source's last maps are far larger than a new linear layer can learn from calmly.
        pooled = network.features(images).mean(dim=(2, 3))
        gain = FEATURE_LENGTH / pooled.square().sum(dim=1).mean().sqrt()
        network.blocks[-1].norm2.weight.mul_(gain)
        network.blocks[-1].norm2.bias.mul_(gain)
