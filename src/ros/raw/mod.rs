//! What r2r does not do, asked of the C client library itself, behind safe functions. All unsafe
//! code of the package is here.
//!
//! - r2r publishes only types that it was built with, while a recording may hold any:
//!   [`TypeSupport`] loads a type's support at run time, [`RawNode`] makes publishers from it.
//! - r2r panics on ROS arguments that do not parse: [`check_ros_arguments`] refuses them before.
//! - r2r does not say under which name a topic is found: [`resolve_topic`].
//! - r2r skips parameters under nested namespaces and most wildcards: [`given_parameters`].
//! - r2r does not say what is logged: [`is_logged`], [`keep_libraries_quiet`],
//!   [`rosout_is_wanted`].
//! - r2r's messages in C memory stay on one thread: [`Native`] ones do not.
//! - The libraries' destructors must not run under a thread that computes: [`exit_at_once`].

mod arguments;
//! - The middleware takes its settings from the environment: [`set_variable_at_start`].
mod exit;
mod logging;
mod names;
mod native;
mod node;
mod parameters;
mod type_support;

mod system;
#[cfg(has_type_descriptions)]
mod type_description;
pub use arguments::check_ros_arguments;
pub use exit::exit_at_once;
pub use logging::{is_logged, keep_libraries_quiet, rosout_is_wanted};
pub use names::resolve_topic;
pub use native::{Native, NativeStream};
pub use node::{RawError, RawNode, RawPublisher};
pub use parameters::given_parameters;
pub use type_support::{TypeSupport, TypeSupportError};
pub use system::{free_bytes, set_variable_at_start};
