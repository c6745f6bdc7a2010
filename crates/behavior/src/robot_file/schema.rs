//! What a robot's file may hold: its keys, the range of each value, and what they mean.
//!
//! `config/robots/` shows every key in use, `docs/robots.md` explains them.

use std::path::Path;
use std::time::Duration;

use rapport_settings::{Field, Mapping, Node, Place, Problem, Problems, Read, Value, quote};
use serde_json::Value as Json;

use super::message::{Form, Message, Piece, Placeholder, number};
use super::{Channel, Names, Part, PartName, RobotFile, Step};

/// The version of the format that this code reads.
const VERSION: i32 = 1;

const MAX_STEPS: usize = 8;
const MAX_NAMES: usize = 256;
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(30);

const NAME_KEYS: [&str; 2] = ["names", "other_names"];
const STEP_KEYS: [&str; 10] = [
    "topic",
    "service",
    "action",
    "type",
    "fields",
    "needs",
    "lasting",
    "finished",
    "success",
    "timeout_secs",
];

/// Reads a robot's file from YAML text.
///
/// # Errors
/// Every wrong value in the order of the file, or the first fault of the YAML syntax.
pub(super) fn robot(file: &Path, text: &str) -> Result<RobotFile, Vec<Problem>> {
    let node = rapport_settings::read(text).map_err(|problem| vec![problem])?;
    let start = Place { line: 1, column: 1 };
    let field = Field { name: "the robot's file".to_owned(), key_place: start, node };
    let mut problems = Problems::default();
    let read = document(file, field, &mut problems);
    let problems = problems.in_order();
    match read {
        Ok(robot) if problems.is_empty() => Ok(robot),
        _ => Err(problems),
    }
}

fn document(file: &Path, field: Field, problems: &mut Problems) -> Read<RobotFile> {
    let words = PartName::ALL.map(PartName::word);
    let keys = [&["version", "languages", "other_languages"], words.as_slice()].concat();
    let mut map = Mapping::of(field, problems, &keys)?;
    let version = map
        .required(problems, "version", "version: 1")
        .and_then(|field| field.whole_number(problems, VERSION..=VERSION));
    let languages = names(&mut map, problems, "languages", "other_languages");
    let parts = PartName::ALL
        .map(|name| map.optional(name.word()).map(|field| part(name, field, problems)).transpose());
    version?;
    let [speech, gesture, light, expression] = parts;
    let parts = [speech?, gesture?, light?, expression?];
    if parts.iter().all(Option::is_none) {
        let allowed = format!("at least one of {}", words.join(", "));
        return Err(map.incomplete(problems, "has no part", &allowed));
    }
    Ok(RobotFile { file: file.to_owned(), languages: languages?, parts })
}

fn part(name: PartName, field: Field, problems: &mut Problems) -> Read<Part> {
    let has_names = matches!(name, PartName::Gesture | PartName::Expression);
    let name_keys = if has_names { NAME_KEYS.as_slice() } else { &[] };
    let keys = [STEP_KEYS.as_slice(), &["steps"], name_keys].concat();
    let mut map = Mapping::of(field, problems, &keys)?;
    let names = if has_names {
        names(&mut map, problems, "names", "other_names")
    } else {
        Ok(Names::default())
    };
    let steps = match map.optional("steps") {
        Some(field) => {
            let beside: Vec<&str> =
                STEP_KEYS.into_iter().filter(|key| map.optional(key).is_some()).collect();
            if beside.is_empty() {
                steps(field, problems)
            } else {
                let what = format!("has steps and also {}", beside.join(", "));
                Err(map.wrong(problems, &what, "steps, or the keys of one step"))
            }
        }
        None => step(map, problems).map(|step| vec![step]),
    };
    Ok(Part { names: names?, steps: steps? })
}

