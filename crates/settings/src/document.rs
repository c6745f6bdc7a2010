//! YAML text into a tree in which every node knows its place in the file.
//!
//! Going through a tree, not straight into the types of the settings, is what lets every problem be
//! reported at once, each with what was found.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_saphyr::localizer::Localizer;
use serde_saphyr::{
    DuplicateKeyPolicy, Location, MergeKeyPolicy, NonFiniteFloatPolicy, Spanned,
    UserMessageFormatter,
};

use super::problem::{Place, Problem};

/// A value and where it begins.
#[derive(Debug)]
pub struct Node {
    /// Where the value begins; of an alias, where it is used.
    pub place: Place,
    /// The value.
    pub value: Value,
}

/// A YAML value. Keys keep their order, and a key given twice is there twice.
#[derive(Debug)]
pub enum Value {
    /// `null`, `~` or nothing.
    Empty,
    /// `true` or `false`.
    Flag(bool),
    /// Any number.
    Number(f64),
    /// Text, quoted or plain.
    Text(String),
    /// A list.
    List(Vec<Node>),
    /// Keys and values.
    Mapping(Vec<(Node, Node)>),
}

impl Value {
    /// The value in words; a long text is cut.
    pub fn describe(&self) -> String {
        match self {
            Value::Empty => "empty".to_owned(),
            Value::Flag(flag) => format!("{flag}"),
            Value::Number(number) => describe_number(*number),
            Value::Text(text) => quote(text),
            Value::List(items) if items.is_empty() => "an empty list".to_owned(),
            Value::List(items) => format!("a list of {}", items.len()),
            Value::Mapping(entries) if entries.is_empty() => "an empty mapping".to_owned(),
            Value::Mapping(_) => "a mapping".to_owned(),
        }
    }
}

fn describe_number(number: f64) -> String {
    // Plain digits as people write them, but not three hundred of them.
    if number != 0.0 && number.is_finite() && !(1e-6..1e15).contains(&number.abs()) {
        format!("{number:e}")
    } else {
        format!("{number}")
    }
}

/// Text from outside as it is shown in messages: between backquotes, without control characters,
/// and cut after 60 characters.
pub fn quote(text: &str) -> String {
    const SHOWN_CHARS: usize = 60;
    let mut shown: String = text
        .chars()
        .take(SHOWN_CHARS)
        .map(|character| if character.is_control() { ' ' } else { character })
        .collect();
    if text.chars().nth(SHOWN_CHARS).is_some() {
        shown.push('…');
    }
    format!("`{shown}`")
}

/// Reads one YAML document.
///
/// Aliases may be used. Limits that a file written by a person never meets (10 000 nodes, 16 levels,
/// 200 aliases) keep a hostile one from growing in memory.
///
/// # Errors
///
/// The first syntax error, or the limit that is exceeded, with its place.
pub fn read(text: &str) -> Result<Node, Problem> {
    let options = serde_saphyr::options! {
        budget: serde_saphyr::budget! {
            max_events: 20_000,
            max_nodes: 10_000,
            max_depth: 16,
            flow_nesting_limit: 16,
            max_aliases: 200,
            max_anchors: 200,
            max_recorded_anchor_events: 10_000,
            max_documents: 1,
        },
        alias_limits: serde_saphyr::alias_limits! {
            max_total_replayed_events: 10_000,
            max_replay_stack_depth: 8,
        },
        duplicate_keys: DuplicateKeyPolicy::PassThrough,
        merge_keys: MergeKeyPolicy::Error,
        non_finite_float_policy: NonFiniteFloatPolicy::PassThrough,
        strict_booleans: true,
        reject_unsupported_tags: true,
        with_snippet: false,
    };
    serde_saphyr::from_str_with_options(text, options).map_err(|error| {
        let message = error.render_with_formatter(&UserMessageFormatter.with_localizer(&NoPlace));
        Problem {
            place: place_of(error.location().unwrap_or(Location::UNKNOWN)),
            found: format!("this is not readable: {}", message.replace('\n', " ")),
            allowed: "one plain YAML document".to_owned(),
        }
    })
}

