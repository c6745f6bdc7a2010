//! Journals of several places or robots in one file.

use std::path::PathBuf;

use rusqlite::{Connection, OptionalExtension, Transaction, params};

use crate::baseline;
use crate::bucket::Span;
use crate::error::JournalError;
use crate::export::Table;
use crate::journal::{Journal, identity, place_number};
use crate::observation::name;
use crate::stored::Stored;

/// Buckets that are written at once.
const AT_ONCE: i64 = 5_000;

/// What a merge did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Merged {
    /// Buckets that were added.
    pub added: u64,
    /// Buckets that were here already.
    pub known: u64,
}

/// A bucket of another journal.
struct Found {
    rowid: i64,
    place: String,
    /// The id of the journal that it was written to first.
    journal: String,
    stored: Stored,
    /// It is the so many-th that is the same in all columns.
    nth: u64,
}

impl Journal {
    /// Adds the buckets of another journal that are not here yet. Places of the same name become
    /// one. Buckets are added, never changed or summed up, so each still rests on ten visits or
    /// more. Each remembers the journal that it was written to first, so the same again adds
    /// nothing, also by way of a third journal. Where a place is new here, its first week comes
    /// along.
    ///
    /// # Errors
    /// If one of both files cannot be used, or the other holds what no journal may. What was added
    /// before stays; merge again once the cause is gone.
    pub fn merge(&mut self, other: &Self) -> Result<Merged, JournalError> {
        if identity(self.path()) == identity(other.path()) {
            return Err(JournalError::SameJournal { path: self.path().to_owned() });
        }
        self.take_first_weeks(other)?;
        let mut merged = Merged::default();
        for table in Table::ALL {
            let mut last = 0;
            loop {
                let found = other.buckets_after(table, last)?;
                let Some(newest) = found.last() else { break };
                last = newest.rowid;
                self.write(|transaction| {
                    for bucket in &found {
                        let place = place_number(transaction, name(&bucket.place))?;
                        let origin = origin_number(transaction, &bucket.journal)?;
                        let here = bucket.stored.count(transaction, place, origin, i64::MAX)?;
                        if here >= bucket.nth {
                            merged.known += 1;
                        } else {
                            bucket.stored.insert(transaction, place, origin)?;
                            merged.added += 1;
                        }
                    }
                    Ok(())
                })?;
            }
        }
        self.take_policies(other)?;
        Ok(merged)
    }

    /// The next buckets after a row, in the order in which they were written.
    fn buckets_after(&self, table: Table, last: i64) -> Result<Vec<Found>, JournalError> {
        let sql = format!(
            "SELECT b.rowid, b.place, p.name, b.origin, o.journal, from_secs, to_secs, {} \
             FROM {} b JOIN places p USING (place) JOIN origins o USING (origin) \
             WHERE b.rowid > ?1 ORDER BY b.rowid LIMIT {AT_ONCE}",
            table.stored_columns(),
            table.as_str(),
        );
        let wrong = |rowid: i64, what: &str| JournalError::Damaged {
            path: PathBuf::from(self.path()),
            found: format!("row {rowid} of {} {what}", table.as_str()),
        };
        let read = |connection: &Connection| {
            let mut query = connection.prepare_cached(&sql)?;
            let mut rows = query.query([last])?;
            let mut found = Vec::new();
            while let Some(row) = rows.next()? {
                let rowid: i64 = row.get(0)?;
                let span = Span { from_secs: row.get(5)?, to_secs: row.get(6)? };
                let is_on_grid = [span.from_secs, span.to_secs].map(|at| at % 900) == [0, 0];
                if !is_on_grid || span.to_secs <= span.from_secs {
                    return Ok(Err(wrong(rowid, "has a time that is no border between buckets")));
                }
                let Some(content) = table.read(row, span, 7)? else {
                    return Ok(Err(wrong(rowid, "rests on fewer than ten visits")));
                };
                let stored = Stored::of(&content);
                let (place, origin) = (row.get(1)?, row.get(3)?);
                let nth = stored.count(connection, place, origin, rowid)?;
                if nth == 0 {
                    return Ok(Err(wrong(rowid, "is not as a journal has it")));
                }
                let (place, journal) = (row.get(2)?, row.get(4)?);
                found.push(Found { rowid, place, journal, stored, nth });
            }
            Ok(Ok(found))
        };
        self.read(read)?
    }

    /// The first weeks of places that have no visits here.
    fn take_first_weeks(&mut self, other: &Self) -> Result<(), JournalError> {
        type Week = (String, Option<i64>, Option<(i64, i64, u64, crate::histogram::Histograms)>);
        let weeks: Vec<Week> = other.read(|connection| {
            let mut query = connection.prepare("SELECT place, name FROM places")?;
            let places = query.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
            let mut weeks = Vec::new();
            for (place, name) in places.collect::<rusqlite::Result<Vec<(i64, String)>>>()? {
                let sql = "SELECT from_secs FROM baseline_starts WHERE place = ?1";
                let start = connection.query_row(sql, [place], |row| row.get(0)).optional()?;
                weeks.push((name, start, baseline::find(connection, place)?));
            }
            Ok(weeks)
        })?;
        self.write(|transaction| {
            for (place, start, week) in weeks {
                let place = place_number(transaction, name(&place))?;
                let sql = "SELECT 1 FROM visits WHERE place = ?1";
                if transaction.prepare_cached(sql)?.exists([place])? {
                    continue;
                }
                if let Some(start) = start {
                    let sql = "INSERT OR IGNORE INTO baseline_starts VALUES (?1, ?2)";
                    transaction.execute(sql, params![place, start])?;
                }
                if let Some((from, to, visits, histograms)) = week {
                    let sql = "INSERT OR IGNORE INTO baselines VALUES (?1, ?2, ?3, ?4, ?5)";
                    let values = params![place, from, to, visits as i64, histograms.encode()];
                    transaction.execute(sql, values)?;
                }
            }
            Ok(())
        })
    }

    /// When policies changed.
    fn take_policies(&mut self, other: &Self) -> Result<(), JournalError> {
        let changes = other.read(|connection| {
            let sql = "SELECT name, at_secs, policy FROM policy_changes JOIN places USING (place) \
                       ORDER BY at_secs, policy_changes.rowid";
            let mut query = connection.prepare(sql)?;
            let changes = query.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
            changes.collect::<rusqlite::Result<Vec<(String, i64, String)>>>()
        })?;
        self.write(|transaction| {
            for (place, at_secs, policy) in changes {
                let place = place_number(transaction, name(&place))?;
                let sql = "INSERT INTO policy_changes SELECT ?1, ?2, ?3 WHERE NOT EXISTS \
                           (SELECT 1 FROM policy_changes \
                            WHERE place = ?1 AND at_secs = ?2 AND policy = ?3)";
                transaction.execute(sql, params![place, at_secs, policy])?;
            }
            Ok(())
        })
    }
}

/// The number of a journal's id among the origins, which it gets where it has none.
fn origin_number(transaction: &Transaction<'_>, journal: &str) -> rusqlite::Result<i64> {
    let find = "SELECT origin FROM origins WHERE journal = ?1";
    let known =
        transaction.prepare_cached(find)?.query_row([journal], |row| row.get(0)).optional()?;
    if let Some(number) = known {
        return Ok(number);
    }
    transaction.execute("INSERT INTO origins (journal) VALUES (?1)", [journal])?;
    Ok(transaction.last_insert_rowid())
}
