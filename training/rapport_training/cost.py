"""What each network shape costs in int8, without training it: weights, work, time a face."""

import argparse

import numpy as np
import onnxruntime as ort
import torch

from .deploy import Deployed, to_onnx
from .errors import run_step
from .evaluate import cpu_name
from .labels import INPUT_SIZE_PX
from .network import SHAPES, TEACHER_SHAPES, EmotionNetwork, NetworkShape
from .quantise import quantise
from .session import EmotionSession
from .tables import table


def multiplications(shape: NetworkShape) -> int:
    """Multiply-accumulates of the convolutions for one face."""
    network, found = EmotionNetwork(shape).eval(), []

    def count(module: torch.nn.Conv2d, _: object, output: torch.Tensor) -> None:
        found.append(module.weight.numel() * output.shape[2] * output.shape[3])

    for module in network.modules():
        if isinstance(module, torch.nn.Conv2d):
            module.register_forward_hook(count)
    with torch.no_grad():
        network(torch.zeros(1, 1, INPUT_SIZE_PX, INPUT_SIZE_PX))
    return sum(found)


def main() -> None:
    argparse.ArgumentParser(description=__doc__).parse_args()
    torch.set_num_threads(1)
    faces = np.random.default_rng(0).integers(0, 256, (64, INPUT_SIZE_PX, INPUT_SIZE_PX))
    faces = faces.astype(np.uint8)
    rows = []
    for name, shape in SHAPES.items():
        if name in TEACHER_SHAPES:
            continue
        network = EmotionNetwork(shape).eval()
        in_float = shape.float_convolutions
        model = quantise(to_onnx(Deployed(network)), faces, first_in_float=in_float)
        model = model.SerializeToString()
        session = EmotionSession(model)
        weights = sum(p.numel() for p in network.parameters())
        one, eight = (session.ms_per_face(faces, batch, calls=100) for batch in (1, 8))
        work = multiplications(shape)
        rows.append(
            [
                name,
                f"{shape.widths}",
                f"{shape.blocks}",
                f"{weights / 1e6:.1f}",
                f"{work / 1e6:.0f}",
                f"{len(model) / 1e6:.1f}",
                f"{one:.2f}",
                f"{eight:.2f}",
            ]
        )
    header = ["shape", "widths", "blocks", "M weights", "MMAC", "MB", "ms a face", "batch of 8"]
    print(table(header, rows))
    print(f"\nonnxruntime {ort.__version__}, int8, 1 thread, {cpu_name()}")


if __name__ == "__main__":
    run_step(main)
