"""Weights to begin from arrive as they were: read from the file, and with the same values."""

import json

import numpy as np
import pytest
import torch
from torch.nn import functional

from rapport_training.augment import CALM
from rapport_training.beginning import FromSource
from rapport_training.deploy import Deployed, to_onnx
from rapport_training.engine import decays
from rapport_training.errors import UserError
from rapport_training.fer2013 import read_fer2013
from rapport_training.network import SHAPES, EmotionNetwork, NetworkShape, standardise
from rapport_training.pretrained import (
    ENLARGED,
    SOURCES,
    TYPICAL_DEVIATION,
    begin_from,
    read_weights,
)
from rapport_training.quantise import quantise
from rapport_training.session import EmotionSession
from rapport_training.train import Recipe, Trainer

FACE, MOBILE = SOURCES["face"], SOURCES["mobile"]
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
    (path / FACE.manifest).write_text(json.dumps([{"paths": ["weights.bin"], "weights": entries}]))
    return path


@pytest.fixture(scope="module")
def mobile_folder(tmp_path_factory):
    """The same for the other source: values in half precision, scales in the filters but for
    those of single channels."""
    path = tmp_path_factory.mktemp("models")
    generator = np.random.default_rng(12)
    entries, content = [], b""

    def add(name, shape, low, high):
        nonlocal content
        content += generator.uniform(low, high, shape).astype("<f2").tobytes()
        quantization = {"dtype": "float16", "original_dtype": "float32"}
        entry = {"name": name, "shape": shape, "dtype": "float32", "quantization": quantization}
        entries.append(entry)

    def full(name, side, width_in, width, spread):
        add(f"{name}/convolution/merged_input", [side, side, width_in, width], -spread, spread)
        add(f"{name}_bn/batchnorm_1/sub", [width], 0.0, 0.5)

    full("conv1", 3, 3, 32, 0.005)  # its input is in grey levels
    before, number, shape = 32, 0, SHAPES["mobile"]
    for width, count in zip(shape.widths, shape.blocks, strict=True):
        for _ in range(count):
            number += 1
            add(f"conv_dw_{number}/depthwise_kernel", [3, 3, before, 1], -0.5, 0.5)
            add(f"conv_dw_{number}_bn/batchnorm_1/mul", [before], 0.5, 1.5)
            add(f"conv_dw_{number}_bn/batchnorm_1/sub", [before], 0.0, 0.5)
            full(f"conv_pw_{number}", 1, before, width, 1.7 / before**0.5)
            before = width
    (path / "weights.bin").write_bytes(content)
    manifest = {"weightsManifest": [{"paths": ["weights.bin"], "weights": entries}]}
    (path / MOBILE.manifest).write_text(json.dumps(manifest))
    return path


def by_hand(weights, faces):
    """The source's stem and first stage, with its fixed scales, on enlarged pictures."""

    def scaled(name, maps, **convolution):
        maps = functional.conv2d(maps, weights[f"{name}/conv/filters"], **convolution)
        scale, offset = weights[f"{name}/scale/weights"], weights[f"{name}/scale/biases"]
        return maps * scale[:, None, None] + offset[:, None, None]

    grey = standardise(faces) * TYPICAL_DEVIATION * FACE.level
    large = functional.interpolate(grey, scale_factor=2, mode="bilinear", align_corners=False)
    maps = functional.relu(scaled("conv32_down", large.expand(-1, 3, -1, -1), stride=2, padding=3))
    maps = functional.max_pool2d(maps, 3, 2, 1)
    for block in ("conv32_1", "conv32_2"):
        inner = functional.relu(scaled(f"{block}/conv1", maps, padding=1))
        maps = functional.relu(maps + scaled(f"{block}/conv2", inner, padding=1))
    return maps


def test_the_first_stage_gives_the_sources_values(folder, images):
    weights = read_weights(folder, FACE)
    faces = torch.from_numpy(images[:32]).float()[:, None]
    torch.manual_seed(1)
    network = EmotionNetwork(SHAPES["face"])
    begin_from(network, weights, FACE, faces)
    with torch.no_grad():
        maps = network.pool(functional.relu(network.stem_norm(network.stem(standardise(faces)))))
        found = network.blocks[:2](maps)
    expected = by_hand(weights, faces)
    # Enlarging repeats the border where a convolution pads with zeros: the middle is the same.
    inside = (..., slice(6, -6), slice(6, -6))
    # Norms take the mean over whole maps, borders too, out and put it back: not to the last bit.
    assert (found[inside] - expected[inside]).abs().max() < 0.02 * expected.abs().max()


def test_mobilenets_first_block_gives_the_sources_values(mobile_folder, images):
    weights = read_weights(mobile_folder, MOBILE)
    faces = torch.from_numpy(images[:32]).float()[:, None]
    network = EmotionNetwork(SHAPES["mobile"])
    begin_from(network, weights, MOBILE, faces)
    network.eval()
    with torch.no_grad():
        maps = functional.relu6(network.stem_norm(network.stem(standardise(faces))))
        found = network.blocks[0](maps)

    def rest(name, maps):
        return functional.relu6(maps + weights[f"{name}_bn/batchnorm_1/sub"][:, None, None])

    grey = standardise(faces) * TYPICAL_DEVIATION
    large = functional.interpolate(grey, scale_factor=2, mode="bilinear", align_corners=False)
    filters = weights["conv1/convolution/merged_input"]
    large = large.expand(-1, 3, -1, -1)
    maps = rest("conv1", functional.conv2d(large, filters, stride=2, padding=1))
    filters = weights["conv_dw_1/depthwise_kernel"]
    maps = functional.conv2d(maps, filters, padding=1, groups=32)
    maps = rest("conv_dw_1", maps * weights["conv_dw_1_bn/batchnorm_1/mul"][:, None, None])
    filters = weights["conv_pw_1/convolution/merged_input"]
    expected = rest("conv_pw_1", functional.conv2d(maps, filters))
    inside = (..., slice(3, -3), slice(3, -3))
    assert (found[inside] - expected[inside]).abs().max() < 1e-3 * expected.abs().max()


