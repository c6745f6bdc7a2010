//! The robot's outputs in messages and in words. Another output is a line in `response_message` and
//! in `describe`.

use r2r::builtin_interfaces::msg::Duration as DurationMsg;
use r2r::rapport::msg::Response as ResponseMsg;
use r2r::std_msgs::msg::{ColorRGBA, Header};

use rapport_behavior::{Light, Response};

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
