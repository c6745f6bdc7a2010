"""Views, models taken up again and kept weights hold what they were made of."""

import numpy as np
import pytest
import torch

from rapport_training import contract, weights
from rapport_training.deploy import Deployed, to_onnx
from rapport_training.errors import UserError
from rapport_training.exported import fill_from, read_exported
from rapport_training.labels import KNOWN_LABELS, LABELS
from rapport_training.network import SHAPES, EmotionNetwork
from rapport_training.quantise import quantise
from rapport_training.session import EmotionSession
from rapport_training.views import make_views


@pytest.fixture(scope="module")
def model(images, tmp_path_factory):
    """An int8 model of the shape that two teachers begin from."""
    torch.manual_seed(8)
    network = EmotionNetwork(SHAPES["mobile"])
    for module in network.modules():  # maps that are neither empty nor full
        if isinstance(module, torch.nn.BatchNorm2d):
            torch.nn.init.uniform_(module.bias, 0.2, 1.0)
            module.train()
    network(torch.from_numpy(images).float()[:, None])
    network.eval()
    exact = to_onnx(Deployed(network))
    path = tmp_path_factory.mktemp("model") / "model.onnx"
    quantised = quantise(exact, images, first_in_float=SHAPES["mobile"].float_convolutions)
    values = contract.fixed_metadata() | {"recipe": "{}", "scores": "{}", "notes": "", "data": ""}
    contract.set_metadata(quantised, values)
    path.write_bytes(quantised.SerializeToString())
    return path


def test_an_exported_model_is_a_network_again(model, images):
    network = EmotionNetwork(SHAPES["mobile"], 8)
    faces = torch.from_numpy(images).float()[:, None]
    fill_from(network, read_exported(model), KNOWN_LABELS, faces)
    expected, _ = EmotionSession(model).run_all(images)
    with torch.no_grad():
        logits = network.eval()(faces)
    assert torch.equal(logits[:, :7].argmax(1), torch.from_numpy(expected.argmax(1)))
    assert np.allclose(logits[:, :7].softmax(1), expected, atol=0.05)


def test_views_carry_the_teachers_answer_and_the_votes(images):
    faces = torch.from_numpy(images)[:, None]
    shares = torch.eye(8)[torch.arange(len(faces)) % 8]
    counts = torch.ones(len(faces))
    counts[0] = 0

    def answer(faces):
        return torch.full((len(faces), 8), 1 / 8)

    views = make_views(faces, shares, counts, answer, 3, 0.75, 0.0, seed=1)
    assert views.faces.shape == (3, len(faces), 1, 48, 48) and views.faces.dtype == torch.uint8
    assert views.targets[:, 1].float().max() == pytest.approx(0.25 + 0.75 / 8, abs=1e-3)
    # Without votes that count, the teacher has it all.
    assert views.targets[:, 0].float().max() == pytest.approx(1 / 8, abs=1e-3)
    rows = torch.tensor([5, 6])
    picked, targets = views.pick(rows, torch.Generator().manual_seed(2))
    assert picked.shape == (2, 1, 48, 48) and targets.shape == (2, 8)


def test_kept_weights_come_back(tmp_path):
    torch.manual_seed(9)
    network = EmotionNetwork(SHAPES["small"])
    content = {
        "averaged": network.state_dict(),
        "shape": vars(SHAPES["small"]),
        "labels": list(LABELS),
        "recipe": {},
        "epochs_done": 1,
    }
    path = tmp_path / "emotion.safetensors"
    weights.write_weights(path, content)
    again, record = weights.load_network(path)
    assert record["epochs_done"] == 1 and again.shape == SHAPES["small"]
    for name, value in network.state_dict().items():
        assert torch.allclose(
            again.state_dict()[name].float(), value.float(), rtol=1e-3, atol=1e-4
        ), name
    path.write_text("no")
    with pytest.raises(UserError, match="not weights of this project"):
        weights.read_weights(path)
