"""`rapport adapt`: answers become a calibration that commands and the node use, and can be undone."""

import hashlib
import json
import math
import random
import shutil
import subprocess

import pytest
from diagnostic_msgs.msg import DiagnosticArray

from graph import BIN_DIR, ROOT
from scenes import smiling_face

RAPPORT = BIN_DIR / "rapport"
LABELS = ["angry", "disgust", "fear", "happy", "neutral", "sad", "surprise", "contempt"]
PICTURE = str(ROOT / "tests" / "pictures" / "hopper.jpg")
LEAST = 1e-6


def softmax(values):
    shares = {label: math.exp(value) for label, value in values.items()}
    return {label: share / sum(shares.values()) for label, share in shares.items()}


def export(folder, bias, sha256):
    """400 answers of people for whom happy is likelier by `bias` than the network says."""
    rng = random.Random(19)
    lines = []
    for number in range(400):
        seen = softmax({label: 2 * rng.gauss(0, 1) for label in LABELS})
        truth = {label: math.log(share) for label, share in seen.items()}
        truth["happy"] += bias
        truth = softmax(truth)
        line = {
            "file": None,
            "answer": rng.choices(list(truth), list(truth.values()))[0],
            "shown": max(seen, key=seen.get),
            "probabilities": seen,
            "drawn": "random",
            "chance": 0.2,
            "model_sha256": sha256,
            "place": "lobby",
            "day": f"2026-11-{1 + number // 20:02}",
            "visit": number,
        }
        lines.append(json.dumps(line))
    folder.mkdir()
    (folder / "feedback.jsonl").write_text("\n".join(lines) + "\n")
    return folder


def run(*arguments):
    return subprocess.run(
        [RAPPORT, *map(str, arguments)], capture_output=True, text=True, timeout=120
    )


@pytest.fixture(scope="module")
def adapted(tmp_path_factory):
    """A copy of the model with its calibration; the folder, and what was printed."""
    folder = tmp_path_factory.mktemp("adapt")
    model = shutil.copy(ROOT / "models" / "emotion.onnx", folder)
    sha256 = hashlib.sha256((ROOT / "models" / "emotion.onnx").read_bytes()).hexdigest()
    given = export(folder / "feedback", 2.0, sha256)
    export(folder / "nothing", 0.0, sha256)
    done = run("adapt", given, "--model", model, "--report", folder / "report.json")
    assert done.returncode == 0, done.stdout + done.stderr
    return folder, done.stdout


def faces(*arguments):
    done = run("analyze", PICTURE, "--json", *arguments)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)[0]["faces"]


def test_a_shift_is_learnt_and_reported(adapted):
    folder, told = adapted
    report = json.loads((folder / "report.json").read_text())
    assert report["accepted_calibration"] and report["refusals"] == []
    assert report["grouped_by_day"] and report["feedback"]["expressions"] == 400
    bias = {entry["label"]: entry["bias"] for entry in report["classes"]}
    others = [value for label, value in bias.items() if label != "happy"]
    assert bias["happy"] - sum(others) / len(others) == pytest.approx(2.0, abs=0.6)
    assert report["log_loss_improvement"]["lower"] > 0
    assert "temperature and biases: accepted" in told and "revision 1" in told
    calibration = (folder / "emotion.calibration.yaml").read_text()
    assert report["model_sha256"] in calibration and "temperature:" in calibration


def test_commands_use_it(adapted):
    folder, _ = adapted
    report = json.loads((folder / "report.json").read_text())
    bias = {entry["label"]: entry["bias"] for entry in report["classes"]}
    (before,), (after,) = faces(), faces("--calibration", folder / "emotion.calibration.yaml")
    logs = {
        label: math.log(max(share, LEAST)) / report["temperature"] + bias[label]
        for label, share in before["probabilities"].items()
    }
    assert after["probabilities"] == pytest.approx(softmax(logs), abs=2e-3)
    assert after["probabilities"] != pytest.approx(before["probabilities"], abs=2e-3)


