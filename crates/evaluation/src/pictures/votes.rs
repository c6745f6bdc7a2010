//! FER+'s votes: a CSV with `row,Usage,neutral,...,NF`, a row for each row of FER2013's CSV, in the
//! same order.

use std::fs::File;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail, ensure};

use super::lines::ShortLines;
use crate::metrics::{VOTE_COLUMNS, Votes};

/// The columns before the votes.
const COLUMNS_BEFORE: [&str; 2] = ["row", "Usage"];

/// A row has twelve short fields; longer lines by far are something else.
const LONGEST_LINE_BYTES: usize = 1 << 12;

/// The votes, row by row.
pub struct VotesFile {
    path: PathBuf,
    reader: csv::Reader<ShortLines<File>>,
    record: csv::StringRecord,
    rows: u64,
}

impl VotesFile {
    /// Opens the file and checks its columns.
    ///
    /// # Errors
    /// If it cannot be read or has other columns.
    pub fn open(path: &Path) -> anyhow::Result<Self> {
        let name = || path.display().to_string();
        let lines = ShortLines::new(File::open(path).with_context(name)?, LONGEST_LINE_BYTES);
        let mut reader =
            csv::ReaderBuilder::new().trim(csv::Trim::All).flexible(true).from_reader(lines);
        let header = reader.headers().with_context(name)?;
        let clean = header.iter().map(|name| name.trim_start_matches('\u{feff}'));
        let expected = COLUMNS_BEFORE.into_iter().chain(VOTE_COLUMNS);
        if !clean.eq(expected.clone()) {
            let found: String =
                header.iter().collect::<Vec<_>>().join(",").chars().take(80).collect();
            let expected = expected.collect::<Vec<_>>().join(",");
            bail!("{}: columns are `{found}`, expected `{expected}`", path.display());
        }
        Ok(Self { path: path.to_owned(), reader, record: csv::StringRecord::new(), rows: 0 })
    }

    /// The votes of the next row. `usage`: the part that FER2013's row belongs to, where that can be
    /// read.
    ///
    /// # Errors
    /// If there is none, it belongs to another part, or it does not hold counts.
    pub fn next(&mut self, usage: Option<&str>) -> anyhow::Result<Votes> {
        let more = self.reader.read_record(&mut self.record);
        let path = self.path.display();
        if !more.with_context(|| path.to_string())? {
            bail!(
                "{path}: has {} rows, expected one for each row of the pictures' file, in the same \
                 order",
                self.rows
            );
        }
        self.rows += 1;
        let line = self.record.position().map_or(0, csv::Position::line);
        let (found, expected) = (self.record.len(), COLUMNS_BEFORE.len() + VOTE_COLUMNS.len());
        ensure!(found == expected, "{path}: line {line}: {found} fields, expected {expected}");
        let part = self.record.get(1).unwrap_or_default();
        if let Some(usage) = usage {
            ensure!(
                part == usage,
                "{path}: line {line}: Usage is `{part}`, expected `{usage}` as in the same row of \
                 the pictures' file"
            );
        }
        let mut votes = Votes::default();
        let fields = self.record.iter().skip(COLUMNS_BEFORE.len());
        for ((count, text), column) in votes.0.iter_mut().zip(fields).zip(VOTE_COLUMNS) {
            let Ok(found) = text.parse() else {
                bail!("{path}: line {line}: {column} is `{text}`, expected a count of votes");
            };
            *count = found;
        }
        Ok(votes)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn any_file_is_read_or_refused(
            has_header: bool,
            rows in "([0-9]{0,3},(Training|PublicTest)?(,-?[0-9a]{0,11}){9,11}\n){0,6}",
            bytes in prop::collection::vec(any::<u8>(), 0..40),
        ) {
            let names: Vec<_> = COLUMNS_BEFORE.into_iter().chain(VOTE_COLUMNS).collect();
            let header = if has_header { names.join(",") + "\n" } else { String::new() };
            let file = tempfile::NamedTempFile::new().unwrap();
            std::fs::write(file.path(), [header.as_bytes(), rows.as_bytes(), &bytes].concat()).unwrap();
            if let Ok(mut votes) = VotesFile::open(file.path()) {
                // Each row is votes or the one error; the end is an error too.
                let read = std::iter::from_fn(|| votes.next(None).ok()).take(100).count();
                prop_assert!(read <= 6 + bytes.len());
            }
        }
    }
}
