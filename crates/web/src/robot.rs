//! What is known of a robot beside its pictures.

use serde::Serialize;
use utoipa::ToSchema;

use crate::messages::PersonReport;

/// How a robot is, at a glance.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// Works.
    Ok,
    /// Works with a limit that the sentence names.
    Warn,
    /// Does not work.
    Error,
    /// Nothing was heard for some time.
    #[default]
    Stale,
}

/// How a robot is.
#[derive(Debug, Clone, Default, PartialEq, Serialize, ToSchema)]
pub struct RobotState {
    /// At a glance.
    pub level: Level,
    /// In a sentence, which also explains silence.
    pub sentence: String,
    /// Whether an operator paused its perception.
    pub paused: bool,
    /// Frames processed a second.
    pub rate_per_sec: Option<f64>,
    /// From image to result, the median in milliseconds.
    pub latency_p50_ms: Option<f64>,
    /// Images that were dropped since its start.
    pub dropped: Option<u64>,
    /// The network that reads expressions.
    pub model: Option<Model>,
    /// The rules by which it responds.
    pub policy: Option<Policy>,
}

/// Which network it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Model {
    /// The file's name without its ending.
    pub name: String,
    /// SHA-256 of the file, in hexadecimal.
    pub sha256: String,
}

/// The rules by which a robot responds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Policy {
    /// The file's name.
    pub file: String,
    /// SHA-256 of the file, in hexadecimal.
    pub sha256: String,
    /// The names of its rules, in their order.
    pub rules: Vec<String>,
}

/// What a robot's camera showed in one image.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct RobotEmotions {
    /// Stamp of the image in seconds.
    pub stamp_secs: f64,
    /// Width of the image in pixels.
    pub width: u32,
    /// Height of the image in pixels.
    pub height: u32,
    /// Who is in view.
    pub people: Vec<PersonReport>,
}

/// What a robot did and why.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct RobotResponse {
    /// Stamp of the response in seconds.
    pub stamp_secs: f64,
    /// The rule that fired.
    pub rule: String,
    /// The face that it answers.
    pub face_id: String,
    /// Why, in words.
    pub reason: String,
    /// What it says.
    pub speech: String,
    /// The gesture it makes.
    pub gesture: String,
    /// The expression it shows.
    pub expression: String,
}
