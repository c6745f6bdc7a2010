"""Write models/onet.onnx from the weights of MTCNN's O-Net, as PyPI facenet-pytorch brings them.

The weights lie in the older file format of PyTorch: five pickles, then the raw storages. They are
read here without PyTorch, by an unpickler that knows the three names such a file needs and
refuses every other one.
"""

from __future__ import annotations

import argparse
import io
import pickle
from collections import OrderedDict
from pathlib import Path

import numpy as np

from graph import Graph
from wheels import REPOSITORY, DetectorError, add_arguments, find_wheel, read_member, run

WEIGHTS = "facenet_pytorch/data/onet.pt"
MAGIC = 0x1950A86A20F9469CFC6C
PROTOCOL = 1001

# What the network takes: its own scale is (x - 127.5) / 128.
MEAN, SCALE = 127.5, 128.0


class StateReader(pickle.Unpickler):
    """Reads the pickled part of a state file; tensors become (storage key, offset, shape, strides).

    Only plain containers and the three names below are allowed, so a file can run no code.
    """

    def find_class(self, module: str, name: str):
        known = {
            ("collections", "OrderedDict"): OrderedDict,
            ("torch", "FloatStorage"): "float32",
            ("torch._utils", "_rebuild_tensor_v2"): self.tensor,
        }
        if (module, name) not in known:
            raise DetectorError(f"{WEIGHTS}: names {module}.{name}, which a state file does not")
        return known[module, name]

    def persistent_load(self, pid):
        kind, scalar, key, _device, count, view = pid
        if (kind, scalar, view) != ("storage", "float32", None):
            raise DetectorError(f"{WEIGHTS}: found storage {pid!r}, expected whole float32 ones")
        return key, count

    @staticmethod
    def tensor(storage, offset, shape, strides, *_training):
        """Stands where PyTorch would build the tensor; the values follow later in the file."""
        return storage, offset, shape, strides


def read_state(content: bytes) -> dict[str, np.ndarray]:
    """Return the float32 arrays of a state file by name."""
    stream = io.BytesIO(content)
    try:
        magic, protocol, _system, described, keys = (StateReader(stream).load() for _ in range(5))
    except (pickle.UnpicklingError, EOFError, ValueError, TypeError) as error:
        raise DetectorError(f"{WEIGHTS}: not a state file of PyTorch ({error})") from None
    if (magic, protocol) != (MAGIC, PROTOCOL):
        raise DetectorError(f"{WEIGHTS}: found protocol {protocol}, expected {PROTOCOL}")
    storages = {}
    for key in keys:
        count = int.from_bytes(stream.read(8), "little")
        storages[key] = np.frombuffer(stream.read(4 * count), "<f4", count)
    state = {}
    for name, ((key, count), offset, shape, strides) in described.items():
        flat = storages[key]
        # The last element must lie inside the storage before strides are trusted.
        last = offset + sum((size - 1) * step for size, step in zip(shape, strides, strict=True))
        if len(flat) != count or not 0 <= last < count:
            raise DetectorError(f"{WEIGHTS}: {name} {shape} reaches beyond its storage")
        steps = [4 * step for step in strides]
        view = np.lib.stride_tricks.as_strided(flat[offset:], shape, steps, writeable=False)
        state[name] = np.ascontiguousarray(view)
    return state


