//! The robot's outputs as topics and in messages. Another output is a field of
//! `OutputTopics` and a line in `advertise`, `publish`, `response_message` and `describe`.

use r2r::builtin_interfaces::msg::Duration as DurationMsg;
use r2r::rapport::msg::Response as ResponseMsg;
use r2r::std_msgs::msg::{ColorRGBA, Header, String as StringMsg};
use r2r::{Node, Publisher, QosProfile};

use rapport_behavior::{Light, Outputs, Response};

/// A publisher for each output.
pub struct OutputTopics {
    speech: Publisher<StringMsg>,
    gesture: Publisher<StringMsg>,
    light: Publisher<ColorRGBA>,
    expression: Publisher<StringMsg>,
}

impl OutputTopics {
    /// Advertises `speech`, `gesture`, `light` and `expression`, reliable. Of the last two, which
    /// last, those who join late get the newest.
    ///
    /// # Errors
    /// If ROS refuses a publisher.
    pub fn advertise(node: &mut Node) -> r2r::Result<Self> {
        let reliable = QosProfile::default;
        let lasting = || QosProfile::default().keep_last(1).transient_local();
        Ok(Self {
            speech: node.create_publisher("speech", reliable())?,
            gesture: node.create_publisher("gesture", reliable())?,
            light: node.create_publisher("light", lasting())?,
            expression: node.create_publisher("expression", lasting())?,
        })
    }

    /// Ends the topics.
    pub fn withdraw(self, node: &mut Node) {
        node.destroy_publisher(self.speech);
        node.destroy_publisher(self.gesture);
        node.destroy_publisher(self.light);
        node.destroy_publisher(self.expression);
    }

    /// Publishes the outputs that are there.
    ///
    /// # Errors
    /// If ROS refuses to publish; the outputs after that one are not published.
    pub fn publish(&self, outputs: &Outputs) -> r2r::Result<()> {
        publish_text(&self.speech, outputs.speech.as_ref())?;
        publish_text(&self.gesture, outputs.gesture.as_ref())?;
        if let Some(light) = &outputs.light {
            self.light.publish(&color(light))?;
        }
        publish_text(&self.expression, outputs.expression.as_ref())
    }
}

fn publish_text(topic: &Publisher<StringMsg>, text: Option<&String>) -> r2r::Result<()> {
    text.map_or(Ok(()), |text| topic.publish(&StringMsg { data: text.clone() }))
}

/// The message about a response to an image with this header.
pub fn response_message(header: &Header, response: &Response) -> ResponseMsg {
    let Response { outputs, .. } = response;
    ResponseMsg {
        header: header.clone(),
        response_id: response.id.clone(),
        rule: response.rule.clone(),
        group_face_ids: response.group.clone(),
        language: response.language.clone().unwrap_or_default(),
        face_id: response.face_id.clone(),
        reason: response.reason.clone(),
        speech: outputs.speech.clone().unwrap_or_default(),
        gesture: outputs.gesture.clone().unwrap_or_default(),
        // Opacity 0 means "leave the light alone".
        light: outputs.light.as_ref().map(color).unwrap_or_default(),
        expression: outputs.expression.clone().unwrap_or_default(),
        intensity: response.intensity.get(),
        duration: DurationMsg {
            sec: i32::try_from(response.duration.as_secs()).unwrap_or(i32::MAX),
            nanosec: response.duration.subsec_nanos(),
        },
    }
}

/// What the robot does in a response, for people: `says "Hello.", gesture nod`.
pub fn describe(response: &ResponseMsg) -> String {
    let mut does = Vec::new();
    if !response.speech.is_empty() {
        does.push(format!("says \"{}\"", response.speech));
    }
    if !response.gesture.is_empty() {
        does.push(format!("gesture {}", response.gesture));
    }
    if !response.expression.is_empty() {
        does.push(format!("shows {}", response.expression));
    }
    let light = &response.light;
    if light.a > 0.0 {
        let byte = |share: f32| (share.clamp(0.0, 1.0) * 255.0).round() as u8;
        let (r, g, b) = (byte(light.r), byte(light.g), byte(light.b));
        does.push(format!("light #{r:02x}{g:02x}{b:02x} at {:.0} %", light.a * 100.0));
    }
    does.join(", ")
}

fn color(light: &Light) -> ColorRGBA {
    ColorRGBA {
        r: light.red.get(),
        g: light.green.get(),
        b: light.blue.get(),
        a: light.opacity.get(),
    }
}
