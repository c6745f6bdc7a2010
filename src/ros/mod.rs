//! The only module that knows ROS: messages to and from plain types, parameters, QoS, processes.
//!
//! r2r wants one thread to own the node and spin it. [`runner`] is that thread; everything else
//! runs as tasks beside it and reaches the node by a [`handle`]. [`perception`] and [`behavior`]
//! are the nodes beside [`dashboard`], which shows what they do; [`watch`] and [`replay`] commands; the latter needs no node of r2r: it publishes
//! bytes through [`raw`], which has all unsafe code of the nodes.
//!
//! An image's way through the perception node: `intake` subscribes it as `image_topic` says, the
//! newest waits in a `slot`, the `processor` hands it to the worker of [`perception`] while the
//! `switch` is on, `stats` count it, `diagnostics` report. [`lifecycle`] and the service `enable`
//! turn the switch.

pub mod arguments;
pub mod behavior;
pub mod clock;
mod convert;
pub mod dashboard;
mod diagnostics;
mod enable;
pub mod handle;
mod hints;
mod hri;
mod image_topic;
mod intake;
pub mod lifecycle;
mod lock;
pub mod logging;
mod losses;
pub mod middleware;
mod namesake;
pub mod parameters;
pub mod perception;
mod processor;
pub mod raw;
pub mod replay;
mod rosout;
pub mod runner;
mod slot;
mod stats;
mod status;
mod switch;
mod switches;
#[cfg(has_type_descriptions)]
mod type_description;
pub mod watch;
