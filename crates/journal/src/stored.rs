//! A finished bucket as a row of its table.

use rusqlite::types::Value;
use rusqlite::{Connection, Row, Transaction, params_from_iter};

use crate::baseline;
use crate::bucket::{AnswerSums, Cell, Published, RatingCounts, Span, VisitCell};
use crate::export::Table;
use crate::observation::HealthCounts;
use crate::query::{self, HEALTH_COLUMNS, RATING_COLUMNS};
use crate::recorder::Content;
use crate::sums;

const ANSWER_COLUMNS: &str = "rule, visits, times, followed_n, before_sum, before_squares, \
    change_sum, change_squares, smiling_before, smiling_after";

impl Table {
    /// The columns between the span and the origin.
    pub(crate) fn stored_columns(self) -> String {
        match self {
            Self::Visits => format!("{}, histograms", sums::COLUMNS.join(", ")),
            Self::Answers => ANSWER_COLUMNS.to_owned(),
            Self::Ratings => RATING_COLUMNS.to_owned(),
            Self::Health => HEALTH_COLUMNS.to_owned(),
        }
    }

    /// What the columns from this one on hold. `None` where that may not be written: a figure that
    /// rests on fewer than ten.
    pub(crate) fn read(
        self,
        row: &Row<'_>,
        span: Span,
        first: usize,
    ) -> rusqlite::Result<Option<Content>> {
        Ok(match self {
            Self::Visits => {
                let sums = sums::read(row, first)?;
                let histograms = baseline::decoded(row, first + sums::COLUMNS.len())?;
                let published = whole(span, VisitCell { sums, histograms });
                published.map(|published| Content::Visits(Box::new(published)))
            }
            Self::Answers => {
                let rule = row.get(first)?;
                let published = whole(span, query::read_answers(row, first + 1)?);
                published.map(|published| Content::Answers(rule, published))
            }
            Self::Ratings => whole(span, query::read_ratings(row, first)?).map(Content::Ratings),
            Self::Health => whole(span, query::read_health(row, first)?).map(Content::Health),
        })
    }
}

/// The cell, where all of it may be written.
fn whole<C: Cell + PartialEq>(span: Span, cell: C) -> Option<Published<C>> {
    (cell.published().as_ref() == Some(&cell)).then_some(Published { span, cell })
}

/// A row of a table, without its place and origin.
#[derive(Debug)]
pub(crate) struct Stored {
    table: Table,
    span: Span,
    /// In the order of [`Table::stored_columns`].
    values: Vec<Value>,
}

impl Stored {
    pub(crate) fn of(content: &Content) -> Self {
        match content {
            Content::Visits(published) => {
                let mut values = sums::values(&published.cell.sums);
                values.push(Value::Blob(published.cell.histograms.encode()));
                Self { table: Table::Visits, span: published.span, values }
            }
            Content::Answers(rule, published) => {
                let mut values = vec![Value::Text(rule.clone())];
                values.extend(answer_values(&published.cell));
                Self { table: Table::Answers, span: published.span, values }
            }
            Content::Ratings(published) => {
                let RatingCounts(counts) = published.cell;
                let values = counts.map(|count| Value::Integer(count as i64)).to_vec();
                Self { table: Table::Ratings, span: published.span, values }
            }
            Content::Health(published) => {
                let HealthCounts { images, lost_images, errors, watched_secs, paused_secs } =
                    published.cell;
                let mut values = [images, lost_images, errors]
                    .map(|count| Value::Integer(count as i64))
                    .to_vec();
                values.extend([Value::Real(watched_secs), Value::Real(paused_secs)]);
                Self { table: Table::Health, span: published.span, values }
            }
        }
    }

    /// Writes it. `origin`: which journal it was written to first.
    pub(crate) fn insert(
        &self,
        transaction: &Transaction<'_>,
        place: i64,
        origin: i64,
    ) -> rusqlite::Result<()> {
        let marks = ", ?".repeat(self.values.len());
        let sql = format!("INSERT INTO {} VALUES (?, ?, ?{marks}, ?)", self.table.as_str());
        let values = self.key(place).into_iter().chain(self.values.iter().cloned());
        let values = values.chain([Value::Integer(origin)]);
        transaction.prepare_cached(&sql)?.execute(params_from_iter(values))?;
        match self.table {
            Table::Visits => baseline::freeze(transaction, place, self.span.to_secs),
            _ => Ok(()),
        }
    }

    /// How many rows up to this one (`last`, a rowid) are the same in all columns.
    pub(crate) fn count(
        &self,
        connection: &Connection,
        place: i64,
        origin: i64,
        last: i64,
    ) -> rusqlite::Result<u64> {
        let same: String = self
            .table
            .stored_columns()
            .split(", ")
            .map(|column| format!(" AND {column} IS ?"))
            .collect();
        let sql = format!(
            "SELECT count(*) FROM {} WHERE place = ? AND from_secs = ? AND to_secs = ?{same} \
             AND origin = ? AND rowid <= ?",
            self.table.as_str()
        );
        let values = self.key(place).into_iter().chain(self.values.iter().cloned());
        let values = values.chain([origin, last].map(Value::Integer));
        let mut query = connection.prepare_cached(&sql)?;
        query.query_row(params_from_iter(values), |row| query::count(row, 0))
    }

    fn key(&self, place: i64) -> [Value; 3] {
        let Span { from_secs, to_secs } = self.span;
        [place, from_secs, to_secs].map(Value::Integer)
    }
}

fn answer_values(sums: &AnswerSums) -> [Value; 9] {
    let followed = sums.before.n > 0;
    let or_null = |value: Value| if followed { value } else { Value::Null };
    [
        Value::Integer(sums.visits as i64),
        Value::Integer(sums.times as i64),
        or_null(Value::Integer(sums.before.n as i64)),
        or_null(Value::Real(sums.before.sum)),
        or_null(Value::Real(sums.before.squares)),
        or_null(Value::Real(sums.change.sum)),
        or_null(Value::Real(sums.change.squares)),
        or_null(Value::Integer(sums.smiling_before as i64)),
        or_null(Value::Integer(sums.smiling_after as i64)),
    ]
}
