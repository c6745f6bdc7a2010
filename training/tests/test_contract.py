"""The contract takes its labels from the model: seven or eight, in any order."""

import onnx
import pytest
import torch

from rapport_training import contract
from rapport_training.decision import Decision
from rapport_training.deploy import to_onnx
from rapport_training.errors import UserError
from rapport_training.labels import CONTEMPT, LABELS
from rapport_training.session import EmotionSession

EIGHT = (CONTEMPT, *reversed(LABELS))


class Plain(torch.nn.Module):
    """The smallest network with both outputs."""

    def __init__(self, classes: int) -> None:
        super().__init__()
        self.maps = torch.nn.Conv2d(1, classes, 3, stride=16)

    def forward(self, faces: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        saliency = self.maps(faces / 255)
        return torch.softmax(saliency.mean(dim=(2, 3)), dim=1), saliency


def model(labels=EIGHT, **metadata: str) -> onnx.ModelProto:
    torch.manual_seed(0)
    model = to_onnx(Plain(8))
    rest = dict.fromkeys(("data", "recipe", "notes"), "none") | {"scores": "{}"}
    contract.set_metadata(model, contract.fixed_metadata(labels) | rest | metadata)
    return model


def save(model, path):
    path.write_bytes(model.SerializeToString())
    return path


def test_eight_labels_in_any_order(tmp_path, images):
    path = save(model(), tmp_path / "emotion.onnx")
    contract.check(path)
    session = EmotionSession(path)
    assert session.labels == EIGHT and session.decision == Decision()
    probabilities, saliency = session.run_all(images)
    assert probabilities.shape == (64, 8) and saliency.shape == (64, 8, 3, 3)


def test_the_decision_comes_with_the_model(tmp_path):
    rule = Decision({"sad": 0.75}, 0.6, {"sad": 0.7})
    path = save(model(decision=rule.to_json()), tmp_path / "emotion.onnx")
    contract.check(path)
    assert EmotionSession(path).decision == rule
    assert list(contract.read_metadata(onnx.load(path))) == list(contract.METADATA_KEYS)


@pytest.mark.parametrize(
    ("made", "message"),
    [
        (lambda: model(LABELS), "shape of probabilities is [8], expected [7]"),
        (lambda: model((*LABELS, "happy")), "expected each of angry,disgust"),
        (lambda: model((*LABELS[1:], CONTEMPT)), "expected each of angry,disgust"),
        (lambda: model((*LABELS, "rage")), "with or without contempt"),
        (lambda: model(decision='{"weights": {"rage": 1}}'), "names `rage`"),
    ],
)
def test_wrong_labels_or_decision_are_named(tmp_path, made, message):
    path = save(made(), tmp_path / "wrong.onnx")
    for read in (contract.check, EmotionSession):
        if read is EmotionSession and "shape" in message:
            message = "8 classes, expected the 7 of"
        with pytest.raises(UserError) as error:
            read(path)
        assert message in str(error.value)
