//! rosbag2 recordings ([`bag`]) and the ROS messages in them ([`message`]), read and written without
//! ROS.

pub mod bag;
pub mod message;
