"""behavior_node as a full citizen: managed, switched, diagnosed, and its policy changed at work."""

import pytest
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus
from lifecycle_msgs.srv import ChangeState, GetState
from rapport.msg import StaffRequest
from rclpy.parameter import Parameter
from rclpy.parameter_client import AsyncParameterClient
from rclpy.qos import DurabilityPolicy, QoSProfile
from std_msgs.msg import Bool, ColorRGBA, String
from std_srvs.srv import SetBool, Trigger

from graph import ROOT, Collector
from robot import POLICY

LATE = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)
REST = ColorRGBA(r=0.0, g=0.0, b=1.0, a=0.5)
RED = ColorRGBA(r=1.0, g=0.0, b=0.0, a=1.0)


@pytest.fixture
def change(client):
    def change(label):
        request = ChangeState.Request()
        request.transition.label = label
        return client.ask(
            ChangeState, "behavior_node/change_state", transition=request.transition
        ).success

    return change


@pytest.fixture
def status(client, namespace):
    """Waits for a status of the node for which something holds."""
    topic = client.collect(DiagnosticArray, "/diagnostics")

    def wait_for(condition):
        found = []

        def holds():
            statuses = [s for m in topic.messages for s in m.status]
            name = f"{namespace[1:]}/behavior_node: responses"
            found[:] = [s for s in statuses if s.name == name][-1:]
            return found and condition(found[0])

        assert client.spin_until(holds), found
        return found[0]

    return wait_for


def state(client):
    return client.ask(GetState, "behavior_node/get_state").current_state.label


def connect(client, person, robot):
    client.wait_for_subscriber_of(person.emotions)
    for collector in robot.all:
        client.wait_for_publisher_of(collector)
    client.spin_for(0.5)
    for collector in robot.all:
        collector.clear()


def test_a_manager_leads_it_through_its_life(start, client, person, robot, policy_file, change):
    node = start("behavior_node", {"policy_file": policy_file, "autostart": "false"})
    assert state(client) == "unconfigured"
    assert client.node.count_publishers(client.node.resolve_topic_name("speech")) == 0
    assert change("configure") and state(client) == "inactive"
    connect(client, person, robot)
    person.show("happy", 2.0)
    client.spin_for(0.5)
    assert not len(robot.responses), "not active"

    assert change("activate") and state(client) == "active"
    assert client.spin_until(lambda: robot.light.messages == [REST]), "at rest from the beginning"
    person.show("happy", 1.4)
    assert client.spin_until(lambda: robot.light.messages == [REST, RED])
    assert change("deactivate")
    assert client.spin_until(lambda: robot.light.messages == [REST, RED, REST])
    assert change("cleanup") and state(client) == "unconfigured"
    topic = client.node.resolve_topic_name("light")
    assert client.spin_until(lambda: client.node.count_publishers(topic) == 0)

    policy_file.write_text(POLICY.replace("emotion: happy", "emotion: hapy"))
    assert not change("configure") and state(client) == "unconfigured"
    assert client.spin_until(lambda: node.lines("[ERROR]", "configure failed", "hapy"))
    policy_file.write_text(POLICY)
    assert change("configure") and change("activate")
    assert node.stop()[0] == 0


def test_disabled_it_answers_nobody_and_ends_what_runs(start, client, person, robot, policy_file):
    start("behavior_node", {"policy_file": policy_file})
    connect(client, person, robot)
    person.show("happy", 1.4)
    assert client.spin_until(lambda: robot.light.messages == [RED])
    answer = client.ask(SetBool, "behavior_node/enable", data=False)
    assert answer.success and "nobody is answered" in answer.message
    assert client.spin_until(lambda: robot.light.messages == [RED, REST])
    person.now_ns += 30 * 10**9
    person.show("happy", 2.0)
    client.spin_for(0.5)
    assert len(robot.responses) == 1
    assert client.ask(SetBool, "behavior_node/enable", data=True).success
    person.show("happy", 2.0)
    assert client.spin_until(lambda: len(robot.responses) == 2)


