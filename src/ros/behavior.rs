//! The behavior node: emotion messages in, the robot's responses out.

mod diagnostics;
mod outputs;

use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::anyhow;
use futures::StreamExt;
use r2r::rapport::msg::{FaceEmotionArray, Response as ResponseMsg};
use r2r::std_msgs::msg::Header;
use r2r::{Node, Publisher, QosProfile};
use tokio::time::{MissedTickBehavior, interval};

use super::clock::RosClock;
use super::convert;
use super::handle::NodeHandle;
use super::logging::RateLimitedLog;
use super::parameters::{Change, Kind, ParameterServices, Parameters, given_to, parameter};
use super::runner::Tasks;
use super::status::{PERIOD, RESPONSES, StatusPublisher};
use diagnostics::PolicyStatus;
use outputs::{OutputTopics, response_message};
use rapport_behavior::{Decision, Engine, FaceReading, ModelLabels, Outputs, Policy, Response};
use rapport_perception::paths;
use rapport_vocabulary::{Emotion, ImageStamp};

pub use outputs::describe;

/// How often the node looks whether a response is over while no messages come.
const TICK: Duration = Duration::from_millis(100);

/// Reads the policy, subscribes `emotions`, advertises `responses` and the robot's outputs
/// `speech`, `gesture`, `light` and `expression`.
///
/// # Errors
/// If the policy is missing or wrong: file, line, what was found and what is allowed.
pub fn start_node(node: &mut Node, _: NodeHandle) -> anyhow::Result<Tasks> {
    let parameters = Parameters::declare(
        &given_to(node)?,
        vec![parameter(
            "policy_file",
            Kind::Text(""),
            Change::Never,
            "Policy (YAML); empty: config/policy.yaml of the package",
        )],
    )?;
    let file = match parameters.values().text("policy_file") {
        given if !given.is_empty() => PathBuf::from(given),
        _ => paths::shared_file("config/policy.yaml")
            .ok_or_else(|| anyhow!("config/policy.yaml of the package not found"))?,
    };
    let policy = Policy::read(&file)?;
    let mut status = PolicyStatus::of(&file, &policy)?;
    tracing::info!("{} rules from {}", policy.rules.len(), file.display());
    let mut robot = Robot {
        responses: node.create_publisher("responses", QosProfile::default())?,
        outputs: OutputTopics::advertise(node)?,
        engine: Engine::new(policy),
        start: Instant::now(),
        model_labels: Vec::new(),
        log: RateLimitedLog::default(),
    };
    let mut emotions = node.subscribe::<FaceEmotionArray>("emotions", QosProfile::default())?;
    let mut tasks = Tasks::default();
    let clock = RosClock::start(node, &parameters, &mut tasks)?;
    let mut diagnostics = StatusPublisher::start(node, clock.clone(), RESPONSES)?;
    tasks.endless(ParameterServices::start(node, parameters, clock)?.serve());
    tasks.endless(async move {
        let every = |period| {
            let mut ticks = interval(period);
            ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
            ticks
        };
        let (mut tick, mut report) = (every(TICK), every(PERIOD));
        loop {
            tokio::select! {
                message = emotions.next() => match message {
                    Some(message) => status.count(robot.respond_to(&message)),
                    None => break,
                },
                _ = tick.tick() => robot.tick(),
                _ = report.tick() => diagnostics.publish(status.report()),
            }
        }
    });
    Ok(tasks)
}

/// The engine and the topics that it responds on.
struct Robot {
    responses: Publisher<ResponseMsg>,
    outputs: OutputTopics,
    engine: Engine,
    /// The origin of the arrivals of messages.
    start: Instant,
    /// The labels of the model that the newest message came from.
    model_labels: Vec<String>,
    log: RateLimitedLog,
}

impl Robot {
    /// Takes a message about the faces of one image, and publishes what the engine decides. Returns
    /// the name of the rule that fired.
    fn respond_to(&mut self, message: &FaceEmotionArray) -> Option<String> {
        let image = ImageStamp {
            stamp: convert::stamp(&message.header.stamp),
            arrival: self.start.elapsed(),
        };
        self.learn_labels(&message.labels);
        let mut readings = Vec::with_capacity(message.faces.len());
        for face in &message.faces {
            match Emotion::from_word(&face.label) {
                Ok(emotion) => readings.push(FaceReading {
                    face_id: &face.face_id,
                    emotion,
                    confidence: face.confidence,
                }),
                Err(error) => self.log.warn(&format!("face skipped: {error}")),
            }
        }
        let Decision { rest, response } = self.engine.observe(image, &readings);
        if let Some(rest) = rest {
            self.publish_rest(&rest);
        }
        let response = response?;
        tracing::info!("{} for {}: {}", response.rule, response.face_id, response.reason);
        if let Err(error) = self.publish_response(&message.header, &response) {
            self.log.error(&format!("response not published: {error}"));
        }
        Some(response.rule)
    }

    /// Compares the labels of the running model with the policy: once for each model, and again
    /// when another model runs.
    fn learn_labels(&mut self, labels: &[String]) {
        if labels.is_empty() || labels == self.model_labels {
            return;
        }
        self.model_labels = labels.to_vec();
        for warning in ModelLabels::compare(labels, self.engine.policy()).warnings() {
            self.log.warn(&warning);
        }
    }

    /// Ends a response in time also when no images come.
    fn tick(&mut self) {
        if let Some(rest) = self.engine.tick(self.start.elapsed()) {
            self.publish_rest(&rest);
        }
    }

    fn publish_rest(&mut self, rest: &Outputs) {
        if let Err(error) = self.outputs.publish(rest) {
            self.log.error(&format!("rest not published: {error}"));
        }
    }

    fn publish_response(&self, header: &Header, response: &Response) -> r2r::Result<()> {
        self.responses.publish(&response_message(header, response))?;
        self.outputs.publish(&response.outputs)
    }
}

/// The node ends: no light or face of a response stays behind.
impl Drop for Robot {
    fn drop(&mut self) {
        if let Some(rest) = self.engine.stop() {
            self.publish_rest(&rest);
        }
    }
}
