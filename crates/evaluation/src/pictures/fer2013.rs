//! FER2013 as Kaggle's challenge gives it: a CSV with `emotion,pixels,Usage`, plain or `.xz`.

use std::fs::File;
use std::io::{BufReader, Read};
use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow, bail};
use lzma_rust2::XzReader;

use super::lines::ShortLines;
use super::picture::{LabelledPicture, PictureProblem, Unread};
use super::votes::VotesFile;
use crate::labels::{DetailColumns, WrongCell};
use crate::metrics::Votes;
use rapport_perception::frame::Encoding;
use rapport_vocabulary::Emotion;

/// Side of every picture in pixels.
const SIDE_PX: u32 = 48;

/// The challenge's numbers for the expressions.
const NUMBERS: [Emotion; 7] = [
    Emotion::Angry,
    Emotion::Disgust,
    Emotion::Fear,
    Emotion::Happy,
    Emotion::Sad,
    Emotion::Surprise,
    Emotion::Neutral,
];

/// A row has 2,304 numbers of up to three digits; longer lines by far are something else.
const LONGEST_LINE_BYTES: usize = 1 << 16;

/// The parts of the data set, as its column `Usage` names them.
pub const USAGES: [&str; 3] = ["Training", "PublicTest", "PrivateTest"];

/// Memory that unpacking may take, in KiB: xz at its highest setting takes 64 MiB.
const UNPACK_LIMIT_KIB: u32 = 256 << 10;

/// The rows of one part, one at a time.
pub struct Fer2013 {
    path: PathBuf,
    usage: String,
    /// Indices of emotion, pixels and Usage.
    columns: [usize; 3],
    details: DetailColumns,
    reader: csv::Reader<Box<dyn Read + Send>>,
    record: csv::StringRecord,
    votes: Option<VotesFile>,
    is_done: bool,
}

impl Fer2013 {
    /// Opens the file and checks its columns. `usage`: the part, one of [`USAGES`]; `votes`: FER+'s
    /// votes for the same rows; `groups`: the columns of groups, empty for the usual ones.
    ///
    /// # Errors
    /// If a file cannot be read or lacks a column.
    pub fn open(
        path: &Path,
        usage: &str,
        votes: Option<&Path>,
        groups: &[String],
    ) -> anyhow::Result<Self> {
        let name = || path.display().to_string();
        let file = File::open(path).with_context(name)?;
        let is_packed = path.extension().is_some_and(|extension| extension == "xz");
        let text: Box<dyn Read + Send> = match is_packed {
            true => Box::new(XzReader::new_mem_limit(BufReader::new(file), true, UNPACK_LIMIT_KIB)),
            false => Box::new(file),
        };
        let text: Box<dyn Read + Send> = Box::new(ShortLines::new(text, LONGEST_LINE_BYTES));
        let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::All).from_reader(text);
        let header = reader.headers().with_context(name)?.clone();
        let find = |column: &str| header.iter().position(|name| name == column);
        let (Some(emotion), Some(pixels), Some(part)) =
            (find("emotion"), find("pixels"), find("Usage"))
        else {
            let found: String =
                header.iter().collect::<Vec<_>>().join(",").chars().take(80).collect();
            bail!("{}: columns are `{found}`, expected `emotion,pixels,Usage`", path.display());
        };
        let details = DetailColumns::find(header.iter(), groups).map_err(|column| {
            anyhow!("{}: has no column `{column}`, expected it for --group", path.display())
        })?;
        Ok(Self {
            path: path.to_owned(),
            usage: usage.to_owned(),
            columns: [emotion, pixels, part],
            details,
            reader,
            record: csv::StringRecord::new(),
            votes: votes.map(VotesFile::open).transpose()?,
            is_done: false,
        })
    }

    fn picture(&self, votes: Option<Votes>) -> Result<LabelledPicture, String> {
        let [emotion, pixels, _] =
            self.columns.map(|index| self.record.get(index).unwrap_or_default());
        let label = emotion.parse().ok().and_then(|number: usize| NUMBERS.get(number).copied());
        let label = label.ok_or_else(|| format!("emotion is `{emotion}`, expected 0 to 6"))?;
        let details = self.details.read(|index| self.record.get(index).unwrap_or_default());
        let details = details.map_err(|WrongCell { column, found }| {
            format!("{column} is `{found}`, expected {}", WrongCell::EXPECTED)
        })?;
        let expected = (SIDE_PX * SIDE_PX) as usize;
        let mut values = Vec::with_capacity(expected);
        for text in pixels.split_ascii_whitespace() {
            values
                .push(text.parse().map_err(|_| format!("a pixel is `{text}`, expected 0 to 255"))?);
        }
        if values.len() != expected {
            let found = values.len();
            return Err(format!("{found} pixels, expected {expected} ({SIDE_PX}x{SIDE_PX})"));
        }
        Ok(LabelledPicture {
            source: format!("line {}", self.line()),
            label: Some(label),
            details,
            votes,
            width_px: SIDE_PX,
            height_px: SIDE_PX,
            encoding: Encoding::Mono8,
            pixels: values,
            warning: None,
        })
    }

    fn line(&self) -> u64 {
        self.record.position().map_or(0, csv::Position::line)
    }

    fn next_row(&mut self) -> Option<Result<LabelledPicture, PictureProblem>> {
        while !self.is_done {
            let wrong = match self.reader.read_record(&mut self.record) {
                Ok(false) => {
                    self.is_done = true;
                    continue;
                }
                Ok(true) => None,
                Err(error) => Some(error),
            };
            // A row of another length does not end the file; anything else does.
            let is_row = wrong.as_ref().is_none_or(|error| {
                matches!(
                    error.kind(),
                    csv::ErrorKind::UnequalLengths { .. } | csv::ErrorKind::Utf8 { .. }
                )
            });
            self.is_done = !is_row;
            let part = self.record.get(self.columns[2]).filter(|_| wrong.is_none());
            let votes = match &mut self.votes {
                Some(votes) if is_row => match votes.next(part) {
                    Ok(votes) => Some(votes),
                    Err(error) => {
                        self.is_done = true;
                        return Some(Err(PictureProblem::Stop(error)));
                    }
                },
                _ => None,
            };
            if let Some(error) = wrong {
                let kind = if is_row { "row not read" } else { "file ends early" };
                let text = format!("{}: {error}", self.path.display());
                return Some(Err(PictureProblem::Skip { kind, text }));
            }
            if part != Some(self.usage.as_str()) {
                continue;
            }
            return Some(self.picture(votes).map_err(|reason| PictureProblem::Skip {
                kind: "row not read",
                text: format!("{}: line {}: {reason}", self.path.display(), self.line()),
            }));
        }
        None
    }
}

impl Iterator for Fer2013 {
    type Item = Unread;

    fn next(&mut self) -> Option<Unread> {
        self.next_row().map(Unread::Row)
    }
}
