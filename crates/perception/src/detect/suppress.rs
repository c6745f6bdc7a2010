//! Non-maximum suppression: of boxes that overlap, the best stays.

use super::Face;

/// Overlap (intersection over union) from which two boxes are one face.
pub(crate) const SAME_FACE: f32 = 0.45;

/// Boxes considered at most, best first: the limit of the original library.
const TOP_K: usize = 1000;

/// Keeps the best of each group of overlapping faces: a face goes if its box overlaps a better one
/// that stays by more than `max_iou` (0 to 1). The result is sorted, best first.
pub fn suppress_overlaps(mut faces: Vec<Face>, max_iou: f32) -> Vec<Face> {
    // Stable, so that equals stay in the order of the network's cells and runs are repeatable.
    faces.sort_by(|a, b| b.score.total_cmp(&a.score));
    faces.truncate(TOP_K);
    let mut kept: Vec<Face> = Vec::new();
    for face in faces {
        if kept.iter().all(|better| better.roi_in_image.iou(&face.roi_in_image) <= max_iou) {
            kept.push(face);
        }
    }
    kept
}

/// Share of a box inside another from which it may be a part of the other's face.
const NESTED: f32 = 0.7;

/// A part of a face scores at least so much less than the face. A child held before a face does not.
const PART_SCORES_LESS: f32 = 0.1;

/// Drops what is only a part of another face: a box that lies mostly inside that of a face with a
/// clearly better score, or around it. `faces` are sorted, best first, and stay so.
pub fn suppress_nested(faces: Vec<Face>) -> Vec<Face> {
    let mut kept: Vec<Face> = Vec::with_capacity(faces.len());
    for face in faces {
        let is_part = |better: &Face| {
            better.score >= face.score + PART_SCORES_LESS
                && better.roi_in_image.shared_with_smaller(&face.roi_in_image) > NESTED
        };
        if !kept.iter().any(is_part) {
            kept.push(face);
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::geometry::{Point, Rect};

    fn face(x: f32, score: f32) -> Face {
        Face {
            roi_in_image: Rect { x, y: 0.0, width: 10.0, height: 10.0 },
            score,
            probability: 1.0,
            landmarks: [Point { x: 0.0, y: 0.0 }; 5],
        }
    }

    #[test]
    fn the_best_of_an_overlapping_group_stays() {
        let kept = suppress_overlaps(vec![face(0.0, 0.5), face(2.0, 0.9), face(30.0, 0.4)], 0.45);
        assert_eq!(kept.iter().map(|f| f.score).collect::<Vec<_>>(), [0.9, 0.4]);
    }

    #[test]
    fn a_part_of_a_face_goes_and_a_small_face_before_a_large_one_stays() {
        let small = |x: f32, score| {
            let roi_in_image = Rect { x, y: 2.0, width: 4.0, height: 4.0 };
            Face { roi_in_image, ..face(0.0, score) }
        };
        let scores =
            |faces| suppress_nested(faces).iter().map(|face: &Face| face.score).collect::<Vec<_>>();
        assert_eq!(scores(vec![face(0.0, 0.95), small(3.0, 0.6)]), [0.95]);
        // Half outside, or as clear as the large one.
        assert_eq!(scores(vec![face(0.0, 0.95), small(8.0, 0.6)]), [0.95, 0.6]);
        assert_eq!(scores(vec![face(0.0, 0.95), small(3.0, 0.9)]), [0.95, 0.9]);
        // A box around a face and its surroundings.
        assert_eq!(scores(vec![small(3.0, 0.9), face(0.0, 0.6)]), [0.9]);
    }

    #[test]
    fn a_face_beside_a_removed_one_is_not_removed_by_it() {
        // 0 and 8 do not overlap enough; 4 overlaps both but is the weakest.
        let kept = suppress_overlaps(vec![face(4.0, 0.5), face(0.0, 0.9), face(8.0, 0.8)], 0.2);
        assert_eq!(kept.len(), 2);
    }
}
