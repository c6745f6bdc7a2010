//! Messages with placeholders, and the values that these stand for.

use serde_json::{Map, Number, Value};

use rapport_settings::Place;

use crate::response::{Light, Response};

/// What a `{word}` in a robot's file stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Placeholder {
    /// `{speech}`: text to say.
    Speech,
    /// `{language}`: its language, as BCP 47 or the file's `languages` have it.
    Language,
    /// `{gesture}`: name of a gesture, in the robot's words.
    Gesture,
    /// `{expression}`: name of a facial expression, in the robot's words.
    Expression,
    /// `{intensity}`: 0 to 1.
    Intensity,
    /// `{light.r}`, 0 to 1.
    Red,
    /// `{light.g}`, 0 to 1.
    Green,
    /// `{light.b}`, 0 to 1.
    Blue,
    /// `{light.a}`: opacity, 0 to 1.
    Opacity,
    /// `{duration_secs}`: for how long the response lasts.
    DurationSecs,
    /// `{person_id}`: id of the face that is answered.
    PersonId,
    /// `{response_id}`: names the response.
    ResponseId,
}

impl Placeholder {
    const ALL: [(Placeholder, &'static str); 12] = [
        (Placeholder::Speech, "speech"),
        (Placeholder::Language, "language"),
        (Placeholder::Gesture, "gesture"),
        (Placeholder::Expression, "expression"),
        (Placeholder::Intensity, "intensity"),
        (Placeholder::Red, "light.r"),
        (Placeholder::Green, "light.g"),
        (Placeholder::Blue, "light.b"),
        (Placeholder::Opacity, "light.a"),
        (Placeholder::DurationSecs, "duration_secs"),
        (Placeholder::PersonId, "person_id"),
        (Placeholder::ResponseId, "response_id"),
    ];

    /// The placeholder of a word without its braces.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.iter().find(|(_, known)| *known == word).map(|(placeholder, _)| *placeholder)
    }

    /// The word, without braces.
    pub fn word(self) -> &'static str {
        Self::ALL.iter().find(|(known, _)| *known == self).map_or("", |(_, word)| word)
    }

    /// All words in braces, for messages.
    pub fn words() -> String {
        let words: Vec<String> = Self::ALL.iter().map(|(_, word)| format!("{{{word}}}")).collect();
        words.join(", ")
    }

    /// Whether its value is a number.
    pub fn is_number(self) -> bool {
        matches!(
            self,
            Placeholder::Intensity
                | Placeholder::Red
                | Placeholder::Green
                | Placeholder::Blue
                | Placeholder::Opacity
                | Placeholder::DurationSecs
        )
    }
}

/// What a robot is to do: the values of the placeholders. None: the response does not have it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Content {
    /// Text to say.
    pub speech: Option<String>,
    /// Its language.
    pub language: Option<String>,
    /// Name of a gesture.
    pub gesture: Option<String>,
    /// Name of a facial expression of the robot.
    pub expression: Option<String>,
    /// Light to show.
    pub light: Option<Light>,
    /// 0 to 1.
    pub intensity: Option<f32>,
    /// Seconds.
    pub duration_secs: Option<f64>,
    /// Id of the face that is answered.
    pub person_id: Option<String>,
    /// Names the response.
    pub response_id: Option<String>,
}

impl Content {
    /// What a response is made of.
    pub fn of_response(response: &Response) -> Self {
        let outputs = response.outputs.clone();
        Self {
            speech: outputs.speech,
            language: response.language.clone(),
            gesture: outputs.gesture,
            expression: outputs.expression,
            light: outputs.light,
            intensity: Some(response.intensity.get()),
            duration_secs: Some(response.duration.as_secs_f64()),
            person_id: Some(response.face_id.clone()),
            response_id: Some(response.id.clone()),
        }
    }

