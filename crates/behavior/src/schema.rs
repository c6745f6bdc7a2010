//! What a policy file may hold: its keys, the range of each value, and what they mean.
//!
//! `config/policy.yaml` shows the keys in use; this is where each is defined. Version 1 has fewer keys
//! than version 2, and means the same by them. `schema/when` reads conditions, `schema/answer` what
//! the robot does, `schema/places` the names, states and manners.

mod answer;
mod places;
mod when;

use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::time::Duration;

use rapport_settings::{Field, Mapping, Place, Problem, Problems, Read, Value, range_text};

use super::policy::{Policy, Rule, StateTopic};
use super::response::{Fraction, Outputs};
use answer::{OUTPUT_KEYS, answer, outputs, staff_kind};
use places::{Names, manners, names, states};
use when::when;

/// The newest version of the format that this code reads.
pub(super) const VERSION: i32 = 2;

const MAX_RULES: usize = 64;

const DAY_SECS: RangeInclusive<f64> = 0.0..=86_400.0;
const DEFAULT_PAUSE: Duration = Duration::from_secs(4);
const DEFAULT_GAP: Duration = Duration::from_millis(500);
const DEFAULT_NEAR_M: f64 = 1.5;

/// What the reader of a rule knows of the rest of the file.
struct Context {
    /// Whether the file is of version 1, which has fewer keys.
    is_first: bool,
    names: Names,
    states: BTreeMap<String, StateTopic>,
}

/// Reads a policy from YAML text.
///
/// # Errors
///
/// Every wrong value in the order of the file, or the first fault of the YAML syntax.
pub(super) fn policy(text: &str) -> Result<Policy, Vec<Problem>> {
    let node = rapport_settings::read(text).map_err(|problem| vec![problem])?;
    let start = Place { line: 1, column: 1 };
    let field = Field { name: "the policy".to_owned(), key_place: start, node };
    let mut problems = Problems::default();
    let policy = document(field, &mut problems);
    let problems = problems.in_order();
    match policy {
        Ok(policy) if problems.is_empty() => Ok(policy),
        _ => Err(problems),
    }
}

/// Whether a document says that it is of version 1.
fn is_first(value: &Value) -> bool {
    let Value::Mapping(entries) = value else {
        return false;
    };
    entries.iter().any(|(key, node)| {
        matches!(&key.value, Value::Text(key) if key == "version")
            && matches!(node.value, Value::Number(1.0))
    })
}

fn document(field: Field, problems: &mut Problems) -> Read<Policy> {
    const KEYS: [&str; 9] = [
        "version",
        "names",
        "states",
        "manners",
        "near_m",
        "pause_secs",
        "gap_secs",
        "rest",
        "rules",
    ];
    const FIRST_KEYS: [&str; 5] = ["version", "pause_secs", "gap_secs", "rest", "rules"];
    let is_first = is_first(&field.node.value);
    let keys = if is_first { FIRST_KEYS.as_slice() } else { &KEYS };
    let mut map = Mapping::of(field, problems, keys)?;
    let version = map
        .required(problems, "version", &format!("version: {VERSION}"))
        .and_then(|field| field.whole_number(problems, 1..=VERSION));
    let names = names(map.optional("names"), problems);
    let states = states(map.optional("states"), problems);
    let near_m = map
        .optional("near_m")
        .map_or(Ok(DEFAULT_NEAR_M), |field| field.number(problems, 0.3..=20.0));
    let pause = optional_secs(&mut map, problems, "pause_secs", 0.0..=3600.0, DEFAULT_PAUSE);
    let gap = optional_secs(&mut map, problems, "gap_secs", 0.0..=5.0, DEFAULT_GAP);
    let rest = map.optional("rest").map_or(Ok(Outputs::default()), |field| rest(field, problems));
    // Rules are read with what could be read of the names and states, so that their own mistakes are
    // told too.
    let is_known = names.is_ok() && states.is_ok();
    let context =
        Context { is_first, names: names.unwrap_or_default(), states: states.unwrap_or_default() };
    let manners = manners(map.optional("manners"), &context, problems);
    let rules = map
        .required(problems, "rules", &format!("a list of 1 to {MAX_RULES} rules"))
        .and_then(|field| match is_known {
            true => rules(field, &context, problems),
            false => Err(rapport_settings::Noted),
        });
    Ok(Policy {
        version: version? as u32,
        pause: pause?,
        gap: gap?,
        rest: rest?,
        place: context.names.first("place"),
        near_m: near_m?,
        manners: manners?,
        rules: rules?,
        states: context.states,
    })
}

fn rest(field: Field, problems: &mut Problems) -> Read<Outputs> {
    let mut map = Mapping::of(field, problems, &["light", "expression"])?;
    outputs(&mut map, problems)
}

fn rules(field: Field, context: &Context, problems: &mut Problems) -> Read<Vec<Rule>> {
    let allowed = format!("a list of 1 to {MAX_RULES} rules");
    let nodes = match field.node.value {
        Value::List(ref nodes) if nodes.is_empty() || nodes.len() > MAX_RULES => {
            return Err(field.wrong(problems, allowed));
        }
        Value::List(nodes) => nodes,
        _ => return Err(field.wrong(problems, allowed)),
    };
    let mut seen: Vec<(String, Place)> = Vec::new();
    let rules: Vec<Read<Rule>> = nodes
        .into_iter()
        .map(|node| {
            let field = Field { name: "the rule".to_owned(), key_place: node.place, node };
            rule(field, context, problems, &mut seen)
        })
        .collect();
    rules.into_iter().collect()
}

