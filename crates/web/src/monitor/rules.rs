//! When an alert is raised, and when it is over. No clock, no disk: what is the case comes in.

use std::collections::BTreeMap;
use std::time::Duration;

use rapport_journal::{Drift, DriftLevel, WriterStatus};
use rapport_mqtt::MqttStatus;

use super::figures::PlaceFigures;
use crate::journal::Alert;
use crate::robot::{Level, RobotState};

/// What an alert is about, the gravest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// The journal cannot be written: what is finished waits, and is lost with the program.
    JournalNotWritten,
    /// A robot's perception gets or processes no images.
    NoImages,
    /// A robot or the program reports errors.
    Errors,
    /// The broker cannot be reached: finished buckets wait.
    MqttAway,
    /// What the camera sees is far from the place's first week.
    Drift,
}

impl Kind {
    /// Its name in the API, the metrics and the webhook.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::JournalNotWritten => "journal_not_written",
            Self::NoImages => "no_images",
            Self::Errors => "errors",
            Self::MqttAway => "mqtt_away",
            Self::Drift => "drift",
        }
    }

    /// For how long it must be the case. What passes by itself is no alert.
    const fn hold(self) -> Duration {
        match self {
            Self::JournalNotWritten | Self::Drift => Duration::ZERO,
            Self::Errors => Duration::from_secs(30),
            Self::NoImages => Duration::from_secs(60),
            Self::MqttAway => Duration::from_secs(300),
        }
    }
}

/// What is the case now.
pub(super) struct Observed<'a> {
    pub(super) writer: Option<&'a WriterStatus>,
    pub(super) places: &'a [(String, PlaceFigures)],
    /// Each with the place that its robot is.
    pub(super) robots: &'a [(String, RobotState)],
    pub(super) mqtt: Option<&'a MqttStatus>,
}

/// An alert: what and where.
type Key = (Kind, Option<String>);

/// What stands or may stand soon.
#[derive(Debug, Default)]
pub(super) struct Standing {
    alerts: BTreeMap<Key, Seen>,
}

#[derive(Debug)]
struct Seen {
    /// Since 1970 began in UTC.
    since: Duration,
    sentence: String,
    is_raised: bool,
}

/// A change of what stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Change {
    Raised(Alert),
    Cleared(Alert),
}

impl Standing {
    /// The alerts that stand, the gravest first.
    pub(super) fn alerts(&self) -> Vec<Alert> {
        let raised = self.alerts.iter().filter(|(_, seen)| seen.is_raised);
        raised.map(|(key, seen)| alert(key, seen)).collect()
    }

    /// Takes in what is the case now; gives what changed by that. `now`: since 1970 began in UTC.
    pub(super) fn update(&mut self, now: Duration, observed: &Observed<'_>) -> Vec<Change> {
        let mut cases = BTreeMap::<Key, String>::new();
        self.judge(observed, |kind, place, sentence| {
            cases.entry((kind, place)).or_insert(sentence);
        });
        let mut changes = Vec::new();
        self.alerts.retain(|key, seen| {
            let is_over = !cases.contains_key(key);
            if is_over && seen.is_raised {
                changes.push(Change::Cleared(alert(key, seen)));
            }
            !is_over
        });
        for (key, sentence) in cases {
            let first = Seen { since: now, sentence: String::new(), is_raised: false };
            let seen = self.alerts.entry(key.clone()).or_insert(first);
            seen.sentence = sentence;
            if !seen.is_raised && now.saturating_sub(seen.since) >= key.0.hold() {
                seen.is_raised = true;
                changes.push(Change::Raised(alert(&key, seen)));
            }
        }
        changes
    }

