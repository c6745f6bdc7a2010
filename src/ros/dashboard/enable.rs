//! The service `enable` of a perception_node, asked by this node.

use std::time::Duration;

use r2r::std_srvs::srv::SetBool;
use r2r::{Client, Node, QosProfile};
use tokio::time::timeout;

use crate::ros::handle::NodeHandle;

/// How long an answer is waited for, until the same is asked again: a request sent before both sides
/// know one another is lost.
const PATIENCE: Duration = Duration::from_millis(500);

/// How often it is asked. A viewer who waits for the answer waits for five seconds.
const ATTEMPTS: usize = 8;

/// A client of the service.
#[derive(Clone)]
pub struct Enable {
    service: String,
    client: std::sync::Arc<Client<SetBool::Service>>,
}

impl Enable {
    /// Of the node of this full name.
    ///
    /// # Errors
    /// If the name is none, or this node is about to end.
    pub async fn of(handle: &NodeHandle, node: &str) -> anyhow::Result<Self> {
        let service = format!("{node}/enable");
        let name = service.clone();
        let create = move |node: &mut Node| {
            node.create_client::<SetBool::Service>(&name, QosProfile::default())
        };
        let client = handle.with(create).await??;
        Ok(Self { service, client: client.into() })
    }

    /// The full name of the service.
    pub fn service(&self) -> &str {
        &self.service
    }

    /// Allows images or not.
    ///
    /// # Errors
    /// Why that was not done, in a sentence.
    pub async fn set(&self, enabled: bool) -> Result<(), String> {
        let refused = |reason: String| Err(format!("{}: {reason}", self.service));
        for _ in 0..ATTEMPTS {
            let answer = match self.client.request(&SetBool::Request { data: enabled }) {
                Ok(answer) => answer,
                Err(error) => return refused(error.to_string()),
            };
            match timeout(PATIENCE, answer).await {
                Ok(Ok(SetBool::Response { success: true, .. })) => return Ok(()),
                Ok(Ok(SetBool::Response { message, .. })) => return refused(message),
                Ok(Err(error)) => return refused(error.to_string()),
                Err(_) => {}
            }
        }
        refused("no answer".to_owned())
    }
}
