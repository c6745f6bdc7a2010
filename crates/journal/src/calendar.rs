//! Which day, week, month and hour a time lies in, by the clock of a zone.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;

use rusqlite::Connection;

use crate::query::{Period, Zone};

const DAY_SECS: i64 = 86_400;
/// Clocks are changed at borders of this.
const STEP_SECS: i64 = 1800;

/// Turns seconds since 1970 in UTC into periods.
pub(crate) struct Calendar<'a> {
    connection: &'a Connection,
    zone: Zone,
    /// Seconds ahead of UTC on a day in UTC; `None` on a day on which the clock is changed.
    days: RefCell<HashMap<i64, Option<i64>>>,
    /// The entry that was asked for last.
    newest: Cell<Option<(i64, Option<i64>)>>,
}

impl<'a> Calendar<'a> {
    pub(crate) fn new(connection: &'a Connection, zone: Zone) -> Self {
        Self { connection, zone, days: RefCell::default(), newest: Cell::default() }
    }

    /// The number of the period that a time lies in, which [`name`] names; later ones have greater
    /// numbers.
    pub(crate) fn period(&self, secs: i64, period: Period) -> rusqlite::Result<i64> {
        if period == Period::All {
            return Ok(0);
        }
        let day = self.local(secs)?.div_euclid(DAY_SECS);
        Ok(match period {
            // By its Thursday.
            Period::Week => day - weekday(day) + 4,
            Period::Month => {
                let (year, month, _) = date(day);
                year * 12 + month - 1
            }
            _ => day,
        })
    }

    /// The weekday, 1 (Monday) to 7, and the hour, 0 to 23.
    pub(crate) fn hour_of_week(&self, secs: i64) -> rusqlite::Result<(u8, u8)> {
        let local = self.local(secs)?;
        let hour = local.rem_euclid(DAY_SECS) / 3600;
        Ok((weekday(local.div_euclid(DAY_SECS)) as u8, hour as u8))
    }

    /// What the clock shows, in seconds since its 1970.
    fn local(&self, secs: i64) -> rusqlite::Result<i64> {
        let ahead = match self.zone {
            Zone::Offset { secs: ahead } => i64::from(ahead),
            Zone::Local => self.ahead(secs)?,
        };
        Ok(secs + ahead)
    }

    /// The system is asked twice a day, not for each bucket.
    fn ahead(&self, secs: i64) -> rusqlite::Result<i64> {
        let day = secs.div_euclid(DAY_SECS);
        let newest = self.newest.get().filter(|(newest, _)| *newest == day);
        let known = newest.map(|(_, of_day)| of_day);
        let known = known.or_else(|| self.days.borrow().get(&day).copied());
        let of_day = match known {
            Some(of_day) => of_day,
            None => {
                let first = self.ask(day * DAY_SECS)?;
                let last = self.ask((day + 1) * DAY_SECS - STEP_SECS)?;
                let of_day = (first == last).then_some(first);
                self.days.borrow_mut().insert(day, of_day);
                of_day
            }
        };
        self.newest.set(Some((day, of_day)));
        of_day.map_or_else(|| self.ask(secs), Ok)
    }

    fn ask(&self, secs: i64) -> rusqlite::Result<i64> {
        let sql = "SELECT unixepoch(?1, 'unixepoch', 'localtime') - ?1";
        self.connection.prepare_cached(sql)?.query_row([secs], |row| row.get(0))
    }
}

/// `2026-11-26`, `2026-W48`, `2026-11` or `all`.
pub(crate) fn name(number: i64, period: Period) -> String {
    match period {
        Period::Day => {
            let (year, month, of_month) = date(number);
            format!("{year:04}-{month:02}-{of_month:02}")
        }
        Period::Week => {
            // A week belongs to the year of its Thursday.
            let (year, ..) = date(number);
            format!("{year:04}-W{:02}", (number - first_of_year(year)) / 7 + 1)
        }
        Period::Month => {
            format!("{:04}-{:02}", number.div_euclid(12), number.rem_euclid(12) + 1)
        }
        Period::All => "all".to_owned(),
    }
}

