"""Weights as TensorFlow.js keeps them: a manifest of names and shapes beside files of values."""

from pathlib import Path
from typing import Any

import numpy as np


def read_tensors(folder: Path, manifest: list[dict[str, Any]]) -> dict[str, np.ndarray]:
    """Every tensor by its name, packed ones as float32, in TensorFlow's own order of axes.

    Raises OSError, KeyError, TypeError or ValueError where files and manifest do not fit.
    """
    found = {}
    for group in manifest:
        content = b"".join((folder / name).read_bytes() for name in group["paths"])
        at = 0
        for entry in group["weights"]:
            packed = entry.get("quantization")
            dtype = np.dtype(packed["dtype"] if packed else entry["dtype"])
            values = np.frombuffer(content, dtype, int(np.prod(entry["shape"])), at)
            at += values.nbytes
            if packed:
                # Half precision has no scale.
                values = values * packed.get("scale", 1.0) + packed.get("min", 0.0)
                values = values.astype(np.float32)
            found[entry["name"]] = values.reshape(entry["shape"])
    return found
