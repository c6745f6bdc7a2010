//! Reads what stands beside the rules: names that texts are filled with, the robot's states, manners.

use std::collections::BTreeMap;

use rapport_settings::{Field, Mapping, Problems, Read, Value};

use super::answer::language;
use super::when::{hours, least_secs, states_are};
use super::{Context, flag, own_keys};
use crate::condition::Hours;
use crate::manners::Manners;
use crate::policy::StateTopic;

/// The most characters that a text to say may have with its names filled in.
const MAX_SPEECH: usize = 200;

const MAX_QUIET_HOURS: usize = 8;

/// Names of the place, the robot and so on, in one language or several.
#[derive(Debug, Default)]
pub(super) struct Names(BTreeMap<String, Vec<(Option<String>, String)>>);

impl Names {
    /// A name in the language that the file has first; empty where the file does not have it.
    pub fn first(&self, name: &str) -> String {
        let texts = self.0.get(name).and_then(|texts| texts.first());
        texts.map(|(_, text)| text.clone()).unwrap_or_default()
    }

    fn get(&self, name: &str, language: Option<&str>) -> Option<&str> {
        let texts = self.0.get(name)?;
        let first_part = |language: &str| language.split('-').next().map(str::to_lowercase);
        let asked = language.and_then(first_part);
        let exact = texts.iter().find(|(named, _)| named.as_deref() == language);
        let similar =
            || texts.iter().find(|(named, _)| named.as_deref().and_then(first_part) == asked);
        exact.or_else(similar).or(texts.first()).map(|(_, text)| text.as_str())
    }

    /// A text with each `{name}` replaced; `{{` and `}}` stand for braces.
    pub fn fill(
        &self,
        text: &str,
        language: Option<&str>,
        field: &Field,
        problems: &mut Problems,
    ) -> Read<String> {
        let mut filled = String::new();
        let mut rest = text;
        while let Some(at) = rest.find(['{', '}']) {
            let (before, from) = rest.split_at(at);
            filled.push_str(before);
            let brace = if from.starts_with('{') { "{" } else { "}" };
            if let Some(after) = from.strip_prefix(brace).and_then(|from| from.strip_prefix(brace))
            {
                filled.push_str(brace);
                rest = after;
                continue;
            }
            let name = from.strip_prefix('{').and_then(|from| from.split_once('}'));
            match name.and_then(|(name, after)| Some((self.get(name, language)?, after))) {
                Some((text, after)) => {
                    filled.push_str(text);
                    rest = after;
                }
                None => {
                    let found = name.map_or(brace.to_owned(), |(name, _)| format!("{{{name}}}"));
                    let known: Vec<String> =
                        self.0.keys().map(|name| format!("{{{name}}}")).collect();
                    let known = match known.is_empty() {
                        true => "none, as the file has no `names`".to_owned(),
                        false => known.join(", "),
                    };
                    let allowed = format!("{known}; {{{{ and }}}} for braces");
                    let found = format!("{} has `{found}`", field.name);
                    return Err(problems.note(field.node.place, found, allowed));
                }
            }
        }
        filled.push_str(rest);
        let length = filled.chars().count();
        if length > MAX_SPEECH {
            let found = format!("{} is {length} characters with its names filled in", field.name);
            let allowed = format!("1 to {MAX_SPEECH}");
            return Err(problems.note(field.node.place, found, allowed));
        }
        Ok(filled)
    }
}

/// `{place: the lobby, robot: {en: Rapport, de: Rapport}}`.
pub(super) fn names(field: Option<Field>, problems: &mut Problems) -> Read<Names> {
    let Some(field) = field else {
        return Ok(Names::default());
    };
    let entries = own_keys(field, problems, 32, "names with the text of each")?;
    Ok(Names(each(entries, problems, one_name)?))
}

/// What every entry has, by its name. All are read, so that every problem is noted.
fn each<T>(
    entries: Vec<(String, Field)>,
    problems: &mut Problems,
    read: impl Fn(Field, &mut Problems) -> Read<T>,
) -> Read<BTreeMap<String, T>> {
    let mut found = BTreeMap::new();
    let mut is_wrong = None;
    for (name, field) in entries {
        match read(field, problems) {
            Ok(value) => _ = found.insert(name, value),
            Err(noted) => is_wrong = Some(noted),
        }
    }
    is_wrong.map_or(Ok(found), Err)
}

fn one_name(field: Field, problems: &mut Problems) -> Read<Vec<(Option<String>, String)>> {
    if !matches!(field.node.value, Value::Mapping(_)) {
        return Ok(vec![(None, field.sentence(problems)?)]);
    }
    let entries = own_keys(field, problems, 32, "languages with the text in each")?;
    let texts: Vec<Read<_>> = entries
        .into_iter()
        .map(|(name, field)| {
            let language = language(&name, &field, problems)?;
            Ok((Some(language), field.sentence(problems)?))
        })
        .collect();
    texts.into_iter().collect()
}

