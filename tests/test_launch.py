"""launch/rapport.launch.py: what it starts, and that docs and files agree with it."""

import array
import ast
import io
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from lifecycle_msgs.msg import Transition, TransitionEvent
from lifecycle_msgs.srv import ChangeState, GetState
from PIL import Image
from rapport.msg import FaceEmotionArray
from rclpy.parameter_client import AsyncParameterClient
from sensor_msgs.msg import CompressedImage

from dashboard import address_of, robots, wait_until
from graph import BIN_DIR, ROOT, Camera, Client, NodeProcess
from scenes import smiling_face

LAUNCH_FILE = ROOT / "launch" / "rapport.launch.py"


def test_the_page_lists_the_arguments():
    tree = ast.parse(LAUNCH_FILE.read_text())
    table = next(
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Assign) and node.targets[0].id == "arguments"
    )
    names = [row.elts[0].value for row in table.elts]
    page = (ROOT / "docs" / "ros-api.md").read_text()
    listed = re.findall(r"^\| `(\w+)` \|", section(page, "| launch argument |"), re.MULTILINE)
    assert names == listed


def section(text, start):
    """From a line that begins so to the next empty one."""
    return text[text.index("\n" + start) :].split("\n\n")[0]


@pytest.fixture
def prefix(tmp_path):
    """An installation as CMake makes it, of links to this checkout and its programs."""
    prefix = tmp_path / "prefix"
    share, lib = prefix / "share" / "rapport", prefix / "lib" / "rapport"
    marker = prefix / "share" / "ament_index" / "resource_index" / "packages" / "rapport"
    for folder in (share, lib, marker.parent):
        folder.mkdir(parents=True)
    marker.touch()
    for name in ("launch", "config", "models"):
        (share / name).symlink_to(ROOT / name)
    for name in ("perception_node", "behavior_node", "dashboard_node"):
        (lib / name).symlink_to(BIN_DIR / name)
    return prefix


@pytest.fixture
def launched(prefix, tmp_path):
    """Runs a launch file: `launched("namespace:=/left")`; ends it, and sees that all has ended."""
    for name in ("launch", "launch_ros"):
        pytest.importorskip(
            f"{name}.actions",
            reason=f"the launch file is not started: the ROS package {name} is not installed "
            "(it is not on PyPI)",
        )
    started = []

    def launched(*arguments, file=LAUNCH_FILE):
        env = os.environ | {
            "AMENT_PREFIX_PATH": f"{prefix}:{os.environ['AMENT_PREFIX_PATH']}",
            "ROS_LOG_DIR": str(tmp_path / "ros"),
            "PYTHONUNBUFFERED": "1",
        }
        script = Path(__file__).parent / "run_launch_file.py"
        log = tmp_path / f"launch_{len(started)}.log"
        started.append(NodeProcess(sys.executable, [script, file, *arguments], log, env))
        return started[-1]

    yield launched
    for launch in started:
        pids = processes(launch)
        if launch.alive:
            interrupt(launch)
        launch.kill()
        left = [pid for pid in pids if Path(f"/proc/{pid}").exists()]
        for pid in left:
            os.kill(pid, signal.SIGKILL)
        print(f"--- output of {launch.log.stem}\n{launch.text}")
        assert not left, "nodes went on after the launch had ended"


def interrupt(launch):
    """Ctrl-C, which reaches every process of the terminal."""
    pids = processes(launch)
    launch.process.send_signal(signal.SIGINT)
    for pid in pids:
        os.kill(pid, signal.SIGINT)
    launch.wait()


def processes(launch, program=""):
    """The process ids of the nodes that a launch runs."""
    found = subprocess.run(
        ["pgrep", "--parent", str(launch.pid), "--full", program or "."],
        capture_output=True,
        text=True,
        check=False,
    )
    return [int(pid) for pid in found.stdout.split()]


def configure(client):
    """Asks the node to configure itself; whether it did. The node serves this after its own start."""
    transition = Transition(id=Transition.TRANSITION_CONFIGURE)
    return client.ask(ChangeState, "perception_node/change_state", transition=transition).success


def state(client):
    return client.ask(GetState, "perception_node/get_state").current_state.label


def test_both_nodes_start_in_the_namespace_on_the_topic_and_end(
    launched, namespace, client, emotions
):
    camera = Camera(client, emotions, topic="camera/image_raw")
    launch = launched(f"namespace:={namespace}", f"image:={namespace}/camera/image_raw")
    camera.wait_until_connected()
    camera.ask(smiling_face())
    assert len(camera.ask(smiling_face()).faces) == 1
    both = {("perception_node", namespace), ("behavior_node", namespace)}
    assert client.spin_until(lambda: both <= set(client.node.get_node_names_and_namespaces()))
    interrupt(launch)
    assert len(launch.lines("process has finished cleanly")) == 2 and not launch.errors


