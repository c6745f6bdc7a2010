"""Emotion messages in, the robot's responses out, by the policy."""

import time

import pytest
from std_msgs.msg import ColorRGBA, String

from graph import stamp_ns
from robot import LABELS, POLICY


@pytest.fixture
def behavior(start, client, person, robot):
    """Starts a behavior node and waits until both sides have found each other."""

    def begin(parameters=None):
        node = start("behavior_node", parameters)
        client.wait_for_subscriber_of(person.emotions)
        for collector in robot.all:
            client.wait_for_publisher_of(collector)
        # The node has to find the subscribers too, and says nothing by which to know.
        client.spin_for(0.5)
        for collector in robot.all:
            # The rest state, which it shows from its activation on.
            collector.clear()
        return node

    return begin


def test_a_node_that_ends_leaves_no_light_behind(behavior, client, person, robot, policy_file):
    node = behavior({"policy_file": policy_file})
    person.show("happy", 1.4)
    assert client.spin_until(lambda: len(robot.light) == 1 and len(robot.expression) == 1)
    assert node.stop()[0] == 0
    assert client.spin_until(lambda: len(robot.light) == 2 and len(robot.expression) == 2)
    light = robot.light.messages[1]
    assert (light.r, light.b, light.a) == (0.0, 1.0, 0.5)
    assert robot.expression.messages[1].data == "neutral"


def test_a_lasting_smile_is_answered_once_and_the_robot_rests_again(
    behavior, client, person, robot, policy_file
):
    behavior({"policy_file": policy_file})
    stamps = person.show("happy", 1.4)
    assert client.spin_until(lambda: all(len(heard) == 1 for heard in robot.all), 10.0)
    response = robot.responses.messages[0]
    assert stamp_ns(response.header) == stamps[10], "the image at which the second was full"
    assert response.header.frame_id == "camera_optical_frame"
    assert (response.rule, response.face_id) == ("smile-back", "face_1")
    assert "happy at 0.90 for 1.0 s" in response.reason
    assert (response.speech, response.gesture, response.expression) == (
        "Hello.",
        "nod",
        "happy",
    )
    red = ColorRGBA(r=1.0, g=0.0, b=0.0, a=1.0)
    assert response.light == red
    assert response.intensity == pytest.approx(0.25)
    assert (response.duration.sec, response.duration.nanosec) == (1, 500_000_000)
    heard = [collector.messages[0] for collector in robot.all[1:]]
    assert heard == [
        String(data="Hello."),
        String(data="nod"),
        red,
        String(data="happy"),
    ]

    # No image comes any more: the response ends by the time that passes.
    assert client.spin_until(lambda: len(robot.light) == 2 and len(robot.expression) == 2, 10.0)
    assert robot.light.messages[1] == ColorRGBA(r=0.0, g=0.0, b=1.0, a=0.5)
    assert robot.expression.messages[1] == String(data="neutral")

    person.show("happy", 23.0)
    assert client.spin_until(lambda: len(robot.responses) == 2, 10.0)
    # The first one after the cooldown: none was sent within it.
    assert stamp_ns(robot.responses.messages[1].header) >= stamps[10] + 20 * 10**9


