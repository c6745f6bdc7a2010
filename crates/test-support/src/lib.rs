//! What several test files need: the pictures, and a session at rest.
#![allow(dead_code, clippy::unwrap_used, missing_docs)]

pub use rapport_test_bags as bags;

pub mod answers;
pub mod cover;
pub mod jpeg;

use std::path::{Path, PathBuf};

use image::RgbImage;
use image::imageops::{self, FilterType};
use rapport_perception::frame::{ByteOrder, Decoder, Encoding, Frame};
use rapport_perception::geometry::Rect;
use rapport_perception::onnx::RuntimeOptions;
use rapport_perception::{ModelFiles, Networks, Session, SessionOptions};

pub fn in_repository(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(path)
}

pub fn picture(name: &str) -> RgbImage {
    let data = std::fs::read(in_repository("tests/pictures").join(name)).unwrap();
    Decoder::default().decode_upright(name, &data).unwrap()
}

pub fn frame(picture: &RgbImage) -> Frame<'_> {
    let (width, height) = picture.dimensions();
    Frame::new(width, height, width as usize * 3, Encoding::Rgb8, picture.as_raw()).unwrap()
}

/// The networks of the package, with a memory that has seen nobody.
pub fn session(options: SessionOptions) -> Session {
    let networks = Networks::load(&ModelFiles::default(), &RuntimeOptions::default()).unwrap();
    Session::new(networks, options)
}

/// A square around a face whose height is `face_px` after scaling, its side `share` times as long;
/// less where the photograph ends. Also returns where the face lies in it.
pub fn close_up(photo: &RgbImage, face: Rect, face_px: u32, share: f32) -> (RgbImage, Rect) {
    let (side, center) = (face.height * share, face.center());
    let square =
        Rect { x: center.x - side / 2.0, y: center.y - side / 2.0, width: side, height: side };
    let (x, y, width, height) = square.clipped(photo.width(), photo.height());
    let cut = imageops::crop_imm(photo, x, y, width, height).to_image();
    let scale = face_px as f32 / face.height;
    let [new_width, new_height] = [width, height].map(|px| (px as f32 * scale).round() as u32);
    let face = Rect {
        x: (face.x - x as f32) * scale,
        y: (face.y - y as f32) * scale,
        width: face.width * scale,
        height: face.height * scale,
    };
    // Like a camera from near by or far away: no aliasing where it shrinks, smooth where it grows.
    (imageops::resize(&cut, new_width, new_height, FilterType::CatmullRom), face)
}

/// Copies a picture into another one, its left top corner at (x, y), which may lie outside.
pub fn paste(onto: &mut RgbImage, picture: &RgbImage, x: i64, y: i64) {
    imageops::replace(onto, picture, x, y);
}

/// A picture as a camera of some encoding sends it.
pub struct Encoded {
    width: u32,
    height: u32,
    step: usize,
    encoding: Encoding,
    pub data: Vec<u8>,
}

impl Encoded {
    pub fn frame(&self) -> Frame<'_> {
        Frame::new(self.width, self.height, self.step, self.encoding, &self.data).unwrap()
    }
}

fn deep(order: ByteOrder, value: u16) -> [u8; 2] {
    match order {
        ByteOrder::Little => value.to_le_bytes(),
        ByteOrder::Big => value.to_be_bytes(),
    }
}

fn widened(order: ByteOrder, value: u8) -> [u8; 2] {
    deep(order, u16::from(value) * 257)
}

