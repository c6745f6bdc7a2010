//! Rapport lets a robot notice how the people in front of it look, and answer kindly.
//!
//! The library knows no ROS; one room does. Data goes one way:
//!
//! ```text
//! camera image -> frame -> face -> emotion -> people -> behavior -> response
//! ```
//!
//! # Layout
//!
//! - [`frame`]: an image borrowed from a message, checked; JPEG and PNG decoded.
//! - [`detect`]: frames to faces (YuNet, then O-Net). [`geometry`]: boxes and transforms.
//! - [`track`]: faces keep their ids. [`crop`]: faces cut out, level and centred.
//! - [`classify`]: crops to distributions. [`smooth`]: distributions over time; [`stamp`]: which
//!   time that is.
//! - [`emotion`]: the seven expressions, distributions over them, valence and arousal.
//! - [`pipeline`]: all of the above, the one path from a frame to the people in it.
//! - [`behavior`]: how the robot answers, by a policy that the integrator edits.
//! - [`bag`]: rosbag2 recordings, read without ROS.
//! - [`message`]: the ROS messages in them. [`evaluate`]: `rapport evaluate`, by [`metrics`].
//!   [`record`]: `rapport record`.
//! - [`analyze`]: `rapport analyze`. [`account`]: what `rapport watch` tells.
//!   [`annotate`]: what was found, drawn onto the picture. [`explain`]: why it was read so.
//! - `ros`: the one room that knows ROS (feature `ros`).
//! - [`onnx`], [`paths`]: ONNX Runtime, and where it, models and settings lie. [`yaml`]: settings
//!   read so that every mistake is named with its place.

pub mod account;
pub mod analyze;
pub mod annotate;
pub mod bag;
pub mod behavior;
pub mod classify;
pub mod crop;
pub mod detect;
pub mod emotion;
pub mod evaluate;
pub mod explain;
pub mod frame;
pub mod geometry;
pub mod message;
pub mod metrics;
pub mod onnx;
pub mod paths;
pub mod pipeline;
pub mod record;
#[cfg(feature = "ros")]
pub mod ros;
pub mod smooth;
pub mod stamp;
pub mod track;
pub mod yaml;
