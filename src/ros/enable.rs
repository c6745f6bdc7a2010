//! The service `~/enable` (`std_srvs/SetBool`): a node that is active can be told to do nothing.

use futures::StreamExt;
use r2r::std_srvs::srv::SetBool;
use r2r::{Node, QosProfile};

use super::switch::Switch;
use super::switches;

/// What the service says to those who call it.
#[derive(Debug, Clone, Copy)]
pub struct Words {
    /// What happens once an enabled node is active.
    pub once_active: &'static str,
    /// What a disabled node does not do.
    pub disabled: &'static str,
}

/// Advertises the service. The task turns the switch by `set`, which returns what it is then.
///
/// # Errors
/// If the node cannot have it.
pub fn start<F: Fn(bool) -> Switch + Send + 'static>(
    node: &mut Node,
    words: Words,
    set: F,
) -> r2r::Result<impl Future<Output = ()> + Send + use<F>> {
    let name = format!("{}/enable", node.name()?);
    let service = format!("{}/{name}", node.namespace()?.trim_end_matches('/'));
    let mut requests = node.create_service::<SetBool::Service>(&name, QosProfile::default())?;
    Ok(async move {
        while let Some(request) = requests.next().await {
            let enabled = request.message.data;
            let switch = set(enabled);
            let message = match (enabled, switch.active) {
                (true, true) => "enabled".to_owned(),
                (true, false) => format!("enabled; {}", words.once_active),
                (false, _) => format!("disabled; {}", words.disabled),
            };
            // Services do not say who called.
            switches::say(&format!("{message} (by the service {service})"));
            let response = SetBool::Response { success: true, message };
            if let Err(error) = request.respond(response) {
                tracing::warn!("enable: response not sent: {error}");
            }
        }
    })
}
