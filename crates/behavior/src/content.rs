//! The bytes of the files that an integrator edits.

use std::fs::File;
use std::io::Read as _;
use std::path::Path;

/// The content of a file; of one with more than `limit_bytes`, one byte more than that, which is enough
/// to know, however large the file is.
pub fn read(file: &Path, limit_bytes: usize) -> std::io::Result<Vec<u8>> {
    let mut content = Vec::new();
    File::open(file)?.take(limit_bytes as u64 + 1).read_to_end(&mut content)?;
    Ok(content)
}
