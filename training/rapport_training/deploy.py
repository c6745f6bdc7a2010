"""The network as shipped: norms folded, two outputs, a calibrated softmax; and its ONNX."""

import copy
import io
import warnings

import onnx
import torch
from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from .contract import INPUT, IR_VERSION, OPSET, PROBABILITIES, SALIENCY
from .labels import INPUT_SIZE_PX
from .network import EmotionNetwork


def fold_norms(network: EmotionNetwork) -> EmotionNetwork:
    """A copy whose batch norms are part of the convolutions before them."""
    folded = copy.deepcopy(network).eval().float()
    folded.stem = fuse_conv_bn_eval(folded.stem, folded.stem_norm)
    folded.stem_norm = nn.Identity()
    for block in folded.blocks:
        block.conv1 = fuse_conv_bn_eval(block.conv1, block.norm1)
        block.conv2 = fuse_conv_bn_eval(block.conv2, block.norm2)
        block.norm1 = block.norm2 = nn.Identity()
        if block.shortcut is not None:
            block.shortcut = fuse_conv_bn_eval(block.shortcut, block.shortcut_norm)
            block.shortcut_norm = nn.Identity()
    return folded


class Deployed(nn.Module):
    """Faces [N,1,H,W] to (probabilities [N,7], saliency [N,7,h,w]).

    The logits are the maps' means plus the bias, so the maps are exactly the evidence that
    the probabilities were made of. `temperature` divides the logits (Guo et al. 2017).
    """

    def __init__(self, network: EmotionNetwork, temperature: float = 1.0) -> None:
        super().__init__()
        self.network = fold_norms(network)
        self.temperature = temperature

    def forward(self, faces: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        saliency = self.network.saliency(self.network.features(faces))
        logits = saliency.mean(dim=(2, 3)) + self.network.classifier.bias
        return torch.softmax(logits / self.temperature, dim=1), saliency


def to_onnx(deployed: nn.Module) -> onnx.ModelProto:
    """The graph of a deployed network: the same bytes for the same weights and pinned versions."""
    example = torch.zeros(2, 1, INPUT_SIZE_PX, INPUT_SIZE_PX)
    buffer = io.BytesIO()
    with warnings.catch_warnings():
        # The newer exporter writes opset 18 and up, and stack traces with local paths.
        warnings.simplefilter("ignore", DeprecationWarning)
        torch.onnx.export(
            deployed.eval(),
            (example,),
            buffer,
            input_names=[INPUT],
            output_names=[PROBABILITIES, SALIENCY],
            dynamic_axes={name: {0: "N"} for name in (INPUT, PROBABILITIES, SALIENCY)},
            opset_version=OPSET,
            dynamo=False,
        )
    model = onnx.load_from_string(buffer.getvalue())
    model.ir_version = IR_VERSION
    model.producer_name, model.producer_version = "rapport_training", ""
    for node in model.graph.node:
        node.doc_string = ""
    # The exporter does not see through every reshape; only N is free.
    for value, example_output in zip(model.graph.output, deployed(example), strict=True):
        dims = value.type.tensor_type.shape.dim
        for dim, extent in list(zip(dims, example_output.shape, strict=True))[1:]:
            dim.dim_value = extent
    return model
