//! The journal for other programs: one row for each bucket, with derived figures. As CSV or as
//! Parquet, with the same columns.

mod csv;
mod parquet;

use rapport_vocabulary::Emotion;
use rusqlite::{Connection, Row};

use crate::figures::{AnswerFigures, RatingFigures, VisitFigures};
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

/// What the values of a column are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Text,
    /// Seconds since 1970 in UTC.
    Time,
    Count,
    Number,
}

/// One value of a row.
#[derive(Debug, Clone, PartialEq)]
enum Field {
    /// The figure rests on fewer than ten visits.
    Absent,
    Text(String),
    Time(i64),
    Count(u64),
    Number(f64),
}

/// Columns of every table, before its own.
const FIRST_COLUMNS: [(&str, Kind); 3] =
    [("place", Kind::Text), ("from_utc", Kind::Time), ("to_utc", Kind::Time)];

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

    /// Names and kinds of all columns.
    fn columns(self) -> Vec<(String, Kind)> {
        use Kind::{Count, Number, Text};
        let named = |columns: &[(&str, Kind)]| -> Vec<(String, Kind)> {
            columns.iter().map(|&(name, kind)| (name.to_owned(), kind)).collect()
        };
        let mut columns = named(&FIRST_COLUMNS);
        match self {
            Self::Visits => {
                columns.extend(named(&[
                    ("visits", Count),
                    ("secs_in_view", Number),
                    ("engaged_of", Count),
                    ("engaged", Count),
                    ("shown_of", Count),
                ]));
                columns.extend(Emotion::ALL.map(|label| (format!("share_{label}"), Number)));
                columns.extend(named(&[
                    ("share_not_sure", Number),
                    ("smiles_of", Count),
                    ("smiles", Count),
                    ("smile_rate", Number),
                    ("smile_rate_low", Number),
                    ("smile_rate_high", Number),
                    ("valence_at_peak_of", Count),
                    ("valence_at_peak", Number),
                    ("valence_at_end_of", Count),
                    ("valence_at_end", Number),
                ]));
            }
            Self::Answers => columns.extend(named(&[
                ("rule", Text),
                ("visits", Count),
                ("times", Count),
                ("followed", Count),
                ("valence_before", Number),
                ("valence_change", Number),
                ("smiling_before", Count),
                ("smiling_after", Count),
            ])),
            Self::Ratings => columns.extend(named(&[
                ("ratings", Count),
                ("ones", Count),
                ("twos", Count),
                ("threes", Count),
                ("fours", Count),
                ("fives", Count),
                ("mean", Number),
            ])),
            Self::Health => columns.extend(named(&[
                ("images", Count),
                ("lost_images", Count),
                ("errors", Count),
                ("watched_secs", Number),
                ("paused_secs", Number),
            ])),
        }
        columns
    }

    /// One row, in the order of [`Table::columns`].
    fn fields(self, row: &Row<'_>) -> rusqlite::Result<Vec<Field>> {
        const FIRST: usize = FIRST_COLUMNS.len();
        let mut fields =
            vec![Field::Text(row.get(0)?), Field::Time(row.get(1)?), Field::Time(row.get(2)?)];
        match self {
            Self::Visits => {
                let figures = VisitFigures::of(&sums::read(row, FIRST)?);
                fields.extend(figures.map_or_else(Vec::new, visit_fields));
            }
            Self::Answers => {
                let sums = query::read_answers(row, FIRST + 1)?;
                fields.extend(answer_fields(AnswerFigures::of(row.get(FIRST)?, &sums)));
            }
            Self::Ratings => {
                if let Some(figures) = RatingFigures::of(&query::read_ratings(row, FIRST)?) {
                    fields.push(Field::Count(figures.n));
                    fields.extend(figures.counts.map(Field::Count));
                    fields.push(mean(figures.mean));
                }
            }
            Self::Health => {
                let health = query::read_health(row, FIRST)?;
                fields.extend([health.images, health.lost_images, health.errors].map(Field::Count));
                fields.extend([health.watched_secs, health.paused_secs].map(Field::Number));
            }
        }
        Ok(fields)
    }

    /// Gives each row of a scope, the earliest first.
    fn each_row(
        self,
        connection: &Connection,
        scope: &Scope<'_>,
        mut take: impl FnMut(Vec<Field>) -> rusqlite::Result<()>,
    ) -> rusqlite::Result<()> {
        let Some(condition) = condition(connection, scope)? else { return Ok(()) };
        let sql = format!(
            "SELECT name, from_secs, to_secs, {} FROM {} JOIN places USING (place) \
             WHERE {condition} ORDER BY from_secs, name",
            self.stored_columns(),
            self.as_str(),
        );
        let mut query = connection.prepare(&sql)?;
        let mut rows = query.query([])?;
        while let Some(row) = rows.next()? {
            take(self.fields(row)?)?;
        }
        Ok(())
    }
}

impl std::str::FromStr for Table {
    type Err = UnknownTable;

    fn from_str(name: &str) -> Result<Self, UnknownTable> {
        let known = Self::ALL.into_iter().find(|table| table.as_str() == name);
        known.ok_or_else(|| UnknownTable(name.to_owned()))
    }
}

/// There is no such table.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("table `{0}`, expected visits, answers, ratings or health")]
pub struct UnknownTable(String);

fn visit_fields(figures: VisitFigures) -> Vec<Field> {
    let mut fields = vec![Field::Count(figures.visits), mean(figures.secs_in_view)];
    fields.extend(rate(figures.engaged).into_iter().take(2));
    let expressions = figures.expressions;
    fields.push(expressions.as_ref().map_or(Field::Absent, |of| Field::Count(of.n)));
    fields.extend(Emotion::ALL.map(|label| {
        let shares = expressions.as_ref().and_then(|of| of.shares.as_ref());
        number(shares.and_then(|shares| shares.get(&label)).copied())
    }));
    fields.push(number(expressions.as_ref().and_then(|of| of.not_sure)));
    fields.extend(rate(figures.smiles));
    for valence in [figures.valence_at_peak, figures.valence_at_end] {
        fields.extend([valence.map_or(Field::Absent, |of| Field::Count(of.n)), mean(valence)]);
    }
    fields
}

fn answer_fields(figures: AnswerFigures) -> Vec<Field> {
    let mut fields =
        vec![Field::Text(figures.rule), Field::Count(figures.visits), Field::Count(figures.times)];
    fields.extend(match &figures.followed {
        None => [const { Field::Absent }; 5],
        Some(of) => {
            let count =
                |rate: Option<Rate>| rate.map_or(Field::Absent, |rate| Field::Count(rate.count));
            [
                Field::Count(of.n),
                mean(of.valence_before),
                mean(of.valence_change),
                count(of.smiling_before),
                count(of.smiling_after),
            ]
        }
    });
    fields
}

/// n, count, rate, low, high.
fn rate(rate: Option<Rate>) -> [Field; 5] {
    rate.map_or([const { Field::Absent }; 5], |rate| {
        let [value, low, high] = [rate.rate, rate.low, rate.high].map(Field::Number);
        [Field::Count(rate.n), Field::Count(rate.count), value, low, high]
    })
}

fn mean(mean: Option<Mean>) -> Field {
    number(mean.map(|mean| mean.mean))
}

fn number(value: Option<f64>) -> Field {
    value.map_or(Field::Absent, Field::Number)
}
