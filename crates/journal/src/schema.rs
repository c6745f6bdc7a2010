//! The tables of the file, and how a file of an earlier version gets them.
//!
//! Times are whole seconds since 1970 began in UTC, at borders between buckets. `*_n`: visits that
//! the figure rests on; where they would be fewer than ten, the figure is NULL. The file itself
//! refuses anything else, whatever program writes it.

use rusqlite::{Connection, Transaction};

/// Marks the file as a journal: "RapJ".
pub(crate) const APPLICATION_ID: i64 = 0x5261_704a;

/// Each brings a file from the version of its index to the next one. Never change one that was
/// released.
pub(crate) const MIGRATIONS: [&str; 3] = [FIRST, BASELINES, ORIGINS];

/// The version that this program writes.
pub(crate) const VERSION: i64 = MIGRATIONS.len() as i64;

const FIRST: &str = "
CREATE TABLE places (
    place INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE
);
CREATE TABLE visits (
    place INTEGER NOT NULL REFERENCES places,
    from_secs INTEGER NOT NULL CHECK (from_secs % 900 = 0),
    to_secs INTEGER NOT NULL CHECK (to_secs % 900 = 0 AND to_secs - from_secs >= 900),
    view_n INTEGER NOT NULL CHECK (view_n >= 10),
    view_sum REAL NOT NULL, view_squares REAL NOT NULL,
    engaged_n INTEGER CHECK (engaged_n >= 10), engaged INTEGER, engaged_secs REAL,
    shown_n INTEGER CHECK (shown_n >= 10),
    angry_secs REAL, disgust_secs REAL, fear_secs REAL, happy_secs REAL, neutral_secs REAL,
    sad_secs REAL, surprise_secs REAL, contempt_secs REAL, unsure_secs REAL,
    smile_n INTEGER CHECK (smile_n >= 10), smiles INTEGER,
    peak_n INTEGER CHECK (peak_n >= 10), peak_sum REAL, peak_squares REAL,
    end_n INTEGER CHECK (end_n >= 10), end_sum REAL, end_squares REAL,
    confidence_n INTEGER CHECK (confidence_n >= 10), confidence_sum REAL, confidence_squares REAL,
    histograms BLOB NOT NULL
);
CREATE INDEX visits_by_time ON visits (place, from_secs);
CREATE TABLE answers (
    place INTEGER NOT NULL REFERENCES places,
    from_secs INTEGER NOT NULL CHECK (from_secs % 900 = 0),
    to_secs INTEGER NOT NULL CHECK (to_secs % 900 = 0 AND to_secs - from_secs >= 900),
    rule TEXT NOT NULL,
    visits INTEGER NOT NULL CHECK (visits >= 10), times INTEGER NOT NULL,
    followed_n INTEGER CHECK (followed_n >= 10),
    before_sum REAL, before_squares REAL, change_sum REAL, change_squares REAL,
    smiling_before INTEGER, smiling_after INTEGER
);
CREATE INDEX answers_by_time ON answers (place, from_secs);
CREATE TABLE ratings (
    place INTEGER NOT NULL REFERENCES places,
    from_secs INTEGER NOT NULL CHECK (from_secs % 900 = 0),
    to_secs INTEGER NOT NULL CHECK (to_secs % 900 = 0 AND to_secs - from_secs >= 900),
    ones INTEGER NOT NULL, twos INTEGER NOT NULL, threes INTEGER NOT NULL, fours INTEGER NOT NULL,
    fives INTEGER NOT NULL,
    CHECK (ones + twos + threes + fours + fives >= 10)
);
CREATE INDEX ratings_by_time ON ratings (place, from_secs);
CREATE TABLE health (
    place INTEGER NOT NULL REFERENCES places,
    from_secs INTEGER NOT NULL CHECK (from_secs % 900 = 0),
    to_secs INTEGER NOT NULL CHECK (to_secs % 900 = 0 AND to_secs - from_secs >= 900),
    images INTEGER NOT NULL, lost_images INTEGER NOT NULL, errors INTEGER NOT NULL,
    watched_secs REAL NOT NULL, paused_secs REAL NOT NULL
);
CREATE INDEX health_by_time ON health (place, from_secs);
";

/// What each place looked like in its first week, kept when the week itself is no more; and when
/// the policy changed.
const BASELINES: &str = "
CREATE TABLE baselines (
    place INTEGER PRIMARY KEY REFERENCES places,
    from_secs INTEGER NOT NULL CHECK (from_secs % 900 = 0),
    to_secs INTEGER NOT NULL CHECK (to_secs % 900 = 0),
    visits INTEGER NOT NULL CHECK (visits >= 10),
    histograms BLOB NOT NULL
);
CREATE TABLE baseline_starts (
    place INTEGER PRIMARY KEY REFERENCES places,
    from_secs INTEGER NOT NULL CHECK (from_secs % 900 = 0)
);
CREATE TABLE policy_changes (
    place INTEGER NOT NULL REFERENCES places,
    at_secs INTEGER NOT NULL CHECK (at_secs % 900 = 0),
    policy TEXT NOT NULL
);
CREATE INDEX policy_changes_by_time ON policy_changes (place, at_secs);
";

/// Which journal each bucket was written to first, so that merging the same journal again adds
/// nothing. A journal's id is random; it tells nothing of the machine.
const ORIGINS: &str = "
CREATE TABLE origins (
    origin INTEGER PRIMARY KEY,
    journal TEXT NOT NULL UNIQUE
);
INSERT INTO origins VALUES (1, lower(hex(randomblob(16))));
ALTER TABLE visits ADD COLUMN origin INTEGER NOT NULL DEFAULT 1;
ALTER TABLE answers ADD COLUMN origin INTEGER NOT NULL DEFAULT 1;
ALTER TABLE ratings ADD COLUMN origin INTEGER NOT NULL DEFAULT 1;
ALTER TABLE health ADD COLUMN origin INTEGER NOT NULL DEFAULT 1;
";

/// The origin of what was written to this journal first.
pub(crate) const OWN: i64 = 1;

/// Brings an open transaction's file from a version to [`VERSION`].
pub(crate) fn migrate(transaction: &Transaction<'_>, from: i64) -> rusqlite::Result<()> {
    for step in MIGRATIONS.iter().skip(usize::try_from(from).unwrap_or(0)) {
        transaction.execute_batch(step)?;
    }
    transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
    transaction.pragma_update(None, "user_version", VERSION)
}

/// The application id and version of a file; both 0 of a new one.
pub(crate) fn marks(connection: &Connection) -> rusqlite::Result<(i64, i64)> {
    let mark = |name| connection.pragma_query_value(None, name, |row| row.get(0));
    Ok((mark("application_id")?, mark("user_version")?))
}
