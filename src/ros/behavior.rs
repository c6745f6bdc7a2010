//! The behavior node: emotion messages in, the robot's answers out.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::anyhow;
use futures::StreamExt;
use r2r::builtin_interfaces::msg::Duration as DurationMsg;
use r2r::rapport::msg::{FaceEmotionArray, Response as ResponseMsg};
use r2r::std_msgs::msg::{ColorRGBA, Header, String as StringMsg};
use r2r::{Node, Publisher, QosProfile};
use tokio::time::{MissedTickBehavior, interval};

use super::clock::RosClock;
use super::convert;
use super::handle::NodeHandle;
use super::logging::RateLimitedLog;
use super::parameters::{Change, Kind, ParameterServices, Parameters, given_to, parameter};
use super::runner::Tasks;
use rapport_behavior::{Engine, FaceReading, Light, Policy, Reaction, Response, Rest};
use rapport_perception::paths;
use rapport_vocabulary::Emotion;

/// How often the end of a response is looked for while no images come.
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
    tracing::info!("{} rules from {}", policy.rules.len(), file.display());
    let reliable = QosProfile::default;
    let mut robot = Robot {
        responses: node.create_publisher("responses", reliable())?,
        speech: node.create_publisher("speech", reliable())?,
        gesture: node.create_publisher("gesture", reliable())?,
        light: node.create_publisher("light", reliable())?,
        expression: node.create_publisher("expression", reliable())?,
        engine: Engine::new(policy),
        newest: None,
        complaints: RateLimitedLog::default(),
    };
    let mut emotions = node.subscribe::<FaceEmotionArray>("emotions", reliable())?;
    let mut tasks = Tasks::default();
    let clock = RosClock::start(node, &parameters, &mut tasks)?;
    tasks.endless(ParameterServices::start(node, parameters, clock)?.serve());
    tasks.endless(async move {
        let mut tick = interval(TICK);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                message = emotions.next() => match message {
                    Some(message) => robot.see(&message),
                    None => break,
                },
                _ = tick.tick() => robot.pass_time(),
            }
        }
    });
    Ok(tasks)
}

struct Robot {
    responses: Publisher<ResponseMsg>,
    speech: Publisher<StringMsg>,
    gesture: Publisher<StringMsg>,
    light: Publisher<ColorRGBA>,
    expression: Publisher<StringMsg>,
    engine: Engine,
    /// Stamp of the newest message and when it came.
    newest: Option<(Duration, Instant)>,
    complaints: RateLimitedLog,
}

impl Robot {
    fn see(&mut self, message: &FaceEmotionArray) {
        let stamp = convert::stamp(&message.header.stamp).unwrap_or_else(convert::time_of_day);
        self.newest = Some((stamp, Instant::now()));
        let mut readings = Vec::with_capacity(message.faces.len());
        for face in &message.faces {
            match face.label.parse::<Emotion>() {
                Ok(emotion) => readings.push(FaceReading {
                    face_id: &face.face_id,
                    emotion,
                    confidence: face.confidence,
                }),
                Err(error) => self.complaints.error(&format!("face passed over: {error}")),
            }
        }
        let Reaction { rest, response } = self.engine.observe(stamp, &readings);
        if let Some(rest) = rest {
            self.show_rest(&rest);
        }
        if let Some(response) = response {
            tracing::info!("{} for {}: {}", response.rule, response.face_id, response.reason);
            if let Err(error) = self.respond(&message.header, &response) {
                self.complaints.error(&format!("response not published: {error}"));
            }
        }
    }

    /// Ends a response in time also when no images come.
    fn pass_time(&mut self) {
        if let Some((stamp, came)) = self.newest
            && let Some(rest) = self.engine.tick(stamp.saturating_add(came.elapsed()))
        {
            self.show_rest(&rest);
        }
    }

    fn show_rest(&mut self, rest: &Rest) {
        if let Err(error) = self.show(rest.light.as_ref(), rest.expression.as_deref()) {
            self.complaints.error(&format!("rest not published: {error}"));
        }
    }

    fn respond(&self, header: &Header, response: &Response) -> r2r::Result<()> {
        self.responses.publish(&response_message(header, response))?;
        let text = |text: &str| StringMsg { data: text.to_owned() };
        if let Some(speech) = &response.speech {
            self.speech.publish(&text(speech))?;
        }
        if let Some(gesture) = &response.gesture {
            self.gesture.publish(&text(gesture))?;
        }
        self.show(response.light.as_ref(), response.expression.as_deref())
    }

    fn show(&self, light: Option<&Light>, expression: Option<&str>) -> r2r::Result<()> {
        if let Some(light) = light {
            self.light.publish(&color(light))?;
        }
        if let Some(expression) = expression {
            self.expression.publish(&StringMsg { data: expression.to_owned() })?;
        }
        Ok(())
    }
}

/// The node ends: no light or face of a response stays behind.
impl Drop for Robot {
    fn drop(&mut self) {
        if let Some(rest) = self.engine.stop() {
            self.show_rest(&rest);
        }
    }
}

fn response_message(header: &Header, response: &Response) -> ResponseMsg {
    ResponseMsg {
        header: header.clone(),
        rule: response.rule.clone(),
        face_id: response.face_id.clone(),
        reason: response.reason.clone(),
        speech: response.speech.clone().unwrap_or_default(),
        gesture: response.gesture.clone().unwrap_or_default(),
        // Opacity 0 stands for "leave the light alone".
        light: response.light.as_ref().map(color).unwrap_or_default(),
        expression: response.expression.clone().unwrap_or_default(),
        intensity: response.intensity.get(),
        duration: DurationMsg {
            sec: i32::try_from(response.duration.as_secs()).unwrap_or(i32::MAX),
            nanosec: response.duration.subsec_nanos(),
        },
    }
}

fn color(light: &Light) -> ColorRGBA {
    ColorRGBA {
        r: light.red.get(),
        g: light.green.get(),
        b: light.blue.get(),
        a: light.opacity.get(),
    }
}
