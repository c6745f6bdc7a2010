//! What goes over the WebSockets, and the people in it.

use std::collections::BTreeMap;

use rapport_perception::Person;
use rapport_perception::explain::Explanation;
use rapport_perception::report::{FaceReport, probabilities};
use rapport_vocabulary::{Emotion, LabelSet};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::hub::NamedRobot;
use crate::problem::Problem;
use crate::robot::{RobotEmotions, RobotResponse, RobotState};

/// One person in a picture of a sequence.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct PersonReport {
    /// The face, with the probabilities after smoothing over time.
    #[serde(flatten)]
    pub face: FaceReport,
    /// The probability of every label in this picture alone.
    pub instant_probabilities: BTreeMap<String, f32>,
    /// When the face was first seen, in the time of the pictures.
    pub first_seen_secs: f64,
    /// Why: one map for each label that was asked for.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub heat: Vec<HeatReport>,
}

impl PersonReport {
    /// Reports a person in a frame of this size.
    pub fn new(person: &Person, labels: &LabelSet, width_px: u32, height_px: u32) -> Self {
        Self {
            face: FaceReport::new(person, labels, width_px, height_px),
            instant_probabilities: probabilities(&person.instant_probabilities, labels),
            first_seen_secs: person.first_seen.as_secs_f64(),
            heat: Vec::new(),
        }
    }
}

/// Which parts of a face spoke for a label: its class activation map.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct HeatReport {
    /// The label.
    pub label: String,
    /// From pixels of the crop to pixels of the picture: `x' = a x - b y + tx`, `y' = b x + a y + ty`.
    pub crop_to_image: TransformReport,
    /// Side of the crop in pixels. The map covers all of it.
    pub crop_side_px: usize,
    /// Rows of the map.
    pub rows: usize,
    /// Columns of the map.
    pub columns: usize,
    /// Row by row, as a share of the map's greatest magnitude: what speaks for the label is above 0,
    /// what speaks against it below; -1 to 1.
    pub values: Vec<f32>,
}

/// A rotation, a uniform scale and a shift: `x' = a x - b y + tx`, `y' = b x + a y + ty`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, ToSchema)]
pub struct TransformReport {
    /// Scale times the cosine of the rotation.
    pub a: f32,
    /// Scale times the sine of the rotation.
    pub b: f32,
    /// Shift to the right.
    pub tx: f32,
    /// Shift down.
    pub ty: f32,
}

impl HeatReport {
    /// The map of one label; nothing if the model does not have it.
    pub fn new(explanation: &Explanation, label: Emotion) -> Option<Self> {
        let map = explanation.maps.of(label)?;
        let (rows, columns) = map.dim();
        let most = map.iter().fold(0.0_f32, |most, value| most.max(value.abs()));
        let share = |value: &f32| if most > 0.0 { value / most } else { 0.0 };
        let transform = explanation.crop_to_image;
        Some(Self {
            label: label.to_string(),
            crop_to_image: TransformReport {
                a: transform.a,
                b: transform.b,
                tx: transform.tx,
                ty: transform.ty,
            },
            crop_side_px: explanation.crop_side_px,
            rows,
            columns,
            values: map.iter().map(share).collect(),
        })
    }
}

/// Where the time of one picture went, in milliseconds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, ToSchema)]
pub struct TimingsReport {
    /// Waiting for a free processor.
    pub queued: f64,
    /// Decompressing the picture.
    pub decode: f64,
    /// Finding faces.
    pub detect: f64,
    /// Confirming faces and finding landmarks.
    pub verify: f64,
    /// Following and cutting out.
    pub crop: f64,
    /// Classifying and smoothing.
    pub classify: f64,
    /// From the free processor to the result: the pipeline's own time.
    pub total: f64,
}

/// What one picture of a session showed.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct ObservationReport {
    /// Which picture of the session, counted from 1.
    pub number: u64,
    /// The time of the picture in seconds: the client's own, or since the session began.
    pub time_secs: f64,
    /// Width of the picture in pixels, upright.
    pub width: u32,
    /// Height of the picture in pixels, upright.
    pub height: u32,
    /// Who is in view, longest known first.
    pub people: Vec<PersonReport>,
    /// Where the time went.
    pub timings_ms: TimingsReport,
}

