//! What robots report and what viewers see of it. `dashboard_node` puts in; WebSocket `watch`, the
//! events and the list of robots take out. With `rapport serve` it stays empty.
//!
//! Nobody waits for anybody here: a message is made into JSON once for all viewers, a viewer that
//! reads too slowly loses messages, and of pictures only the newest is kept.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::extract::ws::Utf8Bytes;
use serde::Serialize;
use tokio::sync::{broadcast, mpsc, oneshot, watch};

use crate::messages::WatchMessage;
use crate::picture::Picture;
use crate::robot::{RobotEmotions, RobotResponse, RobotState};

/// Events that a viewer may lag behind before it loses the oldest.
const EVENTS: usize = 256;

/// Commands that wait for the robots' side.
const COMMANDS: usize = 16;

/// Robots, their last states, and what happens to them.
#[derive(Debug)]
pub struct Hub {
    robots: Mutex<BTreeMap<String, Robot>>,
    events: broadcast::Sender<Event>,
    commands: mpsc::Sender<Command>,
    waiting: Mutex<Option<mpsc::Receiver<Command>>>,
}

#[derive(Debug)]
struct Robot {
    state: RobotState,
    picture: watch::Sender<Option<Arc<Picture>>>,
    lookers: watch::Sender<usize>,
}

/// Something that happened, made into JSON once for all viewers.
#[derive(Debug, Clone)]
pub struct Event {
    /// The robot that it is about.
    pub robot: Arc<str>,
    /// The message as WebSocket `watch` and the events send it.
    pub json: Utf8Bytes,
}

/// What a viewer asks of a robot.
#[derive(Debug)]
pub struct Command {
    /// Which robot.
    pub robot: String,
    /// What is asked.
    pub action: Action,
    /// To be answered once it is done, or with the reason why not, in a sentence.
    pub answer: oneshot::Sender<Result<(), String>>,
}

/// What can be asked of a robot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// Pause perception (true) or let it go on (false).
    Pause(bool),
}

impl Default for Hub {
    fn default() -> Self {
        let (commands, waiting) = mpsc::channel(COMMANDS);
        Self {
            robots: Mutex::default(),
            events: broadcast::Sender::new(EVENTS),
            commands,
            waiting: Mutex::new(Some(waiting)),
        }
    }
}

/// The robots' side.
impl Hub {
    /// The commands of viewers; nothing if they were taken before.
    pub fn take_commands(&self) -> Option<mpsc::Receiver<Command>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// Takes the state of a robot. A robot that is not known yet becomes known.
    pub fn put_state(&self, robot: &str, state: RobotState) {
        let message = WatchMessage::Robot { robot: robot.to_owned(), state: state.clone() };
        match self.lock().entry(robot.to_owned()) {
            std::collections::btree_map::Entry::Occupied(mut known) => {
                known.get_mut().state = state
            }
            std::collections::btree_map::Entry::Vacant(unknown) => {
                unknown.insert(Robot {
                    state,
                    picture: watch::Sender::new(None),
                    lookers: watch::Sender::new(0),
                });
            }
        }
        self.tell(robot, &message);
    }

    /// Forgets a robot that left.
    pub fn remove(&self, robot: &str) {
        if self.lock().remove(robot).is_some() {
            self.tell(robot, &WatchMessage::Gone { robot: robot.to_owned() });
        }
    }

    /// Tells what a robot's camera shows.
    pub fn put_emotions(&self, robot: &str, emotions: RobotEmotions) {
        self.tell(robot, &WatchMessage::Emotions { robot: robot.to_owned(), emotions });
    }

    /// Tells what a robot did.
    pub fn put_response(&self, robot: &str, response: RobotResponse) {
        self.tell(robot, &WatchMessage::Response { robot: robot.to_owned(), response });
    }

    /// Shows the newest picture of a robot's camera to those who look. Unknown robots have none.
    pub fn put_picture(&self, robot: &str, picture: Picture) {
        if let Some(robot) = self.lock().get(robot) {
            robot.picture.send_replace(Some(Arc::new(picture)));
        }
    }

    /// How many viewers want pictures of a robot; nothing for an unknown one. The camera needs to be
    /// subscribed only while there are any.
    pub fn lookers(&self, robot: &str) -> Option<watch::Receiver<usize>> {
        self.lock().get(robot).map(|robot| robot.lookers.subscribe())
    }

    /// Whether anybody listens; nothing needs to be read of messages otherwise.
    pub fn has_viewers(&self) -> bool {
        self.events.receiver_count() > 0
    }

    fn tell(&self, robot: &str, message: &WatchMessage) {
        if self.has_viewers()
            && let Ok(json) = serde_json::to_string(message)
        {
            // Fails only where the last viewer has just left.
            self.events.send(Event { robot: robot.into(), json: json.into() }).ok();
        }
    }
}

