""" "No output": after five seconds without an image, one line says what is wrong and what to do."""

import numpy as np
import pytest
from rclpy.qos import QoSProfile, ReliabilityPolicy
from sensor_msgs.msg import Image
from std_msgs.msg import String


def silence(client, node):
    """The one line, once it is there."""
    assert client.spin_until(lambda: node.lines("[WARN]", "no image on"), 20.0)
    client.spin_for(1.5)
    (line,) = node.lines("[WARN]", "no image on")
    return line


def test_no_publisher_and_where_there_are_some(start, client):
    client.publisher(Image, "front/image_raw", "sensor")
    line = silence(client, start("perception_node"))
    topic = client.node.resolve_topic_name("image")
    assert f"no image on {topic} for 5 s: it has no publisher" in line
    assert client.node.resolve_topic_name("front/image_raw") in line
    assert "remap with -r image:=" in line


@pytest.mark.parametrize(
    ("reliability", "shown"),
    [(ReliabilityPolicy.RELIABLE, "RELIABLE"), (ReliabilityPolicy.BEST_EFFORT, "BEST_EFFORT")],
)
def test_a_publisher_that_sends_nothing_and_then_does(start, client, reliability, shown):
    qos = QoSProfile(depth=1, reliability=reliability)
    publisher = client.node.create_publisher(Image, "image", qos)
    node = start("perception_node")
    line = silence(client, node)
    assert f"1 publisher, it offers {shown}, VOLATILE, which fits" in line
    assert "ros2 topic hz" in line
    image = Image(encoding="mono8", width=64, height=48, step=64, data=np.zeros(48 * 64, np.uint8))
    assert client.publish_until(publisher, image, lambda: node.lines("[INFO]", "images come on"))


def test_a_qos_that_does_not_fit(start, client):
    client.publisher(Image, "image", "sensor")
    topic = client.node.resolve_topic_name("image")
    override = f"qos_overrides.{topic}.subscription.reliability"
    line = silence(client, start("perception_node", {override: "reliable"}))
    assert "it offers BEST_EFFORT, VOLATILE, but RELIABLE, VOLATILE is asked for" in line
    assert f"drop the parameter {override}" in line


def test_a_topic_of_another_type(start, client):
    client.publisher(String, "image")
    line = silence(client, start("perception_node"))
    assert "of type std_msgs/msg/String, expected sensor_msgs/msg/Image" in line


def test_nothing_is_said_while_it_is_off(start, client):
    node = start("perception_node", {"autostart": "false"})
    client.spin_for(7.0)
    assert not node.lines("[WARN]")
