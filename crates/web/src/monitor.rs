//! Watches the journal, the robots and the broker: figures for `/metrics`, and alerts.
//!
//! ```text
//! finished buckets ---> figures -> metrics
//! drift, estimate  --/        \-> rules -> log, journal/status, diagnostics, webhook
//! writer, robots, broker --------/
//! ```
//!
//! Everything about visits comes from finished buckets, so nothing here rests on fewer than ten.

mod figures;
mod rules;
mod watch;
mod webhook;

use std::sync::{Mutex, MutexGuard, PoisonError};

pub use figures::{PlaceFigures, Totals};
pub use rules::Kind;
pub(crate) use watch::{listen, watch};
pub use webhook::{Webhook, WebhookError, WebhookStatus};

use crate::journal::Alert;
use figures::Figures;
use rules::Standing;

/// What the watching has found so far.
#[derive(Debug, Default)]
pub struct Monitor {
    figures: Mutex<Figures>,
    standing: Mutex<Standing>,
}

impl Monitor {
    /// The alerts that stand, the gravest first.
    pub fn alerts(&self) -> Vec<Alert> {
        self.standing().alerts()
    }

    /// What is known of each place.
    pub fn places(&self) -> Vec<(String, PlaceFigures)> {
        self.figures().places()
    }

    /// After a panic of another thread what is inside is still whole.
    fn figures(&self) -> MutexGuard<'_, Figures> {
        self.figures.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn standing(&self) -> MutexGuard<'_, Standing> {
        self.standing.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
