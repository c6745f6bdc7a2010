//! At which sizes one image is searched. YuNet's coarsest grid has cells of 32 px: a face of more
//! than some 500 px, it sees in parts, as several faces or as none. Where the working image has room
//! for such a face, it is searched once more at a smaller size, which costs a tenth or less.

use super::{WorkingImage, WorkingSize};

/// Faces up to this height in the working image are found once ("Sizes" in `models/yunet.md`).
const RELIABLE_PX: f32 = 480.0;

/// Where there is a smaller size, taller faces than this are left to it.
const TALLEST_PX: f32 = 400.0;

/// A smaller size looks for faces of at least this height in the size before. Those between this
/// and [`TALLEST_PX`] are found at both, so that none falls between.
const SHORTEST_PX: f32 = 200.0;

/// Longer side of the smallest size.
const SMALLEST_PX: f32 = 320.0;

/// From one size to the next. [`SHORTEST_PX`] becomes 33 px, which is far from the smallest face.
const STEP: f32 = 6.0;

/// A face is at least this many times as wide as it is tall.
const SLENDEREST: f32 = 0.7;

/// One of the sizes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Level {
    /// The image is scaled to fit into it.
    pub size: WorkingSize,
    /// Smaller faces were found at the size before. Pixels of the frame.
    pub shortest_face_px: f32,
}

impl Level {
    /// The first: faces of any height.
    pub fn first(size: WorkingSize) -> Self {
        Self { size, shortest_face_px: 0.0 }
    }
}

/// The level after the one of this image, if there can be faces that are too tall for it.
pub(super) fn next_level(image: &WorkingImage) -> Option<Level> {
    let (width, height) = image.content_size();
    let (width, height) = (width as f32, height as f32);
    if height.min(width / SLENDEREST) <= RELIABLE_PX {
        return None;
    }
    let side_px = (width.max(height) / STEP).max(SMALLEST_PX) as u32;
    let size = WorkingSize { width_px: side_px, height_px: side_px };
    Some(Level { size, shortest_face_px: image.to_image(0.0, SHORTEST_PX).y })
}

impl WorkingImage {
    /// The height in pixels of the frame from which a face is too tall for this size.
    pub(super) fn tallest_face_px(&self) -> f32 {
        self.to_image(0.0, TALLEST_PX).y
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frame::{Encoding, Frame};

    /// The longer sides at which an image of this size is searched.
    fn sides(width_px: u32, height_px: u32, size: WorkingSize) -> Vec<usize> {
        let data = vec![0; (width_px * height_px) as usize];
        let frame =
            Frame::new(width_px, height_px, width_px as usize, Encoding::Mono8, &data).unwrap();
        let mut image = WorkingImage::default();
        let mut level = Some(Level::first(size));
        let mut sides = Vec::new();
        while let Some(Level { size, .. }) = level {
            image.fill(&frame, size);
            let (width, height) = image.content_size();
            sides.push(width.max(height));
            level = next_level(&image);
        }
        sides
    }

    #[test]
    fn only_sizes_with_room_for_too_tall_a_face_have_another() {
        let size = |width_px, height_px| WorkingSize { width_px, height_px };
        assert_eq!(sides(640, 480, WorkingSize::default()), [480]);
        assert_eq!(sides(480, 640, WorkingSize::default()), [360]);
        assert_eq!(sides(640, 480, size(640, 480)), [640]);
        assert_eq!(sides(1920, 400, size(1920, 1920)), [1920]);
        assert_eq!(sides(480, 640, size(640, 640)), [640, 320]);
        assert_eq!(sides(1920, 1080, size(1920, 1920)), [1920, 320]);
        assert_eq!(sides(4096, 3000, size(16_384, 16_384)), [4096, 682, 320]);
    }
}
