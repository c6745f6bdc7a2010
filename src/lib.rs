//! Rapport lets a robot notice which expressions people show it, and respond kindly.
//!
//! This package is what is run: the ROS nodes and the commands. The crates below it do the work and
//! know no ROS.
//!
//! ```text
//! camera image -> frame -> faces -> expressions -> people -> responses -> the robot
//!                 \______ perception ______/         \_ behavior _/   \_ ros: outputs
//! recordings -> recording -> the same perception -> evaluation (figures)
//! ```
//!
//! - [`commands`]: `rapport analyze`, `rapport record` and the rest of the command line.
//! - `ros`: the ROS nodes, `rapport replay` and `rapport watch` (feature `ros`).

pub mod commands;
#[cfg(feature = "ros")]
pub mod ros;
