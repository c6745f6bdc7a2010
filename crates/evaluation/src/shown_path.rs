//! Paths as a report shows them: without the folders above what was given, which often name a
//! person.

use std::path::{Path, PathBuf};

/// The name of a file or folder, without those above it; `~` for the home folder itself.
pub fn shown(path: &Path) -> String {
    let is_home = home().is_some_and(|home| path == home);
    match path.file_name() {
        Some(_) if is_home => "~".to_owned(),
        Some(name) => name.to_string_lossy().into_owned(),
        // `.` and `..` have no name of their own, and `/` needs none.
        None => path.display().to_string(),
    }
}

fn home() -> Option<PathBuf> {
    std::env::home_dir().filter(|home| home.parent().is_some())
}

/// Takes the folders above the paths that were given out of texts.
#[derive(Debug, Clone, Default)]
pub struct PathCleaner {
    /// What is taken out and what stands there instead, longest first.
    prefixes: Vec<(String, &'static str)>,
}

impl PathCleaner {
    /// For texts that may hold these paths, as they were given or in full.
    pub fn new<'a>(given: impl IntoIterator<Item = &'a Path>) -> Self {
        let mut prefixes = Vec::new();
        for path in given {
            let full = path.canonicalize().ok();
            for path in [Some(path), full.as_deref()].into_iter().flatten() {
                if let Some(parent) = path.parent().filter(|p| !p.as_os_str().is_empty()) {
                    prefixes.push((with_separator(parent), ""));
                }
            }
        }
        if let Some(home) = home() {
            prefixes.push((home.to_string_lossy().into_owned(), "~"));
            prefixes.push((with_separator(&home), "~/"));
        }
        if let Ok(here) = std::env::current_dir() {
            prefixes.push((with_separator(&here), ""));
        }
        // Alone, the root would take the slash off every topic.
        prefixes.retain(|(prefix, _)| prefix != "/");
        prefixes.sort_by(|a, b| b.0.len().cmp(&a.0.len()).then_with(|| a.cmp(b)));
        prefixes.dedup();
        Self { prefixes }
    }

    /// The text without those folders.
    pub fn clean(&self, text: &str) -> String {
        let mut cleaned = text.to_owned();
        for (prefix, instead) in &self.prefixes {
            cleaned = replace_at_starts(&cleaned, prefix, instead);
        }
        cleaned
    }
}

fn with_separator(folder: &Path) -> String {
    let mut text = folder.to_string_lossy().into_owned();
    if !text.ends_with('/') {
        text.push('/');
    }
    text
}

/// Replaces a prefix where a path begins with it: after the start of the text or a character that
/// no path goes on after.
fn replace_at_starts(text: &str, prefix: &str, instead: &str) -> String {
    let mut cleaned = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(prefix) {
        let (before, found) = rest.split_at(at);
        cleaned.push_str(before);
        let after = &found[prefix.len()..];
        let goes_on = |c: char| c.is_alphanumeric() || "/._-".contains(c);
        let begins = !cleaned.ends_with(goes_on);
        let ends = prefix.ends_with('/') || !after.starts_with(goes_on);
        cleaned.push_str(if begins && ends { instead } else { prefix });
        rest = after;
    }
    cleaned + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_are_shown() {
        assert_eq!(shown(Path::new("/home/anna/bags/corridor")), "corridor");
        assert_eq!(shown(Path::new("../anna/corridor.mcap")), "corridor.mcap");
        assert_eq!(shown(Path::new(".")), ".");
        if let Some(home) = home() {
            assert_eq!(shown(&home), "~");
        }
    }

    #[test]
    fn texts_lose_the_folders_above_what_was_given_and_nothing_else() {
        let given = ["/home/anna/bags/corridor", "../bob/labels.csv", "/model.onnx", "x.csv"];
        let cleaner = PathCleaner::new(given.map(Path::new));
        for (text, expected) in [
            ("/home/anna/bags/corridor/a.mcap: cut off", "corridor/a.mcap: cut off"),
            ("--labels=../bob/labels.csv", "--labels=labels.csv"),
            ("no topic /camera/image_raw", "no topic /camera/image_raw"),
            ("topic /robot/home/anna/bags/corridor", "topic /robot/home/anna/bags/corridor"),
            ("/model.onnx: `/home/anna/bags/`", "/model.onnx: ``"),
        ] {
            assert_eq!(cleaner.clean(text), expected);
        }
        if let Some(home) = home() {
            let home = home.display();
            assert_eq!(cleaner.clean(&format!("({home}/x, {home})")), "(~/x, ~)");
            assert_eq!(cleaner.clean(&format!("{home}2/x")), format!("{home}2/x"));
        }
    }
}
