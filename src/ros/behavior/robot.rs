//! The engine and the topics that it responds on.

use std::time::Duration;

use r2r::rapport::msg::{FaceEmotionArray, Response as ResponseMsg};
use r2r::std_msgs::msg::Header;
use r2r::{Node, Publisher, QosProfile};

use super::outputs::{OutputTopics, response_message};
use super::readings::readings;
use crate::ros::convert;
use crate::ros::logging::RateLimitedLog;
use rapport_behavior::{Decision, Engine, ModelLabels, Outputs, Policy, Response, StaffRequest};
use rapport_vocabulary::ImageStamp;

/// The robot as the node sees it.
pub struct Robot {
    responses: Publisher<ResponseMsg>,
    outputs: OutputTopics,
    engine: Engine,
    /// The labels of the model that the newest message came from.
    model_labels: Vec<String>,
    log: RateLimitedLog,
}

impl Robot {
    /// Advertises `responses` and the robot's outputs `speech`, `gesture`, `light` and
    /// `expression`.
    ///
    /// # Errors
    /// If ROS refuses a publisher.
    pub fn advertise(node: &mut Node, policy: Policy) -> r2r::Result<Self> {
        Ok(Self {
            responses: node.create_publisher("responses", QosProfile::default())?,
            outputs: OutputTopics::advertise(node)?,
            engine: Engine::new(policy),
            model_labels: Vec::new(),
            log: RateLimitedLog::default(),
        })
    }

    /// Ends the topics.
    pub fn withdraw(self, node: &mut Node) {
        node.destroy_publisher(self.responses);
        self.outputs.withdraw(node);
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
        let Decision { rest, staff, response, .. } = self.engine.observe(image, &readings);
        if let Some(rest) = rest {
            self.publish_rest(&rest);
        }
        let Some(response) = response else {
            return (None, staff);
        };
        tracing::info!("{} for {}: {}", response.rule, response.face_id, response.reason);
        if let Err(error) = self.publish_response(&message.header, &response) {
            self.log.error(&format!("response not published: {error}"));
        }
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

    /// Ends a response in time also when no images come.
    pub fn tick(&mut self, now: Duration) {
        if let Some(rest) = self.engine.tick(now).rest {
            self.publish_rest(&rest);
        }
    }

    /// Brings the robot to rest, whatever it shows.
    pub fn rest(&mut self) {
        self.engine.stop("the node was activated");
        let rest = self.engine.policy().rest.clone();
        self.publish_rest(&rest);
    }

    /// Ends a running response.
    pub fn stop(&mut self) {
        if let Some(rest) = self.engine.stop("the robot is switched off").rest {
            self.publish_rest(&rest);
        }
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
