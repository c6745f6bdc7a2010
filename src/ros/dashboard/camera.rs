//! The camera of a robot, subscribed only while somebody looks.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use rapport_perception::zones::Zones;
use rapport_web::Hub;
use tokio::sync::watch;
use tokio::task::{JoinSet, spawn_blocking};
use tokio::time::{Instant, sleep_until};

use super::picture::{Encoder, Pictures};
use crate::ros::handle::NodeHandle;
use crate::ros::image_topic::{ImageTopic, Request, Transport};
use crate::ros::intake::{Intake, IntakeStatus, Received};
use crate::ros::logging::RateLimitedLog;
use crate::ros::losses::Losses;
use crate::ros::parameters::Parameters;
use crate::ros::slot::Slot;
use crate::ros::stats::Stats;
use crate::ros::switch::Switch;

/// At most 15 pictures a second are made, whatever the camera sends.
const PICTURE_EVERY: Duration = Duration::from_millis(66);

/// Images that the middleware keeps: only the newest is shown.
const DEPTH: usize = 1;

/// A camera's topic and the tasks that show it. They end with it.
pub struct Camera {
    topic: (String, Transport),
    _tasks: JoinSet<()>,
}

impl Camera {
    /// Shows the images of a topic to those who look at `robot`, while the switch is on; the zones are
    /// black.
    pub fn start(
        (node, parameters): (NodeHandle, Parameters),
        hub: Arc<Hub>,
        pictures: &Pictures,
        robot: &str,
        topic: (String, Transport),
        (switch, zones): (watch::Receiver<Switch>, watch::Receiver<Zones>),
    ) -> Self {
        let slot = Arc::new(Slot::new());
        let (name, transport) = topic.clone();
        let intake = Intake {
            node,
            topic: ImageTopic { subscribed_as: name.clone(), name, transport },
            request: Request::following(DEPTH),
            switch,
            slot: slot.clone(),
            stats: Arc::new(Mutex::new(Stats::default())),
            status: Arc::new(Mutex::new(IntakeStatus::default())),
            parameters,
            losses: Losses::default(),
        };
        let mut tasks = JoinSet::new();
        tasks.spawn(intake.run());
        tasks.spawn(show(slot, pictures.encoder(), zones, hub, robot.to_owned()));
        Self { topic, _tasks: tasks }
    }

    /// The topic that it shows.
    pub fn topic(&self) -> &(String, Transport) {
        &self.topic
    }
}

/// Encodes the newest image, once for all viewers.
async fn show(
    slot: Arc<Slot<Received>>,
    mut encoder: Encoder,
    zones: watch::Receiver<Zones>,
    hub: Arc<Hub>,
    robot: String,
) {
    let mut log = RateLimitedLog::default();
    loop {
        slot.filled().await;
        let next = Instant::now() + PICTURE_EVERY;
        let Some(received) = slot.take() else { continue };
        let hidden = zones.borrow().clone();
        let made = spawn_blocking(move || {
            let picture = encoder.picture(&received, &hidden);
            (encoder, picture)
        });
        let Ok((again, picture)) = made.await else { return };
        encoder = again;
        match picture {
            Ok(picture) => hub.put_picture(&robot, picture),
            Err(error) => log.error(&format!("image of {robot} not shown: {error:#}")),
        }
        sleep_until(next).await;
    }
}
