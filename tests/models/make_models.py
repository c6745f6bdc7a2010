"""Makes the tiny networks of tests/own_model.rs: what they answer can be computed by hand.

python tests/models/make_models.py     (needs the Python package onnx)
"""

from pathlib import Path

import onnx
from onnx import TensorProto, helper

HERE = Path(__file__).resolve().parent


def save(name, nodes, inputs, outputs, constants=()):
    def value(tensor_name, shape):
        return helper.make_tensor_value_info(tensor_name, TensorProto.FLOAT, shape)

    graph = helper.make_graph(
        nodes,
        name,
        [value(*each) for each in inputs],
        [value(*each) for each in outputs],
        [helper.make_tensor(n, TensorProto.FLOAT, shape, values) for n, shape, values in constants],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    model.producer_name = "make_models"
    onnx.checker.check_model(model)
    (HERE / f"{name}.onnx").write_bytes(model.SerializeToString(deterministic=True))


def main():
    # As FER+'s networks are: one face of 64x64 in grey, eight logits; here the mean grey times
    # 0.01 times 0 to 7.
    save(
        "grey_logits",
        [
            helper.make_node("ReduceMean", ["Input3"], ["mean"], axes=[2, 3], keepdims=0),
            helper.make_node("Mul", ["mean", "steps"], ["scores"]),
        ],
        [("Input3", [1, 1, 64, 64])],
        [("scores", [1, 8])],
        [("steps", [1, 8], [0.01 * i for i in range(8)])],
    )
    # As an EfficientNet is: any number of faces in colour; here channels last, and the softmax of
    # the three channels' means.
    save(
        "colour_probabilities",
        [
            helper.make_node("ReduceMean", ["pixels"], ["means"], axes=[1, 2], keepdims=0),
            helper.make_node("Softmax", ["means"], ["chances"], axis=1),
        ],
        [("pixels", ["N", 32, 32, 3])],
        [("chances", ["N", 3])],
    )
    # No picture at all goes in.
    save(
        "flat",
        [helper.make_node("Softmax", ["x"], ["y"], axis=1)],
        [("x", ["N", 7])],
        [("y", ["N", 7])],
    )


if __name__ == "__main__":
    main()
