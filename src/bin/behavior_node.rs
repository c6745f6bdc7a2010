//! The ROS 2 node that answers emotion messages by the policy of a YAML file.

use std::process::ExitCode;

use rapport::ros::{behavior, runner};

fn main() -> ExitCode {
    runner::run_program(
        "behavior_node",
        "Answers the expressions that perception_node publishes, by the rules of a policy file",
        behavior::start_node,
    )
}
