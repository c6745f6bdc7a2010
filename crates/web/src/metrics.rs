//! What is counted, for `/metrics`. Nothing in it tells of a person: no id, nor how many are in view.

mod fleet;

use std::sync::OnceLock;
use std::sync::atomic::AtomicU64;

use axum::http::StatusCode;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::{encode, encode_registry};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};

use self::fleet::FleetMetrics;
use crate::app::App;
use crate::messages::TimingsReport;

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Source {
    source: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Reason {
    reason: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Status {
    status: u16,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Stage {
    stage: &'static str,
}

/// What is counted.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    /// Registered when somebody first asks: only then is it known what the server has.
    fleet: OnceLock<(Registry, FleetMetrics)>,
    pictures: Family<Source, Counter>,
    faces: Counter,
    refusals: Family<Reason, Counter>,
    answers: Family<Status, Counter>,
    seconds: Family<Stage, Histogram, fn() -> Histogram>,
    sessions: Gauge,
    sessions_max: Gauge,
    viewers: Gauge,
    connections: Gauge,
    tasks: Gauge,
    memory: Gauge,
    uptime: Gauge<f64, AtomicU64>,
}

/// From a picture of a telephone's browser to one that waits behind many.
const BOUNDS_SECS: [f64; 10] = [0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0];

impl Default for Metrics {
    fn default() -> Self {
        let mut registry = Registry::with_prefix("rapport");
        let metrics = Self {
            pictures: Family::default(),
            faces: Counter::default(),
            refusals: Family::default(),
            answers: Family::default(),
            seconds: Family::new_with_constructor(|| Histogram::new(BOUNDS_SECS)),
            sessions: Gauge::default(),
            sessions_max: Gauge::default(),
            viewers: Gauge::default(),
            connections: Gauge::default(),
            tasks: Gauge::default(),
            memory: Gauge::default(),
            uptime: Gauge::default(),
            registry: Registry::default(),
            fleet: OnceLock::new(),
        };
        registry.register("pictures", "Pictures processed", metrics.pictures.clone());
        registry.register(
            "faces",
            "Faces processed, in all pictures together",
            metrics.faces.clone(),
        );
        registry.register("refusals", "What was refused, by reason", metrics.refusals.clone());
        registry.register("answers", "Requests answered, by status", metrics.answers.clone());
        let help = "Where the time of live pictures went";
        registry.register_with_unit("picture", help, Unit::Seconds, metrics.seconds.clone());
        registry.register("live_sessions", "Live sessions now", metrics.sessions.clone());
        let help = "Live sessions that this machine carries now";
        registry.register("live_sessions_max", help, metrics.sessions_max.clone());
        registry.register("viewers", "Viewers of robots now", metrics.viewers.clone());
        registry.register("connections", "Open connections", metrics.connections.clone());
        registry.register("tasks", "Tasks of the server", metrics.tasks.clone());
        let help = "Memory that the server holds";
        registry.register_with_unit("memory", help, Unit::Bytes, metrics.memory.clone());
        let help = "Time since the server began";
        registry.register_with_unit("uptime", help, Unit::Seconds, metrics.uptime.clone());
        Self { registry, ..metrics }
    }
}

impl Metrics {
    /// A picture was processed.
    pub fn picture(&self, source: &'static str, faces: usize) {
        self.pictures.get_or_create(&Source { source }).inc();
        self.faces.inc_by(faces as u64);
    }

    /// Where the time of a live picture went.
    pub fn live(&self, timings: &TimingsReport) {
        for (stage, ms) in [
            ("queued", timings.queued),
            ("decode", timings.decode),
            ("detect", timings.detect),
            ("verify", timings.verify),
            ("crop", timings.crop),
            ("classify", timings.classify),
            ("total", timings.total),
        ] {
            self.seconds.get_or_create(&Stage { stage }).observe(ms / 1e3);
        }
    }

    /// Something was refused.
    pub fn refused(&self, reason: &'static str) {
        self.refusals.get_or_create(&Reason { reason }).inc();
    }

    /// A request was answered.
    pub fn answered(&self, status: StatusCode) {
        self.answers.get_or_create(&Status { status: status.as_u16() }).inc();
    }

    /// A connection was opened (1) or closed (-1).
    pub fn connection(&self, by: i64) {
        self.connections.inc_by(by);
    }

    /// All of it as text (OpenMetrics).
    pub fn text(&self, app: &App) -> String {
        self.sessions.set(app.sessions.now() as i64);
        self.sessions_max.set(app.sessions_max() as i64);
        self.viewers.set(app.viewers.now() as i64);
        let tasks = tokio::runtime::Handle::current().metrics().num_alive_tasks();
        self.tasks.set(tasks as i64);
        self.memory.set(memory_bytes().unwrap_or(0));
        self.uptime.set(app.uptime().as_secs_f64());
        let (registry, fleet) = self.fleet.get_or_init(|| {
            let (mut registry, fleet) = (Registry::with_prefix("rapport"), FleetMetrics::default());
            fleet.register(&mut registry, app);
            (registry, fleet)
        });
        fleet.update(app);
        let mut text = String::new();
        // Writing to a string does not fail.
        encode_registry(&mut text, &self.registry).ok();
        encode(&mut text, registry).ok();
        text
    }
}

/// Memory of this process that is in use, on Linux.
fn memory_bytes() -> Option<i64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    Some(line.trim().strip_suffix(" kB")?.parse::<i64>().ok()? * 1024)
}
