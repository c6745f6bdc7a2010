//! Queries for pages. All rest on buckets of ten visits or more, so every sum does too.

use std::collections::BTreeMap;
use std::time::Duration;

use rusqlite::{Connection, OptionalExtension, Row};
use serde::Serialize;

use crate::bucket::{AnswerSums, LONGEST_SECS, RatingCounts, Span, VisitSums};
use crate::calendar::{self, Calendar};
use crate::error::JournalError;
use crate::figures::{
    AnswerFigures, HourFigures, PeriodFigures, RatingFigures, VisitFigures, WeekHours,
};
use crate::journal::Journal;
use crate::observation::HealthCounts;
use crate::statistics::Moments;
use crate::sums;

/// By which clock days begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Zone {
    /// That of this machine, with its summer time.
    Local,
    /// So many seconds ahead of UTC, the whole year.
    Offset {
        /// Seconds east of Greenwich.
        secs: i32,
    },
}

impl Zone {
    /// UTC.
    pub const UTC: Self = Self::Offset { secs: 0 };
}

/// What a query is about. A bucket is in it if its middle is between `from` and `to`.
#[derive(Debug, Clone, Copy)]
pub struct Scope<'a> {
    /// One place; all of them where there is none.
    pub place: Option<&'a str>,
    /// Since 1970 began in UTC.
    pub from: Duration,
    /// Since 1970 began in UTC; not in it.
    pub to: Duration,
    /// For days, weeks, months and hours.
    pub zone: Zone,
}

/// What figures are summed up by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Period {
    /// Calendar days.
    Day,
    /// Weeks of ISO 8601, which begin on Monday.
    Week,
    /// Calendar months.
    Month,
    /// All of it in one.
    All,
}

/// Buckets that are longer belong to no hour.
const LONGEST_OF_AN_HOUR_SECS: i64 = 2 * 3600;

impl Journal {
    /// The places, in the order of their names.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub fn places(&self) -> Result<Vec<String>, JournalError> {
        self.read(|connection| {
            let mut query = connection.prepare("SELECT name FROM places ORDER BY name")?;
            query.query_map([], |row| row.get(0))?.collect()
        })
    }

    /// Visits, ratings and health of each period, the earliest first. Periods about which nothing
    /// is known are left out.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub fn history(
        &self,
        scope: &Scope<'_>,
        period: Period,
    ) -> Result<Vec<PeriodFigures>, JournalError> {
        self.read(|connection| {
            let Some(condition) = condition(connection, scope)? else { return Ok(Vec::new()) };
            let calendar = Calendar::new(connection, scope.zone);
            let mut periods = BTreeMap::<i64, Sums>::new();
            each_bucket(connection, &condition, |span, bucket| {
                let number = calendar.period(span.middle_secs(), period)?;
                let sums = periods.entry(number).or_default();
                if let Bucket::Visits(visits) = bucket
                    && (calendar.period(span.from_secs, period)? != number
                        || calendar.period(span.to_secs - 1, period)? != number)
                {
                    sums.crossing_visits += visits.view.n;
                }
                sums.span = Some(sums.span.map_or(span, |other| other.with(span)));
                sums.add(bucket);
                Ok(())
            })?;
            let figures = |(number, sums): (i64, Sums)| {
                let span = sums.span?;
                Some(PeriodFigures {
                    period: calendar::name(number, period),
                    from_secs: span.from_secs,
                    to_secs: span.to_secs,
                    crossing_visits: sums.crossing_visits,
                    visits: VisitFigures::of(&sums.visits),
                    ratings: RatingFigures::of(&sums.ratings),
                    health: sums.health,
                })
            };
            Ok(periods.into_iter().filter_map(figures).collect())
        })
    }

    /// The hours of the week, summed up over all weeks of the scope.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub fn week_hours(&self, scope: &Scope<'_>) -> Result<WeekHours, JournalError> {
        self.read(|connection| {
            let Some(condition) = condition(connection, scope)? else {
                return Ok(WeekHours::default());
            };
            let calendar = Calendar::new(connection, scope.zone);
            let mut hours = BTreeMap::<(u8, u8), Sums>::new();
            let mut visits_without_hour = 0;
            each_bucket(connection, &condition, |span, bucket| {
                if span.length_secs() <= LONGEST_OF_AN_HOUR_SECS {
                    let hour = calendar.hour_of_week(span.middle_secs())?;
                    hours.entry(hour).or_default().add(bucket);
                } else if let Bucket::Visits(visits) = bucket {
                    visits_without_hour += visits.view.n;
                }
                Ok(())
            })?;
            let figures = |((weekday, hour), sums): ((u8, u8), Sums)| HourFigures {
                weekday,
                hour,
                visits: VisitFigures::of(&sums.visits),
                ratings: RatingFigures::of(&sums.ratings),
                health: sums.health,
            };
            Ok(WeekHours { hours: hours.into_iter().map(figures).collect(), visits_without_hour })
        })
    }

    /// What each rule answered in the scope, and how expressions went on; the rule with the most
    /// visits first.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub fn answers(&self, scope: &Scope<'_>) -> Result<Vec<AnswerFigures>, JournalError> {
        self.read(|connection| {
            let Some(condition) = condition(connection, scope)? else { return Ok(Vec::new()) };
            let sql = format!(
                "SELECT rule, {ANSWER_SUMS} FROM answers WHERE {condition} \
                 GROUP BY rule ORDER BY sum(visits) DESC, rule"
            );
            let mut query = connection.prepare_cached(&sql)?;
            let read = |row: &Row<'_>| Ok(AnswerFigures::of(row.get(0)?, &read_answers(row, 1)?));
            query.query_map([], read)?.collect()
        })
    }
}