/// A robot and its state.
#[derive(Debug, Clone, PartialEq, Serialize, utoipa::ToSchema)]
pub struct NamedRobot {
    /// Its namespace: `/left`, or `/` where it has none.
    pub robot: String,
    /// How it is.
    pub state: RobotState,
}

/// The viewers' side.
impl Hub {
    /// The robots known and how they are, by name.
    pub fn robots(&self) -> Vec<NamedRobot> {
        let named = |(robot, known): (&String, &Robot)| NamedRobot {
            robot: robot.clone(),
            state: known.state.clone(),
        };
        self.lock().iter().map(named).collect()
    }

    /// Everything that happens from now on.
    pub fn events(&self) -> broadcast::Receiver<Event> {
        self.events.subscribe()
    }

    /// Looks at the pictures of a robot, as long as the value lives; nothing for an unknown robot.
    pub fn look(&self, robot: &str) -> Option<Look> {
        let robots = self.lock();
        let robot = robots.get(robot)?;
        robot.lookers.send_modify(|count| *count += 1);
        let mut pictures = robot.picture.subscribe();
        // A picture of before nobody looked is old.
        pictures.mark_unchanged();
        Some(Look { pictures, lookers: robot.lookers.clone() })
    }

    /// Asks something of a robot and waits for its answer.
    ///
    /// # Errors
    /// Why it was not done, in a sentence.
    pub async fn ask(&self, robot: &str, action: Action) -> Result<(), String> {
        let (answer, answered) = oneshot::channel();
        let command = Command { robot: robot.to_owned(), action, answer };
        let nobody = || "no robot is connected to this server".to_owned();
        self.commands.try_send(command).map_err(|_| nobody())?;
        answered.await.unwrap_or_else(|_| Err(nobody()))
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Robot>> {
        self.robots.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A viewer's look at the pictures of one robot. The robot's side counts these.
#[derive(Debug)]
pub struct Look {
    pictures: watch::Receiver<Option<Arc<Picture>>>,
    lookers: watch::Sender<usize>,
}

impl Look {
    /// The newest picture that was not taken yet; waits for one. Nothing once the robot has left.
    pub async fn next(&mut self) -> Option<Arc<Picture>> {
        loop {
            self.pictures.changed().await.ok()?;
            let picture = self.pictures.borrow_and_update().clone();
            if picture.is_some() {
                return picture;
            }
        }
    }
}

impl Drop for Look {
    fn drop(&mut self) {
        self.lookers.send_modify(|count| *count -= 1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::picture::Privacy;
    use crate::robot::Level;

    fn state(sentence: &str) -> RobotState {
        RobotState { level: Level::Ok, sentence: sentence.to_owned(), ..RobotState::default() }
    }

    #[tokio::test]
    async fn viewers_hear_of_a_robot_and_it_of_them() {
        let hub = Hub::default();
        let mut events = hub.events();
        hub.put_state("/left", state("All is well."));
        let event = events.recv().await.unwrap();
        assert_eq!(&*event.robot, "/left");
        assert!(event.json.contains(r#""type":"robot""#) && event.json.contains("All is well."));
        assert_eq!(hub.robots()[0].state, state("All is well."));

        let lookers = hub.lookers("/left").unwrap();
        let mut look = hub.look("/left").unwrap();
        assert_eq!(*lookers.borrow(), 1);
        let picture = Picture::new(&[90; 12], 2, 2, 1.0, &[], Privacy::default()).unwrap();
        hub.put_picture("/left", picture.clone());
        hub.put_picture("/left", Picture { stamp_secs: 2.0, ..picture });
        assert_eq!(look.next().await.unwrap().stamp_secs, 2.0);
        drop(look);
        assert_eq!(*lookers.borrow(), 0);
        hub.remove("/left");
        assert!(events.recv().await.unwrap().json.contains(r#""type":"gone""#));
        assert!(hub.look("/left").is_none() && hub.robots().is_empty());
    }

    #[tokio::test]
    async fn commands_are_answered_or_fail() {
        let hub = Arc::new(Hub::default());
        let mut commands = hub.take_commands().unwrap();
        assert!(hub.take_commands().is_none());
        let asking = hub.clone();
        let asked = tokio::spawn(async move { asking.ask("/left", Action::Pause(true)).await });
        let command = commands.recv().await.unwrap();
        assert_eq!((command.robot.as_str(), command.action), ("/left", Action::Pause(true)));
        command.answer.send(Err("service not found".to_owned())).unwrap();
        assert_eq!(asked.await.unwrap(), Err("service not found".to_owned()));
        drop(commands);
        assert!(hub.ask("/left", Action::Pause(true)).await.is_err());
    }
}
