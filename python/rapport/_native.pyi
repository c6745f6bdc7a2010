"""Types of the native part. `rapport` gives what has no underscore."""

from collections.abc import Iterator, Sequence
from os import PathLike
from pathlib import Path
from typing import Any, Literal, TypeAlias, final

import numpy as np
import numpy.typing as npt
from typing_extensions import Self

from rapport._types import BagMessage, BagPicture, Box, Pose, Timings, Topic

_Path: TypeAlias = str | PathLike[str]

__version__: str

def set_up(share: _Path, onnxruntime: _Path | None) -> bool: ...
def onnxruntime_version() -> str | None:
    """The version of the ONNX Runtime at work; None before a pipeline was made."""

def run_command(arguments: Sequence[str]) -> int: ...
def is_borrowed(image: npt.NDArray[np.uint8]) -> bool:
    """Whether an image is used where it lies, without a copy."""

def restore_person(state: dict[str, Any]) -> Person: ...
def evaluate(
    source: _Path,
    output: _Path,
    *,
    labels: _Path | None,
    label_topic: str | None,
    topic: str | None,
    models: Sequence[_Path],
    calibration: _Path | None,
    place: str | None,
    usage: str,
    votes: _Path | None,
    cut_out: bool,
    include_faces: bool,
    working_size: tuple[int, int] | None,
    search_hz: float | None,
    classify_hz: float | None,
    groups: list[str],
    resamples: int | None,
    seed: int | None,
    jobs: int,
    onnxruntime: _Path | None,
) -> tuple[str, list[tuple[str, int, str]], Table]: ...
@final
class Person:
    """One person in one frame. Can be compared and pickled."""

    @property
    def id(self) -> str:
        """`face_1`: the same while the person stays in view. Not persistent; nobody is recognised."""
    @property
    def label(self) -> str:
        """The expression shown, after smoothing in a sequence."""
    @property
    def confidence(self) -> float:
        """Probability of the label, 0 to 1."""
    @property
    def sure(self) -> bool:
        """Whether the label is more than the best guess."""
    @property
    def box(self) -> Box:
        """From forehead to chin, in pixels of the image; possibly beyond its edges."""
    @property
    def landmarks(self) -> npt.NDArray[np.float32]:
        """float32 (5, 2), x and y in pixels: left eye, right eye, nose tip, left and right mouth corner;
        left and right of the image. The centre of the top left pixel is at (0.5, 0.5)."""
    @property
    def detection_confidence(self) -> float:
        """How sure the detector is that it is a face, 0 to 1."""
    @property
    def face_probability(self) -> float:
        """How much the face looks like one that is wholly seen, 0 to 1."""
    @property
    def probabilities(self) -> dict[str, float]:
        """The probability of every label, after smoothing; their sum is 1."""
    @property
    def instant_label(self) -> str:
        """The label of one frame alone: the last in which the face was classified."""
    @property
    def instant_probabilities(self) -> dict[str, float]:
        """The probabilities of that frame alone."""
    @property
    def distribution_age_secs(self) -> float:
        """How long before this frame the face was classified, in seconds."""
    @property
    def first_seen_secs(self) -> float:
        """The time of the frame in which the face was first found, in seconds."""
    @property
    def valence(self) -> float:
        """Unpleasant -1 to pleasant 1."""
    @property
    def arousal(self) -> float:
        """Calm -1 to activated 1."""
    @property
    def engagement(self) -> Literal["disengaged", "engaging", "engaged", "disengaging"] | None:
        """Whether the person attends to the camera; None where that is unknown."""
    @property
    def yaw_deg(self) -> float | None:
        """How far the face points to the right of the image from the camera, in degrees."""
    @property
    def pitch_deg(self) -> float | None:
        """How far the face points up from the camera, in degrees."""
    @property
    def pose(self) -> Pose | None:
        """Where the head is; None where `horizontal_fov_deg` was not given."""
    def to_dict(self) -> dict[str, Any]:
        """A flat row for a table: pixels, degrees, metres, and the probability of each label."""
    def __eq__(self, other: object, /) -> bool: ...
    def __ne__(self, other: object, /) -> bool: ...

