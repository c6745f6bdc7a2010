"""Fixtures: nodes as processes, an independent client, and a camera.

Every test has a ROS namespace of its own, so that nothing of the test before can reach it.
"""

import itertools
import os
import signal

import pytest
import rclpy
from rapport.msg import FaceEmotionArray
from rclpy.signals import SignalHandlerOptions

from dashboard import Stream, address_of
from graph import BIN_DIR, Camera, Client, NodeProcess, remove_stale_segments
from robot import POLICY, Person, Robot

_numbers = itertools.count(1)

# Two processes may run the tests. Where tools/isolated cannot part them, their ROS domains must differ
# for sure. Up to 101 the ports of a domain are not those that the system gives to others.
if worker := os.environ.get("PYTEST_XDIST_WORKER"):
    domain = int(os.environ.get("ROS_DOMAIN_ID", "0")) % 100
    os.environ["ROS_DOMAIN_ID"] = str(domain // 2 * 2 + int(worker.removeprefix("gw")) % 2)


@pytest.fixture(scope="session", autouse=True)
def ros():
    for program in ("perception_node", "behavior_node", "dashboard_node"):
        if not (BIN_DIR / program).is_file():
            pytest.exit(f"{BIN_DIR / program} not found; run `make build`", returncode=2)
    # Ctrl-C and SIGTERM are pytest's: the fixtures end, and with them every node.
    rclpy.init(signal_handler_options=SignalHandlerOptions.NO)
    signal.signal(signal.SIGTERM, lambda *_: pytest.exit("SIGTERM", returncode=143))
    yield
    rclpy.try_shutdown()


@pytest.fixture
def namespace():
    return f"/test_{next(_numbers)}"


@pytest.fixture
def client(namespace):
    client = Client(namespace)
    yield client
    client.close()


@pytest.fixture
def start(namespace, tmp_path):
    """Starts a node: `start("perception_node", {"threads": 1}, "--log-level", "debug")`; `below`: namespace
    below that of the test."""
    nodes = []

    def start(program, parameters=None, *ros_arguments, env=None, below=""):
        given = [f"-p={name}:={value}" for name, value in (parameters or {}).items()]
        given = [part for argument in given for part in argument.split("=", 1)]
        arguments = ["--ros-args", "-r", f"__ns:={namespace}{below}", *given, *ros_arguments]
        if env is None:
            env = os.environ | {"ROS_LOG_DIR": str(tmp_path / "ros")}
        node = NodeProcess(program, arguments, tmp_path / f"{program}_{len(nodes)}.log", env)
        nodes.append(node)
        return node

    yield start
    for node in nodes:
        node.kill()
        # Shown by pytest where the test failed.
        print(f"--- output of {node.log.stem}\n{node.text}")
    remove_stale_segments()


@pytest.fixture
def emotions(client):
    return client.collect(FaceEmotionArray, "emotions")


@pytest.fixture
def camera(client, emotions):
    return Camera(client, emotions)


@pytest.fixture
def perception(start, camera):
    """A perception node with its defaults, ready for images."""
    node = start("perception_node")
    camera.wait_until_connected()
    return node


@pytest.fixture
def stream(namespace):
    """Starts a camera: `stream(smiling_face())`."""
    streams = []

    def stream(picture, *arguments, of=namespace):
        streams.append(Stream(of, picture, *arguments))
        return streams[-1]

    yield stream
    for one in streams:
        one.close()


@pytest.fixture
def dashboard(start, namespace, tmp_path):
    """Starts a dashboard for this test's robot; returns the node and its address."""

    def dashboard(parameters=None, **options):
        given = {
            "listen": "127.0.0.1:0",
            "robots": f"['{namespace}']",
            "state_dir": str(tmp_path / "state"),
            **(parameters or {}),
        }
        node = start("dashboard_node", given, **options)
        return node, address_of(node)

    return dashboard


@pytest.fixture
def person(client):
    return Person(client)


@pytest.fixture
def robot(client):
    return Robot(client)


@pytest.fixture
def policy_file(tmp_path):
    file = tmp_path / "policy.yaml"
    file.write_text(POLICY)
    return file
