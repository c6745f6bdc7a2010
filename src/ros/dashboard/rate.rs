//! The service `~/rate`: a robot's own screen or button rates a visit.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use futures::StreamExt;
use r2r::rapport::srv::Rate;
use r2r::{Node, QosProfile};
use rapport_journal::Rating;
use rapport_web::JournalService;

/// Services do not say who called: the pause after a tap is one for all of them.
const CALLER: IpAddr = IpAddr::V4(Ipv4Addr::UNSPECIFIED);

/// Advertises the service; the task answers.
///
/// # Errors
/// If the node cannot have it.
pub fn start(
    node: &mut Node,
    journal: Option<Arc<JournalService>>,
) -> r2r::Result<impl Future<Output = ()> + Send + use<>> {
    let name = format!("{}/rate", node.name()?);
    let mut requests = node.create_service::<Rate::Service>(&name, QosProfile::default())?;
    Ok(async move {
        while let Some(request) = requests.next().await {
            let Rate::Request { place, rating } = &request.message;
            let response = match rate(journal.as_deref(), place, *rating).await {
                Ok(message) => Rate::Response { success: true, message },
                Err(message) => Rate::Response { success: false, message },
            };
            if let Err(error) = request.respond(response) {
                tracing::warn!("rate: response not sent: {error}");
            }
        }
    })
}

async fn rate(journal: Option<&JournalService>, place: &str, rating: u8) -> Result<String, String> {
    let journal = journal.ok_or("no journal is kept: set the parameter journal")?;
    let rating = Rating::new(rating)
        .ok_or_else(|| format!("rating is {rating}, expected 1 (worst) to 5 (best)"))?;
    let named = Some(place).filter(|place| !place.is_empty()).map(str::to_owned);
    let place = journal.the_place(named).await.map_err(|problem| problem.detail)?;
    match journal.rate(CALLER, &place, rating) {
        Ok(()) => Ok(format!("{place}: {}", rating.get())),
        Err(left) => Err(format!("{place} was rated just now: wait {} s", left.as_secs() + 1)),
    }
}