@pytest.mark.parametrize(
    "stamp",
    [
        pytest.param(lambda _: 2_000_000_000_000, id="constant"),
        pytest.param(lambda now_ns: now_ns // 10**9 * 10**9, id="whole seconds"),
        pytest.param(lambda _: 0, id="none"),
    ],
)
def test_a_smile_under_stamps_that_stand_still_is_answered_and_the_response_ends(
    behavior, person, robot, policy_file, stamp
):
    behavior({"policy_file": policy_file})
    assert person.smile_until(lambda: len(robot.responses) == 1, stamp)
    responded = time.monotonic()
    # The smile goes on, and so do the messages.
    assert person.smile_until(lambda: len(robot.light) == len(robot.expression) == 2, stamp)
    assert 1.0 < time.monotonic() - responded < 10.0
    assert robot.light.messages[1] == ColorRGBA(r=0.0, g=0.0, b=1.0, a=0.5)
    assert robot.expression.messages[1] == String(data="neutral")
    assert len(robot.responses) == 1


def test_what_does_not_last_or_is_not_sure_is_not_answered(
    behavior, client, person, robot, policy_file
):
    behavior({"policy_file": policy_file})
    for _ in range(4):
        person.show("happy", 0.5)
        person.show("neutral", 0.8)
    person.show("happy", 3.0, confidence=0.55)
    person.show("sad", 3.0)
    # The same node does answer what lasts, and has answered nothing before.
    stamps = person.show("happy", 1.2)
    assert client.spin_until(lambda: robot.responses.messages, 10.0)
    assert stamp_ns(robot.responses.messages[0].header) == stamps[10]


def test_the_shipped_policy_answers_a_smile_and_leaves_a_neutral_face_in_peace(
    behavior, client, person, robot
):
    behavior()
    person.show("neutral", 4.0)
    person.show("happy", 2.0)
    assert client.spin_until(lambda: robot.speech.messages, 10.0)
    assert robot.responses.messages[0].rule == "answer-a-smile"
    assert robot.speech.messages[0].data == robot.responses.messages[0].speech != ""
    assert robot.light.messages[0].a > 0


def test_an_unknown_label_gives_one_warning_and_the_next_message_is_answered(
    behavior, client, person, robot, policy_file
):
    node = behavior({"policy_file": policy_file})
    person.show("cheerful", 1.0)
    person.show("happy", 1.5)
    assert client.spin_until(lambda: len(robot.responses) == 1, 10.0)
    (warning,) = node.lines("[WARN]")
    assert "face skipped" in warning and "`cheerful`" in warning
    for label in LABELS:
        assert label in warning
    assert node.alive and not node.errors


def test_words_of_other_models_for_an_expression_are_answered_too(
    behavior, client, person, robot, policy_file
):
    node = behavior({"policy_file": policy_file})
    person.labels = ["anger", "happiness", "sadness"]
    person.show("happiness", 1.5)
    assert client.spin_until(lambda: len(robot.responses) == 1, 10.0)
    assert not node.lines("[WARN]")


def test_what_policy_and_model_do_not_share_is_warned_of_once_for_each_model(
    behavior, client, person, robot, policy_file
):
    policy_file.write_text(POLICY.replace("emotion: happy", "emotion: [contempt, happy]"))
    node = behavior({"policy_file": policy_file})
    person.show("neutral", 0.5)
    assert client.spin_until(lambda: node.lines("[WARN]"))
    (warning,) = node.lines("[WARN]")
    assert "does not tell apart: contempt;" in warning
    assert "the policy names: happy, contempt;" in warning
    assert f"the model's labels: {', '.join(LABELS)}" in warning

    # Another model, with a word that is unknown; then one that has all that the policy names.
    person.labels = ["happy", "bored", "neutral"]
    person.show("neutral", 0.5)
    assert client.spin_until(lambda: len(node.lines("[WARN]")) == 3)
    assert len(node.lines("[WARN]", "unknown here: `bored`")) == 1
    assert len(node.lines("[WARN]", "the model's labels: happy, `bored`, neutral")) == 1
    person.labels = [*LABELS, "contempt"]
    person.show("contempt", 1.5)
    assert client.spin_until(lambda: len(robot.responses) == 1, 10.0)
    assert "contempt at 0.90" in robot.responses.messages[0].reason
    assert len(node.lines("[WARN]")) == 3


@pytest.mark.parametrize(
    ("found", "instead", "line", "words"),
    [
        ("confidence: 0.6", "confidence: 1.4", 9, ["confidence", "1.4", "0 to 1"]),
        ("emotion: happy", "emotion: happi", 9, ["happi", "happy", "surprise"]),
        ("gesture: nod", "gestrue: nod", 13, ["gestrue", "gesture"]),
        ("version: 1", "version: 7", 1, ["version", "7", "1"]),
        ("rules:", "rules: [", 7, ["allowed"]),
    ],
)
def test_a_wrong_policy_is_refused_with_its_place(start, policy_file, found, instead, line, words):
    assert found in POLICY
    policy_file.write_text(POLICY.replace(found, instead, 1))
    node = start("behavior_node", {"policy_file": policy_file})
    assert node.wait() > 0
    assert "panicked" not in node.text
    problems = node.lines(f"{policy_file}:")
    assert problems, node.text
    for word in words:
        assert word in problems[0]
    if instead != "rules: [":  # where an unclosed bracket is noticed is the reader's choice
        assert len(problems) == 1
        assert f"{policy_file}:{line}:" in problems[0]
        assert "; allowed: " in problems[0]


def test_a_missing_policy_is_named(start):
    node = start("behavior_node", {"policy_file": "/no/such.yaml"})
    assert node.wait() > 0
    assert len(node.lines("behavior_node: ", "/no/such.yaml", "No such file")) == 1
