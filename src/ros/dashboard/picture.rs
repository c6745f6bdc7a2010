//! From a camera's image to the picture that viewers get: small, and blurred where that was asked.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context;
use image::RgbImage;
use image::imageops::thumbnail;
use r2r::builtin_interfaces::msg::Time;
use rapport_perception::detect::DetectOptions;
use rapport_perception::frame::{Decoder, Frame};
use rapport_perception::report::BoxReport;
use rapport_perception::zones::Zones;
use rapport_perception::{Networks, Session, SessionOptions};
use rapport_vocabulary::ImageStamp;
use rapport_web::picture::{Picture as ShownPicture, Privacy};

use crate::ros::convert;
use crate::ros::intake::{Picture, Received};

/// The longer side of a picture is at most so long.
const MAX_SIDE_PX: u32 = 960;

/// What is hardly a face is blurred too.
const MIN_FACE_PROBABILITY: f32 = 0.3;

/// A place where a face was stays blurred for so long: detection may miss it in one picture.
const HOLD: Duration = Duration::from_secs(1);

/// What all encoders share.
#[derive(Debug, Clone)]
pub struct Pictures {
    privacy: Privacy,
    networks: Arc<Networks>,
}

/// Makes the pictures of one camera.
pub struct Encoder {
    decoder: Decoder,
    privacy: Privacy,
    blur: Option<Blur>,
}

/// Finds what to blur. Every picture that leaves is searched itself: the messages of perception_node
/// leave out a face until it was found twice.
struct Blur {
    session: Session,
    recent: VecDeque<(Instant, Vec<BoxReport>)>,
}

impl Pictures {
    /// Pictures under these rules; the networks find the faces to blur.
    pub fn new(privacy: Privacy, networks: Arc<Networks>) -> Self {
        Self { privacy, networks }
    }

    /// Whether there are any.
    pub fn are_sent(&self) -> bool {
        !self.privacy.numbers_only
    }

    /// An encoder for one camera.
    pub fn encoder(&self) -> Encoder {
        let blur = || Blur {
            session: Session::new(self.networks.clone(), blur_options()),
            recent: VecDeque::new(),
        };
        Encoder {
            decoder: Decoder::default(),
            privacy: self.privacy,
            blur: self.privacy.blur_faces.then(blur),
        }
    }
}

fn blur_options() -> SessionOptions {
    let options = SessionOptions::for_pictures();
    let detect = DetectOptions { min_face_probability: MIN_FACE_PROBABILITY, ..options.detect };
    SessionOptions { detect, ..options }
}

impl Encoder {
    /// Makes the picture of an image, zones of it in black.
    ///
    /// # Errors
    /// If the image cannot be used, or was not searched for faces where they are to be blurred.
    pub fn picture(&mut self, received: &Received, zones: &Zones) -> anyhow::Result<ShownPicture> {
        let (stamp, frame) = match &received.picture {
            Picture::Raw(image) => (image.header().stamp, convert::frame(image)?),
            Picture::Compressed(image) => {
                (image.header.stamp.clone(), self.decoder.decode(&image.format, &image.data)?)
            }
        };
        let faces = match &mut self.blur {
            Some(blur) => blur.faces(&frame)?,
            None => Vec::new(),
        };
        shown(&frame, &stamp, &faces, zones, self.privacy)
    }
}

impl Blur {
    fn faces(&mut self, frame: &Frame<'_>) -> anyhow::Result<Vec<BoxReport>> {
        let now = Instant::now();
        let stamp = ImageStamp::at(convert::time_of_day());
        let (width_px, height_px) = (frame.width_px(), frame.height_px());
        let people = self.session.process(frame, stamp)?.people;
        let boxes = people.iter().map(|person| {
            let (x, y, width, height) = person.face.roi_in_image.clipped(width_px, height_px);
            BoxReport { height, width, x, y }
        });
        self.recent.push_back((now, boxes.collect()));
        self.recent.retain(|(at, _)| now.duration_since(*at) <= HOLD);
        Ok(self.recent.iter().flat_map(|(_, boxes)| boxes.iter().copied()).collect())
    }
}

/// A frame as it is shown, with these places of it blurred, and zones in black.
fn shown(
    frame: &Frame<'_>,
    stamp: &Time,
    faces: &[BoxReport],
    zones: &Zones,
    privacy: Privacy,
) -> anyhow::Result<ShownPicture> {
    let stamp_secs = convert::stamp(stamp).unwrap_or_default().as_secs_f64();
    let (full_width, full_height) = (frame.width_px(), frame.height_px());
    let (width_px, height_px) = shown_size(full_width, full_height);
    let mut rgb = frame.to_rgb();
    zones.blank_rgb(&mut rgb, full_width, full_height);
    if (width_px, height_px) == (full_width, full_height) {
        return Ok(ShownPicture::new(&rgb, width_px, height_px, stamp_secs, faces, privacy)?);
    }
    let full = RgbImage::from_raw(full_width, full_height, rgb).context("too few pixels")?;
    let small = thumbnail(&full, width_px, height_px);
    let scale =
        |length: u32| (u64::from(length) * u64::from(width_px) / u64::from(full_width)) as u32;
    // A pixel more on each side makes up for rounding down.
    let faces: Vec<_> = faces
        .iter()
        .map(|face| BoxReport {
            height: scale(face.height) + 2,
            width: scale(face.width) + 2,
            x: scale(face.x).saturating_sub(1),
            y: scale(face.y).saturating_sub(1),
        })
        .collect();
    Ok(ShownPicture::new(small.as_raw(), width_px, height_px, stamp_secs, &faces, privacy)?)
}

