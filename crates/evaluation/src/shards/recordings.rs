//! Which recordings there are, by names that are the same in every process.

use std::collections::{BTreeMap, HashSet};
use std::ffi::OsStr;
use std::fs;
use std::path::{Component, Path, PathBuf};

use anyhow::{Context, bail, ensure};

use crate::shown_path::shown;

/// A recording of several.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct FoundRecording {
    /// Its path below the folder that all of them are in, with `/`: the same on every machine.
    pub name: String,
    /// Where it is.
    pub path: PathBuf,
}

/// The recordings of a run, in the order of their names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recordings {
    /// The name of the folder that all of them are in.
    pub folder: String,
    /// The recordings.
    pub list: Vec<FoundRecording>,
}

impl Recordings {
    /// Finds the recordings of sources: each a recording, a folder below which there are recordings, or
    /// a list of such (a text file that ends in `.txt`).
    ///
    /// A folder with a `metadata.yaml` is a recording, and so is one whose files are named as the parts
    /// of one (`x_0.mcap`, `x_1.mcap`). In any other folder each file is a recording of its own.
    ///
    /// # Errors
    /// If a source cannot be read, is no recording, or has none below it.
    pub fn find(sources: &[PathBuf]) -> anyhow::Result<Self> {
        let mut found = Vec::new();
        for source in sources {
            add_source(source, &mut found)?;
        }
        // A recording that is named twice counts once.
        let by_path: BTreeMap<PathBuf, PathBuf> =
            found.into_iter().map(|path| (absolute(&path), path)).collect();
        let folder = common_folder(by_path.keys());
        let name = |full: &Path| {
            let below = full.strip_prefix(&folder).unwrap_or(full);
            let parts = below.components().map(|part| part.as_os_str().to_string_lossy());
            parts.collect::<Vec<_>>().join("/")
        };
        let mut list: Vec<_> = by_path
            .iter()
            .map(|(full, path)| FoundRecording { name: name(full), path: path.clone() })
            .collect();
        list.sort();
        if let Some([one, ..]) = list
            .windows(2)
            .find(|pair| pair.first().map(|r| &r.name) == pair.last().map(|r| &r.name))
        {
            // Names that are no UTF-8.
            bail!(
                "{}: another recording has the same name, expected each once",
                one.path.display()
            );
        }
        Ok(Self { folder: shown(&folder), list })
    }

    /// Whether a source stands for several recordings: a list, or a folder below which there are
    /// recordings and which is none itself.
    pub fn is_several(source: &Path) -> bool {
        if is_list(source) {
            return true;
        }
        let mut found = Vec::new();
        if !source.is_dir()
            || is_recording_folder(source)
            || add_below(source, &mut found, &mut HashSet::new()).is_err()
        {
            return false;
        }
        // One file in the folder itself is a recording without its metadata.yaml.
        found.len() > 1 || found.iter().any(|path| path.parent() != Some(source))
    }
}

fn is_list(path: &Path) -> bool {
    path.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("txt"))
}

fn add_source(source: &Path, found: &mut Vec<PathBuf>) -> anyhow::Result<()> {
    if is_list(source) {
        return add_list(source, found);
    }
    let kind = fs::metadata(source).with_context(|| source.display().to_string())?;
    if !kind.is_dir() || is_recording_folder(source) {
        found.push(source.to_owned());
        return Ok(());
    }
    ensure!(
        add_below(source, found, &mut HashSet::new())?,
        "{}: found no recording in it or below it, expected folders with metadata.yaml, or .mcap or \
         .db3 files",
        source.display()
    );
    Ok(())
}

/// A path in each line, from the folder of the list; empty lines and those that begin with `#` are
/// skipped.
fn add_list(list: &Path, found: &mut Vec<PathBuf>) -> anyhow::Result<()> {
    let name = || list.display().to_string();
    let text = fs::read_to_string(list).with_context(name)?;
    let folder = list.parent().unwrap_or(Path::new(""));
    let mut any = false;
    for (number, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let place = || format!("{}: line {}", list.display(), number + 1);
        let path = folder.join(line);
        ensure!(!is_list(&path), "{}: found another list, expected a recording", place());
        add_source(&path, found).with_context(place)?;
        any = true;
    }
    ensure!(any, "{}: found no line with a path, expected one for each recording", list.display());
    Ok(())
}

/// Adds the recordings in a folder that is none itself, and below it. Whether there are any.
fn add_below(
    folder: &Path,
    found: &mut Vec<PathBuf>,
    visited: &mut HashSet<PathBuf>,
) -> anyhow::Result<bool> {
    let wrong = || format!("folder {} not read", folder.display());
    // Links may lead in a circle.
    if !visited.insert(folder.canonicalize().with_context(wrong)?) {
        return Ok(false);
    }
    let mut any = false;
    for entry in fs::read_dir(folder).with_context(wrong)? {
        let entry = entry.with_context(wrong)?;
        if entry.file_name().to_string_lossy().starts_with('.') {
            continue;
        }
        let path = entry.path();
        if path.is_dir() {
            if is_recording_folder(&path) {
                found.push(path);
                any = true;
            } else {
                any |= add_below(&path, found, visited)?;
            }
        } else if part_of(&entry.file_name()).is_some() {
            found.push(path);
            any = true;
        }
    }
    Ok(any)
}

