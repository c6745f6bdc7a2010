"""Dim and bright crops come to a normal light, noise goes, and a normal crop stays as it is."""

import numpy as np
import pytest
import torch
from scipy import ndimage

from rapport_training.exposure import denoise, expose, gain, noise_grey


@pytest.fixture(scope="module")
def faces(images):
    """Smooth, in normal light."""
    smooth = ndimage.gaussian_filter(images[:8].astype(np.float32), (0, 2, 2))
    return torch.from_numpy(smooth)[:, None]


def test_a_normal_crop_stays_exactly_as_it_is(faces):
    assert torch.equal(expose(faces), faces)


@pytest.mark.parametrize(
    ("mean", "expected"), [(10, 10), (1, 16), (0, 16), (125, 1), (200, 0.75), (400, 0.5)]
)
def test_gain_brings_the_mean_to_the_nearer_end_of_normal(mean, expected):
    assert gain(torch.full((1, 1, 48, 48), float(mean))).item() == pytest.approx(expected)


def test_a_tenth_of_the_light_with_noise_comes_back(faces):
    generator = torch.Generator().manual_seed(0)
    dim = (faces * 0.1 + 2 * torch.randn(faces.shape, generator=generator)).round().clamp(0, 255)
    bright = dim * gain(dim)
    assert noise_grey(bright).mean().item() == pytest.approx(17, abs=3)
    normal = faces * gain(faces * 0.1) * 0.1
    left = (expose(dim) - normal).square().mean().sqrt()
    assert left < 0.6 * (bright - normal).square().mean().sqrt()


def test_noise_is_measured(faces):
    generator = torch.Generator().manual_seed(0)
    noisy = faces + 10 * torch.randn(faces.shape, generator=generator)
    assert noise_grey(noisy).flatten().tolist() == pytest.approx([10] * len(faces), abs=1)


def test_a_plain_crop_and_a_black_one_stay_finite():
    for value in (0.0, 90.0):
        plain = torch.full((1, 1, 48, 48), value)
        assert torch.isfinite(denoise(plain)).all() and torch.isfinite(expose(plain)).all()
