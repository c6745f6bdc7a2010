"""Exports a trained network to ONNX, checks it against PyTorch, and writes its metadata."""

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
from torch import nn

from . import checkpoint
from .contract import check, fixed_metadata, set_metadata
from .data import add_data_arguments, read_data
from .deploy import Deployed, to_onnx
from .device import image_batches
from .errors import UserError, run_step
from .faces import DataSet, Faces
from .feedback import read_guard
from .ferplus import ferplus
from .files import whole
from .grad_cam import Explainable, grad_cam
from .labels import CONTEMPT, KNOWN_LABELS, LABELS
from .metrics import fit_temperature
from .network import EmotionNetwork, NetworkShape
from .pretrained import source_of
from .quantise import CALIBRATION_IMAGES, quantise
from .scores import score
from .session import EmotionSession
from .targets import CHALLENGE
from .weights import load_network as load_kept_network

# Largest difference of a float32 probability between PyTorch and ONNX Runtime.
FLOAT_TOLERANCE = 1e-4
# Least share of faces on which int8 gives the label that float32 gives.
INT8_AGREEMENT = 0.95
# For weights that were trained rounded, float32 is not what was trained.
ROUNDED_AGREEMENT = 0.93
VERIFY_IMAGES = 512
NOTES = (
    "Reports the expression shown, never the emotion felt. Not for use at work or in "
    "education (EU AI Act, Art. 5(1)(f)), nor for any decision about a person. "
    "saliency: class weights on the last feature maps; its mean over h,w plus the class bias, "
    "divided by the temperature, is the logit."
)


def some_images(faces: Faces, count: int) -> np.ndarray:
    """So many images [N,H,W] at random, the same ones each time: of all classes, in any order."""
    return faces.images[np.random.default_rng(0).permutation(len(faces))[:count]]


@torch.no_grad()
def _logits(network: EmotionNetwork, faces: Faces) -> np.ndarray:
    batches = image_batches(faces.images, torch.device("cpu"))
    return torch.cat([network(part) for part in batches]).numpy()


def fitted_temperature(network: EmotionNetwork, labels: Sequence[str], faces: Faces) -> float:
    """For the reading that was learnt: with contempt the votes, else the challenge's label."""
    logits = _logits(network, faces)
    if CONTEMPT not in labels or faces.votes is None:
        return fit_temperature(faces.labels, logits)
    seen = ferplus(faces.votes)
    order = [KNOWN_LABELS.index(name) for name in labels]
    return fit_temperature(seen.shares[:, order], logits[seen.rows])


def verify_against_torch(
    model: onnx.ModelProto, deployed: nn.Module, network: Explainable, images: np.ndarray
) -> float:
    """The largest difference of a probability; a `UserError` above the tolerance.

    `saliency` is held against autograd's Grad-CAM of the network as it was trained.
    """
    faces = torch.from_numpy(images).float()[:, None]
    probabilities, saliency = EmotionSession(model.SerializeToString()).run_all(images)
    with torch.no_grad():
        expected, _ = deployed(faces)
    maps = torch.cat([grad_cam(network, part) for part in faces.split(64)]).numpy()
    gap = float(np.abs(probabilities - expected.numpy()).max())
    map_gap = float(np.abs(saliency - maps).max() / np.abs(maps).max())
    print(
        f"ONNX on {len(images)} images: probabilities differ from PyTorch's by at most {gap:.1e}, "
        f"saliency from autograd's Grad-CAM by {map_gap:.1e} of its range"
    )
    if max(gap, map_gap) > FLOAT_TOLERANCE:
        raise UserError(f"the export is not what was trained, expected {FLOAT_TOLERANCE:.0e}")
    return max(gap, map_gap)


def verify_int8(
    model: onnx.ModelProto,
    exact: onnx.ModelProto,
    images: np.ndarray,
    least: float = INT8_AGREEMENT,
) -> None:
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
    if agreement < least:
        raise UserError(
            f"int8 gives float32's label on {agreement:.1%} of images, "
            f"expected at least {least:.0%}; export without --int8"
        )