/// What the server sends over WebSocket `live`.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum LiveMessage {
    /// The session begins.
    Hello {
        /// Which session since the start of the server.
        session: u64,
        /// The labels of the model, in its order.
        labels: Vec<String>,
        /// Whether an operator paused the analysis.
        paused: bool,
    },
    /// The answer to a picture.
    Observation(Box<ObservationReport>),
    /// The answer to a picture or message that could not be used. The session goes on.
    Problem(ProblemMessage),
    /// An operator paused the analysis, or let it go on.
    Paused {
        /// Whether it is paused.
        paused: bool,
    },
    /// The answer to `consent`: from now on faces are kept, of whoever is alone in view next.
    Consent {
        /// The code that withdraws it, for the person and nobody else.
        code: String,
        /// The last day on which the faces are kept, `2026-12-04`.
        until: String,
    },
    /// Whether the person who consented is in view alone: else nothing is kept. Sent when it changes.
    Consenting {
        /// Who is in view.
        view: ConsentView,
    },
    /// A face was kept.
    Kept {
        /// How many of this consent are kept now.
        faces: u64,
    },
    /// The consent is over: no more faces are kept. Those that are stay, unless they are withdrawn.
    ConsentEnded {
        /// Why.
        reason: ConsentEnd,
        /// How many faces of it were kept.
        faces: u64,
    },
}

/// Who is in view while a consent lasts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ConsentView {
    /// Nobody, or not the person who consented.
    Nobody,
    /// The person who consented, alone.
    Alone,
    /// Somebody who did not consent.
    Others,
}

/// Why a consent is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ConsentEnd {
    /// The person ended it.
    Ended,
    /// The person went out of view, or nobody came into it.
    Left,
    /// It lasted as long as one may.
    Time,
    /// It was withdrawn.
    Withdrawn,
    /// Faces can no longer be kept; the server's log says why.
    Failed,
}

/// A problem document inside a message, whose `type` says what message it is.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct ProblemMessage {
    /// Which kind of problem: the `type` of the document.
    pub problem: &'static str,
    /// The kind in words.
    pub title: &'static str,
    /// The HTTP status that it would have.
    pub status: u16,
    /// This very problem, in a sentence.
    pub detail: String,
    /// What was found.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub found: Option<String>,
    /// What is allowed instead.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub allowed: Option<String>,
    /// Seconds after which to try again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retry_after_secs: Option<u32>,
}

impl From<Problem> for ProblemMessage {
    fn from(problem: Problem) -> Self {
        let Problem { kind, title, status, detail, found, allowed, retry_after_secs } = problem;
        Self { problem: kind, title, status, detail, found, allowed, retry_after_secs }
    }
}

/// What a client sends over WebSocket `live` beside pictures, which are binary.
#[derive(Debug, Clone, PartialEq, Deserialize, ToSchema)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub enum LiveRequest {
    /// About the picture that comes next.
    Picture {
        /// Its time in seconds on the client's own clock, such as that of a video.
        time_secs: Option<f64>,
        /// What else is wanted: `heat:LABEL` for the class activation map of a label.
        #[serde(default)]
        want: Vec<String>,
    },
    /// Forget everybody: another video begins.
    Reset,
    /// The person at this page agrees that faces of theirs are kept: an act of their own, and never
    /// of a program.
    Consent,
    /// The person at this page wants no more faces kept.
    EndConsent,
}

/// What the server sends over WebSocket `watch` and as events.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum WatchMessage {
    /// The first message: the robots known.
    Hello {
        /// The robots and how they are.
        robots: Vec<NamedRobot>,
        /// Whether no pictures are sent at all.
        numbers_only: bool,
    },
    /// How a robot is.
    Robot {
        /// Which one.
        robot: String,
        /// How it is.
        state: RobotState,
    },
    /// A robot has left.
    Gone {
        /// Which one.
        robot: String,
    },
    /// What a robot's camera showed.
    Emotions {
        /// Which robot.
        robot: String,
        /// What.
        #[serde(flatten)]
        emotions: RobotEmotions,
    },
    /// What a robot did.
    Response {
        /// Which robot.
        robot: String,
        /// What and why.
        #[serde(flatten)]
        response: RobotResponse,
    },
    /// The next message is a binary one: this picture, JPEG.
    Picture {
        /// Which robot.
        robot: String,
        /// Stamp of the image in seconds.
        stamp_secs: f64,
        /// Width in pixels.
        width: u32,
        /// Height in pixels.
        height: u32,
    },
    /// So many messages were lost, because this viewer reads too slowly.
    Lost {
        /// How many.
        messages: u64,
    },
    /// A message that could not be used.
    Problem(ProblemMessage),
    /// An operator paused this server's own analysis, or let it go on.
    Paused {
        /// Whether it is paused.
        paused: bool,
    },
}

/// What a client sends over WebSocket `watch`.
#[derive(Debug, Clone, PartialEq, Deserialize, ToSchema)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub enum WatchRequest {
    /// Begin or end to look at the pictures of a robot.
    Look {
        /// Which robot.
        robot: String,
        /// Whether pictures are wanted.
        pictures: bool,
    },
    /// The last picture was shown: the next one may come.
    Ready,
}