    /// The value of a placeholder.
    pub fn value(&self, placeholder: Placeholder) -> Option<Value> {
        let text = |text: &Option<String>| text.clone().map(Value::String);
        let share = |share: f32| number(f64::from(share));
        let light = self.light.as_ref();
        match placeholder {
            Placeholder::Speech => text(&self.speech),
            Placeholder::Language => text(&self.language),
            Placeholder::Gesture => text(&self.gesture),
            Placeholder::Expression => text(&self.expression),
            Placeholder::PersonId => text(&self.person_id),
            Placeholder::ResponseId => text(&self.response_id),
            Placeholder::Intensity => self.intensity.and_then(share),
            Placeholder::DurationSecs => self.duration_secs.and_then(number),
            Placeholder::Red => light.and_then(|light| share(light.red.get())),
            Placeholder::Green => light.and_then(|light| share(light.green.get())),
            Placeholder::Blue => light.and_then(|light| share(light.blue.get())),
            Placeholder::Opacity => light.and_then(|light| share(light.opacity.get())),
        }
    }

    /// One in which every placeholder has a value.
    pub(super) fn sample() -> Self {
        let text = || Some("sample".to_owned());
        let half = crate::response::Fraction::HALF;
        Self {
            speech: text(),
            language: text(),
            gesture: text(),
            expression: text(),
            light: Some(Light { red: half, green: half, blue: half, opacity: half }),
            intensity: Some(0.5),
            duration_secs: Some(0.5),
            person_id: text(),
            response_id: text(),
        }
    }
}

/// A number as JSON has it; nothing where it is none.
pub(super) fn number(number: f64) -> Option<Value> {
    Number::from_f64(number).map(Value::Number)
}

/// A message, or a value in one, with placeholders.
#[derive(Debug, Clone, PartialEq)]
pub struct Message {
    pub(super) place: Place,
    pub(super) form: Form,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Form {
    /// As it is in the file; of a number, before its type is known.
    Constant(Value),
    /// One placeholder alone: its value.
    Whole(Placeholder),
    /// Text with placeholders in it.
    Text(Vec<Piece>),
    List(Vec<Message>),
    /// Fields, each with the place of its key.
    Fields(Vec<(String, Place, Message)>),
    /// A mapping where the type has text: as a JSON object.
    Json(Vec<(String, Place, Message)>),
    /// A number of seconds where the type has `sec` and `nanosec`.
    Duration(Placeholder),
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Piece {
    Text(String),
    Value(Placeholder),
}

impl Message {
    /// The message for a content, as JSON. What has no value is left out: the type's default stays.
    pub fn fill(&self, content: &Content) -> Value {
        self.value(content).unwrap_or_else(|| Value::Object(Map::new()))
    }

    pub(super) fn value(&self, content: &Content) -> Option<Value> {
        match &self.form {
            Form::Constant(value) => Some(value.clone()),
            Form::Whole(placeholder) => content.value(*placeholder).map(without_nul),
            Form::Text(pieces) => {
                let text: String = pieces.iter().map(|piece| piece.text(content)).collect();
                Some(without_nul(Value::String(text)))
            }
            Form::List(items) => {
                Some(items.iter().filter_map(|item| item.value(content)).collect())
            }
            Form::Fields(fields) => Some(Value::Object(object(fields, content))),
            Form::Json(fields) => {
                Some(Value::String(Value::Object(object(fields, content)).to_string()))
            }
            Form::Duration(placeholder) => {
                let secs = content.value(*placeholder)?.as_f64()?;
                let duration = std::time::Duration::try_from_secs_f64(secs).ok()?;
                let sec = i32::try_from(duration.as_secs()).unwrap_or(i32::MAX);
                Some(serde_json::json!({"sec": sec, "nanosec": duration.subsec_nanos()}))
            }
        }
    }
}

fn object(fields: &[(String, Place, Message)], content: &Content) -> Map<String, Value> {
    let value = |(name, _, message): &(String, Place, Message)| {
        Some((name.clone(), message.value(content)?))
    };
    fields.iter().filter_map(value).collect()
}

/// C ends a text at a NUL, and r2r does not accept one.
fn without_nul(value: Value) -> Value {
    match value {
        Value::String(text) => Value::String(text.replace('\0', "")),
        other => other,
    }
}

impl Piece {
    fn text(&self, content: &Content) -> String {
        match self {
            Piece::Text(text) => text.clone(),
            Piece::Value(placeholder) => match content.value(*placeholder) {
                Some(Value::String(text)) => text,
                Some(number) => number.to_string(),
                None => String::new(),
            },
        }
    }
}
