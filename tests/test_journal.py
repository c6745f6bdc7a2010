"""The journal of dashboard_node: real faces of a real perception_node become statistics, and nothing of a
person reaches the file."""

import urllib.request

import numpy as np
import pytest
from rapport.msg import Response
from rapport.srv import Rate

from dashboard import Viewer, ask, wait_until
from graph import PATIENCE_SECS
from robot import POLICY
from scenes import photograph, smiling_face

# A visit takes a second or more.
VISIT_SECS = 1.2


@pytest.fixture
def journal(tmp_path):
    (tmp_path / "journal").mkdir()
    return tmp_path / "journal" / "journal.db"


@pytest.fixture
def keep(dashboard, journal):
    """Starts a dashboard that keeps the journal: `keep({"journal_place": "lobby"})`."""

    def keep(parameters=None):
        return dashboard({"journal": journal, **(parameters or {})})

    return keep


def group():
    """The 29 people of the Solvay conference of 1927."""
    return np.ascontiguousarray(photograph("solvay_1927.jpg", 1920, 1440))


def long_in_view(messages):
    """The ids of those who are in view for longer than the shortest visit."""
    first, newest = {}, 0
    for message in messages:
        newest = message["stamp_secs"]
        for person in message["people"]:
            first.setdefault(person["face_id"], newest)
    return [face_id for face_id, at in first.items() if newest - at > VISIT_SECS]


def everything(address, place):
    """The figures of a place over all time."""
    (period,) = ask(address, f"journal/history?period=all&place={place}")[1]
    return period


def test_visits_to_a_robot_are_counted_and_nobody_is_in_the_file(
    start, keep, stream, namespace, client, journal, tmp_path
):
    policy = tmp_path / "policy.yaml"
    policy.write_text(POLICY)
    start("perception_node")
    start("behavior_node", {"policy_file": policy})
    node, address = keep()
    viewer = Viewer(address)
    place = namespace.removeprefix("/")
    assert ask(address, "journal/places") == (200, [place])
    responses = client.publisher(Response, "responses")
    client.wait_for_subscriber_of(responses)
    wait_until(lambda: ask(address, "journal/policies")[1], "no policy is known")
    camera = stream(group())
    in_view = lambda: long_in_view(viewer.of_type("emotions", namespace))  # noqa: E731
    wait_until(lambda: len(in_view()) >= 12, "no twelve people in view", 2 * PATIENCE_SECS)
    ids = in_view()
    # A robot that answers all of them at once.
    responses.publish(Response(rule="greet-all", face_id=ids[0], group_face_ids=ids))
    rate = f"{namespace}/dashboard_node/rate"
    taken = client.ask(Rate, rate, place=place, rating=5)
    assert (taken.success, taken.message) == (True, f"{place}: 5")
    again = client.ask(Rate, rate, rating=5)
    assert (again.success, place in again.message) == (False, True)
    wrong = client.ask(Rate, rate, rating=6)
    assert not wrong.success and "rating is 6, expected 1 (worst) to 5 (best)" in wrong.message
    elsewhere = client.ask(Rate, rate, place="cellar", rating=3)
    assert not elsewhere.success and "no place `cellar` is known" in elsewhere.message
    # Another address, which has a pause of its own.
    assert ask(address, "ratings", {"rating": 4})[0] == 201
    status, problem = ask(address, "ratings", {"rating": 4})
    assert (status, problem["type"]) == (429, "/api#too-soon")
    wait_until(lambda: viewer.of_type("response", namespace), "no response")
    viewer.close()
    camera.close()
    status, about = ask(address, "journal/status")
    assert (status, about["file"], about["error"]) == (200, "journal.db", None)
    assert node.stop()[0] == 0

    # Another process reads what the first one wrote.
    node, address = keep()
    found = everything(address, place)
    visits, health = found["visits"], found["health"]
    assert 12 <= visits["visits"] <= 40
    assert visits["expressions"]["n"] == visits["visits"]
    assert 0 < visits["expressions"]["not_sure"] < 1
    assert health["images"] > 1 and health["watched_secs"] > 0
    # Of two ratings nothing is written.
    assert found["ratings"] is None
    assert found["from_secs"] % 900 == found["to_secs"] % 900 == 0
    (answers,) = ask(address, "journal/answers")[1]
    assert (answers["rule"], answers["visits"] >= 10) == ("greet-all", True)
    (change,) = ask(address, "journal/policies")[1]
    assert change["place"] == place and change["policy"].startswith("policy.yaml ")
    assert change["at_secs"] % 900 == 0
    with urllib.request.urlopen(f"{address}/api/v1/journal/export.csv") as answer:
        lines = answer.read().decode().splitlines()
    assert lines[0].startswith("place,from_utc,to_utc,visits,") and lines[1].startswith(place)
    assert node.stop()[0] == 0
    # Neither ids nor anything else of a person.
    for file in journal.parent.iterdir():
        content = file.read_bytes()
        assert not any(face_id.encode() in content for face_id in ids), file


def test_a_single_visitor_is_not_written_though_every_image_is_read(
    start, keep, stream, client, emotions
):
    start("perception_node")
    # No page is open at any time.
    node, address = keep({"journal_place": "lobby"})
    topic = emotions.subscription.topic_name
    assert client.spin_until(lambda: client.node.count_subscribers(topic) == 2)
    stream(smiling_face())
    assert client.spin_until(lambda: len(emotions) >= 20)
    assert emotions.messages[-1].faces
    assert ask(address, "journal/places") == (200, ["lobby"])
    assert node.stop()[0] == 0
    _, address = keep({"journal_place": "lobby"})
    found = everything(address, "lobby")
    assert found["visits"] is None and found["health"]["images"] >= 15


@pytest.mark.parametrize(
    ("parameters", "words"),
    [
        ({"journal": "/no/such/j.db"}, "/no/such/j.db: cannot open the journal"),
        ({"journal": "{tmp}/text"}, "expected a journal of Rapport or no file"),
        ({"journal": "{tmp}/j.db", "journal_bucket_minutes": 20}, "bucket of 20 minutes"),
        ({"journal": "{tmp}/j.db", "journal_bucket_minutes": 5}, "journal_bucket_minutes"),
        ({"journal": "{tmp}/j.db", "journal_retention_days": 0}, "journal_retention_days"),
    ],
)
def test_a_journal_that_cannot_be_kept_is_named_at_the_start(start, tmp_path, parameters, words):
    (tmp_path / "text").write_text("no journal")
    path = parameters["journal"].format(tmp=tmp_path)
    given = {"listen": "127.0.0.1:0", "state_dir": str(tmp_path / "state")}
    node = start("dashboard_node", given | parameters | {"journal": path})
    assert node.wait() != 0 and words in node.text
    assert (tmp_path / "text").read_text() == "no journal"
