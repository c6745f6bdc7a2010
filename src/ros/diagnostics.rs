//! What perception_node reports on `/diagnostics`: once a second, how it is doing.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use r2r::Node;
use tokio::sync::watch;
use tokio::time::{MissedTickBehavior, interval};

use super::clock::RosClock;
use super::image_topic::ImageTopic;
use super::intake::IntakeStatus;
use super::lifecycle::{State, StateView};
use super::lock::lock;
use super::stats::{Counts, STAGES, Stats};
use super::status::{ERROR, EXPRESSIONS, OK, PERIOD, Status, StatusPublisher, WARN, key, value};
use super::switch::Switch;
use rapport_perception::onnx;

/// From which share of dropped images on that is a warning.
const MANY_DROPPED: f64 = 0.05;

/// What was loaded, for those who maintain the robot.
#[derive(Debug, Clone, Default)]
pub struct Loaded {
    /// The emotion network's file; empty before it is loaded.
    pub model: String,
    /// Threads that ONNX Runtime computes with.
    pub threads: u64,
    /// Why the last attempt to configure the node failed.
    pub failure: Option<String>,
}

/// What the diagnostics report.
pub struct Sources {
    /// The camera's topic.
    pub topic: ImageTopic,
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
}

/// The task that publishes diagnostics.
pub struct Diagnostics {
    publisher: StatusPublisher,
    sources: Sources,
}

impl Diagnostics {
    /// Advertises `/diagnostics`.
    ///
    /// # Errors
    /// If the node cannot have it.
    pub fn start(node: &mut Node, clock: RosClock, sources: Sources) -> r2r::Result<Self> {
        Ok(Self { publisher: StatusPublisher::start(node, clock, EXPRESSIONS)?, sources })
    }

    /// Publishes until the node ends.
    pub async fn run(mut self) {
        let mut tick = interval(PERIOD);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tick.tick().await;
            let status = self.status();
            self.publisher.publish(status);
        }
    }

    fn status(&self) -> Status {
        let Sources { topic, switch, state, loaded, stats, intake } = &self.sources;
        let (switch, state) = (*switch.borrow(), state.get());
        let (loaded, intake) = (lock(loaded).clone(), lock(intake).clone());
        let mut stats = lock(stats);
        let (lately, secs) = stats.lately(Instant::now());
        let rate = |count: u64| if secs > 0.0 { count as f64 / secs } else { 0.0 };
        let summary = Summary {
            state,
            enabled: switch.enabled,
            failure: loaded.failure.as_deref(),
            silence: intake.silence.as_deref(),
            problem: stats.last_problem.as_deref(),
            lately,
            rate: rate(lately.processed),
        };
        let (level, message) = summary.judge();

        // Dashboards look values up by these keys: they stay as they are.
        let mut values = vec![
            value("state", state.label()),
            value(key::ENABLED, switch.enabled),
            value(key::IMAGE_TOPIC, &topic.name),
            value(key::IMAGE_TRANSPORT, topic.transport.name()),
            value("images received per second", format!("{:.1}", rate(lately.received))),
            value(key::RATE, format!("{:.1}", rate(lately.processed))),
            value("images received", stats.counts.received),
            value("images answered", stats.counts.processed),
            value(key::DROPPED, stats.counts.dropped),
            value("images passed over", stats.counts.skipped),
            value("people in view", stats.people),
        ];
        if let Some(stamp) = stats.last_stamp {
            let age = self.publisher.clock().now().as_secs_f64() - stamp.as_secs_f64();
            values.push(value("age of the last frame (s)", format!("{age:.3}")));
        }
        if let Some(stages) = stats.stages() {
            for (stage, times) in STAGES.iter().zip(stages) {
                let ms = |time: Duration| format!("{:.2}", time.as_secs_f64() * 1e3);
                values.push(value(&format!("{stage} p50 (ms)"), ms(times.p50)));
                values.push(value(&format!("{stage} p95 (ms)"), ms(times.p95)));
            }
        }
        values.push(value("model", &loaded.model));
        values.push(value(
            "ONNX Runtime",
            onnx::runtime_version().as_deref().unwrap_or("not loaded"),
        ));
        values.push(value("threads", loaded.threads));
        Status { level, message, hardware_id: topic.name.clone(), values }
    }
}

/// What decides how the node is doing.
struct Summary<'a> {
    state: State,
    enabled: bool,
    failure: Option<&'a str>,
    silence: Option<&'a str>,
    problem: Option<&'a str>,
    lately: Counts,
    rate: f64,
}

impl Summary<'_> {
    /// Level and message, the gravest reason first.
    fn judge(&self) -> (u8, String) {
        if let (State::Unconfigured, Some(failure)) = (self.state, self.failure) {
            return (ERROR, format!("not configured: {failure}"));
        }
        if self.state != State::Active {
            return (OK, self.state.label().to_owned());
        }
        if !self.enabled {
            return (OK, "disabled by the service `enable`".to_owned());
        }
        if let Some(silence) = self.silence {
            return (WARN, silence.to_owned());
        }
        let Counts { received, dropped, skipped, .. } = self.lately;
        if skipped > 0 {
            let problem = self.problem.unwrap_or("see the log");
            return (WARN, format!("{skipped} of {received} images skipped: {problem}"));
        }
        if dropped as f64 > MANY_DROPPED * received as f64 {
            let message = format!("{dropped} of {received} images dropped: they come too fast");
            return (WARN, message);
        }
        (OK, format!("{:.1} images processed per second", self.rate))
    }
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
            problem: None,
            lately: Counts { received: 100, processed: 98, dropped: 2, skipped: 0 },
            rate: 29.96,
        }
    }

    #[test]
    fn the_gravest_reason_decides() {
        assert_eq!(summary().judge(), (OK, "30.0 images processed per second".to_owned()));
        let lately = Counts { received: 100, processed: 50, dropped: 50, skipped: 0 };
        let (level, message) = Summary { lately, ..summary() }.judge();
        assert_eq!((level, &*message), (WARN, "50 of 100 images dropped: they come too fast"));
        let lately = Counts { skipped: 3, ..lately };
        let (level, message) = Summary { lately, problem: Some("why"), ..summary() }.judge();
        assert_eq!((level, &*message), (WARN, "3 of 100 images skipped: why"));
        let (level, _) = Summary { silence: Some("no image"), ..summary() }.judge();
        assert_eq!(level, WARN);
        let (level, _) = Summary { enabled: false, silence: Some("x"), ..summary() }.judge();
        assert_eq!(level, OK);
        let failed = Summary { state: State::Unconfigured, failure: Some("no model"), ..summary() };
        let expected = (ERROR, "not configured: no model".to_owned());
        assert_eq!(failed.judge(), expected);
    }
}
