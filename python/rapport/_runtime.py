"""Where the networks of this package lie, and ONNX Runtime's library in its own wheel."""

from __future__ import annotations

import importlib.util
from pathlib import Path

from rapport import _native

SHARE = Path(__file__).resolve().parent / "share"


def onnxruntime_library() -> Path | None:
    """ONNX Runtime's shared library in the wheel `onnxruntime`, which is not imported for it."""
    spec = importlib.util.find_spec("onnxruntime")
    for folder in (spec and spec.submodule_search_locations) or ():
        capi = Path(folder) / "capi"
        for pattern in ("libonnxruntime.so.*", "libonnxruntime.*.dylib", "onnxruntime.dll"):
            found = sorted(capi.glob(pattern))
            if found:
                return found[0]
    return None


def set_up() -> None:
    """Tells the native part where both lie. `ORT_DYLIB_PATH` names another library."""
    _native.set_up(SHARE, onnxruntime_library())
