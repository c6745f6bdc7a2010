//! Promise: pictures are read in the formats that people have, by what they are and not by what they
//! are called; of others, the message says what they are and what to do.
#![allow(clippy::unwrap_used, missing_docs)]

use std::io::Cursor;

use image::{DynamicImage, ImageFormat};
use rapport_perception::frame::{Decoder, Encoding};
use rapport_test_support::picture;

fn encoded(picture: &DynamicImage, format: ImageFormat) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    picture.write_to(&mut bytes, format).unwrap();
    bytes.into_inner()
}

#[test]
fn lossless_formats_give_their_pixels_whatever_they_are_called() {
    let colour = DynamicImage::ImageRgb8(picture("hopper_small.png"));
    let grey = DynamicImage::ImageLuma8(colour.to_luma8());
    let deep = DynamicImage::ImageRgb16(colour.to_rgb16());
    let mut decoder = Decoder::default();
    for format in [ImageFormat::WebP, ImageFormat::Tiff, ImageFormat::Bmp, ImageFormat::Pnm] {
        let bytes = encoded(&colour, format);
        let frame = decoder.decode("jpeg", &bytes).unwrap();
        assert_eq!(frame.encoding(), Encoding::Rgb8, "{format:?}");
        assert!(frame.to_rgb() == colour.to_rgb8().into_raw(), "{format:?}");
    }
    for format in [ImageFormat::Tiff, ImageFormat::Pnm] {
        let bytes = encoded(&grey, format);
        let frame = decoder.decode("tiff", &bytes).unwrap();
        assert_eq!(frame.encoding(), Encoding::Mono8, "{format:?}");
        assert!(frame.to_rgb() == grey.to_rgb8().into_raw(), "{format:?}");
    }
    let frame_of_deep =
        decoder.decode("tiff", &encoded(&deep, ImageFormat::Tiff)).unwrap().to_rgb();
    assert!(frame_of_deep == colour.to_rgb8().into_raw());
}

#[test]
fn of_an_animation_the_first_picture_is_read() {
    let colours = [[200, 30, 40, 255], [10, 20, 220, 255]];
    let mut bytes = Vec::new();
    let mut encoder = image::codecs::gif::GifEncoder::new(&mut bytes);
    for colour in colours {
        let picture = image::RgbaImage::from_pixel(20, 10, image::Rgba(colour));
        encoder.encode_frame(image::Frame::new(picture)).unwrap();
    }
    drop(encoder);
    let mut decoder = Decoder::default();
    let frame = decoder.decode("gif", &bytes).unwrap();
    assert_eq!((frame.width_px(), frame.height_px()), (20, 10));
    let [red, green, blue] = frame.rgb(7, 3);
    assert!(red.abs_diff(200) < 8 && green.abs_diff(30) < 8 && blue.abs_diff(40) < 8);
}

#[test]
fn what_is_not_read_is_named_and_the_way_out_told() {
    let cases: [(&[u8], &str, &str); 7] = [
        (b"\0\0\0\x18ftypheic\0\0\0\0mif1", "this is HEIC, expected JPEG, PNG", "heif-convert"),
        (b"\0\0\0\x1cftypavif\0\0\0\0avif", "this is AVIF, expected JPEG, PNG", "heif-convert"),
        (b"\0\0\0\x0cjP  \r\n\x87\n", "this is JPEG 2000", "magick INPUT output.png"),
        (b"\0\0\0\x20ftypisom\0\0\x02\0", "this is an MP4 film", "ffmpeg"),
        (b"\0\0\0\x01\x67\x42\0\x0a", "this is an H.264 or H.265 stream", "image_transport"),
        (b"\0\0\x01\0\x01\0\x10\x10", "this is an icon (ICO)", "convert"),
        (b"%PDF-1.7", "this is PDF", "convert it"),
    ];
    for (bytes, name, way_out) in cases {
        let error = Decoder::default().decode("jpg", bytes).unwrap_err().to_string();
        assert!(error.contains(name) && error.contains(way_out), "{error}");
    }
}

#[test]
fn files_that_are_cut_off_are_refused() {
    let colour = DynamicImage::ImageRgb8(picture("hopper_small.png"));
    for format in [ImageFormat::WebP, ImageFormat::Tiff, ImageFormat::Bmp, ImageFormat::Pnm] {
        let whole = encoded(&colour, format);
        for share in [10, 50, 90] {
            let mut decoder = Decoder::default();
            let read = decoder.decode("", &whole[..whole.len() * share / 100]);
            assert!(read.is_err(), "{format:?} {share} %");
        }
    }
}

#[test]
fn a_size_that_only_a_header_claims_is_refused() {
    // 60000x60000 grey pixels in a file of a few bytes, and 8000x8000 in others.
    let error = |bytes: &[u8]| Decoder::default().decode("", bytes).unwrap_err().to_string();
    let text = error(b"P5 60000 60000 255\n\0\0");
    assert!(text.contains("PNM is 60000x60000 pixels"), "{text}");
    assert!(error(b"P5 8000 8000 255\n\0\0").contains("expected at least 8000000"));
    let mut gif = b"GIF89a".to_vec();
    gif.extend(8000_u16.to_le_bytes());
    gif.extend(8000_u16.to_le_bytes());
    gif.extend([0, 0, 0, 0x2C, 0, 0, 0, 0, 1, 0, 1, 0, 0, 2, 2, 0x44, 1, 0, 0x3B]);
    assert!(error(&gif).contains("GIF of 8000x8000 pixels has 29 bytes"), "{}", error(&gif));
}
