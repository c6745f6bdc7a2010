//! Writes and reads the journal of a server.

use std::collections::BTreeSet;
use std::fmt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rapport_journal::{
    BucketFigures, Journal, JournalError, JournalWriter, Observation, WriterOptions, WriterStatus,
};

use super::JournalOptions;
use super::status::{Alert, JournalStatus, SharedAlerts};
use super::taps::Taps;
use crate::problem::Problem;

/// Connections for reading that are kept open.
const READERS: usize = 4;

type Subscriber = Box<dyn FnMut(&BucketFigures) + Send>;
type Subscribers = Arc<Mutex<Vec<Subscriber>>>;

/// A journal that a server keeps: what is observed goes in, pages ask, and others hear of finished
/// buckets.
pub struct JournalService {
    options: JournalOptions,
    /// Nothing once it is closed.
    writer: RwLock<Option<JournalWriter>>,
    /// How the writing went when it was closed.
    closed: Mutex<WriterStatus>,
    subscribers: Subscribers,
    alerts: SharedAlerts,
    readers: Arc<Readers>,
    /// Places that are observed by this program.
    pub(super) observed: Mutex<BTreeSet<String>>,
    pub(super) taps: Taps,
}

impl fmt::Debug for JournalService {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JournalService").field("options", &self.options).finish_non_exhaustive()
    }
}

impl JournalService {
    /// Opens the file, or begins it, and starts the thread that writes it.
    ///
    /// # Errors
    /// If the file cannot be opened, is no journal, or an option is out of range.
    pub fn open(options: JournalOptions) -> Result<Arc<Self>, JournalError> {
        let subscribers = Subscribers::default();
        let told = subscribers.clone();
        let tell = move |bucket: BucketFigures| {
            lock(&told).iter_mut().for_each(|subscriber| subscriber(&bucket));
        };
        let JournalOptions { ref file, bucket_minutes, retention_days, .. } = options;
        let how = WriterOptions { bucket_minutes, retention_days };
        let writer = JournalWriter::open(file, &how, tell)?;
        Ok(Arc::new(Self {
            readers: Arc::new(Readers {
                path: file.clone(),
                idle: Mutex::default(),
                keeps: RwLock::new(true),
            }),
            observed: Mutex::new(options.place.iter().cloned().collect()),
            taps: Taps::default(),
            options,
            writer: RwLock::new(Some(writer)),
            closed: Mutex::default(),
            subscribers,
            alerts: SharedAlerts::default(),
        }))
    }

    /// How it is kept.
    pub fn options(&self) -> &JournalOptions {
        &self.options
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.options.file
    }

    /// Takes in an observation. Never waits for the disk; after [`Self::close`] it does nothing.
    pub fn take(&self, observation: &Observation<'_>) {
        let writer = self.writer.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(writer) = &*writer {
            writer.take(observation);
        }
    }

    /// Calls this for every bucket that is written from now on, on the thread of the journal: it must
    /// not wait for anything. No bucket under ten visits is ever among them.
    pub fn on_bucket(&self, subscriber: impl FnMut(&BucketFigures) + Send + 'static) {
        lock(&self.subscribers).push(Box::new(subscriber));
    }

    /// How the writing goes.
    pub fn writer_status(&self) -> WriterStatus {
        let writer = self.writer.read().unwrap_or_else(PoisonError::into_inner);
        writer.as_ref().map_or_else(|| lock(&self.closed).clone(), JournalWriter::status)
    }

    /// How the journal is, for pages and those that watch it.
    pub fn status(&self) -> JournalStatus {
        JournalStatus::of(&self.options, self.writer_status(), self.alerts.all())
    }

    /// Replaces the alerts that stand, for [`Self::status`].
    pub fn set_alerts(&self, alerts: Vec<Alert>) {
        self.alerts.set(alerts);
    }

    /// Asks the file on a thread where that may take its time.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub async fn read<T, E>(
        &self,
        query: impl FnOnce(&Journal) -> Result<T, E> + Send + 'static,
    ) -> Result<T, Problem>
    where
        T: Send + 'static,
        E: From<JournalError> + Into<Problem> + Send + 'static,
    {
        let readers = self.readers.clone();
        let task = tokio::task::spawn_blocking(move || readers.read(query));
        match task.await {
            Ok(result) => result.map_err(Into::into),
            Err(_) => {
                Err(Problem::internal("the query of the journal met a mistake in the server"))
            }
        }
    }

    /// The same on this thread, which waits for the disk.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub fn read_now<T>(
        &self,
        query: impl FnOnce(&Journal) -> Result<T, JournalError>,
    ) -> Result<T, JournalError> {
        self.readers.read(query)
    }

    /// Ends all visits and buckets, writes what may be written and ends the thread: before the
    /// program ends. Waits for the disk.
    pub fn close(&self) -> WriterStatus {
        // SQLite tidies up with the last connection, and that must be the writer's.
        let mut keeps = self.readers.keeps.write().unwrap_or_else(PoisonError::into_inner);
        *keeps = false;
        lock(&self.readers.idle).clear();
        let writer = self.writer.write().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(writer) = writer {
            *lock(&self.closed) = writer.close();
        }
        lock(&self.closed).clone()
    }
}

impl From<JournalError> for Problem {
    fn from(error: JournalError) -> Self {
        // It names files of the server.
        tracing::error!("{error}");
        match error {
            JournalError::Locked { .. } => {
                Self::busy("another program holds the journal").retry_after_secs(5)
            }
            _ => Self::journal("the journal cannot be read; the server's log says more"),
        }
    }
}

/// Connections for reading: opening one checks the whole file.
#[derive(Debug)]
struct Readers {
    path: PathBuf,
    /// Each with the device and inode of its file.
    idle: Mutex<Vec<((u64, u64), Journal)>>,
    /// Whether connections are kept; not once the journal is closed. Locked while one is in use.
    keeps: RwLock<bool>,
}

impl Readers {
    fn read<T, E: From<JournalError>>(
        &self,
        query: impl FnOnce(&Journal) -> Result<T, E>,
    ) -> Result<T, E> {
        let keeps = self.keeps.read().unwrap_or_else(PoisonError::into_inner);
        // A file that was moved away and replaced is another one.
        let file = std::fs::metadata(&self.path).ok().map(|found| (found.dev(), found.ino()));
        let known = |(id, journal): ((u64, u64), Journal)| (Some(id) == file).then_some(journal);
        let idle = lock(&self.idle).pop().and_then(known);
        let journal = idle.map_or_else(|| Journal::open_read_only(&self.path), Ok)?;
        let answer = query(&journal)?;
        let mut idle = lock(&self.idle);
        if let Some(file) = file
            && *keeps
            && idle.len() < READERS
        {
            idle.push((file, journal));
        }
        Ok(answer)
    }
}

/// After a panic of another thread what is inside is still whole.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Now, since 1970 began in UTC.
pub fn now() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}
