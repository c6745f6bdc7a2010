//! The pages and the API: pictures in, observations out, and what robots report. No ROS.
//!
//! ```text
//! browser or script -> gate (host, page) -> access (role) -> api -> pool -> Session::process
//! dashboard_node -> hub -> watch, events -> viewers
//! ```
//!
//! [`Server`] binds and answers. [`Options`] says how; [`Hub`] is what robots feed.
//!
//! - [`api`]: the resources, one file each, and the OpenAPI document made from their types.
//! - [`live`](mod@live), [`watch`](mod@watch): the two WebSockets. [`messages`]: what goes over them.
//! - [`pool`]: pictures wait here for a set of networks, first come first served.
//! - [`gate`], [`access`], [`tokens`], [`tls`], [`headers`]: who may ask for what.
//! - [`feedback`]: faces of people who consented, and what reviewers say of them.
//! - [`journal`]: what is kept of visits, where a journal was asked for: statistics, never people.
//! - [`problem`]: every error, as RFC 9457 has it.
//! - [`picture`]: pictures that leave, blurred where that was asked. [`metrics`]: what is counted.

pub mod access;
pub mod api;
pub mod app;
mod assets;
pub mod feedback;
pub mod gate;
pub mod headers;
pub mod hub;
pub mod journal;
pub mod live;
mod look;
pub mod messages;
pub mod metrics;
pub mod options;
pub mod picture;
pub mod pool;
pub mod problem;
pub mod robot;
mod server;
pub mod setup;
pub mod socket;
pub mod tls;
pub mod tokens;
pub mod upload;
pub mod watch;

pub use feedback::{FeedbackOptions, FeedbackService};
pub use hub::Hub;
pub use journal::{JournalOptions, JournalService};
pub use options::{Limits, Notice, Options};
pub use pool::NetworkSets;
pub use server::{BindError, Listen, Server};
