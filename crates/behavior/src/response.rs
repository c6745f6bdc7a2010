//! What the robot does: the parts of an answer, a response, and the rest that follows it.

use std::time::Duration;

use serde::Serialize;

/// A number from 0 to 1.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd, Serialize)]
pub struct Fraction(f32);

impl Fraction {
    /// 0.5.
    pub const HALF: Fraction = Fraction(0.5);
    /// 1, the whole.
    pub const ONE: Fraction = Fraction(1.0);

    /// The number as a fraction; none when it is outside 0 to 1 or not a number.
    pub fn new(value: f32) -> Option<Self> {
        (0.0..=1.0).contains(&value).then_some(Fraction(value))
    }

    /// The share that a byte is of 255.
    pub const fn of_byte(byte: u8) -> Self {
        Fraction(byte as f32 / 255.0)
    }

    /// The number itself, 0 to 1.
    pub const fn get(self) -> f32 {
        self.0
    }
}

/// A light to show. "Leave the light alone" is the absence of a light, not a value of one.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Light {
    /// Share of red.
    pub red: Fraction,
    /// Share of green.
    pub green: Fraction,
    /// Share of blue.
    pub blue: Fraction,
    /// How much of the light is seen; above 0 in every light that a policy holds.
    pub opacity: Fraction,
}

/// What the robot does when a rule fires. At least one of the four ways is there.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Answer {
    /// Variants of what to say, used in turn; none means silence.
    pub say: Vec<String>,
    /// Name of a gesture of the robot.
    pub gesture: Option<String>,
    /// Light to show.
    pub light: Option<Light>,
    /// Facial expression that the robot shows.
    pub expression: Option<String>,
    /// How strongly gesture, light and expression are performed.
    pub intensity: Fraction,
    /// For how long the response lasts.
    pub duration: Duration,
}

/// One answer given to one face: the content of the `Response` message, less its header.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Response {
    /// Name of the rule that fired.
    pub rule: String,
    /// The face that is answered.
    pub face_id: String,
    /// Why the rule fired, for people who read logs; not meant to be spoken.
    pub reason: String,
    /// Text to say.
    pub speech: Option<String>,
    /// Name of a gesture of the robot.
    pub gesture: Option<String>,
    /// Light to show; none means leave it alone.
    pub light: Option<Light>,
    /// Facial expression that the robot shows.
    pub expression: Option<String>,
    /// How strongly gesture, light and expression are performed.
    pub intensity: Fraction,
    /// For how long the response lasts.
    pub duration: Duration,
}

/// How the robot looks when it answers nobody. What is none is left as it is.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Rest {
    /// Light to go back to.
    pub light: Option<Light>,
    /// Facial expression to go back to.
    pub expression: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fraction_is_between_0_and_1() {
        for inside in [0.0, 0.25, 1.0] {
            assert_eq!(Fraction::new(inside).map(Fraction::get), Some(inside));
        }
        for outside in [-0.01, 1.01, f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
            assert_eq!(Fraction::new(outside), None, "{outside}");
        }
    }
}
