"""Hardships change what they say, and alignment undoes tilt, shift and scale as the robot does."""

import numpy as np
import pytest
import torch
from scipy import ndimage

from rapport_training.alignment import TEMPLATE_PX, align
from rapport_training.robustness import HARDSHIPS


@pytest.fixture(scope="module")
def faces(images):
    """Smooth, so that resampling loses little."""
    smooth = ndimage.gaussian_filter(images[:8].astype(np.float32), (0, 2, 2))
    return torch.from_numpy(smooth)[:, None]


@pytest.mark.parametrize("name", [name for name in HARDSHIPS if name != "as they are"])
def test_a_hardship_changes_faces_and_repeats(faces, name):
    once, twice = (
        HARDSHIPS[name](faces.clone(), torch.Generator().manual_seed(3)) for _ in range(2)
    )
    assert torch.equal(once, twice)
    assert once.shape == faces.shape and once.min() >= 0 and once.max() <= 255
    assert (once - faces).abs().mean() > 0.2


def test_alignment_cuts_where_the_landmarks_are(faces):
    # The face lies turned by 20 degrees, larger by 1.2 and off centre in its image.
    turn = 1.2 * np.exp(1j * np.radians(20))
    points = turn * ((TEMPLATE_PX[:, 0] + 1j * TEMPLATE_PX[:, 1]) - (24 + 24j)) + (26 + 23j)
    landmarks = np.stack([points.real, points.imag], axis=1)[None].repeat(len(faces), axis=0)
    found = align(faces, landmarks)[:, 0].numpy()
    # SciPy's indices are rows and columns of pixel centres.
    matrix = np.array([[turn.real, turn.imag], [-turn.imag, turn.real]])
    offset = np.array([23, 26]) - 0.5 - matrix @ (np.array([24, 24]) - 0.5)
    for face, cut in zip(faces[:, 0].numpy(), found, strict=True):
        expected = ndimage.affine_transform(face, matrix, offset, order=1, mode="nearest")
        assert np.abs(expected - cut).max() < 0.01


def test_nonsense_landmarks_leave_the_face_as_it_is(faces):
    nonsense = np.full((len(faces), 5, 2), 20.0)
    assert torch.allclose(align(faces, nonsense), faces, atol=1e-3)