def test_a_killed_node_is_started_again(launched, namespace, camera):
    launch = launched(f"namespace:={namespace}", "respawn:=true", "behavior:=false")
    camera.wait_until_connected()
    (pid,) = processes(launch)
    os.kill(pid, signal.SIGKILL)
    camera.ask(smiling_face(), resend_secs=0.5)
    assert processes(launch) != [pid]


def test_two_cameras_have_two_namespaces(launched, tmp_path, client):
    file = tmp_path / "two.launch.py"
    file.write_text(TWO_CAMERAS)
    launched(file=file)
    for side in ("left", "right"):
        one = Client(f"/{side}")
        camera = Camera(one, one.collect(FaceEmotionArray, "emotions"), topic="image_raw")
        camera.wait_until_connected()
        one.close()


TWO_CAMERAS = f"""
from launch import LaunchDescription
from launch.actions import GroupAction, IncludeLaunchDescription
from launch.launch_description_sources import PythonLaunchDescriptionSource


def generate_launch_description():
    source = PythonLaunchDescriptionSource("{LAUNCH_FILE}")
    return LaunchDescription(
        GroupAction([IncludeLaunchDescription(source, launch_arguments=arguments.items())])
        for arguments in (
            {{"namespace": "left", "image": "/left/image_raw", "behavior": "false"}},
            {{"namespace": "right", "image": "/right/image_raw"}},
        )
    )
"""


def test_compressed_images_come_from_beside_the_topic(launched, namespace, client, emotions):
    launched(
        f"namespace:={namespace}",
        f"image:={namespace}/camera/image_raw",
        "image_transport:=compressed",
    )
    camera = client.publisher(CompressedImage, "camera/image_raw/compressed", "sensor")
    client.wait_for_subscriber_of(camera)
    client.wait_for_publisher_of(emotions)
    jpeg = io.BytesIO()
    Image.fromarray(smiling_face()).save(jpeg, "JPEG")
    message = CompressedImage(format="rgb8; jpeg compressed bgr8")
    message.data = array.array("B", jpeg.getvalue())

    def answered():
        camera.publish(message)
        return client.spin_until(lambda: len(emotions), 0.5)

    assert client.spin_until(answered)


def test_launch_configures_and_activates_where_it_is_asked_to(launched, namespace, client, camera):
    launch = launched(f"namespace:={namespace}", "lifecycle:=launch", "respawn:=true")
    camera.wait_until_connected()
    assert state(client) == "active"
    (pid,) = processes(launch, "perception_node")
    os.kill(pid, signal.SIGKILL)
    camera.ask(smiling_face(), resend_secs=0.5)
    assert not launch.lines("Failed to make transition")


def test_nothing_is_configured_where_somebody_else_does_that(launched, namespace, client):
    events = client.collect(TransitionEvent, "perception_node/transition_event")
    launched(f"namespace:={namespace}", "lifecycle:=other")
    assert state(client) == "unconfigured"
    client.wait_for_publisher_of(events)
    # The manager of this test is the only one that asks: it finds the node as it started, and what
    # it asked for is all that happens.
    assert configure(client)
    assert client.spin_until(lambda: events.messages and state(client) == "inactive")
    steps = [(e.start_state.label, e.goal_state.label) for e in events.messages]
    assert steps == [("unconfigured", "configuring"), ("configuring", "inactive")]


@pytest.mark.parametrize(
    ("argument", "expected"), [("lifecycle:=self", "active"), ("lifecycle:=", "unconfigured")]
)
def test_the_lifecycle_is_what_the_file_says_unless_it_is_given(
    launched, namespace, client, tmp_path, argument, expected
):
    file = tmp_path / "parameters.yaml"
    file.write_text("/**: {ros__parameters: {autostart: false}}", encoding="utf-8")
    launched(f"namespace:={namespace}", f"params_file:={file}", argument)
    if expected == "unconfigured":
        # A node that had configured itself would refuse this.
        assert configure(client)
        assert state(client) == "inactive"
    else:
        assert client.spin_until(lambda: state(client) == expected)


def test_both_nodes_take_simulated_time_where_it_is_asked_for(launched, namespace, client):
    launched(f"namespace:={namespace}", "use_sim_time:=true")
    for node in ("perception_node", "behavior_node"):
        parameters = AsyncParameterClient(client.node, f"{namespace}/{node}")
        assert client.spin_until(parameters.services_are_ready)
        (value,) = client.call(parameters.get_parameters(["use_sim_time"])).values
        assert value.bool_value, node