def _data(content: dict[str, Any], data: DataSet) -> str:
    text = data.training_name
    if content["recipe"].get("reading", CHALLENGE) != CHALLENGE:
        text += "; FER+ votes as the targets"
    elif content["votes_used"]:
        text += "; FER+ votes as part of the targets"
    if content.get("pretrained", False):
        text += f"; begun from {source_of(NetworkShape(**content['shape'])).what}"
    return text


def _recipe(content: dict[str, Any], temperature: float, int8: bool) -> str:
    recipe = {
        "epochs_done": content["epochs_done"],
        "steps_done": content["steps_done"],
        "train": content["recipe"],
        "votes_used": content["votes_used"],
        "taught": content.get("taught", False),
        "pretrained": content.get("pretrained", False),
        "earlier": content.get("earlier"),
        "augmentation": content["augmentation"],
        "shape": content["shape"],
        "temperature": round(temperature, 6),
        "weights": "int8 per channel, static" if int8 else "float32",
    }
    return json.dumps(recipe)


def write_model(
    model: onnx.ModelProto,
    path: Path,
    metadata: dict[str, str],
    data: DataSet,
    least_ferplus: float = 0.0,
) -> dict[str, Any]:
    """Scores the model, writes it with its metadata, and checks the file. Returns the scores.

    A `UserError` where its FER+ accuracy is under `least_ferplus`; then nothing is written.
    """
    set_metadata(model, metadata | {"scores": "{}"})
    scores = score(EmotionSession(model.SerializeToString()), data)
    if "ferplus" in scores:
        found = scores["ferplus"]["argmax"]["accuracy"]
        if found < round(least_ferplus, 4):
            raise UserError(
                f"{path}: not written: FER+ accuracy is {found:.2%} as exported, expected at least "
                f"the {least_ferplus:.2%} of what the run with --feedback began from"
            )
    set_metadata(model, metadata | {"scores": json.dumps(scores)})
    path.parent.mkdir(parents=True, exist_ok=True)
    with whole(path) as part:
        part.write_bytes(model.SerializeToString(deterministic=True))
        check(part)
    told = (
        f"{path}: {path.stat().st_size / 1e6:.2f} MB, {data.validation_name} "
        f"{scores['accuracy']:.2%}, without duplicates {scores['accuracy_without_duplicates']:.2%}"
    )
    if "ferplus" in scores:
        told += f", FER+ {scores['ferplus']['argmax']['accuracy']:.2%}"
    print(told)
    return scores


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    add_data_arguments(parser)
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--run", type=Path, help="folder of the train step")
    source.add_argument("--weights", type=Path, help="a file of training/weights instead")
    parser.add_argument("--output", type=Path, required=True, help="the ONNX file to write")
    parser.add_argument("--int8", action="store_true", help="quantise")
    args = parser.parse_args()
    torch.set_num_threads(1)
    guard = None if args.run is None else read_guard(args.run)
    if guard is not None:
        guard.refuse(args.run)
    if args.weights is not None:
        network, content = load_kept_network(args.weights)
    else:
        network, content = checkpoint.load_network(args.run)
    data = read_data(args)

    labels = tuple(content.get("labels", LABELS))
    # Rounded, so that the last bits of a sum cannot change the file.
    temperature = round(fitted_temperature(network, labels, data.validation), 4)
    deployed = Deployed(network, temperature)
    exact = to_onnx(deployed)
    images = some_images(data.validation, VERIFY_IMAGES)
    verify_against_torch(exact, deployed, network, images)
    model = exact
    if args.int8:
        calibration = some_images(data.training, CALIBRATION_IMAGES)
        # Their channels differ too much in range for the scale that int8 gives all of them.
        in_float = network.shape.float_convolutions
        model = quantise(exact, calibration, first_in_float=in_float)
        least = ROUNDED_AGREEMENT if content["recipe"].get("rounded") else INT8_AGREEMENT
        verify_int8(model, exact, images, least)

    metadata = fixed_metadata(labels) | {
        "data": _data(content, data),
        "recipe": _recipe(content, temperature, args.int8),
        "notes": NOTES,
    }
    print(f"temperature {temperature}")
    least = 0.0 if guard is None else guard.before
    write_model(model, args.output, metadata, data, least)


if __name__ == "__main__":
    run_step(main)
