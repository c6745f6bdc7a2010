//! The file: opening, writing, forgetting.

use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::{Duration, Instant};

use rusqlite::{
    Connection, OpenFlags, OptionalExtension, Transaction, TransactionBehavior, params,
};

use crate::baseline;
use crate::error::JournalError;
use crate::observation::name;
use crate::recorder::Finished;
use crate::schema::{self, OWN, VERSION};
use crate::stored::Stored;

/// For how long a write or read waits for another program.
pub(crate) const BUSY: Duration = Duration::from_secs(2);

/// How long to wait before a file that another program holds is opened again.
const AGAIN: Duration = Duration::from_millis(10);

/// The most days that may be kept: ten years.
const MOST_RETENTION_DAYS: u32 = 3660;

/// The finest border between buckets.
const GRID_SECS: i64 = 900;

/// A journal: one SQLite file, and beside it a `-wal` and `-shm` while it is open.
///
/// One program writes, others may read at the same time. A finished bucket is on the disk when
/// [`Journal::append`] returns, whatever happens to the program or the power afterwards.
#[derive(Debug)]
pub struct Journal {
    path: PathBuf,
    connection: Connection,
    /// Device and inode of the file.
    pub(crate) file: Option<(u64, u64)>,
}

impl Journal {
    /// Opens a journal for writing, or begins one where no file is, and brings it to this version.
    ///
    /// # Errors
    /// If the file cannot be opened or is no journal, is damaged, or of a newer version. It is then
    /// left as it was.
    pub fn open(path: &Path) -> Result<Self, JournalError> {
        // SQLite does not wait by itself while another program makes the file ready.
        let end = Instant::now() + BUSY;
        loop {
            match Self::try_open(path) {
                Err(JournalError::Locked { .. }) if Instant::now() < end => sleep(AGAIN),
                opened => return opened,
            }
        }
    }

    fn try_open(path: &Path) -> Result<Self, JournalError> {
        let wrong = |error: rusqlite::Error| JournalError::of(path, &error);
        let mut journal =
            Self::connect(path, OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE)?;
        let version = journal.check()?;
        if journal.connection.is_readonly("main").map_err(wrong)? {
            return Err(JournalError::ReadOnly { path: path.to_owned() });
        }
        let connection = &mut journal.connection;
        if version == 0 {
            // Only before the first table.
            connection.pragma_update(None, "auto_vacuum", "INCREMENTAL").map_err(wrong)?;
        }
        // What is forgotten is overwritten, and a write is on the disk when it returns.
        connection.pragma_update(None, "secure_delete", true).map_err(wrong)?;
        connection.pragma_update(None, "synchronous", "FULL").map_err(wrong)?;
        connection.pragma_update(None, "temp_store", "MEMORY").map_err(wrong)?;
        connection.pragma_update(None, "foreign_keys", true).map_err(wrong)?;
        let mode = |row: &rusqlite::Row<'_>| row.get::<_, String>(0);
        connection.pragma_update_and_check(None, "journal_mode", "WAL", mode).map_err(wrong)?;
        if version < VERSION {
            let mut write = || -> rusqlite::Result<()> {
                let transaction =
                    connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
                // Another program may have done it in between.
                let (_, version) = schema::marks(&transaction)?;
                schema::migrate(&transaction, version)?;
                transaction.commit()
            };
            write().map_err(wrong)?;
        }
        Ok(journal)
    }

