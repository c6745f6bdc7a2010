"""Faces of a site train beside FER2013's, and the guard refuses what makes the network worse."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from rapport_training import answers, export, train
from rapport_training.errors import UserError
from rapport_training.faces import Faces
from rapport_training.feedback import Guard, read_feedback, read_guard
from rapport_training.ferplus import ferplus
from rapport_training.labels import KNOWN_LABELS, VOTE_COLUMNS
from rapport_training.landmark_template import ONet
from rapport_training.session import EmotionSession


@pytest.fixture
def site(tmp_path, images):
    """An export: three happy faces, drawn rarely, one of contempt, and other answers."""
    folder = tmp_path / "site"
    lines = []
    for number, (answer, chance) in enumerate(
        [("happy", 0.1), ("happy", 0.1), ("happy", 0.1), ("contempt", 1.0)]
    ):
        name = f"{answer}/{number}.png"
        (folder / answer).mkdir(parents=True, exist_ok=True)
        colour = np.repeat(np.kron(images[number], np.ones((2, 2), np.uint8))[..., None], 3, 2)
        Image.fromarray(colour).resize((112, 112)).save(folder / name)
        lines.append({"file": name, "answer": answer, "chance": chance})
    lines.append({"file": None, "answer": "sad", "chance": 0.5})
    lines.append({"file": None, "answer": "cant_tell", "chance": 0.5})
    (folder / "feedback.jsonl").write_text("\n".join(map(json.dumps, lines)) + "\n")
    return folder


def test_an_export_becomes_training_images(site, images):
    found = read_feedback(site)
    assert found.faces.images.shape == (4, 48, 48) and found.faces.images.dtype == np.uint8
    difference = np.abs(found.faces.images[0].astype(float) - images[0])
    assert difference.mean() < 12, "it is the same picture"
    seen = ferplus(found.faces.votes)
    assert [KNOWN_LABELS[label] for label in seen.labels] == ["happy"] * 3 + ["contempt"]
    drawn = found.drawn(beside=900, share=0.1, seed=1)
    assert len(drawn) == 100
    # Drawn with a tenth of the chance, a face stands for ten.
    happy = (ferplus(drawn.votes).labels == KNOWN_LABELS.index("happy")).mean()
    assert happy > 0.9


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("{", "feedback.jsonl:1: not JSON"),
        ('{"answer": "happy", "chance": 0}', "chance is 0, expected more than 0"),
        ('{"answer": "bored", "chance": 1}', 'answer is "bored"'),
        ('{"answer": "happy", "chance": 1, "file": "../x.png"}', "expected one inside"),
        ('{"answer": "happy", "chance": 1, "file": "no.png"}', "no.png: No such file"),
        ('{"answer": "happy", "chance": 1, "file": null}', "none with a face and a label"),
    ],
)
def test_what_is_wrong_is_named(tmp_path, line, expected):
    (tmp_path / "feedback.jsonl").write_text(line + "\n")
    with pytest.raises(UserError, match=expected.replace("(", r"\(")):
        read_feedback(tmp_path)


def test_the_guard_refuses_what_is_worse(tmp_path):
    assert read_guard(tmp_path) is None
    Guard(0.8).save(tmp_path)
    with pytest.raises(UserError, match="not finished"):
        read_guard(tmp_path).refuse(tmp_path)
    Guard(0.8, 0.79).save(tmp_path)
    with pytest.raises(UserError, match=r"79.00%, expected at least the 80.00%"):
        read_guard(tmp_path).refuse(tmp_path)
    Guard(0.8, 0.8).save(tmp_path)
    read_guard(tmp_path).refuse(tmp_path)


def test_a_run_with_feedback_is_guarded_to_the_model(
    site, fer2013_csv, tmp_path, monkeypatch, capsys
):
    def step(module, *arguments):
        given = ("--fer2013", fer2013_csv[0], "--votes", fer2013_csv[1])
        monkeypatch.setattr("sys.argv", [module.__name__, *map(str, given), *map(str, arguments)])
        module.main()
        return capsys.readouterr().out

    first, second = tmp_path / "first", tmp_path / "second"
    short = ("--epochs", 1, "--device", "cpu", "--targets", "votes", "--batch", 8)
    step(train, "--run", first, *short)
    told = ""
    try:
        told = step(train, "--run", second, *short, "--begin", first, "--feedback", site)
    except UserError as error:
        told = capsys.readouterr().out
        assert "refused: FER+ accuracy" in str(error)
    assert "4 faces of the site, as 5 of the images" in told and "begins from FER+" in told
    guard = read_guard(second)
    assert guard.after is not None
    # Whatever came of it on noise: one that became worse goes no further.
    Guard(1.0, 0.5).save(second)
    with pytest.raises(UserError, match="refused"):
        step(export, "--run", second, "--output", tmp_path / "model.onnx")
    Guard(1.0, 1.0).save(second)
    with pytest.raises(UserError, match=r"as exported, expected at least the 100\.00%"):
        step(export, "--run", second, "--output", tmp_path / "model.onnx")
    assert not (tmp_path / "model.onnx").exists()
    with pytest.raises(UserError, match="expected --targets votes"):
        step(train, "--run", tmp_path / "third", "--feedback", site)


def test_the_table_of_answers_has_numbers_and_no_pixels(images):
    models = Path(__file__).parents[2] / "models"
    session, onet = EmotionSession(models / "emotion.onnx"), ONet(models / "onet.onnx")
    votes = np.zeros((6, len(VOTE_COLUMNS)), dtype=np.float32)
    votes[:, 1] = 9
    votes[5] = 1  # nothing is left of it
    header, *rows = answers.table(session, onet, Faces(images[:6], np.zeros(6, int), votes)).split()
    names = header.split(",")
    assert len(rows) == 5 and len(names) == 11 + len(answers.VERSIONS) * 10
    table = np.array([list(map(int, row.split(","))) for row in rows])
    start = names.index("dim:angry")
    shares = np.exp(-table[:, start : start + 8] / answers.STEPS)
    assert np.abs(shares.sum(axis=1) - 1).max() < 0.04
    dim, plain = (table[:, names.index(f"{name}:brightness")] for name in ("dim", "plain"))
    assert (dim < plain / 5).all()
