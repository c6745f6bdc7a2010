//! Compressed images become frames, or an error that says why not. JPEG in depth: `jpeg.rs`.
#![allow(clippy::unwrap_used, missing_docs)]

use std::io::Cursor;
use std::time::Duration;

use image::{DynamicImage, ImageFormat, RgbImage};
use rapport_perception::SessionOptions;
use rapport_perception::frame::{CompressedError, Decoder, Encoding};
use rapport_perception::track::TrackOptions;
use rapport_test_support::jpeg::exif_orientation;
use rapport_test_support::{frame, in_repository, picture, session};
use rapport_vocabulary::ImageStamp;

fn file(name: &str) -> Vec<u8> {
    std::fs::read(in_repository("tests/pictures").join(name)).unwrap()
}

fn png(picture: &DynamicImage) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    picture.write_to(&mut bytes, ImageFormat::Png).unwrap();
    bytes.into_inner()
}

fn refused(bytes: &[u8]) -> CompressedError {
    Decoder::default().decode("jpeg", bytes).unwrap_err()
}

#[test]
fn jpeg_is_decoded_as_other_decoders_do() {
    let mut decoder = Decoder::default();
    for name in ["astronaut.jpg", "hopper.jpg", "rocket.jpg", "solvay_1927.jpg"] {
        let bytes = file(name);
        let expected = image::load_from_memory(&bytes).unwrap().to_rgb8();
        let frame = decoder.decode("rgb8; jpeg compressed bgr8", &bytes).unwrap();
        assert_eq!((frame.width_px(), frame.height_px()), expected.dimensions(), "{name}");
        // Decoders may differ by a few levels, where colours are shared by pixels.
        let pixels = frame.to_rgb();
        let differences = pixels.iter().zip(expected.as_raw()).map(|(a, b)| a.abs_diff(*b));
        let sum: f64 = differences.clone().map(f64::from).sum();
        assert!(differences.max().unwrap() <= 12, "{name}");
        assert!(sum / pixels.len() as f64 <= 0.3, "{name}: {}", sum / pixels.len() as f64);
    }
    // Grey stays grey.
    let frame = decoder.decode("jpeg", &file("solvay_1927.jpg")).unwrap();
    assert_eq!(frame.encoding(), Encoding::Mono8);
}

#[test]
fn png_is_turned_as_its_exif_orientation_says_before_or_behind_the_pixels() {
    // A quarter turn to the right.
    let exif = exif_orientation(6).split_off(6);
    for behind in [false, true] {
        let mut bytes = Vec::new();
        let mut encoder = png::Encoder::new(&mut bytes, 3, 2);
        encoder.set_color(png::ColorType::Rgb);
        let mut writer = encoder.write_header().unwrap();
        let pixels: Vec<u8> = (0..18).collect();
        if !behind {
            writer.write_chunk(png::chunk::eXIf, &exif).unwrap();
        }
        writer.write_image_data(&pixels).unwrap();
        if behind {
            writer.write_chunk(png::chunk::eXIf, &exif).unwrap();
        }
        writer.finish().unwrap();
        let mut decoder = Decoder::default();
        let frame = decoder.decode("png", &bytes).unwrap();
        assert_eq!((frame.width_px(), frame.height_px()), (2, 3), "behind: {behind}");
        assert_eq!(frame.rgb(0, 0), [9, 10, 11], "behind: {behind}");
    }
}

#[test]
fn png_of_every_kind_of_pixel_is_decoded() {
    let colour = DynamicImage::ImageRgb8(picture("hopper_small.png"));
    let mut decoder = Decoder::default();
    // The bytes tell what it is, whatever the message calls it.
    let mut decoded = |picture: &DynamicImage| {
        let bytes = png(picture);
        let frame = decoder.decode("bgr8; jpeg compressed bgr8", &bytes).unwrap();
        (frame.encoding(), frame.to_rgb())
    };
    let rgb = colour.to_rgb8().into_raw();
    let grey = DynamicImage::ImageLuma8(colour.to_luma8()).to_rgb8().into_raw();
    assert_eq!(decoded(&colour), (Encoding::Rgb8, rgb.clone()));
    assert_eq!(decoded(&colour.to_rgba8().into()), (Encoding::Rgba8, rgb.clone()));
    assert_eq!(decoded(&colour.to_luma8().into()), (Encoding::Mono8, grey.clone()));
    assert_eq!(decoded(&colour.to_luma_alpha8().into()), (Encoding::Mono8, grey));
    assert_eq!(decoded(&colour.to_rgb16().into()), (Encoding::Rgb8, rgb));
}

#[test]
fn the_same_face_is_seen_in_a_jpeg_and_in_its_pixels() {
    let track = TrackOptions { confirm_hits: 1, ..TrackOptions::default() };
    let mut session = session(SessionOptions { track, ..SessionOptions::default() });
    let pixels = picture("astronaut.jpg");
    let expected = session.process(&frame(&pixels), ImageStamp::at(Duration::ZERO)).unwrap().people;
    session.reset();
    let (bytes, mut decoder) = (file("astronaut.jpg"), Decoder::default());
    let frame = decoder.decode("jpeg", &bytes).unwrap();
    let found = session.process(&frame, ImageStamp::at(Duration::ZERO)).unwrap().people;
    assert_eq!((found.len(), found[0].face), (1, expected[0].face));
    assert_eq!(found[0].probabilities, expected[0].probabilities);
}

