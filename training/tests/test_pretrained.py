"""Weights to begin from arrive as they were: read from the file, and with the same values."""

import json

import numpy as np
import pytest
import torch
from torch.nn import functional

from rapport_training.errors import UserError
from rapport_training.fer2013 import read_fer2013
from rapport_training.network import SHAPES, EmotionNetwork, standardise
from rapport_training.pretrained import (
    ENLARGED,
    MANIFEST,
    TYPICAL_DEVIATION,
    begin_from,
    read_weights,
)
from rapport_training.train import Recipe, Trainer

STAGES = {32: ("1", "2"), 64: ("down", "1", "2"), 128: ("down", "1", "2"), 256: ("down",)}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A file of the source's layout with weights of our own, filters in 8 bits."""
    path = tmp_path_factory.mktemp("model")
    generator = np.random.default_rng(11)
    entries, content = [], b""

    def add(name, shape, low, high):
        nonlocal content
        packed = generator.integers(0, 256, shape).astype(np.uint8)
        scale = (high - low) / 255
        quantization = {"dtype": "uint8", "scale": scale, "min": low}
        entry = {"name": name, "shape": shape, "dtype": "float32"}
        if name.endswith("biases"):  # one kind is left unpacked
            content += (packed * scale + low).astype("<f4").tobytes()
        else:
            entry["quantization"] = quantization
            content += packed.tobytes()
        entries.append(entry)

    def layer(name, side, width_in, width):
        spread = 1.7 / (side * side * width_in) ** 0.5
        add(f"{name}/conv/filters", [side, side, width_in, width], -spread, spread)
        add(f"{name}/scale/weights", [width], 0.5, 1.5)
        add(f"{name}/scale/biases", [width], -0.2, 0.2)

    layer("conv32_down", 7, 3, 32)
    before = 32
    for width, names in STAGES.items():
        for name in names:
            layer(f"conv{width}_{name}/conv1", 3, before, width)
            layer(f"conv{width}_{name}/conv2", 3, width, width)
            before = width
    (path / "weights.bin").write_bytes(content)
    (path / MANIFEST).write_text(json.dumps([{"paths": ["weights.bin"], "weights": entries}]))
    return path


def by_hand(weights, faces):
    """The source's stem and first stage, with its fixed scales, on enlarged pictures."""

    def scaled(name, maps, **convolution):
        maps = functional.conv2d(maps, weights[f"{name}/conv/filters"], **convolution)
        scale, offset = weights[f"{name}/scale/weights"], weights[f"{name}/scale/biases"]
        return maps * scale[:, None, None] + offset[:, None, None]

    grey = standardise(faces) * TYPICAL_DEVIATION
    large = functional.interpolate(grey, scale_factor=2, mode="bilinear", align_corners=False)
    maps = functional.relu(scaled("conv32_down", large.expand(-1, 3, -1, -1), stride=2, padding=3))
    maps = functional.max_pool2d(maps, 3, 2, 1)
    for block in ("conv32_1", "conv32_2"):
        inner = functional.relu(scaled(f"{block}/conv1", maps, padding=1))
        maps = functional.relu(maps + scaled(f"{block}/conv2", inner, padding=1))
    return maps


def test_the_first_stage_gives_the_sources_values(folder, images):
    weights = read_weights(folder)
    faces = torch.from_numpy(images[:32]).float()[:, None]
    torch.manual_seed(1)
    network = EmotionNetwork(SHAPES["face"])
    begin_from(network, weights, faces)
    with torch.no_grad():
        maps = network.pool(functional.relu(network.stem_norm(network.stem(standardise(faces)))))
        found = network.blocks[:2](maps)
    expected = by_hand(weights, faces)
    # Enlarging repeats the border where a convolution pads with zeros: the middle is the same.
    inside = (..., slice(6, -6), slice(6, -6))
    # Norms take the mean over whole maps, borders too, out and put it back: not to the last bit.
    assert (found[inside] - expected[inside]).abs().max() < 0.02 * expected.abs().max()


def test_enlarging_and_the_large_stem_are_one_small_stem():
    torch.manual_seed(2)
    faces, stem = torch.rand(2, 1, 24, 24), torch.rand(4, 1, 7, 7)
    large = functional.interpolate(faces, scale_factor=2, mode="bilinear", align_corners=False)
    expected = functional.conv2d(large, stem, stride=2, padding=3)
    found = functional.conv2d(faces, ENLARGED @ stem @ ENLARGED.T, padding=2)
    assert torch.allclose(found[..., 2:-2, 2:-2], expected[..., 2:-2, 2:-2], atol=1e-4)


def test_training_begins_from_them(folder, fer2013_csv, tmp_path):
    faces = read_fer2013(*fer2013_csv).training
    weights = read_weights(folder)
    trainer = Trainer(faces, Recipe(epochs=1, batch=16), SHAPES["face"], pretrained=weights)
    filters = weights["conv256_down/conv2/conv/filters"]
    assert torch.equal(trainer.averaged.blocks[-1].conv2.weight, filters)
    trainer.run_epoch()
    trainer.save(tmp_path)
    again = Trainer(faces, Recipe(epochs=1, batch=16), SHAPES["face"])
    assert again.resume(tmp_path) and again.progress() >= 1


def test_what_is_wrong_is_named(folder, tmp_path):
    with pytest.raises(UserError, match="not readable"):
        read_weights(tmp_path)
    (tmp_path / MANIFEST).write_text((folder / MANIFEST).read_text())
    (tmp_path / "weights.bin").write_bytes((folder / "weights.bin").read_bytes()[:1000])
    with pytest.raises(UserError, match="not readable"):
        read_weights(tmp_path)
    weights = read_weights(folder)
    with pytest.raises(UserError, match="weights to begin from"):
        begin_from(EmotionNetwork(SHAPES["wide"]), weights, torch.zeros(2, 1, 48, 48))
