//! Reads fields of a document one by one, and notes each problem instead of stopping at the first.

use std::ops::RangeInclusive;
use std::time::Duration;

use super::document::{Node, Value, quote};
use super::problem::{Place, Problem};

/// There is no value: why is in [`Problems`].
#[derive(Debug, Clone, Copy)]
pub struct Noted;

/// A value; or none, and its problem is noted in [`Problems`].
pub type Read<T> = Result<T, Noted>;

/// The problems of a document, collected while it is read.
#[derive(Debug, Default)]
pub struct Problems(Vec<Problem>);

impl Problems {
    /// Notes a problem.
    pub fn note(&mut self, place: Place, found: String, allowed: impl Into<String>) -> Noted {
        self.0.push(Problem { place, found, allowed: allowed.into() });
        Noted
    }

    /// All problems in the order of the file.
    pub fn in_order(mut self) -> Vec<Problem> {
        self.0.sort_by_key(|problem| problem.place);
        self.0
    }
}

/// A range as it is shown in messages: `0 to 1`.
pub fn range_text(range: &RangeInclusive<f64>) -> String {
    format!("{} to {}", range.start(), range.end())
}

/// One entry of a mapping: a name and its value.
#[derive(Debug)]
pub struct Field {
    /// The key, which is how problems name the value.
    pub name: String,
    /// Where the key is.
    pub key_place: Place,
    /// The value.
    pub node: Node,
}

impl Field {
    /// Notes that the value is not allowed. `allowed`: what is, such as `0 to 1`.
    pub fn wrong(&self, problems: &mut Problems, allowed: impl Into<String>) -> Noted {
        // An empty value has no place of its own that a person could see.
        let place = match self.node.value {
            Value::Empty => self.key_place,
            _ => self.node.place,
        };
        problems.note(place, format!("{} is {}", self.name, self.node.value.describe()), allowed)
    }

    /// The items of a list, or the single value, each as a field of the same name.
    ///
    /// # Errors
    /// If the list is empty or longer than `most`, or if the value is empty or a mapping. `what`
    /// names one item in the problem, such as "a text".
    pub fn one_or_more(self, problems: &mut Problems, most: usize, what: &str) -> Read<Vec<Field>> {
        let allowed = format!("{what}, or a list of 1 to {most}");
        match self.node.value {
            Value::List(ref items) if items.is_empty() || items.len() > most => {
                Err(self.wrong(problems, allowed))
            }
            Value::List(items) => Ok(items
                .into_iter()
                .map(|node| Field { name: self.name.clone(), key_place: node.place, node })
                .collect()),
            Value::Empty | Value::Mapping(_) => Err(self.wrong(problems, allowed)),
            _ => Ok(vec![self]),
        }
    }

    /// A number within a range.
    ///
    /// # Errors
    /// If it is no number, outside the range, or NaN.
    pub fn number(&self, problems: &mut Problems, range: RangeInclusive<f64>) -> Read<f64> {
        match self.node.value {
            Value::Number(number) if range.contains(&number) => Ok(number),
            _ => Err(self.wrong(problems, range_text(&range))),
        }
    }

    /// A whole number within a range.
    ///
    /// # Errors
    /// If it is no whole number, or outside the range.
    pub fn whole_number(&self, problems: &mut Problems, range: RangeInclusive<i32>) -> Read<i32> {
        match self.node.value {
            Value::Number(number)
                if number.fract() == 0.0
                    && (f64::from(*range.start())..=f64::from(*range.end())).contains(&number) =>
            {
                Ok(number as i32)
            }
            _ => Err(self
                .wrong(problems, format!("a whole number, {} to {}", range.start(), range.end()))),
        }
    }

    /// A time in seconds within a range in seconds.
    ///
    /// # Errors
    /// If it is no number, or outside the range.
    pub fn secs(&self, problems: &mut Problems, range: RangeInclusive<f64>) -> Read<Duration> {
        let secs = self.number(problems, range)?;
        Duration::try_from_secs_f64(secs).map_err(|_| self.wrong(problems, "a time in seconds"))
    }

