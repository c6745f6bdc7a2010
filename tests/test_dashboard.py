"""dashboard_node: what a robot sees and does on web pages, its pictures only while somebody looks, and
a pause that holds."""

import io
import json
import re
import signal
import threading
import urllib.request

import numpy as np
import pytest
import yaml
from PIL import Image as Picture
from rapport.msg import Response
from rcl_interfaces.srv import ListParameters
from sensor_msgs.msg import CompressedImage
from std_srvs.srv import SetBool

from dashboard import Viewer, address_of, ask, pause, robots, wait_until
from graph import ROOT
from robot import POLICY
from scenes import smiling_face, two_people


@pytest.fixture
def watch():
    """Opens viewers: `watch(address)`."""
    viewers = []

    def watch(address):
        viewers.append(Viewer(address))
        return viewers[-1]

    yield watch
    for viewer in viewers:
        viewer.close()


def subscribers_beside_perception(client, topic):
    return client.node.count_subscribers(topic) - 1


def test_what_a_robot_sees_and_does_arrives(
    start, dashboard, watch, stream, namespace, tmp_path, client
):
    policy = tmp_path / "policy.yaml"
    policy.write_text(POLICY)
    start("perception_node")
    start("behavior_node", {"policy_file": policy})
    _, address = dashboard()
    viewer = watch(address)
    events = Events(address)
    stream(smiling_face())
    seen = wait_until(
        lambda: [m for m in viewer.of_type("emotions", namespace) if m["people"]], "nobody seen"
    )[-1]
    (person,) = seen["people"]
    assert person["label"] == "happy" and person["face_id"][:1].isalpha()
    assert (seen["width"], seen["height"]) == smiling_face().shape[1::-1]
    assert sum(person["probabilities"].values()) == pytest.approx(1, abs=1e-3)
    (did, *_) = wait_until(lambda: viewer.of_type("response", namespace), "no response")
    assert (did["rule"], did["speech"], did["gesture"]) == ("smile-back", "Hello.", "nod")
    assert did["face_id"] == person["face_id"] and "happy at" in did["reason"]

    def state():
        state = robots(address)[namespace]
        return state if state["policy"] and state["rate_per_sec"] and state["model"] else None

    state = wait_until(state, lambda: robots(address))
    assert state["level"] == "ok" and not state["paused"]
    assert 1 < state["rate_per_sec"] < 15 and 0 < state["latency_p50_ms"] < 1000
    assert state["policy"]["file"] == "policy.yaml" and state["policy"]["rules"] == ["smile-back"]
    assert len(state["policy"]["sha256"]) == len(state["model"]["sha256"]) == 64
    # Scripts get the same as server-sent events.
    for kind in ("emotions", "response", "robot"):
        wait_until(lambda kind=kind: events.of_type(kind, namespace), f"no event {kind}")
    # What costs perception something was never asked for.
    annotated = client.node.resolve_topic_name("annotated_image")
    assert client.node.count_subscribers(annotated) == 0


class Events:
    """The server-sent events of a dashboard."""

    def __init__(self, address):
        self.messages = []
        answer = urllib.request.urlopen(f"{address}/api/v1/events", timeout=60)
        threading.Thread(target=self._listen, args=[answer], daemon=True).start()

    def _listen(self, answer):
        try:
            for line in answer:
                if line.startswith(b"data:"):
                    self.messages.append(json.loads(line[5:]))
        except OSError:
            pass

    def of_type(self, kind, robot):
        return [m for m in list(self.messages) if m["type"] == kind and m.get("robot") == robot]


@pytest.mark.parametrize("transport", ["raw", "compressed"])
def test_pictures_come_only_while_somebody_looks(
    start, dashboard, watch, stream, namespace, client, transport
):
    start("perception_node", {"image_transport": transport})
    _, address = dashboard()
    picture = np.ascontiguousarray(np.tile(smiling_face(), (2, 2, 1)))
    if transport == "raw":
        camera = stream(picture)
    else:
        camera = stream(picture, "image/compressed", CompressedImage)
    beside = lambda: subscribers_beside_perception(client, camera.topic)  # noqa: E731
    viewer, other = watch(address), watch(address)
    wait_until(lambda: viewer.of_type("emotions", namespace), "no emotions")
    assert client.spin_until(lambda: beside() == 0)
    viewer.look(namespace)
    other.look(namespace)
    about, jpeg = wait_until(lambda: viewer.pictures, "no picture")[-1]
    shown = Picture.open(io.BytesIO(jpeg))
    # As large as 960 px a side allow.
    height, width = picture.shape[:2]
    scale = min(1, 960 / max(width, height))
    assert shown.size == (about["width"], about["height"])
    assert shown.size == (int(width * scale), int(height * scale))
    assert about["stamp_secs"] > 1000
    wait_until(lambda: other.pictures, "no picture for the other one")
    assert beside() == 1, "one subscription for all viewers"
    other.close()
    count = len(viewer.pictures)
    wait_until(lambda: len(viewer.pictures) > count, "pictures ended with the other viewer")
    viewer.look(namespace, pictures=False)
    assert client.spin_until(lambda: beside() == 0), "still subscribed"
    # And again.
    viewer.look(namespace)
    count = len(viewer.pictures)
    wait_until(lambda: len(viewer.pictures) > count, "no picture the second time")


