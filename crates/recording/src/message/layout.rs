//! The fields of a message type, so that two definitions of it can be compared.
//!
//! CDR holds values without names: whoever reads it by another definition than it was written by
//! gets nonsense rather than an error. [`Layout::differences`] says what two definitions have
//! differently; comments, constants and default values do not count.

use std::collections::{BTreeMap, BTreeSet};

/// The types of fields that are not messages; `byte` and `char` are written as `uint8` is.
const PLAIN: [&str; 13] = [
    "bool", "float32", "float64", "int8", "uint8", "int16", "uint16", "int32", "uint32", "int64",
    "uint64", "string", "wstring",
];

/// The fields of a message type and of the types nested in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layout {
    /// The type, as `package/Type`.
    root: String,
    /// Each type's fields in order, as far as its definition is known.
    types: BTreeMap<String, Vec<Field>>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Field {
    name: String,
    /// The type with its package, without what makes it an array.
    base: String,
    /// What makes it an array or bounds a text, for example `[]`, `[5]`, `<=10`.
    suffix: String,
}

impl Field {
    fn type_name(&self) -> String {
        format!("{}{}", self.base, self.suffix)
    }
}

impl Layout {
    /// Reads a definition in the language `ros2msg`: the type's own, then each nested type's after
    /// a line of `=` and one of `MSG: package/Type`, as recordings hold it. `None` for a text that
    /// is no such definition, an empty one for example.
    pub fn parse(type_name: &str, ros2msg: &str) -> Option<Self> {
        let root = normal_name(type_name);
        let (mut types, mut name, mut fields) = (BTreeMap::new(), root.clone(), Vec::new());
        let mut lines = ros2msg.lines().peekable();
        while let Some(line) = lines.next() {
            let is_separator = line.len() >= 3 && line.bytes().all(|byte| byte == b'=');
            if let Some(nested) =
                lines.peek().filter(|_| is_separator).and_then(|next| next.strip_prefix("MSG: "))
            {
                types.insert(std::mem::replace(&mut name, normal_name(nested)), fields);
                fields = Vec::new();
                lines.next();
                continue;
            }
            match parse_line(package_of(&name), line) {
                Line::Field(field) => fields.push(field),
                Line::NoField => {}
                Line::Wrong => return None,
            }
        }
        types.insert(name, fields);
        let has_fields = types.get(&root).is_some_and(|fields| !fields.is_empty());
        has_fields.then_some(Self { root, types })
    }

    /// Puts a definition together from the files of the packages: `text` gives the text of
    /// `Type.msg` by package and type. `None` where the type has no such file or it has no fields.
    pub fn gather(
        type_name: &str,
        mut text: impl FnMut(&str, &str) -> Option<String>,
    ) -> Option<Self> {
        let root = normal_name(type_name);
        let (mut types, mut wanted) = (BTreeMap::new(), vec![root.clone()]);
        while let Some(name) = wanted.pop() {
            if types.contains_key(&name) {
                continue;
            }
            let (package, type_name) = name.split_once('/')?;
            let Some(text) = text(package, type_name) else { continue };
            let own = Self::parse(&name, &text)?.types.remove(&name).unwrap_or_default();
            wanted.extend(own.iter().filter(|f| f.base.contains('/')).map(|f| f.base.clone()));
            types.insert(name, own);
        }
        types.contains_key(&root).then_some(Self { root, types })
    }

    /// What a reader by `installed` would misread: a sentence for each type whose fields are not
    /// the same, in the same order. Empty where both are laid out alike.
    pub fn differences(&self, installed: &Self) -> Vec<String> {
        let (mut seen, mut wanted) = (BTreeSet::new(), vec![self.root.clone()]);
        let mut differences = Vec::new();
        while let Some(name) = wanted.pop() {
            let (Some(ours), Some(theirs)) = (self.types.get(&name), installed.types.get(&name))
            else {
                continue;
            };
            if !seen.insert(name.clone()) {
                continue;
            }
            differences.extend(compare(&name, ours, theirs));
            wanted.extend(ours.iter().map(|field| field.base.clone()));
        }
        differences
    }
}

fn compare(type_name: &str, recorded: &[Field], installed: &[Field]) -> Option<String> {
    if recorded == installed {
        return None;
    }
    let find = |fields: &[Field], name: &str| fields.iter().find(|f| f.name == name).cloned();
    let names = |fields: &[Field], others: &[Field]| {
        let only: Vec<_> = fields
            .iter()
            .filter(|field| find(others, &field.name).is_none())
            .map(|field| field.name.as_str())
            .collect();
        only.join(", ")
    };
    let (gone, new) = (names(recorded, installed), names(installed, recorded));
    let mut parts = Vec::new();
    if !gone.is_empty() {
        parts.push(format!("recorded with {gone}, which the installed type does not have"));
    }
    if !new.is_empty() {
        parts.push(format!("recorded without {new}"));
    }
    for field in recorded {
        if let Some(other) = find(installed, &field.name)
            && field.type_name() != other.type_name()
        {
            let (was, is) = (field.type_name(), other.type_name());
            parts.push(format!("{} recorded as {was}, installed as {is}", field.name));
        }
    }
    if parts.is_empty() {
        parts.push("recorded with its fields in another order".to_owned());
    }
    Some(format!("{type_name}: {}", parts.join("; ")))
}

