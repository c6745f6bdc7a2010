//! Which answers are held out together, and cross-validation of the fit.

use std::collections::BTreeMap;

use rapport_vocabulary::Emotion;

use super::feedback::Item;
use super::fit::{Example, Shift, fit, mean_log_loss};

/// How many parts are held out in turn.
pub(super) const FOLDS: usize = 10;
/// How many parts choose the penalty, within what is not held out.
const INNER_FOLDS: usize = 5;
/// With fewer days at places than this, visits are the groups.
pub(super) const LEAST_GROUPS: usize = 10;
/// What the penalty may be, from hardly any change to free: about 1 / (answers * the spread of a
/// bias squared), so that of 300 answers a spread of 0.06, 0.2, 0.3, 0.6, 1 and 2.
const PENALTIES: [f64; 6] = [1.0, 0.1, 0.03, 0.01, 0.003, 0.001];

/// Groups of answers that may be alike: those of one day at one place; those of one visit where there
/// are too few of these.
pub(super) struct Groups {
    /// The group of each item.
    pub of_item: Vec<usize>,
    /// How many there are.
    pub count: usize,
    /// Whether they are days at places.
    pub are_days: bool,
}

impl Groups {
    pub fn of(items: &[&Item]) -> Self {
        let days = Self::by(items.iter().map(|item| (&item.day, &item.place)), true);
        if days.count >= LEAST_GROUPS {
            return days;
        }
        // An answer whose visit is unknown is a visit of its own.
        let alone = |(index, item): (usize, &&Item)| (item.visit, item.visit.map_or(index, |_| 0));
        Self::by(items.iter().enumerate().map(alone), false)
    }

    fn by<K: Ord>(keys: impl Iterator<Item = K>, are_days: bool) -> Self {
        let mut numbers = BTreeMap::new();
        let of_item = keys.map(|key| {
            let next = numbers.len();
            *numbers.entry(key).or_insert(next)
        });
        Self { of_item: of_item.collect(), count: numbers.len(), are_days }
    }

    /// Which fold each item is held out in: whole groups, dealt out in an order that looks random and
    /// is the same in every run.
    pub fn folds(&self, folds: usize) -> Vec<usize> {
        let mut order: Vec<usize> = (0..self.count).collect();
        // SplitMix64 of the group's number: neighbours do not stay together.
        order.sort_by_key(|&group| mixed(group as u64));
        let mut fold_of_group = vec![0; self.count];
        for (place, group) in order.into_iter().enumerate() {
            fold_of_group[group] = place % folds;
        }
        self.of_item.iter().map(|&group| fold_of_group[group]).collect()
    }
}

fn mixed(number: u64) -> u64 {
    let number = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let number = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let number = (number ^ (number >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    number ^ (number >> 31)
}

/// The shift fitted to examples, its penalty chosen among them by holding out parts in turn.
pub(super) fn fit_with_chosen_penalty(
    examples: &[&Example],
    free: &[bool; Emotion::COUNT],
) -> Shift {
    let mut losses = [0.0; PENALTIES.len()];
    for fold in 0..INNER_FOLDS {
        let part = |held_out: bool| {
            examples
                .iter()
                .enumerate()
                .filter(|(index, _)| (index % INNER_FOLDS == fold) == held_out)
                .map(|(_, example)| *example)
                .collect::<Vec<_>>()
        };
        let (held_out, kept) = (part(true), part(false));
        let weight: f64 = held_out.iter().map(|example| example.weight).sum();
        let mut shift = Shift::NONE;
        for (loss, penalty) in losses.iter_mut().zip(PENALTIES) {
            shift = fit(&kept, free, penalty, shift);
            *loss += weight * mean_log_loss(held_out.iter().copied(), &shift);
        }
    }
    let (mut penalty, mut least) = (PENALTIES[0], f64::INFINITY);
    for (loss, candidate) in losses.into_iter().zip(PENALTIES) {
        if loss < least {
            (penalty, least) = (candidate, loss);
        }
    }
    fit(examples, free, penalty, Shift::NONE)
}

/// For each example the shift that was fitted, and its penalty chosen, without it.
pub(super) fn held_out_shifts(
    examples: &[Example],
    folds: &[usize],
    free: &[bool; Emotion::COUNT],
) -> Vec<Shift> {
    let mut of_fold = [Shift::NONE; FOLDS];
    for (fold, shift) in of_fold.iter_mut().enumerate() {
        let kept: Vec<&Example> = examples
            .iter()
            .zip(folds)
            .filter(|(_, held_out)| **held_out != fold)
            .map(|(example, _)| example)
            .collect();
        *shift = fit_with_chosen_penalty(&kept, free);
    }
    folds.iter().map(|&fold| of_fold.get(fold).copied().unwrap_or(Shift::NONE)).collect()
}
