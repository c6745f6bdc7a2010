//! Where a head is and how it is turned, from the directions of its five landmarks: perspective-n-point
//! by Levenberg and Marquardt's steps, begun from weak perspective.
//!
//! Weak perspective (every point as far as the head) has a closed solution for points that do not lie
//! in one plane (DeMenthon and Davis, "Model-Based Object Pose in 25 Lines of Code", IJCV 1995). A face
//! is nearly flat, and a flat one looks the same turned to either side; so the turn to the other side
//! is tried as a second start, and what explains the landmarks better is taken.

/// Rows of numbers.
type Matrix = [[f64; 3]; 3];

/// A place in metres.
pub type Vector = [f64; 3];

/// Half of the distance of the pupils. It is 63.4 mm with a standard deviation of 3.8 mm (Dodgson,
/// "Variation and extrema of human interpupillary distance", SPIE 5291, 2004).
const HALF_PUPIL_DISTANCE_M: f64 = 0.0315;

/// The five landmarks of an adult's head in metres: x out of the face, y to the person's left, z up,
/// from the point between the eyes. In the order of [`Landmarks`](crate::detect::Landmarks): what is
/// left in the image is at the person's right.
///
/// Of women's and men's means (Farkas, "Anthropometry of the Head and Face", 1994, North American
/// whites of 18 to 25 years): nasion to stomion 69 and 77 mm, nasion to subnasale 51 and 55 mm, tip of
/// the nose 20 mm before subnasale, mouth 50 and 55 mm wide. The pupils lie about 8 mm below the nasion
/// and their corneas about 9 mm behind it; the tip of the nose lies about 9 mm above subnasale, which
/// lies about 4 mm before the nasion; the corners of the mouth lie about 8 mm behind stomion.
pub const HEAD_M: [Vector; 5] = [
    [0.0, -HALF_PUPIL_DISTANCE_M, 0.0],
    [0.0, HALF_PUPIL_DISTANCE_M, 0.0],
    [0.033, 0.0, -0.036],
    [0.005, -0.026, -0.065],
    [0.005, 0.026, -0.065],
];

/// How far landmarks of one head lie from those of the mean head of its size, as standard deviations
/// in metres. The corners of the mouth move as it smiles and opens.
const SHAPE_STD_M: [f64; 5] = [0.001, 0.001, 0.003, 0.0045, 0.0045];

/// How much heads of adults differ in size, as a standard deviation of 1: of the distance of the pupils
/// 6 %, of heights in the face 5 %, which do not vary together entirely.
const SIZE_STD: f64 = 0.055;

/// How exact landmarks are: so many pixels, and so much of the distance between the eyes, as standard
/// deviations.
const LANDMARK_STD_PX: f64 = 0.4;
const LANDMARK_STD: f64 = 0.035;

/// Steps of one start at most.
const STEPS: usize = 12;

/// A head nearer or farther than this is none, in metres.
const DISTANCES_M: std::ops::RangeInclusive<f64> = 0.05..=100.0;

/// Where a head is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Solution {
    /// The point between the eyes in the optical frame, in metres.
    pub position_m: Vector,
    /// Turns the head's axes into the camera's: its columns are the head's axes.
    pub rotation: Matrix,
    /// Standard deviation of the distance, in metres.
    pub distance_std_m: f64,
}

/// Finds the head from the directions (x/z, y/z) of its landmarks; nothing where no head in front of
/// the camera looks so. `focal_px` says how many pixels a direction of 1 is.
pub fn solve(directions: &[[f64; 2]; 5], focal_px: f64) -> Option<Solution> {
    let eyes = [0, 1].map(|i| directions[1][i] - directions[0][i]);
    let across = eyes[0].hypot(eyes[1]).max(1e-6);
    let noise = (LANDMARK_STD_PX / focal_px).hypot(LANDMARK_STD * across);
    let start = weak_perspective(directions)?;
    let other_side = Pose { rotation: flipped(&start.rotation), ..start };
    let found = [start, other_side].into_iter().filter_map(|start| {
        let fit = refine(start, directions, noise)?;
        let faces_us = dot(column(&fit.pose.rotation, 0), fit.pose.position) < 0.0;
        faces_us.then_some(fit)
    });
    let best = found.min_by(|a, b| a.cost.total_cmp(&b.cost))?;
    let Pose { rotation, position } = best.pose;
    let distance = norm(position);
    if !DISTANCES_M.contains(&distance) {
        return None;
    }
    let variance = along_ray(&best.normal, position)?;
    let distance_std_m = variance.sqrt().hypot(SIZE_STD * distance);
    distance_std_m.is_finite().then_some(Solution {
        position_m: position,
        rotation,
        distance_std_m,
    })
}

