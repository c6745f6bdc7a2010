//! Figures of the journal, drift, the estimate of accuracy, robots, alerts and the broker. What is
//! about visits comes from finished buckets, so each figure rests on ten or more.

use std::sync::atomic::AtomicU64;

use prometheus_client::encoding::{EncodeLabelSet, EncodeLabelValue};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::{Registry, Unit};
use rapport_journal::{Drift, DriftLevel, Feature, Trust};

use crate::app::App;
use crate::monitor::PlaceFigures;
use crate::robot::Level;

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Place {
    place: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct PlaceRule {
    place: String,
    rule: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct PlaceRating {
    place: String,
    rating: u8,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct PlaceFeature {
    place: String,
    feature: FeatureLabel,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Robot {
    robot: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct AlertAt {
    kind: String,
    /// Empty where the alert is about the program.
    place: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, EncodeLabelValue)]
#[allow(non_camel_case_types, reason = "the names are those of the label")]
enum FeatureLabel {
    confidence,
    expression,
    face_size,
    brightness,
    blur,
}

impl From<Feature> for FeatureLabel {
    fn from(feature: Feature) -> Self {
        match feature {
            Feature::Confidence => Self::confidence,
            Feature::Expression => Self::expression,
            Feature::FaceSize => Self::face_size,
            Feature::Brightness => Self::brightness,
            Feature::Blur => Self::blur,
        }
    }
}

type Real = Gauge<f64, AtomicU64>;

/// The figures, as they are when somebody asks.
#[derive(Debug, Default)]
pub(super) struct FleetMetrics {
    written: Gauge,
    waiting: Gauge,
    dropped: Gauge,
    bytes: Gauge,
    visits: Family<Place, Counter>,
    smile_visits: Family<Place, Counter>,
    smiles: Family<Place, Counter>,
    answered: Family<PlaceRule, Counter>,
    ratings: Family<PlaceRating, Counter>,
    images: Family<Place, Counter>,
    lost_images: Family<Place, Counter>,
    errors: Family<Place, Counter>,
    newest_bucket: Family<Place, Gauge>,
    drift_index: Family<PlaceFeature, Real>,
    drift_by_chance: Family<PlaceFeature, Real>,
    drift_level: Family<PlaceFeature, Gauge>,
    accuracy: Family<Place, Real>,
    accuracy_low: Family<Place, Real>,
    accuracy_high: Family<Place, Real>,
    accuracy_visits: Family<Place, Gauge>,
    accuracy_first_week: Family<Place, Real>,
    accuracy_trusted: Family<Place, Gauge>,
    robot_working: Family<Robot, Gauge>,
    robot_paused: Family<Robot, Gauge>,
    alerts: Family<AlertAt, Gauge>,
    mqtt_connected: Gauge,
    mqtt_waiting: Gauge,
    mqtt_sent: Gauge,
    mqtt_dropped: Gauge,
    webhook_delivered: Gauge,
    webhook_failed: Gauge,
}

impl FleetMetrics {
    /// Registers what this server has: without a journal, nothing about one.
    pub(super) fn register(&self, registry: &mut Registry, app: &App) {
        let options = &app.options;
        if options.journal.is_some() {
            self.register_journal(registry);
            self.register_drift(registry);
        }
        if app.robots {
            let help = "Whether the robot's perception works (1)";
            registry.register("robot_working", help, self.robot_working.clone());
            let help = "Whether an operator paused the robot's perception (1)";
            registry.register("robot_paused", help, self.robot_paused.clone());
        }
        registry.register("alert", "Alerts that stand (1)", self.alerts.clone());
        if options.mqtt.is_some() {
            let help = "Whether the MQTT broker is connected (1)";
            registry.register("mqtt_connected", help, self.mqtt_connected.clone());
            let help = "Finished buckets that wait for the MQTT broker";
            registry.register("mqtt_waiting_buckets", help, self.mqtt_waiting.clone());
            let help = "Buckets that the MQTT broker acknowledged";
            registry.register("mqtt_sent_buckets", help, self.mqtt_sent.clone());
            let help = "Buckets that were dropped because too many waited for the MQTT broker";
            registry.register("mqtt_dropped_buckets", help, self.mqtt_dropped.clone());
        }
        if options.webhook.is_some() {
            let help = "Alerts, and ends of them, that the webhook took";
            registry.register("webhook_delivered", help, self.webhook_delivered.clone());
            let help = "Alerts, and ends of them, that could not be delivered";
            registry.register("webhook_failed", help, self.webhook_failed.clone());
        }
    }

    fn register_journal(&self, registry: &mut Registry) {
        let help = "Whether the last attempt to write the journal succeeded (1)";
        registry.register("journal_writable", help, self.written.clone());
        let help = "Finished buckets that wait because the journal cannot be written";
        registry.register("journal_waiting_buckets", help, self.waiting.clone());
        let help = "Finished buckets that were dropped because the journal could not be written";
        registry.register("journal_dropped_buckets", help, self.dropped.clone());
        let help = "Size of the journal's file";
        registry.register_with_unit("journal_size", help, Unit::Bytes, self.bytes.clone());
        let help = "Visits in finished buckets since the program began";
        registry.register("journal_visits", help, self.visits.clone());
        let help = "Visits in finished buckets of which it is known whether they smiled";
        registry.register("journal_smile_visits", help, self.smile_visits.clone());
        let help = "Visits in finished buckets that smiled";
        registry.register("journal_smiles", help, self.smiles.clone());
        let help = "Visits in finished buckets that a rule of the policy answered";
        registry.register("journal_answered_visits", help, self.answered.clone());
        let help = "Ratings in finished buckets, by what was tapped";
        registry.register("journal_ratings", help, self.ratings.clone());
        let help = "Images in finished buckets";
        registry.register("journal_images", help, self.images.clone());
        let help = "Images in finished buckets that did not arrive or were not processed";
        registry.register("journal_lost_images", help, self.lost_images.clone());
        let help = "Errors in finished buckets";
        registry.register("journal_errors", help, self.errors.clone());
        let help = "When the newest bucket of visits ended, since 1970 in UTC";
        registry.register_with_unit(
            "journal_newest_bucket",
            help,
            Unit::Seconds,
            self.newest_bucket.clone(),
        );
    }

    fn register_drift(&self, registry: &mut Registry) {
        let help = "Population stability index of the last 7 days against the place's first week";
        registry.register("drift_index", help, self.drift_index.clone());
        let help = "What chance alone exceeds in 5 of 100 such indexes";
        registry.register("drift_by_chance", help, self.drift_by_chance.clone());
        let help = "0: stable, 1: some drift, 2: large drift";
        registry.register("drift_level", help, self.drift_level.clone());
        let help = "Estimate of the accuracy of the last 7 days, without labels: an estimate";
        registry.register("accuracy_estimate", help, self.accuracy.clone());
        let help = "Lower end of the estimate's 95 % interval";
        registry.register("accuracy_estimate_low", help, self.accuracy_low.clone());
        let help = "Upper end of the estimate's 95 % interval";
        registry.register("accuracy_estimate_high", help, self.accuracy_high.clone());
        let help = "Visits that the estimate rests on";
        registry.register("accuracy_estimate_visits", help, self.accuracy_visits.clone());
        let help = "The same estimate of the place's first week";
        registry.register("accuracy_first_week", help, self.accuracy_first_week.clone());
        let help = "1: what the camera sees looks like the first week; 0: it does not, so the \
                    estimate may be wrong";
        registry.register("accuracy_estimate_trusted", help, self.accuracy_trusted.clone());
    }

    /// Brings the figures to what is the case now.
    pub(super) fn update(&self, app: &App) {
        if let Some(journal) = &app.options.journal {
            let status = journal.status();
            self.written.set(i64::from(status.error.is_none()));
            self.waiting.set(status.waiting as i64);
            self.dropped.set(status.dropped as i64);
            self.bytes.set(status.bytes.unwrap_or(0) as i64);
        }
        // A feature may become unknown.
        self.drift_index.clear();
        self.drift_by_chance.clear();
        self.drift_level.clear();
        for (place, figures) in app.monitor.places() {
            self.place(&Place { place }, &figures);
        }
        self.robot_working.clear();
        self.robot_paused.clear();
        for robot in app.hub.robots() {
            let name = Robot { robot: robot.robot };
            let works = matches!(robot.state.level, Level::Ok | Level::Warn);
            self.robot_working.get_or_create(&name).set(i64::from(works));
            self.robot_paused.get_or_create(&name).set(i64::from(robot.state.paused));
        }
        self.alerts.clear();
        for alert in app.monitor.alerts() {
            let (kind, place) = (alert.kind, alert.place.unwrap_or_default());
            self.alerts.get_or_create(&AlertAt { kind, place }).set(1);
        }
        if let Some(publisher) = &app.options.mqtt {
            let status = publisher.status();
            self.mqtt_connected.set(i64::from(status.connected));
            self.mqtt_waiting.set(status.waiting as i64);
            self.mqtt_sent.set(status.sent as i64);
            self.mqtt_dropped.set(status.dropped as i64);
        }
        if let Some(webhook) = &app.options.webhook {
            let status = webhook.status();
            self.webhook_delivered.set(status.delivered as i64);
            self.webhook_failed.set(status.failed as i64);
        }
    }

    fn place(&self, at: &Place, figures: &PlaceFigures) {
        let totals = &figures.totals;
        let health = &totals.health;
        for (family, total) in [
            (&self.visits, totals.visits),
            (&self.smile_visits, totals.smile_visits),
            (&self.smiles, totals.smiles),
            (&self.images, health.images),
            (&self.lost_images, health.lost_images),
            (&self.errors, health.errors),
        ] {
            raise(&family.get_or_create(at), total);
        }
        for (rule, &visits) in &totals.answered {
            let at = PlaceRule { place: at.place.clone(), rule: rule.clone() };
            raise(&self.answered.get_or_create(&at), visits);
        }
        for (rating, &count) in (1..).zip(&totals.ratings) {
            let at = PlaceRating { place: at.place.clone(), rating };
            raise(&self.ratings.get_or_create(&at), count);
        }
        if let Some(secs) = figures.newest_bucket_secs {
            self.newest_bucket.get_or_create(at).set(secs);
        }
        if let Some(Drift::Measured { features, .. }) = &figures.drift {
            for drift in features {
                let feature = drift.feature.into();
                let of = PlaceFeature { place: at.place.clone(), feature };
                self.drift_index.get_or_create(&of).set(drift.stability_index);
                self.drift_by_chance.get_or_create(&of).set(drift.by_chance);
                let level = match drift.level {
                    DriftLevel::Stable => 0,
                    DriftLevel::Some => 1,
                    DriftLevel::Large => 2,
                };
                self.drift_level.get_or_create(&of).set(level);
            }
        }
        self.estimate(at, figures);
    }

    fn estimate(&self, at: &Place, figures: &PlaceFigures) {
        let estimate = figures.estimate.as_ref();
        let real = |family: &Family<Place, Real>, value: Option<f64>| match value {
            Some(value) => {
                family.get_or_create(at).set(value);
            }
            None => {
                family.remove(at);
            }
        };
        real(&self.accuracy, estimate.map(|of| of.expected.mean));
        real(&self.accuracy_low, estimate.map(|of| of.expected.low));
        real(&self.accuracy_high, estimate.map(|of| of.expected.high));
        real(&self.accuracy_first_week, estimate.and_then(|of| of.then));
        match estimate {
            Some(of) => {
                self.accuracy_visits.get_or_create(at).set(of.expected.n as i64);
            }
            None => {
                self.accuracy_visits.remove(at);
            }
        }
        let trusted = estimate.and_then(|of| match of.trust {
            Trust::LooksAsBefore => Some(1),
            Trust::Drifted { .. } => Some(0),
            Trust::Unknown => None,
        });
        match trusted {
            Some(trusted) => {
                self.accuracy_trusted.get_or_create(at).set(trusted);
            }
            None => {
                self.accuracy_trusted.remove(at);
            }
        }
    }
}

/// Brings a counter to a total that never falls.
fn raise(counter: &Counter, total: u64) {
    counter.inc_by(total.saturating_sub(counter.get()));
}
