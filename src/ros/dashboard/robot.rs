//! One robot: a task that hears of it, tells the hub, and holds its pause.

use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::StreamExt;
use r2r::rapport::msg::Response;
use r2r::{Node, QosProfile};
use rapport_perception::zones::Zones;
use rapport_recording::message::EmotionsMessage;
use rapport_web::hub::{Action, Command};
use rapport_web::robot::RobotState;
use rapport_web::{Hub, JournalService};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval};

use super::camera::Camera;
use super::enable::Enable;
use super::health::Health;
use super::observer::Observer;
use super::pauses::Pauses;
use super::people;
use super::picture::Pictures;
use super::report::Report;
use crate::ros::diagnostics::PERIOD;
use crate::ros::handle::NodeHandle;
use crate::ros::image_topic::Offer;
use crate::ros::logging::RateLimitedLog;
use crate::ros::parameters::Parameters;
use crate::ros::switch::Switch;

/// Messages sent before a pause may come so long after it.
const LAST_MESSAGES: Duration = Duration::from_millis(500);

/// What every robot's task works with.
#[derive(Clone)]
pub struct Means {
    /// This node.
    pub node: NodeHandle,
    /// Its parameters.
    pub parameters: Parameters,
    /// The viewers.
    pub hub: Arc<Hub>,
    /// What an operator paused.
    pub pauses: Pauses,
    /// How pictures are made.
    pub pictures: Pictures,
    /// The journal, where one is kept.
    pub journal: Option<Arc<JournalService>>,
}

/// What a robot's task is told.
pub enum Told {
    /// A node of the robot reported.
    Report(Report),
    /// A viewer asks something.
    Command(Command),
}

/// A robot.
pub struct Robot {
    name: String,
    means: Means,
    health: Health,
    shown: Option<RobotState>,
    /// What the service `enable` is to be told, until perception_node is seen to do it. False holds:
    /// a node that starts again comes enabled.
    wanted: Option<bool>,
    enable: Option<Enable>,
    /// The request under way, at most one.
    asking: JoinSet<(bool, Result<(), String>)>,
    /// Viewers who wait for its outcome.
    waiting: Vec<oneshot::Sender<Result<(), String>>>,
    /// When perception_node confirmed a pause.
    paused_at: Option<Instant>,
    camera: Option<Camera>,
    look: watch::Sender<Switch>,
    /// What of its images is not shown.
    zones: watch::Sender<Zones>,
    model_read: Option<Instant>,
    observer: Option<Observer>,
    log: RateLimitedLog,
}

impl Robot {
    /// The robot of a namespace. The hub knows it from now on.
    pub fn new(name: &str, means: Means) -> Self {
        let mut robot = Self {
            name: name.to_owned(),
            health: Health::of(name, Instant::now()),
            shown: None,
            wanted: means.pauses.holds(name).then_some(false),
            enable: None,
            asking: JoinSet::new(),
            waiting: Vec::new(),
            paused_at: None,
            camera: None,
            look: watch::Sender::new(Switch { active: false, enabled: true }),
            zones: watch::Sender::default(),
            model_read: None,
            observer: means.journal.clone().map(|journal| Observer::new(journal, name)),
            log: RateLimitedLog::default(),
            means,
        };
        robot.show();
        robot
    }

