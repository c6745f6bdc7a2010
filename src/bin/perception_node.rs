//! The ROS 2 node that turns camera images into emotion messages.

use std::process::ExitCode;

use rapport::ros::{middleware, perception, runner};

fn main() -> ExitCode {
    middleware::prepare_to_receive();
    runner::run_program(
        "perception_node",
        "Finds and follows faces in a camera's images and publishes the expression each one shows",
        perception::start_node,
    )
}
