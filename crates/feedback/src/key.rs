//! The key that opens the faces.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Component, Path, PathBuf};
use std::str::FromStr;

use age::secrecy::ExposeSecret;
use age::x25519::Identity;
use rapport_settings::read_secret;

use crate::error::FeedbackError;
use crate::files::{make_private_folder, write_private};

/// An age identity (X25519) from a file. `Debug` does not show it.
#[derive(Clone)]
pub struct Key {
    identity: Identity,
    path: PathBuf,
}

impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Key").field("path", &self.path).finish_non_exhaustive()
    }
}

/// Whether a copy of the folder takes the key along, or the other way round.
///
/// # Errors
/// If the key lies in the folder or below it, or the folder lies beside the key or below its folder.
pub fn check_apart(key: &Path, folder: &Path) -> Result<(), FeedbackError> {
    let (real_key, real_folder) = (resolved(key), resolved(folder));
    let beside = real_key.parent().is_none_or(|place| real_folder.starts_with(place));
    if beside || real_key.starts_with(&real_folder) {
        return Err(FeedbackError::Together { key: key.to_owned(), folder: folder.to_owned() });
    }
    Ok(())
}

/// The path without links and `..`, as far as it exists.
fn resolved(path: &Path) -> PathBuf {
    let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let mut found = PathBuf::new();
    for part in path.components() {
        match part {
            Component::ParentDir => drop(found.pop()),
            part => found.push(part),
        }
        // Step by step: `..` leads to the folder above the one that a link names.
        found = found.canonicalize().unwrap_or(found);
    }
    found
}

impl Key {
    /// Reads the key, or makes it where the file does not exist. `folder`: that of the faces.
    ///
    /// # Errors
    /// If key and faces would lie in one folder, others can read the file, or it holds no key.
    pub fn read_or_make(path: &Path, folder: &Path) -> Result<Self, FeedbackError> {
        check_apart(path, folder)?;
        match Self::read(path) {
            Err(FeedbackError::Key(error)) if error.is_missing() => Self::make(path),
            other => other,
        }
    }

    /// Reads the key.
    ///
    /// # Errors
    /// If there is none, others can read the file, or it holds something else.
    pub fn read(path: &Path) -> Result<Self, FeedbackError> {
        let text = read_secret(path)?;
        // As `age-keygen` writes it: comments above.
        let mut lines = text.lines().map(str::trim);
        let line = lines.find(|line| !line.is_empty() && !line.starts_with('#'));
        let identity = line.and_then(|line| Identity::from_str(line).ok());
        // The error of the reader may quote what it read.
        let identity =
            identity.ok_or_else(|| FeedbackError::KeyContent { path: path.to_owned() })?;
        Ok(Self { identity, path: path.to_owned() })
    }

    fn make(path: &Path) -> Result<Self, FeedbackError> {
        let identity = Identity::generate();
        let place = path.parent().filter(|place| !place.as_os_str().is_empty());
        if let Some(place) = place {
            make_private_folder(place)?;
        }
        let text = format!("{}\n", identity.to_string().expose_secret());
        write_private(path, text.as_bytes())?;
        fs::set_permissions(path, Permissions::from_mode(0o600))
            .map_err(FeedbackError::io(path))?;
        Ok(Self { identity, path: path.to_owned() })
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The public part: it encrypts and does not decrypt.
    pub(crate) fn recipient(&self) -> String {
        self.identity.to_public().to_string()
    }

    pub(crate) fn encrypt(&self, plain: &[u8]) -> Result<Vec<u8>, FeedbackError> {
        let encrypted = age::encrypt(&self.identity.to_public(), plain);
        encrypted.map_err(|error| FeedbackError::Encrypt(error.to_string()))
    }

    pub(crate) fn decrypt(&self, path: &Path, encrypted: &[u8]) -> Result<Vec<u8>, FeedbackError> {
        let plain = age::decrypt(&self.identity, encrypted);
        plain.map_err(|error| {
            let (path, reason) = (path.to_owned(), error.to_string());
            FeedbackError::Decrypt { path, reason }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_made_once_and_only_its_owner_reads_it() {
        let root = tempfile::tempdir().unwrap();
        let (path, folder) = (root.path().join("keys/key.txt"), root.path().join("faces"));
        let made = Key::read_or_make(&path, &folder).unwrap();
        let read = Key::read_or_make(&path, &folder).unwrap();
        assert_eq!(made.recipient(), read.recipient());
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        let secret = fs::read_to_string(&path).unwrap();
        assert!(
            secret.starts_with("AGE-SECRET-KEY-1") && !format!("{read:?}").contains(secret.trim())
        );
        let sealed = made.encrypt(b"a face").unwrap();
        assert_eq!(read.decrypt(&path, &sealed).unwrap(), b"a face");
        fs::write(&path, format!("# created by age-keygen\n{secret}")).unwrap();
        assert_eq!(Key::read(&path).unwrap().recipient(), made.recipient());
        fs::write(&path, "secret-of-mine\n").unwrap();
        let error = Key::read(&path).unwrap_err().to_string();
        assert!(error.contains("age identity") && !error.contains("secret-of-mine"), "{error}");
        fs::set_permissions(&path, Permissions::from_mode(0o644)).unwrap();
        assert!(Key::read(&path).unwrap_err().to_string().contains("mode is 644, expected 600"));
    }

    #[test]
    fn a_key_beside_the_faces_is_refused() {
        let root = tempfile::tempdir().unwrap();
        let at = |path: &str| root.path().join(path);
        for (key, folder) in [
            ("faces/key", "faces"),
            ("faces/keys/key", "faces"),
            ("place/key", "place/faces"),
            ("place/key", "place/below/faces"),
            ("place/../faces/key", "faces"),
        ] {
            let error = Key::read_or_make(&at(key), &at(folder)).unwrap_err();
            assert!(matches!(error, FeedbackError::Together { .. }), "{key} {folder}: {error}");
            assert!(!at(key).exists());
        }
        // By a link, too.
        fs::create_dir(at("faces")).unwrap();
        std::os::unix::fs::symlink(at("faces"), at("elsewhere")).unwrap();
        assert!(Key::read_or_make(&at("elsewhere/key"), &at("faces")).is_err());
        assert!(Key::read_or_make(&at("keys/key"), &at("faces")).is_ok());
    }
}
