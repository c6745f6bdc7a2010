//! A recorder and a journal with a thread of its own: what observes never waits for the disk.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crate::error::JournalError;
use crate::figures::BucketFigures;
use crate::journal::{Journal, check_retention};
use crate::observation::{AnswerGiven, HealthCounts, ImageSeen, Rating};
use crate::recorder::{Finished, LEAST_BUCKET_MINUTES, Recorder};

/// How long an unwritable file is left alone.
const RETRY: Duration = Duration::from_secs(30);
/// How often buckets are ended where no image comes.
const TICK: Duration = Duration::from_secs(1);
/// What is too old is forgotten once in this time.
const FORGET_EVERY: Duration = Duration::from_secs(3600);

/// How a journal is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WriterOptions {
    /// Length of a bucket: 15 minutes, or a multiple of it that divides the day.
    pub bucket_minutes: u32,
    /// After how many days a bucket is forgotten: 1 to 3660. With fewer than 8 no first week is
    /// ever complete, so there is no drift.
    pub retention_days: u32,
}

/// 15 minutes, kept for a year and a month.
impl Default for WriterOptions {
    fn default() -> Self {
        Self { bucket_minutes: LEAST_BUCKET_MINUTES, retention_days: 396 }
    }
}

/// How the writing goes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct WriterStatus {
    /// Why the last attempt failed; nothing where it did not. It is tried again every 30 s.
    pub error: Option<String>,
    /// Finished buckets that wait because of it.
    pub waiting: usize,
    /// Finished buckets that were dropped because of it: more than 10,000 waited.
    pub dropped: u64,
}

/// Anything that is observed.
#[derive(Debug, Clone, Copy)]
pub enum Observation<'a> {
    /// See [`Recorder::see`].
    Image(ImageSeen<'a>),
    /// See [`Recorder::answer`].
    Answer(AnswerGiven<'a>),
    /// See [`Recorder::rate`].
    Rating {
        /// The place, as the operator calls it.
        place: &'a str,
        /// When, since 1970 began in UTC.
        time: Duration,
        /// What was tapped.
        rating: Rating,
    },
    /// See [`Recorder::health`].
    Health {
        /// The place, as the operator calls it.
        place: &'a str,
        /// When, since 1970 began in UTC.
        time: Duration,
        /// Since the last call.
        counts: HealthCounts,
    },
    /// See [`Journal::policy_changed`].
    Policy {
        /// The place, as the operator calls it.
        place: &'a str,
        /// When, since 1970 began in UTC.
        time: Duration,
        /// Name or fingerprint of the policy.
        policy: &'a str,
    },
}

impl Observation<'_> {
    fn time(&self) -> Duration {
        match self {
            Self::Image(image) => image.time,
            Self::Answer(answer) => answer.time,
            Self::Rating { time, .. } | Self::Health { time, .. } | Self::Policy { time, .. } => {
                *time
            }
        }
    }
}

/// Keeps a journal on a thread of its own. [`JournalWriter::take`] never waits for the disk. Errors
/// go to [`JournalWriter::status`] and once to the log; observing goes on, and what is finished is
/// written when the file can be again. Ends everything where it is dropped.
#[derive(Debug)]
pub struct JournalWriter {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Debug)]
struct Shared {
    memory: Mutex<Memory>,
    wake: Condvar,
}

#[derive(Debug)]
struct Memory {
    recorder: Recorder,
    policies: Vec<(String, Duration, String)>,
    /// The newest time observed, and when that was.
    newest: Option<(Duration, Instant)>,
    status: WriterStatus,
    is_closed: bool,
}

impl JournalWriter {
    /// Opens the file as [`Journal::open`] does and starts the thread. Each bucket that
    /// is written is then given to `written`, on that thread: for those that pass it on.
    ///
    /// # Errors
    /// If the file cannot be opened, or an option is out of range.
    pub fn open(
        path: &Path,
        options: &WriterOptions,
        written: impl FnMut(BucketFigures) + Send + 'static,
    ) -> Result<Self, JournalError> {
        let recorder = Recorder::new(options.bucket_minutes)?;
        check_retention(options.retention_days)?;
        let journal = Journal::open(path)?;
        let memory = Memory {
            recorder,
            policies: Vec::new(),
            newest: None,
            status: WriterStatus::default(),
            is_closed: false,
        };
        let shared = Arc::new(Shared { memory: Mutex::new(memory), wake: Condvar::new() });
        let mut worker = Worker {
            shared: shared.clone(),
            path: path.to_owned(),
            retention_days: options.retention_days,
            journal: Some(journal),
            finished: Finished::default(),
            policies: Vec::new(),
            retry: None,
            forgotten: None,
            written: Box::new(written),
        };
        let thread = std::thread::Builder::new()
            .name("journal".to_owned())
            .spawn(move || worker.run())
            .map_err(|error| JournalError::Other {
                path: path.to_owned(),
                reason: format!("cannot start a thread: {error}"),
            })?;
        Ok(Self { shared, thread: Some(thread) })
    }

