//! From the pixels of a frame to the people in it and the expressions they show. No ROS, no HTTP, and
//! no files other than models and their settings.
//!
//! ```text
//! frame -> detect -> track -> crop -> classify -> smooth -> people
//! ```

pub mod annotate;
pub mod classify;
pub mod crop;
pub mod detect;
pub mod explain;
pub mod frame;
pub mod geometry;
pub mod onnx;
pub mod paths;
pub mod pipeline;
pub mod smooth;
pub mod track;