#[derive(Debug, Clone, Copy)]
struct Pose {
    rotation: Matrix,
    position: Vector,
}

/// A pose, how badly it explains the landmarks, and the matrix of the normal equations there.
struct Fit {
    pose: Pose,
    cost: f64,
    normal: [[f64; 6]; 6],
}

/// The pose if all landmarks were equally far away.
fn weak_perspective(directions: &[[f64; 2]; 5]) -> Option<Pose> {
    let mean = |of: &dyn Fn(usize) -> f64| (0..5).map(of).sum::<f64>() / 5.0;
    let center: Vector = std::array::from_fn(|axis| mean(&|i| HEAD_M[i][axis]));
    let seen: [f64; 2] = std::array::from_fn(|axis| mean(&|i| directions[i][axis]));
    let mut moments = [[0.0; 3]; 3];
    let mut sides = [[0.0; 3]; 2];
    for (point, direction) in HEAD_M.iter().zip(directions) {
        let arm: Vector = std::array::from_fn(|axis| point[axis] - center[axis]);
        for row in 0..3 {
            (0..3).for_each(|col| moments[row][col] += arm[row] * arm[col]);
            (0..2).for_each(|side| sides[side][row] += arm[row] * (direction[side] - seen[side]));
        }
    }
    let inverse = inverse(&moments)?;
    let [right, down] = sides.map(|side| turn(&inverse, side));
    let scale = (norm(right) * norm(down)).sqrt();
    let right = unit(right)?;
    // What the two have in common is noise.
    let down = unit(minus(down, scaled(right, dot(right, down))))?;
    let forward = cross(right, down);
    let rotation = [right, down, forward];
    let depth = 1.0 / scale;
    let offset = turn(&rotation, center);
    let position = [seen[0] * depth - offset[0], seen[1] * depth - offset[1], depth - offset[2]];
    position.iter().all(|value| value.is_finite()).then_some(Pose { rotation, position })
}

/// The turn by which a flat face looks the same from far away.
fn flipped(rotation: &Matrix) -> Matrix {
    let mut flipped = *rotation;
    for (row, values) in flipped.iter_mut().enumerate() {
        for (col, value) in values.iter_mut().enumerate() {
            if (row == 2) != (col == 0) {
                *value = -*value;
            }
        }
    }
    flipped
}

/// Improves a pose step by step.
fn refine(start: Pose, directions: &[[f64; 2]; 5], noise: f64) -> Option<Fit> {
    let mut fit = linearised(start, directions, noise)?;
    let (mut gradient, mut damping) = (fit.1, 1e-3);
    for _ in 0..STEPS {
        let mut damped = fit.0.normal;
        (0..6).for_each(|i| damped[i][i] *= 1.0 + damping);
        let step = solve_six(&damped, &gradient)?;
        let [ax, ay, az, dx, dy, dz] = step;
        let [x, y, z] = fit.0.pose.position;
        let next = Pose {
            rotation: product(&small_turn([ax, ay, az]), &fit.0.pose.rotation),
            position: [x + dx, y + dy, z + dz],
        };
        match linearised(next, directions, noise).filter(|next| next.0.cost < fit.0.cost) {
            Some(better) => {
                let gained = fit.0.cost - better.0.cost;
                let is_done = gained <= 1e-6 * fit.0.cost + 1e-12;
                (gradient, fit) = (better.1, better);
                damping *= 0.2;
                if is_done {
                    break;
                }
            }
            None => damping *= 8.0,
        }
        if damping > 1e6 {
            break;
        }
    }
    Some(fit.0)
}

/// The cost of a pose, and its normal equations: matrix and right side.
fn linearised(pose: Pose, directions: &[[f64; 2]; 5], noise: f64) -> Option<(Fit, [f64; 6])> {
    let (mut normal, mut gradient, mut cost) = ([[0.0; 6]; 6], [0.0; 6], 0.0);
    for ((point, direction), shape) in HEAD_M.iter().zip(directions).zip(SHAPE_STD_M) {
        let arm = turn(&pose.rotation, *point);
        let [x, y, z]: Vector = std::array::from_fn(|axis| arm[axis] + pose.position[axis]);
        if z.is_nan() || z <= 1e-3 {
            return None;
        }
        // Where the head's shape may differ by more than landmarks are exact, they count for less.
        let weight = 1.0 / (noise * noise + (shape / z) * (shape / z));
        let (u, v) = (x / z, y / z);
        // Slopes of u and v by the place, and by a small turn: the place moves by turn × arm.
        let slopes = [[1.0 / z, 0.0, -u / z], [0.0, 1.0 / z, -v / z]];
        for (slope, missed) in slopes.into_iter().zip([direction[0] - u, direction[1] - v]) {
            let [tx, ty, tz] = cross(arm, slope);
            let row = [tx, ty, tz, slope[0], slope[1], slope[2]];
            cost += weight * missed * missed;
            for i in 0..6 {
                gradient[i] += weight * row[i] * missed;
                (0..6).for_each(|j| normal[i][j] += weight * row[i] * row[j]);
            }
        }
    }
    cost.is_finite().then_some((Fit { pose, cost, normal }, gradient))
}

