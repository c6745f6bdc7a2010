//! The time that the graph goes by: this machine's, or a simulator's or recording's on `/clock`.
//!
//! r2r has such a clock too, but its build script leaves it out whenever it runs a second time in
//! one target folder (0.9.7: settings that go with cached bindings are not printed again).

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use futures::StreamExt;
use r2r::builtin_interfaces::msg::Time;
use r2r::rosgraph_msgs::msg::Clock;
use r2r::{Node, QosProfile};

use super::convert;
use super::handle::NodeHandle;
use super::parameters::Parameters;
use super::runner::Tasks;

/// The clock. The parameter `use_sim_time` says which, also while the node runs.
#[derive(Debug, Clone)]
pub struct RosClock {
    parameters: Parameters,
    /// What `/clock` said last, in nanoseconds.
    simulated: Arc<AtomicU64>,
}

impl RosClock {
    /// The clock that the parameter `use_sim_time` asks for; `/clock` is subscribed once it does.
    pub fn start(node: NodeHandle, parameters: &Parameters, tasks: &mut Tasks) -> Self {
        let clock = Self { parameters: parameters.clone(), simulated: Arc::default() };
        tasks.endless(clock.clone().listen(node));
        clock
    }

    async fn listen(self, node: NodeHandle) {
        let mut changes = self.parameters.changes();
        while !changes.newest().flag(USE_SIM_TIME) {
            if !changes.changed().await {
                return;
            }
        }
        let subscribe = |node: &mut Node| {
            node.subscribe::<Clock>("/clock", QosProfile::default().keep_last(1).best_effort())
        };
        let mut messages = match node.with(subscribe).await {
            Ok(Ok(messages)) => messages,
            Ok(Err(error)) => {
                tracing::error!("/clock not subscribed: {error}");
                return std::future::pending().await;
            }
            Err(_) => return,
        };
        // Kept from then on, so that it is right at once where it is asked for again.
        while let Some(message) = messages.next().await {
            let stamp = convert::stamp(&message.clock).unwrap_or_default();
            let nanos = u64::try_from(stamp.as_nanos()).unwrap_or(u64::MAX);
            self.simulated.store(nanos, Ordering::Relaxed);
        }
    }

    /// The time now; zero before the first message on `/clock` where that counts.
    pub fn now(&self) -> Duration {
        match self.parameters.values().flag(USE_SIM_TIME) {
            true => Duration::from_nanos(self.simulated.load(Ordering::Relaxed)),
            false => convert::time_of_day(),
        }
    }

    /// The time now, as a stamp.
    pub fn stamp(&self) -> Time {
        convert::time(self.now())
    }
}

const USE_SIM_TIME: &str = "use_sim_time";
