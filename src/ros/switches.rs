//! What was switched on or off, by what and when: for the log and for `/diagnostics`.
//!
//! A process is one node, so there is one list.

use std::collections::VecDeque;
use std::sync::Mutex;
use std::time::SystemTime;

use super::lock::lock;

/// How many are kept for `/diagnostics`; the log has them all.
const KEPT: usize = 5;

static SWITCHES: Mutex<VecDeque<String>> = Mutex::new(VecDeque::new());

/// Logs a switch and keeps it with the time of day.
pub fn say(line: &str) {
    tracing::info!("{line}");
    let now = humantime::format_rfc3339_seconds(SystemTime::now());
    let mut switches = lock(&SWITCHES);
    switches.push_front(format!("{now} {line}"));
    switches.truncate(KEPT);
}

/// The last ones, the newest first, each with the time of day in UTC.
pub fn last() -> Vec<String> {
    lock(&SWITCHES).iter().cloned().collect()
}
