//! Days: times are stored no finer.

use std::fmt;
use std::str::FromStr;
use std::time::{SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

const SECS: u64 = 24 * 60 * 60;

/// A day of the Gregorian calendar in UTC, from 1970 on; `2026-11-27` as text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Day(u32);

impl Day {
    /// The day that a clock shows.
    pub fn of(time: SystemTime) -> Self {
        let secs = time.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        Self(u32::try_from(secs / SECS).unwrap_or(u32::MAX))
    }

    /// The day that the clock shows now.
    pub fn today() -> Self {
        Self::of(SystemTime::now())
    }

    /// So many days later.
    #[must_use]
    pub fn plus(self, days: u32) -> Self {
        Self(self.0.saturating_add(days))
    }

    /// Year, month and day, by eras of 400 years that begin on the first of March.
    fn parts(self) -> (u32, u32, u32) {
        let days = u64::from(self.0) + 719_468;
        let (era, of_era) = (days / 146_097, days % 146_097);
        let year = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
        let of_year = of_era - (365 * year + year / 4 - year / 100);
        let month = (5 * of_year + 2) / 153;
        let day = of_year - (153 * month + 2) / 5 + 1;
        let month = if month < 10 { month + 3 } else { month - 9 };
        let year = era * 400 + year + u64::from(month <= 2);
        (year as u32, month as u32, day as u32)
    }

    fn from_parts(year: u32, month: u32, day: u32) -> Option<Self> {
        if !(1970..=9999).contains(&year) || !(1..=12).contains(&month) || !(1..=31).contains(&day)
        {
            return None;
        }
        let shifted = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
        let (era, of_era) = (shifted.0 / 400, shifted.0 % 400);
        let of_year = (153 * shifted.1 + 2) / 5 + day - 1;
        let days = era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year;
        let found = Self(days.checked_sub(719_468)?);
        // The 31st of June is no day.
        (found.parts() == (year, month, day)).then_some(found)
    }
}

impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (year, month, day) = self.parts();
        write!(f, "{year:04}-{month:02}-{day:02}")
    }
}

impl FromStr for Day {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || {
            let text: String = text.chars().take(40).collect();
            format!("`{text}`, expected a day such as 2026-11-27")
        };
        let numbers: Vec<u32> = text.split('-').map_while(|part| part.parse().ok()).collect();
        let day = match numbers[..] {
            [year, month, day] if text.len() == 10 => Self::from_parts(year, month, day),
            _ => None,
        };
        day.ok_or_else(wrong)
    }
}

impl TryFrom<String> for Day {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl From<Day> for String {
    fn from(day: Day) -> Self {
        day.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn days_are_those_of_the_calendar() {
        for (secs, expected) in [
            (0, "1970-01-01"),
            (951_782_399, "2000-02-28"),
            (951_782_400, "2000-02-29"),
            (1_709_251_200, "2024-03-01"),
            (1_795_737_600, "2026-11-27"),
        ] {
            let day = Day::of(UNIX_EPOCH + Duration::from_secs(secs));
            assert_eq!(day.to_string(), expected);
            assert_eq!(expected.parse(), Ok(day));
        }
        for number in 0..60_000 {
            let day = Day(number);
            assert_eq!(day.to_string().parse(), Ok(day));
        }
        let eve: Day = "2026-12-31".parse().unwrap();
        assert_eq!(eve.plus(1).to_string(), "2027-01-01");
        for wrong in ["", "2026-02-29", "2026-13-01", "1969-12-31", "2026-1-1", "+026-01-01", "x"] {
            assert!(wrong.parse::<Day>().is_err(), "{wrong}");
        }
    }
}
