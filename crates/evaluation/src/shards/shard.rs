//! Which recordings one of several processes does.

use std::fs::{File, TryLockError};
use std::path::Path;
use std::str::FromStr;

use anyhow::{Context, bail};

/// The i-th of n parts of a list, from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shard {
    number: usize,
    of: usize,
}

/// A text that names no shard.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("found `{0}`, expected i/n with i from 1 to n, for example 3/8")]
pub struct ShardError(String);

impl FromStr for Shard {
    type Err = ShardError;

    fn from_str(text: &str) -> Result<Self, ShardError> {
        let parse = || {
            let (number, of) = text.split_once('/')?;
            let shard = Self { number: number.parse().ok()?, of: of.parse().ok()? };
            (1..=shard.of).contains(&shard.number).then_some(shard)
        };
        parse().ok_or_else(|| ShardError(text.to_owned()))
    }
}

impl Shard {
    /// All of it.
    pub const WHOLE: Self = Self { number: 1, of: 1 };

    /// Whether it has the item at an index: every n-th, so that the shards differ by one item at most
    /// and neighbours, which are often alike in length, are dealt out evenly.
    pub fn has(self, index: usize) -> bool {
        index % self.of == self.number - 1
    }

    /// Keeps another process from working on the same shard in the same folder. The lock ends with the
    /// process, however it ends.
    ///
    /// # Errors
    /// If another process holds it.
    pub fn lock(self, folder: &Path) -> anyhow::Result<File> {
        let path = folder.join(format!(".shard-{}-of-{}.lock", self.number, self.of));
        let file = File::create(&path).with_context(|| format!("{} not made", path.display()))?;
        match file.try_lock() {
            // Some file systems of clusters have no locks.
            Ok(()) | Err(TryLockError::Error(_)) => Ok(file),
            Err(TryLockError::WouldBlock) => bail!(
                "{}: another process works on shard {}/{} in this folder",
                folder.display(),
                self.number,
                self.of
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_item_is_in_one_shard() {
        for of in 1..9 {
            let shards: Vec<Shard> =
                (1..=of).map(|number| format!("{number}/{of}").parse().unwrap()).collect();
            let sizes: Vec<usize> =
                shards.iter().map(|s| (0..20).filter(|i| s.has(*i)).count()).collect();
            assert_eq!(sizes.iter().sum::<usize>(), 20);
            assert!(sizes.iter().max().unwrap() - sizes.iter().min().unwrap() <= 1);
            for index in 0..20 {
                assert_eq!(shards.iter().filter(|shard| shard.has(index)).count(), 1);
            }
        }
    }

    #[test]
    fn other_texts_are_refused() {
        for text in ["", "3", "0/8", "9/8", "1/0", "a/b", "1/2/3", "-1/8", "1 / 8"] {
            let error = text.parse::<Shard>().unwrap_err().to_string();
            assert!(error.contains(&format!("found `{text}`, expected i/n")), "{error}");
        }
    }

    #[test]
    fn two_processes_do_not_work_on_one_shard() {
        let folder = tempfile::tempdir().unwrap();
        let shard: Shard = "2/3".parse().unwrap();
        let held = shard.lock(folder.path()).unwrap();
        let error = shard.lock(folder.path()).unwrap_err().to_string();
        assert!(error.contains("another process works on shard 2/3"), "{error}");
        "3/3".parse::<Shard>().unwrap().lock(folder.path()).unwrap();
        drop(held);
        shard.lock(folder.path()).unwrap();
    }
}
