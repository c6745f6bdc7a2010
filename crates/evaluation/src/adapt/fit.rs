//! Bias-corrected temperature scaling, fitted to answers: Alexandari, Kundaje and Shrikumar,
//! "Maximum Likelihood with Bias-Corrected Calibration is Hard-To-Beat at Label Shift Adaptation"
//! (ICML 2020), section 3, with a penalty that draws it towards no change.

use rapport_perception::classify::{BIASES, LEAST_PROBABILITY, TEMPERATURES};
use rapport_vocabulary::{Distribution, Emotion, LabelSet};

use super::feedback::{Answer, Item};

const CLASSES: usize = Emotion::COUNT;
/// The bias of each class, and the slope, which is 1 over the temperature, last.
const NUMBERS: usize = CLASSES + 1;
const SLOPE: usize = CLASSES;
const MOST_STEPS: usize = 30;
/// A Newton step that promises less gain than this, in nats, is the last.
const ENOUGH: f64 = 1e-9;

/// An answer that names an expression, ready for arithmetic.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Example {
    /// The logarithm of each class's probability, negative infinity where the network lacks it.
    pub logs: [f64; CLASSES],
    /// The class that was named.
    pub class: usize,
    /// How much it counts.
    pub weight: f64,
}

impl Example {
    /// Nothing where no expression was named.
    pub fn of(item: &Item, labels: &LabelSet, weight: f64) -> Option<Self> {
        let Answer::Shows(label) = item.answer else { return None };
        let logs = Self::logs_of(&item.probabilities, labels);
        Some(Self { logs, class: label as usize, weight })
    }

    /// The logarithms of a distribution.
    pub fn logs_of(seen: &Distribution, labels: &LabelSet) -> [f64; CLASSES] {
        let mut logs = [f64::NEG_INFINITY; CLASSES];
        for label in labels.iter() {
            logs[label as usize] = f64::from(seen.of(label).max(LEAST_PROBABILITY)).ln();
        }
        logs
    }
}

/// What is added and multiplied: `softmax(slope * ln p + bias)`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Shift(pub [f64; NUMBERS]);

impl Shift {
    /// No change.
    pub const NONE: Self = {
        let mut numbers = [0.0; NUMBERS];
        numbers[SLOPE] = 1.0;
        Self(numbers)
    };

    /// That of a calibration.
    pub fn new(temperature: f32, bias: &[f32; CLASSES]) -> Self {
        let mut numbers = [0.0; NUMBERS];
        numbers.iter_mut().zip(bias).for_each(|(number, bias)| *number = f64::from(*bias));
        numbers[SLOPE] = 1.0 / f64::from(temperature);
        Self(numbers)
    }

    /// What the slope is one over, within what a calibration may have.
    pub fn temperature(&self) -> f32 {
        (1.0 / self.0[SLOPE]).clamp(*TEMPERATURES.start(), *TEMPERATURES.end()) as f32
    }

    /// Within what a calibration may have.
    pub fn bias(&self) -> [f32; CLASSES] {
        std::array::from_fn(|class| self.0[class].clamp(*BIASES.start(), *BIASES.end()) as f32)
    }

    /// The probabilities that it makes of an example's.
    pub fn probabilities(&self, logs: &[f64; CLASSES]) -> [f64; CLASSES] {
        let values: [f64; CLASSES] = std::array::from_fn(|c| self.0[SLOPE] * logs[c] + self.0[c]);
        let greatest = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let shares = values.map(|value| (value - greatest).exp());
        let sum: f64 = shares.iter().sum();
        shares.map(|share| share / sum)
    }

    /// How badly the answer was foreseen, in nats.
    pub fn log_loss(&self, example: &Example) -> f64 {
        -self.probabilities(&example.logs)[example.class].max(f64::MIN_POSITIVE).ln()
    }
}

