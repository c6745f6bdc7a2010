//! From the pixels of a frame to faces.
//!
//! [`Detector`] says what a face detector owes the rest of the package. [`YuNetDetector`] is the one
//! that comes with it: YuNet finds boxes in the image scaled to the working size and, where that is
//! large, to smaller ones; O-Net confirms each and sets its landmarks. Another detector is one file beside it, listed
//! here, and a line in [`Networks::load`](crate::Networks::load), which it then replaces; or it is given
//! to [`Networks::of`](crate::Networks::of).

mod detector;
mod levels;
mod onet;
mod resample;
mod suppress;
mod warp;
mod working_image;
mod yunet;
mod yunet_detector;

pub use detector::{DetectOptions, Detected, Detector, Face, Landmarks};
pub use onet::ONet;
pub(crate) use suppress::SAME_FACE;
pub use suppress::{suppress_nested, suppress_overlaps};
pub(crate) use warp::{warp_grey, warp_rgb};
pub use working_image::{WorkingImage, WorkingSize};
pub use yunet::YuNet;
pub use yunet_detector::YuNetDetector;
