//! Sums over the visits of a bucket, and the only way from sums to something that may be written:
//! [`Pending::publish`], which gives nothing for fewer than ten.

use std::ops::AddAssign;

use rapport_vocabulary::Emotion;

use crate::histogram::Histograms;
use crate::observation::{HealthCounts, Rating};
use crate::statistics::{Count, Moments};
use crate::visit::{AnsweredVisit, Visit};

/// What rests on fewer visits, answered visits or ratings than this is not written.
pub const LEAST_VISITS: u64 = 10;

/// A stretch of time in whole seconds since 1970 began in UTC, from a border between buckets to
/// another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Span {
    pub(crate) from_secs: i64,
    pub(crate) to_secs: i64,
}

impl Span {
    pub(crate) fn with(self, other: Self) -> Self {
        let from_secs = self.from_secs.min(other.from_secs);
        Self { from_secs, to_secs: self.to_secs.max(other.to_secs) }
    }

    pub(crate) fn length_secs(self) -> i64 {
        self.to_secs - self.from_secs
    }

    pub(crate) fn middle_secs(self) -> i64 {
        (self.from_secs + self.to_secs) / 2
    }
}

/// Sums over visits.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct VisitSums {
    /// Seconds in view; `n` are all visits.
    pub(crate) view: Moments,
    /// Visits that were engaged at any time, of those where it was known.
    pub(crate) engaged: Count,
    pub(crate) engaged_secs: f64,
    /// Visits in which the face was classified.
    pub(crate) shown_n: u64,
    pub(crate) shown_secs: [f64; Emotion::COUNT],
    pub(crate) unsure_secs: f64,
    pub(crate) smiles: Count,
    pub(crate) peak: Moments,
    pub(crate) end: Moments,
    pub(crate) confidence: Moments,
}

impl VisitSums {
    fn add(&mut self, visit: &Visit) {
        self.view.add(visit.view_secs);
        if let Some(secs) = visit.engaged_secs {
            self.engaged.add(secs > 0.0);
            self.engaged_secs += secs;
        }
        if visit.is_shown() {
            self.shown_n += 1;
            self.shown_secs.iter_mut().zip(visit.shown_secs).for_each(|(sum, secs)| *sum += secs);
            self.unsure_secs += visit.unsure_secs;
        }
        visit.has_smile().into_iter().for_each(|has_smile| self.smiles.add(has_smile));
        visit.valence_at_peak.into_iter().for_each(|valence| self.peak.add(valence));
        visit.valence_at_end.into_iter().for_each(|valence| self.end.add(valence));
        visit.confidence.into_iter().for_each(|confidence| self.confidence.add(confidence));
    }

    /// Without the figures that rest on fewer than ten visits.
    fn published(mut self) -> Self {
        if self.engaged.n < LEAST_VISITS {
            (self.engaged, self.engaged_secs) = (Count::default(), 0.0);
        }
        if self.shown_n < LEAST_VISITS {
            (self.shown_n, self.unsure_secs) = (0, 0.0);
            self.shown_secs = [0.0; Emotion::COUNT];
        }
        if self.smiles.n < LEAST_VISITS {
            self.smiles = Count::default();
        }
        for moments in [&mut self.peak, &mut self.end, &mut self.confidence] {
            if moments.n < LEAST_VISITS {
                *moments = Moments::default();
            }
        }
        self
    }
}

impl AddAssign for VisitSums {
    fn add_assign(&mut self, other: Self) {
        self.view += other.view;
        self.engaged += other.engaged;
        self.engaged_secs += other.engaged_secs;
        self.shown_n += other.shown_n;
        self.shown_secs.iter_mut().zip(other.shown_secs).for_each(|(sum, secs)| *sum += secs);
        self.unsure_secs += other.unsure_secs;
        self.smiles += other.smiles;
        self.peak += other.peak;
        self.end += other.end;
        self.confidence += other.confidence;
    }
}

/// Sums over the visits that one rule answered.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct AnswerSums {
    /// Visits that it answered.
    pub(crate) visits: u64,
    /// How often it fired in them.
    pub(crate) times: u64,
    /// Valence before; `n` are the visits where before and after are known.
    pub(crate) before: Moments,
    /// Valence after minus before.
    pub(crate) change: Moments,
    pub(crate) smiling_before: u64,
    pub(crate) smiling_after: u64,
}

