"""A small builder of ONNX graphs whose files are the same to the byte on every run."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from wheels import DetectorError

# Old enough for every ONNX Runtime since 1.10; nothing newer is needed.
OPSET = 13
IR_VERSION = 8


class Graph:
    """Collects nodes and weights in the order in which they are added."""

    def __init__(self) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.weights: list[onnx.TensorProto] = []

    def weight(self, name: str, values: np.ndarray) -> str:
        """Store a constant and return its name."""
        self.weights.append(numpy_helper.from_array(np.ascontiguousarray(values), name))
        return name

    def node(self, kind: str, inputs: list[str], outputs: str | list[str], **attributes):
        """Add one operator; returns its output name, or the list when there are several."""
        names = [outputs] if isinstance(outputs, str) else outputs
        self.nodes.append(helper.make_node(kind, inputs, names, name=names[0], **attributes))
        return outputs

    def conv(self, source: str, name: str, kernel: np.ndarray, bias: np.ndarray, **attributes):
        """Add a convolution with kernel [out, in / groups, height, width] and bias [out]."""
        inputs = [source, self.weight(f"{name}.weight", kernel), self.weight(f"{name}.bias", bias)]
        return self.node("Conv", inputs, name, kernel_shape=list(kernel.shape[2:]), **attributes)

    def save(
        self,
        path: Path,
        name: str,
        inputs: dict[str, list],
        outputs: dict[str, list],
        metadata: dict[str, str],
    ) -> str:
        """Check the graph, write it and return the sha256 of the file."""

        def describe(tensors: dict[str, list]) -> list[onnx.ValueInfoProto]:
            return [
                helper.make_tensor_value_info(tensor, TensorProto.FLOAT, shape)
                for tensor, shape in tensors.items()
            ]

        graph = helper.make_graph(
            self.nodes, name, describe(inputs), describe(outputs), self.weights
        )
        model = helper.make_model(
            graph,
            opset_imports=[helper.make_opsetid("", OPSET)],
            ir_version=IR_VERSION,
            producer_name="rapport/tools/detectors",
        )
        helper.set_model_props(model, metadata)
        onnx.checker.check_model(model, full_check=True)
        content = model.SerializeToString(deterministic=True)
        if not path.parent.is_dir():
            raise DetectorError(f"{path.parent}: no such folder for {path.name}")
        path.write_bytes(content)
        return hashlib.sha256(content).hexdigest()
