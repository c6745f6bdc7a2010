"""Teachers answer for images that they never saw, and only for the images they were asked."""

import numpy as np
import pytest
import torch

from rapport_training import checkpoint
from rapport_training.deploy import Deployed, to_onnx
from rapport_training.errors import UserError
from rapport_training.fer2013 import read_fer2013
from rapport_training.network import NetworkShape
from rapport_training.teach import (
    Fold,
    answers,
    answers_of_model,
    read_teaching,
    teach,
    write_teaching,
)
from rapport_training.train import Recipe, Trainer

SHAPE = NetworkShape((16, 32), (1, 1), (1, 2))


def test_folds_part_the_rows():
    parts = [Fold.parse(f"{k}/3").left_out(10) for k in (1, 2, 3)]
    assert sorted(np.concatenate(parts)) == list(range(10))
    assert sorted([*Fold(2, 3).kept(10), *parts[1]]) == list(range(10))
    for wrong in ("0/3", "4/3", "1/1", "x"):
        with pytest.raises(ValueError):
            Fold.parse(wrong)


def test_each_row_is_answered_by_the_teacher_that_did_not_see_it(fer2013_csv, tmp_path):
    faces = read_fer2013(*fer2013_csv).training
    runs = []
    for fold in (Fold(1, 2), Fold(2, 2)):
        recipe = Recipe(epochs=1, batch=8, seed=fold.index)
        trainer = Trainer(faces.part(fold.kept(len(faces))), recipe, SHAPE, fold=fold)
        trainer.run_epoch()
        runs.append(tmp_path / str(fold.index))
        runs[-1].mkdir()
        trainer.save(runs[-1])
    cpu = torch.device("cpu")
    given = teach(runs, [], faces, cpu)
    assert np.allclose(given.sum(axis=1), 1, atol=1e-5)
    for fold, run in zip((Fold(1, 2), Fold(2, 2)), runs, strict=True):
        network, _ = checkpoint.load_network(run)
        rows = fold.left_out(len(faces))
        assert np.allclose(given[rows], answers(network, faces.part(rows), cpu), atol=1e-5)


def test_an_exported_model_teaches_beside_the_others(fer2013_csv, network, tmp_path):
    faces = read_fer2013(*fer2013_csv).training
    model = tmp_path / "emotion.onnx"
    model.write_bytes(to_onnx(Deployed(network)).SerializeToString())
    cpu = torch.device("cpu")
    expected = answers(network, faces, cpu)
    assert np.allclose(answers_of_model(model, faces), expected, atol=1e-4)
    assert np.allclose(teach([], [model, model], faces, cpu), expected, atol=1e-4)


def test_teaching_softens_the_targets_and_belongs_to_its_images(fer2013_csv, tmp_path):
    data = read_fer2013(*fer2013_csv)
    path = tmp_path / "teaching.npz"
    given = np.full((len(data.training), 7), 1 / 7, dtype=np.float32)
    write_teaching(path, given, data.training)
    taught = read_teaching(path, data.training)
    plain = Trainer(data.training, Recipe(epochs=1), SHAPE).targets
    softened = Trainer(data.training, Recipe(epochs=1), SHAPE, taught=taught).targets
    assert torch.allclose(softened, 0.3 * plain + 0.7 / 7, atol=1e-5)
    with pytest.raises(
        UserError, match="made for 48 other images or other labels, expected the 16"
    ):
        read_teaching(path, data.validation)
    path.write_text("no")
    with pytest.raises(UserError, match="not a file of the step `teach`"):
        read_teaching(path, data.training)
