"""Whom the shipped policy greets, and whom it leaves alone, on the recordings of the demo and of ten
passers-by."""

import json
import subprocess
import sys

import pytest

from graph import BIN_DIR, ROOT

RAPPORT = BIN_DIR / "rapport"


@pytest.fixture(scope="module")
def rehearsed(tmp_path_factory):
    """What the shipped policy does about a scene of tools/demo_bag.py, with more options."""
    bags = {}

    def rehearse(scene, *options):
        if scene not in bags:
            bags[scene] = tmp_path_factory.mktemp("bags") / scene
            make = [sys.executable, ROOT / "tools" / "demo_bag.py", bags[scene], "--scene", scene]
            subprocess.run(make, check=True, capture_output=True)
        out = bags[scene].with_suffix(".json")
        policy = ROOT / "config" / "policy.yaml"
        command = [RAPPORT, "rehearse", bags[scene], "--policy", policy, "--json", out, *options]
        subprocess.run(command, check=True, capture_output=True)
        return json.loads(out.read_text())

    return rehearse


def greeted(rehearsal):
    (policy,) = rehearsal["policies"]
    return [(r["rule"], r["face_id"], r["group_face_ids"]) for r in policy["responses"]]


def smiles(person):
    spans = person["expressions"]
    happy = [span["to_secs"] - span["from_secs"] for span in spans if span["is"] == "happy"]
    return sum(happy)


def test_on_the_demo_who_smiles_is_greeted_once_a_visit_and_the_crowd_is_left_alone(rehearsed):
    rehearsal = rehearsed("demo")
    people = {person["face_id"]: person for person in rehearsal["people"]}
    answers = greeted(rehearsal)
    # Collins in the first room and, under another id, in the second.
    assert [(rule, group) for rule, _, group in answers] == [("answer-a-smile", [])] * 2
    assert len({face_id for _, face_id, _ in answers}) == 2
    for _, face_id, _ in answers:
        assert smiles(people[face_id]) > 3.0
    assert len(people) > 15, "a crowd passed"
    assert rehearsal["policies"][0]["staff_requests"] == []


@pytest.mark.parametrize("options", [(), ("--horizontal-fov-deg", "60")], ids=["unknown", "known"])
def test_of_ten_passers_by_who_stops_and_smiles_is_greeted_and_the_others_left_alone(
    rehearsed, options
):
    rehearsal = rehearsed("passers", *options)
    people = rehearsal["people"]
    assert len(people) == 10
    smiling = [p["face_id"] for p in people if smiles(p) > 0.5]
    stopped = [p["face_id"] for p in people if p["to_secs"] - p["from_secs"] > 4.0]
    assert len(smiling) == 4 and len(stopped) == 4
    beside = [p["face_id"] for p in people if p["from_secs"] > 45.0][1]
    expected = [face_id for face_id in smiling if face_id in stopped]
    assert greeted(rehearsal) == [
        ("answer-a-smile", expected[0], []),
        ("answer-a-smile", expected[1], [beside]),
    ]
    nearly = {e["face_id"] for e in rehearsal["policies"][0]["nearly"] if e["key"] == "for_secs"}
    assert set(smiling) - set(stopped) <= nearly, "who walks by smiles for too short a time"