def test_it_is_refused_for_another_network_and_where_it_is_wrong(adapted, tmp_path):
    folder, _ = adapted
    calibration = folder / "emotion.calibration.yaml"
    other = ROOT / "models" / "fer2013.onnx"
    done = run("analyze", PICTURE, "--calibration", calibration, "--model", other)
    assert done.returncode == 1 and str(calibration) in done.stderr
    assert hashlib.sha256(other.read_bytes()).hexdigest() in done.stderr
    wrong = tmp_path / "wrong.yaml"
    wrong.write_text(calibration.read_text().replace("version: 1", "version: 9"))
    done = run("analyze", PICTURE, "--calibration", wrong)
    assert done.returncode == 1 and f"{wrong}:2:10: version is 9" in done.stderr
    done = run("analyze", PICTURE, "--calibration-place", "lobby")
    assert done.returncode == 2 and "--calibration" in done.stderr


def test_where_nothing_is_gained_it_refuses_and_writes_nothing(adapted):
    folder, _ = adapted
    done = run("adapt", folder / "nothing", "-o", folder / "none.yaml")
    assert done.returncode == 3, done.stdout + done.stderr
    assert "nothing is gained for certain" in done.stdout
    assert not (folder / "none.yaml").exists()
    # Of another network's answers there are none.
    done = run("adapt", folder / "nothing", "--model", ROOT / "models" / "fer2013.onnx")
    assert done.returncode == 3 and "400 are about another network: left out" in done.stdout
    done = run("adapt", folder / "no such")
    assert done.returncode == 1 and "expected a folder of `rapport feedback export`" in done.stderr


def test_it_is_undone_step_by_step(adapted, tmp_path):
    folder, _ = adapted
    first = (folder / "emotion.calibration.yaml").read_text()
    path = tmp_path / "site.calibration.yaml"
    path.write_text(first)
    sha256 = json.loads((folder / "report.json").read_text())["model_sha256"]
    done = run("adapt", export(tmp_path / "later", -2.0, sha256), "-o", path)
    assert done.returncode == 0 and "revision 2" in done.stdout, done.stdout + done.stderr
    assert path.read_text() != first
    assert run("adapt", "--undo", "-o", path).returncode == 0
    assert path.read_text() == first
    done = run("adapt", "--undo", "-o", path)
    assert "removed" in done.stdout and not path.exists()
    done = run("adapt", "--undo", "-o", path)
    assert done.returncode == 1 and "no calibration to undo" in done.stderr


def test_the_node_uses_it_and_says_so(adapted, start, camera, client, namespace):
    folder, _ = adapted
    topic = client.collect(DiagnosticArray, "/diagnostics")
    calibration = folder / "emotion.calibration.yaml"
    node = start("perception_node", {"calibration": calibration, "place": "lobby"})
    camera.wait_until_connected()
    camera.ask(smiling_face())
    (face,) = camera.ask(smiling_face()).faces
    assert face.label == "happy"
    assert node.lines("[INFO]", f"calibration {calibration}, revision 1")

    def shown():
        mine = [s for m in topic.messages for s in m.status if s.name.startswith(namespace[1:])]
        return {entry.key: entry.value for status in mine for entry in status.values}

    assert client.spin_until(lambda: "calibration" in shown())
    assert shown()["calibration"] == f"{calibration}, revision 1"


def test_a_wrong_one_is_a_failed_transition(start, client, tmp_path):
    wrong = tmp_path / "wrong.yaml"
    wrong.write_text("version: 2\n")
    node = start("perception_node", {"calibration": wrong})
    assert client.spin_until(lambda: node.errors)
    assert "configure failed, the node stays unconfigured" in node.errors[0]
    assert f"{wrong}:1:10: version is 2; allowed: a whole number, 1 to 1" in node.text
    assert node.alive
