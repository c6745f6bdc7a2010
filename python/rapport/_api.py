"""All that `rapport` gives, in one place."""

from rapport import _runtime
from rapport._errors import (
    EvaluationError,
    ImageError,
    ModelError,
    RapportError,
    RecordingError,
    RecordingWarning,
    SettingError,
)
from rapport._evaluation import Evaluation, Warned, evaluate
from rapport._native import (
    Explanation,
    Person,
    Recording,
    Table,
    __version__,
    onnxruntime_version,
)
from rapport._pipeline import Pipeline
from rapport._track import Tracked, read_bag, track
from rapport._types import BagMessage, BagPicture, Box, Pose, Timings, Topic

_runtime.set_up()

__all__ = [
    "BagMessage",
    "BagPicture",
    "Box",
    "Evaluation",
    "EvaluationError",
    "Explanation",
    "ImageError",
    "ModelError",
    "Person",
    "Pipeline",
    "Pose",
    "RapportError",
    "Recording",
    "RecordingError",
    "RecordingWarning",
    "SettingError",
    "Table",
    "Timings",
    "Topic",
    "Tracked",
    "Warned",
    "__version__",
    "evaluate",
    "onnxruntime_version",
    "read_bag",
    "track",
]