#[test]
fn webp_is_decoded_with_and_without_opacity() {
    let colour = DynamicImage::ImageRgb8(picture("hopper_small.png"));
    let webp = |picture: &DynamicImage| {
        let mut bytes = Cursor::new(Vec::new());
        picture.write_to(&mut bytes, ImageFormat::WebP).unwrap();
        bytes.into_inner()
    };
    let whole = webp(&colour);
    let mut decoder = Decoder::default();
    let rgb = colour.to_rgb8().into_raw();
    let frame = decoder.decode("webp", &whole).unwrap();
    assert_eq!((frame.encoding(), frame.to_rgb()), (Encoding::Rgb8, rgb.clone()));
    let opaque = webp(&colour.to_rgba8().into());
    let frame = decoder.decode("webp", &opaque).unwrap();
    assert_eq!(frame.to_rgb(), rgb);
    for share in [1, 10, 50, 90, 99] {
        let error = refused(&whole[..whole.len() * share / 100]);
        let is_broken = matches!(error, CompressedError::Broken { .. });
        assert!(is_broken || whole.len() * share / 100 < 12, "{share} %: {error}");
    }
}

#[test]
fn a_decoder_may_take_fewer_pixels() {
    let error = Decoder::with_max_pixels(100_000).decode("", &file("astronaut.jpg")).unwrap_err();
    assert_eq!(
        error.to_string(),
        "JPEG is 512x512 pixels, expected 1 to 16384 a side and at most 100000"
    );
}

#[test]
fn what_is_neither_is_named_with_its_format_and_first_bytes() {
    let error = Decoder::default().decode("draco", &[0, 9, 0, 1, 103]).unwrap_err();
    assert_eq!(
        error.to_string(),
        "compressed image of format `draco` has 5 bytes that start with [00 09 00 01], \
         expected JPEG, PNG, WebP, TIFF, BMP, GIF or PNM (.pbm, .pgm, .ppm)"
    );
    assert!(refused(&[]).to_string().contains("has 0 bytes that start with []"));
}

#[test]
fn files_that_are_cut_off_are_refused() {
    for name in ["astronaut.jpg", "solvay_1927.jpg", "hopper_small.png"] {
        let whole = file(name);
        for share in [2, 10, 50, 90, 99] {
            let error = refused(&whole[..whole.len() * share / 100]);
            assert!(
                matches!(error, CompressedError::Broken { .. } | CompressedError::TooShort { .. }),
                "{name} {share} %: {error}"
            );
        }
        assert!(Decoder::default().decode("", &whole).is_ok(), "{name}");
    }
    let error = refused(&file("astronaut.jpg")[..40_000]).to_string();
    assert_eq!(error, "JPEG of 40000 bytes not decoded: Premature end of JPEG file");
}

#[test]
fn absurd_sizes_are_refused_from_the_header() {
    let mut jpeg = file("astronaut.jpg");
    // The frame header: length, precision, height, width.
    let header = jpeg.windows(4).position(|w| w == [0xFF, 0xC0, 0x00, 0x11]).unwrap();
    let mut with_size = |height: u16, width: u16| {
        jpeg[header + 5..header + 7].copy_from_slice(&height.to_be_bytes());
        jpeg[header + 7..header + 9].copy_from_slice(&width.to_be_bytes());
        refused(&jpeg).to_string()
    };
    assert_eq!(
        with_size(65_000, 512),
        "JPEG is 512x65000 pixels, expected 1 to 16384 a side and at most 67108864"
    );
    assert!(with_size(16_000, 16_000).starts_with("JPEG is 16000x16000 pixels"));
    assert_eq!(
        with_size(8_000, 8_000),
        "JPEG of 8000x8000 pixels has 73281 bytes, expected at least 125000"
    );

    let small = DynamicImage::ImageRgb8(RgbImage::new(2, 2));
    let mut png = png(&small);
    let mut with_size = |width: u32, height: u32| {
        png[16..20].copy_from_slice(&width.to_be_bytes());
        png[20..24].copy_from_slice(&height.to_be_bytes());
        let checksum = crc32(&png[12..29]);
        png[29..33].copy_from_slice(&checksum.to_be_bytes());
        refused(&png).to_string()
    };
    assert!(with_size(u32::MAX / 2, 7).starts_with("PNG is 2147483647x7 pixels"));
    assert!(with_size(8_000, 8_000).contains("expected at least 186047"));
}

/// The checksum of PNG's chunks.
fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(u32::MAX, |crc, &byte| {
        (0..8).fold(crc ^ u32::from(byte), |crc, _| {
            if crc & 1 == 1 { crc >> 1 ^ 0xEDB8_8320 } else { crc >> 1 }
        })
    })
}
