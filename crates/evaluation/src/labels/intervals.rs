//! Labels that hold from one time to another.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::csv::Table;
use super::details::LabelDetails;
use super::error::LabelError;
use super::of_frame::FrameLabels;
use crate::warnings::Warnings;
use rapport_vocabulary::Emotion;

/// From this number of seconds on a time is meant since 1970, below it since the first message:
/// no recording lasts three years, and none was made before 1973.
const ABSOLUTE_FROM_SECS: f64 = 1e8;

/// By how much an interval may stick out of the recording, in nanoseconds: people round.
const ROUNDING_NS: i64 = 1_000_000_000;

/// What the times of a file count from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TimeBase {
    /// Seconds since the first message of the recording, by the recorder's clock.
    SinceFirstMessage,
    /// Seconds since 1970, of the images' stamps.
    Since1970,
}

#[derive(Debug, Clone, PartialEq)]
struct Interval {
    /// In nanoseconds since 1970.
    start_ns: i64,
    end_ns: i64,
    label: Option<Emotion>,
    details: Option<LabelDetails>,
}

/// All intervals of a file.
#[derive(Debug, Clone, PartialEq)]
pub struct Intervals {
    /// By face; those of the empty id hold for every face. In order of their start.
    by_face: BTreeMap<String, Vec<Interval>>,
    base: TimeBase,
    count: u64,
}

impl Intervals {
    pub(super) fn read(
        table: &mut Table,
        bounds_ns: Option<(i64, i64)>,
        warnings: &mut Warnings,
    ) -> Result<Self, LabelError> {
        let mut base = None;
        let mut count = 0;
        let mut by_face: BTreeMap<String, Vec<Interval>> = BTreeMap::new();
        while table.next(warnings)? {
            let (label, details) = (table.label(warnings), table.details()?);
            // A group alone says nothing that could be compared.
            if label.is_none() && !details.as_ref().is_some_and(LabelDetails::has_affect) {
                continue;
            }
            let (start, end) = (seconds(table, "start")?, seconds(table, "end")?);
            let expected = "a time after `start`";
            if end.secs <= start.secs {
                return Err(table.wrong("end", expected));
            }
            let found = *base.get_or_insert(start.base());
            if found != start.base() || found != end.base() {
                return Err(table.wrong("start", "times counted as in the rows before"));
            }
            let since_ns = match (found, bounds_ns) {
                (TimeBase::SinceFirstMessage, Some((first_ns, _))) => first_ns,
                _ => 0,
            };
            let at = |time: &Seconds| since_ns.saturating_add(time.ns);
            let interval = Interval { start_ns: at(&start), end_ns: at(&end), label, details };
            if let Some((first_ns, last_ns)) = bounds_ns {
                let early = first_ns.saturating_sub(interval.start_ns);
                let late = interval.end_ns.saturating_sub(last_ns);
                if early.max(late) > ROUNDING_NS || interval.start_ns > last_ns {
                    warnings.add("label outside the recording", || {
                        let length = last_ns.saturating_sub(first_ns) as f64 / 1e9;
                        format!(
                            "{}: {} to {} lies outside the recording, which has {length:.3} s",
                            table.place(),
                            table.text("start"),
                            table.text("end"),
                        )
                    });
                }
            }
            let known = by_face.entry(table.text("face_id").to_owned()).or_default();
            if let Some(other) = known.iter().find(|other| overlap(other, &interval)) {
                warnings.add("overlapping labels", || {
                    let outcome = match other.label == interval.label {
                        true => "with the same label",
                        false => "with another label: where they do, the face is left out",
                    };
                    format!(
                        "{}: {} to {} overlaps an earlier interval of the same face, {outcome}",
                        table.place(),
                        table.text("start"),
                        table.text("end")
                    )
                });
            }
            known.push(interval);
            count += 1;
        }
        table.if_any(count)?;
        by_face.values_mut().for_each(|intervals| intervals.sort_by_key(|i| i.start_ns));
        let base = base.unwrap_or(TimeBase::SinceFirstMessage);
        Ok(Self { by_face, base, count })
    }

    /// The labels at a time in nanoseconds since 1970, by the clock that [`Self::base`] tells.
    pub fn at(&self, time_ns: i64) -> FrameLabels {
        let mut labels = FrameLabels::default();
        for (face_id, intervals) in &self.by_face {
            let begun = intervals.partition_point(|interval| interval.start_ns <= time_ns);
            let holding = || intervals[..begun].iter().filter(|i| time_ns < i.end_ns);
            for details in holding().filter_map(|i| i.details.as_ref()) {
                labels.add_details(face_id, details);
            }
            let mut held = holding().filter_map(|i| i.label);
            let Some(first) = held.next() else {
                continue;
            };
            let label = held.all(|other| other == first).then_some(first);
            match face_id.as_str() {
                "" => labels.anyone = label,
                id => labels.of_face.push((id.to_owned(), label)),
            }
        }
        labels
    }

    /// What times are counted from.
    pub fn base(&self) -> TimeBase {
        self.base
    }

    /// How many intervals there are.
    pub fn count(&self) -> u64 {
        self.count
    }
}

/// Whether two intervals say what a face shows at the same time.
fn overlap(a: &Interval, b: &Interval) -> bool {
    let are_labels = a.label.is_some() && b.label.is_some();
    are_labels && a.start_ns < b.end_ns && b.start_ns < a.end_ns
}

struct Seconds {
    secs: f64,
    ns: i64,
}

impl Seconds {
    fn base(&self) -> TimeBase {
        let is_absolute = self.secs >= ABSOLUTE_FROM_SECS;
        if is_absolute { TimeBase::Since1970 } else { TimeBase::SinceFirstMessage }
    }
}

/// Reads decimal seconds to the nanosecond, which f64 cannot hold for times since 1970.
fn seconds(table: &Table, column: &'static str) -> Result<Seconds, LabelError> {
    let text = table.decimal(column);
    let text = text.as_str();
    let wrong = || table.wrong(column, "seconds, for example 12.5");
    let secs: f64 = text.parse().map_err(|_| wrong())?;
    if !secs.is_finite() || secs.abs() > 9e9 {
        return Err(wrong());
    }
    let exact = || {
        let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
        let digits: String = fraction.chars().chain("000000000".chars()).take(9).collect();
        let whole =
            whole.parse::<i64>().ok().filter(|secs| *secs >= 0 && !text.starts_with('-'))?;
        Some(whole * 1_000_000_000 + i64::from(digits.parse::<u32>().ok()?))
    };
    Ok(Seconds { secs, ns: exact().unwrap_or((secs * 1e9).round() as i64) })
}
