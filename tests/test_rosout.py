"""/rosout: the node's log as a topic, as every ROS node has it."""

import pytest
from rcl_interfaces.msg import Log
from rclpy.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy

from graph import Collector
from scenes import smiling_face

# As rqt_console and Foxglove subscribe.
QOS = QoSProfile(
    depth=1000,
    reliability=ReliabilityPolicy.RELIABLE,
    durability=DurabilityPolicy.TRANSIENT_LOCAL,
)


@pytest.fixture
def rosout(client, namespace):
    collector = Collector(client, Log, "/rosout", QOS)

    def lines(node, *words):
        name = f"{namespace[1:]}.{node}"
        found = [m for m in collector.messages if m.name == name]
        return [m for m in found if all(word in m.msg for word in words)]

    return lines


def number(level):
    """A constant of the message: an integer in some versions of the bindings, a byte in others."""
    return level if isinstance(level, int) else level[0]


def test_what_is_logged_is_on_the_topic_with_its_level(start, client, rosout):
    start("perception_node", {"min_scroe": 0.4, "emotion_model": "/no/such.onnx"})
    assert client.spin_until(lambda: rosout("perception_node", "configure failed"))
    (error,) = rosout("perception_node", "configure failed")
    assert "/no/such.onnx" in error.msg and error.level == number(Log.ERROR)
    assert error.file.endswith(".rs") and error.line > 0 and error.stamp.sec > 0
    (warning,) = rosout("perception_node", "min_scroe")
    assert warning.level == number(Log.WARN)


def test_the_level_of_the_log_holds_for_the_topic(start, client, rosout):
    quiet = start("behavior_node", None, "--log-level", "warn", "-r", "__node:=quiet")
    loud = start("behavior_node", None, "-r", "__node:=loud")
    assert client.spin_until(lambda: rosout("loud", "rules from"))
    client.spin_for(0.5)
    assert not rosout("quiet", "rules from")
    off = start("behavior_node", None, "--disable-rosout-logs", "-r", "__node:=off")
    assert client.spin_until(lambda: off.lines("rules from"))
    client.spin_for(0.5)
    assert not rosout("off")
    assert quiet.alive and loud.alive


def test_debug_shows_the_lines_of_the_node_and_not_those_of_the_libraries(start, camera, client):
    node = start("perception_node", None, "--log-level", "debug")
    camera.wait_until_connected()
    camera.ask(smiling_face())
    assert client.spin_until(lambda: node.lines("[DEBUG]", "perception_node]", "total_ms"))
    # Those of the start come before the node can say anything.
    lines = node.text.split("now active")[1].splitlines()
    assert not [line for line in lines if "[rcl]" in line or "[rmw" in line]
    given = ("--log-level", "debug", "--log-level", "rcl:=debug", "-r", "__node:=all")
    talkative = start("behavior_node", None, *given)
    assert client.spin_until(lambda: "[rcl]" in talkative.text.split("rules from")[-1])
