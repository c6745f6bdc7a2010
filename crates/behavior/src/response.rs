//! What the robot does: its outputs, the answer of a rule, and the response to a face.

use std::time::Duration;

/// A number from 0 to 1.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd)]
pub struct Fraction(f32);

impl Fraction {
    /// 0.
    pub const ZERO: Fraction = Fraction(0.0);
    /// 0.5.
    pub const HALF: Fraction = Fraction(0.5);
    /// 1, the whole.
    pub const ONE: Fraction = Fraction(1.0);

    /// The number as a fraction; none when it is outside 0 to 1 or not a number.
    pub fn new(value: f32) -> Option<Self> {
        (0.0..=1.0).contains(&value).then_some(Fraction(value))
    }

    /// A byte divided by 255.
    pub const fn of_byte(byte: u8) -> Self {
        Fraction(byte as f32 / 255.0)
    }

    /// The number itself, 0 to 1.
    pub const fn get(self) -> f32 {
        self.0
    }
}

/// A light to show. "Leave the light alone" is the absence of a light, not a value of one.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Light {
    /// Red, 0 to 1.
    pub red: Fraction,
    /// Green, 0 to 1.
    pub green: Fraction,
    /// Blue, 0 to 1.
    pub blue: Fraction,
    /// How much of the light is seen: 0.01 to 1 in every light of a policy.
    pub opacity: Fraction,
}

/// What is sent to the robot at one moment, a field for each of its outputs. None leaves an output
/// as it is.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Outputs {
    /// Text to say: 1 to 200 characters on one line.
    pub speech: Option<String>,
    /// Name of a gesture of the robot.
    pub gesture: Option<String>,
    /// Light to show.
    pub light: Option<Light>,
    /// Facial expression that the robot shows.
    pub expression: Option<String>,
}

/// What the robot does when a rule fires. It uses at least one output.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Answer {
    /// What to say in each language. With none the robot is silent.
    pub say: Vec<Say>,
    /// All outputs but speech, which is chosen from `say`.
    pub outputs: Outputs,
    /// How strongly the robot performs gesture, light and expression.
    pub intensity: Fraction,
    /// For how long the response lasts. 0.1 to 60 s.
    pub duration: Duration,
}

/// What to say in one language.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Say {
    /// The language, as BCP 47 has it; none where the policy names none.
    pub language: Option<String>,
    /// Variants, used in turn: 1 to 16.
    pub variants: Vec<String>,
}

impl Answer {
    /// What is said in a language: in just that one, else in one of the same first part (`de` for
    /// `de-AT`), else in the first of the policy.
    pub fn say_in(&self, language: &str) -> Option<&Say> {
        let first_part = |language: &str| {
            let part = language.split('-').next().unwrap_or_default();
            part.to_ascii_lowercase()
        };
        let find = |fits: &dyn Fn(&str) -> bool| {
            self.say.iter().find(|say| say.language.as_deref().is_some_and(fits))
        };
        find(&|named| named.eq_ignore_ascii_case(language))
            .or_else(|| find(&|named| first_part(named) == first_part(language)))
            .or(self.say.first())
    }

    /// The outputs when the rule fires, with the text to say, and its language. `times_before`: how
    /// often it has fired before.
    pub fn outputs_in_turn(
        &self,
        times_before: usize,
        language: &str,
    ) -> (Outputs, Option<String>) {
        let say = self.say_in(language);
        let speech =
            say.and_then(|say| say.variants.get(times_before % say.variants.len().max(1)).cloned());
        let language = say.and_then(|say| say.language.clone());
        (Outputs { speech, ..self.outputs.clone() }, language)
    }
}

/// One answer given to one face: the content of the `Response` message without its header.
#[derive(Debug, Clone, PartialEq)]
pub struct Response {
    /// Names it while the engine lives: no other response has the same.
    pub id: String,
    /// Name of the rule that fired.
    pub rule: String,
    /// The face that is answered.
    pub face_id: String,
    /// The faces that came with it and are answered with it. Empty: it came alone.
    pub group: Vec<String>,
    /// Why the rule fired, for people who read logs; not meant to be spoken.
    pub reason: String,
    /// The language of the speech, as BCP 47 has it; nothing where the policy names none.
    pub language: Option<String>,
    /// What the robot does.
    pub outputs: Outputs,
    /// How strongly the robot performs gesture, light and expression.
    pub intensity: Fraction,
    /// For how long the response lasts; where the robot itself says when it is done, for how long
    /// light and expression last at least. 0.1 to 60 s.
    pub duration: Duration,
}

/// How a response ended, in the robot's own word.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It was done to its end.
    Finished,
    /// It was cut short, and why.
    Cancelled(String),
    /// It could not be done, and why.
    Failed(String),
}

/// A response that the robot is to cut short.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cancelled {
    /// [`Response::id`].
    pub id: String,
    /// Why, for people who read logs.
    pub reason: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_language_is_found_by_its_first_part_or_is_the_first() {
        let say = |language: &str| Say {
            language: Some(language.to_owned()),
            variants: vec![format!("in {language}")],
        };
        let answer = Answer {
            say: vec![say("en"), say("de"), say("de-CH")],
            outputs: Outputs::default(),
            intensity: Fraction::HALF,
            duration: Duration::from_secs(1),
        };
        for (asked, found) in [
            ("en", "en"),
            ("DE-ch", "de-CH"),
            ("de-AT", "de"),
            ("en-GB", "en"),
            ("fr", "en"),
            ("", "en"),
        ] {
            let (outputs, language) = answer.outputs_in_turn(7, asked);
            assert_eq!(language.as_deref(), Some(found), "{asked}");
            assert_eq!(outputs.speech, Some(format!("in {found}")));
        }
    }

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