    fn judge(&self, observed: &Observed<'_>, mut case: impl FnMut(Kind, Option<String>, String)) {
        if let Some(error) = observed.writer.and_then(|writer| writer.error.as_ref()) {
            case(Kind::JournalNotWritten, None, format!("The journal is not written: {error}."));
        }
        if let Some(mqtt) = observed.mqtt.filter(|mqtt| !mqtt.connected) {
            let reason = mqtt.error.as_deref().unwrap_or("no answer yet");
            let waiting = mqtt.waiting;
            let sentence = format!(
                "The MQTT broker cannot be reached, and {waiting} finished buckets wait: {reason}."
            );
            case(Kind::MqttAway, None, sentence);
        }
        for (place, robot) in observed.robots {
            let (place, sentence) = (Some(place.clone()), robot.sentence.clone());
            match robot.level {
                _ if robot.paused => {}
                Level::Error => case(Kind::Errors, place, sentence),
                Level::Stale => case(Kind::NoImages, place, sentence),
                Level::Ok | Level::Warn if robot.rate_per_sec == Some(0.0) => {
                    case(Kind::NoImages, place, sentence);
                }
                Level::Ok | Level::Warn => {}
            }
        }
        for (place, figures) in observed.places {
            if let Some((from, to, health)) = figures.newest_health
                && health.errors > 0
            {
                let (errors, minutes) = (health.errors, (to - from) / 60);
                let sentence = format!(
                    "{errors} errors in the newest bucket of {minutes} minutes; the log says which."
                );
                case(Kind::Errors, Some(place.clone()), sentence);
            }
            let Some(Drift::Measured { features, .. }) = &figures.drift else { continue };
            // What was large stays an alert until it is no drift at all, so that an index near the
            // border does not raise one each hour.
            let key = (Kind::Drift, Some(place.clone()));
            let stands = self.alerts.get(&key).is_some_and(|seen| seen.is_raised);
            let least = if stands { DriftLevel::Some } else { DriftLevel::Large };
            let worst = features
                .iter()
                .filter(|drift| drift.level >= least)
                .max_by(|a, b| a.stability_index.total_cmp(&b.stability_index));
            if let Some(drift) = worst {
                let name = feature_name(drift.feature);
                let (index, n) = (drift.stability_index, drift.n_now);
                let meaning = drift.meaning.unwrap_or_default();
                let sentence = format!(
                    "The {name} is far from the first week (stability index {index:.2} over {n} \
                     visits). {meaning}"
                );
                case(Kind::Drift, Some(place.clone()), sentence);
            }
        }
    }
}

/// In words.
pub(crate) const fn feature_name(feature: rapport_journal::Feature) -> &'static str {
    use rapport_journal::Feature;
    match feature {
        Feature::Confidence => "confidence of the labels",
        Feature::Expression => "mix of expressions",
        Feature::FaceSize => "size of the faces",
        Feature::Brightness => "brightness of the faces",
        Feature::Blur => "blur of the faces",
    }
}

fn alert((kind, place): &Key, seen: &Seen) -> Alert {
    Alert {
        kind: kind.as_str().to_owned(),
        place: place.clone(),
        since_secs: seen.since.as_secs() as i64,
        sentence: seen.sentence.clone(),
    }
}

#[cfg(test)]
mod tests {
    use rapport_journal::{Feature, FeatureDrift, HealthCounts};

    use super::*;

