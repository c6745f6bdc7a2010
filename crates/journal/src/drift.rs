//! Whether what the camera sees still looks like the place's first week, and how accurate the
//! labels are expected to be. Both without labels by people, so both can only raise a question.

use serde::Serialize;

use crate::baseline::{self, LEAST_BASELINE_VISITS, WEEK_SECS};
use crate::error::JournalError;
use crate::histogram::{Feature, Histogram, Histograms};
use crate::journal::Journal;
use crate::query::{Scope, condition, place_number, visit_sums};
use crate::statistics::{Mean, chi_squared_95};

/// A population stability index from which on a change is worth a look, by convention.
pub const SOME_DRIFT: f64 = 0.1;
/// From which on it is large, by convention.
pub const LARGE_DRIFT: f64 = 0.25;

/// How far something is from the first week.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum DriftLevel {
    /// Under [`SOME_DRIFT`], or no more than chance does to so few visits.
    Stable,
    /// From [`SOME_DRIFT`] on.
    Some,
    /// From [`LARGE_DRIFT`] on.
    Large,
}

/// The drift of one feature.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct FeatureDrift {
    /// Of what.
    pub feature: Feature,
    /// Population stability index: over the bins of both histograms, the sum of
    /// (now - then) * ln(now / then) of their shares. 0: the same.
    pub stability_index: f64,
    /// What chance alone exceeds in 5 of 100 comparisons of so many visits.
    pub by_chance: f64,
    /// By both.
    pub level: DriftLevel,
    /// Visits of the first week that it rests on.
    pub n_then: u64,
    /// Visits of now that it rests on.
    pub n_now: u64,
    /// What it may mean, where the level is not [`DriftLevel::Stable`].
    pub meaning: Option<&'static str>,
}

/// A place against its first week.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum Drift {
    /// There is no first week yet.
    TooEarly {
        /// When the first week is over, in seconds since 1970 in UTC, if a hundred visits have come
        /// by then. Absent where it has not begun.
        expected_secs: Option<i64>,
    },
    /// Features that are known of both.
    Measured {
        /// The first week, in seconds since 1970 in UTC.
        then_from_secs: i64,
        /// Its end.
        then_to_secs: i64,
        /// In the order of [`Feature::ALL`].
        features: Vec<FeatureDrift>,
    },
}

impl Drift {
    /// The worst level of all features; `None` where nothing is measured.
    pub fn worst(&self) -> Option<DriftLevel> {
        match self {
            Self::TooEarly { .. } => None,
            Self::Measured { features, .. } => features.iter().map(|drift| drift.level).max(),
        }
    }
}

/// Confidence-based performance estimation: the accuracy that labels have if confidences are
/// calibrated, which is their mean. It is an estimate: where calibration is off, so is it, and it
/// cannot tell.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct AccuracyEstimate {
    /// The estimate, 0 to 1, with the interval that the choice of visits alone gives it. Each visit
    /// counts once. `n`: visits.
    pub expected: Mean,
    /// The same for the place's first week, by the bins of its histogram: good to about a point.
    pub then: Option<f64>,
    /// Whether there is reason to doubt the calibration.
    pub trust: Trust,
}

/// Whether an estimate may be trusted. No is sure, yes never is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(tag = "trust", rename_all = "snake_case")]
pub enum Trust {
    /// What the camera sees looks like the first week, so calibration that held then should hold.
    LooksAsBefore,
    /// What the camera sees has changed, so calibration may not hold: check by feedback.
    Drifted {
        /// In what.
        features: Vec<Feature>,
    },
    /// There is nothing to compare with.
    Unknown,
}