enum Line {
    Field(Field),
    /// A comment, a constant or nothing.
    NoField,
    /// Not of a definition.
    Wrong,
}

fn parse_line(package: &str, line: &str) -> Line {
    let line = line.trim();
    if line.is_empty() || line.starts_with('#') {
        return Line::NoField;
    }
    let Some((type_name, rest)) = line.split_once(char::is_whitespace) else {
        return Line::Wrong;
    };
    let rest = rest.trim_start();
    let is_name = |char: char| char.is_ascii_alphanumeric() || char == '_';
    let name_bytes = rest.find(|char| !is_name(char)).unwrap_or(rest.len());
    let (name, after) = rest.split_at(name_bytes);
    if name.is_empty() {
        return Line::Wrong;
    }
    let after = after.trim_start();
    if after.starts_with('=') {
        return Line::NoField;
    }
    let base_bytes = type_name.find(['[', '<']).unwrap_or(type_name.len());
    let (base, suffix) = type_name.split_at(base_bytes);
    let base = match base {
        "byte" | "char" => "uint8".to_owned(),
        plain if PLAIN.contains(&plain) => plain.to_owned(),
        "Header" => "std_msgs/Header".to_owned(),
        // As ROS 1 names them; some writers of ROS 2 recordings do too.
        "time" => "builtin_interfaces/Time".to_owned(),
        "duration" => "builtin_interfaces/Duration".to_owned(),
        full if full.contains('/') => normal_name(full),
        short => format!("{package}/{short}"),
    };
    // Only plain types have default values.
    if base.contains('/') && !after.is_empty() && !after.starts_with('#') {
        return Line::Wrong;
    }
    Line::Field(Field { name: name.to_owned(), base, suffix: suffix.to_owned() })
}

/// `package/Type` for `package/msg/Type` too.
fn normal_name(type_name: &str) -> String {
    type_name.trim().replacen("/msg/", "/", 1)
}

fn package_of(type_name: &str) -> &str {
    type_name.split('/').next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::super::Definition;
    use super::*;

    fn layout(text: &str) -> Layout {
        Layout::parse("a_msgs/msg/Thing", text).unwrap()
    }

    const RECORDED: &str = "# A comment.\nstring NAME=none # not a field\nstd_msgs/Header header\n\
                            Part[] parts # some\nfloat32 size 1.0\nstring<=10 label \"a # b\"\n\
                            ================================================================\n\
                            MSG: a_msgs/Part\nuint8 kind\nbyte[4] data\n\
                            ================================================================\n\
                            MSG: std_msgs/Header\nbuiltin_interfaces/Time stamp\nstring frame_id\n";

    #[test]
    fn comments_constants_and_names_of_packages_do_not_matter() {
        let other = "std_msgs/msg/Header   header # the image's\n\na_msgs/msg/Part[] parts\n\
                     float32 size\nstring<=10 label\nstring LATER = x\n\
                     ===\nMSG: std_msgs/msg/Header\ntime stamp\n\
                     string frame_id\n===\nMSG: a_msgs/msg/Part\nuint8 kind\nchar[4] data\n";
        assert_eq!(layout(RECORDED).differences(&layout(other)), [""; 0]);
    }

    #[test]
    fn every_kind_of_difference_is_named() {
        let text = "std_msgs/Header header\nint32 count\nPart[] parts\nfloat64 size\n\
                    ===\nMSG: a_msgs/Part\nbyte[4] data\nuint8 kind\n";
        assert_eq!(
            layout(RECORDED).differences(&layout(text)),
            [
                "a_msgs/Thing: recorded with label, which the installed type does not have; \
                 recorded without count; size recorded as float32, installed as float64",
                "a_msgs/Part: recorded with its fields in another order",
            ]
        );
    }

    #[test]
    fn a_definition_is_gathered_from_files() {
        let files = |package: &str, name: &str| {
            let text = match (package, name) {
                ("a_msgs", "Thing") => {
                    "std_msgs/Header header\nPart[] parts\nfloat32 size\nstring<=10 label\n"
                }
                ("a_msgs", "Part") => "uint8 kind\nbyte[4] data\n",
                ("std_msgs", "Header") => "builtin_interfaces/Time stamp\nstring frame_id\n",
                _ => return None,
            };
            Some(text.to_owned())
        };
        let gathered = Layout::gather("a_msgs/msg/Thing", files).unwrap();
        assert_eq!(gathered, layout(RECORDED));
        assert_eq!(Layout::gather("b_msgs/msg/Thing", files), None);
    }

    #[test]
    fn what_is_no_definition_is_not_compared() {
        for text in ["", "# nothing but a comment\n", "{\"type\": \"object\"}", "module a { };"] {
            assert_eq!(Layout::parse("a_msgs/msg/Thing", text), None, "{text}");
        }
    }

    #[test]
    fn our_own_definitions_are_read_whole() {
        let text = Definition::EMOTIONS.text();
        let layout = Layout::parse(Definition::EMOTIONS.type_name, &text).unwrap();
        let fields = layout.types.values().flatten();
        let nested: BTreeSet<_> = fields.map(|f| &f.base).filter(|b| b.contains('/')).collect();
        assert!(nested.into_iter().all(|name| layout.types.contains_key(name)), "{layout:?}");
        assert_eq!(layout.types.len(), 9);
    }
}