def test_numbers_only_never_subscribes_the_camera(
    start, dashboard, watch, stream, namespace, client
):
    start("perception_node")
    _, address = dashboard({"numbers_only": "true"})
    camera = stream(smiling_face())
    viewer = watch(address)
    wait_until(lambda: viewer.of_type("emotions", namespace), "no emotions")
    viewer.look(namespace)
    wait_until(lambda: [m for m in viewer.messages if m["type"] == "problem"], "not refused")
    client.spin_for(2.0)
    assert subscribers_beside_perception(client, camera.topic) == 0
    assert not viewer.pictures


def test_zones_that_are_not_looked_at_are_black(start, dashboard, watch, stream, namespace):
    start("perception_node", {"ignore_zones": "['0.5,0 1,0 1,1 0.5,1']"})
    _, address = dashboard()
    stream(two_people())
    viewer = watch(address)
    viewer.look(namespace)
    wait_until(lambda: len(viewer.pictures) > 2, "no pictures")
    # Already the first picture.
    for _, jpeg in viewer.pictures:
        pixels = np.asarray(Picture.open(io.BytesIO(jpeg)).convert("L"))
        middle = pixels.shape[1] // 2
        assert pixels[:, middle + 8 :].max() < 16 and pixels[:, : middle - 8].mean() > 30


def test_faces_are_blurred_in_pictures_that_leave(start, dashboard, watch, stream, namespace):
    start("perception_node")
    _, address = dashboard({"blur_faces": "true"})
    stream(smiling_face())
    viewer = watch(address)
    seen = wait_until(
        lambda: [m for m in viewer.of_type("emotions", namespace) if m["people"]], "nobody seen"
    )[-1]
    viewer.look(namespace)
    wait_until(lambda: len(viewer.pictures) > 2, "no pictures")
    (x, y, width, height) = (seen["people"][0]["roi"][k] for k in ("x", "y", "width", "height"))

    def detail(image):
        """How much neighbouring pixels in the face differ."""
        face = np.asarray(image, dtype=float)[y : y + height, x : x + width]
        return np.abs(np.diff(face, axis=1)).mean()

    sharp = detail(Picture.fromarray(smiling_face()).convert("RGB"))
    # Already the first picture, in which perception_node does not report a face yet.
    for _, jpeg in viewer.pictures:
        assert detail(Picture.open(io.BytesIO(jpeg)).convert("RGB")) < 0.5 * sharp


def test_a_pause_holds_over_restarts_until_somebody_resumes(
    start, dashboard, watch, stream, namespace, client, emotions
):
    perception = start("perception_node")
    node, address = dashboard()
    camera = stream(smiling_face())
    wait_until(lambda: robots(address)[namespace]["level"] == "ok", "not seen")
    assert client.spin_until(lambda: len(emotions) > 0)
    assert pause(address, namespace, True) == (200, {"paused": True})
    assert robots(address)[namespace]["paused"]
    assert is_quiet(client, emotions)
    # Somebody who looks at a paused robot gets no pictures.
    viewer = watch(address)
    viewer.look(namespace)
    client.spin_for(1.5)
    assert not viewer.pictures and client.node.count_subscribers(camera.topic) <= 1

    # perception_node starts again, enabled, and is paused again.
    assert perception.stop()[0] == 0
    second = start("perception_node")
    assert client.spin_until(lambda: second.lines("disabled; no images"))
    assert is_quiet(client, emotions)
    assert robots(address)[namespace]["paused"]

    # Both start again.
    assert node.stop()[0] == 0
    second.stop()
    third = start("perception_node")
    node, address = dashboard()
    assert robots(address)[namespace]["paused"]
    wait_until(lambda: robots(address)[namespace]["level"] == "ok", "it did not come back")
    assert is_quiet(client, emotions)

    assert pause(address, namespace, False) == (200, {"paused": False})
    assert client.spin_until(lambda: len(emotions) > 0), "not resumed"
    assert not robots(address)[namespace]["paused"]
    # And that holds as well.
    node.stop()
    _, address = dashboard()
    wait_until(lambda: robots(address)[namespace]["level"] == "ok", "not seen")
    assert not robots(address)[namespace]["paused"] and third.alive
    emotions.clear()
    assert client.spin_until(lambda: len(emotions) > 5)


