//! Faces that people agreed to have kept, encrypted, and what reviewers say of them. No HTTP, no ROS.
//!
//! ```text
//! consent (code) -> draw -> face (encrypted), numbers -> review -> accuracy, export
//!        \______ withdrawn by code, expired, emptied: gone ______/
//! ```
//!
//! - [`FeedbackStore`]: the folder. Without a consent that still lasts, no face can be kept in it.
//! - [`Key`]: opens the faces. It is in a file in another place than the folder.
//! - [`Code`]: what a person is shown, and what withdraws. The folder knows only its hash.
//! - [`draw`]: which readings become items, each with a known chance.
//! - [`Accuracy`]: what the answers say of all readings, with an interval.
//! - [`FeedbackStore::export`]: pictures in folders of labels, `feedback.jsonl`, Label Studio.

mod accuracy;
mod code;
mod day;
mod draw;
mod error;
mod export;
mod files;
mod item;
mod key;
mod label_studio;
mod picture;
mod store;

pub use accuracy::{Accuracy, LEAST_ANSWERS, Share};
pub use code::Code;
pub use day::Day;
pub use draw::{Drawn, RANDOM_SHARE, UNCERTAIN_SHARE, chance, draw, uncertainty};
pub use error::FeedbackError;
pub use export::Exported;
pub use item::{Answer, Item, ItemId, Reading};
pub use key::{Key, check_apart};
pub use picture::Picture;
pub use store::{
    Consent, Counts, FeedbackStore, MOST_ITEMS, MOST_KEEP_DAYS, Review, Summary, Ticket,
};