/// Whether a folder is one recording.
fn is_recording_folder(folder: &Path) -> bool {
    if folder.join("metadata.yaml").is_file() {
        return true;
    }
    let Ok(entries) = fs::read_dir(folder) else {
        return false;
    };
    let names = entries.filter_map(|entry| Some(entry.ok()?.file_name()));
    let parts: Vec<(String, bool)> = names.filter_map(|name| part_of(&name)).collect();
    let first = parts.first().map(|(stem, _)| stem.clone());
    first.is_some_and(|first| parts.iter().all(|(stem, is_part)| *is_part && *stem == first))
}

/// The name of a recording's file without its number, and whether it has one; nothing for another file.
fn part_of(name: &OsStr) -> Option<(String, bool)> {
    let name = name.to_string_lossy();
    let name = name.strip_suffix(".zstd").unwrap_or(&name);
    let stem = name.strip_suffix(".mcap").or_else(|| name.strip_suffix(".db3"))?;
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    Some(match stem.rsplit_once('_') {
        Some((before, number)) if is_number(number) => (before.to_owned(), true),
        _ => (stem.to_owned(), false),
    })
}

/// The whole path, `.` and `..` resolved by their names; links stay, as their names are what people gave.
fn absolute(path: &Path) -> PathBuf {
    let mut whole = PathBuf::new();
    for part in std::path::absolute(path).unwrap_or_else(|_| path.to_owned()).components() {
        match part {
            Component::ParentDir => {
                whole.pop();
            }
            Component::CurDir => {}
            part => whole.push(part),
        }
    }
    whole
}

/// The deepest folder that all paths are in.
fn common_folder<'a>(paths: impl Iterator<Item = &'a PathBuf>) -> PathBuf {
    let folders = paths.map(|path| path.parent().unwrap_or(path).to_owned());
    let common = folders.reduce(|common, folder| {
        let pairs = common.components().zip(folder.components());
        pairs.take_while(|(one, other)| one == other).map(|(part, _)| part).collect()
    });
    common.unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn touch(folder: &Path, names: &[&str]) {
        for name in names {
            let path = folder.join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "").unwrap();
        }
    }

    fn names(sources: &[PathBuf]) -> Vec<String> {
        Recordings::find(sources).unwrap().list.into_iter().map(|found| found.name).collect()
    }

    #[test]
    fn recordings_are_found_below_a_folder_in_the_order_of_their_names() {
        let temp = tempfile::tempdir().unwrap();
        let root = temp.path().join("corridor");
        touch(
            &root,
            &[
                "day2/late/metadata.yaml",
                "day2/late/late_0.mcap",
                "day1/b.mcap",
                "day1/a.mcap",
                "day1/a.csv",
                "day1/.hidden.mcap",
                "split/split_0.db3",
                "split/split_1.db3",
                "one/anything.mcap.zstd",
                "notes/readme.md",
            ],
        );
        let expected =
            ["day1/a.mcap", "day1/b.mcap", "day2/late", "one/anything.mcap.zstd", "split"];
        assert_eq!(names(std::slice::from_ref(&root)), expected);
        assert_eq!(Recordings::find(std::slice::from_ref(&root)).unwrap().folder, "corridor");
        // Named one by one, in another order and twice, in another way: the same.
        let one_by_one = ["split", "day2/late", "day1/../day1/b.mcap", "day1", "one"];
        let one_by_one: Vec<_> = one_by_one.iter().map(|name| root.join(name)).collect();
        assert_eq!(names(&one_by_one), expected);
        let list = temp.path().join("list.txt");
        let absolute = root.join("split").display().to_string();
        let text = format!("# mine\n\ncorridor/day1\n corridor/day2\n{absolute}\ncorridor/one/\n");
        fs::write(&list, text).unwrap();
        assert_eq!(names(std::slice::from_ref(&list)), expected);
        // Links in a circle end somewhere.
        std::os::unix::fs::symlink(&root, root.join("day1/loop")).unwrap();
        assert_eq!(names(std::slice::from_ref(&root)), expected);

        assert!(Recordings::is_several(&root) && Recordings::is_several(&list));
        for one in ["split", "one", "day2/late", "day1/a.mcap", "notes"] {
            assert!(!Recordings::is_several(&root.join(one)), "{one}");
        }
        assert!(Recordings::is_several(&root.join("day1")));
        assert_eq!(names(&[root.join("day1/a.mcap")]), ["a.mcap"]);
    }

    #[test]
    fn sources_without_a_recording_are_named() {
        let temp = tempfile::tempdir().unwrap();
        touch(temp.path(), &["empty/readme.md", "empty.txt", "wrong.txt", "nested.txt"]);
        fs::write(temp.path().join("wrong.txt"), "empty\n").unwrap();
        fs::write(temp.path().join("nested.txt"), "\nwrong.txt\n").unwrap();
        for (source, expected) in [
            ("empty", "empty: found no recording in it or below it"),
            ("empty.txt", "empty.txt: found no line with a path"),
            ("wrong.txt", "wrong.txt: line 1"),
            ("nested.txt", "nested.txt: line 2: found another list"),
            ("absent", "absent"),
            ("absent.txt", "absent.txt"),
        ] {
            let error = Recordings::find(&[temp.path().join(source)]).unwrap_err();
            assert!(format!("{error:#}").contains(expected), "{error:#}");
        }
    }
}
