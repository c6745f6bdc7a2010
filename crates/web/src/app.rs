//! What all requests share.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use rapport_vocabulary::LabelSet;
use tokio::sync::{Semaphore, watch};

use crate::access::Attempts;
use crate::feedback::FeedbackService;
use crate::hub::Hub;
use crate::journal::{HealthMeter, JournalService, Seen};
use crate::metrics::Metrics;
use crate::options::Options;
use crate::pool::Pool;
use crate::problem::Problem;

/// A live session must be able to count on so many pictures a second.
const LEAST_PICTURES_PER_SEC: f64 = 5.0;

/// What all requests share.
#[derive(Debug)]
pub struct App {
    /// How the server was started.
    pub options: Options,
    /// Whether only programs of this machine reach it.
    pub loopback: bool,
    /// What processes pictures.
    pub pool: Pool,
    /// What robots report.
    pub hub: Arc<Hub>,
    /// Whether robots can report.
    pub robots: bool,
    /// What is counted.
    pub metrics: Metrics,
    /// Wrong tokens.
    pub attempts: Attempts,
    /// Whether an operator paused the analysis.
    pub paused: watch::Sender<bool>,
    /// True once the server ends.
    ending: watch::Receiver<bool>,
    /// Turns of requests that send pictures.
    pub uploads: Arc<Semaphore>,
    /// Live sessions.
    pub sessions: Count,
    /// Viewers of robots.
    pub viewers: Count,
    /// How the looking at the cameras of browsers goes, for the journal.
    pub counted: HealthMeter,
    /// When the server began.
    pub started: Instant,
    sessions_so_far: AtomicU64,
}

impl App {
    /// A server's state before its first request.
    pub fn new(
        options: Options,
        loopback: bool,
        pool: Pool,
        hub: Option<Arc<Hub>>,
        ending: watch::Receiver<bool>,
    ) -> Arc<Self> {
        Arc::new(Self {
            uploads: Arc::new(Semaphore::new(options.limits.uploads)),
            options,
            loopback,
            pool,
            robots: hub.is_some(),
            hub: hub.unwrap_or_default(),
            metrics: Metrics::default(),
            attempts: Attempts::default(),
            paused: watch::Sender::new(false),
            ending,
            sessions: Count::default(),
            viewers: Count::default(),
            counted: HealthMeter::default(),
            started: Instant::now(),
            sessions_so_far: AtomicU64::new(0),
        })
    }

    /// The labels of the model.
    pub fn labels(&self) -> &LabelSet {
        self.pool.networks().labels()
    }

    /// How many live sessions the machine carries, by the time that pictures took lately.
    pub fn sessions_max(&self) -> usize {
        let picture = self.pool.picture_time();
        let most = self.options.limits.live_sessions;
        if picture.is_zero() {
            return most;
        }
        let pictures_per_sec = self.pool.processors() as f64 / picture.as_secs_f64();
        ((pictures_per_sec / LEAST_PICTURES_PER_SEC) as usize).clamp(1, most)
    }

    /// Begins a live session: its number, and what counts it until it is dropped.
    ///
    /// # Errors
    /// If the machine carries no more.
    pub fn begin_session(&self) -> Result<(u64, Counted), Problem> {
        let most = self.sessions_max();
        let counted = self.sessions.take(most).ok_or_else(|| {
            self.metrics.refused("busy");
            let detail = format!("{most} live sessions run, and this machine carries no more");
            Problem::busy(detail).with(most, most).retry_after_secs(10)
        })?;
        Ok((self.sessions_so_far.fetch_add(1, Ordering::Relaxed) + 1, counted))
    }

    /// Begins to count a viewer, until the value is dropped.
    ///
    /// # Errors
    /// If there are as many as allowed.
    pub fn begin_viewer(&self) -> Result<Counted, Problem> {
        let most = self.options.limits.viewers;
        self.viewers.take(most).ok_or_else(|| {
            self.metrics.refused("viewers");
            let detail = format!("{most} viewers are connected, which is all that are allowed");
            Problem::busy(detail).with(most, most).retry_after_secs(10)
        })
    }

    /// Whether pictures are analysed now.
    ///
    /// # Errors
    /// If an operator paused the analysis.
    pub fn check_running(&self) -> Result<(), Problem> {
        if !*self.paused.borrow() {
            return Ok(());
        }
        self.metrics.refused("paused");
        Err(Problem::paused(
            "an operator paused the analysis; nothing is looked at until it goes on",
        )
        .retry_after_secs(5))
    }

    /// The journal that is kept.
    ///
    /// # Errors
    /// If none is.
    pub fn journal(&self) -> Result<&Arc<JournalService>, Problem> {
        self.options.journal.as_ref().ok_or_else(|| {
            let detail = "no journal is kept here: start `rapport serve` with --journal FILE, or \
                          dashboard_node with the parameter `journal`";
            Problem::no_journal(detail)
        })
    }

    /// The folder of feedback.
    ///
    /// # Errors
    /// If faces are not kept.
    pub fn feedback(&self) -> Result<&Arc<FeedbackService>, Problem> {
        self.options.feedback.as_ref().ok_or_else(|| {
            let detail = "no faces are kept here: start `rapport serve` with --feedback FOLDER and \
                          --feedback-key FILE";
            Problem::no_feedback(detail)
        })
    }

    /// The journal and the place of the cameras of browsers, where they are counted.
    fn counting(&self) -> Option<(&JournalService, &str)> {
        let journal = self.options.journal.as_deref()?;
        // With robots, they are what is observed; whoever tries the pages is no visitor.
        let place = journal.options().place.as_deref().filter(|_| !self.robots)?;
        Some((journal, place))
    }

    /// Whether the people of live sessions are counted in a journal.
    pub fn counts_sessions(&self) -> bool {
        self.counting().is_some()
    }

    /// Counts the people in a picture of a live session.
    pub fn count_people(&self, people: &[Seen]) {
        if let Some((journal, place)) = self.counting() {
            self.counted.image();
            journal.see(place, people);
        }
    }

    /// Tells the journal how the looking went since the last call.
    pub fn count_health(&self) {
        if let Some((journal, place)) = self.counting() {
            journal.health(place, self.counted.take(*self.paused.borrow()));
        }
    }

    /// Waits until the server ends.
    pub fn ended(&self) -> impl Future<Output = ()> + Send + use<> {
        let mut ending = self.ending.clone();
        // It also ends with what would tell it.
        async move { drop(ending.wait_for(|ending| *ending).await) }
    }

    /// Time since the server began.
    pub fn uptime(&self) -> Duration {
        self.started.elapsed()
    }
}

/// How many there are of something.
#[derive(Debug, Clone, Default)]
pub struct Count(Arc<AtomicUsize>);

impl Count {
    /// How many.
    pub fn now(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }

    /// One more, as long as the value lives; nothing where there are `most`.
    pub fn take(&self, most: usize) -> Option<Counted> {
        let more = |count| (count < most).then_some(count + 1);
        self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, more).ok()?;
        Some(Counted(self.clone()))
    }
}

/// One of a [`Count`].
#[derive(Debug)]
pub struct Counted(Count);

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.0.fetch_sub(1, Ordering::Relaxed);
    }
}
