"""Hardships change what they say, and alignment undoes tilt, shift and scale as the robot does."""

import numpy as np
import pytest
import torch
from scipy import ndimage

from rapport_training.alignment import TEMPLATE_PX, align
from rapport_training.decision import Decision
from rapport_training.faces import Faces
from rapport_training.ferplus import ferplus
from rapport_training.labels import CONTEMPT, LABELS
from rapport_training.robustness import HARDSHIPS, Reading


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


def test_a_turned_head_shows_one_side_and_hides_the_other():
    # Grey by column: where each column of the turned head comes from.
    faces = torch.arange(48.0).expand(1, 1, 48, 48)
    turned = HARDSHIPS["yaw 60 degrees"](faces, torch.Generator().manual_seed(0))[0, 0, 24]
    if turned[0] > turned[-1]:
        turned = turned.flip(0)
    assert (turned.diff() >= -1e-3).all()
    # The landmarks' mean stays in the middle, the near side is seen to the image's border, and of
    # the far side the last columns are out of sight.
    assert turned[24].item() == pytest.approx(23.5, abs=3)
    far, near = sorted([turned[0].item(), 47 - turned[-1].item()], reverse=True)
    assert near < 2 and far > 10
    unturned = HARDSHIPS["yaw 15 degrees"](torch.full((2, 1, 48, 48), 90.0), torch.Generator())
    assert torch.allclose(unturned, torch.full((2, 1, 48, 48), 90.0))


class Says:
    """A session that says one label of every face."""

    def __init__(self, labels, label):
        self.labels, self.decision = labels, Decision()
        self.answer = np.eye(len(labels), dtype=np.float32)[labels.index(label)]

    def run_all(self, images):
        return np.tile(self.answer, (len(images), 1)), None


def test_the_reading_comes_from_the_models_labels(images):
    votes = np.zeros((4, 10), dtype=np.float32)
    votes[:, 0] = 9  # neutral
    votes[3] = 1  # nothing is left
    data = Faces(images[:4], np.zeros(4, dtype=int), votes)
    people = Says((*LABELS, CONTEMPT), "neutral")
    reading = Reading.of(people, data)
    assert reading.by_people and reading.faces.shape[0] == len(ferplus(votes)) == 3
    assert reading.accuracy(people, reading.faces) == 1
    challenge = Says(LABELS, "angry")
    reading = Reading.of(challenge, data)
    assert not reading.by_people and reading.accuracy(challenge, reading.faces) == 1