def is_quiet(client, emotions):
    """Whether, from some moment on, no message comes for two seconds."""

    def quiet():
        emotions.clear()
        client.spin_for(2.0)
        return not emotions.messages

    return client.spin_until(quiet)


def test_a_pause_by_somebody_else_is_shown_and_can_be_ended(start, dashboard, namespace, client):
    start("perception_node")
    _, address = dashboard()
    wait_until(lambda: robots(address)[namespace]["sentence"], "not seen")
    assert client.ask(SetBool, "perception_node/enable", data=False).success
    wait_until(lambda: robots(address)[namespace]["paused"], "not shown")
    assert pause(address, namespace, False)[0] == 200
    assert not robots(address)[namespace]["paused"]


def test_a_robot_that_does_not_run_can_be_paused(start, dashboard, namespace, stream, client):
    _, address = dashboard()
    assert pause(address, namespace, True)[0] == 200
    wait_until(lambda: robots(address)[namespace]["paused"], "not shown")
    wait_until(lambda: "when it returns" in robots(address)[namespace]["sentence"], "not said")
    start("perception_node")
    wait_until(lambda: robots(address)[namespace]["level"] == "ok", "not seen")
    assert robots(address)[namespace]["paused"]
    status, problem = pause(address, "/nobody", True)
    assert status == 404 and "/nobody" in problem["detail"]


def test_two_robots_on_one_page(start, dashboard, watch, stream, namespace, tmp_path):
    left, right = f"{namespace}/left", f"{namespace}/right"
    for below in ("/left", "/right"):
        start("perception_node", below=below)
    _, address = dashboard({"robots": f"['{left}','{right}']"})
    stream(smiling_face(), of=left)
    stream(np.zeros((120, 160, 3), np.uint8), of=right)
    viewer = watch(address)
    assert [m["robot"] for m in ask(address, "robots")[1]] == [left, right]
    wait_until(lambda: [m for m in viewer.of_type("emotions", left) if m["people"]], "left")
    wait_until(lambda: viewer.of_type("emotions", right), "right")
    assert not any(m["people"] for m in viewer.of_type("emotions", right))
    assert {(m["width"], m["height"]) for m in viewer.of_type("emotions", right)} == {(160, 120)}
    viewer.look(left)
    viewer.look(right)
    wait_until(lambda: {about["robot"] for about, _ in viewer.pictures} == {left, right}, "both")
    assert pause(address, right, True)[0] == 200
    wait_until(lambda: robots(address)[right]["paused"], "right is not paused")
    assert not robots(address)[left]["paused"]


def test_robots_are_found_where_none_is_named(start, dashboard, namespace, tmp_path):
    given = {"listen": "127.0.0.1:0", "state_dir": str(tmp_path / "state")}
    node = start("dashboard_node", given)
    address = address_of(node)
    assert namespace not in robots(address)
    start("perception_node")
    wait_until(lambda: namespace in robots(address), "not found")
    assert ask(address, "info")[1]["robots"]


def test_silence_is_explained(start, dashboard, namespace, stream, client, emotions):
    _, address = dashboard()
    sentence = lambda: robots(address)[namespace]["sentence"]  # noqa: E731
    assert robots(address)[namespace]["level"] == "stale"
    assert f"nobody publishes {namespace}/emotions" in sentence()
    perception = start("perception_node")
    behavior = start("behavior_node")
    # The node's own reason: there is no camera.
    wait_until(lambda: "no image on" in sentence(), sentence)
    assert robots(address)[namespace]["level"] == "warn"
    stream(smiling_face())
    wait_until(lambda: robots(address)[namespace]["level"] == "ok", sentence)
    wait_until(lambda: robots(address)[namespace]["policy"], "no policy")
    behavior.stop()
    wait_until(lambda: sentence().startswith("behavior_node has been silent"), sentence)
    assert robots(address)[namespace]["policy"] is None
    perception.process.send_signal(signal.SIGSTOP)
    wait_until(lambda: "it hangs" in sentence(), sentence)
    assert robots(address)[namespace]["level"] == "stale"
    perception.process.send_signal(signal.SIGCONT)
    wait_until(lambda: robots(address)[namespace]["level"] == "warn", sentence)
    perception.stop()
    wait_until(lambda: "it ended" in sentence(), sentence)


