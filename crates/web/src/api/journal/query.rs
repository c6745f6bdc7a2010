//! What is asked of the journal, in the query of an address.

use std::time::Duration;

use rapport_journal::{Period, Scope, Table, Zone};
use serde::Deserialize;
use utoipa::IntoParams;

use super::MOST_COMPARED_DAYS;
use crate::journal::now;
use crate::problem::Problem;

const DAY: Duration = Duration::from_secs(86_400);
/// No clock is farther from UTC.
const MOST_ZONE_SECS: i32 = 14 * 3600;
/// Beyond any clock: about the year 36,800.
const MOST_SECS: u64 = 1 << 40;
/// Days on each side of a comparison, where nothing else is said.
const COMPARED_DAYS: u32 = 14;

/// A place and a stretch of time.
#[derive(Debug, Clone, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ScopeQuery {
    /// The place; all of them together where it is left out.
    #[param(nullable = false)]
    pub place: Option<String>,
    /// From when: seconds since 1970, or a time in UTC as `2026-11-26T14:00:00Z`.
    #[param(nullable = false)]
    pub from: Option<String>,
    /// Until when, exclusive; now where it is left out.
    #[param(nullable = false)]
    pub to: Option<String>,
    /// By which clock days begin: `local` (that of the server), `utc`, or an offset as `+01:00`.
    #[param(nullable = false)]
    pub zone: Option<String>,
}

/// A scope and how it is divided.
#[derive(Debug, Clone, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct HistoryQuery {
    /// What figures are summed up by: `day`, `week`, `month` or `all`; `day` where it is left out.
    #[param(nullable = false)]
    period: Option<String>,
    /// The place; all of them together where it is left out.
    #[param(nullable = false)]
    place: Option<String>,
    /// From when: seconds since 1970, or a time in UTC as `2026-11-26T14:00:00Z`.
    #[param(nullable = false)]
    from: Option<String>,
    /// Until when, exclusive; now where it is left out.
    #[param(nullable = false)]
    to: Option<String>,
    /// By which clock days begin: `local` (that of the server), `utc`, or an offset as `+01:00`.
    #[param(nullable = false)]
    zone: Option<String>,
}

/// A place.
#[derive(Debug, Clone, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct PlaceQuery {
    /// The place; all of them where it is left out.
    #[param(nullable = false)]
    pub place: Option<String>,
}

/// A place and a moment.
#[derive(Debug, Clone, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ComparisonQuery {
    /// The place; may be left out where there is only one.
    #[param(nullable = false)]
    pub place: Option<String>,
    /// The moment: seconds since 1970, or a time in UTC as `2026-11-26T14:00:00Z`.
    at: String,
    /// Days on each side, 1 to 366; 14 where it is left out.
    #[param(nullable = false)]
    days: Option<String>,
}

/// A table and a scope.
#[derive(Debug, Clone, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ExportQuery {
    /// Which one: `visits`, `answers`, `ratings` or `health`; `visits` where it is left out.
    #[param(nullable = false)]
    table: Option<String>,
    /// The place; all of them where it is left out.
    #[param(nullable = false)]
    place: Option<String>,
    /// From when: seconds since 1970, or a time in UTC as `2026-11-26T14:00:00Z`; from the beginning
    /// where it is left out.
    #[param(nullable = false)]
    from: Option<String>,
    /// Until when, exclusive; now where it is left out.
    #[param(nullable = false)]
    to: Option<String>,
}

/// A place and a stretch of time, checked.
#[derive(Debug, Clone, PartialEq)]
pub struct TimeRange {
    pub place: Option<String>,
    from: Duration,
    to: Duration,
    zone: Zone,
}

impl TimeRange {
    /// The same, as the journal is asked.
    pub fn scope(&self) -> Scope<'_> {
        let Self { place, from, to, zone } = self;
        Scope { place: place.as_deref(), from: *from, to: *to, zone: *zone }
    }
}

impl ScopeQuery {
    /// Checks it. `days`: how long it is without `from`; all that is there where that is nothing.
    ///
    /// # Errors
    /// If a part of it makes no sense.
    pub fn range(self, days: Option<u64>) -> Result<TimeRange, Problem> {
        let read = |name, text: Option<&String>| text.map(|text| time(name, text)).transpose();
        // What ended just now is in it too.
        let to = read("to", self.to.as_ref())?.unwrap_or_else(|| now() + DAY);
        let usual =
            days.map_or(Duration::ZERO, |days| to.min(now()).saturating_sub(DAY * days as u32));
        let from = read("from", self.from.as_ref())?.unwrap_or(usual);
        if from >= to {
            let (from, to) = (from.as_secs(), to.as_secs());
            let detail = format!("`from` is {from}, `to` is {to}, expected `from` before `to`");
            return Err(Problem::bad_request(detail).with(from, format!("less than {to}")));
        }
        let zone = self.zone.as_deref().map_or(Ok(Zone::Local), zone)?;
        Ok(TimeRange { place: self.place, from, to, zone })
    }
}

impl HistoryQuery {
    /// # Errors
    /// If there is no such period.
    pub fn period(&self) -> Result<Period, Problem> {
        match self.period.as_deref() {
            None | Some("day") => Ok(Period::Day),
            Some("week") => Ok(Period::Week),
            Some("month") => Ok(Period::Month),
            Some("all") => Ok(Period::All),
            Some(found) => Err(wrong("period", found, "day, week, month or all")),
        }
    }

