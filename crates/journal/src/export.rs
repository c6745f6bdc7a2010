//! The journal as CSV: one row for each bucket, with derived figures.

use std::io::Write;

use rapport_vocabulary::Emotion;
use rusqlite::Row;

use crate::error::JournalError;
use crate::figures::{AnswerFigures, RatingFigures, VisitFigures};
use crate::journal::Journal;
use crate::query::{self, Scope, condition};
use crate::statistics::{Mean, Rate};
use crate::sums;

/// What is exported.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Table {
    /// Visits, expressions, valence.
    Visits,
    /// What each rule answered.
    Answers,
    /// What people tapped.
    Ratings,
    /// How the program did.
    Health,
}

impl Table {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Visits, Self::Answers, Self::Ratings, Self::Health];

    /// Its name in the file.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Visits => "visits",
            Self::Answers => "answers",
            Self::Ratings => "ratings",
            Self::Health => "health",
        }
    }

    /// The names of the columns after place, from and to.
    fn header(self) -> Vec<String> {
        let words = |text: &str| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
        match self {
            Self::Visits => {
                let mut names = words("visits secs_in_view engaged_of engaged shown_of");
                names.extend(Emotion::ALL.map(|label| format!("share_{label}")));
                names.extend(words(
                    "share_not_sure smiles_of smiles smile_rate smile_rate_low smile_rate_high \
                     valence_at_peak_of valence_at_peak valence_at_end_of valence_at_end",
                ));
                names
            }
            Self::Answers => words(
                "rule visits times followed valence_before valence_change smiling_before \
                 smiling_after",
            ),
            Self::Ratings => words("ratings ones twos threes fours fives mean"),
            Self::Health => words("images lost_images errors watched_secs paused_secs"),
        }
    }

    /// What the query gives after place, from and to.
    fn columns(self) -> String {
        match self {
            Self::Visits => sums::COLUMNS.join(", "),
            Self::Answers => {
                "rule, visits, times, followed_n, before_sum, before_squares, change_sum, \
                 change_squares, smiling_before, smiling_after"
                    .to_owned()
            }
            Self::Ratings => query::RATING_COLUMNS.to_owned(),
            Self::Health => query::HEALTH_COLUMNS.to_owned(),
        }
    }

    /// The values of one row, in the order of the header.
    fn values(self, row: &Row<'_>) -> rusqlite::Result<Vec<String>> {
        const FIRST: usize = 3;
        match self {
            Self::Visits => Ok(visit_values(VisitFigures::of(&sums::read(row, FIRST)?))),
            Self::Answers => {
                let sums = query::read_answers(row, FIRST + 1)?;
                Ok(answer_values(&AnswerFigures::of(row.get(FIRST)?, &sums)))
            }
            Self::Ratings => {
                let figures = RatingFigures::of(&query::read_ratings(row, FIRST)?);
                Ok(figures.map_or_else(Vec::new, |figures| {
                    let mut values = vec![figures.n.to_string()];
                    values.extend(figures.counts.map(|count| count.to_string()));
                    values.push(mean(figures.mean));
                    values
                }))
            }
            Self::Health => {
                let health = query::read_health(row, FIRST)?;
                let mut values = [health.images, health.lost_images, health.errors]
                    .map(|n| n.to_string())
                    .to_vec();
                values.extend([health.watched_secs, health.paused_secs].map(number));
                Ok(values)
            }
        }
    }
}

impl Journal {
    /// Writes the buckets of a scope as CSV with a header, the earliest first. Times are UTC, as
    /// `2026-11-26T14:15:00Z`; a field is empty where the figure rests on fewer than ten visits.
    ///
    /// # Errors
    /// If the file cannot be read, or the CSV cannot be written.
    pub fn export_csv(
        &self,
        scope: &Scope<'_>,
        table: Table,
        to: impl Write,
    ) -> Result<(), JournalError> {
        let mut writer = csv::Writer::from_writer(to);
        let mut header = ["place", "from_utc", "to_utc"].map(str::to_owned).to_vec();
        header.extend(table.header());
        writer.write_record(&header)?;
        let iso = |column| format!("strftime('%Y-%m-%dT%H:%M:%SZ', {column}, 'unixepoch')");
        // The rows are few, and a slow receiver must not hold the file.
        let rows = self.read(|connection| {
            let Some(condition) = condition(connection, scope)? else { return Ok(Vec::new()) };
            let sql = format!(
                "SELECT name, {}, {}, {} FROM {} JOIN places USING (place) WHERE {condition} \
                 ORDER BY from_secs, name",
                iso("from_secs"),
                iso("to_secs"),
                table.columns(),
                table.as_str(),
            );
            let mut query = connection.prepare(&sql)?;
            let read = |row: &Row<'_>| {
                let mut record = vec![text(row.get(0)?), row.get(1)?, row.get(2)?];
                record.extend(table.values(row)?);
                Ok(record)
            };
            query.query_map([], read)?.collect::<rusqlite::Result<Vec<_>>>()
        })?;
        for record in rows {
            writer.write_record(&record)?;
        }
        writer.flush().map_err(|error| JournalError::Csv(error.into()))
    }
}

fn visit_values(figures: Option<VisitFigures>) -> Vec<String> {
    let Some(figures) = figures else { return Vec::new() };
    let mut values = vec![figures.visits.to_string(), mean(figures.secs_in_view)];
    values.extend(rate(figures.engaged).into_iter().take(2));
    let expressions = figures.expressions;
    values.push(expressions.as_ref().map_or_else(String::new, |of| of.n.to_string()));
    values.extend(Emotion::ALL.map(|label| {
        let shares = expressions.as_ref().and_then(|of| of.shares.as_ref());
        shares
            .and_then(|shares| shares.get(&label))
            .map_or_else(String::new, |&share| number(share))
    }));
    let not_sure = expressions.as_ref().and_then(|of| of.not_sure);
    values.push(not_sure.map_or_else(String::new, number));
    values.extend(rate(figures.smiles));
    for valence in [figures.valence_at_peak, figures.valence_at_end] {
        values.extend([valence.map_or_else(String::new, |of| of.n.to_string()), mean(valence)]);
    }
    values
}

fn answer_values(figures: &AnswerFigures) -> Vec<String> {
    let mut values =
        vec![text(figures.rule.clone()), figures.visits.to_string(), figures.times.to_string()];
    values.extend(match &figures.followed {
        None => [const { String::new() }; 5],
        Some(of) => {
            let count =
                |rate: Option<Rate>| rate.map_or_else(String::new, |rate| rate.count.to_string());
            [
                of.n.to_string(),
                mean(of.valence_before),
                mean(of.valence_change),
                count(of.smiling_before),
                count(of.smiling_after),
            ]
        }
    });
    values
}

/// n, count, rate, low, high.
fn rate(rate: Option<Rate>) -> [String; 5] {
    rate.map_or([const { String::new() }; 5], |rate| {
        let [value, low, high] = [rate.rate, rate.low, rate.high].map(number);
        [rate.n.to_string(), rate.count.to_string(), value, low, high]
    })
}

fn mean(mean: Option<Mean>) -> String {
    mean.map_or_else(String::new, |mean| number(mean.mean))
}

fn number(value: f64) -> String {
    format!("{value:.4}")
}

/// A name, so that a spreadsheet takes none for a formula.
fn text(name: String) -> String {
    if name.starts_with(['=', '+', '-', '@', '\t', '\r']) { format!("'{name}") } else { name }
}
