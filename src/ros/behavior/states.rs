//! The robot's own states, by the topics that the policy names.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use futures::StreamExt;
use r2r::std_msgs::msg::{Bool, String as StringMsg};
use r2r::{Node, QosProfile};
use tokio::task::JoinSet;

use super::State;
use crate::ros::handle::NodeHandle;
use crate::ros::lock::lock;
use rapport_behavior::{StateTopic, StateValue};

/// The subscriptions to the topics of the present policy; they end when this is dropped.
#[derive(Default)]
pub struct StateTopics {
    topics: BTreeMap<String, StateTopic>,
    tasks: JoinSet<()>,
}

impl StateTopics {
    /// Follows these topics from now on, and no others. A topic that cannot be subscribed is logged:
    /// its state stays unknown.
    pub async fn follow(
        &mut self,
        node: &NodeHandle,
        topics: &BTreeMap<String, StateTopic>,
        state: &Arc<Mutex<State>>,
    ) {
        if self.topics == *topics {
            return;
        }
        self.topics = topics.clone();
        self.tasks = JoinSet::new();
        for (name, topic) in topics.clone() {
            let (name_of, told) = (name.clone(), state.clone());
            let tell = move |value| lock(&told).state_is(&name_of, value);
            let StateTopic { topic, is_text, is_latched, .. } = topic;
            let subscribe = move |node: &mut Node| -> r2r::Result<_> {
                let qos = QosProfile::default().keep_last(1);
                let qos = if is_latched { qos.transient_local() } else { qos.best_effort() };
                Ok(match is_text {
                    true => {
                        let texts = node.subscribe::<StringMsg>(&topic, qos)?;
                        texts.map(|message| StateValue::Text(message.data)).boxed()
                    }
                    false => {
                        let flags = node.subscribe::<Bool>(&topic, qos)?;
                        flags.map(|message| StateValue::Flag(message.data)).boxed()
                    }
                })
            };
            match node.with(subscribe).await {
                Ok(Ok(mut values)) => {
                    self.tasks.spawn(async move {
                        while let Some(value) = values.next().await {
                            tell(value);
                        }
                    });
                }
                Ok(Err(error)) => tracing::error!("state {name} not subscribed: {error}"),
                Err(_) => return,
            }
        }
    }
}
