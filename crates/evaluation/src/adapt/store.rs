//! Where calibrations lie: the one in use beside its network, and those before it beside that.

use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use rapport_perception::classify::Calibration;

use crate::whole_file;

/// Where the calibration of a network lies: `emotion.calibration.yaml` beside `emotion.onnx`.
pub fn calibration_path(model: &Path) -> PathBuf {
    model.with_extension("calibration.yaml")
}

/// Where a revision that is not in use any more is kept: `emotion.calibration.1.yaml`.
fn kept_path(path: &Path, revision: u32) -> PathBuf {
    path.with_extension(format!("{revision}.yaml"))
}

/// The calibration at a path; nothing where there is no file.
///
/// # Errors
/// If there is one and it cannot be read or is wrong.
pub fn read_calibration(path: &Path) -> anyhow::Result<Option<Calibration>> {
    match path.exists() {
        true => Ok(Some(Calibration::read(path).map_err(|error| anyhow::anyhow!(error))?)),
        false => Ok(None),
    }
}

/// Writes a calibration, and keeps the one that was in use for [`undo_calibration`].
///
/// # Errors
/// If the one in use cannot be read, or a file cannot be written.
pub fn write_calibration(path: &Path, calibration: &Calibration) -> anyhow::Result<()> {
    if let Some(before) = read_calibration(path)? {
        let content = std::fs::read(path).with_context(|| path.display().to_string())?;
        whole_file::write(&kept_path(path, before.revision), &content)?;
    }
    whole_file::write(path, calibration.to_yaml().as_bytes())
}

/// What [`undo_calibration`] did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Undone {
    /// An earlier revision is in use again.
    Restored {
        /// The revision that is gone.
        undone: u32,
        /// The one that is in use.
        revision: u32,
    },
    /// The first revision is gone, and the network is as it came.
    Removed,
}

/// Takes back the last [`write_calibration`].
///
/// # Errors
/// If there is no calibration, the one before it is not there or is wrong, or a file cannot be changed.
pub fn undo_calibration(path: &Path) -> anyhow::Result<Undone> {
    let shown = path.display();
    let Some(present) = read_calibration(path)? else {
        bail!("{shown}: there is no calibration to undo")
    };
    let undone = present.revision;
    let before = undone.saturating_sub(1);
    let kept = kept_path(path, before);
    if kept.exists() {
        let earlier = Calibration::read(&kept).map_err(|error| anyhow::anyhow!(error))?;
        std::fs::rename(&kept, path).with_context(|| shown.to_string())?;
        return Ok(Undone::Restored { undone, revision: earlier.revision });
    }
    if undone > 1 {
        bail!(
            "{shown}: it is revision {undone}, and {} is not there; expected it, or remove {shown} \
             to use the network as it came",
            kept.display()
        );
    }
    std::fs::remove_file(path).with_context(|| shown.to_string())?;
    Ok(Undone::Removed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rapport_vocabulary::LabelSet;

    fn revision(revision: u32) -> Calibration {
        let model = rapport_perception::ModelIdentity {
            name: "emotion".to_owned(),
            path: PathBuf::new(),
            sha256: "ab".repeat(32),
        };
        let temperature = 1.0 + revision as f32;
        Calibration { revision, temperature, ..Calibration::neutral(&model, LabelSet::seven()) }
    }

    #[test]
    fn each_revision_can_be_undone() {
        let folder = tempfile::tempdir().unwrap();
        let path = calibration_path(&folder.path().join("emotion.onnx"));
        assert_eq!(path.file_name().unwrap(), "emotion.calibration.yaml");
        for number in 1..=3 {
            write_calibration(&path, &revision(number)).unwrap();
            assert_eq!(read_calibration(&path).unwrap(), Some(revision(number)));
        }
        let undone = undo_calibration(&path).unwrap();
        assert_eq!(undone, Undone::Restored { undone: 3, revision: 2 });
        assert_eq!(read_calibration(&path).unwrap(), Some(revision(2)));
        undo_calibration(&path).unwrap();
        assert_eq!(undo_calibration(&path).unwrap(), Undone::Removed);
        let error = undo_calibration(&path).unwrap_err().to_string();
        assert!(error.contains("no calibration to undo"), "{error}");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    }

    #[test]
    fn a_revision_that_is_missing_or_damaged_changes_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("emotion.calibration.yaml");
        write_calibration(&path, &revision(4)).unwrap();
        let error = undo_calibration(&path).unwrap_err().to_string();
        assert!(error.contains("revision 4") && error.contains("calibration.3.yaml"), "{error}");
        std::fs::write(folder.path().join("emotion.calibration.3.yaml"), "version: x").unwrap();
        assert!(undo_calibration(&path).unwrap_err().to_string().contains("version is `x`"));
        assert_eq!(read_calibration(&path).unwrap(), Some(revision(4)));
    }
}
