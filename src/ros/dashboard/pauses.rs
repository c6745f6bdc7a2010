//! Which robots an operator paused: kept in a file, so that a pause holds over a restart of this node
//! and of the robot's.

use std::collections::BTreeSet;
use std::io::{ErrorKind, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::{fs, io};

use crate::ros::lock::lock;

/// The robots that are paused. Clones share them.
#[derive(Debug, Clone)]
pub struct Pauses {
    file: PathBuf,
    robots: Arc<Mutex<BTreeSet<String>>>,
}

/// Why pauses cannot be read or kept.
#[derive(Debug, thiserror::Error)]
pub enum PausesError {
    /// The file system refuses.
    #[error("file of the paused robots {}: {source}", file.display())]
    File {
        /// The file.
        file: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// It is not what this program wrote.
    #[error(
        "file of the paused robots {}: {source}; expected a JSON list of namespaces as \
         [\"/left\"]; delete it, and no robot is paused",
        file.display()
    )]
    Content {
        /// The file.
        file: PathBuf,
        /// What is wrong.
        source: serde_json::Error,
    },
}

impl Pauses {
    /// Reads the pauses kept in a folder; none where there are none yet. Each ROS domain has its
    /// own: the same name means another robot there.
    ///
    /// # Errors
    /// If the file is there and cannot be read.
    pub fn read(folder: &Path) -> Result<Self, PausesError> {
        let domain = std::env::var("ROS_DOMAIN_ID").unwrap_or_default();
        let domain = domain.parse::<u32>().unwrap_or_default();
        let file = folder.join(format!("paused-robots-{domain}.json"));
        let robots = match fs::read(&file) {
            Ok(text) => serde_json::from_slice(&text)
                .map_err(|source| PausesError::Content { file: file.clone(), source })?,
            Err(error) if error.kind() == ErrorKind::NotFound => BTreeSet::new(),
            Err(source) => return Err(PausesError::File { file, source }),
        };
        Ok(Self { file, robots: Arc::new(Mutex::new(robots)) })
    }

    /// Whether a robot is paused.
    pub fn holds(&self, robot: &str) -> bool {
        lock(&self.robots).contains(robot)
    }

    /// The robots that are paused.
    pub fn robots(&self) -> Vec<String> {
        lock(&self.robots).iter().cloned().collect()
    }

    /// Keeps or ends a pause. It counts also where it cannot be kept.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn set(&self, robot: &str, paused: bool) -> Result<(), PausesError> {
        let mut robots = lock(&self.robots);
        let changed = if paused { robots.insert(robot.to_owned()) } else { robots.remove(robot) };
        if !changed {
            return Ok(());
        }
        let error = |source| PausesError::File { file: self.file.clone(), source };
        write(&self.file, &robots).map_err(error)
    }
}

/// Replaces the file by a whole one, so that none is ever half written.
fn write(file: &Path, robots: &BTreeSet<String>) -> io::Result<()> {
    if let Some(folder) = file.parent() {
        fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    }
    let new = file.with_extension("json.new");
    let mut open =
        fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&new)?;
    open.write_all(serde_json::to_string(robots)?.as_bytes())?;
    open.sync_all()?;
    fs::rename(&new, file)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pause_holds_until_it_is_ended() {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path().join("new");
        let pauses = Pauses::read(&folder).unwrap();
        pauses.set("/left", true).unwrap();
        pauses.set("/right", true).unwrap();
        let again = Pauses::read(&folder).unwrap();
        assert!(again.holds("/left") && again.holds("/right") && !again.holds("/"));
        again.set("/left", false).unwrap();
        assert_eq!(Pauses::read(&folder).unwrap().robots(), ["/right"]);
    }

    #[test]
    fn a_file_that_cannot_be_used_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let pauses = Pauses::read(folder.path()).unwrap();
        fs::write(&pauses.file, "{}").unwrap();
        let error = Pauses::read(folder.path()).unwrap_err().to_string();
        assert!(error.contains(&*pauses.file.to_string_lossy()) && error.contains("delete it"));
        fs::remove_file(&pauses.file).unwrap();
        fs::create_dir(&pauses.file).unwrap();
        assert!(matches!(Pauses::read(folder.path()), Err(PausesError::File { .. })));
        assert!(pauses.set("/", true).is_err());
        assert!(pauses.holds("/"), "it counts while this node runs");
    }
}
