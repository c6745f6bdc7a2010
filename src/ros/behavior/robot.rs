//! The engine and the topics that it responds on.

use std::time::Duration;

use r2r::rapport::msg::{FaceEmotionArray, Response as ResponseMsg};
use r2r::std_msgs::msg::Header;
use r2r::{Node, Publisher, QosProfile};

use super::outputs::response_message;
use super::performer::{Performer, Surroundings};
use super::readings::readings;
use crate::ros::convert;
use crate::ros::logging::RateLimitedLog;
use rapport_behavior::robot_file::RobotFile;
use rapport_behavior::{Decision, Engine, ModelLabels, Outcome, Policy, Response, StaffRequest};
use rapport_vocabulary::ImageStamp;

/// The robot as the node sees it.
pub struct Robot {
    responses: Publisher<ResponseMsg>,
    performer: Performer,
    engine: Engine,
    /// The labels of the model that the newest message came from.
    model_labels: Vec<String>,
    log: RateLimitedLog,
}

impl Robot {
    /// Advertises `responses`, and connects to the robot as its file says.
    ///
    /// # Errors
    /// If ROS refuses a topic, service or action.
    pub fn connect(
        node: &mut Node,
        policy: Policy,
        robot: RobotFile,
        surroundings: Surroundings,
    ) -> anyhow::Result<Self> {
        let performer = Performer::connect(node, robot, surroundings)?;
        let mut engine = Engine::new(policy);
        engine.wait_for_robot(performer.has_own_word());
        Ok(Self {
            responses: node.create_publisher("responses", QosProfile::default())?,
            performer,
            engine,
            model_labels: Vec::new(),
            log: RateLimitedLog::default(),
        })
    }

    /// Ends the topics.
    pub fn withdraw(self, node: &mut Node) {
        node.destroy_publisher(self.responses);
        self.performer.withdraw(node);
    }

    /// Takes a message about the faces of one image, and publishes what the engine decides.
    /// `arrival`: when it came, on a clock that goes forward. Returns the rule that fired, and what
    /// staff is asked for.
    pub fn respond_to(
        &mut self,
        message: &FaceEmotionArray,
        arrival: Duration,
    ) -> (Option<String>, Option<StaffRequest>) {
        let image = ImageStamp { stamp: convert::stamp(&message.header.stamp), arrival };
        self.learn_labels(&message.labels);
        let readings = readings(message, &mut self.log);
        let mut decision = self.engine.observe(image, &readings);
        let (response, staff) = (decision.response.take(), decision.staff.take());
        self.end(&decision);
        let Some(response) = response else {
            return (None, staff);
        };
        tracing::info!("{} for {}: {}", response.rule, response.face_id, response.reason);
        self.begin(&message.header, &response);
        (Some(response.rule), staff)
    }

    /// Remembers who is there while the node is disabled.
    pub fn watch(&mut self, message: &FaceEmotionArray, arrival: Duration) {
        let image = ImageStamp { stamp: convert::stamp(&message.header.stamp), arrival };
        self.engine.watch(image, &readings(message, &mut self.log));
    }

    /// The rules that it goes by, for what is told about the robot and the place.
    pub fn engine(&mut self) -> &mut Engine {
        &mut self.engine
    }

    /// Closes the engine's open requests to the staff.
    pub fn acknowledge_staff(&mut self) {
        self.engine.acknowledge_staff();
    }

    /// The file of the robot.
    pub fn file(&self) -> &std::path::Path {
        self.performer.file()
    }

    /// Goes on by other rules.
    pub fn replace_policy(&mut self, policy: Policy) {
        self.engine.replace_policy(policy);
        // They are compared with the model's labels again.
        self.model_labels.clear();
    }

    /// Whether a response is running.
    pub fn is_responding(&self) -> bool {
        self.engine.is_responding()
    }

    /// Takes the robot's word that a response is over. `arrival`: when it came.
    pub fn ended(&mut self, id: &str, outcome: Outcome, arrival: Duration) {
        if outcome != Outcome::Finished {
            self.performer.close(id, &outcome);
        }
        let decision = self.engine.ended(id, outcome, arrival);
        self.end(&decision);
    }

    /// Ends a response in time also when no images come.
    pub fn tick(&mut self, now: Duration) {
        let decision = self.engine.tick(now);
        self.end(&decision);
    }

    /// Brings the robot to rest, whatever it shows.
    pub fn rest(&mut self) {
        self.stop("the node was activated");
        self.performer.rest(&self.engine.policy().rest);
    }

    /// Cuts a running response short.
    pub fn stop(&mut self, reason: &str) {
        let decision = self.engine.stop(reason);
        self.end(&decision);
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

    /// Ends what a decision ends, and brings the robot to rest where it says so.
    fn end(&mut self, decision: &Decision) {
        if let Some(id) = &decision.finished {
            self.performer.close(id, &Outcome::Finished);
        }
        if let Some(cancel) = &decision.cancel {
            self.performer.close(&cancel.id, &Outcome::Cancelled(cancel.reason.clone()));
        }
        if let Some(rest) = &decision.rest {
            self.performer.rest(rest);
        }
    }

    fn begin(&mut self, header: &Header, response: &Response) {
        if let Err(error) = self.responses.publish(&response_message(header, response)) {
            self.log.error(&format!("response not published: {error}"));
        }
        self.performer.perform(response);
    }
}
