//! Compares the messages of a robot's file with their types, as the program has them.

use rapport_settings::{Place, Problem, Problems, quote};
use serde_json::{Map, Value};

use super::message::{Content, Form, Message, Placeholder};
use super::{Channel, Step};

/// Tries whether JSON can be made into a message; why not otherwise.
pub type Trial = Box<dyn Fn(&Value) -> Result<(), String>>;

/// A type of messages: each as JSON with the type's default values, which show its fields.
pub struct Interface {
    /// The message, request or goal.
    sent: Value,
    try_sent: Trial,
    /// The answer or result; nothing of a topic.
    answer: Option<Value>,
}

impl Interface {
    /// The type of a topic.
    pub fn of_topic(message: Value, try_message: Trial) -> Self {
        Self { sent: message, try_sent: try_message, answer: None }
    }

    /// The type of a service or an action: request and answer, or goal and result.
    pub fn with_answer(sent: Value, try_sent: Trial, answer: Value) -> Self {
        Self { sent, try_sent, answer: Some(answer) }
    }
}

/// Fits the messages of all steps. Returns what is wrong, in the order of the file.
pub(super) fn fit<'a>(
    steps: impl Iterator<Item = &'a mut Step>,
    find: &dyn Fn(Channel, &str) -> Option<Interface>,
) -> Vec<Problem> {
    let mut problems = Problems::default();
    for step in steps {
        fit_step(step, find, &mut problems);
    }
    problems.in_order()
}

fn fit_step(
    step: &mut Step,
    find: &dyn Fn(Channel, &str) -> Option<Interface>,
    problems: &mut Problems,
) {
    let Some(interface) = find(step.channel, &step.type_name) else {
        let package = step.type_name.split('/').next().unwrap_or_default();
        problems.note(
            step.type_place,
            format!("type is {}, which this program was built without", quote(&step.type_name)),
            format!(
                "a type of a package that was installed when Rapport was built: install {package}, \
                 then build Rapport again with RAPPORT_INTERFACES={package}"
            ),
        );
        return;
    };
    let mut fitting = Fitting { of: &step.type_name, problems, wrong: false };
    fitting.fit(&mut step.message, &interface.sent, "fields");
    if !fitting.wrong {
        fitting.try_fields(&step.message, &interface.try_sent, &mut Vec::new());
    }
    if let (Some(success), Some(answer)) = (&mut step.success, &interface.answer) {
        let what = match step.channel {
            Channel::Action => "the result of ",
            _ => "the answer of ",
        };
        let of = format!("{what}{}", step.type_name);
        let mut fitting = Fitting { of: &of, problems, wrong: false };
        fitting.fit(success, answer, "success");
        fitting.no_placeholders(success, "success");
    }
}

struct Fitting<'a> {
    /// The type, for messages.
    of: &'a str,
    problems: &'a mut Problems,
    wrong: bool,
}

impl Fitting<'_> {
    fn note(&mut self, place: Place, found: String, allowed: impl Into<String>) {
        self.wrong = true;
        self.problems.note(place, found, allowed);
    }

    /// Gives a value the form that `shape`, the default of the type, asks for.
    fn fit(&mut self, message: &mut Message, shape: &Value, name: &str) {
        let place = message.place;
        match (&mut message.form, shape) {
            (Form::Fields(fields), Value::Object(shapes)) => {
                for (field, key_place, value) in fields {
                    match shapes.get(field.as_str()) {
                        Some(shape) => self.fit(value, shape, field),
                        None => {
                            let found = format!("{name} has the unknown field {}", quote(field));
                            let allowed = format!("those of {}: {}", self.of, described(shapes));
                            self.note(*key_place, found, allowed);
                        }
                    }
                }
            }
            (Form::Fields(fields), Value::String(_)) => {
                fields.iter_mut().for_each(|(.., value)| whole_numbers(value));
                message.form = Form::Json(std::mem::take(fields));
            }
            (Form::Whole(placeholder), Value::Object(shapes)) if is_duration(shapes) => {
                if *placeholder == Placeholder::DurationSecs {
                    message.form = Form::Duration(*placeholder);
                } else {
                    let found = format!("{name} is {{{}}}", placeholder.word());
                    self.note(place, found, "{duration_secs}, or {sec: ..., nanosec: ...}");
                }
            }
            (Form::Constant(value), Value::Number(like)) if value.is_number() => {
                match number_like(value, like.is_f64()) {
                    Some(number) => *value = number,
                    None => {
                        let found = format!("{name} is {}", shown(value));
                        self.note(place, found, "a whole number");
                    }
                }
            }
            (Form::Constant(Value::String(_)), Value::String(_))
            | (Form::Constant(Value::Bool(_)), Value::Bool(_))
            | (Form::Text(_), Value::String(_)) => {}
            (Form::Whole(placeholder), Value::String(_)) => {
                // A number stands in a text as its digits.
                if placeholder.is_number() {
                    message.form = Form::Text(vec![super::message::Piece::Value(*placeholder)]);
                }
            }
            (Form::Whole(placeholder), Value::Number(like))
                if placeholder.is_number() && like.is_f64() => {}
            (Form::List(items), Value::Array(shapes)) => self.fit_list(items, shapes, place, name),
            (form, shape) => {
                let found = format!("{name} is {}", form_shown(form));
                let allowed = format!("{}, as {} has it", kind(shape), self.of);
                self.note(place, found, allowed);
            }
        }
    }

    fn fit_list(&mut self, items: &mut [Message], shapes: &[Value], place: Place, name: &str) {
        if !shapes.is_empty() && shapes.len() != items.len() {
            let found = format!("{name} is a list of {}", items.len());
            self.note(place, found, format!("a list of {}", shapes.len()));
            return;
        }
        for item in items {
            match shapes.first() {
                Some(shape) => self.fit(item, shape, name),
                // What a list without elements holds is known by the trial alone.
                None => whole_numbers(item),
            }
        }
    }

    /// Tries one field after another, so that a value out of range is found at its place. `below`: the
    /// fields that lead to the message.
    fn try_fields<'m>(&mut self, message: &'m Message, try_sent: &Trial, below: &mut Vec<&'m str>) {
        let Form::Fields(fields) = &message.form else { return };
        for (name, _, value) in fields {
            below.push(name);
            if let Form::Fields(_) = value.form {
                self.try_fields(value, try_sent, below);
            } else if let Some(filled) = value.value(&Content::sample()) {
                let alone = below.iter().rev().fold(filled, |inside, name| {
                    Value::Object(Map::from_iter([((*name).to_owned(), inside)]))
                });
                if let Err(reason) = try_sent(&alone) {
                    let found = format!("{name} is {}", form_shown(&value.form));
                    let allowed = format!("what {} takes: {reason}", self.of);
                    self.note(value.place, found, allowed);
                }
            }
            below.pop();
        }
    }

    fn no_placeholders(&mut self, message: &Message, name: &str) {
        match &message.form {
            Form::Constant(_) => {}
            Form::Fields(fields) => {
                fields.iter().for_each(|(name, _, value)| self.no_placeholders(value, name));
            }
            form => {
                let found = format!("{name} is {}", form_shown(form));
                self.note(message.place, found, "one value without placeholders");
            }
        }
    }
}