def test_the_dashboard_is_started_where_it_is_asked_for(launched, namespace, tmp_path):
    file = tmp_path / "dashboard.yaml"
    given = f"{{listen: '127.0.0.1:0', robots: ['{namespace}'], state_dir: '{tmp_path}'}}"
    file.write_text(f"/**: {{ros__parameters: {given}}}", encoding="utf-8")
    launch = launched(f"namespace:={namespace}", "dashboard:=true", f"dashboard_file:={file}")
    address = address_of(launch)
    wait_until(lambda: robots(address)[namespace]["policy"], "behavior_node is not seen")


@pytest.mark.parametrize(
    ("argument", "words"),
    [
        ("lifecycle:=perhaps", ["self", "launch", "other"]),
        ("behavior:=no", ["true", "false"]),
        ("respawn:=yes", ["true", "false"]),
        ("publish_hri:=on", ["true", "false"]),
        ("use_sim_time:=1", ["true", "false"]),
        ("log_level:=warning", ["debug", "info", "warn", "error"]),
        ("horizontal_fov_deg:=wide", ["expected a number of degrees"]),
        ("params_file:=/no/such.yaml", ["expected a file that exists"]),
        ("policy_file:=/no/such.yaml", ["expected a file that exists"]),
        ("emotion_model:=/no/such.onnx", ["expected a file that exists"]),
    ],
)
def test_a_wrong_argument_is_refused_before_anything_starts(launched, argument, words):
    launch = launched(argument)
    assert launch.wait() == 1
    assert launch.lines(*argument.split(":="), *words)
    assert not launch.lines("process started with pid")


PARENT = f"""
from launch import LaunchDescription
from launch.actions import IncludeLaunchDescription, SetLaunchConfiguration
from launch.launch_description_sources import PythonLaunchDescriptionSource
from launch_ros.actions import SetParameter, SetParametersFromFile


def generate_launch_description():
    return LaunchDescription([
        SetParametersFromFile("FILE"),
        SetParameter("smoothing_secs", 0.75),
        MORE
        IncludeLaunchDescription(
            PythonLaunchDescriptionSource("{LAUNCH_FILE}"),
            launch_arguments={{"namespace": "NAMESPACE"}}.items(),
        ),
    ])
"""


@pytest.mark.parametrize(
    "more",
    [
        pytest.param('SetParameter("use_sim_time", True),', id="as a parameter"),
        pytest.param('SetLaunchConfiguration("use_sim_time", "True"),', id="as Nav2's files do"),
    ],
)
def test_what_a_parent_sets_holds(launched, namespace, client, tmp_path, more):
    parameters = tmp_path / "parameters.yaml"
    parameters.write_text("/**: {ros__parameters: {hold_secs: 2.5}}", encoding="utf-8")
    file = tmp_path / "parent.launch.py"
    text = PARENT.replace("FILE", str(parameters)).replace("MORE", more)
    file.write_text(text.replace("NAMESPACE", namespace))
    launched(file=file)
    found = AsyncParameterClient(client.node, f"{namespace}/perception_node")
    assert client.spin_until(found.services_are_ready)
    names = ["hold_secs", "smoothing_secs", "use_sim_time"]
    hold, smoothing, sim_time = client.call(found.get_parameters(names)).values
    assert (hold.double_value, smoothing.double_value, sim_time.bool_value) == (2.5, 0.75, True)


def test_a_node_whose_settings_are_wrong_is_not_started_for_ever(launched, namespace, tmp_path):
    file = tmp_path / "parameters.yaml"
    file.write_text("/**: {ros__parameters: {min_score: 5.0}}", encoding="utf-8")
    launch = launched(
        f"namespace:={namespace}", f"params_file:={file}", "respawn:=true", "behavior:=false"
    )
    launch.wait(60.0)
    assert len(launch.lines("parameter min_score is 5.0, expected a number, 0.1 to 1")) == 3
    (line,) = launch.lines("it is not started again")
    assert "perception_node ended 3 times in a row" in line and "exit code 1" in line


def test_the_names_of_arguments_and_nodes_are_shown(launched, tmp_path):
    script = tmp_path / "print.py"
    script.write_text(
        "from launch import LaunchIntrospector\n"
        "from launch.launch_description_sources import get_launch_description_from_python_launch_file\n"
        f"found = get_launch_description_from_python_launch_file({str(LAUNCH_FILE)!r})\n"
        "print(LaunchIntrospector().format_launch_description(found))\n"
    )
    done = subprocess.run([sys.executable, script], capture_output=True, text=True, check=True)
    for name in ("argument image", "argument publish_hri", "perception_node", "behavior_node"):
        assert name in done.stdout