fn steps(field: Field, problems: &mut Problems) -> Read<Vec<Step>> {
    let allowed = format!("a list of 1 to {MAX_STEPS} steps");
    let nodes = match field.node.value {
        Value::List(ref nodes) if nodes.is_empty() || nodes.len() > MAX_STEPS => {
            return Err(field.wrong(problems, allowed));
        }
        Value::List(nodes) => nodes,
        _ => return Err(field.wrong(problems, allowed)),
    };
    let steps: Vec<Read<Step>> = nodes
        .into_iter()
        .map(|node| {
            let field = Field { name: "the step".to_owned(), key_place: node.place, node };
            Mapping::of(field, problems, &STEP_KEYS).and_then(|map| step(map, problems))
        })
        .collect();
    steps.into_iter().collect()
}

fn step(mut map: Mapping, problems: &mut Problems) -> Read<Step> {
    const ONE: &str = "one of topic, service, action";
    let lasting = map.optional("lasting");
    let channels = ["topic", "service", "action"].map(|key| map.optional(key));
    let (channel, name) = match channels {
        [Some(field), None, None] => {
            let lasting = lasting.as_ref().map_or(Ok(false), |field| flag(field, problems));
            (lasting.map(|lasting| Channel::Topic { lasting }), field)
        }
        [None, Some(field), None] => (Ok(Channel::Service), field),
        [None, None, Some(field)] => (Ok(Channel::Action), field),
        [None, None, None] => {
            return Err(map.incomplete(problems, "has no topic, service or action", ONE));
        }
        _ => return Err(map.wrong(problems, "has more than one of topic, service, action", ONE)),
    };
    if let (Some(lasting), Ok(Channel::Service | Channel::Action)) = (&lasting, channel) {
        lasting.wrong(problems, "only with a topic");
    }
    let kind = channel.map_or("topic", Channel::word);
    let name = ros_name(&name, problems);
    let type_name = map
        .required(problems, "type", type_example(kind))
        .and_then(|field| Ok((type_name(&field, kind, problems)?, field.node.place)));
    let message = match map.optional("fields") {
        Some(field) => fields(field, problems),
        None => Ok(Message { place: Place { line: 1, column: 1 }, form: Form::Fields(Vec::new()) }),
    };
    let needs = map.optional("needs").map_or(Ok(Vec::new()), |field| needs(field, problems));
    let waits = map
        .optional("finished")
        .map_or(Ok(kind != "topic"), |field| finished(&field, kind, problems));
    let success = map.optional("success");
    if let (Some(field), Ok(false)) = (&success, waits) {
        field.wrong(
            problems,
            "only where the robot's word is waited for: with finished: answer or result",
        );
    }
    let success = success.map(|field| fields(field, problems)).transpose();
    let timeout = map
        .optional("timeout_secs")
        .map_or(Ok(DEFAULT_TIMEOUT), |field| field.secs(problems, 0.1..=60.0));
    let (type_name, type_place) = type_name?;
    Ok(Step {
        channel: channel?,
        name: name?,
        type_name,
        type_place,
        message: message?,
        needs: needs?,
        waits: waits?,
        success: success?,
        timeout: timeout?,
    })
}

fn flag(field: &Field, problems: &mut Problems) -> Read<bool> {
    match field.node.value {
        Value::Flag(flag) => Ok(flag),
        _ => Err(field.wrong(problems, "true or false")),
    }
}

/// A name as ROS has it: parts of letters, digits and `_` between slashes.
fn ros_name(field: &Field, problems: &mut Problems) -> Read<String> {
    const ALLOWED: &str = "a ROS name such as /skill/say or speech";
    let text = field.text(problems, ALLOWED)?;
    let relative = text.strip_prefix("~/").or_else(|| text.strip_prefix('/')).unwrap_or(text);
    let is_part = |part: &str| {
        part.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_')
            && part.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
            && !part.contains("__")
    };
    if text.len() > 200 || !relative.split('/').all(is_part) {
        return Err(field.wrong(problems, ALLOWED));
    }
    Ok(text.to_owned())
}

