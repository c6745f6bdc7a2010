//! From the pixels of a frame to the people in it and the expressions they show. No ROS, no HTTP, and
//! no files other than models and their settings.
//!
//! ```text
//! frame -> detect -> track -> crop -> classify -> smooth -> people
//! ```
//!
//! [`Networks`] are the loaded models. A [`Session`] is the memory of one camera; any number of them
//! share the networks. [`Session::process`] is the one path from a frame to the people in it.
//!
//! - [`frame`]: an image borrowed from a message, checked; JPEG, PNG and others decoded.
//! - [`detect`]: frames to faces, behind one trait. [`geometry`]: boxes and transforms.
//! - [`track`]: faces keep their ids. [`crop`]: faces cut out, level and centred.
//! - [`classify`]: crops to distributions over the labels of the model. [`smooth`]: distributions
//!   over time.
//! - [`pose`]: where heads are and what they turn to. [`attention`]: who attends, and whom to look at.
//!   [`events`]: what is new about people. [`zones`]: what is never looked at.
//! - [`annotate`]: what was found, drawn onto the picture. [`explain`]: class activation maps.
//! - [`report`]: what was found, as JSON.
//! - [`onnx`]: ONNX Runtime. [`paths`]: where it, the models and the settings lie.

pub mod annotate;
pub mod attention;
pub mod classify;
pub mod crop;
pub mod detect;
pub mod events;
pub mod explain;
mod exposure;
pub mod frame;
pub mod geometry;
mod networks;
pub mod onnx;
pub mod paths;
pub mod pose;
mod rates;
pub mod report;
mod session;
pub mod smooth;
pub mod track;
pub mod zones;

pub use attention::AttentionOptions;
pub use networks::{ModelFiles, Networks, detector, emotion_net, model_file};
pub use onnx::{ModelIdentity, RuntimeOptions};
pub use rates::RateOptions;
pub use session::{Observation, Person, Session, SessionOptions, Timings};
