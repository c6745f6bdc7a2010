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
use super::parameters::Parameters;
use super::runner::Tasks;

/// The clock.
#[derive(Debug, Clone)]
pub struct RosClock {
    /// What `/clock` said last, in nanoseconds; nothing where the machine's own time counts.
    simulated: Option<Arc<AtomicU64>>,
}

impl RosClock {
    /// The clock that the parameter `use_sim_time` asks for.
    ///
    /// # Errors
    /// If `/clock` cannot be subscribed.
    pub fn start(node: &mut Node, parameters: &Parameters, tasks: &mut Tasks) -> r2r::Result<Self> {
        if !parameters.values().flag("use_sim_time") {
            return Ok(Self { simulated: None });
        }
        let now = Arc::new(AtomicU64::new(0));
        let newest = now.clone();
        let qos = QosProfile::default().keep_last(1).best_effort();
        tasks.endless(node.subscribe::<Clock>("/clock", qos)?.for_each(move |message| {
            let stamp = convert::stamp(&message.clock).unwrap_or_default();
            let nanos = u64::try_from(stamp.as_nanos()).unwrap_or(u64::MAX);
            newest.store(nanos, Ordering::Relaxed);
            std::future::ready(())
        }));
        Ok(Self { simulated: Some(now) })
    }

    /// The time now; zero before the first message on `/clock`.
    pub fn now(&self) -> Duration {
        match &self.simulated {
            Some(nanos) => Duration::from_nanos(nanos.load(Ordering::Relaxed)),
            None => convert::time_of_day(),
        }
    }

    /// The time now, as a stamp.
    pub fn stamp(&self) -> Time {
        convert::time(self.now())
    }
}
