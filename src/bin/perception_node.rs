//! The ROS 2 node that turns camera images into emotion messages.

use std::process::ExitCode;

fn main() -> ExitCode {
    rapport::ros::runner::run("perception_node", rapport::ros::perception::start_node)
}
