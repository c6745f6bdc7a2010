"""What is wrong at start is said in one clear message, and the exit status is not 0."""

import os
import re
import subprocess
from pathlib import Path

import pytest

from graph import BIN_DIR, PATIENCE_SECS, ROOT
from scenes import smiling_face


def other_library():
    """A shared library that is not ONNX Runtime: the C library of this process."""
    return re.search(r"\S+/libc[.-]\S*so\S*", Path("/proc/self/maps").read_text())[0]


TEXT_FILE = str(ROOT / "package.xml")
ONET = str(ROOT / "models" / "onet.onnx")

# Parameters given, and what the message must name: the thing, what was found, what is expected.
WRONG_FILES = {
    "missing emotion model": (
        {"emotion_model": "/no/such.onnx"},
        ["/no/such.onnx", "No such file"],
    ),
    "missing detector model": (
        {"detector_model": "/no/such.onnx"},
        ["/no/such.onnx", "No such file"],
    ),
    "missing landmarks model": (
        {"landmarks_model": "/no/such.onnx"},
        ["/no/such.onnx", "No such file"],
    ),
    "a folder as model": ({"emotion_model": str(ROOT)}, [str(ROOT), "directory"]),
    "a text as model": (
        {"emotion_model": TEXT_FILE},
        [TEXT_FILE, "not loaded by ONNX Runtime"],
    ),
    "O-Net as emotion model": ({"emotion_model": ONET}, [ONET, "expected a file", "onet.yaml"]),
    "O-Net as YuNet": ({"detector_model": ONET}, [ONET, "expected"]),
    "missing library": (
        {"onnxruntime_library": "/no/libort.so"},
        ["/no/libort.so", "No such file"],
    ),
    "a text as library": (
        {"onnxruntime_library": TEXT_FILE},
        [TEXT_FILE, "ONNX Runtime library"],
    ),
    "another library": (
        {"onnxruntime_library": other_library()},
        [other_library(), "ONNX Runtime library"],
    ),
}

WRONG_VALUES = {
    "out of range": ({"min_score": 1.5}, ["min_score", "1.5", "0.1 to 1"]),
    "not a number": ({"hold_secs": ".nan"}, ["hold_secs", "NaN", "0 to 60"]),
    "too many threads": ({"threads": 65}, ["threads", "65", "1 to 64"]),
    "a text for a number": (
        {"hold_secs": "long"},
        ["hold_secs", "`long`", "a number, 0 to 60"],
    ),
    "a fraction for a count": (
        {"confirm_hits": 1.5},
        ["confirm_hits", "1.5", "an integer"],
    ),
    "no such transport": (
        {"image_transport": "theora"},
        ["image_transport", "`theora`", "one of raw, compressed"],
    ),
    "a list for a number": (
        {"min_score": "[0.5]"},
        ["min_score", "expected a number, 0.1 to 1"],
    ),
}


def message_of(node):
    """The one message of a node that ended by itself with an error."""
    status = node.wait()
    assert status > 0, f"exit status {status}"
    assert "panicked" not in node.text
    name = node.log.stem.rsplit("_", 1)[0]
    messages = [line for line in node.text.splitlines() if line.startswith(f"{name}: ")]
    assert len(messages) == 1, node.text
    return messages[0]


@pytest.mark.parametrize("name", WRONG_VALUES)
def test_a_wrong_parameter_of_perception(start, name):
    parameters, words = WRONG_VALUES[name]
    message = message_of(start("perception_node", parameters))
    for word in words:
        assert word in message


@pytest.mark.parametrize("name", WRONG_FILES)
def test_a_wrong_file_is_a_failed_transition_and_not_a_dead_process(start, client, name):
    parameters, words = WRONG_FILES[name]
    node = start("perception_node", parameters)
    assert client.spin_until(lambda: node.errors)
    (message,) = node.errors
    for word in ["configure failed, the node stays unconfigured", *words]:
        assert word in message
    assert node.alive
    assert node.stop()[0] == 0


@pytest.mark.parametrize("program", ["perception_node", "behavior_node"])
@pytest.mark.parametrize(
    "arguments",
    [
        ["-r"],
        ["-r", "image"],
        ["-p", "min_score"],
        ["--log-level", "loud"],
        ["--params-file", "/no/such.yaml"],
    ],
    ids=" ".join,
)
def test_malformed_ros_arguments(start, program, arguments):
    message = message_of(start(program, None, *arguments))
    assert "ROS arguments" in message and " ".join(arguments) in message


@pytest.mark.parametrize("program", ["perception_node", "behavior_node"])
@pytest.mark.parametrize(("argument", "words"), [("--help", "--ros-args"), ("--version", "0.")])
def test_help_and_version_start_no_node(program, argument, words):
    command = [BIN_DIR / program, argument]
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=PATIENCE_SECS, check=True
    )
    assert program in done.stdout and words in done.stdout


def test_remapping_without_ros_args_is_warned_about(start, client):
    node = start("behavior_node", None, "--", "-r", "emotions:=/x")
    words = ("[WARN]", "arguments not used: `-r emotions:=/x`", "after --ros-args")
    assert client.spin_until(lambda: node.lines(*words))
    assert node.stop()[0] == 0


def test_an_unknown_ros_argument(start):
    assert "--no-such-option" in message_of(start("behavior_node", None, "--no-such-option"))


@pytest.mark.parametrize("program", ["perception_node", "behavior_node"])
def test_nowhere_to_log(start, program):
    env = {k: v for k, v in os.environ.items() if k not in ("HOME", "ROS_LOG_DIR")}
    message = message_of(start(program, env=env))
    assert "HOME" in message and "ROS_LOG_DIR" in message


def test_an_unknown_parameter_is_warned_about_and_the_node_goes_on(start, camera):
    node = start("perception_node", {"min_scroe": 0.4})
    camera.wait_until_connected()
    camera.ask(smiling_face())
    assert len(camera.ask(smiling_face()).faces) == 1
    warnings = node.lines("[WARN]", "min_scroe")
    assert len(warnings) == 1
    assert "min_score" in warnings[0], "the names that exist"


def test_an_old_name_of_a_parameter_is_taken_with_a_warning(start, client):
    node = start("perception_node", {"yunet_model": "/no/such.onnx"})
    assert client.spin_until(lambda: node.errors)
    assert "/no/such.onnx" in node.errors[0]
    (warning,) = node.lines("[WARN]", "yunet_model")
    assert "now called detector_model" in warning


def test_of_a_present_and_an_old_name_the_present_one_wins(start, camera):
    detector = ROOT / "models" / "yunet.onnx"
    given = {"detector_model": detector, "yunet_model": "/no/such.onnx"}
    node = start("perception_node", given)
    camera.wait_until_connected()
    (warning,) = node.lines("[WARN]", "yunet_model")
    assert "detector_model and yunet_model are both set" in warning and not node.errors


def test_a_model_and_library_given_by_path_are_used(start, camera):
    library = ROOT / ".prefix" / "lib" / "libonnxruntime.so"
    model = ROOT / "models" / "emotion.onnx"
    node = start("perception_node", {"emotion_model": model, "onnxruntime_library": library})
    camera.wait_until_connected()
    assert node.lines("[INFO]", str(model))