    /// Opens a journal for queries only, also while another program writes it.
    ///
    /// # Errors
    /// As [`Journal::open`]; also if there is no file, or one of an earlier version that nobody has
    /// opened for writing yet.
    pub fn open_read_only(path: &Path) -> Result<Self, JournalError> {
        let journal = Self::connect(path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
        match journal.check()? {
            VERSION => Ok(journal),
            found => Err(JournalError::NotAJournal {
                path: path.to_owned(),
                found: match found {
                    0 => "an empty file".to_owned(),
                    _ => format!(
                        "a journal of version {found}, which no program has brought to {VERSION}"
                    ),
                },
            }),
        }
    }

    fn connect(path: &Path, flags: OpenFlags) -> Result<Self, JournalError> {
        // No URIs: a file may be called `file:...`.
        let flags = flags | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(path, flags)
            .map_err(|error| JournalError::of(path, &error))?;
        connection.busy_timeout(BUSY).map_err(|error| JournalError::of(path, &error))?;
        Ok(Self { path: path.to_owned(), connection, file: identity(path) })
    }

    /// The version of the file, 0 of a new one, once it is sure that it is a sound journal.
    fn check(&self) -> Result<i64, JournalError> {
        let path = || self.path.clone();
        // At one moment: another program may begin the same file just now.
        let (application, version, tables) = self.read(|connection| {
            let (application, version) = schema::marks(connection)?;
            let sql = "SELECT count(*) FROM sqlite_schema";
            let tables: i64 = connection.query_row(sql, [], |row| row.get(0))?;
            Ok((application, version, tables))
        })?;
        if (application, version, tables) == (0, 0, 0) {
            return Ok(0);
        }
        if application != schema::APPLICATION_ID {
            let found = "an SQLite file of another program".to_owned();
            return Err(JournalError::NotAJournal { path: path(), found });
        }
        if version > VERSION {
            return Err(JournalError::TooNew { path: path(), found: version, known: VERSION });
        }
        let found: String = self.read(|connection| {
            connection.query_row("PRAGMA quick_check(1)", [], |row| row.get(0))
        })?;
        if found != "ok" {
            return Err(JournalError::Damaged { path: path(), found });
        }
        Ok(version)
    }

    /// Whether the file is still where it was opened: SQLite would write on into one that nobody can
    /// find.
    pub(crate) fn check_place(&self) -> Result<(), JournalError> {
        if identity(&self.path) == self.file {
            return Ok(());
        }
        let reason = "the file was moved, replaced or removed while it was open".to_owned();
        Err(JournalError::Io { path: self.path.clone(), reason })
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Writes the buckets that are finished. Where there are none, it does nothing. After an error
    /// they still wait in `finished`, and none of them is in the file; give them again later.
    ///
    /// # Errors
    /// If they cannot be written: see [`JournalError`].
    pub fn append(&mut self, finished: &mut Finished) -> Result<(), JournalError> {
        if finished.is_empty() {
            return Ok(());
        }
        self.write(|transaction| {
            for row in finished.rows() {
                let place = place_number(transaction, &row.place)?;
                Stored::of(&row.content).insert(transaction, place, OWN)?;
            }
            Ok(())
        })?;
        finished.clear();
        Ok(())
    }

    /// Notes that a place has another policy from now on, for
    /// [`Journal::compare`](crate::Journal::compare). `policy`: its name or fingerprint. The same
    /// again is no change.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn policy_changed(
        &mut self,
        place: &str,
        time: Duration,
        policy: &str,
    ) -> Result<(), JournalError> {
        let at_secs = time.as_secs() as i64 / GRID_SECS * GRID_SECS;
        self.write(|transaction| {
            let place = place_number(transaction, name(place))?;
            let sql = "SELECT policy FROM policy_changes WHERE place = ?1 \
                       ORDER BY at_secs DESC, rowid DESC LIMIT 1";
            let last: Option<String> =
                transaction.query_row(sql, [place], |row| row.get(0)).optional()?;
            if last.as_deref() != Some(name(policy)) {
                let sql = "INSERT INTO policy_changes VALUES (?1, ?2, ?3)";
                transaction.execute(sql, params![place, at_secs, name(policy)])?;
            }
            Ok(())
        })
    }

    /// Takes the week that begins now as what the place looks like, in place of its first week: for
    /// a camera that was moved, or another emotion network.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn reset_baseline(&mut self, place: &str, time: Duration) -> Result<(), JournalError> {
        let from_secs = time.as_secs() as i64 / GRID_SECS * GRID_SECS + GRID_SECS;
        self.write(|transaction| {
            let place = place_number(transaction, name(place))?;
            transaction.execute("DELETE FROM baselines WHERE place = ?1", [place])?;
            let sql = "INSERT OR REPLACE INTO baseline_starts VALUES (?1, ?2)";
            transaction.execute(sql, params![place, from_secs]).map(|_| ())
        })
    }

