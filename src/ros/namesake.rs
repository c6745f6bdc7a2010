//! Another node of the same name on the graph. Both take every image and answer every service
//! call, and whoever listens hears everything twice.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use r2r::Node;
use tokio::time::{MissedTickBehavior, interval};

use super::handle::NodeHandle;
use super::lock::lock;

/// How often the graph is looked at.
const LOOK: Duration = Duration::from_secs(1);

/// Who is found in this time after the start was there before, or started with this node.
const START: Duration = Duration::from_secs(3);

/// A node that was killed stays on the graph for so long: what was there at the start may be what
/// is left of the one before.
const GHOST: Duration = Duration::from_secs(25);

/// A topic that every node publishes.
const EVERYWHERE: &str = "/parameter_events";

/// What is wrong, while there is a node of the same name.
pub type Problem = Arc<Mutex<Option<String>>>;

/// Looks for nodes of the same name until the node ends. Warns of one once, and keeps what is wrong
/// in `problem`.
pub async fn watch(node: NodeHandle, problem: Problem) {
    let start = Instant::now();
    let (mut at_start, mut warned) = (0, false);
    let mut look = interval(LOOK);
    look.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        look.tick().await;
        let (name, count) = match node.with(count).await {
            Ok(Ok(found)) => found,
            Ok(Err(_)) => continue,
            Err(_) => return,
        };
        if start.elapsed() < START {
            at_start = at_start.max(count);
        }
        let is_alive = count > 1 && (count > at_start.max(1) || start.elapsed() > GHOST);
        let line = is_alive.then(|| {
            format!(
                "{count} nodes are called {name}: each image is processed by all of them, and each \
                 message comes {count} times; end the others, or give each a name or a namespace \
                 of its own (-r __node:=NAME, -r __ns:=/NAMESPACE)"
            )
        });
        if let Some(line) = &line
            && !warned
        {
            warned = true;
            tracing::warn!("{line}");
        }
        *lock(&problem) = line;
    }
}

/// The node's full name, and how many nodes have it.
fn count(node: &mut Node) -> r2r::Result<(String, usize)> {
    let (name, own, namespace) = (node.fully_qualified_name()?, node.name()?, node.namespace()?);
    let publishers = node.get_publishers_info_by_topic(EVERYWHERE, false)?.into_iter();
    let same = publishers
        .filter(|publisher| publisher.node_name == own && publisher.node_namespace == namespace)
        .map(|publisher| publisher.endpoint_gid);
    Ok((name, same.collect::<BTreeSet<_>>().len()))
}
