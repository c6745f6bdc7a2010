"""Which expressions faces show: in pictures, films, cameras and recordings.

Two packages share this name: the Python package (`Pipeline`, `read_bag`, `evaluate`, `track`), and
the messages that ROS 2 generates (`rapport.msg`, `rapport.srv`). This same file lies in both. Whichever
is found first, it looks for the other too, and loads nothing until it is asked for.
"""

from pkgutil import extend_path
from typing import Any

__path__ = extend_path(__path__, __name__)

# What `rapport/_api.py` gives, in its order. Listed here, so that nothing is loaded to know it.
_NAMES = (
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
)


def __getattr__(name: str) -> Any:
    if name not in _NAMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    try:
        from rapport import _api
    except ImportError as error:
        if error.name not in ("rapport", "rapport._api"):
            raise
        raise ImportError(
            f"rapport.{name} is part of the Python package rapport-expressions, which is not installed "
            "here (only the ROS messages of rapport are): build it from the repository with "
            "`pip install ./python`",
            name=__name__,
        ) from None
    value = getattr(_api, name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    from importlib.util import find_spec

    api = _NAMES if find_spec("rapport._api") else ()
    return sorted({*globals(), *api})
