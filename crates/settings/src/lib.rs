//! Files of settings in YAML: every wrong value is reported with its place, what was found and what
//! is allowed.
//!
//! `document` makes a tree whose nodes know their places, `fields` reads typed values out of it,
//! `problem` is what can be wrong.

mod document;
mod fields;
mod problem;

pub use document::{Value, quote, read, text_of};
pub use fields::{Field, Mapping, Noted, Problems, Read};
pub use problem::problem_lines;
pub use problem::{Place, Problem};
