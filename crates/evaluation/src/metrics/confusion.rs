//! The confusion matrix.

use serde::Serialize;

/// Counts of (true class, predicted class). Rows are true classes, columns predicted ones.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Confusion {
    counts: Vec<Vec<u64>>,
}

impl Confusion {
    /// All counts zero.
    pub fn new(classes: usize) -> Self {
        Self { counts: vec![vec![0; classes]; classes] }
    }

    /// Counts pairs of true and predicted class, each below `classes`.
    pub fn of(classes: usize, pairs: impl IntoIterator<Item = (usize, usize)>) -> Self {
        let mut confusion = Self::new(classes);
        pairs.into_iter().for_each(|(truth, predicted)| confusion.add(truth, predicted));
        confusion
    }

    /// Counts one prediction. Both classes must be below the number of classes.
    pub fn add(&mut self, truth: usize, predicted: usize) {
        self.counts[truth][predicted] += 1;
    }

    /// The number of classes.
    pub fn classes(&self) -> usize {
        self.counts.len()
    }

    /// How often `truth` was predicted as `predicted`.
    pub fn count(&self, truth: usize, predicted: usize) -> u64 {
        self.counts[truth][predicted]
    }

    /// The row of a true class: how often each class was predicted for it.
    pub fn row(&self, truth: usize) -> &[u64] {
        &self.counts[truth]
    }

    /// How often a class was there.
    pub fn support(&self, class: usize) -> u64 {
        self.counts[class].iter().sum()
    }

    /// How often a class was predicted.
    pub fn predicted(&self, class: usize) -> u64 {
        self.counts.iter().map(|row| row[class]).sum()
    }

    /// All predictions.
    pub fn total(&self) -> u64 {
        self.counts.iter().flatten().sum()
    }

    /// The classes that were there or were predicted, in order: the ones that scikit-learn reports
    /// on where it is not told which.
    pub fn classes_seen(&self) -> Vec<usize> {
        (0..self.classes())
            .filter(|&class| self.support(class) + self.predicted(class) > 0)
            .collect()
    }
}
