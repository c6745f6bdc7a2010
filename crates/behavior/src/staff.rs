//! Requests to the staff: one of each kind at a time, until somebody acknowledges it.

use std::time::Duration;

/// Asks a person of the staff to come and look. It says where and what kind of thing, never what
/// anyone feels.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StaffRequest {
    /// Names it while the engine lives.
    pub id: String,
    /// Name of the rule that asks.
    pub rule: String,
    /// Where the robot is, as the policy names it.
    pub place: String,
    /// What kind of thing.
    pub kind: String,
    /// Whether somebody has acknowledged it.
    pub acknowledged: bool,
}

/// The most requests that are open at once.
const MAX_OPEN: usize = 8;

/// The most kinds whose last request is remembered; a policy has no more rules.
const MAX_KINDS: usize = 64;

/// The requests that are open, and when each kind was last made.
#[derive(Debug, Default)]
pub(super) struct Desk {
    open: Vec<StaffRequest>,
    made: Vec<(String, Duration)>,
    count: u64,
}

impl Desk {
    /// Whether a request of this kind may be made now.
    pub fn may_ask(&self, kind: &str, pause: Duration, now: Duration) -> bool {
        self.open.len() < MAX_OPEN
            && !self.open.iter().any(|request| request.kind == kind)
            && !self.made.iter().any(|(made, at)| made == kind && now.saturating_sub(*at) < pause)
    }

    /// Makes a request.
    pub fn ask(&mut self, rule: &str, place: &str, kind: &str, now: Duration) -> StaffRequest {
        self.count += 1;
        let request = StaffRequest {
            id: format!("staff_{}", self.count),
            rule: rule.to_owned(),
            place: place.to_owned(),
            kind: kind.to_owned(),
            acknowledged: false,
        };
        self.made.retain(|(made, _)| made != kind);
        self.made.push((kind.to_owned(), now));
        if self.made.len() > MAX_KINDS {
            self.made.remove(0);
        }
        self.open.push(request.clone());
        request
    }

    /// The requests that nobody has acknowledged.
    pub fn open(&self) -> &[StaffRequest] {
        &self.open
    }

    /// Closes all open requests and returns them, acknowledged.
    pub fn acknowledge(&mut self) -> Vec<StaffRequest> {
        let open = std::mem::take(&mut self.open);
        open.into_iter().map(|request| StaffRequest { acknowledged: true, ..request }).collect()
    }
}
