//! What r2r does not do, asked of the C client library itself, behind safe functions. All unsafe
//! code of the package is here.
//!
//! - r2r publishes only types that it was built with, while a recording may hold any:
//!   [`TypeSupport`] loads a type's support at run time, [`RawNode`] makes publishers from it.
//! - r2r ends a subscription only when its next message comes, and those of a face that has left
//!   get none: [`RawNode`] makes subscriptions that end when they are dropped.
//! - r2r panics on ROS arguments that do not parse: [`check_ros_arguments`] refuses them before.
//! - r2r does not say under which name a topic is found: [`resolve_topic`].
//! - r2r skips parameters under nested namespaces and most wildcards: [`given_parameters`].
//! - r2r does not say what is logged: [`is_logged`], [`keep_libraries_quiet`],
//!   [`rosout_is_wanted`].
//! - r2r's messages in C memory stay on one thread: [`Native`] ones do not.
//! - r2r's answer to a goal stays on one thread: that of [`send_goal`] does not.
//! - The libraries' destructors must not run under a thread that computes: [`exit_at_once`].
//! - The middleware takes its settings from the environment: [`set_variable_at_start`].

mod arguments;
mod exit;
mod goal;
mod logging;
mod names;
mod native;
mod node;
mod parameters;
mod system;
#[cfg(has_type_descriptions)]
mod type_description;
mod type_support;

pub use arguments::check_ros_arguments;
pub use exit::exit_at_once;
pub use goal::{AcceptedGoal, send_goal};
pub use logging::{is_logged, keep_libraries_quiet, rosout_is_wanted};
pub use names::resolve_topic;
pub use native::{Native, NativeStream};
pub use node::{RawError, RawNode, RawPublisher, RawSubscription};
pub use parameters::given_parameters;
pub use system::{free_bytes, local_hour, set_variable_at_start};
pub use type_support::{TypeSupport, TypeSupportError};