/// The content of a file as text.
///
/// # Errors
///
/// If it is not UTF-8: the place of the first wrong byte.
pub fn text_of(content: &[u8]) -> Result<&str, Problem> {
    std::str::from_utf8(content).map_err(|error| {
        let (before, after) = content.split_at(error.valid_up_to());
        let line_start = before.iter().rposition(|&byte| byte == b'\n').map_or(0, |at| at + 1);
        let line = before.iter().filter(|&&byte| byte == b'\n').count() as u64 + 1;
        let column = String::from_utf8_lossy(&before[line_start..]).chars().count() as u64 + 1;
        Problem {
            place: Place { line, column },
            found: match after.first() {
                Some(byte) => format!("this is not text: byte 0x{byte:02x}"),
                None => "this is not text".to_owned(),
            },
            allowed: "UTF-8".to_owned(),
        }
    })
}

fn place_of(location: Location) -> Place {
    // A location that is not known is the start of the file, which is where one begins to look.
    Place { line: location.line().max(1), column: location.column().max(1) }
}

/// Removes places from the messages of the YAML library: ours begin with the place.
struct NoPlace;

impl Localizer for NoPlace {
    fn attach_location<'a>(&self, base: Cow<'a, str>, _: Location) -> Cow<'a, str> {
        base
    }

    fn alias_used_at(&self, _: Location) -> String {
        String::new()
    }
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let spanned = Spanned::<Value>::deserialize(deserializer)?;
        Ok(Node { place: place_of(spanned.referenced), value: spanned.value })
    }
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ValueVisitor)
    }
}

struct ValueVisitor;

impl<'de> Visitor<'de> for ValueVisitor {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a YAML value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Empty)
    }

    fn visit_none<E>(self) -> Result<Value, E> {
        Ok(Value::Empty)
    }

    fn visit_bool<E>(self, flag: bool) -> Result<Value, E> {
        Ok(Value::Flag(flag))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Value, E> {
        Ok(Value::Number(number as f64))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Value, E> {
        Ok(Value::Number(number as f64))
    }

    fn visit_i128<E>(self, number: i128) -> Result<Value, E> {
        Ok(Value::Number(number as f64))
    }

    fn visit_u128<E>(self, number: u128) -> Result<Value, E> {
        Ok(Value::Number(number as f64))
    }

    fn visit_f64<E>(self, number: f64) -> Result<Value, E> {
        Ok(Value::Number(number))
    }

    fn visit_str<E>(self, text: &str) -> Result<Value, E> {
        Ok(Value::Text(text.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element()? {
            list.push(item);
        }
        Ok(Value::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let mut mapping = Vec::new();
        while let Some(entry) = entries.next_entry()? {
            mapping.push(entry);
        }
        Ok(Value::Mapping(mapping))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic)]

    use super::*;

    fn entries(text: &str) -> Vec<(Node, Node)> {
        match read(text).unwrap().value {
            Value::Mapping(entries) => entries,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn every_node_knows_its_place() {
        let entries = entries("a: 1\nb:\n  - é: \"x\"\n  - 2.5\n");
        let (key, value) = &entries[0];
        assert_eq!((key.place.line, key.place.column), (1, 1));
        assert_eq!((value.place.line, value.place.column), (1, 4));
        let Value::List(items) = &entries[1].1.value else { panic!("{:?}", entries[1].1) };
        assert_eq!((items[1].place.line, items[1].place.column), (4, 5));
        let Value::Mapping(inner) = &items[0].value else { panic!("{:?}", items[0]) };
        // Characters are counted, not bytes.
        assert_eq!((inner[0].1.place.line, inner[0].1.place.column), (3, 8));
    }

    #[test]
    fn a_value_is_described_as_a_person_would_recognise_it() {
        let text = "[null, yes, true, 1.40, -.inf, 1e300, \"a\\tb\", [], [1, 2], {}, {a: 1}]";
        let Value::List(items) = read(text).unwrap().value else { panic!("{text}") };
        let described: Vec<String> = items.iter().map(|item| item.value.describe()).collect();
        assert_eq!(
            described,
            [
                "empty",
                "`yes`",
                "true",
                "1.4",
                "-inf",
                "1e300",
                "`a b`",
                "an empty list",
                "a list of 2",
                "an empty mapping",
                "a mapping"
            ]
        );
    }

    #[test]
    fn an_alias_stands_where_it_is_used() {
        let entries = entries("a: &warm 7\nb: *warm\n");
        let (_, value) = &entries[1];
        assert!(matches!(value.value, Value::Number(7.0)));
        assert_eq!((value.place.line, value.place.column), (2, 4));
    }
}
