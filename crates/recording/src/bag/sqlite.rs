//! sqlite3 files (`.db3`), read row by row.

use std::collections::{HashMap, VecDeque};
use std::fs::File;
use std::io::Read;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use rusqlite::types::FromSqlError;
use rusqlite::{Connection, OpenFlags, OptionalExtension, Row};

use super::compression::decompress_message;
use super::error::{BagError, BagWarning};
use super::qos::Qos;
use super::salvage::{Salvage, page_bytes};
use super::types::{CDR, FileInfo, FileTopic, Message, ReadSoFar, Recorded, Topic, Wanted};

/// The topics of a file, the times of its first and last message, and how many there are.
pub(super) fn inspect(path: &Path) -> Result<FileInfo, BagError> {
    let database = Database::open(path)?;
    let topics = database.topics()?;
    let (counts, bounds_ns) = match database.salvage() {
        Some(rows) => count_salvaged(rows?),
        // What a damaged file does not tell is found while its messages are read.
        None => (database.count_messages(), database.bounds_ns()),
    };
    let count = |id: i64| counts.as_ref().map(|counts| counts.get(&id).copied().unwrap_or(0));
    let with_count = |(id, mut found): (i64, FileTopic)| {
        found.topic.message_count = count(id);
        found
    };
    Ok(FileInfo { topics: topics.into_iter().map(with_count).collect(), bounds_ns })
}

/// Messages of each topic by its number in the file, where they could be counted.
type Counts = Option<HashMap<i64, u64>>;

fn count_salvaged(rows: Salvage) -> (Counts, Option<(i64, i64)>) {
    let mut counts: HashMap<i64, u64> = HashMap::new();
    let mut bounds: Option<(i64, i64)> = None;
    for row in rows {
        *counts.entry(row.topic_id).or_default() += 1;
        let (first, last) = bounds.get_or_insert((row.timestamp_ns, row.timestamp_ns));
        (*first, *last) = ((*first).min(row.timestamp_ns), (*last).max(row.timestamp_ns));
    }
    (Some(counts), bounds)
}

/// An open recording.
struct Database {
    connection: Connection,
    path: PathBuf,
    header: [u8; 100],
    /// The length on disk, in bytes.
    length: u64,
    /// Whether the file is shorter than its header says.
    is_cut: bool,
}

impl Database {
    fn open(path: &Path) -> Result<Self, BagError> {
        let io = |error| BagError::io(path, error);
        let mut header = [0; 100];
        let mut file = File::open(path).map_err(io)?;
        let length = file.metadata().map_err(io)?.len();
        file.read_exact(&mut header).map_err(io)?;
        let is_cut = length < length_by_header(&header);

        let connection = connect(path).map_err(|error| wrong(path, &error))?;
        if is_cut {
            // Otherwise sqlite3 refuses every page of a file that is too short.
            connection
                .pragma_update(None, "writable_schema", true)
                .map_err(|error| wrong(path, &error))?;
        }
        let database = Self { connection, path: path.to_owned(), length, is_cut, header };
        for (table, columns) in [
            ("topics", &["id", "name", "type"][..]),
            ("messages", &["topic_id", "timestamp", "data"]),
        ] {
            let found = database.columns(table)?;
            if found.is_empty() {
                let found = format!("no table `{table}`");
                return Err(BagError::Sqlite { path: path.to_owned(), found });
            }
            if let Some(missing) = columns.iter().find(|name| !found.iter().any(|c| c == *name)) {
                let found = format!("no column `{missing}` in the table `{table}`");
                return Err(BagError::Sqlite { path: path.to_owned(), found });
            }
        }
        Ok(database)
    }

    fn columns(&self, table: &str) -> Result<Vec<String>, BagError> {
        let wrong = |error| wrong(&self.path, &error);
        let mut query =
            self.connection.prepare("SELECT name FROM pragma_table_info(?1)").map_err(wrong)?;
        let names = query.query_map([table], |row| row.get(0)).map_err(wrong)?;
        names.collect::<Result<_, _>>().map_err(wrong)
    }

