//! The places that a journal knows.

use std::collections::BTreeSet;

use rapport_journal::Journal;

use super::JournalService;
use super::service::lock;
use crate::problem::Problem;

/// Characters of a place that an error quotes.
const QUOTED: usize = 80;

/// As a robot's place is called where it has no other name: its namespace, without the first slash.
pub(crate) fn own_place(robot: &str) -> String {
    match robot.trim_start_matches('/') {
        "" => "robot".to_owned(),
        name => name.to_owned(),
    }
}

impl JournalService {
    /// The place of the robot of a namespace.
    pub fn place_of(&self, robot: &str) -> String {
        self.options().place.clone().unwrap_or_else(|| own_place(robot))
    }

    /// Observes a place from now on: it is known also before its first figures.
    pub fn observe(&self, place: &str) {
        lock(&self.observed).insert(place.to_owned());
    }

    /// The places that the journal has figures of, and those that are observed.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub async fn places(&self) -> Result<Vec<String>, Problem> {
        let written = self.read(Journal::places).await?;
        let places: BTreeSet<String> =
            written.into_iter().chain(lock(&self.observed).clone()).collect();
        Ok(places.into_iter().collect())
    }

    /// Whether a place is known.
    ///
    /// # Errors
    /// If it is not, or the file cannot be read.
    pub async fn check_place(&self, place: &str) -> Result<(), Problem> {
        if lock(&self.observed).contains(place) {
            return Ok(());
        }
        let places = self.places().await?;
        if places.iter().any(|known| known == place) {
            return Ok(());
        }
        let place: String = place.chars().take(QUOTED).collect();
        let known = list(&places);
        let detail = format!("no place `{place}` is known, expected one of: {known}");
        Err(Problem::not_found(detail).with(place, known))
    }

    /// The place that is named, or the only one.
    ///
    /// # Errors
    /// If it is not known, or none is named and there are several.
    pub async fn the_place(&self, named: Option<String>) -> Result<String, Problem> {
        if let Some(place) = named {
            self.check_place(&place).await?;
            return Ok(place);
        }
        if let Some(place) = &self.options().place {
            return Ok(place.clone());
        }
        let places = self.places().await?;
        if let [place] = places.as_slice() {
            return Ok(place.clone());
        }
        let known = list(&places);
        let detail = format!("no `place` is named, and there is not just one: {known}");
        Err(Problem::bad_request(detail).with("no place", known))
    }
}

fn list(places: &[String]) -> String {
    if places.is_empty() { "none yet".to_owned() } else { places.join(", ") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_called_like_their_robots() {
        assert_eq!(own_place("/"), "robot");
        assert_eq!(own_place("/left"), "left");
        assert_eq!(own_place("/hall/left"), "hall/left");
    }
}
