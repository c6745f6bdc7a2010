"""`colcon build` of a workspace with this package: what it installs starts from there, and builds
where the messages of REP-155 are not installed.

The crates that this checkout has compiled already are taken from its `target` folder; the package
itself and everything made of messages is built anew.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from graph import BIN_DIR, ROOT, NodeProcess
from scenes import smiling_face

BUILD_SECS = 900


def without_messages(paths):
    """A search path without this checkout's own messages: colcon makes them."""
    messages = ROOT / ".prefix" / "messages"
    kept = [p for p in paths.split(":") if p and not Path(p).is_relative_to(messages.resolve())]
    return ":".join(kept)


@pytest.fixture(scope="module")
def environment():
    """As a user has it who sourced ROS 2 and nothing else: hri_msgs is not there."""
    env = dict(os.environ)
    for name in ("AMENT_PREFIX_PATH", "LD_LIBRARY_PATH", "PYTHONPATH"):
        env[name] = without_messages(env.get(name, ""))
    # CMake itself sets this; the wheels' prefix, unlike a ROS 2, does not.
    env["CMAKE_PREFIX_PATH"] = env["AMENT_PREFIX_PATH"]
    env.pop("ORT_DYLIB_PATH", None)
    env.pop("IDL_PACKAGE_FILTER", None)
    return env


@pytest.fixture(scope="module")
def installed(environment, tmp_path_factory):
    """The installed workspace. It lies outside of this checkout, and the messages that the build
    had staged are gone, so that nothing can be found there by mistake."""
    workspace = ROOT / "target" / "colcon"
    source = workspace / "src" / "rapport"
    shutil.rmtree(workspace / "src", ignore_errors=True)
    files = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        check=True,
    )
    for name in filter(None, files.stdout.decode().split("\0")):
        if (ROOT / name).is_file():
            (source / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, source / name)
    install = tmp_path_factory.mktemp("workspace") / "install"
    compiled = workspace / "build" / "rapport" / "cargo" / "release"
    if not compiled.exists():
        for part in (".fingerprint", "build", "deps"):
            shutil.copytree(BIN_DIR / part, compiled / part, symlinks=True)
    subprocess.run(
        [
            *(sys.executable, "-m", "colcon", "--log-base", str(workspace / "log")),
            *("build", "--base-paths", "src", "--install-base", str(install)),
            # The folder of an earlier run has another place to install to.
            "--cmake-force-configure",
            *("--event-handlers", "console_direct+", "--cmake-args"),
            f"-DRAPPORT_ONNXRUNTIME={ROOT / '.prefix' / 'lib' / 'libonnxruntime.so'}",
            f"-DPython3_EXECUTABLE={sys.executable}",
        ],
        cwd=workspace,
        env=environment | {"COLCON_HOME": str(workspace / "home")},
        timeout=BUILD_SECS,
        check=True,
    )
    shutil.rmtree(workspace / "build" / "rapport" / "stage")
    yield install / "rapport"
    # A gigabyte.
    shutil.rmtree(workspace)
    shutil.rmtree(install)


def test_everything_is_installed_where_ros_looks_for_it(installed):
    for program in ("perception_node", "behavior_node", "dashboard_node", "rapport"):
        assert os.access(installed / "lib" / "rapport" / program, os.X_OK)
    assert (installed / "lib" / "rapport" / "libonnxruntime.so").is_file()
    share = installed / "share" / "rapport"
    for folder in ("launch", "config", "models", "msg", "srv"):
        expected = {p.name for p in (ROOT / folder).iterdir() if not p.name.startswith("__")}
        assert expected <= {p.name for p in (share / folder).iterdir()}, folder
    assert (share / "package.xml").is_file()


@pytest.fixture
def start_installed(installed, environment, namespace, tmp_path):
    """As in a user's terminal, after `source install/local_setup.sh`."""
    nodes = []

    def start(program, *ros_arguments):
        script = '. "$COLCON_CURRENT_PREFIX/local_setup.sh" && exec "$@"'
        command = ["-c", script, "_", installed / "lib" / "rapport" / program]
        arguments = [*command, "--ros-args", "-r", f"__ns:={namespace}", *ros_arguments]
        own = {"ROS_LOG_DIR": str(tmp_path), "COLCON_CURRENT_PREFIX": str(installed.parent)}
        log = tmp_path / f"{program}.log"
        nodes.append(NodeProcess(shutil.which("sh"), arguments, log, environment | own))
        return nodes[-1]

    yield start
    for node in nodes:
        node.kill()
        print(f"--- output of {node.log.stem}\n{node.text}")


def test_the_installed_nodes_start_from_there(installed, start_installed, camera):
    perception, behavior = start_installed("perception_node"), start_installed("behavior_node")
    camera.wait_until_connected()
    camera.ask(smiling_face())
    assert len(camera.ask(smiling_face()).faces) == 1
    loaded = Path(f"/proc/{perception.pid}/maps").read_text()
    assert str(installed / "lib" / "rapport" / "libonnxruntime.so") in loaded
    assert str(ROOT / "target") not in loaded and str(ROOT / ".prefix/messages") not in loaded
    assert perception.lines(str(installed / "share" / "rapport" / "models" / "emotion.onnx"))
    assert behavior.lines(str(installed / "share" / "rapport" / "config" / "policy.yaml"))
    assert perception.stop()[0] == behavior.stop()[0] == 0


def test_without_hri_msgs_the_option_is_said_to_be_absent(environment, start_installed, client):
    prefixes = environment["AMENT_PREFIX_PATH"].split(":")
    if any((Path(prefix) / "share" / "hri_msgs").exists() for prefix in prefixes):
        pytest.skip("this ROS 2 has hri_msgs")
    node = start_installed("perception_node", "-p", "publish_hri:=true")
    absent = "publish_hri is on, but this build is without it"
    assert client.spin_until(lambda: node.lines(absent))
    assert node.alive
