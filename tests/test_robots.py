"""behavior_node and the robots of config/robots: what reaches each, and how a response ends when the
robot accepts, delays, rejects, never finishes or is not there."""

import json
import time

import pytest
from lifecycle_msgs.msg import Transition
from lifecycle_msgs.srv import ChangeState
from rapport.msg import Response, ResponseStatus
from std_msgs.msg import String
from std_srvs.srv import SetBool

from graph import PATIENCE_SECS, ROOT
from robot import POLICY

# The robots' interfaces, which tools/setup builds where no ROS 2 is sourced.
for package in (
    "audio_common_msgs",
    "communication_skills",
    "naoqi_bridge_msgs",
    "qtrobot_interfaces",
):
    pytest.importorskip(package, reason=f"{package} is not installed")
Intent = pytest.importorskip("hri_actions_msgs.msg", reason="not installed").Intent
Expression = pytest.importorskip("hri_msgs.msg", reason="hri_msgs is not installed").Expression

from stand_in import FOREVER, NaoqiRobot, QtRobot, Ros4HriRobot, SpeakingRobot  # noqa: E402

ROBOTS = ROOT / "config" / "robots"
KINDS = {
    "ros4hri": Ros4HriRobot,
    "qtrobot": QtRobot,
    "tts": SpeakingRobot,
}


class Told:
    """What behavior_node says of its responses."""

    def __init__(self, client):
        self.client = client
        self.responses = client.collect(Response, "responses")
        self.status = client.collect(ResponseStatus, "response_status")

    @property
    def words(self):
        return [message.status for message in self.status.messages]

    def wait_for(self, *words):
        """Waits for these and no others; returns the message of the last."""
        assert self.client.spin_until(lambda: len(self.words) >= len(words)), self.words
        assert self.words == list(words)
        return self.status.messages[-1]

    def wait_for_start(self, person):
        """The person smiles until a response has begun."""
        end = time.monotonic() + PATIENCE_SECS
        while not self.words and time.monotonic() < end:
            person.show("happy", 0.1)
        assert self.words[:1] == ["started"]

    def clear(self):
        self.responses.clear()
        self.status.clear()


@pytest.fixture
def stand_in():
    robots = []

    def begin(kind, **options):
        robots.append(kind(**options))
        return robots[-1]

    yield begin
    for robot in robots:
        robot.close()


@pytest.fixture
def told(client):
    return Told(client)


@pytest.fixture
def behavior(start, client, person, told, policy_file):
    """Starts behavior_node for a robot, and waits until all have found each other."""

    def begin(robot, **parameters):
        given = {"policy_file": policy_file, "robot": robot, **parameters}
        node = start("behavior_node", given)
        client.wait_for_subscriber_of(person.emotions)
        client.wait_for_publisher_of(told.status)
        client.wait_for_publisher_of(told.responses)
        # Subscribers of the node and the robot's servers are found without a word by which to know.
        client.spin_for(2.0)
        return node

    return begin


def edited(tmp_path, robot, *changes):
    """A shipped file with some of its text replaced."""
    text = (ROBOTS / f"{robot}.yaml").read_text()
    for old, new in changes:
        assert old in text, old
        text = text.replace(old, new)
    file = tmp_path / f"{robot}_edited.yaml"
    file.write_text(text)
    return file


def test_the_skill_of_a_ros4hri_robot_says_it_and_its_topics_do_the_rest(
    stand_in, behavior, client, person, told
):
    robot = stand_in(Ros4HriRobot)
    intents = client.collect(Intent, "/intents")
    faces = client.collect(Expression, "/robot_face/expression")
    behavior("ros4hri")
    told.wait_for_start(person)
    (response,) = told.responses.messages
    for message in told.status.messages:
        assert message.response_id == response.response_id != ""
        assert (message.rule, message.face_id) == ("smile-back", "face_1")
    assert client.spin_until(lambda: robot.goals and intents.messages)
    assert client.spin_until(lambda: any(face.expression == "happy" for face in faces.messages))
    (goal,) = robot.goals
    assert (goal.input, goal.person_id, goal.meta.priority) == ("Hello.", "face_1", 128)
    (intent,) = intents.messages
    assert (intent.intent, intent.source) == (Intent.PERFORM_MOTION, Intent.ROBOT_ITSELF)
    assert json.loads(intent.data) == {"object": "nod"}
    # The face lasts for duration_secs, though the skill is done at once.
    assert faces.messages[-1].expression == "happy"
    assert told.wait_for("started", "finished").reason == ""
    assert client.spin_until(lambda: faces.messages[-1].expression == "neutral")