    /// The rest of it.
    pub fn scope(self) -> ScopeQuery {
        let Self { place, from, to, zone, .. } = self;
        ScopeQuery { place, from, to, zone }
    }
}

impl ComparisonQuery {
    /// # Errors
    /// If it is no time.
    pub fn at(&self) -> Result<Duration, Problem> {
        time("at", &self.at)
    }

    /// # Errors
    /// If it is no number of days that is offered.
    pub fn days(&self) -> Result<u32, Problem> {
        let Some(text) = &self.days else { return Ok(COMPARED_DAYS) };
        let known = text.parse().ok().filter(|days| (1..=MOST_COMPARED_DAYS).contains(days));
        known
            .ok_or_else(|| wrong("days", text, &format!("a number from 1 to {MOST_COMPARED_DAYS}")))
    }
}

impl ExportQuery {
    /// # Errors
    /// If there is no such table.
    pub fn table(&self) -> Result<Table, Problem> {
        let Some(found) = self.table.as_deref() else { return Ok(Table::Visits) };
        let known = Table::ALL.into_iter().find(|table| table.as_str() == found);
        let names = Table::ALL.map(Table::as_str).join(", ");
        known.ok_or_else(|| wrong("table", found, &format!("one of {names}")))
    }

    /// The rest of it.
    pub fn scope(self) -> ScopeQuery {
        let Self { place, from, to, .. } = self;
        ScopeQuery { place, from, to, zone: None }
    }
}

/// Seconds since 1970, or a time in UTC.
fn time(name: &str, text: &str) -> Result<Duration, Problem> {
    let secs = || text.parse().ok().map(Duration::from_secs);
    let date = || humantime::parse_rfc3339(text).ok()?.duration_since(std::time::UNIX_EPOCH).ok();
    let known = secs().or_else(date).filter(|time| time.as_secs() <= MOST_SECS);
    known.ok_or_else(|| {
        wrong(name, text, "seconds since 1970, or a time in UTC as 2026-11-26T14:00:00Z")
    })
}

fn zone(text: &str) -> Result<Zone, Problem> {
    match text {
        "local" => return Ok(Zone::Local),
        "utc" => return Ok(Zone::UTC),
        _ => {}
    }
    let offset = || {
        let digits = |text: &str| match text.len() {
            2 if text.bytes().all(|byte| byte.is_ascii_digit()) => text.parse::<i32>().ok(),
            _ => None,
        };
        // A plus that nobody encoded arrives as a space.
        let ahead = if text.starts_with('-') { -1 } else { 1 };
        let (hours, minutes) = text.strip_prefix(['+', '-', ' '])?.split_once(':')?;
        let secs = digits(hours)? * 3600 + digits(minutes).filter(|minutes| *minutes < 60)? * 60;
        (secs <= MOST_ZONE_SECS).then_some(Zone::Offset { secs: ahead * secs })
    };
    offset().ok_or_else(|| wrong("zone", text, "local, utc, or an offset from -14:00 to +14:00"))
}

fn wrong(name: &str, found: &str, expected: &str) -> Problem {
    let found: String = found.chars().take(40).collect();
    let detail = format!("`{name}` is `{found}`, expected {expected}");
    Problem::bad_request(detail).with(found, expected)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str) -> Option<String> {
        Some(text.to_owned())
    }

    #[test]
    fn times_are_seconds_or_dates() {
        let noon = Duration::from_secs(1_795_694_400);
        assert_eq!(time("from", "1795694400").unwrap(), noon);
        assert_eq!(time("from", "2026-11-26T12:00:00Z").unwrap(), noon);
        for wrong in ["", "-1", "2026-11-26", "noon", "1e9", "99999999999999999"] {
            let problem = time("from", wrong).unwrap_err();
            assert!(problem.detail.starts_with(&format!("`from` is `{wrong}`")), "{problem:?}");
        }
    }

    #[test]
    fn zones_are_clocks_or_offsets() {
        assert_eq!(zone("utc").unwrap(), Zone::UTC);
        assert_eq!(zone("local").unwrap(), Zone::Local);
        for (text, secs) in [("+01:00", 3600), (" 05:30", 19_800), ("-03:30", -12_600)] {
            assert_eq!(zone(text).unwrap(), Zone::Offset { secs });
        }
        for wrong in ["", "CET", "+1:00", "+15:00", "+01:60", "01:00", "+é:00", "+14:30"] {
            assert!(zone(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_range_ends_now_and_begins_before_that() {
        let range = ScopeQuery::default().range(Some(7)).unwrap();
        assert!(range.to > now() && now() - range.from >= DAY * 7);
        assert_eq!(ScopeQuery::default().range(None).unwrap().from, Duration::ZERO);
        let earlier = ScopeQuery { to: text("864000"), ..ScopeQuery::default() };
        assert_eq!(earlier.range(Some(7)).unwrap().from, DAY * 3);
        let turned = ScopeQuery { from: text("20"), to: text("10"), ..ScopeQuery::default() };
        assert!(turned.range(None).unwrap_err().detail.contains("expected `from` before `to`"));
    }
}
