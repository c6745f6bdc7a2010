//! The task that looks every few seconds.

use std::sync::Arc;
use std::time::Duration;

use rapport_journal::{Journal, JournalError, Scope, Zone};
use tokio::time::{Instant, MissedTickBehavior, interval};

use super::rules::{Change, Observed};
use super::webhook::Webhook;
use crate::app::App;
use crate::journal::{Alert, DRIFT_DAYS, JournalService, now, own_place};
use crate::robot::RobotState;

/// How often it is looked.
const LOOK_EVERY: Duration = Duration::from_secs(2);

/// The days that drift and estimate are of move on also where no bucket comes.
const FIND_EVERY: Duration = Duration::from_secs(3600);

/// Watches until the task is ended.
pub async fn watch(app: Arc<App>) {
    let webhook = app.options.webhook.clone();
    let mut tick = interval(LOOK_EVERY);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut found = None;
    loop {
        tick.tick().await;
        if let Some(journal) = &app.options.journal {
            if found.is_none_or(|at: Instant| at.elapsed() >= FIND_EVERY) {
                found = Some(Instant::now());
                // Who cannot read it sees that in the log, and hears it by the alert of the writer.
                for place in journal.places().await.unwrap_or_default() {
                    app.monitor.figures().expect(&place);
                }
            }
            let old = app.monitor.figures().take_old();
            for place in old {
                find(&app, journal, place).await;
            }
        }
        look(&app, webhook.as_deref());
    }
}

/// Finds drift and estimate of the last days of a place.
async fn find(app: &App, journal: &JournalService, place: String) {
    let named = place.clone();
    let ask = move |journal: &Journal| {
        let to = now();
        let from = to.saturating_sub(Duration::from_secs(DRIFT_DAYS * 86_400));
        let scope = Scope { place: Some(&named), from, to, zone: Zone::UTC };
        Ok::<_, JournalError>((journal.drift(&scope)?, journal.estimate_accuracy(&scope)?))
    };
    if let Ok((drift, estimate)) = journal.read(ask).await {
        app.monitor.figures().found(&place, drift, estimate);
    }
}

/// Raises and clears alerts.
fn look(app: &App, webhook: Option<&Webhook>) {
    let journal = app.options.journal.as_ref();
    let writer = journal.map(|journal| journal.writer_status());
    let mqtt = app.options.mqtt.as_ref().map(|publisher| publisher.status());
    let place_of =
        |robot: &str| journal.map_or_else(|| own_place(robot), |journal| journal.place_of(robot));
    let robots: Vec<(String, RobotState)> =
        app.hub.robots().into_iter().map(|robot| (place_of(&robot.robot), robot.state)).collect();
    let places = app.monitor.places();
    let observed =
        Observed { writer: writer.as_ref(), places: &places, robots: &robots, mqtt: mqtt.as_ref() };
    let mut standing = app.monitor.standing();
    let changes = standing.update(now(), &observed);
    if let Some(journal) = journal {
        journal.set_alerts(standing.alerts());
    }
    drop(standing);
    for change in changes {
        let (is_raised, alert) = match &change {
            Change::Raised(alert) => (true, alert),
            Change::Cleared(alert) => (false, alert),
        };
        let Alert { kind, sentence, .. } = alert;
        let at = alert.place.as_ref().map_or(String::new(), |place| format!(" at {place}"));
        if is_raised {
            tracing::warn!("alert {kind}{at}: {sentence}");
        } else {
            tracing::info!("alert {kind}{at} is over");
        }
        if let Some(webhook) = webhook {
            webhook.tell(is_raised, alert);
        }
    }
}

/// Counts every bucket that is written from now on, and sends it to the broker.
pub(crate) fn listen(app: &Arc<App>) {
    let Some(journal) = &app.options.journal else { return };
    // The server holds the journal, so the journal must not hold the server.
    let weak = Arc::downgrade(app);
    journal.on_bucket(move |bucket| {
        if let Some(app) = weak.upgrade() {
            app.monitor.figures().take(bucket);
        }
    });
    if let Some(publisher) = app.options.mqtt.clone() {
        journal.on_bucket(move |bucket| publisher.publish(bucket));
    }
}