impl Journal {
    /// How far the visits of a scope are from the first week of its place. The first week is the
    /// first seven days, or longer, until a hundred visits are in. `None` where the scope names no
    /// place that the journal knows.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub fn drift(&self, scope: &Scope<'_>) -> Result<Option<Drift>, JournalError> {
        self.read(|connection| {
            let Some(place) = scope.place else { return Ok(None) };
            let Some(number) = place_number(connection, place)? else { return Ok(None) };
            let Some((from, to, _, then)) = baseline::find(connection, number)? else {
                let sql = "SELECT coalesce((SELECT from_secs FROM baseline_starts WHERE place = ?1), \
                           (SELECT min(from_secs) FROM visits WHERE place = ?1))";
                let start: Option<i64> = connection.query_row(sql, [number], |row| row.get(0))?;
                let expected_secs = start.map(|start| start + WEEK_SECS);
                return Ok(Some(Drift::TooEarly { expected_secs }));
            };
            let mut now = Histograms::default();
            if let Some(condition) = condition(connection, scope)? {
                let sql = format!("SELECT histograms FROM visits WHERE {condition}");
                let mut query = connection.prepare_cached(&sql)?;
                let mut rows = query.query([])?;
                while let Some(row) = rows.next()? {
                    now.add(&baseline::decoded(row, 0)?);
                }
            }
            let pairs = Feature::ALL.into_iter().zip(then.0.iter().zip(&now.0));
            let features = pairs.filter_map(|(feature, (then, now))| drift_of(feature, then, now));
            Ok(Some(Drift::Measured {
                then_from_secs: from,
                then_to_secs: to,
                features: features.collect(),
            }))
        })
    }

    /// How accurate the labels of a scope are expected to be. `None` where nothing is known.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub fn estimate_accuracy(
        &self,
        scope: &Scope<'_>,
    ) -> Result<Option<AccuracyEstimate>, JournalError> {
        let drift = self.drift(scope)?;
        self.read(|connection| {
            let Some(condition) = condition(connection, scope)? else { return Ok(None) };
            let Some(expected) = Mean::of(visit_sums(connection, &condition)?.confidence) else {
                return Ok(None);
            };
            let trust = match &drift {
                Some(Drift::Measured { features, .. }) => {
                    // Other faces or light, and also other shares of expressions, can each break
                    // calibration.
                    let drifted: Vec<Feature> = features
                        .iter()
                        .filter(|drift| drift.level > DriftLevel::Stable)
                        .map(|drift| drift.feature)
                        .collect();
                    match drifted.is_empty() {
                        true => Trust::LooksAsBefore,
                        false => Trust::Drifted { features: drifted },
                    }
                }
                _ => Trust::Unknown,
            };
            let number = scope.place.map_or(Ok(None), |place| place_number(connection, place))?;
            let then = number.map_or(Ok(None), |number| baseline::find(connection, number))?;
            let then = then.and_then(|(.., histograms)| mean_confidence(&histograms));
            Ok(Some(AccuracyEstimate { expected, then, trust }))
        })
    }
}

/// By the middles of the bins.
fn mean_confidence(histograms: &Histograms) -> Option<f64> {
    let histogram = &histograms.0[Feature::Confidence as usize];
    let bins = Feature::Confidence.bins() as f64;
    let middles = (0..).map(|bin| (f64::from(bin) + 0.5) / bins);
    let sum: f64 = histogram.bins.iter().zip(middles).map(|(share, middle)| share * middle).sum();
    let total: f64 = histogram.bins.iter().sum();
    (total > 0.0).then(|| sum / total)
}

/// `None` where one of both is unknown.
fn drift_of(feature: Feature, then: &Histogram, now: &Histogram) -> Option<FeatureDrift> {
    if then.visits == 0 || now.visits == 0 {
        return None;
    }
    let bins = feature.bins();
    let stability_index = stability_index(&then.bins[..bins], &now.bins[..bins]);
    // Under no change the index over (1/n + 1/m) has about a chi-squared distribution (Yurdakul and
    // Naranjo 2020), of the bins that anything is in.
    let used = (0..bins).filter(|&bin| then.bins[bin] + now.bins[bin] > 0.0).count();
    let freedom = used.saturating_sub(1).max(1) as f64;
    let by_chance = chi_squared_95(freedom) * (1.0 / then.visits as f64 + 1.0 / now.visits as f64);
    let level = match stability_index {
        index if index <= by_chance || index < SOME_DRIFT => DriftLevel::Stable,
        index if index < LARGE_DRIFT => DriftLevel::Some,
        _ => DriftLevel::Large,
    };
    Some(FeatureDrift {
        feature,
        stability_index,
        by_chance,
        level,
        n_then: then.visits,
        n_now: now.visits,
        meaning: (level > DriftLevel::Stable).then(|| meaning(feature)),
    })
}

