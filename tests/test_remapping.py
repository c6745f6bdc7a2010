"""Topics are remapped as ROS remaps them: one rule, once."""

from sensor_msgs.msg import CompressedImage

from graph import Camera
from scenes import smiling_face


def test_what_a_rule_leads_to_is_not_remapped_again(start, client, namespace, emotions):
    rules = [f"image:={namespace}/a", f"{namespace}/a:={namespace}/b"]
    start("perception_node", None, "-r", rules[0], "-r", rules[1])
    camera = Camera(client, emotions, topic="a")
    camera.wait_until_connected()
    camera.ask(smiling_face())
    assert camera.ask(smiling_face()).faces
    assert client.node.count_subscribers(f"{namespace}/b") == 0


def test_a_rule_for_the_compressed_topic_counts_once_as_well(start, client, namespace):
    rules = [
        f"image:={namespace}/a",
        f"{namespace}/a/compressed:={namespace}/b",
        f"{namespace}/b:={namespace}/c",
    ]
    arguments = [part for rule in rules for part in ("-r", rule)]
    start("perception_node", {"image_transport": "compressed"}, *arguments)
    client.wait_for_subscriber_of(client.publisher(CompressedImage, "b", "sensor"))
    for other in ("a", "a/compressed", "c"):
        assert client.node.count_subscribers(f"{namespace}/{other}") == 0
