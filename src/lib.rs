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
//! - [`emotion`]: the seven expressions, distributions over them, valence and arousal.

pub mod emotion;
