//! A policy decides how the robot answers the expressions shown to it.
//!
//! A [`Policy`] is read from a YAML file that an integrator edits; an [`Engine`] applies it to the
//! faces of one image after another. Now and then it returns a [`Response`], and when that is over
//! the [`Outputs`] at rest. Nothing here reads a clock or drives a robot.
//!
//! ```
//! use std::path::Path;
//! use std::time::Duration;
//!
//! use rapport_behavior::{Engine, FaceReading, Policy};
//! use rapport_vocabulary::{Emotion, ImageStamp};
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
//! let smile = [FaceReading::new("f1", Emotion::Happy, 0.8)];
//!
//! let mut responses = (0..10).filter_map(|fifth| {
//!     engine.observe(ImageStamp::at(Duration::from_millis(fifth * 200)), &smile).response
//! });
//! let response = responses.next().expect("the smile lasted");
//! assert_eq!(response.outputs.speech.as_deref(), Some("Good to see you."));
//! assert_eq!(response.reason, "happy at 0.80 for 1.0 s (rule asks 0.60 for 1.0 s)");
//! assert_eq!(responses.next(), None);
//! # Ok::<(), rapport_behavior::PolicyError>(())
//! ```
//!
//! # Layout
//!
//! - `policy`, `condition`, `manners`, `response`, `staff`: the types. Everything else depends on them.
//! - `policy_file`: reads a policy from its file. `schema`: the keys and ranges of that file.
//! - `upgrade`: a file of version 1 as one of version 2.
//! - `engine`: decides which rule fires. `people`: whom it remembers, and who belongs together.
//! - [`robot_file`]: how the parts of a response reach a robot, by a file of its own.
//! - `labels`: compares a policy with the labels of the running model.
//!
//! # Another output of the robot
//!
//! An output is a field of [`Outputs`], and a key in `schema`; the engine hands it on as it is.

mod condition;
mod content;
mod engine;
mod labels;
mod manners;
mod people;
mod policy;
mod policy_file;
mod response;
pub mod robot_file;
mod schema;
mod staff;
mod upgrade;

pub use condition::{Event, Hours, Missing, Range, StateIs, StateValue, When};
pub use engine::{
    Decision, Engine, FaceBox, FaceReading, Judgement, LONGEST_RESPONSE, MAX_FACES_IN_IMAGE,
};
pub use labels::ModelLabels;
pub use manners::{HeldBack, Manners};
pub use policy::{Policy, Rule, StateTopic};
pub use policy_file::{MAX_POLICY_BYTES, PolicyError};
pub use response::{Answer, Cancelled, Fraction, Light, Outcome, Outputs, Response, Say};
pub use staff::StaffRequest;
pub use upgrade::{NotUpgraded, upgrade};
