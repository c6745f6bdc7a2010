//! How a robot is, by what its nodes reported and when.

use std::time::{Duration, Instant};

use rapport_web::robot::{Level, Model, Policy, RobotState};

use super::report::{PerceptionReport, Report};

/// A node that reports every second is silent after this long.
pub const SILENT: Duration = Duration::from_millis(3500);

/// What was heard of a robot.
#[derive(Debug)]
pub struct Health {
    robot: String,
    since: Instant,
    perception: Option<Heard<PerceptionReport>>,
    behavior: Option<Heard<Policy>>,
    emotions: Option<Instant>,
    /// Why the newest emotion message could not be read.
    unread: Option<String>,
    model: Option<Model>,
    /// Whether `emotions` has a publisher.
    published: bool,
}

#[derive(Debug)]
struct Heard<T> {
    what: T,
    at: Instant,
}

impl<T> Heard<T> {
    fn silent(&self, now: Instant) -> Option<Duration> {
        let silent = now.saturating_duration_since(self.at);
        (silent >= SILENT).then_some(silent)
    }
}

impl Health {
    /// Of a robot that was not heard before.
    pub fn of(robot: &str, now: Instant) -> Self {
        Self {
            robot: robot.to_owned(),
            since: now,
            perception: None,
            behavior: None,
            emotions: None,
            unread: None,
            model: None,
            published: false,
        }
    }

    /// A node reported.
    pub fn hear(&mut self, report: Report, now: Instant) {
        match report {
            Report::Perception(what) => self.perception = Some(Heard { what, at: now }),
            Report::Behavior(what) => self.behavior = Some(Heard { what, at: now }),
        }
    }

    /// An emotion message came: the model it is of, or why it cannot be read.
    pub fn hear_emotions(&mut self, model: Result<Model, String>, now: Instant) {
        self.emotions = Some(now);
        match model {
            Ok(model) => (self.model, self.unread) = (Some(model), None),
            Err(why) => self.unread = Some(why),
        }
    }

    /// Whether `emotions` has a publisher.
    pub fn see_publisher(&mut self, published: bool) {
        self.published = published;
    }

    /// perception_node said that images are allowed or not.
    pub fn set_enabled(&mut self, enabled: bool) {
        if let Some(heard) = &mut self.perception {
            heard.what.enabled = enabled;
        }
    }

    /// What perception_node reported last, if it is not silent since.
    pub fn perception(&self, now: Instant) -> Option<&PerceptionReport> {
        let heard = self.perception.as_ref()?;
        heard.silent(now).is_none().then_some(&heard.what)
    }

    /// Whether perception takes no images: an operator paused it here and that is not ended
    /// (`wanted` is false), or somebody else disabled it.
    pub fn is_paused(&self, wanted: Option<bool>) -> bool {
        let disabled = self.perception.as_ref().is_some_and(|heard| !heard.what.enabled);
        wanted.map_or(disabled, |enabled| !enabled)
    }

    /// The state as viewers get it.
    pub fn state(&self, wanted: Option<bool>, now: Instant) -> RobotState {
        let paused = self.is_paused(wanted);
        let Some(report) = self.perception(now) else {
            let (level, sentence) = self.silence(now);
            let again = if paused { "; it is paused, and will be when it returns" } else { "" };
            return RobotState {
                level,
                sentence: format!("{sentence}{again}"),
                paused,
                model: self.model.clone(),
                policy: self.policy(now),
                ..RobotState::default()
            };
        };
        let (level, sentence) = self.judge(report, paused, now);
        RobotState {
            level,
            sentence,
            paused,
            rate_per_sec: report.rate_per_sec,
            latency_p50_ms: report.latency_p50_ms,
            dropped: report.dropped,
            model: self.model.clone(),
            policy: self.policy(now),
        }
    }

    fn policy(&self, now: Instant) -> Option<Policy> {
        let heard = self.behavior.as_ref()?;
        heard.silent(now).is_none().then(|| heard.what.clone())
    }

    /// Level and sentence where perception_node reports: the gravest reason first.
    fn judge(&self, report: &PerceptionReport, paused: bool, now: Instant) -> (Level, String) {
        let limited = |limit: String| match report.level {
            Level::Ok => (Level::Warn, limit),
            _ => (report.level, report.sentence.clone()),
        };
        if paused && report.enabled {
            return (Level::Warn, "pausing: perception_node has not confirmed yet".to_owned());
        }
        if let Some(why) = &self.unread {
            return limited(format!(
                "emotion messages are not of this version's definition: {why}"
            ));
        }
        if let Some(silent) = self.behavior.as_ref().and_then(|heard| heard.silent(now)) {
            return limited(format!(
                "behavior_node has been silent for {} s: it ended, and the robot does not respond",
                silent.as_secs()
            ));
        }
        (report.level, report.sentence.clone())
    }

