//! The ROS 2 perception node.
fn main() {}