/// `{speaking: /tts/speaking, mode: {topic: /mode, type: std_msgs/String, latched: true}}`.
pub(super) fn states(
    field: Option<Field>,
    problems: &mut Problems,
) -> Read<BTreeMap<String, StateTopic>> {
    let Some(field) = field else {
        return Ok(BTreeMap::new());
    };
    let entries = own_keys(field, problems, 16, "states with the topic of each")?;
    each(entries, problems, state)
}

fn state(field: Field, problems: &mut Problems) -> Read<StateTopic> {
    if let Value::Text(_) = field.node.value {
        let topic = topic(&field, problems)?;
        return Ok(StateTopic { topic, is_text: false, is_latched: false });
    }
    let mut map = Mapping::of(field, problems, &["topic", "type", "latched"])?;
    let topic = map
        .required(problems, "topic", "the name of a topic")
        .and_then(|field| topic(&field, problems));
    let is_text = map.optional("type").map_or(Ok(false), |field| {
        const ALLOWED: &str = "std_msgs/Bool or std_msgs/String";
        match field.text(problems, ALLOWED)? {
            "std_msgs/Bool" | "std_msgs/msg/Bool" => Ok(false),
            "std_msgs/String" | "std_msgs/msg/String" => Ok(true),
            _ => Err(field.wrong(problems, ALLOWED)),
        }
    });
    let is_latched = map.optional("latched").map_or(Ok(false), |field| flag(&field, problems));
    Ok(StateTopic { topic: topic?, is_text: is_text?, is_latched: is_latched? })
}

/// A topic's name as ROS 2 has it.
fn topic(field: &Field, problems: &mut Problems) -> Read<String> {
    const ALLOWED: &str =
        "a topic: letters, digits and `_` in parts with `/` between, none beginning with a digit";
    let text = field.text(problems, ALLOWED)?;
    let is_part = |part: &str| {
        let fits = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
        !part.is_empty() && !part.as_bytes()[0].is_ascii_digit() && part.bytes().all(fits)
    };
    let parts = text.strip_prefix(['/', '~']).unwrap_or(text);
    let parts = parts.strip_prefix('/').filter(|_| text.starts_with('~')).unwrap_or(parts);
    if text.len() > 200 || !parts.split('/').all(is_part) {
        return Err(field.wrong(problems, ALLOWED));
    }
    Ok(text.to_owned())
}

/// The manners, or those of a file that names none.
pub(super) fn manners(
    field: Option<Field>,
    context: &Context,
    problems: &mut Problems,
) -> Read<Manners> {
    const KEYS: [&str; 7] = [
        "not_while",
        "per_person_per_hour",
        "per_hour",
        "quiet_hours",
        "visit_gap_secs",
        "group_m",
        "staff_pause_secs",
    ];
    let Some(field) = field else {
        return Ok(Manners::default());
    };
    let mut map = Mapping::of(field, problems, &KEYS)?;
    let not_while = map
        .optional("not_while")
        .map_or(Ok(Vec::new()), |field| states_are(field, context, problems));
    let mut most = |key: &str| {
        let field = map.optional(key).map(|field| field.whole_number(problems, 1..=1000));
        field.transpose().map(|most| most.map(|most| most as usize))
    };
    let (per_person_per_hour, per_hour) = (most("per_person_per_hour"), most("per_hour"));
    let quiet_hours =
        map.optional("quiet_hours").map_or(Ok(Vec::new()), |field| several(field, problems));
    let visit_gap = least_secs(&mut map, problems, "visit_gap_secs", 0.0..=3600.0, 30);
    let staff_pause = least_secs(&mut map, problems, "staff_pause_secs", 10.0..=86_400.0, 300);
    let group_m =
        map.optional("group_m").map_or(Ok(1.2), |field| field.number(problems, 0.0..=5.0));
    Ok(Manners {
        not_while: not_while?,
        per_person_per_hour: per_person_per_hour?,
        per_hour: per_hour?,
        quiet_hours: quiet_hours?,
        visit_gap: visit_gap?,
        group_m: group_m?,
        staff_pause: staff_pause?,
    })
}

/// One span of hours, or a list of them.
fn several(field: Field, problems: &mut Problems) -> Read<Vec<Hours>> {
    if let Value::Mapping(_) = field.node.value {
        return Ok(vec![hours(field, problems)?]);
    }
    let allowed = format!("{{from: 22, to: 7}}, or a list of 1 to {MAX_QUIET_HOURS}");
    let nodes = match field.node.value {
        Value::List(nodes) if (1..=MAX_QUIET_HOURS).contains(&nodes.len()) => nodes,
        _ => return Err(field.wrong(problems, allowed)),
    };
    let spans: Vec<Read<Hours>> = nodes
        .into_iter()
        .map(|node| {
            let field = Field { name: field.name.clone(), key_place: node.place, node };
            hours(field, problems)
        })
        .collect();
    spans.into_iter().collect()
}
