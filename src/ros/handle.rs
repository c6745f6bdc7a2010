//! Work on the node from tasks: r2r wants one thread to own it, and that thread spins it.

use std::sync::mpsc::{Receiver, Sender, channel};

use r2r::Node;
use tokio::sync::oneshot;

type Job = Box<dyn FnOnce(&mut Node) + Send>;

/// Sends work to the thread that owns the node. It is done between two spins: within milliseconds
/// while messages come, within [`super::runner::SPIN`] at the latest.
#[derive(Debug, Clone)]
pub struct NodeHandle {
    jobs: Sender<Job>,
}

/// The other end of [`NodeHandle`], for the thread that owns the node.
#[derive(Debug)]
pub struct NodeJobs(Receiver<Job>);

/// The node's thread has ended, as it does when the process ends.
#[derive(Debug, thiserror::Error)]
#[error("the node is shutting down")]
pub struct NodeGone;

/// A handle and its other end.
pub fn node_handle() -> (NodeHandle, NodeJobs) {
    let (jobs, work) = channel();
    (NodeHandle { jobs }, NodeJobs(work))
}

impl NodeHandle {
    /// Does something with the node and returns what came of it.
    ///
    /// # Errors
    /// If the node's thread has ended.
    pub async fn with<R: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Node) -> R + Send + 'static,
    ) -> Result<R, NodeGone> {
        let (done, result) = oneshot::channel();
        self.send(move |node| {
            // The caller may have stopped waiting: then nobody needs the result.
            let _ = done.send(work(node));
        });
        // Where the node's thread has ended, the job was dropped and its sender with it.
        result.await.map_err(|_| NodeGone)
    }

    /// Does something with the node later. Once the node's thread has ended, nothing.
    pub fn send(&self, work: impl FnOnce(&mut Node) + Send + 'static) {
        let _ = self.jobs.send(Box::new(work));
    }
}

impl NodeJobs {
    /// Does all the work that has come.
    pub fn run(&self, node: &mut Node) {
        while let Ok(job) = self.0.try_recv() {
            job(node);
        }
    }
}
