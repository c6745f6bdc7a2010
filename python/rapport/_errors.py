"""The errors of this package. Each says what is wrong, what was found and what was expected."""


class RapportError(Exception):
    """Any error of this package."""


class ImageError(RapportError, ValueError):
    """Pixels that cannot be used: not `uint8`, of another shape, empty, or too large."""


class SettingError(RapportError, ValueError):
    """A setting or argument out of its range."""


class ModelError(RapportError, RuntimeError):
    """A network or ONNX Runtime cannot be used."""


class RecordingError(RapportError, OSError):
    """A recording cannot be read."""

    def __str__(self) -> str:
        return str(self.args[0]) if self.args else ""


class EvaluationError(RapportError, RuntimeError):
    """An evaluation came to no report."""


class RecordingWarning(UserWarning):
    """Something is wrong with a recording that is read all the same."""
