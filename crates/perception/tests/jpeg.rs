//! Promise: a JPEG is read as libjpeg-turbo reads it, to the byte; what it warns of is refused or
//! warned of. Over a corpus made here, with the options that `cjpeg` has.
#![allow(clippy::unwrap_used, missing_docs)]

use image::RgbImage;
use image::imageops::{self, FilterType};
use mozjpeg_sys::J_COLOR_SPACE;
use rapport_perception::SessionOptions;
use rapport_perception::frame::{CompressedError, Decoder, Encoding};
use rapport_test_support::jpeg::{JpegOptions, djpeg, encode_jpeg, exif_orientation};
use rapport_test_support::{picture, session};
use rapport_vocabulary::ImageStamp;

const EOI: [u8; 2] = [0xFF, 0xD9];

/// Kinds of JPEG, each with its name.
fn kinds() -> Vec<(String, JpegOptions)> {
    let usual = JpegOptions::default;
    let sampled =
        |y: (i32, i32), uv: (i32, i32)| JpegOptions { sampling: [y, uv, uv, y], ..usual() };
    let mut kinds = Vec::new();
    for (y, uv) in [
        ((1, 1), (1, 1)),
        ((2, 1), (1, 1)),
        ((1, 2), (1, 1)),
        ((2, 2), (1, 1)),
        ((4, 1), (1, 1)),
        ((4, 2), (1, 1)),
        ((2, 2), (2, 1)),
        // Colours finer than brightness: no camera's, but cjpeg makes it.
        ((1, 1), (2, 2)),
    ] {
        kinds.push((format!("Y {y:?}, U and V {uv:?}"), sampled(y, uv)));
    }
    for (y, uv) in [((2, 2), (1, 1)), ((1, 1), (1, 1)), ((2, 1), (1, 1)), ((1, 1), (2, 2))] {
        let of = |name: &str, change: fn(JpegOptions) -> JpegOptions| {
            (format!("{name}, Y {y:?}, U and V {uv:?}"), change(sampled(y, uv)))
        };
        kinds.extend([
            of("progressive", |of| JpegOptions { progressive: true, ..of }),
            of("a scan a channel", |of| JpegOptions {
                scans: vec![vec![0], vec![1], vec![2]],
                ..of
            }),
            of("colours first", |of| JpegOptions { scans: vec![vec![2], vec![0], vec![1]], ..of }),
            of("Y, then U and V, restarts", |of| JpegOptions {
                scans: vec![vec![0], vec![1, 2]],
                restart_interval: 3,
                ..of
            }),
            of("restarts", |of| JpegOptions { restart_interval: 1, ..of }),
            of("arithmetic", |of| JpegOptions { arithmetic: true, ..of }),
            of("optimized", |of| JpegOptions { optimize: true, ..of }),
            of("quality 5", |of| JpegOptions { quality: 5, ..of }),
            of("quality 100", |of| JpegOptions { quality: 100, ..of }),
        ]);
    }
    for colours in [
        J_COLOR_SPACE::JCS_GRAYSCALE,
        J_COLOR_SPACE::JCS_RGB,
        J_COLOR_SPACE::JCS_CMYK,
        J_COLOR_SPACE::JCS_YCCK,
    ] {
        let options = JpegOptions { colours, sampling: [(1, 1); 4], ..usual() };
        let progressive = JpegOptions { progressive: true, ..options.clone() };
        kinds.push((format!("{colours:?}"), options));
        kinds.push((format!("{colours:?}, progressive"), progressive));
    }
    kinds
}

fn sized(width: u32, height: u32) -> RgbImage {
    imageops::resize(&picture("hopper_small.png"), width, height, FilterType::Triangle)
}

/// Of inks as Adobe stores them.
fn inks_to_rgb(inks: &[u8]) -> Vec<u8> {
    let pixel = |[c, m, y, k]: &[u8; 4]| {
        [c, m, y].map(|ink| ((f32::from(*ink) * f32::from(*k)) / 255.0).round() as u8)
    };
    inks.as_chunks::<4>().0.iter().flat_map(pixel).collect()
}

#[test]
fn every_kind_of_jpeg_is_decoded_as_djpeg_decodes_it() {
    let mut decoder = Decoder::default();
    for (width, height) in [(1, 1), (2, 3), (5, 4), (8, 8), (16, 16), (17, 33), (64, 64), (131, 97)]
    {
        let pixels = sized(width, height);
        for (name, options) in kinds() {
            let what = format!("{name}, {width}x{height}");
            let file = encode_jpeg(&pixels, &options);
            let expected = djpeg(&file).unwrap();
            let frame = decoder.decode("jpeg", &file).unwrap_or_else(|e| panic!("{what}: {e}"));
            assert_eq!(
                (frame.width_px(), frame.height_px()),
                (expected.width_px, expected.height_px),
                "{what}"
            );
            let rgb = match options.colours {
                J_COLOR_SPACE::JCS_CMYK | J_COLOR_SPACE::JCS_YCCK => inks_to_rgb(&expected.pixels),
                _ => expected.pixels,
            };
            assert!(frame.to_rgb() == rgb, "{what}");
            let is_grey = options.colours == J_COLOR_SPACE::JCS_GRAYSCALE;
            assert_eq!(frame.encoding() == Encoding::Mono8, is_grey, "{what}");
            assert_eq!((decoder.warning(), expected.warnings), (None, 0), "{what}");
        }
    }
}

