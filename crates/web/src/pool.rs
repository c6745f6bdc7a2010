//! The processors: as many pictures at a time as there are sets of networks, in the order in which
//! they came.
//!
//! Each set has networks of its own. One set shared by two threads processes less: most of a frame's
//! time is one network's, and that one is locked (`cargo bench -p rapport-web` prints both).

use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use rapport_perception::frame::Decoder;
use rapport_perception::onnx::ModelError;
use rapport_perception::{ModelFiles, Networks, RuntimeOptions};
use tokio::sync::Semaphore;

use crate::problem::Problem;

/// How much the newest picture counts in the mean time of a live picture.
const NEWEST: f64 = 0.05;

/// As many sets of the same networks as pictures are to be processed at a time; at least one.
#[derive(Debug, Clone)]
pub struct NetworkSets {
    first: Arc<Networks>,
    more: Vec<Arc<Networks>>,
}

impl NetworkSets {
    /// Loads the same models so many times.
    ///
    /// # Errors
    /// If ONNX Runtime or a model is missing or wrong.
    pub fn load(
        files: &ModelFiles,
        runtime: &RuntimeOptions,
        sets: NonZeroUsize,
    ) -> Result<Self, ModelError> {
        let load = || Networks::load(files, runtime);
        Ok(Self {
            first: load()?,
            more: (1..sets.get()).map(|_| load()).collect::<Result<_, _>>()?,
        })
    }
}

/// What processes one picture at a time.
#[derive(Debug)]
pub struct Processor {
    /// Its own networks.
    pub networks: Arc<Networks>,
    /// Its own buffer of pixels.
    pub decoder: Decoder,
}

/// The processors.
#[derive(Debug)]
pub struct Pool {
    turns: Arc<Semaphore>,
    idle: Arc<Mutex<Vec<Processor>>>,
    processors: usize,
    networks: Arc<Networks>,
    picture_us: AtomicU64,
}

impl Pool {
    /// A processor for each set of networks, for pictures of at most so many pixels.
    pub fn new(NetworkSets { first, more }: NetworkSets, max_pixels: usize) -> Self {
        let networks = first.clone();
        let processor =
            |networks| Processor { networks, decoder: Decoder::with_max_pixels(max_pixels) };
        let idle: Vec<_> = std::iter::once(first).chain(more).map(processor).collect();
        let processors = idle.len();
        Self {
            turns: Arc::new(Semaphore::new(processors)),
            idle: Arc::new(Mutex::new(idle)),
            processors,
            networks,
            picture_us: AtomicU64::new(0),
        }
    }

    /// The networks; all sets are alike.
    pub fn networks(&self) -> &Arc<Networks> {
        &self.networks
    }

    /// How many pictures are processed at a time.
    pub fn processors(&self) -> usize {
        self.processors
    }

    /// Waits for a processor, first come first served, and gives it to `job` on a thread where it may
    /// compute. Who stops waiting leaves the queue. The job learns how long it waited.
    ///
    /// # Errors
    /// If the job panics.
    pub async fn run<R: Send + 'static>(
        &self,
        job: impl FnOnce(&mut Processor, Duration) -> R + Send + 'static,
    ) -> Result<R, Problem> {
        let asked = Instant::now();
        let failed = || Problem::internal("the processing of the picture failed");
        let turn = self.turns.clone().acquire_owned().await.map_err(|_| failed())?;
        let idle = self.idle.clone();
        let task = tokio::task::spawn_blocking(move || {
            let _turn = turn;
            // There is one for everybody who has a turn.
            let mut loan = Loan::take(idle);
            loan.processor.as_mut().map(|processor| job(processor, asked.elapsed()))
        });
        task.await.ok().flatten().ok_or_else(failed)
    }

    /// Takes note of the time that a live picture took.
    pub fn measured(&self, took: Duration) {
        let took = took.as_micros() as f64;
        let known = self.picture_us.load(Ordering::Relaxed) as f64;
        let mean = if known == 0.0 { took } else { known + NEWEST * (took - known) };
        self.picture_us.store(mean as u64, Ordering::Relaxed);
    }

    /// The mean time that a live picture took lately; zero before the first.
    pub fn picture_time(&self) -> Duration {
        Duration::from_micros(self.picture_us.load(Ordering::Relaxed))
    }
}

/// A processor on loan: it comes back also where the job panics.
struct Loan {
    processor: Option<Processor>,
    idle: Arc<Mutex<Vec<Processor>>>,
}

impl Loan {
    fn take(idle: Arc<Mutex<Vec<Processor>>>) -> Self {
        let processor = idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        Self { processor, idle }
    }
}

impl Drop for Loan {
    fn drop(&mut self) {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).extend(self.processor.take());
    }
}