/// Stores a picture in this encoding, with `padding` bytes after each row. Sides must be even.
pub fn encode(picture: &RgbImage, encoding: Encoding, padding: usize) -> Encoded {
    let (width, height) = picture.dimensions();
    let at = |x: u32, y: u32| picture.get_pixel(x, y).0;
    let yuv = |x: u32, y: u32| {
        let [r, g, b] = at(x, y).map(f32::from);
        let y = 16.0 + 0.257 * r + 0.504 * g + 0.098 * b;
        let u = 128.0 - 0.148 * r - 0.291 * g + 0.439 * b;
        let v = 128.0 + 0.439 * r - 0.368 * g - 0.071 * b;
        [y, u, v].map(|value| value.round() as u8)
    };
    let mono16 = |x, y| {
        let [r, g, b] = at(x, y).map(f32::from);
        ((0.299 * r + 0.587 * g + 0.114 * b) * 257.0) as u16
    };
    let bayer = |order: &[usize; 4], x: u32, y: u32| at(x, y)[order[(y % 2 * 2 + x % 2) as usize]];
    let bayer16 = |order, colours: &[usize; 4], y: u32| -> Vec<u8> {
        (0..width).flat_map(|x| widened(order, bayer(colours, x, y))).collect()
    };
    let pairs = |y: u32, order: [usize; 4]| {
        let pair = move |x: u32| {
            let ([y0, u, v], [y1, ..]) = (yuv(x, y), yuv(x + 1, y));
            order.map(|i| [y0, u, y1, v][i])
        };
        (0..width).step_by(2).flat_map(pair).collect::<Vec<_>>()
    };
    let row = |y: u32| -> Vec<u8> {
        let pixels = (0..width).map(|x| at(x, y));
        match encoding {
            Encoding::Rgb8 => pixels.flatten().collect(),
            Encoding::Bgr8 => pixels.flat_map(|[r, g, b]| [b, g, r]).collect(),
            Encoding::Rgba8 => pixels.flat_map(|[r, g, b]| [r, g, b, 7]).collect(),
            Encoding::Bgra8 => pixels.flat_map(|[r, g, b]| [b, g, r, 7]).collect(),
            Encoding::Mono8 => (0..width).map(|x| mono16(x, y).to_be_bytes()[0]).collect(),
            Encoding::Mono16(order) => (0..width).flat_map(|x| deep(order, mono16(x, y))).collect(),
            Encoding::Rgb16(order) => {
                pixels.flatten().flat_map(|value| widened(order, value)).collect()
            }
            Encoding::Bgr16(order) => {
                pixels.flat_map(|[r, g, b]| [b, g, r]).flat_map(|v| widened(order, v)).collect()
            }
            Encoding::Rgba16(order) => {
                pixels.flat_map(|[r, g, b]| [r, g, b, 7]).flat_map(|v| widened(order, v)).collect()
            }
            Encoding::Bgra16(order) => {
                pixels.flat_map(|[r, g, b]| [b, g, r, 7]).flat_map(|v| widened(order, v)).collect()
            }
            Encoding::Uyvy => pairs(y, [1, 0, 3, 2]),
            Encoding::Yuyv => pairs(y, [0, 1, 2, 3]),
            Encoding::Nv12 | Encoding::Nv21 if y < height => {
                (0..width).map(|x| yuv(x, y)[0]).collect()
            }
            Encoding::Nv12 | Encoding::Nv21 => (0..width)
                .step_by(2)
                .flat_map(|x| {
                    let [_, u, v] = yuv(x, (y - height) * 2);
                    if encoding == Encoding::Nv12 { [u, v] } else { [v, u] }
                })
                .collect(),
            Encoding::Nv24 if y < height => (0..width).map(|x| yuv(x, y)[0]).collect(),
            Encoding::Nv24 => {
                // A row of twice the length is two here.
                let (half, y) = ((y - height) % 2 * width / 2, (y - height) / 2);
                (half..half + width / 2).flat_map(|x| yuv(x, y)[1..].to_vec()).collect()
            }
            Encoding::BayerRggb16(order) => bayer16(order, &[0, 1, 1, 2], y),
            Encoding::BayerBggr16(order) => bayer16(order, &[2, 1, 1, 0], y),
            Encoding::BayerGbrg16(order) => bayer16(order, &[1, 2, 0, 1], y),
            Encoding::BayerGrbg16(order) => bayer16(order, &[1, 0, 2, 1], y),
            Encoding::BayerRggb8 => (0..width).map(|x| bayer(&[0, 1, 1, 2], x, y)).collect(),
            Encoding::BayerBggr8 => (0..width).map(|x| bayer(&[2, 1, 1, 0], x, y)).collect(),
            Encoding::BayerGbrg8 => (0..width).map(|x| bayer(&[1, 2, 0, 1], x, y)).collect(),
            Encoding::BayerGrbg8 => (0..width).map(|x| bayer(&[1, 0, 2, 1], x, y)).collect(),
        }
    };
    let rows = match encoding {
        Encoding::Nv12 | Encoding::Nv21 => height + height / 2,
        Encoding::Nv24 => 3 * height,
        _ => height,
    };
    // Of rows that are two in one, the first has no padding.
    let padding = if encoding == Encoding::Nv24 { 0 } else { padding };
    let mut step = 0;
    let mut data = Vec::new();
    for y in 0..rows {
        let mut row = row(y);
        row.resize(row.len() + padding, 0xA5);
        step = row.len();
        data.extend(row);
    }
    Encoded { width, height, step, encoding, data }
}
