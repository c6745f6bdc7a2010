//! The alerts of the pages as a status on `/diagnostics`, for aggregators and robots' own dashboards.

use std::sync::Arc;

use rapport_web::app::App;
use rapport_web::journal::Alert;
use rapport_web::monitor::Kind;

use crate::ros::clock::RosClock;
use crate::ros::diagnostics::{Health, Level, Report};

/// Knows the alerts.
pub struct Alerts(pub Arc<App>);

impl Health for Alerts {
    fn report(&mut self, _clock: &RosClock) -> Report {
        let options = &self.0.options;
        let journal = options.journal.as_ref();
        let file = journal.map(|journal| journal.path().display().to_string());
        let mut report = report(&self.0.monitor.alerts(), file.as_deref());
        if let Some(journal) = journal {
            let status = journal.writer_status();
            report.value("journal", journal.path().display());
            report.value("journal buckets waiting", status.waiting);
        }
        if let Some(publisher) = &options.mqtt {
            let status = publisher.status();
            report.value("mqtt connected", status.connected);
            report.value("mqtt buckets waiting", status.waiting);
        }
        report
    }
}

fn report(alerts: &[Alert], file: Option<&str>) -> Report {
    let is_grave = |alert: &Alert| {
        let passes_by_itself = [Kind::Drift, Kind::MqttAway].map(Kind::as_str);
        !passes_by_itself.contains(&alert.kind.as_str())
    };
    let level = match alerts {
        [] => Level::Ok,
        alerts if alerts.iter().any(is_grave) => Level::Error,
        _ => Level::Warn,
    };
    let message = alerts.first().map_or("no alert stands", |first| &first.sentence).to_owned();
    let hardware_id = file.unwrap_or("no journal").to_owned();
    let mut report = Report { level, message, hardware_id, values: Vec::new() };
    for alert in alerts {
        let at = alert.place.as_ref().map_or(String::new(), |place| format!(" at {place}"));
        report.value(format!("alert {}{at}", alert.kind), &alert.sentence);
    }
    report
}

#[cfg(test)]
mod tests {
    use super::*;

    fn alert(kind: Kind, place: Option<&str>) -> Alert {
        Alert {
            kind: kind.as_str().to_owned(),
            place: place.map(str::to_owned),
            since_secs: 0,
            sentence: "It is so.".to_owned(),
        }
    }

    #[test]
    fn the_gravest_alert_is_the_message() {
        let calm = report(&[], None);
        assert_eq!((calm.level, calm.message.as_str()), (Level::Ok, "no alert stands"));
        let drift = alert(Kind::Drift, Some("lobby"));
        let warned = report(std::slice::from_ref(&drift), Some("j.db"));
        assert_eq!((warned.level, warned.hardware_id.as_str()), (Level::Warn, "j.db"));
        assert_eq!(warned.values, [("alert drift at lobby".to_owned(), "It is so.".to_owned())]);
        let both = report(&[alert(Kind::JournalNotWritten, None), drift], None);
        assert_eq!((both.level, both.values.len()), (Level::Error, 2));
        assert_eq!(both.values[0].0, "alert journal_not_written");
    }
}
