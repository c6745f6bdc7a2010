//! The ROS 2 node that shows robots on web pages.

use std::process::ExitCode;

use rapport::ros::{dashboard, runner};

fn main() -> ExitCode {
    runner::run_program(
        "dashboard_node",
        "Shows on web pages what robots see and do, and lets an operator pause them",
        dashboard::start_node,
    )
}
