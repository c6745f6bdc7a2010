"""Parameters through the services of the node: described, ranged, refused with a reason."""

import pytest
from rcl_interfaces.msg import ParameterType
from rclpy.parameter import Parameter
from rclpy.parameter_client import AsyncParameterClient

from scenes import smiling_face


@pytest.fixture
def parameters(client, namespace, perception):
    parameters = AsyncParameterClient(client.node, f"{namespace}/perception_node")
    assert client.spin_until(parameters.services_are_ready)
    return parameters


def set_one(client, parameters, name, value):
    answer = client.call(parameters.set_parameters([Parameter(name, value=value)]))
    assert len(answer.results) == 1
    return answer.results[0]


def get_one(client, parameters, name):
    return client.call(parameters.get_parameters([name])).values[0]


def test_they_are_listed_described_and_have_their_defaults(client, parameters):
    names = client.call(parameters.list_parameters([], 0)).result.names
    expected = {
        "emotion_model",
        "working_width",
        "min_score",
        "hold_secs",
        "smoothing_secs",
    }
    assert expected <= set(names)
    for name in expected:
        description = client.call(parameters.describe_parameters([name])).descriptors[0]
        assert description.name == name
        assert len(description.description) > 10, name
    assert get_one(client, parameters, "working_width").integer_value == 480
    hold = get_one(client, parameters, "hold_secs")
    assert hold.type == ParameterType.PARAMETER_DOUBLE
    assert hold.double_value == 1.0


def test_a_live_one_takes_effect(client, parameters, camera):
    camera.ask(smiling_face())
    assert len(camera.ask(smiling_face()).faces) == 1
    result = set_one(client, parameters, "min_score", 1.0)
    assert result.successful, result.reason
    assert get_one(client, parameters, "min_score").double_value == 1.0
    # The setting is taken up with the next image after the answer of the service.
    assert client.spin_until(lambda: not camera.ask(smiling_face()).faces, 5.0)
    assert set_one(client, parameters, "min_score", 0.5).successful
    assert client.spin_until(lambda: camera.ask(smiling_face()).faces, 5.0)


def test_a_whole_number_does_for_a_number(client, parameters):
    result = set_one(client, parameters, "smoothing_secs", 2)
    assert result.successful, result.reason
    assert get_one(client, parameters, "smoothing_secs").double_value == 2.0


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("min_score", 1.5, ["min_score", "1.5", "0.1 to 1"]),
        ("working_width", 0, ["working_width", "0", "32 to 4096"]),
        ("hold_secs", "long", ["hold_secs", "long", "a number, 0 to 60"]),
        ("threads", 2, ["threads", "cannot change while the node runs"]),
        (
            "emotion_model",
            "/other.onnx",
            ["emotion_model", "cannot change while the node runs"],
        ),
    ],
)
def test_refused_with_a_reason(client, parameters, camera, name, value, words):
    before = get_one(client, parameters, name)
    result = set_one(client, parameters, name, value)
    assert not result.successful
    for word in words:
        assert word in result.reason
    assert get_one(client, parameters, name) == before
    assert camera.ask(smiling_face())
