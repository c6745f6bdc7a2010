"""Parameters through the services of the node: described, ranged, refused with a reason."""

import json

import pytest
import yaml
from diagnostic_msgs.msg import DiagnosticArray
from rcl_interfaces.msg import ParameterEvent, ParameterType
from rclpy.parameter import Parameter
from rclpy.parameter_client import AsyncParameterClient
from rosgraph_msgs.msg import Clock

from graph import ROOT
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


def described(client, parameters):
    """Name to (descriptor, value) of every parameter but those named after the topic."""
    names = client.call(parameters.list_parameters([], 0)).result.names
    names = [name for name in names if not name.startswith("qos_overrides.")]
    descriptors = client.call(parameters.describe_parameters(names)).descriptors
    values = client.call(parameters.get_parameters(names)).values
    return {d.name: (d, v) for d, v in zip(descriptors, values, strict=True)}


def test_they_are_listed_described_and_have_their_defaults(client, parameters):
    found = described(client, parameters)
    for name, (descriptor, value) in found.items():
        assert len(descriptor.description) > 10, name
        assert descriptor.type == value.type, name
    descriptor, value = found["hold_secs"]
    (bounds,) = descriptor.floating_point_range
    assert (bounds.from_value, bounds.to_value, value.double_value) == (0.0, 60.0, 1.0)
    assert value.type == ParameterType.PARAMETER_DOUBLE and not descriptor.read_only
    (bounds,) = found["working_width"][0].integer_range
    assert (bounds.from_value, bounds.to_value) == (32, 4096)
    assert found["autostart"][0].read_only and not found["use_sim_time"][0].read_only
    assert "unconfigured" in found["threads"][0].additional_constraints
    assert found["image_transport"][0].additional_constraints == "one of raw, compressed"


@pytest.mark.parametrize(
    ("key", "counts"),
    [
        ("nested", True),
        ("/**/perception_node", True),
        ("/*/perception_node", True),
        # A bare name means the root namespace, as it does for C++ nodes.
        ("perception_node", False),
    ],
)
def test_a_parameter_file_may_nest_namespaces_and_have_wildcards(
    start, client, namespace, tmp_path, key, counts
):
    content = {"ros__parameters": {"hold_secs": 2.5}}
    if key == "nested":
        # As Nav2's RewrittenYaml writes it.
        content = {namespace.strip("/"): {"perception_node": content}}
    else:
        content = {key: content}
    file = tmp_path / "parameters.yaml"
    file.write_text(yaml.safe_dump(content), encoding="utf-8")
    start("perception_node", None, "--params-file", str(file))
    parameters = AsyncParameterClient(client.node, f"{namespace}/perception_node")
    assert client.spin_until(parameters.services_are_ready)
    assert get_one(client, parameters, "hold_secs").double_value == (2.5 if counts else 1.0)


def test_the_qos_overrides_are_among_them(client, parameters):
    topic = client.node.resolve_topic_name("image")
    below = client.call(parameters.list_parameters([f"qos_overrides.{topic}"], 0)).result
    prefix = f"qos_overrides.{topic}.subscription"
    policies = ("reliability", "durability", "history", "depth")
    assert set(below.names) == {f"{prefix}.{policy}" for policy in policies}
    assert below.prefixes == [prefix]
    assert get_one(client, parameters, f"{prefix}.depth").integer_value == 5
    assert get_one(client, parameters, f"{prefix}.reliability").string_value == "best_available"


def plain(value):
    return {
        ParameterType.PARAMETER_BOOL: value.bool_value,
        ParameterType.PARAMETER_INTEGER: value.integer_value,
        ParameterType.PARAMETER_DOUBLE: value.double_value,
        ParameterType.PARAMETER_STRING: value.string_value,
        ParameterType.PARAMETER_STRING_ARRAY: list(value.string_array_value),
    }[value.type]


def test_node_file_and_page_agree(client, parameters):
    found = described(client, parameters)
    text = (ROOT / "config" / "perception.yaml").read_text()
    in_file = yaml.safe_load(text)["/**"]["ros__parameters"]
    # What every ROS node has need not stand in the file.
    assert in_file.keys() == found.keys() - {"use_sim_time"}
    for name, (_, value) in found.items():
        if name in in_file:
            assert in_file[name] == plain(value) and type(in_file[name]) is type(plain(value)), name

    page = (ROOT / "docs" / "ros-api.md").read_text()
    section = page.split("\n## Parameters of perception_node")[1].split("\n## ")[0]
    rows = [line for line in section.splitlines() if line.startswith("| `")]
    documented = {}
    for row in rows:
        name, default, bounds, change = (cell.strip() for cell in row.split("|")[1:5])
        documented[name.strip("`")] = (default.strip("`"), bounds, change)
    assert documented.keys() == found.keys()
    for name, (descriptor, value) in found.items():
        default, bounds, change = documented[name]
        shown = json.dumps(plain(value))
        assert shown in (default, f'"{default}"'), name
        for range_ in [*descriptor.floating_point_range, *descriptor.integer_range]:
            assert bounds.startswith(f"{range_.from_value:g} to {range_.to_value:g}"), name
        if descriptor.read_only:
            assert change == "no", name
        else:
            unconfigured = "unconfigured" in descriptor.additional_constraints
            assert change == ("unconfigured" if unconfigured else "yes"), name


