""" "No output": after five seconds without an image, one line says what is wrong and what to do."""

import re

import numpy as np
import pytest
from diagnostic_msgs.msg import DiagnosticArray
from lifecycle_msgs.srv import GetState
from rclpy.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy
from sensor_msgs.msg import CompressedImage, Image
from std_msgs.msg import String


@pytest.fixture
def silence(client, namespace):
    """Returns the one line that a node logs, once it has looked for images twice more since."""
    topic = client.collect(DiagnosticArray, "/diagnostics")

    def silent_secs():
        """For how long no image has come, by the node's newest diagnostics."""
        statuses = [
            s for m in topic.messages for s in m.status if s.name.startswith(f"{namespace[1:]}/")
        ]
        found = (
            re.search(r"no image on \S+ for (\d+) s", statuses[-1].message) if statuses else None
        )
        return int(found[1]) if found else 0

    def line(node):
        assert client.spin_until(lambda: node.lines("[WARN]", "no image on"), 20.0)
        # It looks once a second, and tells the diagnostics each time.
        assert client.spin_until(lambda: silent_secs() >= 7, 20.0)
        (line,) = node.lines("[WARN]", "no image on")
        return line

    return line


def test_no_publisher_and_where_there_are_some(start, client, silence):
    client.publisher(Image, "front/image_raw", "sensor")
    line = silence(start("perception_node"))
    topic = client.node.resolve_topic_name("image")
    assert f"no image on {topic} for 5 s: it has no publisher" in line
    assert client.node.resolve_topic_name("front/image_raw") in line
    assert "remap with -r image:=" in line


@pytest.mark.parametrize(
    ("reliability", "shown"),
    [(ReliabilityPolicy.RELIABLE, "RELIABLE"), (ReliabilityPolicy.BEST_EFFORT, "BEST_EFFORT")],
)
def test_a_publisher_that_sends_nothing_and_then_does(start, client, silence, reliability, shown):
    qos = QoSProfile(depth=1, reliability=reliability)
    publisher = client.node.create_publisher(Image, "image", qos)
    node = start("perception_node")
    line = silence(node)
    assert f"1 publisher, it offers {shown}, VOLATILE, which fits" in line
    assert "ros2 topic hz" in line
    image = Image(encoding="mono8", width=64, height=48, step=64, data=np.zeros(48 * 64, np.uint8))
    assert client.publish_until(publisher, image, lambda: node.lines("[INFO]", "images come on"))


def test_a_qos_that_does_not_fit(start, client, silence):
    client.publisher(Image, "image", "sensor")
    topic = client.node.resolve_topic_name("image")
    override = f"qos_overrides.{topic}.subscription.reliability"
    line = silence(start("perception_node", {override: "reliable"}))
    assert "it offers BEST_EFFORT, VOLATILE, but RELIABLE, VOLATILE is asked for" in line
    assert f"drop the parameter {override}" in line


def test_a_topic_of_another_type(start, client, silence):
    client.publisher(String, "image")
    line = silence(start("perception_node"))
    assert "of type std_msgs/msg/String, expected sensor_msgs/msg/Image" in line


def test_images_that_only_come_compressed(start, client, silence):
    client.publisher(CompressedImage, "image/compressed", "sensor")
    line = silence(start("perception_node"))
    topic = client.node.resolve_topic_name("image/compressed")
    assert f"published compressed, on {topic}: set image_transport:=compressed" in line
    assert "start the camera driver" not in line


def test_images_that_only_come_raw(start, client, silence):
    client.publisher(Image, "image", "sensor")
    line = silence(start("perception_node", {"image_transport": "compressed"}))
    topic = client.node.resolve_topic_name("image")
    assert f"published raw, on {topic}: set image_transport:=raw" in line


def latched():
    return QoSProfile(
        depth=1,
        reliability=ReliabilityPolicy.RELIABLE,
        durability=DurabilityPolicy.TRANSIENT_LOCAL,
    )


def test_an_image_that_was_sent_before_the_node_came(start, client, emotions):
    publisher = client.node.create_publisher(Image, "image", latched())
    image = Image(encoding="mono8", width=64, height=48, step=64, data=np.zeros(48 * 64, np.uint8))
    image.header.frame_id = "latched"
    publisher.publish(image)
    start("perception_node")
    # Subscribed anew once the publisher is found, the image comes again: it is the same one.
    assert client.spin_until(lambda: len(emotions))
    assert emotions.messages[0].header.frame_id == "latched"


def test_the_hint_names_the_durability_where_it_was_fixed(start, client, silence):
    publisher = client.node.create_publisher(Image, "image", latched())
    publisher.publish(Image())
    topic = client.node.resolve_topic_name("image")
    override = f"qos_overrides.{topic}.subscription.durability"
    line = silence(start("perception_node", {override: "volatile"}))
    assert "it offers RELIABLE, TRANSIENT_LOCAL" in line and "which fits" not in line
    assert f"set the parameter {override} to transient_local" in line


def test_two_nodes_of_one_name_are_warned_of(start, client, namespace):
    first = start("perception_node")
    client.ask(GetState, "perception_node/get_state")
    # It looks at those who were there before it for some seconds.
    client.spin_for(5.0)
    assert not first.lines("[WARN]", "nodes are called")
    second = start("perception_node")
    assert client.spin_until(lambda: first.lines("[WARN]", "nodes are called"))
    client.spin_for(3.0)
    (line,) = first.lines("[WARN]", "nodes are called")
    assert f"2 nodes are called {namespace}/perception_node" in line and "__node:=" in line
    assert second.alive


def test_nothing_is_said_while_it_is_off(start, client):
    node = start("perception_node", {"autostart": "false"})
    client.ask(GetState, "perception_node/get_state")
    # Another one, which starts later and is on, says how long that takes.
    other = start("perception_node", None, "-r", "__node:=other")
    assert client.spin_until(lambda: other.lines("[WARN]", "no image on"), 20.0)
    assert not node.lines("[WARN]")
