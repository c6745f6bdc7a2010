//! A policy decides how the robot answers the expressions shown to it.
//!
//! A [`Policy`] is read from a YAML file that an integrator edits; an [`Engine`] applies it to the
//! faces of one image after another and gives a [`Response`] now and then, and a [`Rest`] when
//! that is over. Nothing here reads a clock or drives a robot.
//!
//! ```
//! use std::path::Path;
//! use std::time::Duration;
//!
//! use rapport_behavior::{Engine, FaceReading, Policy};
//! use rapport_vocabulary::Emotion;
//!
//! let policy = br#"
//! version: 1
//! rules:
//!   - name: answer-a-smile
//!     when: {emotion: happy, confidence: 0.6, for_secs: 1.0}
//!     cooldown_secs: 120
//!     answer: {say: Good to see you., duration_secs: 2}
//! "#;
//! let mut engine = Engine::new(Policy::parse(Path::new("policy.yaml"), policy)?);
//! let smile = [FaceReading { face_id: "f1", emotion: Emotion::Happy, confidence: 0.8 }];
//!
//! let mut responses = (0..10).filter_map(|tenth| {
//!     engine.observe(Duration::from_millis(tenth * 200), &smile).response
//! });
//! let response = responses.next().expect("the smile lasted");
//! assert_eq!(response.speech.as_deref(), Some("Good to see you."));
//! assert_eq!(response.reason, "happy at 0.80 for 1.0 s (rule asks 0.60 for 1.0 s)");
//! assert_eq!(responses.next(), None);
//! # Ok::<(), rapport_behavior::PolicyError>(())
//! ```
//!
//! # Layout
//!
//! - `policy`: what a policy is, and the file it comes from.
//! - `schema`: what the file may hold, read by [`rapport_settings`]. `problem`: a file that is wrong.
//! - `engine`: which rule fires. `faces`: what it remembers. `clock`: the time it counts.
//! - `response`: what the robot does.

mod clock;
mod engine;
mod faces;
mod policy;
mod problem;
mod response;
mod schema;

pub use engine::{Engine, FaceReading, MOST_FACES_IN_IMAGE, Reaction};
pub use policy::{MAX_POLICY_BYTES, Policy, Rule};
pub use problem::PolicyError;
pub use response::{Answer, Fraction, Light, Response, Rest};