/// The size at which an image is shown: its own, or one of the same shape that fits.
fn shown_size(width_px: u32, height_px: u32) -> (u32, u32) {
    let longer = width_px.max(height_px);
    if longer <= MAX_SIDE_PX {
        return (width_px, height_px);
    }
    let fit = |side: u32| {
        let scaled = u64::from(side) * u64::from(MAX_SIDE_PX) / u64::from(longer);
        u32::try_from(scaled).unwrap_or(MAX_SIDE_PX).max(1)
    };
    (fit(width_px), fit(height_px))
}

#[cfg(test)]
mod tests {
    use super::*;
    use rapport_perception::frame::Encoding;

    fn show(width: u32, height: u32, faces: &[BoxReport], privacy: Privacy) -> RgbImage {
        // Stripes of black and white: the mean of a blurred place is grey.
        let pixel = |i: u32| [if i.is_multiple_of(2) { 0 } else { 255 }; 3];
        let data: Vec<u8> = (0..width * height).flat_map(|i| pixel(i / 16 % 2)).collect();
        let frame = Frame::new(width, height, width as usize * 3, Encoding::Rgb8, &data).unwrap();
        let stamp = Time { sec: 3, nanosec: 0 };
        let picture = shown(&frame, &stamp, faces, &Zones::default(), privacy).unwrap();
        assert_eq!(picture.stamp_secs, 3.0);
        let image = image::load_from_memory(&picture.jpeg).unwrap().into_rgb8();
        assert_eq!(image.dimensions(), (picture.width_px, picture.height_px));
        image
    }

    #[test]
    fn large_images_are_shown_small_and_small_ones_as_they_are() {
        for (size, expected) in [
            ((640, 480), (640, 480)),
            ((1920, 1080), (960, 540)),
            ((1080, 1920), (540, 960)),
            ((4000, 2), (960, 1)),
        ] {
            assert_eq!(show(size.0, size.1, &[], Privacy::default()).dimensions(), expected);
        }
    }

    #[test]
    fn faces_are_blurred_where_they_are_also_in_a_small_picture() {
        let face = BoxReport { height: 400, width: 400, x: 800, y: 400 };
        let privacy = Privacy { blur_faces: true, numbers_only: false };
        let blurred = show(1920, 1080, &[face], privacy);
        let sharp = show(1920, 1080, &[face], Privacy::default());
        let contrast = |image: &RgbImage, x: u32, y: u32| {
            let values = (0..16).map(|i| i32::from(image.get_pixel(x + i, y).0[0]));
            values.clone().max().unwrap() - values.min().unwrap()
        };
        // In its middle, and at all four corners.
        for (x, y) in [(490, 300), (401, 201), (583, 201), (401, 398), (583, 398)] {
            assert!(contrast(&blurred, x, y) < 60, "{x},{y}");
            assert!(contrast(&sharp, x, y) > 200, "{x},{y}");
        }
        assert!(contrast(&blurred, 100, 100) > 200, "the rest is as it was");
    }

    #[test]
    fn numbers_only_makes_no_picture() {
        let data = [0; 12];
        let frame = Frame::new(2, 2, 6, Encoding::Rgb8, &data).unwrap();
        let privacy = Privacy { blur_faces: false, numbers_only: true };
        let stamp = Time { sec: 0, nanosec: 0 };
        assert!(shown(&frame, &stamp, &[], &Zones::default(), privacy).is_err());
    }

    #[test]
    fn zones_are_black() {
        let data = vec![200; 1920 * 1080 * 3];
        let frame = Frame::new(1920, 1080, 1920 * 3, Encoding::Rgb8, &data).unwrap();
        let zones = Zones::read(["0.5,0 1,0 1,1 0.5,1"]).unwrap();
        let stamp = Time { sec: 0, nanosec: 0 };
        let picture = shown(&frame, &stamp, &[], &zones, Privacy::default()).unwrap();
        let image = image::load_from_memory(&picture.jpeg).unwrap().into_rgb8();
        let at = |x| image.get_pixel(x, 300).0[0];
        assert!(at(100) > 190 && at(470) > 180 && at(490) < 20 && at(900) < 10);
    }
}
