//! The service `~/get_type_description`: others ask a node what a message type looks like that they do
//! not have (REP-2016). rcl offers it for its own nodes; r2r keeps the node's C structure to itself.

use futures::StreamExt;
use r2r::type_description_interfaces::srv::GetTypeDescription;
use r2r::{Node, QosProfile};

use super::raw::TypeSupport;

/// Advertises the service.
///
/// # Errors
/// If the node cannot have it.
pub fn start(node: &mut Node) -> r2r::Result<impl Future<Output = ()> + Send + use<>> {
    let name = format!("{}/get_type_description", node.name()?);
    let mut requests =
        node.create_service::<GetTypeDescription::Service>(&name, QosProfile::default())?;
    Ok(async move {
        while let Some(request) = requests.next().await {
            let response = answer(&request.message);
            if let Err(error) = request.respond(response) {
                tracing::warn!("get_type_description: response not sent: {error}");
            }
        }
    })
}

fn answer(request: &GetTypeDescription::Request) -> GetTypeDescription::Response {
    match describe(request) {
        Ok(response) => response,
        Err(failure_reason) => {
            GetTypeDescription::Response { successful: false, failure_reason, ..Default::default() }
        }
    }
}

fn describe(request: &GetTypeDescription::Request) -> Result<GetTypeDescription::Response, String> {
    let name = &request.type_name;
    let support = TypeSupport::load(name).map_err(|error| error.to_string())?;
    let described =
        support.describe().ok_or_else(|| format!("the package of {name} does not describe it"))?;
    if !request.type_hash.is_empty() && request.type_hash != described.hash {
        return Err(format!(
            "{name} has the hash {}, expected {}: another version of it is installed",
            described.hash, request.type_hash
        ));
    }
    Ok(GetTypeDescription::Response {
        successful: true,
        failure_reason: String::new(),
        type_description: described.description,
        type_sources: if request.include_type_sources { described.sources } else { Vec::new() },
        extra_information: Vec::new(),
    })
}