/// `2026-11-26T14:15:00Z` of seconds since 1970.
pub(crate) fn iso(secs: i64) -> String {
    let (year, month, of_month) = date(secs.div_euclid(DAY_SECS));
    let of_day = secs.rem_euclid(DAY_SECS);
    let (hour, minute, second) = (of_day / 3600, of_day / 60 % 60, of_day % 60);
    format!("{year:04}-{month:02}-{of_month:02}T{hour:02}:{minute:02}:{second:02}Z")
}

/// 1 (Monday) to 7 of a day since 1970, which began on a Thursday.
fn weekday(day: i64) -> i64 {
    (day + 3).rem_euclid(7) + 1
}

/// Days from 1970 to the first of March of year 0, from where leap days come at the end of a year.
const MARCH_OF_YEAR_0: i64 = -719_468;
const DAYS_OF_400_YEARS: i64 = 146_097;

/// Year, month and day of a day since 1970, in the Gregorian calendar.
fn date(day: i64) -> (i64, i64, i64) {
    let since_march = day - MARCH_OF_YEAR_0;
    let (cycle, of_cycle) =
        (since_march.div_euclid(DAYS_OF_400_YEARS), since_march.rem_euclid(DAYS_OF_400_YEARS));
    let of_cycle_years =
        (of_cycle - of_cycle / 1460 + of_cycle / 36_524 - of_cycle / 146_096) / 365;
    let of_year = of_cycle - (365 * of_cycle_years + of_cycle_years / 4 - of_cycle_years / 100);
    // Five months of 153 days, over and over.
    let month_from_march = (5 * of_year + 2) / 153;
    let of_month = of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    (cycle * 400 + of_cycle_years + i64::from(month <= 2), month, of_month)
}

/// The first of January, in days since 1970.
fn first_of_year(year: i64) -> i64 {
    let before = year - 1;
    before * 365 + before.div_euclid(4) - before.div_euclid(100) + before.div_euclid(400) - 719_162
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every fifth day of 1970 to 2199, at odd times.
    #[test]
    fn dates_are_those_of_sqlite() {
        let connection = Connection::open_in_memory().unwrap();
        let sql = "SELECT strftime('%Y-%m-%d', ?1, 'unixepoch', ?2), \
                   strftime('%G-W%V', ?1, 'unixepoch', ?2), strftime('%Y-%m', ?1, 'unixepoch', ?2), \
                   CAST(strftime('%u', ?1, 'unixepoch', ?2) AS INTEGER), \
                   CAST(strftime('%H', ?1, 'unixepoch', ?2) AS INTEGER), \
                   strftime('%Y-%m-%dT%H:%M:%SZ', ?1, 'unixepoch')";
        let mut query = connection.prepare(sql).unwrap();
        for (zone, modifier) in [
            (Zone::UTC, "+0 seconds"),
            (Zone::Offset { secs: -12_600 }, "-12600 seconds"),
            (Zone::Local, "localtime"),
        ] {
            let calendar = Calendar::new(&connection, zone);
            for day in (1..84_000).step_by(5) {
                let secs = day * DAY_SECS + day * 900 % DAY_SECS;
                let expected = query.query_row(rusqlite::params![secs, modifier], |row| {
                    let text = |column| row.get::<_, String>(column);
                    let iso = text(5)?;
                    Ok(([text(0)?, text(1)?, text(2)?], (row.get(3)?, row.get(4)?), iso))
                });
                let found = [Period::Day, Period::Week, Period::Month]
                    .map(|period| name(calendar.period(secs, period).unwrap(), period));
                let hour: (u8, u8) = calendar.hour_of_week(secs).unwrap();
                assert_eq!((found, hour, iso(secs)), expected.unwrap(), "{secs}");
            }
        }
    }
}
