//! Queries for pages. All rest on buckets of ten visits or more, so every sum does too.

use std::collections::BTreeMap;
use std::time::Duration;

use rusqlite::{Connection, OptionalExtension, Row};
use serde::Serialize;

use crate::bucket::{AnswerSums, LONGEST_SECS, RatingCounts, VisitSums};
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

    /// For SQLite's date functions.
    pub(crate) fn modifier(self) -> String {
        match self {
            Self::Local => "localtime".to_owned(),
            Self::Offset { secs } => format!("{secs:+} seconds"),
        }
    }
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

impl Period {
    fn format(self) -> &'static str {
        match self {
            Self::Day => "%Y-%m-%d",
            Self::Week => "%G-W%V",
            Self::Month => "%Y-%m",
            Self::All => "all",
        }
    }
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
            let zone = scope.zone.modifier();
            let key = |time: &str| {
                format!("strftime('{}', {time}, 'unixepoch', '{zone}')", period.format())
            };
            let mut periods = BTreeMap::<String, PeriodFigures>::new();
            let mut each = |table: &str, columns: &str, take: Take<'_>| -> rusqlite::Result<()> {
                let sql = format!(
                    "SELECT {}, min(from_secs), max(to_secs), {columns} FROM {table} \
                     WHERE {condition} GROUP BY 1",
                    key("(from_secs + to_secs) / 2"),
                );
                let mut query = connection.prepare_cached(&sql)?;
                let mut rows = query.query([])?;
                while let Some(row) = rows.next()? {
                    let (name, from_secs, to_secs): (String, i64, i64) =
                        (row.get(0)?, row.get(1)?, row.get(2)?);
                    let new = || PeriodFigures {
                        period: name.clone(),
                        from_secs,
                        to_secs,
                        ..Default::default()
                    };
                    let figures = periods.entry(name.clone()).or_insert_with(new);
                    figures.from_secs = figures.from_secs.min(from_secs);
                    figures.to_secs = figures.to_secs.max(to_secs);
                    take(figures, row)?;
                }
                Ok(())
            };
            let crosses = format!("{} <> {}", key("from_secs"), key("to_secs - 1"));
            let columns = format!("sum(view_n * ({crosses})), {}", sums::select_sums());
            each("visits", &columns, &|figures, row| {
                figures.crossing_visits = row.get::<_, i64>(3)?.unsigned_abs();
                figures.visits = VisitFigures::of(&sums::read(row, 4)?);
                Ok(())
            })?;
            each("ratings", RATING_SUMS, &|figures, row| {
                figures.ratings = RatingFigures::of(&read_ratings(row, 3)?);
                Ok(())
            })?;
            each("health", HEALTH_SUMS, &|figures, row| {
                figures.health = Some(read_health(row, 3)?);
                Ok(())
            })?;
            Ok(periods.into_values().collect())
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
            let zone = scope.zone.modifier();
            let key =
                format!("strftime('%u %H', (from_secs + to_secs) / 2, 'unixepoch', '{zone}')");
            let short = format!("to_secs - from_secs <= {LONGEST_OF_AN_HOUR_SECS}");
            let mut hours = BTreeMap::<String, HourFigures>::new();
            let mut each = |table: &str,
                            columns: &str,
                            take: TakeHour<'_>|
             -> rusqlite::Result<()> {
                let sql = format!(
                    "SELECT {key}, {columns} FROM {table} WHERE {condition} AND {short} GROUP BY 1"
                );
                let mut query = connection.prepare_cached(&sql)?;
                let mut rows = query.query([])?;
                while let Some(row) = rows.next()? {
                    let name: String = row.get(0)?;
                    let mut parts = name.split(' ').map(|part| part.parse().unwrap_or(0));
                    let (weekday, hour) = (parts.next().unwrap_or(0), parts.next().unwrap_or(0));
                    let new = HourFigures { weekday, hour, visits: None, health: None };
                    take(hours.entry(name).or_insert(new), row)?;
                }
                Ok(())
            };
            each("visits", &sums::select_sums(), &|figures, row| {
                figures.visits = VisitFigures::of(&sums::read(row, 1)?);
                Ok(())
            })?;
            each("health", HEALTH_SUMS, &|figures, row| {
                figures.health = Some(read_health(row, 1)?);
                Ok(())
            })?;
            let sql = format!(
                "SELECT coalesce(sum(view_n), 0) FROM visits WHERE {condition} AND NOT ({short})"
            );
            let without: i64 = connection.query_row(&sql, [], |row| row.get(0))?;
            Ok(WeekHours {
                hours: hours.into_values().collect(),
                visits_without_hour: without.unsigned_abs(),
            })
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

type Take<'a> = &'a dyn Fn(&mut PeriodFigures, &Row<'_>) -> rusqlite::Result<()>;
type TakeHour<'a> = &'a dyn Fn(&mut HourFigures, &Row<'_>) -> rusqlite::Result<()>;

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
const HEALTH_SUMS: &str =
    "sum(images), sum(lost_images), sum(errors), sum(watched_secs), sum(paused_secs)";
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