    /// The topics by the number that messages use for them.
    fn topics(&self) -> Result<Vec<(i64, FileTopic)>, BagError> {
        let wrong = |error| wrong(&self.path, &error);
        // Columns that early versions of rosbag2 do not have.
        let columns = self.columns("topics")?;
        let or = |name: &str, otherwise: &str| {
            let there = columns.iter().any(|column| column == name);
            if there { name.to_owned() } else { format!("'{otherwise}'") }
        };
        let sql = format!(
            "SELECT id, name, type, {}, {}, {} FROM topics ORDER BY id",
            or("serialization_format", "cdr"),
            or("offered_qos_profiles", ""),
            or("type_description_hash", ""),
        );
        let definitions = self.definitions();
        let mut query = self.connection.prepare(&sql).map_err(wrong)?;
        let topic = |row: &Row<'_>| {
            // Columns that a later version of rosbag2 added may be empty.
            let text = |column| row.get(column).map(Option::<String>::unwrap_or_default);
            let type_name: String = row.get(2)?;
            let offered_qos_yaml = text(4)?;
            let (definition_encoding, definition) =
                definitions.get(&type_name).cloned().unwrap_or_default();
            let topic = Topic {
                name: row.get(1)?,
                type_name,
                message_count: None,
                offered_qos: Qos::parse_list(&offered_qos_yaml).unwrap_or_default(),
                recorded: Recorded {
                    offered_qos_yaml,
                    type_hash: text(5)?,
                    definition_encoding,
                    definition,
                },
            };
            Ok((row.get(0)?, FileTopic { topic, serialization: row.get(3)? }))
        };
        let topics = query.query_map([], topic).map_err(wrong)?;
        topics.collect::<Result<_, _>>().map_err(wrong)
    }

    /// Language and text of each type's definition, which recorders since ROS 2 Iron write.
    fn definitions(&self) -> HashMap<String, (String, String)> {
        let read = || -> rusqlite::Result<_> {
            let sql = "SELECT topic_type, encoding, encoded_message_definition \
                       FROM message_definitions";
            let mut query = self.connection.prepare(sql)?;
            let rows = query.query_map([], |row| Ok((row.get(0)?, (row.get(1)?, row.get(2)?))))?;
            rows.collect()
        };
        // Without them the messages are read all the same.
        read().unwrap_or_default()
    }

    /// The rows of a file that was cut off, past what sqlite3 finds; `None` for any other file.
    fn salvage(&self) -> Option<Result<Salvage, BagError>> {
        self.is_cut.then(|| {
            let file = File::open(&self.path).map_err(|error| BagError::io(&self.path, error))?;
            Ok(Salvage::new(file, &self.header, self.length))
        })
    }

    fn bounds_ns(&self) -> Option<(i64, i64)> {
        let sql = "SELECT min(timestamp), max(timestamp) FROM messages";
        self.connection.query_row(sql, [], |row| Ok((row.get(0)?, row.get(1)?))).ok()
    }

    fn count_messages(&self) -> Counts {
        let sql = "SELECT topic_id, count(*) FROM messages GROUP BY topic_id";
        let mut query = self.connection.prepare(sql).ok()?;
        let counts = query
            .query_map([], |row| Ok((row.get(0)?, row.get::<_, i64>(1)?.unsigned_abs())))
            .ok()?;
        counts.collect::<Result<_, _>>().ok()
    }

    /// Whether an index lets messages be read by time without sorting them all first.
    fn has_time_index(&self) -> bool {
        let sql = "SELECT 1 FROM pragma_index_list('messages') AS list, \
                   pragma_index_info(list.name) AS column \
                   WHERE column.seqno = 0 AND column.name = 'timestamp'";
        self.connection.query_row(sql, [], |_| Ok(())).optional().ok().flatten().is_some()
    }
}

/// The messages of one file in order of time; in order of writing where the file is cut or has
/// no index on time.
pub(super) struct SqliteMessages {
    database: Database,
    /// The wanted topics by their numbers in the file: index in the recording, and name.
    topics: HashMap<i64, (usize, String)>,
    sql: &'static str,
    /// What to read instead of asking sqlite3.
    salvage: Option<Salvage>,
    /// Timestamp and row of the last message read.
    last: (i64, i64),
    so_far: ReadSoFar,
    done: bool,
    /// What is left to say once all is read.
    warnings: VecDeque<BagWarning>,
}

/// With the index on time, `(timestamp, rowid)` is the order of that index.
const BY_TIME: &str = "SELECT timestamp, rowid, topic_id, data FROM messages \
                       WHERE (timestamp, rowid) > (?1, ?2) ORDER BY timestamp, rowid LIMIT 1";
const BY_ROW: &str = "SELECT timestamp, rowid, topic_id, data FROM messages \
                      WHERE ?1 IS NOT NULL AND rowid > ?2 ORDER BY rowid LIMIT 1";

