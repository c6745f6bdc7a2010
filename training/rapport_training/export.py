"""Exports a trained network to ONNX, checks it against PyTorch, and writes its metadata."""

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch

from . import checkpoint
from .contract import check, fixed_metadata, set_metadata
from .data import Faces, add_data_arguments, read_fer2013
from .deploy import Deployed, to_onnx
from .errors import UserError, run_step
from .metrics import fit_temperature
from .network import EmotionNetwork
from .quantise import CALIBRATION_IMAGES, quantise
from .scores import score
from .session import EmotionSession

# Largest difference of a float32 probability between PyTorch and ONNX Runtime.
FLOAT_TOLERANCE = 1e-4
# Least share of faces on which int8 gives the label that float32 gives.
INT8_AGREEMENT = 0.95
VERIFY_IMAGES = 512
NOTES = (
    "Reports the expression shown, never the emotion felt. Not for use at work or in "
    "education (EU AI Act, Art. 5(1)(f)), nor for any decision about a person. "
    "saliency: class weights on the last feature maps; its mean over h,w plus the class bias, "
    "divided by the temperature, is the logit."
)


@torch.no_grad()
def _logits(network: EmotionNetwork, faces: Faces) -> np.ndarray:
    images = torch.from_numpy(faces.images).float()[:, None]
    return torch.cat([network(part) for part in images.split(256)]).numpy()


@torch.no_grad()
def verify_against_torch(model: onnx.ModelProto, deployed: Deployed, images: np.ndarray) -> float:
    """The largest difference of a probability; a `UserError` above the tolerance."""
    probabilities, saliency = EmotionSession(model.SerializeToString()).run_all(images)
    expected, maps = deployed(torch.from_numpy(images).float()[:, None])
    gap = float(np.abs(probabilities - expected.numpy()).max())
    map_gap = float(np.abs(saliency - maps.numpy()).max() / np.abs(maps.numpy()).max())
    if max(gap, map_gap) > FLOAT_TOLERANCE:
        raise UserError(
            f"the export differs from PyTorch by {gap:.1e} in probability and {map_gap:.1e} of "
            f"the maps' range, expected at most {FLOAT_TOLERANCE:.0e}"
        )
    return gap


def verify_int8(model: onnx.ModelProto, exact: onnx.ModelProto, images: np.ndarray) -> None:
    """Prints how near int8 is to float32; a `UserError` where labels differ too often."""
    probabilities, saliency = EmotionSession(model.SerializeToString()).run_all(images)
    expected, maps = EmotionSession(exact.SerializeToString()).run_all(images)
    chosen = expected.argmax(axis=1)
    agreement = float((probabilities.argmax(axis=1) == chosen).mean())
    rows = np.arange(len(images))
    pairs = zip(saliency[rows, chosen], maps[rows, chosen], strict=True)
    correlation = [np.corrcoef(a.ravel(), b.ravel())[0, 1] for a, b in pairs]
    print(
        f"int8 against float32 on {len(images)} images: same label {agreement:.2%}, correlation "
        f"of the label's map median {np.median(correlation):.4f}, "
        f"1 in 100 below {np.percentile(correlation, 1):.3f}"
    )
    if agreement < INT8_AGREEMENT:
        raise UserError(
            f"int8 gives float32's label on {agreement:.1%} of images, "
            f"expected at least {INT8_AGREEMENT:.0%}; export without --int8"
        )


def _recipe(content: dict[str, Any], temperature: float, int8: bool) -> str:
    recipe = {
        "epochs_done": content["epochs_done"],
        "steps_done": content["steps_done"],
        "train": content["recipe"],
        "votes_used": content["votes_used"],
        "augmentation": content["augmentation"],
        "shape": content["shape"],
        "temperature": round(temperature, 6),
        "weights": "int8 per channel, static" if int8 else "float32",
    }
    return json.dumps(recipe)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    add_data_arguments(parser)
    parser.add_argument("--run", type=Path, required=True, help="folder of the train step")
    parser.add_argument("--output", type=Path, required=True, help="the ONNX file to write")
    parser.add_argument("--int8", action="store_true", help="quantise")
    args = parser.parse_args()
    torch.set_num_threads(1)
    network, content = checkpoint.load_network(args.run)
    data = read_fer2013(args.fer2013, args.votes)

    # Rounded, so that the last bits of a sum cannot change the file.
    temperature = round(
        fit_temperature(data.public_test.labels, _logits(network, data.public_test)), 4
    )
    deployed = Deployed(network, temperature)
    exact = to_onnx(deployed)
    images = data.public_test.images[:VERIFY_IMAGES]
    gap = verify_against_torch(exact, deployed, images)
    print(f"ONNX against PyTorch on {len(images)} images: largest difference {gap:.1e}")
    model = exact
    if args.int8:
        rows = np.random.default_rng(0).permutation(len(data.training))[:CALIBRATION_IMAGES]
        model = quantise(exact, data.training.images[rows])
        verify_int8(model, exact, images)

    scores = score(EmotionSession(model.SerializeToString()), data)
    set_metadata(
        model,
        fixed_metadata()
        | {
            "recipe": _recipe(content, temperature, args.int8),
            "scores": json.dumps(scores),
            "notes": NOTES,
        },
    )
    args.output.parent.mkdir(parents=True, exist_ok=True)
    args.output.write_bytes(model.SerializeToString(deterministic=True))
    check(args.output)
    print(
        f"{args.output}: {args.output.stat().st_size / 1e6:.2f} MB, temperature {temperature}, "
        f"PublicTest {scores['accuracy']:.2%}, without twins "
        f"{scores['accuracy_without_twins']:.2%}"
    )


if __name__ == "__main__":
    run_step(main)
