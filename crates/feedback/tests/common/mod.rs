//! A folder with its key, and faces that are known by their bytes.
#![allow(dead_code, clippy::panic, clippy::unwrap_used, missing_docs)]

use std::fs;
use std::path::{Path, PathBuf};

use rapport_feedback::{Day, FeedbackStore, Key, Picture, Reading};
use rapport_vocabulary::Emotion;
use tempfile::TempDir;

pub struct Place {
    pub root: TempDir,
    pub key: Key,
    pub store: FeedbackStore,
}

impl Place {
    pub fn new() -> Self {
        let root = tempfile::tempdir().unwrap();
        let folder = root.path().join("feedback");
        let key = Key::read_or_make(&root.path().join("keys/feedback.key"), &folder).unwrap();
        let store = FeedbackStore::open_or_make(&folder, &key).unwrap();
        Self { root, key, store }
    }

    pub fn folder(&self) -> &Path {
        self.store.folder()
    }
}

pub fn day(number: u32) -> Day {
    "2026-11-27".parse::<Day>().unwrap().plus(number)
}

pub const SIDE_PX: u32 = 24;

/// The pixels of a face of its own for each seed: noise, so that no bytes are alike by chance.
pub fn pixels(seed: u64) -> Vec<u8> {
    let mut random = fastrand::Rng::with_seed(seed);
    (0..SIDE_PX * SIDE_PX * 3).map(|_| random.u8(..)).collect()
}

pub fn picture(seed: u64) -> Picture {
    Picture::of_rgb(&pixels(seed), SIDE_PX, SIDE_PX).unwrap()
}

pub fn reading(happy: f32) -> Reading {
    let others = Emotion::ALL.into_iter().filter(|emotion| *emotion != Emotion::Happy);
    let rest = (1.0 - happy) / 7.0;
    let all = others.map(|emotion| (emotion, rest)).chain([(Emotion::Happy, happy)]);
    Reading {
        shown: Emotion::Happy,
        sure: happy > 0.5,
        probabilities: all.collect(),
        model_sha256: "0".repeat(64),
    }
}

/// Every file below a folder with its content.
pub fn files(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else {
            let content = fs::read(&path).unwrap();
            found.push((path, content));
        }
    }
    found
}

pub fn holds(content: &[u8], part: &[u8]) -> bool {
    content.windows(part.len()).any(|window| window == part)
}