/// The mean log-loss under a shift, in nats, each example counting by its weight.
pub(super) fn mean_log_loss<'a>(
    examples: impl IntoIterator<Item = &'a Example>,
    shift: &Shift,
) -> f64 {
    let (mut sum, mut weights) = (0.0, 0.0);
    for example in examples {
        sum += example.weight * shift.log_loss(example);
        weights += example.weight;
    }
    if weights > 0.0 { sum / weights } else { 0.0 }
}

/// Fits the slope and the biases of the classes in `free`; those of the others stay 0. Minimises the
/// mean log-loss plus half of `penalty` times the squares of the biases and of slope - 1, which is
/// convex, by Newton's method from `start`.
pub(super) fn fit(
    examples: &[&Example],
    free: &[bool; CLASSES],
    penalty: f64,
    start: Shift,
) -> Shift {
    let mut shift = start;
    let mut here = derivatives(examples, &shift, free, penalty);
    for _ in 0..MOST_STEPS {
        let Derivatives { value, gradient, hessian } = here;
        let Some(step) = solve(hessian, gradient) else { break };
        let promised: f64 = step.iter().zip(gradient).map(|(step, slope)| step * slope).sum();
        if promised < ENOUGH {
            break;
        }
        // Halved until it helps; a slope of 0 or less would turn the order of the classes around.
        let mut share = 1.0;
        let next = loop {
            let next = Shift(std::array::from_fn(|i| shift.0[i] - share * step[i]));
            let lower = 1.0 / TEMPERATURES.end();
            if next.0[SLOPE] >= lower {
                let there = derivatives(examples, &next, free, penalty);
                if there.value < value {
                    break Some((next, there));
                }
            }
            share /= 2.0;
            if share < 1e-4 {
                break None;
            }
        };
        let Some(next) = next else { break };
        (shift, here) = next;
    }
    shift
}

type Matrix = [[f64; NUMBERS]; NUMBERS];

/// What is minimised, and how it changes with each number.
struct Derivatives {
    value: f64,
    gradient: [f64; NUMBERS],
    hessian: Matrix,
}

fn derivatives(
    examples: &[&Example],
    shift: &Shift,
    free: &[bool; CLASSES],
    penalty: f64,
) -> Derivatives {
    let squares: f64 = shift.0.iter().zip(Shift::NONE.0).map(|(a, b)| (a - b) * (a - b)).sum();
    let mut value = 0.5 * penalty * squares;
    let (mut gradient, mut hessian) = ([0.0; NUMBERS], [[0.0; NUMBERS]; NUMBERS]);
    let weights: f64 = examples.iter().map(|example| example.weight).sum();
    for example in examples {
        let weight = example.weight / weights;
        let shares = shift.probabilities(&example.logs);
        value -= weight * shares[example.class].max(f64::MIN_POSITIVE).ln();
        let logs = example.logs.map(|log| if log.is_finite() { log } else { 0.0 });
        let mean: f64 = shares.iter().zip(logs).map(|(share, log)| share * log).sum();
        for class in 0..CLASSES {
            let share = shares[class];
            gradient[class] += weight * (share - f64::from(u8::from(class == example.class)));
            for other in 0..=class {
                hessian[class][other] -= weight * share * shares[other];
            }
            hessian[class][class] += weight * share;
            hessian[SLOPE][class] += weight * share * (logs[class] - mean);
            hessian[SLOPE][SLOPE] += weight * share * logs[class] * (logs[class] - mean);
        }
        gradient[SLOPE] += weight * (mean - logs[example.class]);
    }
    for number in 0..NUMBERS {
        gradient[number] += penalty * (shift.0[number] - Shift::NONE.0[number]);
        hessian[number][number] += penalty;
        if free.get(number) == Some(&false) {
            gradient[number] = 0.0;
            hessian[number] = [0.0; NUMBERS];
            hessian.iter_mut().for_each(|row| row[number] = 0.0);
            hessian[number][number] = 1.0;
        }
    }
    Derivatives { value, gradient, hessian }
}

