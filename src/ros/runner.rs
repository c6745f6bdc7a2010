//! A node's process from start to end: context, spinning, signals, exit status.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::{Context as _, anyhow, bail};
use r2r::{Context, Node};
use tokio::signal::unix::{SignalKind, signal};
use tokio::task::JoinSet;

use super::logging;

/// How long the spinning thread waits for something to happen before it looks for a signal.
const SPIN: Duration = Duration::from_millis(20);

/// Runs a node until SIGINT or SIGTERM, then ends clean. `start` creates publishers and
/// subscriptions and returns the tasks that live as long as the node; where one of them ends
/// earlier, so does the process, with status 1, so that a supervisor sees it.
pub fn run(name: &str, start: impl FnOnce(&mut Node) -> anyhow::Result<JoinSet<()>>) -> ExitCode {
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
    start: impl FnOnce(&mut Node) -> anyhow::Result<JoinSet<()>>,
) -> anyhow::Result<()> {
    // Handlers come first: a signal during the start ends the process clean as well.
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .context("no async runtime")?;
    let _guard = runtime.enter();
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;

    let mut node = create_node(name)?;
    logging::install(node.logger());
    let mut tasks = start(&mut node)?;
    let stop = Arc::new(AtomicBool::new(false));
    let stop_spinning = stop.clone();
    let spinning = std::thread::Builder::new().name("spin".to_owned()).spawn(move || {
        while !stop_spinning.load(Ordering::Relaxed) {
            node.spin_once(SPIN);
        }
    })?;
    let ended_early = runtime.block_on(async {
        tokio::select! {
            _ = interrupt.recv() => false,
            _ = terminate.recv() => false,
            _ = tasks.join_next() => true,
        }
    });
    tasks.abort_all();
    stop.store(true, Ordering::Relaxed);
    let spun = spinning.join();
    // A frame in work is not waited for.
    runtime.shutdown_timeout(Duration::from_millis(300));
    if ended_early || spun.is_err() {
        bail!("ended unexpectedly, see the messages above");
    }
    Ok(())
}

fn create_node(name: &str) -> anyhow::Result<Node> {
    if std::env::var_os("HOME").is_none() && std::env::var_os("ROS_LOG_DIR").is_none() {
        bail!("neither HOME nor ROS_LOG_DIR is set; ROS 2 needs one of them for its log files");
    }
    // r2r panics on ROS arguments that rcl refuses; rcl itself prints which and why.
    let quiet = std::panic::take_hook();
    std::panic::set_hook(Box::new(|_| {}));
    let context = catch_unwind(AssertUnwindSafe(Context::create));
    std::panic::set_hook(quiet);
    let context = context
        .map_err(|_| anyhow!("ROS 2 did not start; are the arguments after --ros-args right?"))?
        .context("ROS 2 did not start")?;
    Node::create(context, name, "").with_context(|| format!("node {name} not created"))
}
