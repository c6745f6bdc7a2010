//! Files that are written whole or not at all: one of an earlier evaluation stays as it was until
//! the new one is complete.

use std::io;
use std::path::Path;

use anyhow::Context;
use tempfile::TempPath;

/// The place beside a file at which it is written until it is whole; removed with the value.
pub fn part_of(path: &Path) -> io::Result<TempPath> {
    let mut name = path.as_os_str().to_owned();
    name.push(".part");
    TempPath::try_from_path(name)
}

/// Writes a file whole, or leaves the one that is there as it was.
///
/// # Errors
/// If it cannot be written, with its name.
pub fn write(path: &Path, content: &[u8]) -> anyhow::Result<()> {
    let write = || -> io::Result<()> {
        let part = part_of(path)?;
        std::fs::write(&part, content)?;
        Ok(part.persist(path)?)
    };
    write().with_context(|| format!("{} not written", path.display()))
}