def test_the_three_services_of_qtrobot(stand_in, behavior, client, person, told):
    robot = stand_in(QtRobot)
    behavior("qtrobot")
    told.wait_for_start(person)
    told.wait_for("started", "finished")
    (said,) = robot.said()
    assert (said.text, said.lang) == ("Hello.", "")
    (played,) = [call for call in robot.calls if hasattr(call, "gesture")]
    assert (played.gesture, played.speed_factor) == ("QT/yes", 1.0)

    def faces():
        return [call.emotion for call in robot.calls if hasattr(call, "emotion")]

    assert client.spin_until(lambda: faces()[-2:] == ["QT/happy", "QT/neutral"]), faces()


def test_a_text_to_speech_alone(stand_in, behavior, client, person, told):
    robot = stand_in(SpeakingRobot)
    node = behavior("tts")
    told.wait_for_start(person)
    told.wait_for("started", "finished")
    (goal,) = robot.goals
    assert (goal.text, goal.language) == ("Hello.", "en"), "the language is the type's default"
    assert node.lines("not on this robot: gesture nod") and not node.errors


def test_naoqi_is_spoken_to_by_its_topic(stand_in, behavior, client, person, told):
    robot = stand_in(NaoqiRobot)
    speech = client.collect(String, "/speech")
    behavior("naoqi")
    told.wait_for_start(person)
    assert client.spin_until(lambda: speech.messages)
    assert speech.messages[0].data == "Hello."
    told.wait_for("started", "finished")
    # The policy names no language, so that the robot's own stays.
    assert robot.calls == []


# As if the policy named a language, whatever the response's is.
ENGLISH = (("      needs: language\n", ""), ('"{language}"', "English"))


@pytest.mark.parametrize("how", ["accepts", "delays", "rejects", "never finishes", "is absent"])
def test_naoqi_speaks_only_once_the_language_is_set(
    how, stand_in, behavior, client, person, told, tmp_path
):
    takes_secs = {"delays": 1.0, "never finishes": FOREVER}.get(how, 0.0)
    if how != "is absent":
        robot = stand_in(NaoqiRobot, takes_secs=takes_secs, rejects=how == "rejects")
    speech = client.collect(String, "/speech")
    short = ("timeout_secs: 5", "timeout_secs: 2")
    node = behavior(edited(tmp_path, "naoqi", short, *ENGLISH))
    told.wait_for_start(person)
    if how in ("accepts", "delays"):
        told.wait_for("started", "finished")
        assert [call.data for call in robot.calls] == ["English"]
        assert [message.data for message in speech.messages] == ["Hello."]
        return
    reason = told.wait_for("started", "failed").reason
    assert {
        "rejects": "success is false, expected true",
        "never finishes": "did not answer within 2 s",
        "is absent": "nobody offers it (waited 2 s)",
    }[how] in reason
    assert "the service /naoqi_driver/set_language" in reason
    assert speech.messages == [] and node.alive


@pytest.mark.parametrize("kind", KINDS)
def test_a_response_lasts_until_the_robot_is_done(kind, stand_in, behavior, client, person, told):
    robot = stand_in(KINDS[kind], takes_secs=3.0)
    behavior(kind)
    told.wait_for_start(person)
    began = time.monotonic()
    # Longer than duration_secs by the stamps, and the smile goes on.
    person.show("happy", 5.0)
    told.wait_for("started", "finished")
    assert time.monotonic() - began > 2.0
    assert len(told.responses) == 1 and not robot.cancelled


@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        ("ros4hri", "the action /skill/say rejected the goal"),
        ("tts", "the action /say rejected the goal"),
        ("qtrobot", "the service /qtrobot/tts/engine/say/text status is false, expected true"),
    ],
)
def test_a_robot_that_rejects_is_one_clear_error_and_the_next_response_works(
    kind, reason, stand_in, behavior, client, person, told
):
    robot = stand_in(KINDS[kind], rejects=True)
    node = behavior(kind)
    told.wait_for_start(person)
    assert reason in told.wait_for("started", "failed").reason
    failures = [line for line in node.errors if "smile-back failed: " in line]
    assert len(failures) == 1 and reason in failures[0]
    robot.rejects = False
    told.clear()
    told.wait_for_start(person)
    told.wait_for("started", "finished")
    assert node.alive


