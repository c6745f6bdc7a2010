"""The paper's folder layout is read as documented, and refused with path and reason."""

import numpy as np
import pytest
from PIL import Image

from rapport_training.errors import UserError
from rapport_training.folders import read_folders
from rapport_training.labels import LABELS


@pytest.fixture
def root(tmp_path, images):
    """Two images a class for training, JPEG and PNG; one to validate, `angry` a duplicate."""
    for number, label in enumerate(LABELS):
        for split in ("train", "validation"):
            (tmp_path / split / label).mkdir(parents=True)
        train = tmp_path / "train" / label
        Image.fromarray(images[number]).save(train / "1.png")
        Image.fromarray(images[number + 7]).convert("RGB").save(train / "2.jpg", quality=95)
        duplicate = images[0 if label == "angry" else number + 14]
        Image.fromarray(duplicate).save(tmp_path / "validation" / label / "3.png")
    return tmp_path


def test_both_splits_are_read_in_our_order(root, images):
    data = read_folders(root)
    assert data.training.counts() == [2] * 7 and data.validation.counts() == [1] * 7
    assert data.training.labels.tolist() == [0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6]
    assert np.array_equal(data.training.images[0], images[0])
    # A JPEG in colour becomes the grey that it shows.
    gap = np.abs(data.training.images[1].astype(int) - images[7])
    assert gap.mean() < 4
    assert data.validation_duplicates().tolist() == [True] + [False] * 6


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda root: (root / "train/sad").rename(root / "train/sadness"), "its folders are angry"),
        (lambda root: (root / "validation").rename(root / "test"), "validation: no such folder"),
        (lambda root: (root / "train/sad/notes.txt").write_text("x"), "notes.txt: expected a name"),
        (lambda root: (root / "train/sad/1.png").write_text("x"), "1.png: not readable"),
        (lambda root: Image.new("L", (64, 48)).save(root / "train/sad/1.png"), "64x48 px"),
        (lambda root: (root / "validation/fear/3.png").unlink(), "fear: no images in it"),
    ],
)
def test_a_wrong_layout_is_refused(root, spoil, message):
    spoil(root)
    with pytest.raises(UserError) as error:
        read_folders(root)
    assert message in str(error.value)


def test_an_image_cut_short_is_named(root):
    path = root / "train/happy/2.jpg"
    path.write_bytes(path.read_bytes()[:300])
    with pytest.raises(UserError, match=r"2\.jpg: "):
        read_folders(root)
