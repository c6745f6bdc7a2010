//! A node's process from start to end: context, spinning, signals, exit status.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::{Context as _, anyhow, bail};
use r2r::{Context, Node};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::oneshot;
use tokio::task::JoinSet;

use super::arguments::{parse_node_arguments, process_arguments};
use super::handle::{NodeHandle, node_handle};
use super::logging;
use super::raw::{check_ros_arguments, exit_at_once};

/// How long the spinning thread waits for something to happen before it looks for a signal.
pub const SPIN: Duration = Duration::from_millis(20);

/// How long a finite task may take to end after a signal.
const LAST_WORD: Duration = Duration::from_millis(300);

/// How long a frame in work may take to its end after a signal.
const LAST_FRAME: Duration = Duration::from_millis(500);

/// The tasks of a node.
#[derive(Default)]
pub struct Tasks {
    endless: JoinSet<()>,
    computing: JoinSet<()>,
    /// Each ends a task that computes as it is dropped.
    stops: Vec<oneshot::Sender<()>>,
    finite: JoinSet<anyhow::Result<()>>,
    at_end: Vec<Box<dyn FnOnce()>>,
}

impl Tasks {
    /// Adds a task that lives as long as the node. Where it ends earlier, so does the process,
    /// with status 1, so that a supervisor sees it.
    pub fn endless(&mut self, task: impl Future<Output = ()> + Send + 'static) {
        self.endless.spawn(task);
    }

    /// Adds an endless task that computes for milliseconds at a time. It has a thread of its own, which
    /// other tasks neither wait for nor move about. At the end of the process it is stopped where it
    /// next waits.
    ///
    /// # Errors
    /// If the system gives no thread.
    pub fn computing(
        &mut self,
        name: &str,
        task: impl Future<Output = ()> + Send + 'static,
    ) -> std::io::Result<()> {
        let (stop, stopped) = oneshot::channel::<()>();
        let (end, ended) = oneshot::channel::<()>();
        let runtime = tokio::runtime::Handle::current();
        std::thread::Builder::new().name(name.to_owned()).spawn(move || {
            runtime.block_on(async {
                tokio::select! {
                    () = task => {}
                    _ = stopped => {}
                }
            });
            drop(end);
        })?;
        self.stops.push(stop);
        self.computing.spawn(async { _ = ended.await });
        Ok(())
    }

    /// Ends the tasks that have nothing to finish but the frame in work.
    async fn end(&mut self) {
        self.stops.clear();
        self.endless.shutdown().await;
        while self.computing.join_next().await.is_some() {}
    }

    /// Adds something to be done when the process ends, after the tasks have ended and while the
    /// node can still publish.
    pub fn at_end(&mut self, last_word: impl FnOnce() + 'static) {
        self.at_end.push(Box::new(last_word));
    }

    /// Adds a task whose end is the end of the process. It must end by itself on
    /// [`interrupted`].
    pub fn finite(&mut self, task: impl Future<Output = anyhow::Result<()>> + Send + 'static) {
        self.finite.spawn(task);
    }
}

/// Returns once SIGINT or SIGTERM came.
pub async fn interrupted() {
    let (Ok(mut interrupt), Ok(mut terminate)) =
        (signal(SignalKind::interrupt()), signal(SignalKind::terminate()))
    else {
        // Without handlers the signals end the process by themselves.
        return std::future::pending().await;
    };
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
}

/// [`run`] for a program that is the node and nothing else: knows `--help` and `--version`, and
/// warns of arguments that mean nothing, such as remapping without `--ros-args`.
pub fn run_program(
    name: &'static str,
    about: &'static str,
    start: impl FnOnce(&mut Node, NodeHandle) -> anyhow::Result<Tasks>,
) -> ExitCode {
    let unused = parse_node_arguments(name, about);
    run(name, |node, handle| {
        if !unused.is_empty() {
            let unused: Vec<_> = unused.iter().map(|argument| argument.to_string_lossy()).collect();
            tracing::warn!(
                "arguments not used: `{}`; those for ROS stand after --ros-args",
                unused.join(" ")
            );
        }
        start(node, handle)
    })
}

