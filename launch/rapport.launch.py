"""Starts perception_node and behavior_node.

ros2 launch rapport rapport.launch.py image:=/camera/image_raw
"""

import os

from ament_index_python.packages import get_package_share_directory
from launch import LaunchDescription
from launch.actions import DeclareLaunchArgument
from launch.conditions import IfCondition
from launch.substitutions import LaunchConfiguration
from launch_ros.actions import Node


def generate_launch_description():
    config = os.path.join(get_package_share_directory("rapport"), "config")
    arguments = [
        ("namespace", "", "Namespace of both nodes"),
        ("image", "image", "Topic of the camera's uncompressed images"),
        ("params_file", os.path.join(config, "perception.yaml"), "Parameters of perception_node"),
        ("policy_file", os.path.join(config, "policy.yaml"), "Rules of behavior_node"),
        ("behavior", "true", "Whether behavior_node is started"),
        ("respawn", "false", "Whether a node that ends is started again, 2 s later"),
        ("log_level", "info", "debug, info, warn, error"),
    ]
    values = {name: LaunchConfiguration(name) for name, _, _ in arguments}
    common = {
        "package": "rapport",
        "namespace": values["namespace"],
        "output": "screen",
        "respawn": values["respawn"],
        "respawn_delay": 2.0,
        "ros_arguments": ["--log-level", values["log_level"]],
    }
    perception = Node(
        executable="perception_node",
        name="perception_node",
        remappings=[("image", values["image"])],
        parameters=[values["params_file"]],
        **common,
    )
    behavior = Node(
        executable="behavior_node",
        name="behavior_node",
        parameters=[{"policy_file": values["policy_file"]}],
        condition=IfCondition(values["behavior"]),
        **common,
    )
    declared = [
        DeclareLaunchArgument(name, default_value=default, description=description)
        for name, default, description in arguments
    ]
    return LaunchDescription([*declared, perception, behavior])
