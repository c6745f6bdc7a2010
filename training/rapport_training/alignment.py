"""The crop as the robot makes it (`src/crop.rs`), from landmarks that O-Net finds."""

import numpy as np
import torch
from torch.nn import functional

from .labels import INPUT_SIZE_PX

# `python -m rapport_training.landmark_template` prints it; `src/crop.rs` holds the same.
TEMPLATE_PX = np.array(
    [[15.13, 17.88], [32.87, 17.88], [24.00, 28.33], [16.48, 37.51], [31.52, 37.51]]
)
# How far the crop's scale may be from the image's before landmarks are taken for nonsense.
PLAUSIBLE_SCALE = (0.5, 2.0)


def align(
    faces: torch.Tensor, landmarks_px: np.ndarray, margin: float = 1.0, level: bool = True
) -> torch.Tensor:
    """Grey [N,1,48,48] cut again so that the landmarks [N,5,2] lie on the template.

    `margin` is the side of the crop in units of the template's. Without `level`, only shift and
    scale are undone. A face whose landmarks make no sense stays as it is; the border goes on
    where the image ends, as on the robot.
    """
    centre = INPUT_SIZE_PX / 2
    template = centre + (TEMPLATE_PX - centre) / margin
    # A similarity of the plane is one complex factor and a shift; the fit a complex regression.
    goal = landmarks_px[..., 0] + 1j * landmarks_px[..., 1]
    start = template[:, 0] + 1j * template[:, 1]
    goal_mean, start_mean = goal.mean(axis=1), start.mean()
    spread = (np.abs(start - start_mean) ** 2).sum()
    factor = ((start - start_mean).conj() * (goal - goal_mean[:, None])).sum(axis=1) / spread
    if not level:
        factor = np.abs(factor) + 0j
    shift = goal_mean - factor * start_mean
    low, high = PLAUSIBLE_SCALE
    nonsense = ~((np.abs(factor) >= low) & (np.abs(factor) <= high))
    factor[nonsense], shift[nonsense] = 1, 0
    # From pixels to the grid of -1 to 1.
    offset = (factor * (centre + 1j * centre) + shift) / centre - (1 + 1j)
    matrix = np.stack(
        [factor.real, -factor.imag, offset.real, factor.imag, factor.real, offset.imag]
    )
    matrix = torch.from_numpy(matrix.T.reshape(-1, 2, 3).astype(np.float32))
    grid = functional.affine_grid(matrix, list(faces.shape), align_corners=False)
    return functional.grid_sample(faces, grid, padding_mode="border", align_corners=False)