fn rule(
    field: Field,
    context: &Context,
    problems: &mut Problems,
    seen: &mut Vec<(String, Place)>,
) -> Read<Rule> {
    const KEYS: [&str; 8] = [
        "name",
        "when",
        "cooldown_secs",
        "cooldown_anyone_secs",
        "priority",
        "greeting",
        "answer",
        "call_staff",
    ];
    const FIRST_KEYS: [&str; 6] =
        ["name", "when", "cooldown_secs", "cooldown_anyone_secs", "priority", "answer"];
    let keys = if context.is_first { FIRST_KEYS.as_slice() } else { &KEYS };
    let mut map = Mapping::of(field, problems, keys)?;
    let name = map
        .required(problems, "name", "a name that no other rule has")
        .and_then(|field| distinct_name(field, problems, seen));
    let when = map
        .required(problems, "when", "the conditions, such as emotion, confidence and for_secs")
        .and_then(|field| when(field, context, problems));
    let cooldown = required_secs(&mut map, problems, "cooldown_secs", DAY_SECS);
    let cooldown_anyone =
        optional_secs(&mut map, problems, "cooldown_anyone_secs", DAY_SECS, Duration::ZERO);
    let priority =
        map.optional("priority").map_or(Ok(0), |field| field.whole_number(problems, -1000..=1000));
    let is_greeting = map.optional("greeting").map_or(Ok(false), |field| flag(&field, problems));
    let call_staff =
        map.optional("call_staff").map(|field| staff_kind(&field, problems)).transpose();
    let allowed = format!("what the robot does: {}", OUTPUT_KEYS.join(", "));
    let answer = match map.optional("answer") {
        Some(field) => answer(field, context, problems).map(Some),
        None if matches!(call_staff, Ok(None)) => {
            Err(map.incomplete(problems, "has no answer", &allowed))
        }
        None => Ok(None),
    };
    Ok(Rule {
        name: name?,
        when: when?,
        cooldown: cooldown?,
        cooldown_anyone: cooldown_anyone?,
        priority: priority?,
        is_greeting: is_greeting?,
        answer: answer?,
        call_staff: call_staff?,
    })
}

fn distinct_name(
    field: Field,
    problems: &mut Problems,
    seen: &mut Vec<(String, Place)>,
) -> Read<String> {
    let name = field.name(problems)?;
    if let Some((_, first)) = seen.iter().find(|(other, _)| *other == name) {
        let found = format!("name is `{name}`, as of the rule on line {}", first.line);
        return Err(problems.note(field.node.place, found, "a name that no other rule has"));
    }
    seen.push((name.clone(), field.node.place));
    Ok(name)
}

fn required_secs(
    map: &mut Mapping,
    problems: &mut Problems,
    key: &str,
    range: RangeInclusive<f64>,
) -> Read<Duration> {
    map.required(problems, key, &range_text(&range)).and_then(|field| field.secs(problems, range))
}

fn optional_secs(
    map: &mut Mapping,
    problems: &mut Problems,
    key: &str,
    range: RangeInclusive<f64>,
    default: Duration,
) -> Read<Duration> {
    map.optional(key).map_or(Ok(default), |field| field.secs(problems, range))
}

fn flag(field: &Field, problems: &mut Problems) -> Read<bool> {
    match field.node.value {
        Value::Flag(flag) => Ok(flag),
        _ => Err(field.wrong(problems, "true or false")),
    }
}

/// A number from 0, or from more than that, to 1.
fn fraction(field: &Field, problems: &mut Problems, from: f64) -> Read<Fraction> {
    let number = field.number(problems, from..=1.0)?;
    Fraction::new(number as f32).ok_or_else(|| field.wrong(problems, "0 to 1"))
}

/// The entries of a mapping whose keys are names of the author's own, each once.
fn own_keys(
    field: Field,
    problems: &mut Problems,
    most: usize,
    allowed: &str,
) -> Read<Vec<(String, Field)>> {
    let entries = match field.node.value {
        Value::Mapping(entries) if (1..=most).contains(&entries.len()) => entries,
        _ => return Err(field.wrong(problems, format!("{allowed}, 1 to {most} of them"))),
    };
    let mut found: Vec<(String, Field)> = Vec::new();
    let mut is_wrong = None;
    for (key, node) in entries {
        let key_field = Field { name: "the key".to_owned(), key_place: key.place, node: key };
        match key_field.name(problems) {
            Ok(name) if found.iter().any(|(other, _)| *other == name) => {
                let again = format!("{} has the key {name} again", field.name);
                is_wrong = Some(problems.note(key_field.node.place, again, "each key once"));
            }
            Ok(name) => {
                let key_place = key_field.key_place;
                found.push((name.clone(), Field { name, key_place, node }));
            }
            Err(noted) => is_wrong = Some(noted),
        }
    }
    is_wrong.map_or(Ok(found), Err)
}
