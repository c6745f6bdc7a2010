"""Training learns, resumes to the same weights, and its inputs are what they say."""

import numpy as np
import pytest
import torch

from rapport_training import checkpoint
from rapport_training.augment import ROUGH, TAUGHT, Augmentation, augment
from rapport_training.beginning import FromRun, read_beginning
from rapport_training.engine import Engine, weighted_cross_entropy
from rapport_training.errors import UserError
from rapport_training.faces import Faces
from rapport_training.fer2013 import read_fer2013
from rapport_training.labels import LABELS
from rapport_training.landmark_template import similarity_residuals
from rapport_training.network import EmotionNetwork, NetworkShape
from rapport_training.targets import VOTES, soft_targets, vote_targets
from rapport_training.teach import Fold
from rapport_training.train import Recipe, Trainer, accuracy

SHAPE = NetworkShape((16, 32), (1, 1), (1, 2))
RECIPE = Recipe(epochs=2, batch=16)


@pytest.mark.parametrize("augmentation", [Augmentation(), ROUGH, TAUGHT])
def test_augmented_faces_stay_faces_and_repeat(images, augmentation):
    faces = torch.from_numpy(images).float()[:, None]
    once, twice = (
        augment(faces.clone(), augmentation, torch.Generator().manual_seed(4)) for _ in range(2)
    )
    assert torch.equal(once, twice)
    assert once.shape == faces.shape and once.min() >= 0 and once.max() <= 255
    assert not torch.equal(once, faces)


def test_soft_targets_keep_the_label_first(fer2013_csv):
    faces = read_fer2013(*fer2013_csv).training
    targets = soft_targets(faces, 0.4, seed=1)
    assert np.allclose(targets.sum(axis=1), 1, atol=1e-5)
    assert (targets[np.arange(len(faces)), faces.labels] >= 0.6).all()
    no_votes = Faces(faces.images, faces.labels, None)
    assert (soft_targets(no_votes, 0.4, seed=1).max(axis=1) == 1).all()


def test_single_votes_and_what_is_no_face_do_not_count():
    # neutral, happiness, surprise, sadness, anger, disgust, fear, contempt, unknown, NF
    votes = np.zeros((4, 10), dtype=np.float32)
    votes[0, [0, 3, 7]] = 6, 3, 1
    votes[1, [1, 8]] = 4, 6
    votes[2, [9]] = 10
    votes[3, [1, 8]] = 6, 4
    given = vote_targets(votes)
    named = dict(zip(given.labels, given.shares[0], strict=True))
    assert named["neutral"] == pytest.approx(2 / 3) and named["contempt"] == 0
    assert given.weights == pytest.approx([1, 0, 0, 0.6])
    assert given.shares.sum(axis=1) == pytest.approx([1] * 4)


def test_a_resumed_run_ends_at_the_same_weights(fer2013_csv, tmp_path):
    torch.set_num_threads(1)
    faces = read_fer2013(*fer2013_csv).training
    unbroken = Trainer(faces, RECIPE, SHAPE)
    unbroken.run_epoch()
    unbroken.save(tmp_path)
    unbroken.run_epoch()
    resumed = Trainer(faces, RECIPE, SHAPE)
    assert resumed.resume(tmp_path) and resumed.epochs_done == 1
    resumed.run_epoch()
    resumed.save(tmp_path)
    pairs = zip(unbroken.averaged.parameters(), resumed.averaged.parameters(), strict=True)
    assert all(torch.equal(a, b) for a, b in pairs)
    network, content = checkpoint.load_network(tmp_path)
    assert content["epochs_done"] == 2
    assert torch.equal(network.classifier.weight, resumed.averaged.classifier.weight)


def test_another_run_is_not_taken_up(fer2013_csv, tmp_path):
    faces = read_fer2013(*fer2013_csv).training
    Trainer(faces, RECIPE, SHAPE, fold=Fold(1, 5)).save(tmp_path)
    longer = Recipe(epochs=7, batch=16)
    assert Trainer(faces, longer, SHAPE, fold=Fold(1, 5)).resume(tmp_path)
    for other, message in [
        (Trainer(faces, RECIPE, SHAPE, fold=Fold(2, 5)), r"fold \[1, 5\], now \[2, 5\]"),
        (Trainer(faces, RECIPE, SHAPE), "fold .* now None"),
        (Trainer(faces, Recipe(batch=16, seed=9), SHAPE, fold=Fold(1, 5)), "seed 1, now 9"),
    ]:
        with pytest.raises(UserError, match=message):
            other.resume(tmp_path)


