//! Files that only their owner reads, written whole or not at all, and deleted for good.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::error::FeedbackError;

const DAY_SECS: u64 = 24 * 60 * 60;

/// How files begin that were not finished.
const UNFINISHED: &str = ".unfinished-";

/// Whether a file of this name was never finished.
pub(crate) fn is_unfinished(name: &str) -> bool {
    name.starts_with(UNFINISHED)
}

/// Makes a folder, and those above it, that only their owner reads.
pub(crate) fn make_private_folder(path: &Path) -> Result<(), FeedbackError> {
    DirBuilder::new().recursive(true).mode(0o700).create(path).map_err(FeedbackError::io(path))
}

/// Writes a file that only its owner reads: after a crash there is the file before or this one.
pub(crate) fn write_private(path: &Path, content: &[u8]) -> Result<(), FeedbackError> {
    let mut random = [0; 8];
    getrandom::fill(&mut random).map_err(FeedbackError::Random)?;
    let part = path.with_file_name(format!("{UNFINISHED}{:016x}", u64::from_ne_bytes(random)));
    let write = || {
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&part)?;
        file.write_all(content)?;
        // Who reads the folder is not to learn when somebody stood there.
        file.set_modified(start_of_today())?;
        file.sync_all()?;
        fs::rename(&part, path)?;
        sync_folder_of(path)
    };
    write().map_err(|error| {
        // It may not even be there.
        fs::remove_file(&part).ok();
        FeedbackError::io(path)(error)
    })
}

/// Deletes a file; whether there was one. It is gone also after a crash.
pub(crate) fn delete(path: &Path) -> Result<bool, FeedbackError> {
    match fs::remove_file(path) {
        Ok(()) => sync_folder_of(path).map(|()| true).map_err(FeedbackError::io(path)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
        Err(error) => Err(FeedbackError::io(path)(error)),
    }
}

/// Midnight, UTC.
fn start_of_today() -> SystemTime {
    let secs = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    UNIX_EPOCH + Duration::from_secs(secs - secs % DAY_SECS)
}

fn sync_folder_of(path: &Path) -> std::io::Result<()> {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => File::open(folder)?.sync_all(),
        _ => Ok(()),
    }
}

/// The names of the files in a folder with this ending, without it, in order. What was never finished
/// is deleted.
pub(crate) fn names(folder: &Path, ending: &str) -> Result<Vec<String>, FeedbackError> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).map_err(FeedbackError::io(folder))? {
        let entry = entry.map_err(FeedbackError::io(folder))?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if is_unfinished(&name) {
            delete(&entry.path())?;
        } else if let Some(name) = name.strip_suffix(ending) {
            found.push(name.to_owned());
        }
    }
    found.sort_unstable();
    Ok(found)
}

/// Reads a file; nothing where it does not exist.
pub(crate) fn read(path: &Path) -> Result<Option<Vec<u8>>, FeedbackError> {
    match fs::read(path) {
        Ok(content) => Ok(Some(content)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(FeedbackError::io(path)(error)),
    }
}