/// The variance of the position along the ray from the camera to it.
fn along_ray(normal: &[[f64; 6]; 6], position: Vector) -> Option<f64> {
    let [x, y, z] = unit(position)?;
    let ray = [0.0, 0.0, 0.0, x, y, z];
    let spread = solve_six(normal, &ray)?;
    Some(spread.iter().zip(ray).map(|(a, b)| a * b).sum()).filter(|&variance| variance >= 0.0)
}

/// Solves a symmetric positive definite system (Cholesky); nothing where it is none.
fn solve_six(matrix: &[[f64; 6]; 6], right: &[f64; 6]) -> Option<[f64; 6]> {
    let mut lower = [[0.0; 6]; 6];
    for row in 0..6 {
        for col in 0..=row {
            let known: f64 = (0..col).map(|k| lower[row][k] * lower[col][k]).sum();
            let rest = matrix[row][col] - known;
            lower[row][col] = match row == col {
                true if rest > 0.0 => rest.sqrt(),
                true => return None,
                false => rest / lower[col][col],
            };
        }
    }
    let mut solution = *right;
    for row in 0..6 {
        let known: f64 = (0..row).map(|k| lower[row][k] * solution[k]).sum();
        solution[row] = (solution[row] - known) / lower[row][row];
    }
    for row in (0..6).rev() {
        let known: f64 = (row + 1..6).map(|k| lower[k][row] * solution[k]).sum();
        solution[row] = (solution[row] - known) / lower[row][row];
    }
    solution.iter().all(|value| value.is_finite()).then_some(solution)
}

/// The turn about an axis by its length in radians (Rodrigues).
fn small_turn(turn: Vector) -> Matrix {
    let angle = norm(turn);
    let Some([x, y, z]) = unit(turn).filter(|_| angle > 1e-12) else {
        return [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]];
    };
    let (sin, cos) = angle.sin_cos();
    let rest = 1.0 - cos;
    [
        [cos + x * x * rest, x * y * rest - z * sin, x * z * rest + y * sin],
        [y * x * rest + z * sin, cos + y * y * rest, y * z * rest - x * sin],
        [z * x * rest - y * sin, z * y * rest + x * sin, cos + z * z * rest],
    ]
}

fn inverse(m: &Matrix) -> Option<Matrix> {
    let rows = [cross(m[1], m[2]), cross(m[2], m[0]), cross(m[0], m[1])];
    let determinant = dot(m[0], rows[0]);
    let is_regular = determinant.abs() > 1e-30;
    is_regular
        .then(|| std::array::from_fn(|row| std::array::from_fn(|col| rows[col][row] / determinant)))
}

fn product(a: &Matrix, b: &Matrix) -> Matrix {
    std::array::from_fn(|row| std::array::from_fn(|col| dot(a[row], column(b, col))))
}

/// The turned vector.
pub fn turn(rotation: &Matrix, v: Vector) -> Vector {
    [dot(rotation[0], v), dot(rotation[1], v), dot(rotation[2], v)]
}

/// One column of a matrix.
pub fn column(m: &Matrix, col: usize) -> Vector {
    [m[0][col], m[1][col], m[2][col]]
}

/// The scalar product.
pub fn dot(a: Vector, b: Vector) -> f64 {
    a[0] * b[0] + a[1] * b[1] + a[2] * b[2]
}

fn cross(a: Vector, b: Vector) -> Vector {
    [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]]
}

/// The length.
pub fn norm(v: Vector) -> f64 {
    dot(v, v).sqrt()
}

/// So many times the vector.
pub fn scaled(v: Vector, by: f64) -> Vector {
    v.map(|value| value * by)
}

fn minus(a: Vector, b: Vector) -> Vector {
    [a[0] - b[0], a[1] - b[1], a[2] - b[2]]
}

/// The vector at length 1; nothing where it has no direction.
pub fn unit(v: Vector) -> Option<Vector> {
    let length = norm(v);
    (length > 1e-15 && length.is_finite()).then(|| scaled(v, 1.0 / length))
}