def test_a_skill_that_fails_says_so_in_its_result(stand_in, behavior, person, told):
    robot = stand_in(Ros4HriRobot)
    robot.error_code = 3
    behavior("ros4hri")
    told.wait_for_start(person)
    reason = told.wait_for("started", "failed").reason
    assert "the action /skill/say result.error_code is 3, expected 0; it said {" in reason


def test_a_goal_that_is_accepted_too_late_is_cancelled(
    stand_in, behavior, client, person, told, tmp_path
):
    robot = stand_in(Ros4HriRobot, takes_secs=FOREVER, accepts_after_secs=3.0)
    behavior(edited(tmp_path, "ros4hri", ("timeout_secs: 30", "timeout_secs: 1")))
    told.wait_for_start(person)
    reason = told.wait_for("started", "failed").reason
    assert "the action /skill/say did not accept the goal within 1 s" in reason
    assert client.spin_until(lambda: len(robot.cancelled) == 1)


def test_a_goal_that_is_aborted(stand_in, behavior, person, told):
    stand_in(SpeakingRobot, aborts=True)
    behavior("tts")
    told.wait_for_start(person)
    assert "the action /say ended as aborted" in told.wait_for("started", "failed").reason


@pytest.mark.parametrize("kind", KINDS)
def test_a_robot_that_never_finishes(kind, stand_in, behavior, client, person, told, tmp_path):
    changes = [("timeout_secs: 30", "timeout_secs: 1")]
    if kind == "qtrobot":
        changes.append(("timeout_secs: 15", "timeout_secs: 1"))
    robot = stand_in(KINDS[kind], takes_secs=FOREVER)
    node = behavior(edited(tmp_path, kind, *changes))
    told.wait_for_start(person)
    reason = told.wait_for("started", "failed").reason
    if kind == "qtrobot":
        assert "the service /qtrobot/tts/engine/say/text did not answer within 1 s" in reason
    else:
        assert "had no result within 1 s and was cancelled" in reason
        assert client.spin_until(lambda: len(robot.cancelled) == 1)
    robot.takes_secs = 0.0
    told.clear()
    told.wait_for_start(person)
    told.wait_for("started", "finished")
    assert node.alive


@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        ("ros4hri", "nobody offers it (waited 2 s)"),
        ("tts", "the action /say nobody offers it (waited 2 s)"),
        ("qtrobot", "the service /qtrobot/tts/engine/say/text nobody offers it (waited 2 s)"),
    ],
)
def test_a_robot_that_is_not_there_and_comes_later(
    kind, reason, stand_in, behavior, client, person, told
):
    node = behavior(kind)
    told.wait_for_start(person)
    assert reason in told.wait_for("started", "failed").reason
    assert len([line for line in node.errors if "smile-back failed: " in line]) == 1
    robot = stand_in(KINDS[kind])
    client.spin_for(3.0)
    told.clear()
    told.wait_for_start(person)
    told.wait_for("started", "finished")
    assert robot.goals or robot.said()
    assert node.alive


@pytest.mark.parametrize("kind", ["ros4hri", "tts"])
def test_deactivate_cancels_what_runs(kind, stand_in, behavior, client, person, told):
    robot = stand_in(KINDS[kind], takes_secs=FOREVER)
    node = behavior(kind)
    told.wait_for_start(person)
    assert client.spin_until(lambda: robot.goals)
    change = Transition(id=Transition.TRANSITION_DEACTIVATE)
    assert client.ask(ChangeState, "behavior_node/change_state", transition=change).success
    assert told.wait_for("started", "cancelled").reason == "the node is no longer active"
    assert client.spin_until(lambda: len(robot.cancelled) == 1)
    robot.takes_secs = 0.0
    told.clear()
    change = Transition(id=Transition.TRANSITION_ACTIVATE)
    assert client.ask(ChangeState, "behavior_node/change_state", transition=change).success
    told.wait_for_start(person)
    told.wait_for("started", "finished")
    assert not node.errors


