//! The tokens that open the server: one for each role, in a file that only its owner reads.

use std::collections::BTreeMap;
use std::fs::{self, OpenOptions};
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use rapport_settings::{SecretFileError, read_secret};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

/// Letters and digits that are not taken for one another: 5 bits each.
const ALPHABET: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";

/// 160 bits: not to be guessed, however many try.
const LENGTH: usize = 32;

/// What somebody may do. Each may also do what those before it may, but for `Rating`, which may do
/// nothing else.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, utoipa::ToSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// A guest at a tablet: gives ratings.
    Rating,
    /// Looks, and has pictures analysed.
    Viewer,
    /// Pauses and resumes.
    Operator,
}

impl Role {
    /// Every role.
    pub const ALL: [Role; 3] = [Role::Viewer, Role::Operator, Role::Rating];

    /// Its name.
    pub fn as_str(self) -> &'static str {
        match self {
            Role::Rating => "rating",
            Role::Viewer => "viewer",
            Role::Operator => "operator",
        }
    }
}

/// The tokens, one for each role. They are not shown by `Debug`.
#[derive(Clone)]
pub struct Tokens {
    path: PathBuf,
    tokens: Vec<(Role, String)>,
}

impl std::fmt::Debug for Tokens {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tokens").field("path", &self.path).finish_non_exhaustive()
    }
}

/// Why there are no tokens.
#[derive(Debug, thiserror::Error)]
pub enum TokenError {
    /// The file cannot be read, or others than its owner can.
    #[error("token file {0}; once it is deleted, new tokens are made")]
    Read(#[from] SecretFileError),
    /// The file cannot be made.
    #[error("token file {}: {source}", path.display())]
    Make {
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// The file does not hold what it should.
    #[error("token file {}: {reason}", path.display())]
    Content {
        /// The file.
        path: PathBuf,
        /// What is wrong; no token is in it.
        reason: String,
    },
}

impl Tokens {
    /// Reads the tokens of a folder, or makes them if there are none yet.
    ///
    /// # Errors
    /// If the file cannot be made or read, others can read it, or a token is missing or short.
    pub fn in_folder(folder: &Path) -> Result<Self, TokenError> {
        let path = folder.join("tokens.json");
        match read_secret(&path) {
            Ok(text) => Self::parse(path, &text),
            Err(error) if error.is_missing() => Self::make(path),
            Err(error) => Err(error.into()),
        }
    }

    /// The file in which they are.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The roles and their tokens, to show them to their owner.
    pub fn iter(&self) -> impl Iterator<Item = (Role, &str)> {
        self.tokens.iter().map(|(role, token)| (*role, token.as_str()))
    }

    /// The role that a token gives. Takes as long for a wrong one as for a right one.
    pub fn role_of(&self, token: &str) -> Option<Role> {
        let given = Sha256::digest(token.as_bytes());
        self.tokens.iter().fold(None, |found, (role, token)| {
            let same: bool = Sha256::digest(token.as_bytes()).ct_eq(&given).into();
            if same { Some(*role) } else { found }
        })
    }

    fn make(path: PathBuf) -> Result<Self, TokenError> {
        let failed = |source| TokenError::Make { path: path.clone(), source };
        let token = || {
            let mut random = [0; LENGTH];
            getrandom::fill(&mut random).map_err(std::io::Error::other)?;
            Ok(random.iter().map(|byte| ALPHABET[usize::from(byte % 32)] as char).collect())
        };
        let tokens = Role::ALL.map(|role| token().map(|token: String| (role, token)));
        let tokens: Vec<_> = tokens.into_iter().collect::<Result<_, _>>().map_err(failed)?;
        let document: BTreeMap<_, _> = tokens.iter().cloned().collect();
        let text = serde_json::to_string_pretty(&document).unwrap_or_default() + "\n";
        write_private(&path, text.as_bytes()).map_err(failed)?;
        Ok(Self { path, tokens })
    }

    fn parse(path: PathBuf, text: &str) -> Result<Self, TokenError> {
        let content = |reason: String| TokenError::Content { path: path.clone(), reason };
        let document: BTreeMap<String, String> = serde_json::from_str(text)
            // The error of the reader may quote what it read.
            .map_err(|error| {
                content(format!("no JSON object of strings, line {}", error.line()))
            })?;
        let token = |role: Role| {
            let token = document.get(role.as_str()).map(|token| token.trim().to_owned());
            match token {
                Some(token) if token.len() >= 16 => Ok((role, token)),
                Some(token) => Err(content(format!(
                    "the token of {} has {} characters, expected at least 16",
                    role.as_str(),
                    token.len()
                ))),
                None => Err(content(format!("no token for {}", role.as_str()))),
            }
        };
        let tokens = Role::ALL.map(token).into_iter().collect::<Result<Vec<_>, _>>()?;
        Ok(Self { path, tokens })
    }
}

/// Writes a file that only its owner can read, and the folders above it.
pub(crate) fn write_private(path: &Path, content: &[u8]) -> std::io::Result<()> {
    if let Some(folder) = path.parent() {
        fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    }
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(content)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn tokens_are_made_once_and_only_their_owner_reads_them() {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path().join("new").join("rapport");
        let made = Tokens::in_folder(&folder).unwrap();
        let read = Tokens::in_folder(&folder).unwrap();
        assert!(made.iter().eq(read.iter()));
        assert_eq!(fs::metadata(read.path()).unwrap().permissions().mode() & 0o777, 0o600);
        for (role, token) in read.iter() {
            assert_eq!(token.len(), LENGTH);
            assert_eq!(read.role_of(token), Some(role));
            assert!(!format!("{read:?}").contains(token));
        }
        assert_eq!(read.role_of(""), None);
        assert_eq!(read.role_of(&read.iter().next().unwrap().1[1..]), None);
    }

    #[test]
    fn a_file_that_others_read_and_a_broken_one_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = Tokens::in_folder(folder.path()).unwrap().path().to_owned();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        let error = Tokens::in_folder(folder.path()).unwrap_err().to_string();
        assert!(error.contains("mode is 640, expected 600"), "{error}");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        for (content, expected) in [
            ("{", "no JSON object of strings, line 1"),
            ("{}", "no token for viewer"),
            (r#"{"viewer": "secret"}"#, "the token of viewer has 6 characters"),
        ] {
            fs::write(&path, content).unwrap();
            let error = Tokens::in_folder(folder.path()).unwrap_err().to_string();
            assert!(error.contains(expected) && !error.contains("secret"), "{error}");
        }
    }
}
