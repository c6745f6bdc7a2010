//! The folder of feedback as the server uses it: off the threads that answer requests.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use rapport_feedback::{
    Answer, Code, Consent, Counts, Day, FeedbackError, FeedbackStore, ItemId, Key, Review, Summary,
    Ticket,
};
use tokio::time::{MissedTickBehavior, interval};

use super::visitor::{Drawn, LONGEST};
use crate::api::info::InfoFeedback;
use crate::problem::Problem;

/// So often it is checked whether the last day of a face is over.
const EXPIRE_EVERY: Duration = Duration::from_secs(600);

/// No face is read more often.
const LEAST_READ_EVERY: Duration = Duration::from_millis(100);

/// How faces are kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FeedbackOptions {
    /// The folder of the faces; it is made where there is none.
    pub folder: PathBuf,
    /// The file of the key, in another place; it is made where there is none.
    pub key: PathBuf,
    /// Days after which a face is deleted.
    pub keep_days: u32,
    /// What the place of these faces is called.
    pub place: String,
    /// A face is read so often; of these readings some are drawn. At least a tenth of a second.
    pub read_every: Duration,
}

/// The folder of feedback of a server.
#[derive(Debug)]
pub struct FeedbackService {
    store: FeedbackStore,
    key: Key,
    options: FeedbackOptions,
}

impl FeedbackService {
    /// Opens folder and key, or makes them, and deletes what is over.
    ///
    /// # Errors
    /// If both lie in one place, either is something else, or the faces are for another key.
    pub fn open(options: FeedbackOptions) -> Result<Arc<Self>, FeedbackError> {
        let key = Key::read_or_make(&options.key, &options.folder)?;
        let store = FeedbackStore::open_or_make(&options.folder, &key)?;
        store.expire(Day::today())?;
        Ok(Arc::new(Self { store, key, options }))
    }

    /// What pages tell of it.
    pub fn info(&self) -> InfoFeedback {
        InfoFeedback {
            keep_days: self.options.keep_days,
            pictures_per_minute: (60.0 / self.read_every().as_secs_f64()).ceil() as u32,
            longest_minutes: (LONGEST.as_secs() / 60) as u32,
        }
    }

    /// How often a face is read.
    pub fn read_every(&self) -> Duration {
        self.options.read_every.max(LEAST_READ_EVERY)
    }

    /// Deletes the faces whose last day is over, now and again, until `end` is done.
    pub async fn expire_until(self: Arc<Self>, end: impl Future<Output = ()>) {
        let mut often = interval(EXPIRE_EVERY);
        often.set_missed_tick_behavior(MissedTickBehavior::Delay);
        tokio::pin!(end);
        loop {
            tokio::select! {
                _ = often.tick() => {}
                () = &mut end => return,
            }
            // What went wrong is in the log, and it is tried again.
            self.with(|store, _| store.expire(Day::today())).await.ok();
        }
    }

    /// A person consents.
    ///
    /// # Errors
    /// If the folder is full or cannot be written.
    pub async fn consent(self: &Arc<Self>) -> Result<Consent, Problem> {
        let FeedbackOptions { place, keep_days, .. } = self.options.clone();
        self.with(move |store, _| store.consent(&place, keep_days, Day::today())).await
    }

    /// Keeps a face that was drawn: how many of its consent are kept now, or nothing where that was
    /// withdrawn.
    ///
    /// # Errors
    /// If the folder is full or cannot be written.
    pub async fn keep(
        self: &Arc<Self>,
        ticket: Ticket,
        face: Drawn,
    ) -> Result<Option<u64>, Problem> {
        let keep = move |store: &FeedbackStore, key: &Key| {
            let Drawn { reading, lot, picture } = face;
            match store.keep(key, &ticket, reading, lot, &picture, Day::today()) {
                Ok(_) => store.kept(&ticket).map(Some),
                Err(FeedbackError::NoConsent) => Ok(None),
                Err(error) => Err(error),
            }
        };
        self.with(keep).await
    }

    /// How much there is and what it says.
    ///
    /// # Errors
    /// If the folder cannot be read.
    pub async fn summary(self: &Arc<Self>) -> Result<Summary, Problem> {
        self.with(|store, _| store.summary()).await
    }

    /// The next item for a reviewer.
    ///
    /// # Errors
    /// If the folder cannot be read.
    pub async fn next(self: &Arc<Self>) -> Result<Review, Problem> {
        self.with(|store, _| store.next()).await
    }

    /// The face of an item as PNG; nothing where it is no more.
    ///
    /// # Errors
    /// If it cannot be read or decrypted.
    pub async fn face(self: &Arc<Self>, id: ItemId) -> Result<Option<Vec<u8>>, Problem> {
        self.with(move |store, key| store.face(key, &id)).await
    }

    /// Notes what a reviewer says; whether there is such an item.
    ///
    /// # Errors
    /// If the folder cannot be written.
    pub async fn answer(self: &Arc<Self>, id: ItemId, answer: Answer) -> Result<bool, Problem> {
        self.with(move |store, _| store.answer(&id, answer)).await
    }

    /// Deletes everything of a consent: what, or nothing where the code is unknown.
    ///
    /// # Errors
    /// If something cannot be deleted.
    pub async fn withdraw(self: &Arc<Self>, code: Code) -> Result<Option<Counts>, Problem> {
        self.with(move |store, _| store.withdraw(&code)).await
    }

    /// Deletes everything: what.
    ///
    /// # Errors
    /// If something cannot be deleted.
    pub async fn empty(self: &Arc<Self>) -> Result<Counts, Problem> {
        self.with(|store, _| store.empty()).await
    }

    /// Works with the folder on a thread that may wait for the disk.
    async fn with<T: Send + 'static>(
        self: &Arc<Self>,
        work: impl FnOnce(&FeedbackStore, &Key) -> Result<T, FeedbackError> + Send + 'static,
    ) -> Result<T, Problem> {
        let this = self.clone();
        let task = tokio::task::spawn_blocking(move || work(&this.store, &this.key));
        match task.await {
            Ok(result) => Ok(result?),
            Err(_) => Err(Problem::internal("the folder of feedback met a mistake in the server")),
        }
    }
}

impl From<FeedbackError> for Problem {
    fn from(error: FeedbackError) -> Self {
        let detail = error.to_string();
        match error {
            FeedbackError::Code { .. } => Self::bad_request(detail),
            FeedbackError::Full { most } => Self::busy(detail).with(most, most),
            _ => {
                // It names files of the server.
                tracing::error!("{detail}");
                Self::feedback("faces cannot be kept or read; the server's log says more")
            }
        }
    }
}
