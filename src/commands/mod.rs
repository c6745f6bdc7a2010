//! The commands of `rapport` that need no ROS.

pub mod account;
pub mod analyze;
pub mod emotions;
pub mod output;
pub mod record;
