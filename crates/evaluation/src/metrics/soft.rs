//! Votes as soft labels: a distribution over the expressions for each picture, where it need not be
//! that most people see the same.

use serde::Serialize;

use rapport_vocabulary::{Distribution, Emotion};

/// The least probability that counts in the cross-entropy, so that a class that a model does not
/// have costs something, not everything.
const LEAST_PROBABILITY: f64 = 0.001;

/// The votes as a distribution, where there need not be a majority.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SoftLabel {
    /// The shares of the votes in the order of [`Emotion::ALL`], single votes left out; the sum is
    /// 1.
    pub shares: [f64; Emotion::COUNT],
}

/// What a model answers on a picture, for [`SoftLabel`]s.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SoftAnswer {
    /// What people see.
    pub people: SoftLabel,
    /// The label that the model reports.
    pub label: Emotion,
    /// The model's distribution.
    pub probabilities: Distribution,
}

impl SoftAnswer {
    /// The cross-entropy of the model's distribution to the votes, in nats; a probability under
    /// 0.001 counts as 0.001.
    pub fn cross_entropy(&self) -> f64 {
        cross_entropy(&self.people.shares, &self.probabilities)
    }

    /// The entropy of the votes in nats.
    pub fn entropy(&self) -> f64 {
        entropy(&self.people.shares)
    }

    /// The Jensen-Shannon divergence of the two distributions to the base of 2: from 0 where they
    /// are alike to 1 where they have nothing in common.
    pub fn jensen_shannon(&self) -> f64 {
        jensen_shannon(&self.people.shares, &self.probabilities.0.map(f64::from))
    }

    /// The share of the votes that are for the label that the model reports.
    pub fn votes_for_label(&self) -> f64 {
        self.people.shares[self.label as usize]
    }
}

/// The figures of one model against the votes as distributions: of every picture that people see an
/// expression in, also where no majority sees the same.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SoftScores {
    /// Pictures that count.
    pub images: u64,
    /// Pictures that do not: most votes are for unknown or no face, or every vote is a single one.
    pub images_left_out: u64,
    /// Mean cross-entropy of the model's distribution to the votes, in nats.
    pub cross_entropy: f64,
    /// Mean entropy of the votes in nats: no model's cross-entropy can be less.
    pub entropy_of_votes: f64,
    /// Mean Jensen-Shannon divergence to the base of 2, 0 to 1.
    pub jensen_shannon: f64,
    /// The mean share of the votes that are for the label that users get.
    pub votes_for_label: f64,
}

/// The figures over all pictures that count; `None` without any.
pub fn soft_scores(answers: &[SoftAnswer], left_out: u64) -> Option<SoftScores> {
    let mean = |figure: fn(&SoftAnswer) -> f64| {
        answers.iter().map(figure).sum::<f64>() / answers.len() as f64
    };
    (!answers.is_empty()).then(|| SoftScores {
        images: answers.len() as u64,
        images_left_out: left_out,
        cross_entropy: mean(SoftAnswer::cross_entropy),
        entropy_of_votes: mean(SoftAnswer::entropy),
        jensen_shannon: mean(SoftAnswer::jensen_shannon),
        votes_for_label: mean(SoftAnswer::votes_for_label),
    })
}

pub(super) fn cross_entropy(shares: &[f64], probabilities: &Distribution) -> f64 {
    let pairs = shares.iter().zip(probabilities.0);
    pairs.map(|(share, p)| -share * f64::from(p).max(LEAST_PROBABILITY).ln()).sum()
}

pub(super) fn entropy(shares: &[f64]) -> f64 {
    shares.iter().filter(|share| **share > 0.0).map(|share| -share * share.ln()).sum()
}

/// The Jensen-Shannon divergence of two distributions to the base of 2 (Lin, "Divergence measures
/// based on the Shannon entropy", 1991). Each is divided by its sum.
pub fn jensen_shannon(one: &[f64], other: &[f64]) -> f64 {
    let (sum, other_sum) = (one.iter().sum::<f64>(), other.iter().sum::<f64>());
    let to_middle = |p: f64, middle: f64| if p > 0.0 { p * (p / middle).log2() } else { 0.0 };
    let part = |(a, b): (&f64, &f64)| {
        let (a, b) = (a / sum, b / other_sum);
        let middle = 0.5 * (a + b);
        0.5 * (to_middle(a, middle) + to_middle(b, middle))
    };
    // Rounding must not bring it below 0.
    one.iter().zip(other).map(part).sum::<f64>().max(0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(shares: &[(Emotion, f64)], read: &[(Emotion, f32)]) -> SoftAnswer {
        let mut people = SoftLabel { shares: [0.0; Emotion::COUNT] };
        shares.iter().for_each(|(label, share)| people.shares[*label as usize] = *share);
        let probabilities = Distribution::of_pairs(read.iter().copied());
        SoftAnswer { people, label: probabilities.top(), probabilities }
    }

    #[test]
    fn the_figures_are_those_worked_out_by_hand() {
        use Emotion::{Happy, Neutral, Sad};
        let same = answer(&[(Neutral, 0.5), (Sad, 0.5)], &[(Neutral, 0.5), (Sad, 0.5)]);
        let other = answer(&[(Happy, 1.0)], &[(Neutral, 0.75), (Sad, 0.25)]);
        assert_eq!((same.jensen_shannon(), other.jensen_shannon()), (0.0, 1.0));
        // Half of what they have is common.
        let half = answer(&[(Neutral, 0.5), (Sad, 0.5)], &[(Neutral, 0.5), (Happy, 0.5)]);
        assert!((half.jensen_shannon() - 0.5).abs() < 1e-12);
        let found = soft_scores(&[same, other], 3).unwrap();
        assert_eq!((found.images, found.images_left_out), (2, 3));
        assert!((found.jensen_shannon - 0.5).abs() < 1e-12);
        assert!((found.votes_for_label - 0.25).abs() < 1e-12);
        assert!((found.entropy_of_votes - 0.5 * 2f64.ln()).abs() < 1e-12);
        let cross = 0.5 * (2f64.ln() - 0.001f64.ln());
        assert!((found.cross_entropy - cross).abs() < 1e-12);
        assert_eq!(soft_scores(&[], 3), None);
    }
}