/// Solves `matrix * x = right` by Cholesky's decomposition of the lower half; nothing where the matrix
/// is not positive definite.
fn solve(mut matrix: Matrix, right: [f64; NUMBERS]) -> Option<[f64; NUMBERS]> {
    for row in 0..NUMBERS {
        for column in 0..=row {
            let products: f64 = (0..column).map(|k| matrix[row][k] * matrix[column][k]).sum();
            let rest = matrix[row][column] - products;
            if row == column {
                if rest <= 1e-14 || !rest.is_finite() {
                    return None;
                }
                matrix[row][row] = rest.sqrt();
            } else {
                matrix[row][column] = rest / matrix[column][column];
            }
        }
    }
    let mut x = right;
    for row in 0..NUMBERS {
        let products: f64 = (0..row).map(|k| matrix[row][k] * x[k]).sum();
        x[row] = (x[row] - products) / matrix[row][row];
    }
    for row in (0..NUMBERS).rev() {
        let products: f64 = (row + 1..NUMBERS).map(|k| matrix[k][row] * x[k]).sum();
        x[row] = (x[row] - products) / matrix[row][row];
    }
    Some(x)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Examples whose answers follow a known shift exactly: each stands once for each answer, by its
    /// probability.
    fn of_shift(truth: &Shift) -> Vec<Example> {
        let mut random = 7u64;
        let mut draw = || {
            random = random.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            (random >> 33) as f64 / f64::from(1u32 << 31)
        };
        let mut examples = Vec::new();
        for _ in 0..200 {
            let shares: [f64; CLASSES] = std::array::from_fn(|_| (4.0 * draw()).exp());
            let sum: f64 = shares.iter().sum();
            let logs = shares.map(|share| (share / sum).ln());
            let answers = truth.probabilities(&logs);
            examples.extend((0..CLASSES).map(|class| Example {
                logs,
                class,
                weight: answers[class],
            }));
        }
        examples
    }

    #[test]
    fn a_known_shift_is_found() {
        let mut truth = Shift([0.5, -0.25, 0.0, 1.0, -1.0, 0.25, -0.5, 0.0, 0.7]);
        let examples = of_shift(&truth);
        let examples: Vec<&Example> = examples.iter().collect();
        let found = fit(&examples, &[true; CLASSES], 1e-9, Shift::NONE);
        for (found, truth) in found.0.iter().zip(truth.0) {
            assert!((found - truth).abs() < 1e-3, "{found} {truth}");
        }
        // A penalty that nothing outweighs leaves all as it is.
        let held = fit(&examples, &[true; CLASSES], 1e6, Shift::NONE);
        assert!(held.0.iter().zip(Shift::NONE.0).all(|(a, b)| (a - b).abs() < 1e-4), "{held:?}");
        // A class that is held keeps 0, and the others do what they can.
        let mut free = [true; CLASSES];
        free[3] = false;
        let found = fit(&examples, &free, 1e-9, Shift::NONE);
        assert_eq!(found.0[3], 0.0);
        // Biases count by their differences only: all of them are 1 lower.
        truth.0.iter_mut().take(CLASSES).for_each(|bias| *bias -= 1.0);
        for (found, truth) in found.0.iter().zip(truth.0) {
            assert!((found - truth).abs() < 1e-3, "{found} {truth}");
        }
    }

    #[test]
    fn the_fit_is_where_the_objective_is_least() {
        let examples = of_shift(&Shift([0.3, 0.0, -0.4, 0.1, 0.0, 0.0, 0.6, -0.2, 1.4]));
        let examples: Vec<&Example> = examples.iter().collect();
        let found = fit(&examples, &[true; CLASSES], 0.02, Shift::NONE);
        let value = |shift: &Shift| derivatives(&examples, shift, &[true; CLASSES], 0.02).value;
        let least = value(&found);
        for number in 0..NUMBERS {
            for move_by in [-1e-3, 1e-3] {
                let mut other = found;
                other.0[number] += move_by;
                assert!(value(&other) > least, "{number}");
            }
        }
    }
}