    /// Takes in an observation.
    pub fn take(&self, observation: &Observation<'_>) {
        let mut memory = self.shared.lock();
        let time = observation.time();
        let memory_of = &mut *memory;
        match *observation {
            Observation::Image(ref image) => memory_of.recorder.see(image),
            Observation::Answer(ref answer) => memory_of.recorder.answer(answer),
            Observation::Rating { place, time, rating } => {
                memory_of.recorder.rate(place, time, rating);
            }
            Observation::Health { place, time, counts } => {
                memory_of.recorder.health(place, time, counts);
            }
            Observation::Policy { place, time, policy } => {
                memory_of.policies.push((place.to_owned(), time, policy.to_owned()));
            }
        }
        memory.newest = Some((time, Instant::now()));
        if !memory.recorder.finished().is_empty() || !memory.policies.is_empty() {
            self.shared.wake.notify_one();
        }
    }

    /// How the writing goes.
    pub fn status(&self) -> WriterStatus {
        self.shared.lock().status.clone()
    }

    /// Ends all visits and buckets, writes what may be written, and ends the thread. Gives how that
    /// went.
    pub fn close(mut self) -> WriterStatus {
        self.end();
        self.status()
    }

    fn end(&mut self) {
        self.shared.lock().is_closed = true;
        self.shared.wake.notify_one();
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the journal's thread panicked");
        }
    }
}

impl Drop for JournalWriter {
    fn drop(&mut self) {
        self.end();
    }
}

impl Shared {
    /// After a panic of another thread the sums are still sums.
    fn lock(&self) -> MutexGuard<'_, Memory> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What the thread holds. The file is written without the lock.
struct Worker {
    shared: Arc<Shared>,
    path: PathBuf,
    retention_days: u32,
    /// Nothing after an error: it is opened again, in case the file was moved or replaced.
    journal: Option<Journal>,
    finished: Finished,
    policies: Vec<(String, Duration, String)>,
    /// Not before this.
    retry: Option<Instant>,
    /// When old buckets were last forgotten.
    forgotten: Option<Instant>,
    written: Box<dyn FnMut(BucketFigures) + Send>,
}

impl Worker {
    fn run(&mut self) {
        loop {
            let (time, is_closed) = self.wait();
            let may_try = is_closed || self.retry.is_none_or(|retry| retry <= Instant::now());
            if may_try {
                let result = self.write(time);
                self.report(result);
            }
            if is_closed {
                return;
            }
        }
    }

    /// Waits for a tick or for something to write, and takes it. Gives what time it is, as far as
    /// observations tell, and whether this is the end.
    fn wait(&mut self) -> (Option<Duration>, bool) {
        let shared = self.shared.clone();
        let mut memory = shared.lock();
        // What waits for its next try needs no hurry.
        let has_work = |memory: &mut Memory| {
            memory.is_closed
                || !memory.recorder.finished().is_empty()
                || !memory.policies.is_empty()
        };
        if !has_work(&mut memory) {
            let waited = shared.wake.wait_timeout(memory, TICK);
            memory = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        let now = memory.newest.map(|(time, at)| (time + at.elapsed(), at.elapsed()));
        if let Some((time, since)) = now
            && since >= TICK
        {
            memory.recorder.advance(time);
        }
        if memory.is_closed {
            memory.recorder.close();
        }
        self.finished.append(memory.recorder.finished());
        self.policies.append(&mut memory.policies);
        memory.status.waiting = self.finished.len();
        memory.status.dropped = self.finished.dropped();
        (now.map(|(time, _)| time), memory.is_closed)
    }

    fn write(&mut self, time: Option<Duration>) -> Result<(), JournalError> {
        let is_due = self.forgotten.is_none_or(|at| at.elapsed() >= FORGET_EVERY);
        let forget = time.filter(|_| is_due);
        let mut journal = match self.journal.take() {
            Some(journal) => journal,
            None => Journal::open(&self.path)?,
        };
        // At each tick, so that it is told at once and not with the next bucket.
        journal.check_place()?;
        if self.finished.is_empty() && self.policies.is_empty() && forget.is_none() {
            self.journal = Some(journal);
            return Ok(());
        }
        while let Some((place, time, policy)) = self.policies.first() {
            journal.policy_changed(place, *time, policy)?;
            self.policies.remove(0);
        }
        let buckets: Vec<BucketFigures> = self.finished.buckets().collect();
        journal.append(&mut self.finished)?;
        buckets.into_iter().for_each(&mut self.written);
        if let Some(time) = forget {
            journal.keep_days(self.retention_days, time)?;
            self.forgotten = Some(Instant::now());
        }
        self.journal = Some(journal);
        Ok(())
    }

    fn report(&mut self, result: Result<(), JournalError>) {
        let error = result.err().map(|error| error.to_string());
        self.retry = error.as_ref().map(|_| Instant::now() + RETRY);
        let mut memory = self.shared.lock();
        if error != memory.status.error {
            match &error {
                Some(error) => tracing::error!("{error}; it is tried again every 30 s"),
                None => tracing::info!("{}: the journal is written again", self.path.display()),
            }
        }
        memory.status.error = error;
        memory.status.waiting = self.finished.len();
    }
}
