//! The ROS 2 node that responds to emotion messages by the policy of a YAML file.

use std::process::ExitCode;

use rapport::ros::{behavior, runner};

fn main() -> ExitCode {
    runner::run_program(
        "behavior_node",
        "Responds to the expressions that perception_node publishes, by the rules of a policy file",
        behavior::start_node,
    )
}
