//! What a place looked like in its first week: the sums that drift is measured against.

use rusqlite::{OptionalExtension, Transaction, params};

use crate::histogram::Histograms;

/// How long the first week is.
pub(crate) const WEEK_SECS: i64 = 7 * 86_400;
/// With fewer visits the week goes on: chance would look like drift.
pub(crate) const LEAST_BASELINE_VISITS: u64 = 100;

/// Keeps the first week of a place, if a bucket that ended then is past it. Does nothing where the
/// week is kept already.
pub(crate) fn freeze(transaction: &Transaction<'_>, place: i64, now: i64) -> rusqlite::Result<()> {
    let sql = "SELECT 1 FROM baselines WHERE place = ?1";
    if transaction.prepare_cached(sql)?.exists([place])? {
        return Ok(());
    }
    let sql = "SELECT coalesce((SELECT from_secs FROM baseline_starts WHERE place = ?1), \
               (SELECT min(from_secs) FROM visits WHERE place = ?1))";
    let start: Option<i64> =
        transaction.prepare_cached(sql)?.query_row([place], |row| row.get(0))?;
    let Some(start) = start.filter(|start| now - start >= WEEK_SECS) else { return Ok(()) };
    let sql = "SELECT to_secs, view_n, histograms FROM visits \
               WHERE place = ?1 AND from_secs >= ?2 ORDER BY from_secs";
    let mut query = transaction.prepare_cached(sql)?;
    let mut rows = query.query([place, start])?;
    let (mut visits, mut end, mut sum) = (0, start, Histograms::default());
    while let Some(row) = rows.next()? {
        let to_secs: i64 = row.get(0)?;
        if to_secs > start + WEEK_SECS && visits >= LEAST_BASELINE_VISITS {
            break;
        }
        visits += row.get::<_, i64>(1)?.unsigned_abs();
        sum.add(&decoded(row, 2)?);
        end = end.max(to_secs);
    }
    drop(rows);
    if visits >= LEAST_BASELINE_VISITS {
        let sql = "INSERT INTO baselines VALUES (?1, ?2, ?3, ?4, ?5)";
        transaction.execute(sql, params![place, start, end, visits as i64, sum.encode()])?;
    }
    Ok(())
}

/// Keeps the first week of every place whose week is over.
pub(crate) fn freeze_all(transaction: &Transaction<'_>) -> rusqlite::Result<()> {
    let sql = "SELECT place, max(to_secs) FROM visits GROUP BY place";
    let mut query = transaction.prepare(sql)?;
    let places = query.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
    for (place, now) in places.collect::<Result<Vec<(i64, i64)>, _>>()? {
        freeze(transaction, place, now)?;
    }
    Ok(())
}

/// The kept week of a place: from, to, visits, histograms.
pub(crate) fn find(
    connection: &rusqlite::Connection,
    place: i64,
) -> rusqlite::Result<Option<(i64, i64, u64, Histograms)>> {
    let sql = "SELECT from_secs, to_secs, visits, histograms FROM baselines WHERE place = ?1";
    let read = |row: &rusqlite::Row<'_>| {
        let visits: i64 = row.get(2)?;
        Ok((row.get(0)?, row.get(1)?, visits.unsigned_abs(), decoded(row, 3)?))
    };
    connection.query_row(sql, [place], read).optional()
}

/// The histograms in a column.
pub(crate) fn decoded(row: &rusqlite::Row<'_>, column: usize) -> rusqlite::Result<Histograms> {
    let bytes = row.get_ref(column)?.as_blob()?;
    Histograms::decode(bytes).ok_or_else(|| {
        let problem = format!("{} bytes that are no histograms", bytes.len());
        let kind = rusqlite::types::Type::Blob;
        rusqlite::Error::FromSqlConversionFailure(column, kind, problem.into())
    })
}
