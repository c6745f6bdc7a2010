//! The only room that knows ROS: messages to and from plain types, parameters, QoS, processes.
//!
//! r2r wants one thread to own the node and spin it. [`runner`] is that thread; everything else
//! runs as tasks beside it and reaches the node by a [`handle`]. [`perception`] and [`behavior`]
//! are the nodes, [`watch`] and [`replay`] commands; the latter needs no node of r2r: it publishes
//! bytes through [`raw`], the room of all unsafe code.
//!
//! An image's way through the perception node: `intake` subscribes it as `image_topic` says, the
//! newest waits in a `slot`, the worker of [`perception`] answers it, `stats` count it and
//! `diagnostics` tell. [`lifecycle`] decides whether any of it happens.

pub mod arguments;
pub mod behavior;
pub mod clock;
mod convert;
mod diagnostics;
pub mod handle;
mod hri;
mod image_topic;
mod intake;
pub mod lifecycle;
pub mod logging;
pub mod parameters;
pub mod perception;
pub mod raw;
pub mod replay;
pub mod runner;
mod slot;
mod stats;
pub mod watch;
