//! Publishing messages of any type as the bytes they were recorded as.
//!
//! r2r publishes only types that it was built with, while a recording may hold any. So this room
//! calls the C client library itself: [`TypeSupport`] loads a type's support at run time,
//! [`RawNode`] makes publishers from it. All unsafe code of replay is here, behind safe functions.

mod arguments;
mod node;
mod type_support;

pub use arguments::check_ros_arguments;
pub use node::{RawError, RawNode, RawPublisher};
pub use type_support::{TypeSupport, TypeSupportError};
