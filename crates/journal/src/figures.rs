//! What pages show: figures over visits, each with the number that it rests on.

use std::collections::BTreeMap;

use rapport_vocabulary::Emotion;
use serde::Serialize;

use crate::bucket::{AnswerSums, RatingCounts, VisitSums};
use crate::observation::{HealthCounts, Rating};
use crate::statistics::{Mean, Moments, Rate};

/// Figures over visits. What rests on fewer than ten is absent.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct VisitFigures {
    /// How many visits: from the first image of a person to the last. Somebody who comes back
    /// counts again.
    pub visits: u64,
    /// Seconds in view.
    pub secs_in_view: Option<Mean>,
    /// Visits in which the person attended to the robot at any time.
    pub engaged: Option<Rate>,
    /// Seconds for which people attended to the robot, summed over the visits of `engaged`.
    pub engaged_secs: Option<f64>,
    /// What faces showed.
    pub expressions: Option<ExpressionFigures>,
    /// Visits in which happy was shown, and sure, for a second or more.
    pub smiles: Option<Rate>,
    /// Valence (-1 to 1) where it was farthest from 0.
    pub valence_at_peak: Option<Mean>,
    /// Valence (-1 to 1) in the last three seconds.
    pub valence_at_end: Option<Mean>,
}

/// Shares by time of the expressions shown.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct ExpressionFigures {
    /// Visits in which the face was classified.
    pub n: u64,
    /// Share of each expression in the time in which the label was sure, 0 to 1; together 1. Absent
    /// where none was.
    #[cfg_attr(feature = "schema", schema(value_type = Option<BTreeMap<String, f64>>))]
    pub shares: Option<BTreeMap<Emotion, f64>>,
    /// Share of the time in which the label was not sure, 0 to 1. Absent where no time is known.
    pub not_sure: Option<f64>,
}

impl VisitFigures {
    /// `None` without visits.
    pub(crate) fn of(sums: &VisitSums) -> Option<Self> {
        if sums.view.n == 0 {
            return None;
        }
        Some(Self {
            visits: sums.view.n,
            secs_in_view: Mean::of(sums.view),
            engaged: Rate::of_count(sums.engaged),
            engaged_secs: (sums.engaged.n > 0).then_some(sums.engaged_secs),
            expressions: (sums.shown_n > 0).then(|| ExpressionFigures::of(sums)),
            smiles: Rate::of_count(sums.smiles),
            valence_at_peak: Mean::of(sums.peak),
            valence_at_end: Mean::of(sums.end),
        })
    }
}

impl ExpressionFigures {
    fn of(sums: &VisitSums) -> Self {
        let sure_secs: f64 = sums.shown_secs.iter().sum();
        let all_secs = sure_secs + sums.unsure_secs;
        let share = |label| (label, sums.shown_secs[label as usize] / sure_secs);
        Self {
            n: sums.shown_n,
            shares: (sure_secs > 0.0).then(|| Emotion::ALL.into_iter().map(share).collect()),
            not_sure: (all_secs > 0.0).then(|| sums.unsure_secs / all_secs),
        }
    }
}

/// What people said with a tap.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct RatingFigures {
    /// How many ratings.
    pub n: u64,
    /// How many gave 1, 2, 3, 4 and 5.
    pub counts: [u64; Rating::COUNT],
    /// Their mean, 1 to 5.
    pub mean: Option<Mean>,
}

impl RatingFigures {
    /// `None` without ratings.
    pub(crate) fn of(counts: &RatingCounts) -> Option<Self> {
        let n = counts.total();
        let mean = Mean::of(moments_of(counts));
        (n > 0).then_some(Self { n, counts: counts.0, mean })
    }
}

pub(crate) fn moments_of(counts: &RatingCounts) -> Moments {
    let mut moments = Moments::default();
    for (value, &count) in (1..).map(f64::from).zip(&counts.0) {
        moments.n += count;
        moments.sum += value * count as f64;
        moments.squares += value * value * count as f64;
    }
    moments
}

