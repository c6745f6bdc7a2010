"""The documented commands, one after the other, on a small sample."""

import json

import pytest

from rapport_training import (
    card,
    data,
    decide,
    distribution,
    evaluate,
    export,
    paper,
    policy_rates,
    teach,
    train,
)


@pytest.fixture
def step(monkeypatch, capsys):
    """Runs a step's `main` with these arguments and returns what it printed."""

    def run(module, *arguments) -> str:
        monkeypatch.setattr("sys.argv", [module.__name__, *map(str, arguments)])
        module.main()
        return capsys.readouterr().out

    return run


CARD = """# Card
<!-- file -->
<!-- end -->
<!-- scores -->
<!-- end -->
<!-- calibration -->
<!-- end -->
<!-- people -->
<!-- end -->
<!-- people-calibration -->
<!-- end -->
<!-- policy -->
<!-- end -->
<!-- beside -->
<!-- end -->
"""


def test_from_the_data_to_the_card(step, fer2013_csv, tmp_path):
    given = ("--fer2013", fer2013_csv[0], "--votes", fer2013_csv[1])
    assert "images identical to a FER2013 Training image: 1" in step(data, *given)
    step(distribution, *given, "--output", tmp_path / "figures")
    assert len(list((tmp_path / "figures").glob("*.svg"))) == 3

    short = ("--epochs", 1, "--sample", 40, "--device", "cpu")
    teachers = [tmp_path / "t1", tmp_path / "t2"]
    for number, run in enumerate(teachers, 1):
        step(train, *given, "--run", run, *short[:2], "--fold", f"{number}/2", *short[4:])
    teaching = tmp_path / "teaching.npz"
    told = step(teach, *given, "--runs", *teachers, "--output", teaching, "--device", "cpu")
    assert "100.0% of the rows answered by teachers that never saw them" in told

    run = tmp_path / "run"
    told = step(train, *given, "--run", run, "--teaching", teaching, *short)
    assert '"epoch": 1' in told and "PublicTest" in told
    again = ("--run", run, "--teaching", teaching, *short)
    assert "resumed after epoch 1" in step(train, *given, *again)
    ours, paper_cnn = tmp_path / "emotion.onnx", tmp_path / "paper_cnn.onnx"
    assert "without duplicates" in step(export, *given, "--run", run, "--output", ours)
    told = step(paper, *given, "--epochs", 1, "--device", "cpu", "--output", paper_cnn)
    assert "48 of 48 images: angry 7" in told

    scores = json.loads(step(evaluate, *given, "--model", ours, "--json"))
    assert scores["images"] == 16 and scores["images_without_duplicates"] == 15
    # Nearly untrained: no bar is asked of it here.
    told = step(decide, *given, "--model", ours, "--negative", 1, "--negative-sure", 1, "--write")
    assert "across halves" in told and "with its decision" not in told
    policy = tmp_path / "policy.yaml"
    policy.write_text("rules: [{name: smile, when: {emotion: happy, confidence: 0.6}}]")
    told = step(policy_rates, *given, "--model", ours, "--policy", policy)
    assert "`smile`: happy from 0.6" in told
    page = tmp_path / "emotion.md"
    page.write_text(CARD)
    step(card, *given, "--card", page, "--model", ours, "--beside", paper_cnn, "--policy", policy)
    text = page.read_text()
    assert f"{scores['accuracy']:.2%}" in text and "precision, paper_cnn.onnx" in text
    assert (tmp_path / "emotion_calibration.svg").is_file()
