//! The columns of the table `visits`, as they are written and as queries sum them up.

use rapport_vocabulary::Emotion;
use rusqlite::Row;
use rusqlite::types::Value;

use crate::bucket::VisitSums;
use crate::query::{count, real};
use crate::statistics::{Count, Moments};

/// From `view_n` on, without the histograms.
pub(crate) const COLUMNS: [&str; 27] = [
    "view_n",
    "view_sum",
    "view_squares",
    "engaged_n",
    "engaged",
    "engaged_secs",
    "shown_n",
    "angry_secs",
    "disgust_secs",
    "fear_secs",
    "happy_secs",
    "neutral_secs",
    "sad_secs",
    "surprise_secs",
    "contempt_secs",
    "unsure_secs",
    "smile_n",
    "smiles",
    "peak_n",
    "peak_sum",
    "peak_squares",
    "end_n",
    "end_sum",
    "end_squares",
    "confidence_n",
    "confidence_sum",
    "confidence_squares",
];

/// `sum(view_n), sum(view_sum), ...`: what [`read`] reads.
pub(crate) fn select_sums() -> String {
    COLUMNS.map(|column| format!("sum({column})")).join(", ")
}

/// The values of [`COLUMNS`]. A figure that rests on no visits, or on too few to be published, is
/// NULL.
pub(crate) fn values(sums: &VisitSums) -> Vec<Value> {
    let mut values = Vec::with_capacity(COLUMNS.len() + 4);
    let mut group = |n: u64, rest: &[Value]| {
        values.push(if n > 0 { Value::Integer(n as i64) } else { Value::Null });
        values.extend(rest.iter().map(|value| if n > 0 { value.clone() } else { Value::Null }));
    };
    let moments = |moments: &Moments| [Value::Real(moments.sum), Value::Real(moments.squares)];
    group(sums.view.n, &moments(&sums.view));
    let engaged = [Value::Integer(sums.engaged.hits as i64), Value::Real(sums.engaged_secs)];
    group(sums.engaged.n, &engaged);
    let mut secs = sums.shown_secs.map(Value::Real).to_vec();
    secs.push(Value::Real(sums.unsure_secs));
    group(sums.shown_n, &secs);
    group(sums.smiles.n, &[Value::Integer(sums.smiles.hits as i64)]);
    group(sums.peak.n, &moments(&sums.peak));
    group(sums.end.n, &moments(&sums.end));
    group(sums.confidence.n, &moments(&sums.confidence));
    values
}

/// Reads the columns from this one on, as [`values`] has them; NULL is 0.
pub(crate) fn read(row: &Row<'_>, first: usize) -> rusqlite::Result<VisitSums> {
    let mut next = first..;
    let mut column = || next.next().unwrap_or(first);
    let count = |column| count(row, column);
    let real = |column| real(row, column);
    let view = Moments { n: count(column())?, sum: real(column())?, squares: real(column())? };
    let engaged = Count { n: count(column())?, hits: count(column())? };
    let engaged_secs = real(column())?;
    let shown_n = count(column())?;
    let mut shown_secs = [0.0; Emotion::COUNT];
    for secs in &mut shown_secs {
        *secs = real(column())?;
    }
    let unsure_secs = real(column())?;
    let smiles = Count { n: count(column())?, hits: count(column())? };
    let mut moments = || -> rusqlite::Result<Moments> {
        Ok(Moments { n: count(column())?, sum: real(column())?, squares: real(column())? })
    };
    let (peak, end, confidence) = (moments()?, moments()?, moments()?);
    Ok(VisitSums {
        view,
        engaged,
        engaged_secs,
        shown_n,
        shown_secs,
        unsure_secs,
        smiles,
        peak,
        end,
        confidence,
    })
}
