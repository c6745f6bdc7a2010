//! The dashboard node: robots on the pages of [`rapport_web`].
//!
//! ```text
//! emotions, responses, /diagnostics, the camera -> robot -> Hub -> viewers
//!                                                 \-> journal, where one is kept
//! viewers -> Hub -> robots -> robot -> ~/enable of perception_node
//! ```
//!
//! It is a process of its own: what viewers cost, it pays, and perception does not. [`robots`] finds
//! the robots and hands each what is about it; a [`robot`] is a task that knows how one is
//! ([`health`]), holds its pause ([`pauses`], [`enable`]), shows its [`camera`] while somebody
//! looks, and tells the journal what happens ([`observer`]). [`alerts`] are what the pages watch.

mod alerts;
mod camera;
mod enable;
mod health;
mod observer;
mod pauses;
mod people;
mod picture;
mod rate;
mod report;
mod robot;
mod robots;
mod settings;

use std::sync::Arc;

use anyhow::{Context, anyhow};
use listenfd::ListenFd;
use r2r::diagnostic_msgs::msg::DiagnosticArray;
use r2r::{Node, QosProfile};
use rapport_web::setup::greeting;
use rapport_web::{Hub, NetworkSets, Server};
use tokio::runtime::Handle;

use super::clock::RosClock;
use super::diagnostics::Diagnostics;
use super::handle::NodeHandle;
use super::parameters::{ParameterServices, Parameters, given_to};
use super::runner::{Tasks, interrupted};
use super::status;
use alerts::Alerts;
use pauses::Pauses;
use picture::Pictures;
use robot::Means;
use robots::Robots;

/// Serves the pages and starts the tasks that feed them.
///
/// # Errors
/// If a parameter is wrong, the address is taken, or tokens, certificate or models are unusable.
pub fn start_node(node: &mut Node, handle: NodeHandle) -> anyhow::Result<Tasks> {
    let parameters = Parameters::declare(&given_to(node)?, settings::specs())?;
    let values = parameters.values();
    let named = settings::robots(&values)?;
    let mut setup = settings::setup(&values)?;
    // A socket that was opened for this program counts before the parameter.
    let socket = ListenFd::from_env().take_tcp_listener(0).context("LISTEN_FDS")?;
    if let Some(socket) = &socket {
        setup.listen = Some(socket.local_addr().context("LISTEN_FDS")?);
    }
    let parameters_of = "where an option --NAME is named, it is the parameter NAME of this node";
    let pauses = Pauses::read(&setup.folder().context(parameters_of)?)?;
    let privacy = setup.privacy;
    let (listen, options) = setup.decide().context(parameters_of)?;
    let journal = options.journal.clone();
    let networks = settings::networks(&values)?;
    let hub = Arc::new(Hub::default());
    let server = serve(socket, listen, options, networks, hub.clone())?;
    let commands = hub.take_commands().ok_or_else(|| anyhow!("the hub has another owner"))?;

    let mut tasks = Tasks::default();
    let clock = RosClock::start(handle.clone(), &parameters, &mut tasks);
    tasks.endless(ParameterServices::start(node, parameters.clone(), clock.clone())?.serve());
    let alerts = Alerts(server.app().clone());
    tasks.endless(Diagnostics::start(node, clock, status::ALERTS, alerts)?.run());
    let diagnostics = node.subscribe::<DiagnosticArray>(status::TOPIC, QosProfile::default())?;
    tasks.endless(rate::start(node, journal.clone())?);
    let pictures = Pictures::new(privacy, server.app().pool.networks().clone());
    let means = Means { node: handle, parameters, hub, pauses, pictures, journal };
    tasks.endless(Robots::new(means, named).run(diagnostics, commands));
    let (address, more) = greeting(server.address(), &server.app().options);
    tracing::info!("{address}");
    more.iter().for_each(|line| tracing::info!("{line}"));
    tasks.finite(async move {
        server.run(interrupted()).await;
        Ok(())
    });
    Ok(tasks)
}

fn serve(
    socket: Option<std::net::TcpListener>,
    listen: rapport_web::Listen,
    options: rapport_web::Options,
    networks: NetworkSets,
    hub: Arc<Hub>,
) -> anyhow::Result<Server> {
    let server = match socket {
        Some(socket) => Server::on(socket, options, networks, Some(hub)),
        None => Handle::current().block_on(Server::bind(listen, options, networks, Some(hub))),
    };
    Ok(server?)
}
