"""Starts perception_node, behavior_node and, where it is asked for, dashboard_node.

ros2 launch rapport rapport.launch.py image:=/camera/image_raw
"""

import os
import time

from launch import LaunchDescription
from launch.actions import (
    DeclareLaunchArgument,
    EmitEvent,
    OpaqueFunction,
    RegisterEventHandler,
    TimerAction,
)
from launch.event_handlers import OnProcessExit, OnProcessStart
from launch.events import matches_action
from launch.events.process import ShutdownProcess
from launch.logging import get_logger
from launch_ros.actions import LifecycleNode, Node
from launch_ros.event_handlers import OnStateTransition
from launch_ros.events.lifecycle import ChangeState
from launch_ros.parameter_descriptions import ParameterValue
from lifecycle_msgs.msg import Transition

RESPAWN_DELAY_SECS = 2.0
# A node that ends within so many seconds of its start, so often in a row, will do so again.
EARLY_END_SECS = 10.0
EARLY_ENDS = 3
# A node that was killed is taken for alive by its peers for some seconds: what is asked of the
# next one may go to the dead one, and is asked again.
ASK_AGAIN_SECS = 5.0

# As YAML and Python spell it: Nav2's files hand on `True`.
BOOLS = ["true", "false", "True", "False"]
LEVELS = ["debug", "info", "warn", "error", "fatal"]


class Argument(DeclareLaunchArgument):
    """A launch argument that `ros2 launch --print` shows by its name."""

    def __str__(self):
        return f"argument {self.name}"


class Nodes(OpaqueFunction):
    """Starts the nodes; `ros2 launch --print` shows their names."""

    def __str__(self):
        return "nodes perception_node, behavior_node, dashboard_node"


def generate_launch_description():
    # Empty means not given: what a parent launch file or a parameter file says holds, and else what
    # the node itself has as its default.
    arguments = [
        ("namespace", "", "Namespace of the nodes", None),
        ("image", "image", "Topic of the camera's images; for compressed ones its base", None),
        (
            "image_transport",
            "",
            "raw or compressed (then <image>/compressed); empty: what params_file says",
            ["", "raw", "compressed"],
        ),
        (
            "params_file",
            "",
            "Parameters of perception_node; config/perception.yaml lists them",
            None,
        ),
        (
            "horizontal_fov_deg",
            "",
            "Degrees from the left to the right edge of the image, where no camera_info is; empty: "
            "what params_file says",
            None,
        ),
        ("policy_file", "", "Rules of behavior_node; empty: config/policy.yaml", None),
        (
            "language",
            "",
            "Language that the robot speaks: en, de-AT; empty: what a parent says",
            None,
        ),
        (
            "robot",
            "",
            "What the robot understands: a name in config/robots, or a file; empty: topics",
            None,
        ),
        ("emotion_model", "", "Emotion network (ONNX); empty: what params_file says", None),
        (
            "publish_hri",
            "",
            "Whether people are published as REP-155 has it; empty: what params_file says",
            ["", *BOOLS],
        ),
        (
            "lifecycle",
            "",
            "Who configures and activates the nodes: self, launch, or other; "
            "empty: what params_file says",
            ["", "self", "launch", "other"],
        ),
        (
            "use_sim_time",
            "",
            "Whether the nodes take the time from /clock; empty: what a parent says",
            ["", *BOOLS],
        ),
        ("behavior", "true", "Whether behavior_node is started", BOOLS),
        ("dashboard", "false", "Whether dashboard_node is started: robots on web pages", BOOLS),
        ("dashboard_file", "", "Parameters of dashboard_node", None),
        (
            "respawn",
            "false",
            f"Whether a node that ends is started again, {RESPAWN_DELAY_SECS:.0f} s later",
            BOOLS,
        ),
        (
            "log_level",
            "",
            ", ".join(LEVELS) + "; empty: what a parent says",
            ["", *LEVELS, *(level.upper() for level in LEVELS)],
        ),
    ]
    declared = [
        Argument(name, default_value=default, description=text, choices=choices)
        for name, default, text, choices in arguments
    ]
    return LaunchDescription([*declared, Nodes(function=nodes)])