def test_an_old_name_is_set_and_read_as_the_present_one(start, client, namespace):
    node = start("perception_node", {"autostart": "false"})
    parameters = AsyncParameterClient(client.node, f"{namespace}/perception_node")
    assert client.spin_until(parameters.services_are_ready)
    assert set_one(client, parameters, "onet_model", "/a.onnx").successful
    # The answer may arrive before the log has been read.
    assert client.spin_until(lambda: node.lines("[WARN]", "onet_model"))
    (warning,) = node.lines("[WARN]", "onet_model")
    assert "now called landmarks_model" in warning
    for name in ("landmarks_model", "onet_model"):
        assert get_one(client, parameters, name).string_value == "/a.onnx"
    names = client.call(parameters.list_parameters([], 0)).result.names
    assert "landmarks_model" in names and "onet_model" not in names

    both = [Parameter("landmarks_model", value="/b.onnx"), Parameter("onet_model", value="/c.onnx")]
    present, old = client.call(parameters.set_parameters(both)).results
    assert present.successful and not old.successful
    assert "landmarks_model and onet_model are both set" in old.reason
    assert client.call(parameters.set_parameters_atomically(both)).result.successful
    assert get_one(client, parameters, "landmarks_model").string_value == "/b.onnx"


def test_changes_are_told_on_parameter_events(client, namespace, parameters):
    events = client.collect(ParameterEvent, "/parameter_events")
    assert client.spin_until(lambda: events.subscription.get_publisher_count() > 0)
    client.spin_for(0.2)
    assert set_one(client, parameters, "hold_secs", 2).successful

    def mine():
        return [e for e in events.messages if e.node == f"{namespace}/perception_node"]

    assert client.spin_until(mine)
    (changed,) = mine()[-1].changed_parameters
    assert (changed.name, changed.value.double_value) == ("hold_secs", 2.0)


def test_a_live_one_takes_effect(client, parameters, camera):
    camera.ask(smiling_face())
    assert len(camera.ask(smiling_face()).faces) == 1
    result = set_one(client, parameters, "min_score", 1.0)
    assert result.successful, result.reason
    assert get_one(client, parameters, "min_score").double_value == 1.0
    # The setting is taken up with the next image after the response of the service.
    assert client.spin_until(lambda: not camera.ask(smiling_face()).faces, 5.0)
    assert set_one(client, parameters, "min_score", 0.5).successful
    assert client.spin_until(lambda: camera.ask(smiling_face()).faces, 5.0)


def test_the_clock_is_changed_while_it_runs(client, parameters, namespace):
    diagnostics = client.collect(DiagnosticArray, "/diagnostics")
    clock = client.publisher(Clock, "/clock", "sensor")

    def stamps():
        name = f"{namespace[1:]}/perception_node: expressions"
        mine = [m for m in diagnostics.messages if m.status[0].name == name]
        return [m.header.stamp.sec for m in mine]

    assert client.spin_until(lambda: stamps() and stamps()[-1] > 1_000_000_000)
    assert set_one(client, parameters, "use_sim_time", True).successful
    message = Clock()
    message.clock.sec = 77
    assert client.publish_until(clock, message, lambda: stamps()[-1] == 77)
    assert set_one(client, parameters, "use_sim_time", False).successful
    assert client.spin_until(lambda: stamps()[-1] > 1_000_000_000)


def test_one_that_is_deleted_stays_and_the_reason_is_told(client, parameters):
    # As `ros2 param delete` does it.
    result = client.call(parameters.delete_parameters(["hold_secs"])).results[0]
    assert not result.successful
    assert result.reason == (
        "parameter hold_secs cannot be deleted: the node has it always; its default is 1.0"
    )
    assert get_one(client, parameters, "hold_secs").double_value == 1.0


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
        ("threads", 2, ["threads", "cannot change while the node is configured"]),
        ("autostart", False, ["autostart", "cannot change while the node runs"]),
        ("publish_hri", 1, ["publish_hri", "1", "true or false"]),
        ("min_scroe", 0.5, ["min_scroe", "unknown", "min_score"]),
    ],
)
def test_refused_with_a_reason(client, parameters, camera, name, value, words):
    before = get_one(client, parameters, name)
    result = set_one(client, parameters, name, value)
    assert not result.successful
    assert not client.call(
        parameters.set_parameters_atomically(
            [Parameter("switch_margin", value=0.5), Parameter(name, value=value)]
        )
    ).result.successful
    assert get_one(client, parameters, "switch_margin").double_value == 0.2, "all or none"
    for word in words:
        assert word in result.reason
    assert get_one(client, parameters, name) == before
    assert camera.ask(smiling_face())
