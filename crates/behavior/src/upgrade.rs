//! What a policy file of version 1 becomes as version 2.

use rapport_settings::{Node, Place, Value};

/// Why the text of a file cannot be changed by itself.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotUpgraded {
    /// It is no policy of version 1.
    #[error("the policy is not of version 1")]
    NotFirst,
    /// A text with braces, which version 2 takes for names, is written in a way that is not found.
    #[error("{}:{}: a text has braces: double them by hand, and set version: 2", .0.line, .0.column)]
    Braces(Place),
}

/// The same file as version 2, its comments and order kept. Version 2 means the same by all that
/// version 1 has, with two exceptions, which are changed: the number itself, and braces in texts.
///
/// # Errors
/// If the text is no policy of version 1, or braces are written across lines.
pub fn upgrade(text: &str) -> Result<String, NotUpgraded> {
    let node = rapport_settings::read(text).map_err(|_| NotUpgraded::NotFirst)?;
    let Value::Mapping(entries) = &node.value else {
        return Err(NotUpgraded::NotFirst);
    };
    let version = entries.iter().find(|(key, _)| is_text(key, "version")).map(|(_, value)| value);
    let version = version.filter(|node| matches!(node.value, Value::Number(1.0)));
    let version = version.ok_or(NotUpgraded::NotFirst)?;
    let mut lines: Vec<String> = text.split('\n').map(str::to_owned).collect();
    let mut texts = Vec::new();
    said(&node, false, &mut texts);
    // From the end, so that the places of what comes before stay true.
    texts.sort_by_key(|(place, _)| std::cmp::Reverse(*place));
    for (place, said) in texts {
        let doubled = said.replace('{', "{{").replace('}', "}}");
        replace(&mut lines, place, said, &doubled).ok_or(NotUpgraded::Braces(place))?;
    }
    let line = lines.get_mut(version.place.line as usize - 1).ok_or(NotUpgraded::NotFirst)?;
    let at = byte_of(line, version.place.column);
    let end = line[at..]
        .find(|character: char| !character.is_ascii_alphanumeric() && !"._+-".contains(character));
    let end = end.map_or(line.len(), |end| at + end);
    line.replace_range(at..end, "2");
    Ok(lines.join("\n"))
}

fn is_text(node: &Node, text: &str) -> bool {
    matches!(&node.value, Value::Text(found) if found == text)
}

/// The texts under `say` that have braces.
fn said<'a>(node: &'a Node, is_said: bool, found: &mut Vec<(Place, &'a str)>) {
    match &node.value {
        Value::Mapping(entries) => {
            for (key, value) in entries {
                said(value, is_text(key, "say"), found);
            }
        }
        Value::List(items) => items.iter().for_each(|item| said(item, is_said, found)),
        Value::Text(text) if is_said && text.contains(['{', '}']) => found.push((node.place, text)),
        _ => {}
    }
}

fn replace(lines: &mut [String], place: Place, said: &str, by: &str) -> Option<()> {
    let line = lines.get_mut(place.line as usize - 1)?;
    let at = byte_of(line, place.column);
    let found = at + line.get(at..)?.find(said)?;
    line.replace_range(found..found + said.len(), by);
    Some(())
}

/// The byte at which a character of a line begins, counted from 1.
fn byte_of(line: &str, column: u64) -> usize {
    let column = usize::try_from(column).unwrap_or(usize::MAX).saturating_sub(1);
    line.char_indices().nth(column).map_or(line.len(), |(at, _)| at)
}