def test_who_was_greeted_is_not_greeted_again_over_off_and_on(
    start, client, person, robot, policy_file
):
    greeting = POLICY.replace("version: 1", "version: 2")
    policy_file.write_text(
        greeting.replace("cooldown_secs: 20", "cooldown_secs: 0\n    greeting: true")
    )
    start("behavior_node", {"policy_file": policy_file})
    connect(client, person, robot)
    person.box = (100, 100, 80, 90)
    person.show("happy", 1.4)
    assert client.spin_until(lambda: len(robot.responses) == 1)
    assert client.ask(SetBool, "behavior_node/enable", data=False).success
    person.show("happy", 2.0)
    client.spin_for(0.3)
    assert client.ask(SetBool, "behavior_node/enable", data=True).success
    person.show("happy", 3.0, face_id="face_2")
    person.box = (400, 100, 80, 90)
    person.show("happy", 1.4, face_id="face_3")
    assert client.spin_until(lambda: len(robot.responses) == 2)
    assert robot.responses.messages[1].face_id == "face_3"


def test_states_of_the_robot_hold_it_back_and_the_language_changes_at_work(
    start, client, namespace, person, robot, policy_file
):
    policy_file.write_text(
        POLICY.replace("version: 1", "version: 2\nstates: {voices: voices}")
        .replace("rest:", "manners: {not_while: {voices: true}}\nrest:")
        .replace("say: Hello.", "say: {en: Hello., de: Guten Tag.}")
    )
    node = start("behavior_node", {"policy_file": policy_file, "language": "de-AT"})
    connect(client, person, robot)
    voices = client.publisher(Bool, "voices")
    client.wait_for_subscriber_of(voices)
    person.show("neutral", 0.3)
    assert client.spin_until(lambda: node.lines("no message yet tells the states voices"))
    voices.publish(Bool(data=True))
    client.spin_for(0.3)
    person.show("happy", 2.0)
    client.spin_for(0.3)
    assert not len(robot.responses)
    voices.publish(Bool(data=False))
    client.spin_for(0.3)
    person.show("happy", 1.4)
    assert client.spin_until(lambda: len(robot.responses) == 1)
    response = robot.responses.messages[0]
    assert (response.speech, response.language) == ("Guten Tag.", "de")
    assert response.response_id

    parameters = AsyncParameterClient(client.node, f"{namespace}/behavior_node")
    assert client.spin_until(parameters.services_are_ready)
    for language, is_taken in [("en", True), ("no such language", False)]:
        wanted = [Parameter("language", value=language)]
        assert client.call(parameters.set_parameters(wanted)).results[0].successful == is_taken
    client.spin_for(0.3)
    person.now_ns += 30 * 10**9
    person.show("happy", 1.4)
    assert client.spin_until(lambda: len(robot.responses) == 2)
    assert robot.responses.messages[1].speech == "Hello."


def test_staff_is_called_and_acknowledges(start, client, person, robot, policy_file):
    policy_file.write_text(
        POLICY.replace("version: 1", "version: 2\nnames: {place: the lobby}")
        + "  - name: ask\n    when: {emotion: neutral, for_secs: 1}\n    cooldown_secs: 0\n"
        "    call_staff: guest_waits\n"
    )
    start("behavior_node", {"policy_file": policy_file})
    connect(client, person, robot)
    nothing = client.ask(Trigger, "behavior_node/acknowledge_staff")
    assert not nothing.success and "no request" in nothing.message
    person.show("neutral", 3.0)
    late = QoSProfile(depth=8, durability=DurabilityPolicy.TRANSIENT_LOCAL)
    requests = Collector(client, StaffRequest, "staff_requests", late)
    assert client.spin_until(lambda: len(requests) == 1)
    request = requests.messages[0]
    assert (request.place, request.kind, request.rule) == ("the lobby", "guest_waits", "ask")
    assert request.request_id and not request.acknowledged
    assert client.ask(Trigger, "behavior_node/acknowledge_staff").success
    assert client.spin_until(lambda: len(requests) == 2)
    assert requests.messages[1].acknowledged
    assert requests.messages[1].request_id == request.request_id
    assert not len(robot.responses)