    /// Serves until this node ends.
    ///
    /// # Errors
    /// If the robot's topics cannot be subscribed.
    pub async fn run(mut self, mut told: mpsc::Receiver<Told>) -> anyhow::Result<()> {
        let topic = |name: &str| format!("{}/{name}", self.name.trim_end_matches('/'));
        let (emotions, responses) = (topic("emotions"), topic("responses"));
        let subscribe = move |node: &mut Node| -> r2r::Result<_> {
            // Best effort: the publisher does not even wait for us to have read.
            let newest = QosProfile::default().best_effort();
            let kind = EmotionsMessage::TYPE_NAME;
            Ok((
                node.subscribe_raw(&emotions, kind, newest)?,
                node.subscribe::<Response>(&responses, QosProfile::default())?,
            ))
        };
        let (mut emotions, mut responses) = self.means.node.with(subscribe).await??;
        let Some(mut lookers) = self.means.hub.lookers(&self.name) else { return Ok(()) };
        let mut tick = interval(PERIOD);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                Some(cdr) = emotions.next() => self.emotions(&cdr),
                Some(response) = responses.next() => {
                    if let Some(observer) = &self.observer {
                        observer.answer(&response);
                    }
                    self.means.hub.put_response(&self.name, people::response(response));
                }
                told = told.recv() => match told {
                    Some(Told::Report(report)) => self.report(report).await,
                    Some(Told::Command(command)) => self.command(command),
                    None => return Ok(()),
                },
                Some(asked) = self.asking.join_next() => if let Ok((enabled, answer)) = asked {
                    self.answered(enabled, answer);
                },
                Ok(()) = lookers.changed() => self.look(*lookers.borrow_and_update()),
                _ = tick.tick() => {
                    if let Some(observer) = &self.observer {
                        observer.tick(self.health.is_paused(self.wanted));
                    }
                    self.see_publisher().await;
                }
            }
            self.look(*lookers.borrow());
            self.show();
        }
    }

    /// Tells viewers how the robot is, if that is new.
    fn show(&mut self) {
        let state = self.health.state(self.wanted, Instant::now());
        if self.shown.as_ref() != Some(&state) {
            self.means.hub.put_state(&self.name, state.clone());
            self.shown = Some(state);
        }
    }

    fn emotions(&mut self, cdr: &[u8]) {
        let now = Instant::now();
        // A message that comes well after a pause is of a node that started again: its own report
        // comes up to a second later.
        let before = |at: Instant| now.duration_since(at) < LAST_MESSAGES;
        if self.wanted == Some(false) && !self.paused_at.is_some_and(before) {
            self.health.set_enabled(true);
            self.ask();
        }
        let due = self.model_read.is_none_or(|at| now.duration_since(at) >= PERIOD);
        if !due && self.observer.is_none() && !self.means.hub.has_viewers() {
            return;
        }
        self.model_read = Some(now);
        match EmotionsMessage::read(cdr) {
            Ok(message) => {
                self.health.hear_emotions(Ok(people::model(&message)), now);
                if self.means.hub.has_viewers() {
                    self.means.hub.put_emotions(&self.name, people::emotions(&message));
                }
                if let Some(observer) = &self.observer {
                    observer.see(&message);
                }
            }
            Err(error) => {
                self.log.warn(&format!("emotions of {} not read: {error}", self.name));
                self.health.hear_emotions(Err(error.to_string()), now);
                if let Some(observer) = &self.observer {
                    observer.see_unread();
                }
            }
        }
    }

    async fn report(&mut self, report: Report) {
        if let Some(observer) = &mut self.observer {
            observer.hear(&report);
        }
        if let Report::Perception(perception) = &report {
            self.find_enable(&perception.node).await;
            // Before its first picture is made.
            self.zones.send_replace(perception.zones.clone());
            let topic = perception.camera.as_ref();
            let camera = topic.filter(|_| self.means.pictures.are_sent());
            if self.camera.as_ref().map(Camera::topic) != camera {
                let Means { node, parameters, hub, pictures, .. } = &self.means;
                self.camera = camera.map(|topic| {
                    let hub = hub.clone();
                    let look = (self.look.subscribe(), self.zones.subscribe());
                    let owner = (node.clone(), parameters.clone());
                    Camera::start(owner, hub, pictures, &self.name, topic.clone(), look)
                });
            }
            if self.wanted == Some(true) && perception.enabled {
                self.wanted = None;
            }
        }
        self.health.hear(report, Instant::now());
        self.ask();
    }

    /// Makes a client of the service of this node, unless there is one.
    async fn find_enable(&mut self, node: &str) {
        let service = format!("{node}/enable");
        if self.enable.as_ref().is_some_and(|known| known.service() == service) {
            return;
        }
        match Enable::of(&self.means.node, node).await {
            Ok(enable) => self.enable = Some(enable),
            Err(error) => self.log.error(&format!("{service}: no client: {error:#}")),
        }
    }

    /// Asks perception_node for what is wanted, unless it is so, or is being asked.
    fn ask(&mut self) {
        let (Some(wanted), Some(enable), Some(report)) =
            (self.wanted, &self.enable, self.health.perception(Instant::now()))
        else {
            return;
        };
        if report.enabled != wanted && self.asking.is_empty() {
            let enable = enable.clone();
            self.asking.spawn(async move { (wanted, enable.set(wanted).await) });
        }
    }

    fn command(&mut self, command: Command) {
        let Action::Pause(paused) = command.action;
        tracing::info!(
            "{} is {} on the page",
            self.name,
            if paused { "paused" } else { "resumed" }
        );
        self.wanted = Some(!paused);
        if let Err(error) = self.means.pauses.set(&self.name, paused) {
            let problem = format!("it does not hold over a restart of dashboard_node: {error}");
            self.log.error(&problem);
            self.ask();
            // Whoever asked may have gone.
            command.answer.send(Err(problem)).ok();
            return;
        }
        self.ask();
        if self.asking.is_empty() {
            // It is so already, or is done once the robot is heard again; its state says that.
            command.answer.send(Ok(())).ok();
        } else {
            self.waiting.push(command.answer);
        }
    }

    fn answered(&mut self, enabled: bool, answer: Result<(), String>) {
        match &answer {
            Ok(()) => {
                self.health.set_enabled(enabled);
                self.paused_at = (!enabled).then(Instant::now);
            }
            Err(why) => {
                self.log.warn(&format!("not {}: {why}", if enabled { "resumed" } else { "paused" }))
            }
        }
        // Something else may be wanted by now.
        if self.wanted.is_some_and(|wanted| wanted != enabled) {
            self.ask();
            if !self.asking.is_empty() {
                return;
            }
        }
        for waiting in self.waiting.drain(..) {
            waiting.send(answer.clone()).ok();
        }
    }

    /// Takes images of the camera while somebody looks and the robot is not paused.
    fn look(&self, lookers: usize) {
        let active = lookers > 0 && !self.health.is_paused(self.wanted);
        self.look.send_if_modified(|switch| {
            let changed = switch.active != active;
            switch.active = active;
            changed
        });
    }

    /// Looks whether the robot is on the graph: it explains silence.
    async fn see_publisher(&mut self) {
        let topic = format!("{}/emotions", self.name.trim_end_matches('/'));
        let publishers = self.means.node.with(move |node| Offer::of(node, &topic)).await;
        if let Ok(Ok(publishers)) = publishers {
            self.health.see_publisher(!publishers.is_empty());
        }
    }
}
