"""Static int8: weights per channel, activations calibrated on Training images.

The standardisation before the stem, convolutions that training left frozen, and the head after the
last block stay in float32: the head so that the saliency maps and the probabilities are not rounded
a second time.
"""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import onnx
from onnxruntime.quantization import (
    CalibrationDataReader,
    CalibrationMethod,
    QuantFormat,
    QuantType,
    quantize_static,
)
from onnxruntime.quantization.shape_inference import quant_pre_process

from .contract import INPUT, IR_VERSION, SALIENCY

CALIBRATION_IMAGES = 1024
CALIBRATION_BATCH = 64


class _Images(CalibrationDataReader):
    def __init__(self, images: np.ndarray) -> None:
        self._batches: Iterator[np.ndarray] = iter(
            images[start : start + CALIBRATION_BATCH]
            for start in range(0, len(images), CALIBRATION_BATCH)
        )

    def get_next(self) -> dict[str, np.ndarray] | None:
        batch = next(self._batches, None)
        return None if batch is None else {INPUT: batch.astype(np.float32)[:, None]}


def _nodes_left_in_float(model: onnx.ModelProto, convolutions: int) -> list[str]:
    """Everything before the convolution of this number, and from the saliency convolution on."""
    nodes = list(model.graph.node)
    first = [i for i, node in enumerate(nodes) if node.op_type == "Conv"][convolutions]
    last = next(i for i, node in enumerate(nodes) if SALIENCY in node.output)
    return [node.name for node in nodes[:first] + nodes[last:]]


def quantise(
    model: onnx.ModelProto,
    calibration: np.ndarray,
    reduce_range: bool = True,
    first_in_float: int = 0,
) -> onnx.ModelProto:
    """The int8 (QDQ) form. `calibration` is grey uint8 [N,48,48].

    `first_in_float`: so many convolutions from the stem on stay in float32.

    `reduce_range` keeps weights to 7 bits: without VNNI, x86 adds pairs of 8-bit products in
    16 bits, and full weights would overflow there.
    """
    with tempfile.TemporaryDirectory() as folder:
        plain, prepared, result = (Path(folder) / f"{name}.onnx" for name in "abc")
        onnx.save(model, plain)
        quant_pre_process(plain, prepared, skip_symbolic_shape=True)
        quantize_static(
            prepared,
            result,
            _Images(calibration[:CALIBRATION_IMAGES]),
            quant_format=QuantFormat.QDQ,
            per_channel=True,
            reduce_range=reduce_range,
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
            calibrate_method=CalibrationMethod.MinMax,
            nodes_to_exclude=_nodes_left_in_float(onnx.load(prepared), first_in_float),
        )
        quantised = onnx.load(result)
    quantised.ir_version = IR_VERSION
    quantised.producer_name, quantised.producer_version = "rapport_training", ""
    used = {node.domain for node in quantised.graph.node}
    for index in reversed(range(len(quantised.opset_import))):
        if quantised.opset_import[index].domain not in used | {""}:
            del quantised.opset_import[index]
    return quantised
