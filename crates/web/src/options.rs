//! What a server is told when it starts.

use std::path::PathBuf;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::feedback::FeedbackService;
use crate::journal::JournalService;
use crate::picture::Privacy;
use crate::tls::Certificate;
use crate::tokens::Tokens;

/// How the server behaves.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// The certificate; without one, no TLS.
    pub certificate: Option<Certificate>,
    /// The tokens that are asked for; without them everybody who reaches the server is its operator.
    pub tokens: Option<Tokens>,
    /// Names of the host by which browsers may ask for it, beside its addresses.
    pub hosts: Vec<String>,
    /// What pictures may show.
    pub privacy: Privacy,
    /// What is bounded, and where.
    pub limits: Limits,
    /// What the sign for guests says.
    pub notice: Notice,
    /// The pages come from this folder, instead of the program.
    pub assets: Option<PathBuf>,
    /// The journal that is kept; without one, none is.
    pub journal: Option<Arc<JournalService>>,
    /// The folder of feedback; without one, no face is kept.
    pub feedback: Option<Arc<FeedbackService>>,
}

/// Bounds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of a picture.
    pub picture_bytes: usize,
    /// Pixels of a picture.
    pub picture_pixels: usize,
    /// Bytes of a form with pictures.
    pub form_bytes: usize,
    /// Pictures in one request.
    pub pictures_per_request: usize,
    /// Requests that send pictures at a time.
    pub uploads: usize,
    /// Live sessions; fewer where the machine does not carry so many.
    pub live_sessions: usize,
    /// Viewers of robots and their events.
    pub viewers: usize,
    /// Open connections beside those of live sessions and viewers.
    pub connections: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            picture_bytes: 20 << 20,
            form_bytes: 64 << 20,
            // Takes 360 MB while it is decoded and turned.
            picture_pixels: 40_000_000,
            pictures_per_request: 32,
            uploads: 8,
            live_sessions: 32,
            viewers: 200,
            // With sessions and viewers below the 1024 files that a program may usually have open.
            connections: 700,
        }
    }
}

/// What the sign for guests says. Where something is left out, so does the sign.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Notice {
    /// Who runs it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub operator: Option<String>,
    /// What for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub purpose: Option<String>,
    /// Whom to ask.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub contact: Option<String>,
    /// Where it can be seen or read more.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub more: Option<String>,
}
