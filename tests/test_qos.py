"""The subscription follows what the publishers offer, unless a parameter says otherwise."""

import numpy as np
from diagnostic_msgs.msg import DiagnosticArray
from rclpy.qos import QoSProfile, ReliabilityPolicy
from sensor_msgs.msg import Image

RELIABLE = QoSProfile(depth=1, reliability=ReliabilityPolicy.RELIABLE)
BEST_EFFORT = QoSProfile(depth=1, reliability=ReliabilityPolicy.BEST_EFFORT)


def asked(client):
    """The reliability that each subscription of `image` asks for."""
    topic = client.node.resolve_topic_name("image")
    found = client.node.get_subscriptions_info_by_topic(topic)
    return [info.qos_profile.reliability for info in found]


def blank(stamp_secs=1):
    image = Image(encoding="mono8", width=64, height=48, step=64, data=np.zeros(48 * 64, np.uint8))
    image.header.stamp.sec = stamp_secs
    return image


def test_it_follows_the_publishers(start, client, emotions):
    reliable = client.node.create_publisher(Image, "image", RELIABLE)
    start("perception_node")
    assert client.spin_until(lambda: ReliabilityPolicy.RELIABLE in asked(client))
    # An earlier subscription, made before the publisher was found, ends with the next image.
    reliable.publish(blank())
    assert client.spin_until(lambda: len(emotions) == 1)
    assert client.spin_until(lambda: asked(client) == [ReliabilityPolicy.RELIABLE])

    # A second camera that is best effort would be left out: now both are heard.
    best_effort = client.node.create_publisher(Image, "image", BEST_EFFORT)

    def is_followed():
        reliable.publish(blank())
        client.spin_for(0.1)
        return asked(client) == [ReliabilityPolicy.BEST_EFFORT]

    assert client.spin_until(is_followed)

    def is_heard():
        return any(message.header.stamp.sec == 2 for message in emotions.messages)

    assert client.publish_until(best_effort, blank(stamp_secs=2), is_heard)


def test_an_override_is_kept(start, client, emotions, namespace):
    reliable = client.node.create_publisher(Image, "image", RELIABLE)
    topic = client.node.resolve_topic_name("image")
    policy = f"qos_overrides.{topic}.subscription"
    start(
        "perception_node",
        {f"{policy}.reliability": "best_effort", f"{policy}.depth": 2},
    )
    assert client.spin_until(lambda: asked(client) == [ReliabilityPolicy.BEST_EFFORT])
    # The node has looked at what the publisher offers, and says so.
    diagnostics = client.collect(DiagnosticArray, "/diagnostics")
    offer = "it offers RELIABLE, VOLATILE, which fits"
    assert client.spin_until(
        lambda: any(
            status.name.startswith(f"{namespace[1:]}/") and offer in status.message
            for message in diagnostics.messages
            for status in message.status
        )
    )
    assert asked(client) == [ReliabilityPolicy.BEST_EFFORT]
    reliable.publish(blank())
    assert client.spin_until(lambda: len(emotions) == 1)