/// Everything that is counted over a stretch of time.
pub(crate) trait Cell: Default + Clone {
    /// The same without what rests on fewer than ten; nothing where all of it does.
    fn published(&self) -> Option<Self>;
}

#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct VisitCell {
    pub(crate) sums: VisitSums,
    pub(crate) histograms: Histograms,
}

impl VisitCell {
    pub(crate) fn add(&mut self, visit: &Visit) {
        self.sums.add(visit);
        self.histograms.add_visit(&visit.images);
    }
}

impl Cell for VisitCell {
    fn published(&self) -> Option<Self> {
        let (sums, histograms) = (self.sums.published(), self.histograms.published(LEAST_VISITS));
        (self.sums.view.n >= LEAST_VISITS).then_some(Self { sums, histograms })
    }
}

impl AnswerSums {
    pub(crate) fn add(&mut self, answered: &AnsweredVisit) {
        self.visits += 1;
        self.times += answered.times;
        if let Some((before, after)) = answered.before_and_after {
            self.before.add(before.valence);
            self.change.add(after.valence - before.valence);
            self.smiling_before += u64::from(before.is_smiling);
            self.smiling_after += u64::from(after.is_smiling);
        }
    }
}

impl Cell for AnswerSums {
    fn published(&self) -> Option<Self> {
        let followed = self.before.n >= LEAST_VISITS;
        let alone = Self { visits: self.visits, times: self.times, ..Self::default() };
        (self.visits >= LEAST_VISITS).then_some(if followed { *self } else { alone })
    }
}

/// How many tapped 1 to 5.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct RatingCounts(pub(crate) [u64; Rating::COUNT]);

impl RatingCounts {
    pub(crate) fn add(&mut self, rating: Rating) {
        self.0[usize::from(rating.get()) - 1] += 1;
    }

    pub(crate) fn total(&self) -> u64 {
        self.0.iter().sum()
    }
}

impl AddAssign for RatingCounts {
    fn add_assign(&mut self, other: Self) {
        self.0.iter_mut().zip(other.0).for_each(|(sum, count)| *sum += count);
    }
}

impl Cell for RatingCounts {
    fn published(&self) -> Option<Self> {
        (self.total() >= LEAST_VISITS).then_some(*self)
    }
}

impl AddAssign for HealthCounts {
    fn add_assign(&mut self, other: Self) {
        self.images += other.images;
        self.lost_images += other.lost_images;
        self.errors += other.errors;
        self.watched_secs += other.watched_secs;
        self.paused_secs += other.paused_secs;
    }
}

/// It is about no person, so it is written however many came.
impl Cell for HealthCounts {
    fn published(&self) -> Option<Self> {
        Some(*self)
    }
}

/// The longest stretch that is waited for ten visits: 31 days. It also bounds what a clock that was
/// wrong can do.
pub(crate) const LONGEST_SECS: i64 = 31 * 86_400;

/// A cell that waits in memory for the end of its bucket, and for its tenth visit.
#[derive(Debug, Clone, Default)]
pub(crate) struct Pending<C> {
    cell: C,
    span: Option<Span>,
}

impl<C: Cell> Pending<C> {
    /// The cell to add to, now that it reaches over this bucket too.
    pub(crate) fn within(&mut self, bucket: Span) -> &mut C {
        let span = self.span.map_or(bucket, |span| span.with(bucket));
        if span.length_secs() > LONGEST_SECS.max(bucket.length_secs()) {
            *self = Self { cell: C::default(), span: Some(bucket) };
        } else {
            self.span = Some(span);
        }
        &mut self.cell
    }

    /// Whether nothing waits.
    pub(crate) fn is_empty(&self) -> bool {
        self.span.is_none()
    }

    /// What may be written, at the end of a bucket; the rest is left out, and the next bucket
    /// starts anew. `None`, and everything waits on, where all of it rests on fewer than ten.
    pub(crate) fn publish(&mut self) -> Option<Published<C>> {
        let published = Published { span: self.span?, cell: self.cell.published()? };
        *self = Self::default();
        Some(published)
    }
}

/// A finished bucket that may be written: each figure in it rests on ten visits or more.
#[derive(Debug, Clone)]
pub(crate) struct Published<C> {
    pub(crate) span: Span,
    pub(crate) cell: C,
}
