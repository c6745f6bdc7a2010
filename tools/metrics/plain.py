"""Reference values as JSON has them."""

from __future__ import annotations

import math

import numpy as np


def plain(value, rounded):
    """Without NumPy's types, NaN and infinity; `rounded` rounds a float to what a test can see."""
    if isinstance(value, dict):
        return {key: plain(inner, rounded) for key, inner in value.items()}
    if isinstance(value, list | tuple | np.ndarray):
        return [plain(inner, rounded) for inner in value]
    if isinstance(value, float | np.floating):
        return rounded(float(value)) if math.isfinite(value) else None
    return int(value) if isinstance(value, np.integer) else value