    /// Why nothing is heard of perception_node.
    fn silence(&self, now: Instant) -> (Level, String) {
        let recent = |at: Instant| now.saturating_duration_since(at) < SILENT;
        if self.emotions.is_some_and(recent) {
            let why = "emotions come, but no report of perception_node on /diagnostics";
            return (Level::Warn, why.to_owned());
        }
        let Self { robot, perception, published, since, .. } = self;
        let Some(heard) = perception else {
            let secs = now.saturating_duration_since(*since).as_secs();
            let topic = format!("{}/emotions", robot.trim_end_matches('/'));
            let why = match published {
                true => format!("{topic} has a publisher, but nothing comes from it"),
                false => format!(
                    "nobody publishes {topic}: perception_node is not running there, or in \
                     another ROS_DOMAIN_ID"
                ),
            };
            return (Level::Stale, format!("nothing heard of {robot} for {secs} s: {why}"));
        };
        let why = match published {
            true => "it is still on the graph: it hangs, was killed, or the network is down",
            false => "it ended, or cannot be reached",
        };
        let secs = now.saturating_duration_since(heard.at).as_secs();
        (Level::Stale, format!("perception_node has been silent for {secs} s: {why}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(level: Level, enabled: bool) -> Report {
        Report::Perception(PerceptionReport {
            node: "/left/perception_node".to_owned(),
            level,
            sentence: "15.0 images processed per second".to_owned(),
            enabled,
            camera: None,
            zones: rapport_perception::zones::Zones::default(),
            rate_per_sec: Some(15.0),
            latency_p50_ms: Some(7.0),
            dropped: Some(0),
        })
    }

    fn policy() -> Report {
        Report::Behavior(Policy {
            file: "policy.yaml".to_owned(),
            sha256: "ab".to_owned(),
            rules: vec!["smile-back".to_owned()],
        })
    }

    fn model() -> Model {
        Model { name: "emotion".to_owned(), sha256: "cd".to_owned() }
    }

    /// Health at time 0, and moments after that.
    fn setup() -> (Health, impl Fn(f64) -> Instant) {
        let start = Instant::now();
        (Health::of("/left", start), move |secs| start + Duration::from_secs_f64(secs))
    }

    #[test]
    fn a_robot_at_work_has_its_figures() {
        let (mut health, at) = setup();
        health.hear(report(Level::Ok, true), at(1.0));
        health.hear(policy(), at(1.0));
        health.hear_emotions(Ok(model()), at(1.0));
        let state = health.state(None, at(2.0));
        assert_eq!((state.level, state.paused), (Level::Ok, false));
        assert_eq!(state.rate_per_sec, Some(15.0));
        assert_eq!(state.model, Some(model()));
        assert_eq!(state.policy.unwrap().rules, ["smile-back"]);
    }

    #[test]
    fn silence_has_a_reason() {
        let (mut health, at) = setup();
        let sentence = |health: &Health, secs| {
            let state = health.state(None, at(secs));
            assert_eq!((state.level, state.rate_per_sec), (Level::Stale, None));
            state.sentence
        };
        let never = sentence(&health, 7.0);
        assert!(
            never.starts_with("nothing heard of /left for 7 s: nobody publishes /left/emotions")
        );
        health.see_publisher(true);
        assert!(sentence(&health, 7.0).contains("/left/emotions has a publisher"));
        health.hear(report(Level::Ok, true), at(10.0));
        assert!(
            sentence(&health, 22.0).starts_with("perception_node has been silent for 12 s: it is")
        );
        health.see_publisher(false);
        assert!(sentence(&health, 22.0).ends_with("12 s: it ended, or cannot be reached"));
        health.hear_emotions(Ok(model()), at(21.0));
        assert_eq!(health.state(None, at(22.0)).level, Level::Warn);
    }

    #[test]
    fn a_behavior_node_that_ended_is_missed_and_one_that_never_was_is_not() {
        let (mut health, at) = setup();
        health.hear(report(Level::Ok, true), at(9.0));
        assert_eq!(health.state(None, at(10.0)).level, Level::Ok);
        health.hear(policy(), at(2.0));
        let state = health.state(None, at(10.0));
        assert_eq!((state.level, state.policy), (Level::Warn, None));
        assert!(state.sentence.starts_with("behavior_node has been silent for 8 s"));
        // What perception itself says is graver.
        health.hear(report(Level::Error, true), at(9.0));
        assert!(health.state(None, at(10.0)).sentence.contains("images processed"));
    }

    #[test]
    fn a_pause_is_what_was_asked_for_here_else_what_the_node_says() {
        let (mut health, at) = setup();
        assert!(!health.is_paused(None) && health.is_paused(Some(false)));
        assert!(health.state(Some(false), at(9.0)).sentence.contains("will be when it returns"));
        health.hear(report(Level::Ok, true), at(9.0));
        assert!(health.state(Some(false), at(9.5)).sentence.starts_with("pausing"));
        health.set_enabled(false);
        assert!(health.is_paused(None) && !health.is_paused(Some(true)));
        assert_eq!(health.state(Some(false), at(9.5)).level, Level::Ok);
    }

    #[test]
    fn messages_of_another_version_are_told() {
        let (mut health, at) = setup();
        health.hear(report(Level::Ok, true), at(1.0));
        health.hear_emotions(Err("12 bytes".to_owned()), at(1.0));
        assert!(health.state(None, at(1.0)).sentence.ends_with("definition: 12 bytes"));
        health.hear_emotions(Ok(model()), at(2.0));
        assert_eq!(health.state(None, at(2.0)).level, Level::Ok);
    }
}