fn type_example(kind: &str) -> &'static str {
    match kind {
        "service" => "a type such as std_srvs/srv/SetBool",
        "action" => "a type such as communication_skills/action/Say",
        _ => "a type such as std_msgs/msg/String",
    }
}

fn type_name(field: &Field, kind: &str, problems: &mut Problems) -> Read<String> {
    let allowed = type_example(kind);
    let middle = match kind {
        "service" => "srv",
        "action" => "action",
        _ => "msg",
    };
    let text = field.text(problems, allowed)?;
    let is_word = |word: &str| {
        !word.is_empty() && word.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
    };
    match text.split('/').collect::<Vec<_>>().as_slice() {
        [package, of, name] if *of == middle && is_word(package) && is_word(name) => {
            Ok(text.to_owned())
        }
        _ => Err(field.wrong(problems, allowed)),
    }
}

/// Whether the robot's word is waited for.
fn finished(field: &Field, kind: &str, problems: &mut Problems) -> Read<bool> {
    let word = match kind {
        "service" => "answer",
        "action" => "result",
        _ => "",
    };
    let allowed = match word {
        "" => "duration: a topic gives no answer".to_owned(),
        word => format!("{word}, duration"),
    };
    match field.text(problems, &allowed)? {
        "duration" => Ok(false),
        text if !word.is_empty() && text == word => Ok(true),
        _ => Err(field.wrong(problems, allowed)),
    }
}

fn needs(field: Field, problems: &mut Problems) -> Read<Vec<Placeholder>> {
    let allowed = Placeholder::words().replace(['{', '}'], "");
    let fields = field.one_or_more(problems, 12, "a placeholder's word")?;
    let needs: Vec<Read<Placeholder>> = fields
        .iter()
        .map(|field| {
            let word = field.text(problems, &allowed)?;
            Placeholder::from_word(word).ok_or_else(|| field.wrong(problems, allowed.clone()))
        })
        .collect();
    needs.into_iter().collect()
}

/// Our names and the robot's, and what other names do.
fn names(map: &mut Mapping, problems: &mut Problems, key: &str, others: &str) -> Read<Names> {
    let pairs = map.optional(key).map_or(Ok(Vec::new()), |field| pairs(field, problems));
    let skips_others = map.optional(others).map_or(Ok(false), |field| {
        const ALLOWED: &str = "pass, skip";
        match field.text(problems, ALLOWED)? {
            "pass" => Ok(false),
            "skip" => Ok(true),
            _ => Err(field.wrong(problems, ALLOWED)),
        }
    });
    Ok(Names { pairs: pairs?, skips_others: skips_others? })
}

fn pairs(field: Field, problems: &mut Problems) -> Read<Vec<(String, String)>> {
    let allowed = format!("a mapping of 1 to {MAX_NAMES} names to the robot's");
    let entries = match field.node.value {
        Value::Mapping(ref entries) if entries.is_empty() || entries.len() > MAX_NAMES => {
            return Err(field.wrong(problems, allowed));
        }
        Value::Mapping(entries) => entries,
        _ => return Err(field.wrong(problems, allowed)),
    };
    let mut pairs: Vec<(String, String)> = Vec::new();
    let mut whole = Ok(());
    for (key, node) in entries {
        let place = key.place;
        let key = Field { name: "a name".to_owned(), key_place: place, node: key };
        let Ok(ours) = key.name(problems) else {
            whole = Err(rapport_settings::Noted);
            continue;
        };
        if pairs.iter().any(|(other, _)| *other == ours) {
            let found = format!("{} has the name {} again", field.name, quote(&ours));
            whole = Err(problems.note(place, found, "each name once"));
            continue;
        }
        let value = Field { name: ours.clone(), key_place: place, node };
        match value.sentence(problems) {
            Ok(robots) => pairs.push((ours, robots)),
            Err(noted) => whole = Err(noted),
        }
    }
    whole.map(|()| pairs)
}

