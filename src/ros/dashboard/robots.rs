//! All robots: finds them, and hands each what is about it.

use std::collections::BTreeMap;

use futures::{Stream, StreamExt};
use r2r::Node;
use r2r::diagnostic_msgs::msg::DiagnosticArray;
use rapport_recording::message::EmotionsMessage;
use rapport_web::hub::Command;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval};

use super::report;
use super::robot::{Means, Robot, Told};
use crate::ros::diagnostics::PERIOD;
use crate::ros::image_topic::Offer;
use crate::ros::logging::RateLimitedLog;

/// Robots that are found: more are no robots.
const MOST_FOUND: usize = 64;

/// What waits for a robot's task.
const WAITING: usize = 32;

/// The robots.
pub struct Robots {
    means: Means,
    /// Whether robots are found; otherwise they were named.
    finds: bool,
    told: BTreeMap<String, mpsc::Sender<Told>>,
    tasks: JoinSet<(String, anyhow::Result<()>)>,
    log: RateLimitedLog,
}

impl Robots {
    /// Robots of these namespaces, or, where none is named, all that are found.
    pub fn new(means: Means, named: Vec<String>) -> Self {
        let finds = named.is_empty();
        let (told, tasks, log) = (BTreeMap::new(), JoinSet::new(), RateLimitedLog::default());
        let mut robots = Self { means, finds, told, tasks, log };
        // One that is paused is known also while it does not run.
        let known = if finds { robots.means.pauses.robots() } else { named };
        known.iter().for_each(|name| robots.add(name));
        robots
    }

    /// Serves until this node ends.
    pub async fn run(
        mut self,
        mut diagnostics: impl Stream<Item = DiagnosticArray> + Unpin + Send,
        mut commands: mpsc::Receiver<Command>,
    ) {
        let mut look = interval(PERIOD);
        look.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                message = diagnostics.next() => match message {
                    Some(message) => self.hear(&message),
                    None => return,
                },
                Some(command) = commands.recv() => self.command(command),
                Some(ended) = self.tasks.join_next() => match ended {
                    Ok((robot, outcome)) => self.ended(&robot, outcome),
                    Err(_) => return,
                },
                _ = look.tick(), if self.finds => self.find().await,
            }
        }
    }

    fn add(&mut self, name: &str) {
        if self.told.contains_key(name) {
            return;
        }
        if self.told.len() == MOST_FOUND {
            self.log.warn(&format!("{name} is not shown: {MOST_FOUND} robots are"));
            return;
        }
        let (told, waiting) = mpsc::channel(WAITING);
        let robot = Robot::new(name, self.means.clone());
        self.told.insert(name.to_owned(), told);
        let name = name.to_owned();
        self.tasks.spawn(async move { (name, robot.run(waiting).await) });
    }

    fn hear(&mut self, message: &DiagnosticArray) {
        for (robot, report) in message.status.iter().filter_map(report::read) {
            if self.finds {
                self.add(&robot);
            }
            if let Some(told) = self.told.get(&robot) {
                // One that is so busy gets the next report.
                told.try_send(Told::Report(report)).ok();
            }
        }
    }

    fn command(&mut self, command: Command) {
        let Some(told) = self.told.get(&command.robot) else {
            let unknown = format!("{} is not known", command.robot);
            command.answer.send(Err(unknown)).ok();
            return;
        };
        if let Err(refused) = told.try_send(Told::Command(command))
            && let Told::Command(command) = refused.into_inner()
        {
            command.answer.send(Err("too many requests wait".to_owned())).ok();
        }
    }

    /// A robot that cannot be subscribed is tried again when it is found again.
    fn ended(&mut self, robot: &str, outcome: anyhow::Result<()>) {
        if let Err(error) = outcome {
            self.log.error(&format!("{robot} is not shown: {error:#}"));
        }
        self.told.remove(robot);
        self.means.hub.remove(robot);
    }

    /// Finds robots that publish emotions.
    async fn find(&mut self) {
        let find = |node: &mut Node| -> r2r::Result<Vec<String>> {
            let topics = node.get_topic_names_and_types()?.into_iter();
            let ours = topics
                .filter(|(_, kinds)| kinds.iter().any(|kind| kind == EmotionsMessage::TYPE_NAME));
            // A subscriber alone makes a topic known.
            let published = ours
                .filter(|(topic, _)| Offer::of(node, topic).is_ok_and(|offers| !offers.is_empty()));
            let robot = |(topic, _): (String, _)| topic.strip_suffix("/emotions").map(root);
            Ok(published.filter_map(robot).collect())
        };
        if let Ok(Ok(found)) = self.means.node.with(find).await {
            found.iter().for_each(|name| self.add(name));
        }
    }
}

/// The namespace before a name; `/` where there is none.
fn root(namespace: &str) -> String {
    if namespace.is_empty() { "/" } else { namespace }.to_owned()
}