def test_a_node_that_ends_cancels_what_runs(stand_in, behavior, client, person, told):
    robot = stand_in(Ros4HriRobot, takes_secs=FOREVER)
    node = behavior("ros4hri")
    told.wait_for_start(person)
    assert client.spin_until(lambda: robot.goals)
    assert node.stop()[0] == 0
    assert client.spin_until(lambda: len(robot.cancelled) == 1)


def test_configured_again_it_speaks_to_the_robot_again(stand_in, behavior, client, person, told):
    robot = stand_in(Ros4HriRobot)
    behavior("ros4hri")
    for name in ("DEACTIVATE", "CLEANUP", "CONFIGURE", "ACTIVATE"):
        change = Transition(id=getattr(Transition, f"TRANSITION_{name}"))
        assert client.ask(ChangeState, "behavior_node/change_state", transition=change).success
    client.wait_for_publisher_of(told.status)
    client.spin_for(1.0)
    told.wait_for_start(person)
    told.wait_for("started", "finished")
    assert len(robot.goals) == 1


def test_on_topics_a_response_ends_with_its_duration(behavior, client, person, told):
    behavior("topics")
    told.wait_for_start(person)
    told.wait_for("started", "finished")
    told.clear()
    told.wait_for_start(person)
    told.wait_for("started", "finished")
    told.clear()
    told.wait_for_start(person)
    assert client.ask(SetBool, "behavior_node/enable", data=False).success
    assert told.wait_for("started", "cancelled").reason == "the node is disabled"


@pytest.mark.parametrize(
    ("kind", "old", "new", "place", "words"),
    [
        (
            "ros4hri",
            "input:",
            "inputt:",
            "8:5",
            [
                "unknown field `inputt`",
                "input (a text)",
                "person_id",
                "communication_skills/action/Say",
            ],
        ),
        ("ros4hri", "priority: 128}", "priority: 300}", "12:39", ["priority is 300", "u8"]),
        ("ros4hri", "priority: 128}", "priority: high}", "12:39", ["a whole number"]),
        ("ros4hri", "error_code: 0", "code: 0", "14:22", ["unknown field `code`", "error_code"]),
        (
            "qtrobot",
            "TtsEngineSayText",
            "TtsSayText",
            "6:9",
            ["qtrobot_interfaces/srv/TtsSayText", "built without", "RAPPORT_INTERFACES"],
        ),
        ("qtrobot", "speed_factor: 1.0", "speed_factor: fast", "18:48", ["speed_factor is `fast`"]),
        ("tts", "{speech}", "{speach}", "9:18", ["placeholder `{speach}`", "{speech}"]),
        ("naoqi", "success: true}", "success: 1}", "35:26", ["success is 1", "true or false"]),
        ("topics", "{light.r}", "{speech}", "18:15", ["r is {speech}", "a number"]),
    ],
)
def test_a_wrong_mapping_is_refused_with_its_place(
    start, policy_file, tmp_path, kind, old, new, place, words
):
    file = edited(tmp_path, kind, (old, new))
    node = start("behavior_node", {"policy_file": policy_file, "robot": file})
    assert node.wait() == 1
    (problem,) = node.lines(f"{file}:")
    assert f"{file}:{place}: " in problem
    for word in words:
        assert word in problem, problem


def test_a_robot_that_is_not_shipped_is_refused_with_those_that_are(start, policy_file):
    node = start("behavior_node", {"policy_file": policy_file, "robot": "peper"})
    assert node.wait() == 1
    assert node.lines("robot is `peper`", "naoqi, qtrobot, ros4hri, topics, tts")


@pytest.mark.parametrize("others", ["skip", "pass"])
def test_an_unknown_name_is_skipped_or_passed_on_as_the_file_says(
    others, stand_in, behavior, client, person, told, policy_file, tmp_path
):
    policy_file.write_text(POLICY.replace("gesture: nod", "gesture: bow"))
    stand_in(Ros4HriRobot)
    intents = client.collect(Intent, "/intents")
    file = edited(tmp_path, "ros4hri", ("other_names: skip", f"other_names: {others}"))
    node = behavior(file)
    told.wait_for_start(person)
    told.wait_for("started", "finished")
    if others == "skip":
        assert intents.messages == [] and node.lines("not on this robot: gesture bow")
    else:
        assert client.spin_until(lambda: intents.messages)
        assert json.loads(intents.messages[0].data) == {"object": "bow"}