class Network:
    """The layers of O-Net over a state file."""

    def __init__(self, state: dict[str, np.ndarray]) -> None:
        self.state = state
        self.graph = Graph()

    def value(self, name: str, *shape: int) -> np.ndarray:
        found = self.state.get(name)
        if found is None or found.shape != shape:
            what = "nothing" if found is None else list(found.shape)
            raise DetectorError(f"{WEIGHTS}: {name}: found {what}, expected {list(shape)}")
        return found

    def conv(self, source: str, index: int, size: int, inner: int, outer: int) -> str:
        """Convolution without padding, then PReLU with one slope a channel."""
        kernel = self.value(f"conv{index}.weight", outer, inner, size, size)
        bias = self.value(f"conv{index}.bias", outer)
        if index == 1:
            # The normalisation is folded into the first layer; it has no padding, so this is
            # exact at the border too. 1/128 is a power of two; the sum is taken in float64.
            sums = kernel.sum(axis=(1, 2, 3), dtype=np.float64)
            bias = (bias - sums * (MEAN / SCALE)).astype(np.float32)
            kernel = kernel / np.float32(SCALE)
        out = self.graph.conv(source, f"conv{index}", kernel, bias)
        slope = self.value(f"prelu{index}.weight", outer).reshape(outer, 1, 1)
        slope = self.graph.weight(f"prelu{index}.slope", slope)
        return self.graph.node("PRelu", [out, slope], f"prelu{index}")

    def pool(self, source: str, size: int) -> str:
        """Max-pool of stride 2; a last, partial window counts."""
        return self.graph.node(
            "MaxPool",
            [source],
            f"{source}.pool",
            kernel_shape=[size] * 2,
            strides=[2, 2],
            ceil_mode=1,
        )

    def dense(self, source: str, name: str, weight: np.ndarray, bias: np.ndarray) -> str:
        """Fully connected layer with weight [out, in]."""
        weight = self.graph.weight(f"{name}.weight", weight)
        bias = self.graph.weight(f"{name}.bias", bias)
        return self.graph.node("Gemm", [source, weight, bias], name, transB=1)


def build(state: dict[str, np.ndarray]) -> Graph:
    """Return the whole network."""
    network = Network(state)
    graph, value = network.graph, network.value
    x = network.pool(network.conv("crops", 1, 3, 3, 32), 3)
    x = network.pool(network.conv(x, 2, 3, 32, 64), 3)
    x = network.pool(network.conv(x, 3, 3, 64, 64), 2)
    x = graph.node("Flatten", [network.conv(x, 4, 2, 64, 128)], "flat")
    # The original flattens [column, row, channel], a habit of the framework it was trained in.
    # The columns of the weight are put into the order [channel, row, column] instead.
    weight = value("dense5.weight", 256, 1152).reshape(256, 3, 3, 128)
    weight = weight.transpose(0, 3, 2, 1).reshape(256, 1152)
    x = network.dense(x, "dense5", weight, value("dense5.bias", 256))
    x = graph.node("PRelu", [x, graph.weight("slope5", value("prelu5.weight", 256))], "prelu5")
    # A softmax over two classes is a sigmoid of the difference of their logits.
    weight, bias = value("dense6_1.weight", 2, 256), value("dense6_1.bias", 2)
    logit = network.dense(x, "logit", weight[1:] - weight[:1], bias[1:] - bias[:1])
    graph.node("Sigmoid", [logit], "probability")
    network.dense(x, "box", value("dense6_2.weight", 4, 256), value("dense6_2.bias", 4))
    network.dense(x, "landmarks", value("dense6_3.weight", 10, 256), value("dense6_3.bias", 10))
    return graph


METADATA = {
    "name": "O-Net of MTCNN, face verifier and landmark finder",
    "source": f"PyPI facenet-pytorch 2.6.0, {WEIGHTS}",
    "license": "MIT, Copyright (c) 2019 Timothy Esler",
    "input.crops": "float32 [faces,3,48,48], RGB, 0 to 255: the square of side max(width, height) "
    "around the centre of a found box, zeros beyond the picture",
    "output.probability": "[faces,1], 0 to 1, that the crop shows a face",
    "output.box": "[faces,4], how far the left, top, right and bottom edge of the square move, in "
    "sides of the square",
    "output.landmarks": "[faces,10], x of the right eye, left eye, nose tip, right and left corner "
    "of the mouth (the person's right), then their y, in sides of the square from its top left",
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add_arguments(parser)
    parser.add_argument("--output", type=Path, default=REPOSITORY / "models" / "onet.onnx")
    arguments = parser.parse_args()
    state = read_state(read_member(find_wheel("facenet-pytorch", arguments.wheels), WEIGHTS))
    digest = build(state).save(
        arguments.output,
        "onet",
        {"crops": ["faces", 3, 48, 48]},
        {"probability": ["faces", 1], "box": ["faces", 4], "landmarks": ["faces", 10]},
        METADATA,
    )
    print(f"{digest}  {arguments.output}")


if __name__ == "__main__":
    run(main)