impl SqliteMessages {
    pub fn open(path: &Path, wanted: Wanted) -> Result<Self, BagError> {
        let database = Database::open(path)?;
        let topics = database
            .topics()?
            .into_iter()
            .filter(|(_, found)| found.serialization == CDR)
            .filter_map(|(id, FileTopic { topic, .. })| {
                Some((id, (wanted.get(&topic.name, &topic.type_name)?, topic.name)))
            })
            .collect();
        let salvage = database.salvage().transpose()?;
        let by_time = salvage.is_none() && database.has_time_index();
        Ok(Self {
            topics,
            sql: if by_time { BY_TIME } else { BY_ROW },
            salvage,
            database,
            last: (i64::MIN, i64::MIN),
            so_far: ReadSoFar::default(),
            done: false,
            warnings: VecDeque::new(),
        })
    }

    fn read(&mut self) -> rusqlite::Result<Option<Message>> {
        let Self { topics, so_far, .. } = self;
        // The message of a row, if its topic is wanted and its data can be used.
        let mut message = |topic_id: i64, log_time_ns: i64, stored: Result<&[u8], FromSqlError>| {
            so_far.count(log_time_ns);
            let (topic, name) = topics.get(&topic_id)?;
            let data = match stored.map(decompress_message) {
                Ok(Ok(data)) => data,
                Ok(Err(error)) => return so_far.skip(name, error),
                Err(error) => return so_far.skip(name, error),
            };
            Some(Message { topic: *topic, log_time_ns, publish_time_ns: log_time_ns, data })
        };
        if let Some(rows) = &mut self.salvage {
            return Ok(rows
                .find_map(|row| message(row.topic_id, row.timestamp_ns, Ok(row.data.as_slice()))));
        }
        let mut query = self.database.connection.prepare_cached(self.sql)?;
        loop {
            let mut rows = query.query(self.last)?;
            let Some(row) = rows.next()? else {
                return Ok(None);
            };
            self.last = (row.get(0)?, row.get(1)?);
            let found = message(row.get(2)?, self.last.0, row.get_ref(3)?.as_bytes());
            if found.is_some() {
                return Ok(found);
            }
        }
    }

    fn warning(&self, error: Option<&rusqlite::Error>) -> Option<BagWarning> {
        let path = self.database.path.clone();
        let ReadSoFar { messages, last_log_time_ns, .. } = self.so_far;
        let at_byte = self.database.length;
        if self.database.is_cut {
            return Some(BagWarning::Cut { path, at_byte, messages, last_log_time_ns });
        }
        let reason = error?.to_string();
        Some(BagWarning::Damaged { path, at_byte, reason, messages, last_log_time_ns })
    }
}

impl Iterator for SqliteMessages {
    type Item = Result<Message, BagWarning>;

    fn next(&mut self) -> Option<Self::Item> {
        if !self.done {
            let error = match self.read() {
                Ok(Some(message)) => return Some(Ok(message)),
                Ok(None) => None,
                Err(error) => Some(error),
            };
            self.done = true;
            self.warnings.extend(self.warning(error.as_ref()));
            self.warnings.extend(self.so_far.warnings(&self.database.path));
        }
        self.warnings.pop_front().map(Err)
    }
}

/// Opens a file so that nothing is written beside it.
fn connect(path: &Path) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY
        | OpenFlags::SQLITE_OPEN_URI
        | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    // Messages that the recorder had not yet moved from its log into the file are read too, for
    // which sqlite3 needs to lock; otherwise the file is taken as it is.
    let mut log = path.as_os_str().to_owned();
    log.push("-wal");
    let has_log = std::fs::metadata(log).is_ok_and(|log| log.len() > 0);
    let mode = if has_log { "" } else { "?immutable=1" };
    let connection = Connection::open_with_flags(format!("file:{}{mode}", encoded(path)), flags)?;
    connection.pragma_update(None, "trusted_schema", false)?;
    Ok(connection)
}

/// The path as it must stand in a URI.
fn encoded(path: &Path) -> String {
    use std::fmt::Write;

    let mut uri = String::new();
    for &byte in path.as_os_str().as_bytes() {
        if byte.is_ascii_alphanumeric() || b"/._-".contains(&byte) {
            uri.push(char::from(byte));
        } else {
            // Writing to a String does not fail.
            let _ = write!(uri, "%{byte:02X}");
        }
    }
    uri
}

/// Size of a page times number of pages.
fn length_by_header(header: &[u8; 100]) -> u64 {
    let pages = u32::from_be_bytes([header[28], header[29], header[30], header[31]]);
    // The number of pages is only valid where it was written with the last change.
    let is_valid = header[24..28] == header[92..96];
    if is_valid { page_bytes(header) as u64 * u64::from(pages) } else { 0 }
}

fn wrong(path: &Path, error: &rusqlite::Error) -> BagError {
    BagError::Sqlite { path: path.to_owned(), found: format!("`{error}`") }
}