fn is_duration(shapes: &Map<String, Value>) -> bool {
    shapes.len() == 2 && shapes.contains_key("sec") && shapes.contains_key("nanosec")
}

/// The number as the type has numbers; nothing for a fraction where it has whole ones.
fn number_like(value: &Value, is_float: bool) -> Option<Value> {
    let number = value.as_f64()?;
    if is_float {
        return super::message::number(number);
    }
    // Beyond that, YAML's number is not the one that was written.
    let is_whole = number.fract() == 0.0 && number.abs() <= 9_007_199_254_740_992.0;
    is_whole.then(|| Value::from(number as i64))
}

fn whole_numbers(message: &mut Message) {
    match &mut message.form {
        Form::Constant(value) if value.is_number() => {
            if let Some(whole) = number_like(value, false) {
                *value = whole;
            }
        }
        Form::List(items) => items.iter_mut().for_each(whole_numbers),
        Form::Fields(fields) => fields.iter_mut().for_each(|(.., value)| whole_numbers(value)),
        _ => {}
    }
}

/// The fields of a type and what each holds.
fn described(shapes: &Map<String, Value>) -> String {
    if shapes.is_empty() {
        return "it has none".to_owned();
    }
    let fields: Vec<String> =
        shapes.iter().map(|(name, shape)| format!("{name} ({})", kind(shape))).collect();
    fields.join(", ")
}

fn kind(shape: &Value) -> String {
    match shape {
        Value::Null => "nothing".to_owned(),
        Value::Bool(_) => "true or false".to_owned(),
        Value::Number(number) if number.is_f64() => "a number".to_owned(),
        Value::Number(_) => "a whole number".to_owned(),
        Value::String(_) => "a text".to_owned(),
        Value::Array(_) => "a list".to_owned(),
        Value::Object(shapes) => {
            let names: Vec<&str> = shapes.keys().map(String::as_str).collect();
            format!("a mapping of {}", names.join(", "))
        }
    }
}

fn form_shown(form: &Form) -> String {
    match form {
        Form::Constant(value) => shown(value),
        Form::Whole(placeholder) | Form::Duration(placeholder) => {
            format!("{{{}}}", placeholder.word())
        }
        Form::Text(_) => "a text".to_owned(),
        Form::List(items) => format!("a list of {}", items.len()),
        Form::Fields(_) | Form::Json(_) => "a mapping".to_owned(),
    }
}

fn shown(value: &Value) -> String {
    match value {
        Value::String(text) => quote(text),
        Value::Number(number) => {
            let whole = number.as_f64().filter(|n| n.fract() == 0.0 && n.abs() < 1e15);
            whole.map_or_else(|| number.to_string(), |n| format!("{n:.0}"))
        }
        other => other.to_string(),
    }
}

/// The first field of an answer that is not as it is wanted: its name, what it is, what is wanted.
pub fn differs(wanted: &Value, answer: &Value) -> Option<String> {
    fn below(path: &str, wanted: &Value, answer: &Value) -> Option<String> {
        match wanted {
            Value::Object(fields) => fields.iter().find_map(|(name, wanted)| {
                let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                below(&path, wanted, answer.get(name).unwrap_or(&Value::Null))
            }),
            wanted if wanted == answer => None,
            wanted => Some(format!("{path} is {}, expected {}", shown(answer), shown(wanted))),
        }
    }
    below("", wanted, answer)
}
