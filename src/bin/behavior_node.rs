//! The ROS 2 node that answers emotion messages by the policy of a YAML file.

use std::process::ExitCode;

fn main() -> ExitCode {
    rapport::ros::runner::run("behavior_node", rapport::ros::behavior::start_node)
}
