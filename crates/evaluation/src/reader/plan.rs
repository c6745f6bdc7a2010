//! How many threads do what.

use std::num::NonZeroUsize;
use std::thread;

/// The threads of an evaluation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Plan {
    /// Threads that read and decode; 0: whoever needs an image reads it.
    pub readers: usize,
    /// Threads with a set of networks each; 0: the thread that counts has the only one.
    pub predictors: usize,
}

impl Plan {
    /// The threads for so many jobs on the cores that this process may use.
    pub fn new(jobs: NonZeroUsize) -> Self {
        let cores = thread::available_parallelism().map_or(1, NonZeroUsize::get);
        Self::on(jobs, cores)
    }

    fn on(jobs: NonZeroUsize, cores: usize) -> Self {
        let jobs = jobs.get();
        Self {
            // On one core reading ahead saves nothing, and the threads take turns.
            readers: if cores > 1 { jobs } else { 0 },
            predictors: if jobs > 1 { jobs } else { 0 },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_core_reads_in_between_and_one_job_predicts_where_it_counts() {
        let plan = |jobs, cores| {
            let Plan { readers, predictors } = Plan::on(NonZeroUsize::new(jobs).unwrap(), cores);
            (readers, predictors)
        };
        assert_eq!(
            (plan(1, 1), plan(1, 2), plan(2, 1), plan(3, 2)),
            ((0, 0), (1, 0), (0, 2), (3, 3))
        );
    }
}
