//! The task that keeps up the connection and sends.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use rapport_journal::BucketFigures;
use tokio::runtime::Handle;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::Instant;

use crate::options::{MqttError, MqttOptions};
use crate::queue::{Message, Queue};
use crate::session::{Means, Session};
use crate::topic;

/// Between attempts to connect: doubled each time.
const SHORTEST_PAUSE: Duration = Duration::from_millis(500);
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// How the sending goes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MqttStatus {
    /// Whether the broker is connected now.
    pub connected: bool,
    /// Why it is not; nothing before the first attempt ended.
    pub error: Option<String>,
    /// Buckets that the broker acknowledged.
    pub sent: u64,
    /// Buckets that wait.
    pub waiting: usize,
    /// Buckets that were dropped because more than [`MOST_WAITING`](crate::MOST_WAITING) waited.
    pub dropped: u64,
}

/// Sends finished buckets to a broker. It connects again by itself; nobody waits for it.
#[derive(Debug)]
pub struct Publisher {
    shared: Arc<Shared>,
    topic: String,
    name: String,
    end: watch::Sender<bool>,
    task: Mutex<Option<JoinHandle<()>>>,
}

#[derive(Debug, Default)]
struct Shared {
    queue: Queue,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    connected: bool,
    error: Option<String>,
    sent: u64,
    /// What the log said last. Once for each change, so that a broker that is away for a week, or
    /// refuses all, does not fill the log.
    told: Option<Result<(), String>>,
}

impl Publisher {
    /// Starts to connect, on a runtime of tokio. A broker that cannot be reached is no error: it is
    /// tried again.
    ///
    /// # Errors
    /// If an option is wrong, or a file cannot be read.
    pub fn start(options: &MqttOptions, runtime: &Handle) -> Result<Self, MqttError> {
        let checked = options.check()?;
        let means = Means::of(&checked)?;
        let shared = Arc::new(Shared::default());
        let (end, ending) = watch::channel(false);
        let broker = format!("{}:{}", checked.address.host, checked.address.port);
        let task = runtime.spawn(run(shared.clone(), means, broker, ending));
        let (topic, name) = (checked.topic, checked.name);
        Ok(Self { shared, topic, name, end, task: Mutex::new(Some(task)) })
    }

    /// Sends a bucket once it can. Never waits.
    pub fn publish(&self, bucket: &BucketFigures) {
        // Figures always become JSON.
        let Ok(json) = serde_json::to_vec(bucket) else { return };
        let topic = topic::bucket(&self.topic, &self.name, bucket);
        self.shared.queue.add(Message { topic, payload: Bytes::from(json) });
    }

    /// How the sending goes.
    pub fn status(&self) -> MqttStatus {
        let state = self.shared.lock();
        MqttStatus {
            connected: state.connected,
            error: state.error.clone(),
            sent: state.sent,
            waiting: self.shared.queue.len(),
            dropped: self.shared.queue.dropped(),
        }
    }

    /// Sends what waits, says that the robot is offline and ends. Gives up after a time; the broker
    /// then says it by itself.
    pub async fn stop(&self, limit: Duration) {
        let task = self.task.lock().unwrap_or_else(PoisonError::into_inner).take();
        self.end.send_replace(true);
        if let Some(mut task) = task
            && tokio::time::timeout(limit, &mut task).await.is_err()
        {
            task.abort();
        }
    }
}

impl Drop for Publisher {
    fn drop(&mut self) {
        let task = self.task.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(task) = task {
            task.abort();
        }
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn connected(&self) {
        let mut state = self.lock();
        (state.connected, state.error) = (true, None);
    }

    /// All that waited was sent.
    fn works(&self, broker: &str) {
        let mut state = self.lock();
        if state.told.replace(Ok(())) != Some(Ok(())) {
            tracing::info!("MQTT: connected to {broker}");
        }
    }

    fn failed(&self, broker: &str, reason: String) {
        let mut state = self.lock();
        state.connected = false;
        let told = Some(Err(reason.clone()));
        if state.told != told {
            tracing::warn!(
                "MQTT: {broker}: {reason}; finished buckets wait, and it is tried again"
            );
            state.told = told;
        }
        state.error = Some(reason);
    }
}

async fn run(shared: Arc<Shared>, means: Means, broker: String, mut ending: watch::Receiver<bool>) {
    let mut pause = SHORTEST_PAUSE;
    loop {
        let reason = tokio::select! {
            session = Session::open(&means) => match session {
                Ok(session) => {
                    shared.connected();
                    let since = Instant::now();
                    let end = send_all(&shared, session, &broker, &mut ending).await;
                    // A broker that accepts the connection and nothing else is left alone ever longer.
                    if since.elapsed() >= LONGEST_PAUSE {
                        pause = SHORTEST_PAUSE;
                    }
                    match end {
                        Ok(()) => {
                            shared.lock().connected = false;
                            return;
                        }
                        Err(reason) => reason,
                    }
                }
                Err(reason) => reason,
            },
            // Whom nobody answers cannot send what waits.
            () = ended(&mut ending) => return,
        };
        shared.failed(&broker, reason);
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            () = ended(&mut ending) => {}
        }
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}

/// Sends until the connection or the program ends.
async fn send_all(
    shared: &Shared,
    mut session: Session,
    broker: &str,
    ending: &mut watch::Receiver<bool>,
) -> Result<(), String> {
    loop {
        // One at a time: there are few, and the order stays.
        while let Some((number, message)) = shared.queue.first() {
            session.send(message).await?;
            shared.queue.done(number);
            shared.lock().sent += 1;
        }
        shared.works(broker);
        if *ending.borrow() {
            return session.close().await;
        }
        tokio::select! {
            reason = session.ended() => return Err(reason),
            () = shared.queue.added.notified() => {}
            () = ended(ending) => {}
        }
    }
}

async fn ended(ending: &mut watch::Receiver<bool>) {
    // Whoever could say it is gone.
    ending.wait_for(|ended| *ended).await.ok();
}