fn fields(field: Field, problems: &mut Problems) -> Read<Message> {
    let Value::Mapping(_) = field.node.value else {
        return Err(field.wrong(problems, "a mapping of the fields of its type"));
    };
    message(&field.name, field.node, problems)
}

fn message(name: &str, node: Node, problems: &mut Problems) -> Read<Message> {
    let place = node.place;
    let form = match node.value {
        Value::Flag(flag) => Form::Constant(Json::Bool(flag)),
        Value::Number(value) => match number(value) {
            Some(number) => Form::Constant(number),
            None => {
                let found = format!("{name} is {}", Value::Number(value).describe());
                return Err(problems.note(place, found, "a finite number"));
            }
        },
        Value::Text(text) => text_form(name, &text, place, problems)?,
        Value::Empty => {
            let allowed = "a text, a number, true or false, a list or a mapping";
            return Err(problems.note(place, format!("{name} is empty"), allowed));
        }
        Value::List(nodes) => {
            let items: Vec<Read<Message>> =
                nodes.into_iter().map(|node| message(name, node, problems)).collect();
            Form::List(items.into_iter().collect::<Read<_>>()?)
        }
        Value::Mapping(entries) => Form::Fields(entries_of(name, entries, problems)?),
    };
    Ok(Message { place, form })
}

fn entries_of(
    name: &str,
    entries: Vec<(Node, Node)>,
    problems: &mut Problems,
) -> Read<Vec<(String, Place, Message)>> {
    let mut fields: Vec<(String, Place, Message)> = Vec::new();
    let mut whole = Ok(());
    for (key, node) in entries {
        let Value::Text(word) = key.value else {
            let found = format!("{name} has the key {}", key.value.describe());
            whole = Err(problems.note(key.place, found, "the name of a field"));
            continue;
        };
        if fields.iter().any(|(other, ..)| *other == word) {
            let found = format!("{name} has the field {} again", quote(&word));
            whole = Err(problems.note(key.place, found, "each field once"));
            continue;
        }
        match message(&word, node, problems) {
            Ok(value) => fields.push((word, key.place, value)),
            Err(noted) => whole = Err(noted),
        }
    }
    whole.map(|()| fields)
}

/// Text with its placeholders. Braces around anything but a word of letters, `_` and `.` are text.
fn text_form(name: &str, text: &str, place: Place, problems: &mut Problems) -> Read<Form> {
    let mut pieces = Vec::new();
    let mut plain = String::new();
    let mut rest = text;
    while let Some(open) = rest.find('{') {
        let (before, from_brace) = rest.split_at(open);
        plain.push_str(before);
        let inside = from_brace.get(1..).unwrap_or("");
        let word_end = inside.find(|c: char| !(c.is_ascii_alphabetic() || "_.".contains(c)));
        match word_end.filter(|&end| end > 0 && inside[end..].starts_with('}')) {
            Some(end) => {
                let word = &inside[..end];
                let Some(placeholder) = Placeholder::from_word(word) else {
                    let found =
                        format!("{name} has the placeholder {}", quote(&format!("{{{word}}}")));
                    return Err(problems.note(place, found, Placeholder::words()));
                };
                if !plain.is_empty() {
                    pieces.push(Piece::Text(std::mem::take(&mut plain)));
                }
                pieces.push(Piece::Value(placeholder));
                rest = &inside[end + 1..];
            }
            None => {
                plain.push('{');
                rest = inside;
            }
        }
    }
    plain.push_str(rest);
    Ok(match pieces.as_slice() {
        [] => Form::Constant(Json::String(plain)),
        [Piece::Value(placeholder)] if plain.is_empty() => Form::Whole(*placeholder),
        _ => {
            if !plain.is_empty() {
                pieces.push(Piece::Text(plain));
            }
            Form::Text(pieces)
        }
    })
}
