//! What is known of each place, from finished buckets only.

use std::collections::BTreeMap;

use rapport_journal::{
    AccuracyEstimate, BucketContent, BucketFigures, Drift, HealthCounts, RatingFigures,
};

/// More places or rules are not counted: each is a time series in somebody's store.
const MOST: usize = 1000;

/// Sums over the finished buckets since the program began: each grows by ten or more at a time.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Totals {
    /// Visits.
    pub visits: u64,
    /// Visits of which it is known whether they smiled.
    pub smile_visits: u64,
    /// Visits with a smile.
    pub smiles: u64,
    /// Visits that each rule answered.
    pub answered: BTreeMap<String, u64>,
    /// Ratings of 1 to 5.
    pub ratings: [u64; 5],
    /// How the program did.
    pub health: HealthCounts,
}

/// What is known of a place.
#[derive(Debug, Clone, Default)]
pub struct PlaceFigures {
    /// Since the program began.
    pub totals: Totals,
    /// When the newest bucket of visits ended, in seconds since 1970 in UTC.
    pub newest_bucket_secs: Option<i64>,
    /// The newest bucket about how the program did: from, to, counts.
    pub newest_health: Option<(i64, i64, HealthCounts)>,
    /// The last days against the first week.
    pub drift: Option<Drift>,
    /// How accurate the labels of the last days are expected to be.
    pub estimate: Option<AccuracyEstimate>,
    /// Whether drift and estimate are of before the newest bucket.
    pub(super) is_old: bool,
}

/// All places.
#[derive(Debug, Default)]
pub(super) struct Figures {
    places: BTreeMap<String, PlaceFigures>,
}

impl Figures {
    /// Drift and estimate of this place are to be found anew.
    pub(super) fn expect(&mut self, place: &str) {
        if let Some(figures) = self.place(place) {
            figures.is_old = true;
        }
    }

    /// Takes in a finished bucket.
    pub(super) fn take(&mut self, bucket: &BucketFigures) {
        let Some(figures) = self.place(&bucket.place) else { return };
        let totals = &mut figures.totals;
        match &bucket.content {
            BucketContent::Visits(visits) => {
                totals.visits += visits.visits;
                if let Some(smiles) = visits.smiles {
                    totals.smile_visits += smiles.n;
                    totals.smiles += smiles.count;
                }
                figures.newest_bucket_secs = figures.newest_bucket_secs.max(Some(bucket.to_secs));
                figures.is_old = true;
            }
            BucketContent::Answers(answers) => {
                if totals.answered.len() < MOST || totals.answered.contains_key(&answers.rule) {
                    *totals.answered.entry(answers.rule.clone()).or_default() += answers.visits;
                }
            }
            BucketContent::Ratings(RatingFigures { counts, .. }) => {
                totals.ratings.iter_mut().zip(counts).for_each(|(sum, count)| *sum += count);
            }
            BucketContent::Health(counts) => {
                totals.health.images += counts.images;
                totals.health.lost_images += counts.lost_images;
                totals.health.errors += counts.errors;
                totals.health.watched_secs += counts.watched_secs;
                totals.health.paused_secs += counts.paused_secs;
                figures.newest_health = Some((bucket.from_secs, bucket.to_secs, *counts));
            }
        }
    }

    /// The places whose drift and estimate are to be found anew. They are asked for once.
    pub(super) fn take_old(&mut self) -> Vec<String> {
        let old = self.places.iter_mut().filter(|(_, figures)| figures.is_old);
        old.map(|(place, figures)| {
            figures.is_old = false;
            place.clone()
        })
        .collect()
    }

    pub(super) fn found(
        &mut self,
        place: &str,
        drift: Option<Drift>,
        estimate: Option<AccuracyEstimate>,
    ) {
        if let Some(figures) = self.place(place) {
            (figures.drift, figures.estimate) = (drift, estimate);
        }
    }

    pub(super) fn places(&self) -> Vec<(String, PlaceFigures)> {
        self.places.iter().map(|(place, figures)| (place.clone(), figures.clone())).collect()
    }

    fn place(&mut self, place: &str) -> Option<&mut PlaceFigures> {
        if !self.places.contains_key(place) && self.places.len() >= MOST {
            return None;
        }
        Some(self.places.entry(place.to_owned()).or_default())
    }
}