/// Half a visit is added to each bin, so that an empty one is not infinitely far from a full one.
fn stability_index(then: &[f64], now: &[f64]) -> f64 {
    let used = |&(&a, &b): &(&f64, &f64)| a + b > 0.0;
    let bins = then.iter().zip(now).filter(used).count() as f64;
    let total = |bins_of: &[f64]| bins_of.iter().sum::<f64>() + 0.5 * bins;
    let (all_then, all_now) = (total(then), total(now));
    let terms = then.iter().zip(now).filter(used).map(|(then, now)| {
        let (then, now) = ((then + 0.5) / all_then, (now + 0.5) / all_now);
        (now - then) * (now / then).ln()
    });
    terms.sum()
}

fn meaning(feature: Feature) -> &'static str {
    match feature {
        Feature::Confidence => {
            "The network is more or less sure than it was: other light, angles, masks or people."
        }
        Feature::Expression => {
            "People show other expressions than they did, or the network mistakes some for others."
        }
        Feature::FaceSize => {
            "People stand nearer or farther, or the camera, its lens or its resolution changed."
        }
        Feature::Brightness => "The light changed: lamps, blinds, the season, or the exposure.",
        Feature::Blur => "Pictures are more or less sharp: a dirty lens, its focus, or motion.",
    }
}

/// So that nobody takes the limit for another one.
const _: () = assert!(LEAST_BASELINE_VISITS >= crate::bucket::LEAST_VISITS);

#[cfg(test)]
mod tests {
    use super::*;

    fn histogram(bins: &[f64]) -> Histogram {
        let mut histogram =
            Histogram { visits: bins.iter().sum::<f64>() as u64, ..Default::default() };
        histogram.bins[..bins.len()].copy_from_slice(bins);
        histogram
    }

    #[test]
    fn the_index_is_that_of_the_definition() {
        // 0.5, 0.5 against 0.8, 0.2: 0.3 ln 1.6 - 0.3 ln 0.4 = 0.41589.
        let found = stability_index(&[5e6, 5e6], &[8e6, 2e6]);
        assert!((found - 0.415_888).abs() < 1e-5, "{found}");
        assert_eq!(stability_index(&[5.0, 5.0], &[50.0, 50.0]), 0.0);
        assert!(stability_index(&[10.0, 0.0], &[0.0, 10.0]).is_finite());
    }

    #[test]
    fn chance_is_no_drift() {
        let mut random = fastrand::Rng::with_seed(19);
        let (mut over, runs) = (0, 2000);
        for _ in 0..runs {
            let mut draw = |n: usize| {
                let mut bins = [0.0; 10];
                (0..n).for_each(|_| bins[random.usize(..10)] += 1.0);
                histogram(&bins)
            };
            let (then, now) = (draw(300), draw(200));
            let drift = drift_of(Feature::Confidence, &then, &now).unwrap();
            over += usize::from(drift.stability_index > drift.by_chance);
        }
        assert!((60..140).contains(&over), "{over} of {runs}, expected about 100");
    }

    #[test]
    fn a_shift_is_drift_and_says_what_it_may_mean() {
        let then = histogram(&[0.0, 10.0, 200.0, 700.0, 90.0]);
        let now = histogram(&[100.0, 500.0, 300.0, 90.0, 10.0]);
        let drift = drift_of(Feature::Brightness, &then, &now).unwrap();
        assert_eq!(drift.level, DriftLevel::Large);
        assert!(drift.meaning.unwrap().contains("light"));
        // The same shares of ten visits may be chance.
        let few = histogram(&[0.0, 1.0, 3.0, 5.0, 1.0]);
        assert_eq!(drift_of(Feature::Brightness, &then, &few).unwrap().level, DriftLevel::Stable);
        assert!(drift_of(Feature::Blur, &then, &Histogram::default()).is_none());
    }
}
