"""/diagnostics (REP-107): rate, times, drops, age, model, versions; and what is wrong."""

import hashlib
import time

import pytest
import yaml
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus
from std_srvs.srv import SetBool

from graph import ROOT, stamp_ns
from scenes import smiling_face

KEYS = {
    "state",
    "enabled",
    "image topic",
    "image transport",
    "images received per second",
    "images answered per second",
    "images searched per second",
    "images lost",
    "images dropped",
    "images skipped",
    "people in view",
    "age of the last frame (s)",
    "detect p50 (ms)",
    "detect p95 (ms)",
    "classify p50 (ms)",
    "total p50 (ms)",
    "total p95 (ms)",
    "model",
    "ONNX Runtime",
    "threads",
}


@pytest.fixture
def diagnostics(client, namespace):
    """Returns the newest status of this test's node, after so many seconds."""
    topic = client.collect(DiagnosticArray, "/diagnostics")

    def newest():
        statuses = [s for m in topic.messages for s in m.status]
        mine = [s for s in statuses if s.name.startswith(f"{namespace[1:]}/perception_node:")]
        return mine[-1] if mine else None

    def wait_for(condition):
        assert client.spin_until(lambda: newest() and condition(newest())), newest()
        return newest()

    return wait_for


def values(status):
    return {entry.key: entry.value for entry in status.values}


def test_a_node_at_work(perception, client, camera, diagnostics):
    end = time.monotonic() + 3.0
    while time.monotonic() < end:
        image = camera.image(smiling_face())
        now = time.time_ns()
        image.header.stamp.sec, image.header.stamp.nanosec = divmod(now, 10**9)
        assert stamp_ns(camera.ask_image(image).header) == now
    status = diagnostics(lambda s: float(values(s).get("images answered per second", 0)) > 5)
    assert status.level == DiagnosticStatus.OK
    assert "images processed per second" in status.message
    assert status.hardware_id == client.node.resolve_topic_name("image")
    found = values(status)
    assert set(found) >= KEYS
    assert found["image transport"] == "raw"
    assert found["state"] == "active" and found["people in view"] == "1"
    assert found["model"].endswith("models/emotion.onnx") and found["threads"] == "1"
    assert 0 < float(found["detect p50 (ms)"]) <= float(found["detect p95 (ms)"])
    assert float(found["detect p50 (ms)"]) < float(found["total p50 (ms)"])
    assert 0 < float(found["age of the last frame (s)"]) < 60


def test_what_is_wrong_is_the_message(start, client, diagnostics, camera):
    start("perception_node", {"emotion_model": "/no/such.onnx"})
    status = diagnostics(lambda s: s.level == DiagnosticStatus.ERROR)
    assert "not configured: model /no/such.onnx" in status.message


def test_images_that_cannot_be_used(perception, client, camera, diagnostics):
    image = camera.image(smiling_face())
    image.encoding = "32FC1"
    # Best effort may lose one.
    for _ in range(3):
        camera.images.publish(image)
        client.spin_for(0.2)
    status = diagnostics(lambda s: s.level == DiagnosticStatus.WARN)
    assert "images skipped" in status.message and "32FC1" in status.message


def test_disabled(perception, client, diagnostics):
    client.ask(SetBool, "perception_node/enable", data=False)
    status = diagnostics(lambda s: "disabled" in s.message)
    assert status.level == DiagnosticStatus.OK and values(status)["enabled"] == "false"


def test_which_policy_runs(start, client, namespace):
    topic = client.collect(DiagnosticArray, "/diagnostics")
    start("behavior_node")

    def newest():
        statuses = [s for m in topic.messages for s in m.status]
        return [s for s in statuses if s.name == f"{namespace[1:]}/behavior_node: responses"][-1:]

    assert client.spin_until(newest)
    (status,) = newest()
    assert status.level == DiagnosticStatus.OK and status.message.startswith("responses: 0, by ")
    found = values(status)
    content = (ROOT / "config" / "policy.yaml").read_bytes()
    assert found["policy"].endswith("config/policy.yaml")
    assert found["policy SHA-256"] == hashlib.sha256(content).hexdigest()
    rules = [rule["name"] for rule in yaml.safe_load(content)["rules"]]
    assert found["rules"] == str(len(rules)) and found["last rule"] == "none"
    assert [found[f"rule {number}"] for number in range(1, len(rules) + 1)] == rules
