//! Promise: whatever bytes come from outside, nothing panics, and no size that a header only claims
//! is allocated. Bags, policies, sidecars, labels, messages and model outputs have like tests beside
//! their own.
#![allow(clippy::unwrap_used, missing_docs)]

use std::alloc::{GlobalAlloc, Layout, System};
use std::io::Cursor;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use image::{ImageFormat, RgbImage};
use proptest::prelude::*;
use rapport_perception::crop::crop_padded_rgb;
use rapport_perception::detect::{WorkingImage, WorkingSize};
use rapport_perception::frame::{Decoder, Encoding, Frame, FrameError};
use rapport_perception::geometry::Rect;

/// Counts the bytes in use and the most there were.
struct Counting;

static IN_USE: AtomicUsize = AtomicUsize::new(0);
static MOST: AtomicUsize = AtomicUsize::new(0);
/// One measurement at a time.
static MEASURING: Mutex<()> = Mutex::new(());

// SAFETY: everything is handed on to the system's allocator as it came.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let now = IN_USE.fetch_add(layout.size(), Ordering::Relaxed) + layout.size();
        MOST.fetch_max(now, Ordering::Relaxed);
        // SAFETY: as above.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        IN_USE.fetch_sub(layout.size(), Ordering::Relaxed);
        // SAFETY: as above.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Bytes that some work had in use at most, beyond those in use before.
fn most_bytes(work: impl FnOnce()) -> usize {
    let _alone = MEASURING.lock();
    let before = IN_USE.load(Ordering::Relaxed);
    MOST.store(before, Ordering::Relaxed);
    work();
    MOST.load(Ordering::Relaxed).saturating_sub(before)
}

const FORMATS: [ImageFormat; 7] = [
    ImageFormat::Jpeg,
    ImageFormat::Png,
    ImageFormat::WebP,
    ImageFormat::Tiff,
    ImageFormat::Bmp,
    ImageFormat::Gif,
    ImageFormat::Pnm,
];

fn small_file(format: ImageFormat) -> Vec<u8> {
    let picture = RgbImage::from_fn(64, 48, |x, y| {
        image::Rgb([(x * 4) as u8, (y * 5) as u8, (x * y % 251) as u8])
    });
    let mut file = Cursor::new(Vec::new());
    picture.write_to(&mut file, format).unwrap();
    file.into_inner()
}

/// What the decoder believes a header of WebP, TIFF or GIF: two million pixels of four floats at most,
/// and as many again as bytes.
const BELIEVED_BYTES: usize = (2 << 20) * 20;

/// Deflate makes 1032 bytes of one, and a PNG row has up to three bytes a pixel that become as many
/// again: what a hostile file of the length can cost in good faith.
fn bound_bytes(file_bytes: usize) -> usize {
    (16 << 20) + BELIEVED_BYTES + file_bytes * 1032 * 8
}

fn decode_bounded(bytes: &[u8]) {
    let most = most_bytes(|| {
        let mut decoder = Decoder::default();
        if let Ok(frame) = decoder.decode("jpeg", bytes) {
            assert!(frame.width_px() <= Frame::MAX_SIDE_PX);
        }
    });
    assert!(most <= bound_bytes(bytes.len()), "{most} bytes for a file of {}", bytes.len());
}

/// Numbers as broken headers have them.
fn extent() -> impl Strategy<Value = u32> {
    prop_oneof![0..70u32, Just(16_384), Just(16_385), Just(u32::MAX), any::<u32>()]
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 1000,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn any_image_header_is_a_frame_or_refused(
        (width, height) in (extent(), extent()),
        step in prop_oneof![(0..300usize).boxed(), any::<usize>().boxed()],
        encoding in prop::sample::select(Encoding::ALL.to_vec()),
        data in prop::collection::vec(any::<u8>(), 0..3000),
        (x, y, side) in (any::<f32>(), any::<f32>(), 0f32..200.0),
    ) {
        let Ok(frame) = Frame::new(width, height, step, encoding, &data) else {
            return Ok(());
        };
        prop_assert_eq!(frame.to_rgb().len(), width as usize * height as usize * 3);
        frame.rgb(width - 1, height - 1);
        let size = WorkingSize { width_px: 32, height_px: 40 };
        WorkingImage::default().fill(&frame, size);
        let roi = Rect { x, y, width: side, height: side };
        prop_assert_eq!(crop_padded_rgb(&frame, &roi, 16).len(), 16 * 16 * 3);
    }

    #[test]
    fn any_name_is_an_encoding_or_refused(name in ".{0,20}") {
        if let Err(FrameError::Encoding { found }) = name.parse::<Encoding>() {
            prop_assert_eq!(found, name);
        }
    }

    #[test]
    fn any_bytes_are_an_image_or_refused(
        start in prop::sample::select(vec![
            &b""[..], b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"GIF89a", b"II*\0", b"MM\0*", b"P6\n",
            b"P4 9 9\n", b"P7\nWIDTH ", b"BM\0\0\0\0\0\0\0\0", b"RIFF\xff\0\0\0WEBPVP8 ",
            b"RIFF\xff\0\0\0WEBPVP8L",
        ]),
        rest in prop::collection::vec(any::<u8>(), 0..500),
    ) {
        decode_bounded(&[start, &rest].concat());
    }

    #[test]
    fn damaged_files_are_images_or_refused(
        format in prop::sample::select(FORMATS.to_vec()),
        cut in any::<prop::sample::Index>(),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..4),
    ) {
        let mut bytes = small_file(format);
        for (place, value) in changes {
            let place = place.index(bytes.len());
            bytes[place] = value;
        }
        // Most keep their whole length: a cut alone would end the reading early.
        if cut.index(4) == 0 {
            bytes.truncate(cut.index(bytes.len()));
        }
        decode_bounded(&bytes);
    }
}

#[test]
fn a_size_that_is_only_claimed_is_not_allocated() {
    let mut jpeg = small_file(ImageFormat::Jpeg);
    let frame_header = jpeg.windows(2).position(|pair| pair == [0xFF, 0xC0]).unwrap();
    // Height and width stand behind the marker, the length and the precision.
    jpeg[frame_header + 5..frame_header + 9].copy_from_slice(&[0x3F, 0xFF, 0x0F, 0xFF]);
    let mut png = small_file(ImageFormat::Png);
    png[16..24].copy_from_slice(&[0, 0, 0x3F, 0xFF, 0, 0, 0x3F, 0xFF]);
    for file in [jpeg, png] {
        let mut message = String::new();
        let most = most_bytes(|| {
            message = Decoder::default().decode("", &file).unwrap_err().to_string();
        });
        assert!(most < 1 << 20, "{most} bytes: {message}");
    }
}
