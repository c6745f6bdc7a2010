//! ROS messages as recordings hold them, read and written without ROS.
//!
//! Only the few types that Rapport reads and writes. What is read is borrowed from the bytes and
//! checked: a message that is cut short, or whose lengths lie, is an error with the field.
//!
//! - [`CdrReader`], [`CdrWriter`]: OMG's Common Data Representation as rmw sends it.
//! - [`ImageMessage`], [`CompressedImageMessage`], [`StringMessage`]: what is read.
//! - [`EmotionsMessage`]: what the node and `rapport record` write and `rapport watch` reads.
//! - [`compressed_image_cdr`] and [`Definition`]: what `rapport record` writes besides.
//! - [`Layout`]: whether two definitions of a type are laid out alike.

mod cdr;
mod definition;
mod emotions;
mod layout;
mod read;
mod write;

pub use cdr::{CdrError, CdrReader, CdrWriter};
pub use definition::Definition;
pub use emotions::{EmotionsMessage, FaceMessage, Pose};
pub use layout::Layout;
pub use read::{CompressedImageMessage, Header, ImageMessage, StringMessage};
pub use write::compressed_image_cdr;
