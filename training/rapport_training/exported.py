"""Weights out of an exported model: its filters and offsets, as floats again."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import numpy_helper

from .contract import SALIENCY, read_labels, read_metadata
from .errors import UserError
from .network import EmotionNetwork
from .pretrained import Layer, set_layers

# Evidence for a label that a model does not have: how far below the mean of the others.
UNKNOWN_LABEL_BIAS = -2.0


@dataclass(frozen=True)
class Exported:
    """Filters and offset of each convolution, from the stem on, and the head."""

    path: Path
    layers: list[tuple[torch.Tensor, torch.Tensor]]
    head: torch.Tensor
    bias: torch.Tensor
    labels: tuple[str, ...]

    def for_labels(self, labels: Sequence[str]) -> tuple[torch.Tensor, torch.Tensor]:
        """The head [K,C] and bias [K] for these labels: a new one begins on the others' mean."""
        rows = [
            (self.head[self.labels.index(name)], self.bias[self.labels.index(name)])
            if name in self.labels
            else (self.head.mean(0), self.bias.mean() + UNKNOWN_LABEL_BIAS)
            for name in labels
        ]
        return torch.stack([row for row, _ in rows]), torch.stack([value for _, value in rows])


def _constants(model: onnx.ModelProto) -> dict[str, torch.Tensor]:
    """Every constant by name, those of int8 as floats."""
    found = {entry.name: numpy_helper.to_array(entry) for entry in model.graph.initializer}
    for node in model.graph.node:
        if node.op_type == "DequantizeLinear" and node.input[0] in found:
            values, scale = (found[name] for name in node.input[:2])
            zero = found[node.input[2]] if len(node.input) > 2 else np.zeros_like(scale)
            # The scale is one of all or one of each filter.
            size = (-1, *[1] * (values.ndim - 1)) if scale.size > 1 else (1,) * values.ndim
            whole = values.astype(np.float32) - zero.astype(np.float32).reshape(size)
            found[node.output[0]] = whole * scale.reshape(size)
    return {name: torch.tensor(values) for name, values in found.items()}


def read_exported(path: Path) -> Exported:
    """Reads an emotion model; a `UserError` where it has another form than `export` gives."""
    try:
        model = onnx.load(path)
        constants = _constants(model)
        *body, last = [node for node in model.graph.node if node.op_type == "Conv"]
        if last.output[0] != SALIENCY:
            raise ValueError(f"its last convolution is not `{SALIENCY}`")
        labels = read_labels(read_metadata(model)["labels"], str(path))
        bias = next(
            constants[name].flatten()
            for node in model.graph.node
            if node.op_type == "Add"
            for name in node.input
            if name in constants and constants[name].numel() == len(labels)
        )
        layers = [(constants[node.input[1]], constants[node.input[2]]) for node in body]
        head = constants[last.input[1]][:, :, 0, 0]
    except Exception as error:  # onnx, protobuf and file errors share no base
        raise UserError(f"{path}: not an emotion model of the step `export` ({error})") from error
    return Exported(path, layers, head, bias, labels)


def fill_from(
    network: EmotionNetwork, model: Exported, labels: Sequence[str], images: torch.Tensor
) -> None:
    """Puts a model of the same shape into a network with these labels.

    Each convolution gets a norm that leaves its values over `images` [N,1,H,W] as they were.
    """
    pairs = [(network.stem, network.stem_norm)]
    for block in network.blocks:
        pairs += [(block.conv1, block.norm1), (block.conv2, block.norm2)]
    if len(pairs) != len(model.layers):
        raise UserError(
            f"{model.path}: {len(model.layers)} convolutions before `{SALIENCY}`, expected "
            f"{len(pairs)}: a model of the same --network"
        )

    def layers() -> Iterator[Layer]:
        for (conv, norm), (filters, offset) in zip(pairs, model.layers, strict=True):
            yield Layer(conv, norm, filters, torch.ones_like(offset), offset)

    try:
        set_layers(network, layers(), images)
    except RuntimeError as error:
        raise UserError(f"{model.path}: {error}, expected a model of the same --network") from error
    head, bias = model.for_labels(labels)
    with torch.no_grad():
        network.classifier.weight.copy_(head)
        network.classifier.bias.copy_(bias)
