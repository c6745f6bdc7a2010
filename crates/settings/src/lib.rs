//! Reads settings from YAML files that people edit, and reports every mistake with its place, what
//! was found and what is allowed.
//!
//! ```
//! use rapport_settings::{Field, Mapping, Place, Problems, read};
//!
//! let node = read("volume: 11\nspeeed: 2\n").expect("it is YAML");
//! let start = Place { line: 1, column: 1 };
//! let file = Field { name: "the file".to_owned(), key_place: start, node };
//! let mut problems = Problems::default();
//! if let Ok(mut map) = Mapping::of(file, &mut problems, &["volume", "speed"]) {
//!     let volume = map.optional("volume").map(|field| field.number(&mut problems, 0.0..=10.0));
//!     assert!(volume.is_some_and(|volume| volume.is_err()));
//! }
//! let lines: Vec<String> = problems.in_order().iter().map(ToString::to_string).collect();
//! assert_eq!(
//!     lines,
//!     [
//!         "1:9: volume is 11; allowed: 0 to 10",
//!         "2:1: the file has the unknown key `speeed`; allowed: volume, speed",
//!     ]
//! );
//! ```
//!
//! # Why not derive it
//!
//! `serde-saphyr`, which parses the YAML here, can also fill a derived struct and check it with
//! `garde` or `validator`, with places. Tried on the same wrong policy, this reader gives four
//! things that a derived one does not:
//!
//! - **All problems at once.** Deserialization stops at the first value of a wrong type, unknown
//!   key, missing key or unknown word; `garde` runs only after all of them are mended. Eight
//!   mistakes in one file took a derived reader four rounds; this one shows all eight.
//! - **What was found, and the whole of what is allowed.** `confidence is 1.4; allowed: 0 to 1`
//!   instead of `greater than 1 for rules[0].when.confidence`; and the list of words instead of
//!   `data did not match any variant of untagged enum`, where one word or a list may be given.
//! - **One line for each, in the order of the file.** `garde` orders by its own paths.
//! - **Hints where people go wrong.** A color without quotes is a comment, a number in place of a
//!   text needs quotes, a name is used again "as of the rule on line 7"; a key that is missing
//!   because it is misspelt is reported once.
//!
//! The price is that each key is read by a line of code. `serde-saphyr` does what it does best:
//! syntax, places, and limits on hostile documents.
//!
//! # Layout
//!
//! - `document`: text to a tree whose nodes know their places.
//! - `fields`: typed values out of that tree.
//! - `problem`: what can be wrong. The other two depend on it.
//! - `secret`: text files that only their owner may read; no YAML.

mod document;
mod fields;
mod problem;
mod secret;

pub use document::{Node, Value, quote, read, text_of};
pub use fields::{Field, Mapping, Noted, Problems, Read, range_text};
pub use problem::{Place, Problem, problem_lines};
pub use secret::{SecretFileError, read_secret};
