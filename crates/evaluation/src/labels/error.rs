//! Why labels cannot be used.

/// Why labels cannot be used: the file, the place in it, what was found and what is expected.
#[derive(Debug, thiserror::Error)]
pub enum LabelError {
    /// The file cannot be read.
    #[error("{path}: {reason}")]
    File {
        /// The file.
        path: String,
        /// What the operating system or the CSV reader says.
        reason: String,
    },
    /// The header is of no form that is known.
    #[error("{path}: columns are `{found}`, expected {expected}")]
    Columns {
        /// The file.
        path: String,
        /// The header.
        found: String,
        /// The forms.
        expected: &'static str,
    },
    /// A column of groups that was asked for is not there.
    #[error("{path}: columns are `{found}`, expected one named `{column}` for --group")]
    NoGroups {
        /// The file.
        path: String,
        /// The column.
        column: String,
        /// The header.
        found: String,
    },
    /// Labels, but none that is known.
    #[error(
        "{path}: none of its {labels} labels is known, found {found}, expected {}",
        rapport_vocabulary::Emotion::names()
    )]
    NoneOfOurs {
        /// The file.
        path: String,
        /// How many rows have a label.
        labels: u64,
        /// The first of them.
        found: String,
    },
    /// A row that cannot be understood.
    #[error("{path}: line {line}: {what} is `{found}`, expected {expected}")]
    Row {
        /// The file.
        path: String,
        /// The line, from 1.
        line: u64,
        /// The column.
        what: &'static str,
        /// Its content.
        found: String,
        /// What would do.
        expected: String,
    },
}
