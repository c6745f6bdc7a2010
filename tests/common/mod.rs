//! What several test files need: the pictures, and the pipeline at rest.
#![allow(dead_code, clippy::unwrap_used, missing_docs)]

use std::path::{Path, PathBuf};

use image::RgbImage;
use rapport::analyze::read_picture;
use rapport::frame::{Encoding, Frame};
use rapport::onnx::RuntimeOptions;
use rapport::pipeline::{ModelFiles, Pipeline, PipelineOptions};

pub fn in_repository(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

pub fn picture(name: &str) -> RgbImage {
    read_picture(&in_repository("tests/pictures").join(name)).unwrap()
}

pub fn frame(picture: &RgbImage) -> Frame<'_> {
    let (width, height) = picture.dimensions();
    Frame::new(width, height, width as usize * 3, Encoding::Rgb8, picture.as_raw()).unwrap()
}

pub fn pipeline(options: PipelineOptions) -> Pipeline {
    Pipeline::load(&ModelFiles::default(), &RuntimeOptions::default(), options).unwrap()
}

/// Copies a picture into another one, its left top corner at (x, y), which may lie outside.
pub fn paste(onto: &mut RgbImage, picture: &RgbImage, x: i64, y: i64) {
    image::imageops::replace(onto, picture, x, y);
}
