"""Starts perception_node, behavior_node and, where it is asked for, dashboard_node.

ros2 launch rapport rapport.launch.py image:=/camera/image_raw
"""

import os

from ament_index_python.packages import get_package_share_directory
from launch import LaunchDescription
from launch.actions import (
    DeclareLaunchArgument,
    EmitEvent,
    OpaqueFunction,
    RegisterEventHandler,
    TimerAction,
)
from launch.conditions import IfCondition
from launch.event_handlers import OnProcessStart
from launch.events import matches_action
from launch.substitutions import LaunchConfiguration
from launch_ros.actions import LifecycleNode, Node
from launch_ros.event_handlers import OnStateTransition
from launch_ros.events.lifecycle import ChangeState
from launch_ros.parameter_descriptions import ParameterValue
from lifecycle_msgs.msg import Transition

RESPAWN_DELAY_SECS = 2.0
# A node that was killed is taken for alive by its peers for some seconds: what is asked of the
# next one may go to the dead one, and is asked again.
ASK_AGAIN_SECS = 5.0


def generate_launch_description():
    config = os.path.join(get_package_share_directory("rapport"), "config")
    perception_yaml = os.path.join(config, "perception.yaml")
    dashboard_yaml = os.path.join(config, "dashboard.yaml")
    policy_yaml = os.path.join(config, "policy.yaml")
    arguments = [
        ("namespace", "", "Namespace of the nodes", None),
        ("image", "image", "Topic of the camera's images; for compressed ones its base", None),
        (
            "image_transport",
            "",
            "raw or compressed (then <image>/compressed); empty: what params_file says",
            ["", "raw", "compressed"],
        ),
        ("params_file", perception_yaml, "Parameters of perception_node", None),
        ("policy_file", policy_yaml, "Rules of behavior_node", None),
        ("emotion_model", "", "Emotion network (ONNX); empty: what params_file says", None),
        (
            "lifecycle",
            "",
            "Who configures and activates perception_node: self, launch, or other; "
            "empty: what params_file says",
            ["", "self", "launch", "other"],
        ),
        (
            "use_sim_time",
            "false",
            "Whether the nodes take the time from /clock",
            ["true", "false"],
        ),
        ("behavior", "true", "Whether behavior_node is started", None),
        ("dashboard", "false", "Whether dashboard_node is started: robots on web pages", None),
        ("dashboard_file", dashboard_yaml, "Parameters of dashboard_node", None),
        ("respawn", "false", "Whether a node that ends is started again, 2 s later", None),
        ("log_level", "info", "debug, info, warn, error", None),
    ]
    declared = [
        DeclareLaunchArgument(name, default_value=default, description=text, choices=choices)
        for name, default, text, choices in arguments
    ]
    return LaunchDescription([*declared, OpaqueFunction(function=nodes)])


def nodes(context):
    """The nodes, by the arguments' values."""
    value = context.launch_configurations
    common = {
        "package": "rapport",
        "namespace": value["namespace"],
        "output": "screen",
        "respawn": LaunchConfiguration("respawn"),
        "respawn_delay": RESPAWN_DELAY_SECS,
        "ros_arguments": ["--log-level", value["log_level"]],
    }
    # What is left empty is not given, so that the file's values hold.
    given = {
        name: ParameterValue(value[name], value_type=str)
        for name in ("image_transport", "emotion_model")
        if value[name]
    }
    if value["lifecycle"]:
        given["autostart"] = value["lifecycle"] == "self"
    sim_time = {"use_sim_time": value["use_sim_time"] == "true"}
    perception = LifecycleNode(
        executable="perception_node",
        name="perception_node",
        remappings=[("image", value["image"])],
        parameters=[value["params_file"], given, sim_time],
        **common,
    )
    behavior = Node(
        executable="behavior_node",
        name="behavior_node",
        parameters=[
            {"policy_file": ParameterValue(value["policy_file"], value_type=str)},
            sim_time,
        ],
        condition=IfCondition(LaunchConfiguration("behavior")),
        **common,
    )
    dashboard = Node(
        executable="dashboard_node",
        name="dashboard_node",
        parameters=[value["dashboard_file"], sim_time],
        condition=IfCondition(LaunchConfiguration("dashboard")),
        **common,
    )
    # The handlers first: they are to see the start.
    handlers = bring_up(perception) if value["lifecycle"] == "launch" else []
    return [*handlers, perception, behavior, dashboard]


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