def nodes(context):
    """The nodes, by the arguments' values."""
    value = context.launch_configurations
    for name in ("params_file", "policy_file", "emotion_model", "dashboard_file"):
        if value[name] and not os.path.isfile(value[name]):
            raise RuntimeError(f"{name} is '{value[name]}', expected a file that exists")
    field_of_view = value["horizontal_fov_deg"]
    if field_of_view and not is_number(field_of_view):
        raise RuntimeError(f"horizontal_fov_deg is '{field_of_view}', expected a number of degrees")
    respawn = is_true(value["respawn"])
    common = {
        "package": "rapport",
        "namespace": value["namespace"],
        "output": "screen",
        "respawn": respawn,
        "respawn_delay": RESPAWN_DELAY_SECS,
        "ros_arguments": ["--log-level", value["log_level"]] if value["log_level"] else [],
    }
    for_all = {}
    if value["use_sim_time"]:
        for_all["use_sim_time"] = is_true(value["use_sim_time"])
    for_both = dict(for_all)
    if value["lifecycle"]:
        for_both["autostart"] = value["lifecycle"] == "self"
    for_perception = for_both | texts(value, "image_transport", "emotion_model")
    if value["publish_hri"]:
        for_perception["publish_hri"] = is_true(value["publish_hri"])
    if field_of_view:
        for_perception["horizontal_fov_deg"] = float(field_of_view)
    # What was not given is not handed over either: it would override what a parent has set.
    perception = LifecycleNode(
        executable="perception_node",
        name="perception_node",
        remappings=[("image", value["image"])] if value["image"] != "image" else [],
        parameters=[part for part in (value["params_file"], for_perception) if part],
        **common,
    )
    started = [perception]
    if is_true(value["behavior"]):
        for_behavior = for_both | texts(value, "policy_file", "language", "robot")
        started.append(
            LifecycleNode(
                executable="behavior_node",
                name="behavior_node",
                parameters=[for_behavior] if for_behavior else [],
                **common,
            )
        )
    # The handlers first: they are to see the start.
    handlers = []
    for node in started:
        handlers += bring_up(node) if value["lifecycle"] == "launch" else []
    if is_true(value["dashboard"]):
        started.append(
            Node(
                executable="dashboard_node",
                name="dashboard_node",
                parameters=[part for part in (value["dashboard_file"], for_all) if part],
                **common,
            )
        )
    for node in started:
        handlers += give_up(node) if respawn else []
    return [*handlers, *started]


def is_true(text):
    return text.lower() == "true"


def is_number(text):
    try:
        float(text)
    except ValueError:
        return False
    return True


def texts(value, *names):
    """Those that were given, as texts whatever they look like."""
    return {name: ParameterValue(value[name], value_type=str) for name in names if value[name]}


def give_up(node):
    """Ends the respawning of a node that ends again and again just after its start."""
    began = 0.0
    early_ends = 0

    def start(_event, _context):
        nonlocal began
        began = time.monotonic()

    def end(event, context):
        nonlocal early_ends
        early_ends = early_ends + 1 if time.monotonic() - began < EARLY_END_SECS else 0
        if early_ends < EARLY_ENDS or context.is_shutdown:
            return []
        get_logger("rapport").error(
            f"{node.node_executable} ended {early_ends} times in a row within "
            f"{EARLY_END_SECS:.0f} s of its start, now with exit code {event.returncode}: it is not "
            "started again; its last lines above say why"
        )
        return [EmitEvent(event=ShutdownProcess(process_matcher=matches_action(node)))]

    return [
        RegisterEventHandler(OnProcessStart(target_action=node, on_start=start)),
        RegisterEventHandler(OnProcessExit(target_action=node, on_exit=end)),
    ]


def bring_up(node):
    """Configures a lifecycle node whenever its process starts, then activates it."""
    started = 0  # how often
    answered = False  # since the last start

    def ask(transition):
        return EmitEvent(
            event=ChangeState(lifecycle_node_matcher=matches_action(node), transition_id=transition)
        )

    def start(_event, _context):
        nonlocal started, answered
        started, answered = started + 1, False
        return configure(started)

    def configure(start_number):
        if answered or start_number != started:
            return []
        again = OpaqueFunction(function=lambda _context: configure(start_number))
        return [
            ask(Transition.TRANSITION_CONFIGURE),
            TimerAction(period=ASK_AGAIN_SECS, actions=[again]),
        ]

    def answer(context):
        nonlocal answered
        answered = True
        event = context.locals.event
        if event.start_state == "configuring" and event.goal_state == "inactive":
            return [ask(Transition.TRANSITION_ACTIVATE)]
        return []

    return [
        RegisterEventHandler(OnProcessStart(target_action=node, on_start=start)),
        RegisterEventHandler(
            OnStateTransition(
                target_lifecycle_node=node, entities=[OpaqueFunction(function=answer)]
            )
        ),
    ]
