//! From pixels to faces: YuNet finds boxes, O-Net confirms each and sets its landmarks.

mod onet;
mod resample;
mod suppress;
mod warp;
mod working_image;
mod yunet;

pub use onet::ONet;
pub use suppress::suppress_overlaps;
pub(crate) use warp::{warp_grey, warp_rgb};
pub use working_image::{WorkingImage, WorkingSize};
pub use yunet::YuNet;

use serde::Serialize;

use crate::geometry::{Point, Rect};

/// Eyes, nose and mouth corners, in this order: left eye, right eye, nose tip, left and right
/// mouth corner. Left and right as seen in the image.
pub type Landmarks = [Point; 5];

/// A face found in an image. Coordinates are pixels of that image, possibly beyond its edges.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Face {
    /// Box from forehead to chin.
    pub roi_in_image: Rect,
    /// How sure the detector is, 0 to 1.
    pub score: f32,
    /// Landmarks.
    pub landmarks: Landmarks,
}
