//! Faces of people who consented, and what reviewers say of them. [`rapport_feedback`] keeps them.
//!
//! A live session keeps faces only from its message `consent` on, of the one person who is alone in
//! view then, and until that person ends it, goes out of view or withdraws ([`visitor`]). Nothing is
//! kept of robots' cameras, and nothing of anybody else in view.

mod service;
pub mod visitor;

pub use service::{FeedbackOptions, FeedbackService};
