//! How the perception node is doing, for `/diagnostics`.

use std::sync::{Arc, Mutex};
use std::time::Instant;

use tokio::sync::watch;

use crate::ros::clock::RosClock;
use crate::ros::diagnostics::{Health, Level, Report};
use crate::ros::intake::IntakeStatus;
use crate::ros::lifecycle::{State, StateView};
use crate::ros::lock::lock;
use crate::ros::namesake::Problem;
use crate::ros::parameters::Parameters;
use crate::ros::stats::{Counts, STAGES, Stats};
use crate::ros::status::key;
use crate::ros::switch::Switch;
use crate::ros::switches;
use rapport_perception::onnx;

/// From which share of dropped images on that is a warning.
const MANY_DROPPED: f64 = 0.05;

/// From which share of images that are lost on their way on that is an error.
const MOST_LOST: f64 = 0.5;

/// What was loaded, for those who maintain the robot.
#[derive(Debug, Clone, Default)]
pub struct Loaded {
    /// The emotion network's file; empty before it is loaded.
    pub model: String,
    /// The calibration's file, with its revision; empty where there is none.
    pub calibration: String,
    /// Threads that ONNX Runtime computes with.
    pub threads: u64,
    /// Why the last attempt to configure the node failed.
    pub failure: Option<String>,
}

/// What is reported.
pub struct PerceptionHealth {
    /// Where images come from.
    pub topic: String,
    /// How: `raw` or `compressed`.
    pub transport: &'static str,
    /// With `ignore_zones`.
    pub parameters: Parameters,
    /// Whether images are wanted.
    pub switch: watch::Receiver<Switch>,
    /// Where the node stands.
    pub state: StateView,
    /// What was loaded.
    pub loaded: Arc<Mutex<Loaded>>,
    /// What was counted.
    pub stats: Arc<Mutex<Stats>>,
    /// What the intake noticed.
    pub intake: Arc<Mutex<IntakeStatus>>,
    /// Another node of the same name.
    pub namesake: Problem,
}

impl Health for PerceptionHealth {
    fn report(&mut self, clock: &RosClock) -> Report {
        let Self { topic, transport, parameters, switch, state, loaded, stats, intake, namesake } =
            self;
        let (switch, state) = (*switch.borrow(), state.get());
        let (loaded, intake) = (lock(loaded).clone(), lock(intake).clone());
        let namesake = lock(namesake).clone();
        let mut stats = lock(stats);
        let now = Instant::now();
        let (lately, secs) = stats.lately(now);
        let rate = |count: u64| if secs > 0.0 { count as f64 / secs } else { 0.0 };
        let summary = Summary {
            state,
            enabled: switch.enabled,
            failure: loaded.failure.as_deref(),
            silence: intake.silence.as_deref(),
            loss: intake.loss.as_ref().map(|(line, share)| (&**line, *share)),
            namesake: namesake.as_deref(),
            problem: stats.last_problem.as_deref(),
            lately,
            before: stats.before(now),
            rate: rate(lately.processed),
        };
        let (level, message) = summary.judge();

        let mut report = Report { level, message, hardware_id: topic.clone(), values: Vec::new() };
        report.value("state", state.label());
        report.value(key::ENABLED, switch.enabled);
        report.value(key::IMAGE_TOPIC, &*topic);
        report.value(key::IMAGE_TRANSPORT, *transport);
        let zones = parameters.values().texts("ignore_zones").join(key::ZONE_SEPARATOR);
        report.value(key::ZONES, zones);
        report.value("images received per second", format!("{:.1}", rate(lately.received)));
        report.value(key::RATE, format!("{:.1}", rate(lately.processed)));
        report.value("images searched per second", format!("{:.1}", rate(lately.searched)));
        report.value("images received", stats.counts.received);
        report.value("images answered", stats.counts.processed);
        report.value("images lost", intake.lost);
        report.value(key::DROPPED, stats.counts.dropped);
        report.value("images skipped", stats.counts.skipped);
        report.value("people in view", stats.people);
        if let Some(stamp) = stats.last_stamp {
            let age = clock.now().as_secs_f64() - stamp.as_secs_f64();
            report.value("age of the last frame (s)", format!("{age:.3}"));
        }
        if let Some(stages) = stats.stages() {
            for (stage, times) in STAGES.iter().zip(stages) {
                let ms = |time: std::time::Duration| format!("{:.2}", time.as_secs_f64() * 1e3);
                report.value(format!("{stage} p50 (ms)"), ms(times.p50));
                report.value(format!("{stage} p95 (ms)"), ms(times.p95));
            }
        }
        report.value("model", &loaded.model);
        if !loaded.calibration.is_empty() {
            report.value("calibration", &loaded.calibration);
        }
        report.value("ONNX Runtime", onnx::runtime_version().as_deref().unwrap_or("not loaded"));
        report.value("threads", loaded.threads);
        for (name, line) in ["last switch", "switch before"].into_iter().zip(switches::last()) {
            report.value(name, line);
        }
        report
    }
}

