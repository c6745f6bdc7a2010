//! The only room that knows ROS: messages to and from plain types, parameters, QoS, processes.
//!
//! r2r wants one thread to own the node and spin it. [`runner`] is that thread; everything else
//! runs as tasks beside it.

pub mod behavior;
mod convert;
pub mod logging;
pub mod parameters;
pub mod perception;
pub mod runner;
pub mod watch;
