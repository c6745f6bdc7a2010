"""The data file is read as documented, and refused with file, line and reason."""

import lzma

import numpy as np
import pytest

from rapport_training.errors import UserError
from rapport_training.fer2013 import read_fer2013
from rapport_training.labels import LABELS


def test_labels_are_put_in_our_order(fer2013_csv, images):
    data = read_fer2013(*fer2013_csv)
    challenge_order = ("angry", "disgust", "fear", "happy", "sad", "surprise", "neutral")
    names = [LABELS[label] for label in data.training.labels[:7]]
    assert tuple(names) == challenge_order
    assert np.array_equal(data.training.images, images[:48])
    assert data.training.votes.shape == (48, 10)


def test_xz_reads_like_plain(fer2013_csv, tmp_path):
    packed = tmp_path / "fer2013.csv.xz"
    packed.write_bytes(lzma.compress(fer2013_csv[0].read_bytes()))
    plain, unpacked = read_fer2013(fer2013_csv[0]), read_fer2013(packed)
    assert np.array_equal(plain.validation.images, unpacked.validation.images)


def test_duplicates_of_training_images_are_found(fer2013_csv):
    duplicates = read_fer2013(*fer2013_csv).validation_duplicates()
    assert duplicates.tolist() == [False] * 15 + [True]


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("emotion,pixels,Usage", "label,pixels,Usage", "line 1: found `label,pixels,Usage`"),
        ("\n1,", "\n9,", "line 3: emotion is `9`, expected 0 to 6"),
        (",Training\n", ",Trainig\n", "Usage is `Trainig`"),
        (",Training\n", " 7,Training\n", "2305 pixels, expected 2304"),
        (",Training\n", "x,Training\n", "not whole numbers"),
        (",PublicTest", ",Training", "no PublicTest rows"),
    ],
)
def test_a_wrong_file_is_refused(fer2013_csv, tmp_path, old, new, message):
    text = fer2013_csv[0].read_text()
    count = -1 if old == ",PublicTest" else 1
    wrong = tmp_path / "wrong.csv"
    wrong.write_text(text.replace(old, new, count))
    with pytest.raises(UserError, match=r"wrong\.csv") as error:
        read_fer2013(wrong)
    assert message in str(error.value)


def test_missing_files_and_foreign_votes_are_refused(fer2013_csv, tmp_path):
    with pytest.raises(UserError, match="no such file"):
        read_fer2013(tmp_path / "none.csv")
    short = tmp_path / "votes.csv"
    short.write_text("\n".join(fer2013_csv[1].read_text().splitlines()[:-1]))
    with pytest.raises(UserError, match="63 rows, expected the 64 rows"):
        read_fer2013(fer2013_csv[0], short)
