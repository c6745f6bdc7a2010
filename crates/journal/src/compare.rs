//! Before and after a change of policy.

use std::time::Duration;

use serde::Serialize;

use crate::bucket::{RatingCounts, VisitSums};
use crate::error::JournalError;
use crate::figures::{RatingFigures, VisitFigures, moments_of};
use crate::journal::Journal;
use crate::query::{place_number, rating_sums, visit_sums};
use crate::statistics::{Difference, Rate};

const DAY_SECS: i64 = 86_400;
/// A change is known to a quarter of an hour.
const GRID_SECS: i64 = 900;

/// That a place got another policy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct PolicyChange {
    /// The place.
    pub place: String,
    /// The quarter of an hour in which, by its beginning: seconds since 1970 in UTC.
    pub at_secs: i64,
    /// The policy from then on, as it was given.
    pub policy: String,
}

/// The days on one side of a change.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Side {
    /// Seconds since 1970 in UTC.
    pub from_secs: i64,
    /// Seconds since 1970 in UTC.
    pub to_secs: i64,
    /// Absent where no bucket with ten visits is in it.
    pub visits: Option<VisitFigures>,
    /// Absent where no bucket with ten ratings is in it.
    pub ratings: Option<RatingFigures>,
}

/// A place before and after. Whole weeks on both sides are fairest: weekends differ from weekdays.
/// Whatever else changed at the same time is in the differences too.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Comparison {
    /// The days before.
    pub before: Side,
    /// The days after.
    pub after: Side,
    /// Visits in buckets that reach over the change: they are on neither side.
    pub visits_on_neither_side: u64,
    /// Of the smile rate.
    pub smiles: Option<Difference>,
    /// Of the share of visits that were engaged.
    pub engaged: Option<Difference>,
    /// Of the mean seconds in view.
    pub secs_in_view: Option<Difference>,
    /// Of the mean valence at the peak.
    pub valence_at_peak: Option<Difference>,
    /// Of the mean valence at the end.
    pub valence_at_end: Option<Difference>,
    /// Of the mean rating.
    pub rating: Option<Difference>,
}

struct SideSums {
    visits: VisitSums,
    ratings: RatingCounts,
    span: (i64, i64),
}

impl SideSums {
    fn side(&self) -> Side {
        Side {
            from_secs: self.span.0,
            to_secs: self.span.1,
            visits: VisitFigures::of(&self.visits),
            ratings: RatingFigures::of(&self.ratings),
        }
    }
}

impl Journal {
    /// The changes of policy at a place, the earliest first.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub fn policy_changes(&self, place: &str) -> Result<Vec<PolicyChange>, JournalError> {
        self.read(|connection| {
            let Some(number) = place_number(connection, place)? else { return Ok(Vec::new()) };
            let sql = "SELECT at_secs, policy FROM policy_changes WHERE place = ?1 \
                       ORDER BY at_secs, rowid";
            let mut query = connection.prepare(sql)?;
            let change = |row: &rusqlite::Row<'_>| {
                let place = place.to_owned();
                Ok(PolicyChange { place, at_secs: row.get(0)?, policy: row.get(1)? })
            };
            query.query_map([number], change)?.collect()
        })
    }

    /// So many days before a time against as many after it, at one place; fewer where the policy
    /// changed within them once more. `at`: since 1970 began in UTC. Buckets count only where they
    /// lie wholly on one side. `None` where the journal does not know the place.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub fn compare(
        &self,
        place: &str,
        at: Duration,
        days: u32,
    ) -> Result<Option<Comparison>, JournalError> {
        let at_secs = at.as_secs().min(1 << 40) as i64 / GRID_SECS * GRID_SECS;
        let (before_end, after_start) = (at_secs, at_secs + GRID_SECS);
        self.read(|connection| {
            let Some(number) = place_number(connection, place)? else { return Ok(None) };
            let neighbour = |sql: &str, than: i64| -> rusqlite::Result<Option<i64>> {
                connection.query_row(sql, [number, than], |row| row.get(0))
            };
            let earlier =
                "SELECT max(at_secs) FROM policy_changes WHERE place = ?1 AND at_secs < ?2";
            let later = "SELECT min(at_secs) FROM policy_changes WHERE place = ?1 AND at_secs > ?2";
            let days_secs = i64::from(days) * DAY_SECS;
            let from = neighbour(earlier, at_secs)?
                .map_or(before_end - days_secs, |at| (at + GRID_SECS).max(before_end - days_secs));
            let to = neighbour(later, at_secs)?
                .map_or(after_start + days_secs, |at| at.min(after_start + days_secs));
            let within = |from: i64, to: i64| {
                format!("place = {number} AND from_secs >= {from} AND to_secs <= {to}")
            };
            let side = |from: i64, to: i64| -> rusqlite::Result<SideSums> {
                let condition = within(from, to);
                Ok(SideSums {
                    visits: visit_sums(connection, &condition)?,
                    ratings: rating_sums(connection, &condition)?,
                    span: (from, to),
                })
            };
            let (before, after) = (side(from, before_end)?, side(after_start, to)?);
            let all = visit_sums(connection, &within(from, to))?.view.n;
            let on_sides = before.visits.view.n + after.visits.view.n;
            let rates = |before: Option<Rate>, after: Option<Rate>| {
                Some(Difference::of_rates(&before?, &after?))
            };
            let (b, a) = (&before.visits, &after.visits);
            let (rated_b, rated_a) = (moments_of(&before.ratings), moments_of(&after.ratings));
            Ok(Some(Comparison {
                before: before.side(),
                after: after.side(),
                visits_on_neither_side: all.saturating_sub(on_sides),
                smiles: rates(Rate::of_count(b.smiles), Rate::of_count(a.smiles)),
                engaged: rates(Rate::of_count(b.engaged), Rate::of_count(a.engaged)),
                secs_in_view: Difference::of_means(b.view, a.view),
                valence_at_peak: Difference::of_means(b.peak, a.peak),
                valence_at_end: Difference::of_means(b.end, a.end),
                rating: Difference::of_means(rated_b, rated_a),
            }))
        })
    }
}
