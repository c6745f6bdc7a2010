"""Figures as tables: the same as the command writes, for whoever speaks Arrow's C interface."""

from __future__ import annotations

import csv
import json
import os
import signal
import subprocess
import sys
import time

import pytest
from PIL import Image

from conftest import PICTURES


@pytest.fixture(scope="session")
def labelled(tmp_path_factory):
    """A folder with a folder of pictures for each label."""
    folder = tmp_path_factory.mktemp("labelled")
    for label, name in [("happy", "astronaut"), ("neutral", "hopper"), ("sad", "coffee")]:
        (folder / label).mkdir()
        Image.open(PICTURES / f"{name}.jpg").save(folder / label / f"{name}.png")
    return folder


def test_the_report_is_that_of_the_command(rapport, command, labelled, tmp_path):
    output = tmp_path / "by_command"
    subprocess.run(
        [command, "evaluate", labelled, "--output", output], check=True, capture_output=True
    )
    expected = json.loads((output / "report.json").read_text())
    found = rapport.evaluate(labelled, output=tmp_path / "by_python")
    for varying in ("timing", "provenance"):
        expected.pop(varying), found.report.pop(varying)
    assert found.report == expected
    assert "accuracy" in found.text
    assert found.output == tmp_path / "by_python"
    assert (found.output / "report.html").exists()
    assert (found.output / "frames.csv").read_text() == (output / "frames.csv").read_text()
    assert found.model()["name"] == "emotion"
    with pytest.raises(KeyError, match="no model 'other', found emotion"):
        found.model("other")


def test_nothing_is_kept_that_was_not_asked_for(rapport, labelled, tmp_path, monkeypatch):
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)
    assert rapport.evaluate(labelled).output is None
    assert list(tmp_path.iterdir()) == []


def test_frames_go_to_every_library_by_the_arrow_interface(rapport, labelled, tmp_path):
    pyarrow = pytest.importorskip("pyarrow")
    evaluation = rapport.evaluate(labelled, output=tmp_path, models=["emotion", "fer2013"])
    table = evaluation.frames
    with (tmp_path / "frames.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(table) == table.num_rows == len(rows) == 6
    arrow = pyarrow.table(table)
    assert arrow.schema == pyarrow.schema(table)
    assert arrow.column_names == table.column_names
    assert arrow.schema.field("x").metadata == {b"unit": b"px"}
    assert pyarrow.types.is_dictionary(arrow.schema.field("predicted").type)
    for found, row in zip(arrow.to_pylist(), rows):
        assert found["model"] == row["model"] and found["frame"] == int(row["frame"])
        assert (found["predicted"] or "") == row["predicted"]
        box = " ".join(
            f"{found[side]:.1f}"
            for side in ("x", "y", "width", "height")
            if found[side] is not None
        )
        assert box == row["roi"]
        if row["predicted"]:
            assert found["happy"] == pytest.approx(float(row["happy"]))
        else:
            # The cup of coffee.
            assert found["happy"] is None and found["x"] is None
    assert arrow.column("contempt").null_count > arrow.column("happy").null_count
    frame = table.to_pandas()
    assert list(frame.columns) == table.column_names and len(frame) == 6
    assert frame.query("model == 'emotion'").predicted.tolist()[:1] == ["happy"]
    assert (frame.predicted == frame.label).sum() >= 2


def test_polars_and_duckdb_read_the_same(rapport, labelled):
    frames = rapport.evaluate(labelled).frames
    polars = pytest.importorskip("polars")
    assert polars.DataFrame(frames).filter(polars.col("label") == "happy")[
        "predicted"
    ].to_list() == ["happy"]
    duckdb = pytest.importorskip("duckdb")
    # DuckDB finds the table by the name of the variable.
    query = "select predicted, confidence from frames where label = 'happy'"
    (found,) = duckdb.sql(query).fetchall()
    assert found[0] == "happy" and found[1] > 0.9


def test_a_recording_with_labels(rapport, corridor):
    evaluation = rapport.evaluate(corridor, label_topic="/label", topic="/camera/image_raw")
    assert evaluation.report["source"]["frames"] == 30
    assert evaluation.model()["classification_report"]["happy"]["support"] > 20
    assert evaluation.frames.to_arrow().column("time")[29].as_py() == pytest.approx(
        29 / 15, abs=0.01
    )


def test_what_cannot_be_evaluated_is_named(rapport, labelled, tmp_path):
    for source, options, text in [
        (tmp_path / "nowhere", {}, "nowhere"),
        (tmp_path, {}, "found no recording and no folders in it"),
        (labelled, {"label_topic": "/said"}, "--label-topic does not go with this kind of source"),
        (labelled, {"models": tmp_path / "no.onnx"}, "no.onnx: No such file"),
    ]:
        with pytest.raises(rapport.EvaluationError, match=text):
            rapport.evaluate(source, **options)


def test_warnings_are_counted(rapport, labelled, tmp_path):
    folder = tmp_path / "pictures"
    (folder / "happy").mkdir(parents=True)
    Image.open(labelled / "happy" / "astronaut.png").save(folder / "happy" / "a.png")
    (folder / "happy" / "b.png").write_text("no picture")
    (folder / "notes").mkdir()
    kinds = {w.kind: w for w in rapport.evaluate(folder).warnings}
    assert kinds["picture not read"].count == 1 and "b.png" in kinds["picture not read"].first
    assert "notes" in kinds["folder left out"].first


def test_ctrl_c_ends_an_evaluation(rapport, tmp_path):
    """A group of 29 people, 400 times: it would be minutes."""
    (tmp_path / "pictures" / "neutral").mkdir(parents=True)
    for number in range(400):
        link = tmp_path / "pictures" / "neutral" / f"{number}.jpg"
        link.symlink_to(PICTURES / "solvay_1927.jpg")
    script = (
        "import rapport, sys\n"
        "rapport.evaluate\n"
        "print('ready', flush=True)\n"
        "try:\n"
        "    rapport.evaluate(sys.argv[1])\n"
        "except KeyboardInterrupt:\n"
        "    print('interrupted', flush=True)\n"
    )
    folder = tmp_path / "temporary"
    folder.mkdir()
    process = subprocess.Popen(
        [sys.executable, "-c", script, tmp_path / "pictures"],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "TMPDIR": str(folder)},
    )
    try:
        assert process.stdout.readline() == "ready\n"
        time.sleep(1.5)
        process.send_signal(signal.SIGINT)
        assert process.communicate(timeout=60)[0] == "interrupted\n"
    finally:
        process.kill()
    assert process.returncode == 0 and os.listdir(folder) == []
