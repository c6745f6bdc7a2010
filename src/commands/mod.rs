//! The commands of `rapport` that need no ROS.

pub mod account;
pub mod analyze;
pub mod emotions;
mod pipe;
pub mod record;

pub use pipe::end_on_broken_pipe;
