//! The ROS 2 behavior node.
fn main() {}