    fn observed<'a>(
        places: &'a [(String, PlaceFigures)],
        robots: &'a [(String, RobotState)],
    ) -> Observed<'a> {
        Observed { writer: None, places, robots, mqtt: None }
    }

    fn secs(secs: u64) -> Duration {
        Duration::from_secs(secs)
    }

    fn names(changes: &[Change]) -> Vec<(bool, &str)> {
        fn name(change: &Change) -> (bool, &str) {
            match change {
                Change::Raised(Alert { kind, .. }) => (true, kind.as_str()),
                Change::Cleared(Alert { kind, .. }) => (false, kind.as_str()),
            }
        }
        changes.iter().map(name).collect()
    }

    fn drifted(level: DriftLevel, stability_index: f64) -> (String, PlaceFigures) {
        let drift = FeatureDrift {
            feature: Feature::Brightness,
            stability_index,
            by_chance: 0.05,
            level,
            n_then: 200,
            n_now: 100,
            meaning: Some("The light changed."),
        };
        let drift = Drift::Measured { then_from_secs: 0, then_to_secs: 1, features: vec![drift] };
        ("lobby".to_owned(), PlaceFigures { drift: Some(drift), ..Default::default() })
    }

    #[test]
    fn drift_is_raised_once_and_over_when_it_is_none() {
        let mut standing = Standing::default();
        let mut at = |level, index| {
            let places = [drifted(level, index)];
            let changes = standing.update(secs(100), &observed(&places, &[]));
            (changes, standing.alerts().len())
        };
        assert_eq!(at(DriftLevel::Some, 0.2), (Vec::new(), 0));
        let (changes, standing_now) = at(DriftLevel::Large, 0.3);
        let [Change::Raised(alert)] = &changes[..] else { panic!("{changes:?}") };
        assert_eq!((alert.kind.as_str(), alert.place.as_deref()), ("drift", Some("lobby")));
        assert!(alert.sentence.contains("brightness of the faces is far"), "{}", alert.sentence);
        assert!(alert.sentence.contains("0.30 over 100 visits). The light"), "{}", alert.sentence);
        assert_eq!((standing_now, alert.since_secs), (1, 100));
        assert_eq!(at(DriftLevel::Some, 0.2), (Vec::new(), 1));
        assert_eq!(names(&at(DriftLevel::Stable, 0.05).0), [(false, "drift")]);
        assert_eq!(at(DriftLevel::Some, 0.2), (Vec::new(), 0));
    }

    #[test]
    fn a_robot_without_images_is_an_alert_after_a_minute_unless_it_is_paused() {
        let robot = |level, paused| {
            let sentence = "No images.".to_owned();
            [("left".to_owned(), RobotState { level, paused, sentence, ..Default::default() })]
        };
        let mut standing = Standing::default();
        let silent = robot(Level::Stale, false);
        assert!(standing.update(secs(0), &observed(&[], &silent)).is_empty());
        assert!(standing.update(secs(59), &observed(&[], &silent)).is_empty());
        // It recovers, and the minute begins anew.
        assert!(standing.update(secs(59), &observed(&[], &robot(Level::Ok, false))).is_empty());
        assert!(standing.update(secs(60), &observed(&[], &silent)).is_empty());
        let changes = standing.update(secs(120), &observed(&[], &silent));
        assert_eq!(names(&changes), [(true, "no_images")]);
        assert!(standing.update(secs(180), &observed(&[], &silent)).is_empty());
        let changes = standing.update(secs(181), &observed(&[], &robot(Level::Stale, true)));
        assert_eq!(names(&changes), [(false, "no_images")]);
        let failing = robot(Level::Error, false);
        standing.update(secs(200), &observed(&[], &failing));
        let changes = standing.update(secs(230), &observed(&[], &failing));
        assert_eq!(names(&changes), [(true, "errors")]);
    }

    #[test]
    fn a_journal_that_is_not_written_is_an_alert_at_once_and_the_gravest() {
        let mut standing = Standing::default();
        let writer = WriterStatus { error: Some("disk full".to_owned()), ..Default::default() };
        let mqtt = MqttStatus { waiting: 3, ..Default::default() };
        let health = HealthCounts { errors: 2, ..Default::default() };
        let figures = PlaceFigures { newest_health: Some((0, 900, health)), ..Default::default() };
        let places = [drifted(DriftLevel::Large, 0.4), ("exit".to_owned(), figures)];
        let all = Observed { writer: Some(&writer), mqtt: Some(&mqtt), ..observed(&places, &[]) };
        let changes = standing.update(secs(0), &all);
        assert_eq!(names(&changes), [(true, "journal_not_written"), (true, "drift")]);
        let changes = standing.update(secs(300), &all);
        assert_eq!(names(&changes), [(true, "errors"), (true, "mqtt_away")]);
        let alerts = standing.alerts();
        let kinds: Vec<&str> = alerts.iter().map(|alert| alert.kind.as_str()).collect();
        assert_eq!(kinds, ["journal_not_written", "errors", "mqtt_away", "drift"]);
        assert!(alerts[1].sentence.contains("2 errors in the newest bucket of 15 minutes"));
        assert_eq!(standing.update(secs(301), &observed(&[], &[])).len(), 4);
    }
}
