"""The exported model: its contract, its numbers, and its maps."""

import numpy as np
import pytest
import torch

from rapport_training import contract
from rapport_training.deploy import Deployed, fold_norms, to_onnx
from rapport_training.errors import UserError
from rapport_training.export import verify_against_torch
from rapport_training.grad_cam import grad_cam
from rapport_training.network import EmotionNetwork, NetworkShape
from rapport_training.quantise import quantise
from rapport_training.session import EmotionSession

METADATA = contract.fixed_metadata() | {
    "recipe": "{}",
    "scores": "{}",
    "notes": "none",
    "data": "none",
}


def save(model, path):
    contract.set_metadata(model, METADATA)
    path.write_bytes(model.SerializeToString(deterministic=True))
    return path


def test_saliency_equals_autograd_grad_cam(network, images):
    faces = torch.from_numpy(images[:4]).float()[:, None]
    expected = grad_cam(network, faces).numpy()
    model = to_onnx(Deployed(network))
    _, exported = EmotionSession(model.SerializeToString())(images[:4])
    for saliency in (Deployed(network)(faces)[1].detach().numpy(), exported):
        assert np.allclose(saliency, expected, atol=1e-4, rtol=1e-4)


def test_grad_cam_is_the_gradients_mean_times_the_maps(network, images):
    faces = torch.from_numpy(images[:2]).float()[:, None]
    features = network.features(faces)
    features.retain_grad()
    network.classifier(features.mean(dim=(2, 3)))[:, 3].sum().backward()
    weights = features.grad.mean(dim=(2, 3), keepdim=True)
    expected = (weights * features).sum(dim=1) * features.shape[2] * features.shape[3]
    assert torch.allclose(grad_cam(network, faces)[:, 3], expected, atol=1e-4)


def test_maps_are_the_evidence_of_the_probabilities(network, images):
    faces = torch.from_numpy(images[:8]).float()[:, None]
    probabilities, saliency = Deployed(network, temperature=1.5)(faces)
    logits = saliency.mean(dim=(2, 3)) + network.classifier.bias
    assert torch.allclose(probabilities, torch.softmax(logits / 1.5, dim=1), atol=1e-6)


def test_folding_the_norms_changes_nothing(network, images):
    faces = torch.from_numpy(images).float()[:, None]
    assert torch.allclose(network(faces), fold_norms(network)(faces), atol=1e-4)


def test_light_and_contrast_drop_out(network, images):
    faces = torch.from_numpy(images[:8]).float()[:, None]
    with torch.no_grad():
        plain, dim = network(faces), network(faces * 0.5 + 40)
    assert torch.allclose(plain, dim, atol=0.05 * plain.abs().max())


def test_export_keeps_contract_and_numbers_and_repeats(network, images, tmp_path):
    deployed = Deployed(network, temperature=1.2)
    model = to_onnx(deployed)
    assert verify_against_torch(model, deployed, network, images) < 1e-5
    path = save(model, tmp_path / "emotion.onnx")
    contract.check(path)
    again = save(to_onnx(Deployed(network, temperature=1.2)), tmp_path / "again.onnx")
    assert path.read_bytes() == again.read_bytes()


@pytest.mark.parametrize("batch", [1, 3, 64])
def test_any_batch_gives_the_same_answers(network, images, tmp_path, batch):
    session = EmotionSession(save(to_onnx(Deployed(network)), tmp_path / "emotion.onnx"))
    probabilities, saliency = session(images[:batch])
    alone, _ = session(images[:1])
    assert probabilities.shape == (batch, 7) and saliency.shape == (batch, 7, 12, 12)
    assert np.allclose(probabilities.sum(axis=1), 1, atol=1e-5)
    assert np.allclose(probabilities[:1], alone, atol=1e-5)


def test_int8_keeps_contract_and_nearly_the_numbers(network, images, tmp_path):
    exact = to_onnx(Deployed(network))
    path = save(quantise(exact, images), tmp_path / "int8.onnx")
    contract.check(path)
    again = save(quantise(exact, images), tmp_path / "again.onnx")
    assert path.read_bytes() == again.read_bytes()
    probabilities, saliency = EmotionSession(path)(images)
    expected, maps = EmotionSession(exact.SerializeToString())(images)
    assert 0 < np.abs(probabilities - expected).max() < 0.05
    assert np.corrcoef(saliency.ravel(), maps.ravel())[0, 1] > 0.99


def test_mobilenet_exports_and_what_was_frozen_stays_in_float(images, tmp_path):
    shape = NetworkShape((16, 32), (1, 2), (2, 2), stem_stride=1, separable=True, frozen_blocks=1)
    torch.manual_seed(5)
    network = EmotionNetwork(shape).eval()
    deployed = Deployed(network)
    exact = to_onnx(deployed)
    assert verify_against_torch(exact, deployed, network, images) < 1e-5
    model = quantise(exact, images, first_in_float=shape.float_convolutions)
    contract.check(save(model, tmp_path / "int8.onnx"))
    made_by = {name: node.op_type for node in model.graph.node for name in node.output}
    from_int8 = [
        made_by.get(node.input[1]) == "DequantizeLinear"
        for node in model.graph.node
        if node.op_type == "Conv"
    ]
    # Stem and one block; two blocks; the saliency.
    assert from_int8 == [False] * 3 + [True] * 4 + [False]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda m: setattr(m.graph.output[1], "name", "heat"), "not a valid ONNX file"),
        (lambda m: setattr(m, "ir_version", 9), "IR version is 9, expected 8"),
        (lambda m: m.metadata_props.pop(), "metadata keys"),
        (
            lambda m: setattr(m.metadata_props[1], "value", "happy,sad"),
            "metadata `labels` is happy,sad",
        ),
        (lambda m: setattr(m.metadata_props[6], "value", "good"), "`scores` is no JSON"),
    ],
)
def test_a_breach_of_the_contract_is_named(network, tmp_path, change, message):
    model = to_onnx(Deployed(network))
    contract.set_metadata(model, METADATA)
    change(model)
    path = tmp_path / "wrong.onnx"
    path.write_bytes(model.SerializeToString())
    with pytest.raises(UserError) as error:
        contract.check(path)
    assert message in str(error.value)
