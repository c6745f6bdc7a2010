"""From images to people."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from typing import Any, Literal, TypeAlias

import numpy as np
import numpy.typing as npt

from rapport._native import Core, Explanation, Person
from rapport._types import Timings

#: What the last axis of a colour image counts.
Channels: TypeAlias = Literal["rgb", "bgr"]
#: uint8: (height, width) grey, (height, width, 3) colour, (height, width, 4) colour with an opacity
#: that is skipped.
Image: TypeAlias = npt.NDArray[np.uint8]
StrPath: TypeAlias = str | os.PathLike[str]


class Pipeline:
    """Finds people in images and tells which expression each shows: the same work, with the same
    networks, as Rapport's ROS node and command line.

    It reports the expression shown, never the emotion felt.

    A pipeline can be pickled: by its settings, not by whom it has seen. The work is done without the
    GIL. Calls of one pipeline wait for one another; pipelines of their own, one for each thread, run
    side by side.

    Args:
        model: An emotion network (ONNX) in place of the package's. Also the name of one that comes with
            the package: `emotion`, `fer2013` or `paper_cnn`.
        detector: A face detector (ONNX) in place of the package's.
        landmarks: A face classifier (ONNX) in place of the package's.
        calibration: What `rapport adapt` learnt about the emotion network (YAML).
        place: The place, for the calibration's thresholds.
        working_size: Largest (width, height) in pixels at which faces are searched. Default: (480, 360)
            in a sequence, (1920, 1920) in pictures.
        min_confidence: Least confidence, 0 to 1, of a label that is called sure. Default: as the emotion
            network's decision rule has it.
        search_hz: How many images a second of a sequence are searched for faces; the others follow the
            known ones. 0: all. Default: 5.
        classify_hz: How often a second each face of a sequence is classified. 0: in every image. Default:
            10.
        horizontal_fov_deg: How wide the image is, in degrees. Gives heads a `pose`.
        threads: Threads inside one network, 1 to 64. More help little: use more pipelines.
        onnxruntime: ONNX Runtime's shared library. Default: the one of the wheel `onnxruntime`.

    Raises:
        ModelError: If ONNX Runtime or a network is missing or wrong.
        SettingError: If a setting is out of its range.
    """

    def __init__(
        self,
        *,
        model: StrPath | None = None,
        detector: StrPath | None = None,
        landmarks: StrPath | None = None,
        calibration: StrPath | None = None,
        place: str | None = None,
        working_size: tuple[int, int] | None = None,
        min_confidence: float | None = None,
        search_hz: float | None = None,
        classify_hz: float | None = None,
        horizontal_fov_deg: float | None = None,
        threads: int = 1,
        onnxruntime: StrPath | None = None,
    ) -> None:
        self._settings: dict[str, Any] = {
            "model": model,
            "detector": detector,
            "landmarks": landmarks,
            "calibration": calibration,
            "place": place,
            "working_size": working_size,
            "min_confidence": min_confidence,
            "search_hz": search_hz,
            "classify_hz": classify_hz,
            "horizontal_fov_deg": horizontal_fov_deg,
            "threads": threads,
            "onnxruntime": onnxruntime,
        }
        self._core = Core(**{**self._settings, "model": model_path(model)})

    def process(
        self, image: Image, time_secs: float | None = None, *, channels: Channels = "rgb"
    ) -> list[Person]:
        """The people in an image.

        With `time_secs`, the image is the next of a sequence: people keep their ids, labels are smoothed
        over time, and a face must be seen twice to count, as in the ROS node. Without it, it is a picture
        that has nothing to do with any other.

        Args:
            image: uint8, (height, width) or (height, width, 1, 3 or 4), at most 16384 pixels a side. Not
                copied where the pixels of a row lie side by side, as in slices of rows and columns and in
                `image[..., ::-1]`. Do not write to it meanwhile. A Pillow image is taken too.
            time_secs: When it was taken, in seconds from any moment on; at least 0. A time that goes back
                begins a new sequence.
            channels: Whether a colour image is red, green, blue, or blue, green, red (OpenCV).

        Returns:
            The people, longest known first; none is no error.

        Raises:
            ImageError: If the array is no image.
            SettingError: If `time_secs` or `channels` is none.
            ModelError: If a network fails.
        """
        return self._core.process(image, time_secs, channels)

    def process_batch(
        self, images: Iterable[Image], *, channels: Channels = "rgb", jobs: int = 1
    ) -> list[list[Person]]:
        """The people of many pictures, each on its own, as `process(image)` gives them.

        Args:
            images: As in `process`; each may have another size.
            channels: As in `process`, of all.
            jobs: How many threads work on them, at least 1. The answers do not depend on it. Each has its
                own networks, which stay loaded.

        Raises:
            ImageError, ModelError: As in `process`; the message begins with the number of the image.
        """
        return self._core.process_batch(list(images), channels, max(1, jobs))

    def explain(self, image: Image, person: Person, *, channels: Channels = "rgb") -> Explanation:
        """Which parts of a face speak for each label (Grad-CAM). Runs the emotion network once more.

        Args:
            image: The image in which `person` was found.
            person: One of those that `process` gave for it.
            channels: As in `process`.

        Raises:
            ModelError: If the emotion network gives no such maps.
        """
        return self._core.explain(image, person, channels)

    def reset(self) -> None:
        """Forgets everybody, before a new sequence. Ids begin anew."""
        self._core.reset()

    @property
    def labels(self) -> list[str]:
        """The labels that the emotion network tells apart, in its order."""
        return self._core.labels

    @property
    def model(self) -> tuple[str, str, str]:
        """Name, path and SHA-256 (hexadecimal) of the emotion network."""
        name, path, sha256 = self._core.model
        return name, os.fspath(path), sha256

    @property
    def timings(self) -> Timings:
        """Where the time of the last image of `process` went."""
        return self._core.timings

    @property
    def settings(self) -> dict[str, Any]:
        """The arguments that this pipeline was made with."""
        return dict(self._settings)

    def __reduce__(self) -> tuple[Any, ...]:
        return _restore, (type(self), self._settings)

    def __repr__(self) -> str:
        given = (
            f"{name}={value!r}"
            for name, value in self._settings.items()
            if value is not None and (name, value) != ("threads", 1)
        )
        return f"Pipeline({', '.join(given)})"


def _restore(kind: type[Pipeline], settings: dict[str, Any]) -> Pipeline:
    return kind(**settings)


def model_path(model: StrPath | None) -> str | None:
    """The file of an emotion network; a bare name is one of the package's."""
    from rapport._runtime import SHARE

    if model is None:
        return None
    model = os.fspath(model)
    shipped = SHARE / "models" / f"{model}.onnx"
    is_name = os.path.basename(model) == model and not os.path.splitext(model)[1]
    return os.fspath(shipped) if is_name and shipped.exists() else model


def model_paths(models: Sequence[StrPath] | StrPath | None) -> list[str]:
    """The files of one or several."""
    if models is None:
        return []
    if isinstance(models, str | os.PathLike):
        models = [models]
    return [path for model in models if (path := model_path(model)) is not None]