def test_other_images_or_other_teaching_are_not_taken_up(fer2013_csv, tmp_path):
    faces = read_fer2013(*fer2013_csv).training
    taught = np.full((len(faces), 7), 1 / 7, dtype=np.float32)
    Trainer(faces, RECIPE, SHAPE, taught=taught).save(tmp_path)
    assert Trainer(faces, RECIPE, SHAPE, taught=taught.copy()).resume(tmp_path)
    fewer = faces.part(np.arange(40))
    with pytest.raises(UserError, match="other training images"):
        Trainer(fewer, RECIPE, SHAPE, taught=taught[:40]).resume(tmp_path)
    other = np.eye(7, dtype=np.float32)[faces.labels]
    with pytest.raises(UserError, match="other answers of teachers"):
        Trainer(faces, RECIPE, SHAPE, taught=other).resume(tmp_path)


def test_votes_are_learnt_with_contempt_as_an_eighth_label(fer2013_csv, tmp_path):
    faces = read_fer2013(*fer2013_csv).training
    recipe = Recipe(epochs=1, batch=16, reading=VOTES, sharpness=0.05, mix_share=0.5, side_px=64)
    trainer = Trainer(faces, recipe, SHAPE)
    trainer.run_epoch()
    trainer.save(tmp_path)
    network, content = checkpoint.load_network(tmp_path)
    assert content["labels"] == [*LABELS, "contempt"] and trainer.side_px == 64
    assert network.classifier.out_features == 8
    with pytest.raises(UserError, match="that run has the labels"):
        Trainer(faces, RECIPE, SHAPE, beginning=FromRun(checkpoint.load(tmp_path)))
    with pytest.raises(UserError, match="expected --votes"):
        Trainer(Faces(faces.images, faces.labels, None), recipe, SHAPE)


def test_a_step_uphill_leaves_weights_and_statistics_in_place():
    torch.manual_seed(0)
    network = EmotionNetwork(SHAPE)
    batch = torch.rand(16, 1, 48, 48) * 255, torch.full((16, 7), 1 / 7), torch.ones(16)

    def loss(network, batch):
        return weighted_cross_entropy(network(batch[0]), *batch[1:])

    engine = Engine(network, loss, 0.0, sharpness=0.1)
    before = {name: value.clone() for name, value in network.named_parameters()}
    engine.step(batch, 0.0, 0.5)
    for name, value in network.named_parameters():
        assert torch.allclose(value, before[name], atol=1e-6), name
    first = engine.step(batch, 0.02, 0.5)
    for _ in range(20):
        last = engine.step(batch, 0.02, 0.5)
    assert last < first


def test_a_run_begins_from_an_earlier_one(fer2013_csv, tmp_path):
    torch.set_num_threads(1)
    faces = read_fer2013(*fer2013_csv).training
    earlier = Trainer(faces, RECIPE, SHAPE)
    earlier.run_epoch()
    earlier.save(tmp_path)
    content = checkpoint.load(tmp_path)
    trainer = Trainer(faces, RECIPE, SHAPE, beginning=FromRun(content))
    assert trainer.progress() == 0, "on a schedule of its own"
    pairs = zip(earlier.averaged.parameters(), trainer.network.parameters(), strict=True)
    assert all(torch.equal(a, b) for a, b in pairs)
    trainer.run_epoch()
    trainer.save(tmp_path)
    record = checkpoint.load(tmp_path)["earlier"]
    assert (record["epochs_done"], record["recipe"]) == (1, content["recipe"])


def test_what_to_begin_from_must_fit(fer2013_csv, tmp_path):
    faces = read_fer2013(*fer2013_csv).training
    Trainer(faces, RECIPE, SHAPE).save(tmp_path)
    for folder, run, message in [
        (tmp_path, tmp_path / "new", "its checkpoint has shape"),
        (tmp_path / "none", tmp_path / "new", "holds no checkpoint"),
        (tmp_path, tmp_path, "expected two folders"),
    ]:
        with pytest.raises(UserError, match=message):
            read_beginning(folder, run, "small", None)


def test_it_learns_what_can_be_learnt():
    # Two classes apart in the direction of their stripes.
    generator = np.random.default_rng(2)
    stripes = np.tile((np.arange(48) % 8 < 4) * 200, (48, 1))
    labels = generator.integers(0, 2, 256)
    pictures = np.stack([stripes if label else stripes.T for label in labels])
    noisy = np.clip(pictures + generator.normal(20, 15, pictures.shape), 0, 255)
    faces = Faces(noisy.astype(np.uint8), labels, None)
    trainer = Trainer(faces, Recipe(epochs=3, batch=16), SHAPE)
    for _ in range(3):
        trainer.run_epoch()
    assert accuracy(trainer.averaged, faces) > 0.9


def test_similarity_is_undone():
    template = np.array([[15, 18], [33, 18], [24, 28], [17, 37], [31, 37]], dtype=float)
    roll, scale = np.radians(20), 1.25
    turn = np.array([[np.cos(roll), -np.sin(roll)], [np.sin(roll), np.cos(roll)]])
    face = (template @ turn.T) * scale + [5, -3]
    found_scale, found_roll, left = similarity_residuals(face[None], template)
    assert np.allclose(found_scale, 1 / scale)
    assert np.allclose(found_roll, -20)
    assert np.allclose(left, 0, atol=1e-9)
