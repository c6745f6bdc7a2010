//! Reading and decoding beside the networks, and several networks beside one another.
//!
//! - `ahead`: work on other threads, with results in the order of the source.
//! - `found`: faces that were found before it is their image's turn.
//! - `plan`: how many threads do what.
//! - `steps`: a recording's messages as they come off the reading threads.
//! - `side_by_side`: several models that each see every image of a recording, in order.
//! - `waiting`: how long the networks waited for the next image.

mod ahead;
pub mod found;
mod plan;
mod side_by_side;
pub mod steps;
mod waiting;

pub use ahead::{Ahead, Bounds};
pub use plan::Plan;
pub use side_by_side::SideBySide;
pub use waiting::Waiting;
