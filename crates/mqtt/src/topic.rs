//! Topics and what is sent on them.

use rapport_journal::{BucketContent, BucketFigures};
use serde::{Deserialize, Serialize};

/// Whether a robot is online: what `rapport/NAME/status` holds, retained.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Presence {
    /// Whether it is.
    pub online: bool,
    /// Version of the program.
    pub version: String,
}

impl Presence {
    pub(crate) fn json(online: bool) -> Vec<u8> {
        let presence = Self { online, version: env!("CARGO_PKG_VERSION").to_owned() };
        // A flag and a text always become JSON.
        serde_json::to_vec(&presence).unwrap_or_default()
    }
}

/// Of the robot's presence.
pub(crate) fn status(topic: &str, name: &str) -> String {
    format!("{topic}/{name}/status")
}

/// Of a bucket.
pub(crate) fn bucket(topic: &str, name: &str, bucket: &BucketFigures) -> String {
    let kind = match &bucket.content {
        BucketContent::Visits(_) => "visits",
        BucketContent::Answers(_) => "answers",
        BucketContent::Ratings(_) => "ratings",
        BucketContent::Health(_) => "health",
    };
    let place = level(bucket.place.trim_matches('/'));
    let place = if place.is_empty() { "_" } else { &place };
    format!("{topic}/{name}/{place}/{kind}")
}

/// One level of a topic: a place of a robot may be called `/left`.
pub(crate) fn level(name: &str) -> String {
    let is_reserved = |letter: char| "/+#$".contains(letter) || letter.is_control();
    name.chars().map(|letter| if is_reserved(letter) { '_' } else { letter }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_one_level() {
        for (place, expected) in [
            ("lobby", "rapport/r2/lobby/health"),
            ("/left", "rapport/r2/left/health"),
            ("/hall/left", "rapport/r2/hall_left/health"),
            ("/", "rapport/r2/_/health"),
            ("a+b#\0", "rapport/r2/a_b__/health"),
        ] {
            let figures = BucketFigures {
                place: place.to_owned(),
                from_secs: 0,
                to_secs: 900,
                content: BucketContent::Health(Default::default()),
            };
            assert_eq!(bucket("rapport", "r2", &figures), expected);
        }
    }
}
