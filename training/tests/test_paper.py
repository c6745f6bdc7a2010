"""The paper's network: its protocol, and Grad-CAM computed inside its graph."""

import numpy as np
import pytest
import torch

from rapport_training import contract
from rapport_training.deploy import to_onnx
from rapport_training.export import verify_against_torch
from rapport_training.faces import Faces
from rapport_training.grad_cam import grad_cam
from rapport_training.paper import PaperDeployed, PaperNetwork, PaperRecipe, pick_rows, train
from rapport_training.session import EmotionSession

SMALL = PaperRecipe(filters=(4, 8, 8, 16), dense=16, epochs=1, batch=8)


@pytest.fixture(scope="module")
def network():
    torch.manual_seed(2)
    return PaperNetwork(SMALL).eval()


def test_at_most_so_many_images_a_class_are_taken():
    labels = np.array([0] * 10 + [1] * 2 + [3] * 5)
    rows = pick_rows(labels, 4, seed=1)
    assert np.bincount(labels[rows], minlength=7).tolist() == [4, 2, 0, 4, 0, 0, 0]
    assert np.array_equal(rows, pick_rows(labels, 4, seed=1))
    assert not np.array_equal(rows, pick_rows(labels, 4, seed=2))


def test_saliency_equals_autograd_grad_cam(network, images):
    faces = torch.from_numpy(images[:6]).float()[:, None]
    model = to_onnx(PaperDeployed(network))
    _, saliency = EmotionSession(model.SerializeToString())(images[:6])
    expected = grad_cam(network, faces).numpy()
    assert saliency.shape == (6, 7, 6, 6) and np.abs(expected).max() > 0
    assert np.allclose(saliency, expected, atol=1e-5, rtol=1e-3)


def test_export_keeps_the_contract_of_every_emotion_model(network, images, tmp_path):
    deployed = PaperDeployed(network)
    model = to_onnx(deployed)
    assert verify_against_torch(model, deployed, network, images) < 1e-5
    values = contract.fixed_metadata() | {
        "recipe": "{}",
        "scores": "{}",
        "notes": "none",
        "data": "none",
    }
    contract.set_metadata(model, values)
    path = tmp_path / "paper.onnx"
    path.write_bytes(model.SerializeToString())
    contract.check(path)


def test_training_repeats(images):
    faces = Faces(images, np.arange(64) % 7, None)
    first, second = (train(faces, SMALL, torch.device("cpu")) for _ in range(2))
    assert torch.equal(first.classifier.weight, second.classifier.weight)
    assert not torch.equal(first.classifier.weight, PaperNetwork(SMALL).classifier.weight)
