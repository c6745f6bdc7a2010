"""Tables of faces: every query of docs/tables.md, its columns, and a run that was killed."""

import json
import re
import signal
import subprocess
import time
from collections import Counter, defaultdict

import pytest

from graph import BIN_DIR, ROOT
from small_recordings import write_recording, write_recordings

duckdb = pytest.importorskip("duckdb")

RAPPORT = BIN_DIR / "rapport"
PAGE = (ROOT / "docs" / "tables.md").read_text()
QUERIES = re.findall(r"^([^\n]+)\n\n```sql\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
LABELS = "angry contempt disgust fear happy neutral sad surprise".split()


def rapport(*arguments, cwd):
    done = subprocess.run(
        [RAPPORT, *map(str, arguments)], cwd=cwd, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    return done


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tables")
    write_recordings(folder / "recordings", 5, lambda number: 30)
    rapport(
        *("evaluate", "recordings", "--label-topic", "/said", "--parquet", "-o", "results"),
        cwd=folder,
    )
    return folder


@pytest.fixture(scope="module")
def answers(study):
    """What DuckDB answers to each query of the page, by the question, as lists of dicts."""
    connection = duckdb.connect()
    found = {}
    for question, query in QUERIES:
        result = connection.execute(query.replace("'results/", f"'{study}/results/"))
        names = [column[0] for column in result.description]
        found[question] = [dict(zip(names, row, strict=True)) for row in result.fetchall()]
    return found


@pytest.fixture(scope="module")
def rows(study):
    """All rows, read without a query: recordings in order, frames in order."""
    found = []
    for file in sorted((study / "results" / "recordings").rglob("faces.parquet")):
        table = duckdb.read_parquet(str(file))
        found += [dict(zip(table.columns, row, strict=True)) for row in table.fetchall()]
    assert len(found) > 100
    return found


def grouped(rows, *keys):
    groups = defaultdict(list)
    for row in rows:
        groups[tuple(row[key] for key in keys)].append(row)
    return groups


def test_the_page_has_a_view_and_ten_questions():
    assert len(QUERIES) == 11
    assert QUERIES[0][1].startswith("CREATE VIEW faces")
    assert all(question.endswith("?") for question, _ in QUERIES[1:])


def test_the_columns_are_those_of_the_page(answers, rows):
    described = {column["name"]: column for column in answers["What do the columns mean?"]}
    assert set(described) == set(rows[0])
    assert described["roi_width_px"]["unit"] == "px" and described["time_secs"]["unit"] == "s"
    lines = PAGE[PAGE.index("| column |") :].split("\n\n")[0].splitlines()[2:]
    on_page = {}
    for line in lines:
        names, _, unit, about = [cell.strip() for cell in line.strip("|").split("|")]
        for name in re.findall(r"`(\w+)`", names):
            on_page[name] = unit
        assert about
    for name, unit in on_page.items():
        assert (described[name]["unit"] or "") == unit, name
    # Ranges stand for their first and last column.
    spans = [
        name for name in described if name.startswith("p_") or "_x_px" in name or "_y_px" in name
    ]
    assert set(described) - set(on_page) <= set(spans)


def test_labels_are_dictionaries_and_the_metadata_tells_the_model(study):
    file = study / "results" / "recordings" / "day1" / "000.mcap" / "faces.parquet"
    encodings = dict(
        duckdb.sql(f"SELECT path_in_schema, encodings FROM parquet_metadata('{file}')").fetchall()
    )
    for name in ("recording", "label", "predicted", "predicted_raw", "model_sha256"):
        assert "RLE_DICTIONARY" in encodings[name], name
    said = dict(
        duckdb.sql(
            f"SELECT decode(key), decode(value) FROM parquet_kv_metadata('{file}')"
        ).fetchall()
    )
    listed = set(re.findall(r"`(rapport\.\w+)`", PAGE))
    assert set(said) == listed
    (model,) = json.loads(said["rapport.models"])
    report = json.loads((file.parent / "report.json").read_text())
    assert model["sha256"] == report["models"][0]["sha256"]
    assert model["labels"] == report["models"][0]["labels"]
    assert int(said["rapport.frames"]) == report["source"]["frames"] == 30
    table = duckdb.read_parquet(str(file))
    types = dict(zip(table.columns, map(str, table.types), strict=True))
    assert (types["stamp"], types["frame"], types["sure"]) == (
        "TIMESTAMPTZ_NS",
        "BIGINT",
        "BOOLEAN",
    )


def test_who_was_where(answers, rows):
    found = answers["Who was where, and for how long?"]
    expected = grouped(rows, "recording", "face_id")
    assert {(row["recording"], row["face_id"]): row["rows"] for row in found} == {
        key: len(of) for key, of in expected.items()
    }
    for row in found:
        times = [one["time_secs"] for one in expected[row["recording"], row["face_id"]]]
        assert row["secs_in_view"] == pytest.approx(max(times) - min(times))


def test_which_expressions_are_shown(answers, rows):
    found = answers[
        "Which expressions are shown in each recording, among those that are more than a guess?"
    ]
    sure = grouped([row for row in rows if row["sure"]], "recording")
    for row in found:
        labels = [one["predicted"] for one in sure[row["recording"],]]
        assert row["share"] == pytest.approx(labels.count(row["predicted"]) / len(labels))
    assert sum(row["share"] for row in found) == pytest.approx(len(sure))


def test_how_often_each_label_is_recognised(study, answers):
    found = answers["How often is each label recognised?"]
    report = json.loads((study / "results" / "report.json").read_text())["classification_report"]
    assert {row["label"] for row in found} == {"happy", "neutral"}
    for row in found:
        assert row["recall"] == pytest.approx(report[row["label"]]["recall"])
        assert row["faces"] == report[row["label"]]["support"]


def test_what_is_taken_for_what(study, answers):
    found = answers["What is taken for what?"]
    report = json.loads((study / "results" / "report.json").read_text())
    names = report["labels"]["names"]
    for row in found:
        counts = report["models"][0]["confusion_matrix"][names.index(row.pop("label"))]
        assert {k: v for k, v in row.items() if v} == {
            n: c for n, c in zip(names, counts, strict=True) if c
        }


def test_whether_a_confidence_is_right(answers, rows):
    found = answers["Is a confidence of 80 % right in 80 of 100?"]
    labelled = [row for row in rows if row["label"]]
    bins = defaultdict(list)
    for row in labelled:
        bins[min(int(row["confidence"] * 10), 9)].append(row)
    assert [row["from_confidence"] for row in found] == pytest.approx(
        [b / 10 for b in sorted(bins)]
    )
    for row, number in zip(found, sorted(bins), strict=True):
        right = [one["predicted"] == one["label"] for one in bins[number]]
        assert (row["faces"], row["accuracy"]) == (
            len(right),
            pytest.approx(sum(right) / len(right)),
        )


def test_how_the_mood_changes(answers, rows):
    found = answers["How does the mood of a recording change?"]
    seconds = defaultdict(list)
    for row in rows:
        seconds[row["recording"], int(row["time_secs"])].append(row)
    assert [(row["recording"], row["second"]) for row in found] == sorted(seconds)
    for row in found:
        of = seconds[row["recording"], row["second"]]
        for name in ("valence", "arousal"):
            assert row[name] == pytest.approx(sum(one[name] for one in of) / len(of), abs=1e-6)


def test_how_often_labels_change(answers, rows):
    found = answers["How often does the label of a face change, with and without smoothing?"]
    changes, raw = Counter(), Counter()
    for (recording, _), of in grouped(rows, "recording", "face_id").items():
        for before, after in zip(of, of[1:]):  # noqa: B905
            changes[recording] += before["predicted"] != after["predicted"]
            raw[recording] += before["predicted_raw"] != after["predicted_raw"]
    assert {row["recording"]: row["changes"] for row in found} == dict(changes)
    assert {row["recording"]: row["changes_raw"] for row in found} == dict(raw)


def test_how_long_until_a_person_smiles(answers, rows):
    found = answers["How long does it take until a person smiles?"]
    for row in found:
        of = [
            r for r in rows if (r["recording"], r["face_id"]) == (row["recording"], row["face_id"])
        ]
        smiles = [one["time_secs"] for one in of if one["predicted"] == "happy"]
        if not smiles:
            assert row["secs_to_smile"] is None
        else:
            first = min(one["time_secs"] for one in of)
            assert row["secs_to_smile"] == pytest.approx(min(smiles) - first)
    assert any(row["secs_to_smile"] is not None for row in found)


def test_which_faces_to_look_at(answers, rows):
    (question,) = [question for question in answers if question.startswith("Which faces should")]
    found = answers[question]

    def lead(row):
        shares = sorted(row[f"p_{label}"] for label in LABELS)
        return shares[-1] - shares[-2]

    assert [row["lead"] for row in found] == pytest.approx(sorted(map(lead, rows))[:20], abs=1e-6)
    by_place = {(row["recording"], row["frame"], row["face_id"]): row for row in rows}
    for row in found:
        face = by_place[row["recording"], row["frame"], row["face_id"]]
        best = sorted(LABELS, key=lambda label: -face[f"p_{label}"])[:2]
        assert {name.removeprefix("p_") for name in row["labels"]} == set(best)


def kill_when(process, ready):
    """Kills a process as soon as something is there, in the middle of its work."""
    deadline = time.monotonic() + 60
    while not ready() and process.poll() is None and time.monotonic() < deadline:
        pass
    assert process.poll() is None, "it was done before it could be killed"
    process.send_signal(signal.SIGKILL)
    process.wait()


@pytest.mark.parametrize("command", ["evaluate", "record"])
def test_a_killed_run_is_read_up_to_its_last_group(tmp_path, command):
    """The rows that were written are those of a whole run."""
    write_recording(tmp_path / "long.mcap", 2, 240)
    options = ["--parquet", "--parquet-group-rows", "10"]

    def arguments(out):
        given = ["long.mcap", "-o", out] if command == "evaluate" else ["long.mcap", out]
        return [command, *given, *options]

    table = "whole/faces.parquet" if command == "evaluate" else "whole.faces.parquet"
    rapport(*arguments("whole"), cwd=tmp_path)
    whole = duckdb.read_parquet(str(tmp_path / table)).fetchall()
    assert len(whole) > 200
    parts = tmp_path / table.replace("whole", "cut").replace(".parquet", ".parts")
    process = subprocess.Popen(
        [RAPPORT, *arguments("cut")], cwd=tmp_path, stdout=subprocess.DEVNULL
    )
    kill_when(process, lambda: len(list(parts.glob("*.parquet"))) >= 3)
    assert not (tmp_path / table.replace("whole", "cut")).exists()
    rows = duckdb.read_parquet(f"{parts}/*.parquet").fetchall()
    assert len(rows) >= 30 and len(rows) % 10 == 0
    assert rows == whole[: len(rows)]
    if command == "evaluate":
        # The same command once more makes it whole.
        rapport(*arguments("cut"), cwd=tmp_path)
        assert not parts.exists()
        again = duckdb.read_parquet(str(tmp_path / "cut" / "faces.parquet")).fetchall()
        assert again == whole
    else:
        # As everything of `record`: nothing is overwritten.
        done = subprocess.run(
            [RAPPORT, *arguments("cut")], cwd=tmp_path, capture_output=True, text=True
        )
        assert done.returncode == 1 and "cut.faces.parts: not written" in done.stderr


def test_record_and_evaluate_write_the_same_table(tmp_path):
    write_recording(tmp_path / "short.mcap", 2, 30)
    rapport("evaluate", "short.mcap", "-o", "evaluated", "--parquet", cwd=tmp_path)
    # A copy that is a file, and one that is a folder.
    rapport("record", "short.mcap", "copy.mcap", "--parquet", cwd=tmp_path)
    rapport("record", "short.mcap", "copied/", "--parquet", cwd=tmp_path)
    read = lambda name: duckdb.read_parquet(str(tmp_path / name)).fetchall()  # noqa: E731
    rows = read("evaluated/faces.parquet")
    assert len(rows) > 20
    assert read("copy.faces.parquet") == rows
    assert read("copied.faces.parquet") == rows