#[test]
fn data_that_breaks_off_before_its_end_marker_is_refused_or_warned_of() {
    let pixels = sized(131, 97);
    let mut refused = 0;
    for (name, options) in kinds() {
        let file = encode_jpeg(&pixels, &options);
        for share in [35, 50, 66, 80, 90, 97] {
            let cut = [&file[..file.len() * share / 100], &EOI].concat();
            let noticed = match Decoder::default().decode("jpeg", &cut) {
                Ok(_) => false,
                Err(CompressedError::Broken { .. }) => true,
                Err(other) => panic!("{name}: {other}"),
            };
            // djpeg gives up or warns, or nothing it knows of is missing: of arithmetic coding,
            // zeros are the end.
            let expected = djpeg(&cut).is_none_or(|read| read.warnings > 0);
            assert_eq!(noticed, expected, "{name}, {share} %");
            refused += usize::from(noticed);
        }
    }
    assert!(refused > 200, "{refused}");
    let cut = encode_jpeg(&pixels, &JpegOptions::default());
    let error = Decoder::default().decode("jpeg", &[&cut[..2000], &EOI].concat()).unwrap_err();
    assert_eq!(
        error.to_string(),
        "JPEG of 2002 bytes not decoded: Corrupt JPEG data: premature end of data segment"
    );
}

#[test]
fn a_lost_restart_marker_is_refused() {
    let options = JpegOptions { restart_interval: 4, ..JpegOptions::default() };
    let mut file = encode_jpeg(&sized(131, 97), &options);
    let third = file.windows(2).position(|pair| pair == [0xFF, 0xD2]).unwrap();
    let fifth = file.windows(2).position(|pair| pair == [0xFF, 0xD4]).unwrap();
    file.drain(third..fifth);
    assert!(djpeg(&file).unwrap().warnings > 0);
    let error = Decoder::default().decode("jpeg", &file).unwrap_err().to_string();
    assert!(error.contains("Corrupt JPEG data"), "{error}");
}

#[test]
fn bytes_too_many_are_warned_of_and_no_more() {
    let file = encode_jpeg(&sized(64, 64), &JpegOptions::default());
    let (start, end) = file.split_at(file.len() - 2);
    let longer = [start, &[0; 70], end].concat();
    let mut decoder = Decoder::default();
    let pixels = decoder.decode("jpeg", &longer).unwrap().to_rgb();
    let warning = decoder.warning().unwrap();
    assert!(warning.ends_with("extraneous bytes before marker 0xd9"), "{warning}");
    assert!(decoder.decode("jpeg", &file).unwrap().to_rgb() == pixels);
    assert_eq!(decoder.warning(), None);
    // After the end, cameras store previews and more.
    let longer = [&file[..], &file].concat();
    assert!(decoder.decode("jpeg", &longer).unwrap().to_rgb() == pixels);
    assert_eq!(decoder.warning(), None);
}

#[test]
fn a_webcams_jpeg_without_huffman_tables_is_read() {
    let file = encode_jpeg(&sized(64, 64), &JpegOptions::default());
    let mut without = file.clone();
    while let Some(start) = without.windows(2).position(|pair| pair == [0xFF, 0xC4]) {
        let length = usize::from(u16::from_be_bytes([without[start + 2], without[start + 3]]));
        without.drain(start..start + 2 + length);
    }
    assert!(without.len() + 400 < file.len());
    let mut decoder = Decoder::default();
    let expected = decoder.decode("jpeg", &file).unwrap().to_rgb();
    assert!(decoder.decode("jpeg", &without).unwrap().to_rgb() == expected);
}

#[test]
fn endless_scans_are_refused() {
    let file =
        encode_jpeg(&sized(64, 64), &JpegOptions { progressive: true, ..Default::default() });
    // The last scan, again and again.
    let last = file.windows(2).rposition(|pair| pair == [0xFF, 0xDA]).unwrap();
    let (start, end) = file.split_at(file.len() - 2);
    let scans = start[last..].repeat(200);
    let error = Decoder::default().decode("jpeg", &[start, &scans, end].concat()).unwrap_err();
    let error = error.to_string();
    assert!(error.contains("scan") || error.contains("progression"), "{error}");
}

#[test]
fn an_image_is_turned_as_its_exif_orientation_says() {
    let upright = picture("astronaut.jpg");
    let mut decoder = Decoder::default();
    let mut session = session(SessionOptions::for_pictures());
    // As stored by a camera held each way: the turn that undoes the one that EXIF names.
    let stored = [
        (1, upright.clone()),
        (2, imageops::flip_horizontal(&upright)),
        (3, imageops::rotate180(&upright)),
        (4, imageops::flip_vertical(&upright)),
        (5, imageops::rotate270(&imageops::flip_horizontal(&upright))),
        (6, imageops::rotate270(&upright)),
        (7, imageops::rotate90(&imageops::flip_horizontal(&upright))),
        (8, imageops::rotate90(&upright)),
    ];
    for (orientation, stored) in stored {
        let exif = exif_orientation(orientation);
        let file = encode_jpeg(&stored, &JpegOptions { exif, ..JpegOptions::default() });
        let frame = decoder.decode("jpeg", &file).unwrap();
        session.reset();
        let seen = session.process(&frame, ImageStamp::at(std::time::Duration::ZERO)).unwrap();
        let [person] = &seen.people[..] else { panic!("{orientation}: {:?}", seen.people) };
        let center = person.face.roi_in_image.center();
        let distance = (center.x - 224.0).hypot(center.y - 123.0);
        assert!(distance < 5.0, "{orientation}: {center:?}");
    }
}