@final
class Explanation:
    """Which parts of a face speak for each label: maps of evidence over the crop that the network saw."""

    @property
    def labels(self) -> list[str]:
        """The labels, in the order of `maps`."""
    @property
    def maps(self) -> npt.NDArray[np.float32]:
        """float32 (label, row, column). What speaks for a label is above 0, what speaks against it below
        (Grad-CAM before its ReLU, times a constant)."""
    @property
    def crop_to_image(self) -> npt.NDArray[np.float32]:
        """float32 (2, 3): takes x, y and 1 in pixels of the crop to pixels of the image."""
    @property
    def crop_side_px(self) -> int:
        """Side of the crop in pixels, over which the maps lie."""
    def map(self, label: str | None = None) -> npt.NDArray[np.float32]:
        """The map of one label, (row, column); of the person's own where none is named."""
    def overlay(
        self,
        image: npt.NDArray[np.uint8],
        label: str | None = None,
        *,
        channels: Literal["rgb", "bgr"] = "rgb",
    ) -> npt.NDArray[np.uint8]:
        """The image as uint8 (height, width, 3), red, green, blue, with the evidence for a label laid over
        the face as heat."""

@final
class Recording:
    """A rosbag2 recording. Only its summary is held; messages are read as they are asked for."""

    def __new__(cls, path: _Path) -> Self: ...
    @property
    def path(self) -> Path: ...
    @property
    def topics(self) -> list[Topic]:
        """In the order of their first appearance."""
    @property
    def duration_secs(self) -> float | None:
        """From the first message to the last; None where there is none."""
    @property
    def bounds_ns(self) -> tuple[int, int] | None:
        """The log times of the first and the last message, in nanoseconds since 1970."""
    @property
    def warnings(self) -> list[str]:
        """What was amiss already when the recording was opened."""
    def pictures(self, topic: str | None = None) -> Iterator[BagPicture]:
        """The pictures of a topic (`sensor_msgs/msg/Image` or `CompressedImage`), in order of log time.
        What cannot be read is skipped, with a `RecordingWarning`."""
    def messages(self, topics: Sequence[str] | None = None) -> Iterator[BagMessage]:
        """The messages of some topics, or of all, in order of log time."""
    def __iter__(self) -> Iterator[BagPicture]: ...

@final
class Table:
    """Columns in memory, for whoever speaks Arrow's C data interface: `pyarrow.table(table)`,
    `polars.DataFrame(table)`, DuckDB by its name."""

    @property
    def column_names(self) -> list[str]: ...
    @property
    def num_rows(self) -> int: ...
    def __len__(self) -> int: ...
    def __arrow_c_schema__(self) -> object: ...
    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object: ...
    def to_arrow(self) -> Any:
        """As a `pyarrow.Table`."""
    def to_pandas(self) -> Any:
        """As a `pandas.DataFrame`; needs PyArrow too."""

@final
class Core:
    def __new__(
        cls,
        *,
        model: _Path | None,
        detector: _Path | None,
        landmarks: _Path | None,
        calibration: _Path | None,
        place: str | None,
        working_size: tuple[int, int] | None,
        min_confidence: float | None,
        search_hz: float | None,
        classify_hz: float | None,
        horizontal_fov_deg: float | None,
        threads: int,
        onnxruntime: _Path | None,
    ) -> Self: ...
    def process(
        self, image: npt.NDArray[np.uint8], time_secs: float | None, channels: str
    ) -> list[Person]: ...
    def process_batch(
        self, images: list[npt.NDArray[np.uint8]], channels: str, jobs: int
    ) -> list[list[Person]]: ...
    def explain(
        self, image: npt.NDArray[np.uint8], person: Person, channels: str
    ) -> Explanation: ...
    def reset(self) -> None: ...
    @property
    def labels(self) -> list[str]: ...
    @property
    def model(self) -> tuple[str, Path, str]: ...
    @property
    def timings(self) -> Timings: ...
