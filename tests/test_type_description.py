"""~/get_type_description: others ask a node what a message type looks like (REP-2016)."""

import pytest

services = pytest.importorskip("type_description_interfaces.srv")


@pytest.mark.parametrize("node", ["perception_node", "behavior_node"])
def test_a_type_is_described(start, client, node):
    start(node)
    kind, service = services.GetTypeDescription, f"{node}/get_type_description"
    answer = client.ask(
        kind, service, type_name="rapport/msg/FaceEmotionArray", include_type_sources=True
    )
    assert answer.successful, answer.failure_reason
    fields = [field.name for field in answer.type_description.type_description.fields]
    assert fields[:2] == ["header", "image_width"] and "faces" in fields
    referenced = {d.type_name for d in answer.type_description.referenced_type_descriptions}
    assert {"rapport/msg/FaceEmotion", "std_msgs/msg/Header"} <= referenced
    assert any("FaceEmotion[] faces" in source.raw_file_contents for source in answer.type_sources)

    other = client.ask(
        kind, service, type_name="rapport/msg/FaceEmotionArray", type_hash="RIHS01_0"
    )
    assert not other.successful and "RIHS01_" in other.failure_reason
    unknown = client.ask(kind, service, type_name="no_such_msgs/msg/Thing")
    assert not unknown.successful and "no_such_msgs" in unknown.failure_reason
