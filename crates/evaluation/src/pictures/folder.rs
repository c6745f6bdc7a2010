//! A folder of pictures for each label.

use std::path::{Path, PathBuf};

use anyhow::{Context, bail};

use super::picture::Unread;
use crate::labels::ClassNumbers;
use rapport_vocabulary::Emotion;

/// The pictures in order of their folders' and their own names, still to be read.
#[derive(Debug)]
pub struct Folder {
    root: PathBuf,
    pictures: std::vec::IntoIter<(Emotion, PathBuf)>,
    left_out: Vec<LeftOut>,
}

/// Something in the folder that is not read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeftOut {
    /// The kind of warning.
    pub kind: &'static str,
    /// What, and why.
    pub text: String,
}

impl Folder {
    /// Lists `<root>/<label>/*`.
    ///
    /// # Errors
    /// If a folder cannot be read, or none is named like a label.
    pub fn open(root: &Path) -> anyhow::Result<Self> {
        let mut found =
            Self { root: root.to_owned(), pictures: Vec::new().into_iter(), left_out: Vec::new() };
        let (folders, others): (Vec<_>, Vec<_>) =
            sorted(root)?.into_iter().partition(|path| path.is_dir());
        for link in others.iter().filter(|path| !path.exists()) {
            found.leave_out("folder left out", format!("{}: broken link", name_of(link)));
        }
        let numbers = ClassNumbers::of(folders.iter().map(|folder| name_of(folder)));
        let mut pictures = Vec::new();
        let mut unknown = Vec::new();
        for folder in &folders {
            match numbers.label(&name_of(folder)) {
                Ok((label, is_number)) => {
                    if is_number {
                        found.leave_out("class numbers", ClassNumbers::READING.to_owned());
                    }
                    pictures.extend(found.files_in(folder)?.into_iter().map(|path| (label, path)));
                }
                Err(_) => unknown.push(name_of(folder)),
            }
        }
        if pictures.is_empty() {
            bail!(
                "{}: found {}, expected folders of pictures named after labels ({}){}",
                root.display(),
                match unknown.is_empty() {
                    true => "no pictures in its folders".to_owned(),
                    false => format!("folders {}", unknown.join(", ")),
                },
                Emotion::names(),
                labels_below(&folders).map_or_else(String::new, |folder| format!(
                    "; {} has such folders: evaluate it by itself",
                    folder.display()
                ))
            );
        }
        for name in unknown {
            found.leave_out(
                "folder left out",
                format!("folder {name} is left out: its name is no label"),
            );
        }
        found.pictures = pictures.into_iter();
        Ok(found)
    }

    /// How many pictures are left.
    pub fn left(&self) -> u64 {
        self.pictures.len() as u64
    }

    /// What is in the folder and not read.
    pub fn left_out(&self) -> &[LeftOut] {
        &self.left_out
    }

    fn leave_out(&mut self, kind: &'static str, text: String) {
        self.left_out.push(LeftOut { kind, text });
    }

    /// The files of one label.
    fn files_in(&mut self, folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
        let mut files = Vec::new();
        for path in sorted(folder)? {
            let shown = path.strip_prefix(&self.root).unwrap_or(&path).display().to_string();
            // Follows links.
            match std::fs::metadata(&path) {
                Ok(found) if found.is_file() => files.push(path),
                Ok(found) if found.is_dir() => self.leave_out(
                    "nested folder left out",
                    format!(
                        "folder {shown} is left out with what is in it: pictures are looked for in \
                         the folders of labels themselves"
                    ),
                ),
                Ok(_) => self.leave_out("picture not read", format!("{shown}: not a file")),
                Err(error) => {
                    let kind = if path.is_symlink() { "broken link: " } else { "" };
                    self.leave_out("picture not read", format!("{shown}: {kind}{error}"));
                }
            }
        }
        Ok(files)
    }
}

impl Iterator for Folder {
    type Item = Unread;

    fn next(&mut self) -> Option<Unread> {
        let (label, path) = self.pictures.next()?;
        let source = path.strip_prefix(&self.root).unwrap_or(&path).display().to_string();
        Some(Unread::File { source, label: Some(label), details: None, path })
    }
}

fn name_of(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

/// The first of these folders in which folders are named after labels, as data sets divide
/// themselves into `train` and `test`.
fn labels_below(folders: &[PathBuf]) -> Option<&Path> {
    let has_labels = |folder: &&PathBuf| {
        let below = sorted(folder).unwrap_or_default();
        below.iter().any(|path| path.is_dir() && Emotion::from_word(&name_of(path)).is_ok())
    };
    folders.iter().find(has_labels).map(PathBuf::as_path)
}

/// What is in a folder, by name, hidden files left out.
fn sorted(folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let wrong = || format!("folder {} not read", folder.display());
    let mut paths = Vec::new();
    for entry in std::fs::read_dir(folder).with_context(wrong)? {
        let entry = entry.with_context(wrong)?;
        if !entry.file_name().to_string_lossy().starts_with('.') {
            paths.push(entry.path());
        }
    }
    paths.sort();
    Ok(paths)
}