    /// A text.
    ///
    /// # Errors
    /// If it is none. `allowed` describes the text that is expected.
    pub fn text(&self, problems: &mut Problems, allowed: &str) -> Read<&str> {
        match &self.node.value {
            Value::Text(text) => Ok(text),
            // A text that only looks like something else is told how to be a text.
            Value::Number(_) | Value::Flag(_) => {
                Err(self.wrong(problems, format!("{allowed}, in quotes")))
            }
            _ => Err(self.wrong(problems, allowed)),
        }
    }

    /// A text to say, 1 to 200 characters on one line.
    ///
    /// # Errors
    /// If it is none, empty, too long, or has control characters.
    pub fn sentence(&self, problems: &mut Problems) -> Read<String> {
        const ALLOWED: &str = "a text of 1 to 200 characters on one line";
        let text = self.text(problems, ALLOWED)?.trim();
        if text.is_empty() || text.chars().count() > 200 || text.chars().any(char::is_control) {
            return Err(self.wrong(problems, ALLOWED));
        }
        Ok(text.to_owned())
    }

    /// A name that programs and logs can use: 1 to 64 letters, digits and `_` `-` `.` `/`.
    ///
    /// # Errors
    /// If it is none.
    pub fn name(&self, problems: &mut Problems) -> Read<String> {
        const ALLOWED: &str = "a name of 1 to 64 letters, digits and `_` `-` `.` `/`";
        let text = self.text(problems, ALLOWED)?;
        let fits = |character: char| character.is_alphanumeric() || "_-./".contains(character);
        if text.is_empty() || text.chars().count() > 64 || !text.chars().all(fits) {
            return Err(self.wrong(problems, ALLOWED));
        }
        Ok(text.to_owned())
    }
}

/// A mapping whose keys are known ones, each given once.
#[derive(Debug)]
pub struct Mapping {
    name: String,
    place: Place,
    fields: Vec<Field>,
    has_unknown_key: bool,
}

impl Mapping {
    /// Reads a field as a mapping with these keys. Unknown and repeated keys are noted and left
    /// out, so that the rest can still be read.
    ///
    /// # Errors
    /// If the value is no mapping.
    pub fn of(field: Field, problems: &mut Problems, keys: &[&str]) -> Read<Self> {
        let allowed = format!("a mapping with the keys {}", keys.join(", "));
        let Value::Mapping(entries) = field.node.value else {
            return Err(field.wrong(problems, allowed));
        };
        let mut fields: Vec<Field> = Vec::new();
        let mut has_unknown_key = false;
        for (key, node) in entries {
            let name = match key.value {
                Value::Text(name) if keys.contains(&name.as_str()) => name,
                other => {
                    let found = match &other {
                        Value::Text(name) => quote(name),
                        other => other.describe(),
                    };
                    let found = format!("{} has the unknown key {found}", field.name);
                    problems.note(key.place, found, keys.join(", "));
                    has_unknown_key = true;
                    continue;
                }
            };
            if let Some(first) = fields.iter().find(|field| field.name == name) {
                let found = format!(
                    "{} has the key {name} again, after line {}",
                    field.name, first.key_place.line
                );
                problems.note(key.place, found, "each key once");
                continue;
            }
            fields.push(Field { name, key_place: key.place, node });
        }
        Ok(Mapping { name: field.name, place: field.key_place, fields, has_unknown_key })
    }

    /// Takes a field out, if it is there.
    pub fn optional(&mut self, key: &str) -> Option<Field> {
        let index = self.fields.iter().position(|field| field.name == key)?;
        Some(self.fields.swap_remove(index))
    }

    /// Takes a field out that must be there. `allowed`: what its value may be.
    ///
    /// # Errors
    /// If it is not there.
    pub fn required(&mut self, problems: &mut Problems, key: &str, allowed: &str) -> Read<Field> {
        self.optional(key)
            .ok_or_else(|| self.incomplete(problems, &format!("has no {key}"), allowed))
    }

    /// Notes that something is missing from the mapping, unless it has an unknown key: that is most
    /// likely the missing one misspelt, and noted already.
    pub fn incomplete(&self, problems: &mut Problems, what: &str, allowed: &str) -> Noted {
        if self.has_unknown_key { Noted } else { self.wrong(problems, what, allowed) }
    }

    /// Notes that the mapping as a whole is not allowed, such as "light has two colors".
    pub fn wrong(&self, problems: &mut Problems, what: &str, allowed: &str) -> Noted {
        problems.note(self.place, format!("{} {what}", self.name), allowed)
    }
}
