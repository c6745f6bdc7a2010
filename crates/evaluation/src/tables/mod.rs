//! `faces.parquet`: a row for each face in each frame, for DuckDB, pandas and others.
//!
//! Frames that show nobody have no row; how many frames there were is in the file's metadata.

mod columns;
mod file;

pub use columns::{FORMAT_VERSION, columns};
pub use file::{FacesTable, FramesSeen, ROWS_OF_A_GROUP};
pub use rapport_tables::PARTS_ENDING;