def test_who_joins_late_knows_light_and_expression(start, client, person, robot, policy_file):
    start("behavior_node", {"policy_file": policy_file})
    connect(client, person, robot)
    light = Collector(client, ColorRGBA, "light", LATE)
    expression = Collector(client, String, "expression", LATE)
    assert client.spin_until(lambda: light.messages == [REST])
    assert client.spin_until(lambda: expression.messages == [String(data="neutral")])


def test_the_policy_changes_at_work_and_a_wrong_one_is_refused(
    start, client, namespace, person, robot, policy_file, status
):
    start("behavior_node", {"policy_file": policy_file})
    connect(client, person, robot)
    parameters = AsyncParameterClient(client.node, f"{namespace}/behavior_node")
    assert client.spin_until(parameters.services_are_ready)

    def set_policy(file):
        wanted = [Parameter("policy_file", value=str(file))]
        return client.call(parameters.set_parameters(wanted)).results[0]

    def smile():
        before = len(robot.speech)
        person.now_ns += 30 * 10**9
        person.show("happy", 1.4)
        assert client.spin_until(lambda: len(robot.speech) > before)
        return robot.speech.messages[-1].data

    assert smile() == "Hello."
    other = policy_file.with_name("other.yaml")
    other.write_text(POLICY.replace("say: Hello.", "say: Good day."))
    assert set_policy(other).successful
    assert smile() == "Good day."
    # The same file with other content.
    other.write_text(POLICY.replace("say: Hello.", "say: Welcome."))
    assert set_policy(other).successful
    assert smile() == "Welcome."
    other.write_text(POLICY.replace("gesture: nod", "gestrue: nod"))
    refused = set_policy(other)
    assert not refused.successful
    for word in ("policy_file", f"{other}:13:", "gestrue", "gesture"):
        assert word in refused.reason
    assert not set_policy("/no/such.yaml").successful
    assert smile() == "Welcome.", "the present rules stay"
    found = status(lambda s: {v.key: v.value for v in s.values}["responses"] == "4")
    assert {v.key: v.value for v in found.values}["policy"] == str(other)


def test_its_diagnostics(start, client, person, robot, policy_file, status):
    start("behavior_node", {"policy_file": policy_file})
    found = status(lambda s: s.level == DiagnosticStatus.WARN)
    topic = client.node.resolve_topic_name("emotions")
    assert f"no message on {topic} for " in found.message
    assert found.hardware_id == topic
    connect(client, person, robot)
    person.show("happy", 1.4)
    found = status(lambda s: s.level == DiagnosticStatus.OK and "responses: 1," in s.message)
    values = {entry.key: entry.value for entry in found.values}
    assert values["state"] == "active" and values["enabled"] == "true"
    assert values["policy"] == str(policy_file) and values["rules"] == "1"
    assert values["last rule"] == "smile-back" and int(values["messages received"]) == 14
    client.ask(SetBool, "behavior_node/enable", data=False)
    status(lambda s: "disabled" in s.message)


def test_a_wrong_policy_is_its_status(start, client, policy_file, change, status):
    policy_file.write_text("version: 7")
    start("behavior_node", {"policy_file": policy_file, "autostart": "false"})
    assert not change("configure")
    found = status(lambda s: s.level == DiagnosticStatus.ERROR)
    assert "not configured: " in found.message and str(policy_file) in found.message


def test_the_page_lists_its_parameters(start, client, namespace):
    start("behavior_node")
    parameters = AsyncParameterClient(client.node, f"{namespace}/behavior_node")
    assert client.spin_until(parameters.services_are_ready)
    names = client.call(parameters.list_parameters([], 0)).result.names
    page = (ROOT / "docs" / "ros-api.md").read_text()
    table = page.split("\n| parameter of behavior_node |")[1].split("\n\n")[0]
    listed = [line.split("|")[1].strip().strip("`") for line in table.splitlines()[2:]]
    assert sorted(listed) == sorted(names)
