//! A folder of pictures for each label.

use std::path::{Path, PathBuf};

use anyhow::{Context, bail};

use super::picture::{LabelledPicture, PictureProblem};
use crate::picture_file::read_picture;
use rapport_perception::frame::Encoding;
use rapport_vocabulary::Emotion;

/// The pictures in order of their folders' and their own names. Reads one at a time.
#[derive(Debug)]
pub struct Folder {
    root: PathBuf,
    pictures: std::vec::IntoIter<(Emotion, PathBuf)>,
    /// Folders whose name is no label.
    unknown: Vec<String>,
}

impl Folder {
    /// Lists `<root>/<label>/*`.
    ///
    /// # Errors
    /// If a folder cannot be read, or none is named like a label.
    pub fn open(root: &Path) -> anyhow::Result<Self> {
        let mut pictures = Vec::new();
        let mut unknown = Vec::new();
        for folder in sorted(root)?.into_iter().filter(|path| path.is_dir()) {
            let name = folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
            match Emotion::from_word(&name) {
                Ok(label) => {
                    let files = sorted(&folder)?.into_iter().filter(|path| path.is_file());
                    pictures.extend(files.map(|path| (label, path)));
                }
                Err(_) => unknown.push(name),
            }
        }
        if pictures.is_empty() {
            bail!(
                "{}: found {}, expected folders of pictures named after labels ({})",
                root.display(),
                match unknown.is_empty() {
                    true => "no pictures in its folders".to_owned(),
                    false => format!("folders {}", unknown.join(", ")),
                },
                Emotion::names()
            );
        }
        Ok(Self { root: root.to_owned(), pictures: pictures.into_iter(), unknown })
    }

    /// How many pictures are left.
    pub fn left(&self) -> u64 {
        self.pictures.len() as u64
    }

    /// Folders that are left out because their name is no label.
    pub fn unknown(&self) -> &[String] {
        &self.unknown
    }
}

impl Iterator for Folder {
    type Item = Result<LabelledPicture, PictureProblem>;

    fn next(&mut self) -> Option<Self::Item> {
        let (label, path) = self.pictures.next()?;
        let source = path.strip_prefix(&self.root).unwrap_or(&path).display().to_string();
        Some(match read_picture(&path) {
            Ok(picture) => Ok(LabelledPicture {
                source,
                label,
                votes: None,
                width_px: picture.width(),
                height_px: picture.height(),
                encoding: Encoding::Rgb8,
                pixels: picture.into_raw(),
            }),
            Err(error) => Err(PictureProblem::Skip {
                kind: "picture not read",
                text: format!("{}: {error:#}", path.display()),
            }),
        })
    }
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