/// What decides how the node is doing.
struct Summary<'a> {
    state: State,
    enabled: bool,
    failure: Option<&'a str>,
    silence: Option<&'a str>,
    loss: Option<(&'a str, f64)>,
    namesake: Option<&'a str>,
    problem: Option<&'a str>,
    /// In the last seconds.
    lately: Counts,
    /// In as many seconds before these.
    before: Counts,
    rate: f64,
}

impl Summary<'_> {
    /// Level and message, the gravest reason first.
    fn judge(&self) -> (Level, String) {
        if let (State::Unconfigured, Some(failure)) = (self.state, self.failure) {
            return (Level::Error, format!("not configured: {failure}"));
        }
        if self.state != State::Active {
            return (Level::Ok, self.state.label().to_owned());
        }
        if !self.enabled {
            return (Level::Ok, "disabled by the service `enable`".to_owned());
        }
        if let Some(silence) = self.silence {
            return (Level::Warn, silence.to_owned());
        }
        if let Some((loss, share)) = self.loss {
            let level = if share > MOST_LOST { Level::Error } else { Level::Warn };
            return (level, loss.to_owned());
        }
        if let Some(namesake) = self.namesake {
            return (Level::Warn, namesake.to_owned());
        }
        let Counts { received, dropped, skipped, .. } = self.lately;
        if skipped > 0 {
            let problem = self.problem.unwrap_or("see the log");
            return (Level::Warn, format!("{skipped} of {received} images skipped: {problem}"));
        }
        // A machine that was busy for a moment is none to be warned of.
        if drops_many(&self.lately) && drops_many(&self.before) {
            let message = format!("{dropped} of {received} images dropped: they come too fast");
            return (Level::Warn, message);
        }
        (Level::Ok, format!("{:.1} images processed per second", self.rate))
    }
}

fn drops_many(counts: &Counts) -> bool {
    counts.dropped as f64 > MANY_DROPPED * counts.received as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn summary() -> Summary<'static> {
        Summary {
            state: State::Active,
            enabled: true,
            failure: None,
            silence: None,
            loss: None,
            namesake: None,
            problem: None,
            lately: Counts { received: 100, processed: 98, searched: 10, dropped: 2, skipped: 0 },
            before: Counts { received: 100, processed: 98, searched: 10, dropped: 2, skipped: 0 },
            rate: 29.96,
        }
    }

    #[test]
    fn the_gravest_reason_decides() {
        assert_eq!(summary().judge(), (Level::Ok, "30.0 images processed per second".to_owned()));
        let lately = Counts { received: 100, processed: 50, searched: 10, dropped: 50, skipped: 0 };
        assert_eq!(Summary { lately, ..summary() }.judge().0, Level::Ok, "a short dip");
        let (level, message) = Summary { lately, before: lately, ..summary() }.judge();
        assert_eq!(
            (level, &*message),
            (Level::Warn, "50 of 100 images dropped: they come too fast")
        );
        let lost = |share| Summary { loss: Some(("lost", share)), ..summary() }.judge().0;
        assert_eq!((lost(0.4), lost(0.6)), (Level::Warn, Level::Error));
        assert_eq!(Summary { namesake: Some("two"), ..summary() }.judge().0, Level::Warn);
        let lately = Counts { skipped: 3, ..lately };
        let (level, message) = Summary { lately, problem: Some("why"), ..summary() }.judge();
        assert_eq!((level, &*message), (Level::Warn, "3 of 100 images skipped: why"));
        let (level, _) = Summary { silence: Some("no image"), ..summary() }.judge();
        assert_eq!(level, Level::Warn);
        let (level, _) = Summary { enabled: false, silence: Some("x"), ..summary() }.judge();
        assert_eq!(level, Level::Ok);
        let failed = Summary { state: State::Unconfigured, failure: Some("no model"), ..summary() };
        let expected = (Level::Error, "not configured: no model".to_owned());
        assert_eq!(failed.judge(), expected);
    }
}
