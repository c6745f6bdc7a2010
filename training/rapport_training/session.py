"""Runs an emotion model as the robot does: ONNX Runtime, one thread."""

import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnxruntime as ort

from .contract import INPUT, PROBABILITIES, SALIENCY, read_labels
from .decision import KEY as DECISION
from .decision import read_decision
from .errors import UserError
from .labels import KNOWN_LABELS


def one_thread_session(model: Path | bytes) -> ort.InferenceSession:
    """A session on one thread; a `UserError` where it does not load."""
    if isinstance(model, Path) and not model.is_file():
        raise UserError(f"{model}: no such file; expected a model as ONNX")
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    try:
        return ort.InferenceSession(model, options, ["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime's errors share no narrower public base
        name = model if isinstance(model, Path) else "model"
        raise UserError(f"{name}: not loadable by ONNX Runtime ({error})") from error


def median_ms(call: Callable[[], object], calls: int = 200) -> float:
    """Median wall time of a call in milliseconds, after ten to warm up."""
    for _ in range(10):
        call()
    times = []
    for _ in range(calls):
        start = time.perf_counter()
        call()
        times.append(time.perf_counter() - start)
    return float(np.median(times)) * 1000


class EmotionSession:
    """An emotion model of the contract in `contract`: its answers, `labels` and `decision`.

    A model whose metadata is not written yet has the first labels of `KNOWN_LABELS`, as many as
    it has outputs, and the default decision.
    """

    def __init__(self, model: Path | bytes) -> None:
        self._session = one_thread_session(model)
        found = (
            [value.name for value in self._session.get_inputs()],
            sorted(value.name for value in self._session.get_outputs()),
        )
        expected = ([INPUT], sorted((PROBABILITIES, SALIENCY)))
        name = model if isinstance(model, Path) else "model"
        if found != expected:
            raise UserError(
                f"{name}: inputs and outputs are {found}, expected {expected}, an emotion model"
            )
        shapes = {value.name: value.shape for value in self._session.get_outputs()}
        classes = shapes[PROBABILITIES][1]
        metadata = self._session.get_modelmeta().custom_metadata_map
        text = metadata.get("labels", ",".join(KNOWN_LABELS[:classes]))
        self.labels = read_labels(text, str(name))
        if len(self.labels) != classes:
            raise UserError(f"{name}: {classes} classes, expected the {len(self.labels)} of {text}")
        self.decision = read_decision(metadata.get(DECISION), self.labels, str(name))

    def __call__(self, images: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Grey [N,48,48] in 0..255 to probabilities [N,K] and saliency [N,K,h,w]."""
        faces = images.astype(np.float32)[:, None]
        probabilities, saliency = self._session.run([PROBABILITIES, SALIENCY], {INPUT: faces})
        return probabilities, saliency

    def run_all(self, images: np.ndarray, batch: int = 64) -> tuple[np.ndarray, np.ndarray]:
        """The same over any number of images, in batches."""
        parts = [self(images[start : start + batch]) for start in range(0, len(images), batch)]
        return np.concatenate([p for p, _ in parts]), np.concatenate([s for _, s in parts])

    def run_all_mirrored(self, images: np.ndarray) -> np.ndarray:
        """The probabilities [N,K] of the images' mirror images."""
        return self.run_all(images[:, :, ::-1])[0]

    def ms_per_face(self, images: np.ndarray, batch: int, calls: int = 200) -> float:
        """Median wall time of a call, per face, in milliseconds."""
        return median_ms(lambda: self(images[:batch]), calls) / batch