def test_it_ends_within_a_second_also_with_viewers(start, dashboard, watch, stream, namespace):
    start("perception_node")
    stream(smiling_face())
    took = []
    for by in (signal.SIGINT, signal.SIGTERM, signal.SIGINT):
        node, address = dashboard()
        viewer = watch(address)
        wait_until(lambda viewer=viewer: viewer.of_type("emotions", namespace), "no emotions")
        viewer.look(namespace)
        wait_until(lambda viewer=viewer: viewer.pictures, "no picture")
        status, secs = node.stop(by)
        assert status == 0 and not node.errors
        viewer.thread.join(5)
        assert not viewer.thread.is_alive(), "viewers were not told"
        took.append(secs)
    assert min(took) < 1.0, took


WRONG = {
    "no address": ({"listen": "here"}, ["listen", "`here`", "127.0.0.1:8080"]),
    "an address of another machine": ({"listen": "192.0.2.1:8080"}, ["192.0.2.1:8080"]),
    "no namespace": ({"robots": "['a b']"}, ["robots", "`a b`", "/left"]),
    "a number for robots": ({"robots": "1"}, ["robots", "is 1", "a list of strings"]),
    "one of two files": ({"tls_cert": "/a.pem"}, ["tls_key", "both"]),
    "a sign that is not there": ({"notice": "/no/sign.json"}, ["notice", "/no/sign.json"]),
    "a model that is not there": ({"emotion_model": "/no.onnx"}, ["/no.onnx", "No such file"]),
    "a contradiction": ({"insecure": "true", "tokens": "true"}, ["insecure", "tokens"]),
}


@pytest.mark.parametrize("wrong", WRONG)
def test_what_is_wrong_at_start_is_named(start, tmp_path, wrong):
    parameters, named = WRONG[wrong]
    given = {"listen": "127.0.0.1:0", "state_dir": str(tmp_path), **parameters}
    node = start("dashboard_node", given)
    assert node.wait() == 1
    (line,) = node.lines("dashboard_node:")
    assert all(word in line for word in named), line


def test_only_this_machine_gets_in_without_a_token(start, tmp_path, namespace):
    node = start("dashboard_node", {"listen": "0.0.0.0:0", "state_dir": str(tmp_path)})
    address = address_of(node)
    assert address.startswith("https://")
    tokens = json.loads((tmp_path / "tokens.json").read_text())
    assert tokens and not any(token in node.text for token in tokens.values())
    status, secs = node.stop()
    assert status == 0 and secs < 5


def test_the_response_of_another_node_is_shown_as_it_is(dashboard, watch, namespace, client):
    node, address = dashboard()
    viewer = watch(address)
    responses = client.publisher(Response, "responses")
    client.wait_for_subscriber_of(responses)
    message = Response(rule="by hand", speech="\u201cHi\u201d <script>", reason="a test")
    assert client.publish_until(
        responses, message, lambda: bool(viewer.of_type("response", namespace))
    )
    assert viewer.of_type("response", namespace)[-1]["speech"] == message.speech
    assert node.alive


def test_node_file_and_page_agree(start, client, dashboard):
    dashboard()
    names = client.ask(ListParameters, "dashboard_node/list_parameters").result.names
    text = (ROOT / "config" / "dashboard.yaml").read_text()
    # Lists have no value there: a parameter file cannot say of what an empty one is.
    lists = re.findall(r"^    # (\w+): \[", text, re.MULTILINE)
    in_file = yaml.safe_load(text)["/**"]["ros__parameters"]
    assert {*in_file, *lists, "use_sim_time"} == set(names)
    page = (ROOT / "docs" / "ros-api.md").read_text()
    section = page.split("\n## dashboard_node")[1].split("\n## ")[0]
    rows = [line.split("|")[1:3] for line in section.split("| parameter |")[1].splitlines()[2:]]
    documented = {n: d.strip(" `") for cells in rows if len(cells) == 2 for n, d in named(*cells)}
    assert documented.keys() == set(names)
    for name, value in in_file.items():
        assert documented[name] == json.dumps(value), name


def named(cell, default):
    return [(name, default) for name in re.findall(r"`(\w+)`", cell)]


def parameters(given):
    return [part for name, value in given.items() for part in ("-p", f"{name}:={value}")]


def test_it_starts_with_the_file_of_the_package(start, tmp_path):
    file = ROOT / "config" / "dashboard.yaml"
    given = {"listen": "127.0.0.1:0", "state_dir": str(tmp_path)}
    # The values of the test come later, and count.
    node = start("dashboard_node", None, "--params-file", str(file), *parameters(given))
    assert ask(address_of(node), "health")[0] == 200
    assert not node.lines("[WARN]") and not node.errors
