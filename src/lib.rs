//! Rapport tells a robot which facial expressions people show, and lets the robot respond by rules.
//!
//! This package contains what is started: the ROS nodes and the commands. The other crates of the
//! workspace do the work and do not depend on ROS.
//!
//! ```text
//! camera image -> frame -> faces -> expressions -> people -> responses -> the robot
//!                 \______ perception ______/         \_ behavior _/   \_ ros: outputs
//! recordings -> recording -> the same perception -> evaluation (figures)
//! ```
//!
//! - [`rapport_vocabulary`]: expressions, label sets, distributions, the time of an image.
//! - [`rapport_perception`]: from the pixels of a frame to the people in it.
//! - [`rapport_behavior`]: from people to the responses of the robot, by a policy.
//! - [`rapport_recording`]: rosbag2 recordings and the messages in them, without ROS.
//! - [`rapport_evaluation`]: labels, metrics and reports; `rapport evaluate`.
//! - `rapport_settings`: YAML files whose mistakes are reported with their place.
//! - [`commands`]: `rapport analyze`, `rapport record` and what `rapport watch` prints.
//! - `ros`: the ROS nodes, `rapport replay` and `rapport watch` (feature `ros`).
//!
//! `docs/architecture.md` follows one frame through the code and says where to change what.

pub mod commands;
#[cfg(feature = "ros")]
pub mod ros;