/// What faces showed before and after a rule of the policy answered them. A rule fires because of
/// what a face shows, so a change is no proof that the answer caused it: compare policies for that.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct AnswerFigures {
    /// The rule of the policy.
    pub rule: String,
    /// Visits that it answered.
    pub visits: u64,
    /// How often it fired in them.
    pub times: u64,
    /// How the expression went on; absent where that is known of fewer than ten visits.
    pub followed: Option<FollowedFigures>,
}

/// The three seconds before the first answer of a visit, and the seconds 1 to 4 after it.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct FollowedFigures {
    /// Visits in which a sure expression was seen in both.
    pub n: u64,
    /// Valence before, -1 to 1.
    pub valence_before: Option<Mean>,
    /// Valence after minus before.
    pub valence_change: Option<Mean>,
    /// Visits that showed happy before.
    pub smiling_before: Option<Rate>,
    /// Visits that showed happy after.
    pub smiling_after: Option<Rate>,
}

impl AnswerFigures {
    pub(crate) fn of(rule: String, sums: &AnswerSums) -> Self {
        let n = sums.before.n;
        let followed = (n > 0).then(|| FollowedFigures {
            n,
            valence_before: Mean::of(sums.before),
            valence_change: Mean::of(sums.change),
            smiling_before: Rate::of(sums.smiling_before, n),
            smiling_after: Rate::of(sums.smiling_after, n),
        });
        Self { rule, visits: sums.visits, times: sums.times, followed }
    }
}

/// Everything about one period.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct PeriodFigures {
    /// `2026-11-26`, `2026-W48` (ISO 8601), `2026-11`, or `all`.
    pub period: String,
    /// When its first bucket began, in seconds since 1970 in UTC.
    pub from_secs: i64,
    /// When its last bucket ended.
    pub to_secs: i64,
    /// How many of the visits are in buckets that reach into another period too. A bucket counts in
    /// the period that its middle lies in.
    pub crossing_visits: u64,
    /// Absent where no bucket with ten visits is in the period.
    pub visits: Option<VisitFigures>,
    /// Absent where no bucket with ten ratings is in the period.
    pub ratings: Option<RatingFigures>,
    /// Absent where nobody looked.
    pub health: Option<HealthCounts>,
}

/// An hour of the week, over all weeks.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct HourFigures {
    /// 1 (Monday) to 7.
    pub weekday: u8,
    /// 0 to 23: the hour that begins then.
    pub hour: u8,
    /// Absent where no bucket with ten visits is in it.
    pub visits: Option<VisitFigures>,
    /// Absent where no bucket with ten ratings is in it.
    pub ratings: Option<RatingFigures>,
    /// How the program did, which tells a quiet hour from one that nobody looked at.
    pub health: Option<HealthCounts>,
}

/// The hours of the week.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct WeekHours {
    /// Those about which anything is known, Monday first.
    pub hours: Vec<HourFigures>,
    /// Visits in buckets longer than two hours, which belong to no hour.
    pub visits_without_hour: u64,
}

/// A finished bucket, as it is written: for those that pass it on.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct BucketFigures {
    /// The place, as the operator calls it.
    pub place: String,
    /// When it began, in seconds since 1970 in UTC.
    pub from_secs: i64,
    /// When it ended.
    pub to_secs: i64,
    /// What of.
    #[serde(flatten)]
    pub content: BucketContent,
}

/// What a bucket counts.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(tag = "bucket", rename_all = "snake_case")]
pub enum BucketContent {
    /// Ten visits or more.
    Visits(VisitFigures),
    /// Ten visits or more that a rule answered.
    Answers(AnswerFigures),
    /// Ten ratings or more.
    Ratings(RatingFigures),
    /// How the program did.
    Health(HealthCounts),
}