/// Runs a node until SIGINT, SIGTERM or the end of one of its tasks. `start` creates publishers
/// and subscriptions and returns the tasks; these reach the node later by the handle. Exit status
/// 0, or 1 after an error.
pub fn run(
    name: &str,
    start: impl FnOnce(&mut Node, NodeHandle) -> anyhow::Result<Tasks>,
) -> ExitCode {
    match run_node(name, start) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{name}: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run_node(
    name: &str,
    start: impl FnOnce(&mut Node, NodeHandle) -> anyhow::Result<Tasks>,
) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .context("no async runtime")?;
    let _guard = runtime.enter();
    // Before anything slow: a signal during the start ends the process clean as well.
    let mut interrupted = Box::pin(interrupted());
    let _pending = runtime.block_on(async { futures::poll!(&mut interrupted) });

    let mut node = create_node(name)?;
    logging::install(&mut node)?;
    let (handle, jobs) = node_handle();
    let mut tasks = start(&mut node, handle)?;
    #[cfg(has_type_descriptions)]
    tasks.endless(super::type_description::start(&mut node)?);
    let stop = Arc::new(AtomicBool::new(false));
    let stop_spinning = stop.clone();
    let spinning = std::thread::Builder::new().name("spin".to_owned()).spawn(move || {
        while !stop_spinning.load(Ordering::Relaxed) {
            jobs.run(&mut node);
            node.spin_once(SPIN);
        }
    })?;
    let outcome = runtime.block_on(async {
        let broken = || Err(anyhow!("a task of the node ended, see the messages above"));
        tokio::select! {
            Some(ended) = tasks.finite.join_next() => ended.unwrap_or_else(|_| broken()),
            Some(_) = tasks.endless.join_next() => broken(),
            Some(_) = tasks.computing.join_next() => broken(),
            () = interrupted => {
                // Endless tasks have nothing to finish; a finite one may have a last word.
                let _ = tokio::time::timeout(LAST_WORD, tasks.finite.join_next()).await;
                Ok(())
            }
        }
    });
    // A frame in work is computed to its end before the node goes: it publishes through it.
    let idle = runtime.block_on(tokio::time::timeout(LAST_FRAME, tasks.end())).is_ok();
    if !idle {
        // Longer would be late. Leaving without destructors is clean: they would pull ONNX
        // Runtime and the node away under the thread that still computes.
        tracing::warn!("ended in the middle of a frame");
        exit_at_once(if outcome.is_ok() { 0 } else { 1 });
    }
    tasks.at_end.into_iter().for_each(|last_word| last_word());
    stop.store(true, Ordering::Relaxed);
    if spinning.join().is_err() {
        bail!("the thread that spins the node ended, see the messages above");
    }
    outcome
}

fn create_node(name: &str) -> anyhow::Result<Node> {
    if std::env::var_os("HOME").is_none() && std::env::var_os("ROS_LOG_DIR").is_none() {
        bail!("neither HOME nor ROS_LOG_DIR is set; ROS 2 needs one of them for its log files");
    }
    let (_, ros_arguments) = process_arguments();
    check_ros_arguments(&ros_arguments)?;
    // r2r panics where rcl does not start; rcl itself has printed why by then.
    let quiet = std::panic::take_hook();
    std::panic::set_hook(Box::new(|_| {}));
    let context = catch_unwind(AssertUnwindSafe(Context::create));
    std::panic::set_hook(quiet);
    let context =
        context.map_err(|_| anyhow!("ROS 2 did not start"))?.context("ROS 2 did not start")?;
    Node::create(context, name, "").with_context(|| format!("node {name} not created"))
}