@pytest.mark.parametrize("side", sorted(ENLARGED))
def test_enlarging_and_the_large_stem_are_one_small_stem(side):
    torch.manual_seed(2)
    faces, stem = torch.rand(2, 1, 24, 24), torch.rand(4, 1, side, side)
    large = functional.interpolate(faces, scale_factor=2, mode="bilinear", align_corners=False)
    expected = functional.conv2d(large, stem, stride=2, padding=side // 2)
    stem = ENLARGED[side] @ stem @ ENLARGED[side].T
    found = functional.conv2d(faces, stem, padding=stem.shape[-1] // 2)
    assert torch.allclose(found[..., 2:-2, 2:-2], expected[..., 2:-2, 2:-2], atol=1e-4)


def test_training_begins_from_them(folder, fer2013_csv, tmp_path):
    faces = read_fer2013(*fer2013_csv).training
    weights = read_weights(folder, FACE)
    source = FromSource(FACE, weights)
    trainer = Trainer(faces, Recipe(epochs=1, batch=16), SHAPES["face"], beginning=source)
    filters = weights["conv256_down/conv2/conv/filters"]
    assert torch.equal(trainer.averaged.blocks[-1].conv2.weight, filters)
    trainer.run_epoch()
    trainer.save(tmp_path)
    again = Trainer(faces, Recipe(epochs=1, batch=16), SHAPES["face"])
    assert again.resume(tmp_path) and again.progress() >= 1


def test_what_is_frozen_stays_as_it_came(mobile_folder, fer2013_csv, tmp_path):
    faces = read_fer2013(*fer2013_csv).training
    source = FromSource(MOBILE, read_weights(mobile_folder, MOBILE))
    recipe = Recipe(epochs=1, batch=16)
    trainer = Trainer(faces, recipe, SHAPES["mobile"], beginning=source, augmentation=CALM)
    before = {key: value.clone() for key, value in trainer.network.state_dict().items()}
    trainer.run_epoch()
    for key, value in trainer.network.state_dict().items():
        frozen = key.startswith(("stem", "blocks.0.", "blocks.1."))
        assert torch.equal(value, before[key]) == frozen, key
    trainer.save(tmp_path)
    with pytest.raises(UserError, match=r"its run has roll_deg 12\.0, now 14\.0"):
        Trainer(faces, recipe, SHAPES["mobile"]).resume(tmp_path)


def test_rounding_trains_for_what_int8_will_be(images):
    """Rounded in training, the network is nearer to its own int8 than it is without."""
    shape = NetworkShape((16, 32), (1, 2), (2, 2), stem_stride=1, separable=True)
    torch.manual_seed(6)
    network = EmotionNetwork(shape)
    faces = torch.from_numpy(images).float()[:, None]
    for _ in range(30):  # until the norms know their statistics
        network(faces)
    network.eval()
    exact = to_onnx(Deployed(network))
    answers = EmotionSession(quantise(exact, images).SerializeToString()).run_all(images)[0]
    with torch.no_grad():
        plain = network(faces).softmax(1)
        network.round_as_int8()
        rounded = network(faces).softmax(1)
    assert (plain != rounded).any()
    gap = [float((p - torch.from_numpy(answers)).abs().mean()) for p in (plain, rounded)]
    assert gap[1] < gap[0]
    network.train()
    network(faces).sum().backward()
    assert all(block.conv1.weight.grad.abs().sum() > 0 for block in network.blocks)


def test_filters_of_single_channels_do_not_decay():
    network = EmotionNetwork(SHAPES["mobile"])
    trained = decays(network)
    stays = [parameter for parameter, decay in trained if not decay]
    lessened = [parameter for parameter, decay in trained if decay]
    block, frozen = network.blocks[-1], network.blocks[0]

    def among(parameter, group):
        return any(parameter is other for other in group)

    assert among(block.conv2.weight, lessened) and among(block.conv1.weight, stays)
    assert not among(frozen.conv2.weight, lessened + stays)


def test_what_is_wrong_is_named(folder, tmp_path):
    with pytest.raises(UserError, match="not readable"):
        read_weights(tmp_path, FACE)
    (tmp_path / FACE.manifest).write_text((folder / FACE.manifest).read_text())
    (tmp_path / "weights.bin").write_bytes((folder / "weights.bin").read_bytes()[:1000])
    with pytest.raises(UserError, match="not readable"):
        read_weights(tmp_path, FACE)
    weights = read_weights(folder, FACE)
    with pytest.raises(UserError, match="weights to begin from"):
        begin_from(EmotionNetwork(SHAPES["wide"]), weights, FACE, torch.zeros(2, 1, 48, 48))


def test_a_shorter_stage_takes_the_sources_first_blocks(mobile_folder, images):
    weights = read_weights(mobile_folder, MOBILE)
    network = EmotionNetwork(SHAPES["mobile-short"])
    begin_from(network, weights, MOBILE, torch.from_numpy(images[:16]).float()[:, None])
    taken = [
        int((weights[f"conv_pw_{n}/convolution/merged_input"] == block.conv2.weight).all())
        for n, block in zip((6, 7, 8, 9, 12), network.blocks[5:], strict=True)
    ]
    assert taken == [1] * 5
    assert network.shape.float_convolutions == 1 and SHAPES["mobile"].float_convolutions == 5
