//! Pictures that a CSV names, with what it says of each.

use std::collections::HashMap;
use std::path::{Component, Path, PathBuf};

use super::picture::Unread;
use crate::labels::{LabelDetails, LabelError, Table};
use crate::warnings::Warnings;
use rapport_vocabulary::Emotion;

/// The pictures in the order of the file, still to be read.
#[derive(Debug)]
pub struct Listed {
    root: PathBuf,
    rows: std::vec::IntoIter<Row>,
}

/// What a row says.
#[derive(Debug, Clone, PartialEq)]
struct Row {
    picture: String,
    label: Option<Emotion>,
    details: Option<LabelDetails>,
}

impl Listed {
    /// Reads the CSV. `root`: the folder that its column `source` counts from; `groups`: its columns
    /// of groups, empty for the usual ones. A picture without a label is labelled by the name of its
    /// first folder.
    ///
    /// # Errors
    /// [`LabelError`] with file, line and column.
    pub fn open(
        root: &Path,
        csv: &Path,
        groups: &[String],
        warnings: &mut Warnings,
    ) -> Result<Self, LabelError> {
        let mut table = Table::open(csv, groups)?;
        if !table.has("source") {
            return Err(table.wrong_columns("`source,label`, a row for each picture"));
        }
        let mut rows: Vec<Row> = Vec::new();
        let mut known: HashMap<String, usize> = HashMap::new();
        while table.next(warnings)? {
            let picture = table.text("source").to_owned();
            let is_inside = |path: &Path| {
                path.components().all(|part| matches!(part, Component::Normal(_)))
                    && path.components().next().is_some()
            };
            if !is_inside(Path::new(&picture)) {
                return Err(table.wrong("source", "the path of a picture inside the folder"));
            }
            let own = table.label(warnings);
            let has_own = !table.text("label").is_empty();
            // A label that is none of ours does not make the folder's name right.
            let label = own.or_else(|| if has_own { None } else { label_of_folder(&picture) });
            let details = table.details()?;
            if label.is_none() && !details.as_ref().is_some_and(LabelDetails::has_affect) {
                if !has_own {
                    warnings.add("picture without a label", || {
                        format!("{}: {picture} has no label and is left out", table.place())
                    });
                }
                continue;
            }
            let row = Row { picture: picture.clone(), label, details };
            match known.get(&picture) {
                // `frames.csv` of several models names each picture once for each model.
                Some(&before) if rows.get(before) == Some(&row) => {}
                Some(_) => {
                    warnings.add("overlapping labels", || {
                        format!(
                            "{}: {picture} is named before, with other values: the first count",
                            table.place()
                        )
                    });
                }
                None => {
                    known.insert(picture, rows.len());
                    rows.push(row);
                }
            }
        }
        table.if_any(rows.len() as u64)?;
        if rows.is_empty() {
            return Err(
                table.wrong_rows("found no labelled picture in it, expected a row for each")
            );
        }
        Ok(Self { root: root.to_owned(), rows: rows.into_iter() })
    }

    /// How many pictures are left.
    pub fn left(&self) -> u64 {
        self.rows.len() as u64
    }
}

fn label_of_folder(picture: &str) -> Option<Emotion> {
    let mut parts = Path::new(picture).components();
    let folder = parts.next()?;
    parts.next()?;
    Emotion::from_word(&folder.as_os_str().to_string_lossy()).ok()
}

impl Iterator for Listed {
    type Item = Unread;

    fn next(&mut self) -> Option<Unread> {
        let Row { picture, label, details } = self.rows.next()?;
        let path = self.root.join(&picture);
        Some(Unread::File { source: picture, label, details, path })
    }
}