/// One bucket of a table.
enum Bucket {
    Visits(VisitSums),
    Ratings(RatingCounts),
    Health(HealthCounts),
}

/// Sums over buckets.
#[derive(Default)]
struct Sums {
    visits: VisitSums,
    ratings: RatingCounts,
    health: Option<HealthCounts>,
    crossing_visits: u64,
    span: Option<Span>,
}

impl Sums {
    fn add(&mut self, bucket: &Bucket) {
        match bucket {
            Bucket::Visits(visits) => self.visits += *visits,
            Bucket::Ratings(ratings) => self.ratings += *ratings,
            Bucket::Health(health) => *self.health.get_or_insert_default() += *health,
        }
    }
}

/// Reads the buckets of a scope. They are summed up here: SQLite would sort them first.
fn each_bucket(
    connection: &Connection,
    condition: &str,
    mut take: impl FnMut(Span, &Bucket) -> rusqlite::Result<()>,
) -> rusqlite::Result<()> {
    type Read = fn(&Row<'_>) -> rusqlite::Result<Bucket>;
    let tables: [(&str, String, Read); 3] = [
        ("visits", sums::COLUMNS.join(", "), |row| Ok(Bucket::Visits(sums::read(row, 2)?))),
        ("ratings", RATING_COLUMNS.to_owned(), |row| Ok(Bucket::Ratings(read_ratings(row, 2)?))),
        ("health", HEALTH_COLUMNS.to_owned(), |row| Ok(Bucket::Health(read_health(row, 2)?))),
    ];
    for (table, columns, read) in tables {
        let sql = format!("SELECT from_secs, to_secs, {columns} FROM {table} WHERE {condition}");
        let mut query = connection.prepare_cached(&sql)?;
        let mut rows = query.query([])?;
        while let Some(row) = rows.next()? {
            let span = Span { from_secs: row.get(0)?, to_secs: row.get(1)? };
            take(span, &read(row)?)?;
        }
    }
    Ok(())
}

/// The number of a place; `None` where the journal does not know it.
pub(crate) fn place_number(connection: &Connection, place: &str) -> rusqlite::Result<Option<i64>> {
    let sql = "SELECT place FROM places WHERE name = ?1";
    let place = crate::observation::name(place);
    connection.query_row(sql, [place], |row| row.get(0)).optional()
}

/// The buckets of a scope; `None` where the journal does not know the place.
pub(crate) fn condition(
    connection: &Connection,
    scope: &Scope<'_>,
) -> rusqlite::Result<Option<String>> {
    let place = match scope.place {
        Some(place) => match place_number(connection, place)? {
            Some(number) => format!("place = {number} AND "),
            None => return Ok(None),
        },
        None => String::new(),
    };
    // More than any clock shows, and far from overflow.
    let secs = |time: Duration| time.as_secs().min(1 << 40) as i64;
    let (from, to) = (secs(scope.from), secs(scope.to));
    // The first two conditions are for the index: no bucket is longer.
    Ok(Some(format!(
        "{place}from_secs > {} AND from_secs < {to} AND from_secs + to_secs >= {} \
         AND from_secs + to_secs < {}",
        from - LONGEST_SECS - 86_400,
        2 * from,
        2 * to,
    )))
}

pub(crate) const RATING_SUMS: &str = "sum(ones), sum(twos), sum(threes), sum(fours), sum(fives)";
pub(crate) const RATING_COLUMNS: &str = "ones, twos, threes, fours, fives";
pub(crate) const HEALTH_COLUMNS: &str = "images, lost_images, errors, watched_secs, paused_secs";
pub(crate) const ANSWER_SUMS: &str = "sum(visits), sum(times), sum(followed_n), sum(before_sum), \
    sum(before_squares), sum(change_sum), sum(change_squares), sum(smiling_before), \
    sum(smiling_after)";

/// Visit sums over a condition.
pub(crate) fn visit_sums(connection: &Connection, condition: &str) -> rusqlite::Result<VisitSums> {
    let sql = format!("SELECT {} FROM visits WHERE {condition}", sums::select_sums());
    connection.query_row(&sql, [], |row| sums::read(row, 0))
}

pub(crate) fn rating_sums(
    connection: &Connection,
    condition: &str,
) -> rusqlite::Result<RatingCounts> {
    let sql = format!("SELECT {RATING_SUMS} FROM ratings WHERE {condition}");
    connection.query_row(&sql, [], |row| read_ratings(row, 0))
}

/// A count, or 0 where no row was summed.
pub(crate) fn count(row: &Row<'_>, column: usize) -> rusqlite::Result<u64> {
    let value: Option<i64> = row.get(column)?;
    let value = value.unwrap_or(0);
    u64::try_from(value).map_err(|_| rusqlite::Error::IntegralValueOutOfRange(column, value))
}

pub(crate) fn real(row: &Row<'_>, column: usize) -> rusqlite::Result<f64> {
    Ok(row.get::<_, Option<f64>>(column)?.unwrap_or(0.0))
}

pub(crate) fn read_ratings(row: &Row<'_>, first: usize) -> rusqlite::Result<RatingCounts> {
    let mut counts = RatingCounts::default();
    for (column, sum) in (first..).zip(&mut counts.0) {
        *sum = count(row, column)?;
    }
    Ok(counts)
}

pub(crate) fn read_health(row: &Row<'_>, first: usize) -> rusqlite::Result<HealthCounts> {
    Ok(HealthCounts {
        images: count(row, first)?,
        lost_images: count(row, first + 1)?,
        errors: count(row, first + 2)?,
        watched_secs: real(row, first + 3)?,
        paused_secs: real(row, first + 4)?,
    })
}

/// The columns of [`ANSWER_SUMS`].
pub(crate) fn read_answers(row: &Row<'_>, first: usize) -> rusqlite::Result<AnswerSums> {
    let n = count(row, first + 2)?;
    let moments = |sum: usize| -> rusqlite::Result<Moments> {
        Ok(Moments { n, sum: real(row, sum)?, squares: real(row, sum + 1)? })
    };
    Ok(AnswerSums {
        visits: count(row, first)?,
        times: count(row, first + 1)?,
        before: moments(first + 3)?,
        change: moments(first + 5)?,
        smiling_before: count(row, first + 7)?,
        smiling_after: count(row, first + 8)?,
    })
}