    /// Forgets the buckets that ended more than so many days before this time, and overwrites
    /// them in the file. The sums of a place's first week stay as what drift is measured against.
    /// Gives how many buckets were forgotten.
    ///
    /// # Errors
    /// If they cannot be removed, or the days are not 1 to 3660.
    pub fn keep_days(&mut self, days: u32, now: Duration) -> Result<usize, JournalError> {
        check_retention(days)?;
        let before = now.as_secs() as i64 - i64::from(days) * 86_400;
        let forgotten = self.write(|transaction| {
            baseline::freeze_all(transaction)?;
            let mut forgotten = 0;
            for table in ["visits", "answers", "ratings", "health"] {
                let sql = format!("DELETE FROM {table} WHERE to_secs < ?1");
                forgotten += transaction.execute(&sql, [before])?;
            }
            // The last change says which policy holds.
            let sql = "DELETE FROM policy_changes WHERE at_secs < ?1 AND rowid NOT IN \
                       (SELECT max(rowid) FROM policy_changes GROUP BY place)";
            transaction.execute(sql, [before])?;
            Ok(forgotten)
        })?;
        if forgotten > 0 {
            // Old versions of the pages are in the WAL until it is emptied.
            let empty = || {
                self.connection.execute_batch("PRAGMA incremental_vacuum")?;
                self.connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))
            };
            empty().map_err(|error| JournalError::of(&self.path, &error))?;
        }
        Ok(forgotten)
    }

    pub(crate) fn write<T>(
        &mut self,
        change: impl FnOnce(&Transaction<'_>) -> rusqlite::Result<T>,
    ) -> Result<T, JournalError> {
        self.check_place()?;
        let write = || {
            let transaction =
                self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            let result = change(&transaction)?;
            transaction.commit()?;
            Ok(result)
        };
        write().map_err(|error| JournalError::of(&self.path, &error))
    }

    /// Everything that is read sees the file as it is at one moment.
    pub(crate) fn read<T>(
        &self,
        query: impl FnOnce(&Connection) -> rusqlite::Result<T>,
    ) -> Result<T, JournalError> {
        let read = || query(&*self.connection.unchecked_transaction()?);
        read().map_err(|error| JournalError::of(&self.path, &error))
    }
}

/// # Errors
/// [`JournalError::RetentionDays`] for a number of days that is not offered.
pub(crate) fn check_retention(days: u32) -> Result<(), JournalError> {
    match (1..=MOST_RETENTION_DAYS).contains(&days) {
        true => Ok(()),
        false => Err(JournalError::RetentionDays { found: days, most: MOST_RETENTION_DAYS }),
    }
}

/// Which file is at a path; nothing where none is.
pub(crate) fn identity(path: &Path) -> Option<(u64, u64)> {
    std::fs::metadata(path).ok().map(|found| (found.dev(), found.ino()))
}

/// The number of a place in the file, which it gets where it has none.
pub(crate) fn place_number(transaction: &Transaction<'_>, place: &str) -> rusqlite::Result<i64> {
    let find = "SELECT place FROM places WHERE name = ?1";
    let known =
        transaction.prepare_cached(find)?.query_row([place], |row| row.get(0)).optional()?;
    if let Some(number) = known {
        return Ok(number);
    }
    transaction.execute("INSERT INTO places (name) VALUES (?1)", [place])?;
    Ok(transaction.last_insert_rowid())
}
