//! JPEG as `cjpeg` writes it with its options, by the same library.

use std::ffi::c_int;

use image::RgbImage;
use mozjpeg_sys::{
    J_BOOLEAN_PARAM, J_COLOR_SPACE, J_INT_PARAM, boolean, jpeg_common_struct, jpeg_compress_struct,
    jpeg_create_compress, jpeg_destroy_compress, jpeg_error_mgr, jpeg_finish_compress,
    jpeg_mem_dest, jpeg_scan_info, jpeg_set_colorspace, jpeg_set_defaults, jpeg_set_quality,
    jpeg_simple_progression, jpeg_start_compress, jpeg_std_error, jpeg_write_marker,
    jpeg_write_scanlines,
};

/// What `cjpeg` can be asked for.
#[derive(Debug, Clone)]
pub struct JpegOptions {
    /// `-quality`, 1 to 100.
    pub quality: i32,
    /// `-sample`: of each channel, across and down.
    pub sampling: [(i32, i32); 4],
    /// `-grayscale`, `-rgb`, or the usual; CMYK is inks of the picture.
    pub colours: J_COLOR_SPACE,
    /// `-progressive`.
    pub progressive: bool,
    /// `-scans`: the channels of each scan, all of their coefficients.
    pub scans: Vec<Vec<i32>>,
    /// `-restart`, in blocks of the scan.
    pub restart_interval: u32,
    /// `-arithmetic`.
    pub arithmetic: bool,
    /// `-optimize`.
    pub optimize: bool,
    /// Bytes of an APP1 segment.
    pub exif: Vec<u8>,
}

impl Default for JpegOptions {
    fn default() -> Self {
        Self {
            quality: 90,
            sampling: [(2, 2), (1, 1), (1, 1), (1, 1)],
            colours: J_COLOR_SPACE::JCS_YCbCr,
            progressive: false,
            scans: Vec::new(),
            restart_interval: 0,
            arithmetic: false,
            optimize: false,
            exif: Vec::new(),
        }
    }
}

/// Data of an APP1 segment with this orientation, 1 to 8.
pub fn exif_orientation(orientation: u8) -> Vec<u8> {
    let mut exif = b"Exif\0\0MM\0\x2a\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0".to_vec();
    exif.extend([orientation, 0, 0, 0, 0, 0, 0]);
    exif
}

/// Encodes a picture.
pub fn encode_jpeg(picture: &RgbImage, options: &JpegOptions) -> Vec<u8> {
    let (width, height) = picture.dimensions();
    let (input, channels) = match options.colours {
        J_COLOR_SPACE::JCS_CMYK | J_COLOR_SPACE::JCS_YCCK => (J_COLOR_SPACE::JCS_CMYK, 4),
        _ => (J_COLOR_SPACE::JCS_RGB, 3),
    };
    let rows: Vec<Vec<u8>> = picture
        .rows()
        .map(|row| {
            // Inverted inks, with black at none.
            row.flat_map(|pixel| pixel.0.into_iter().chain((channels == 4).then_some(255)))
                .collect()
        })
        .collect();
    let scans: Vec<jpeg_scan_info> = options
        .scans
        .iter()
        .map(|channels| jpeg_scan_info {
            comps_in_scan: channels.len() as c_int,
            component_index: std::array::from_fn(|i| channels.get(i).copied().unwrap_or(0)),
            Ss: 0,
            Se: 63,
            Ah: 0,
            Al: 0,
        })
        .collect();
    let mut buffer: *mut u8 = std::ptr::null_mut();
    let mut bytes = 0;
    // SAFETY: the library's own order of calls, with structures that outlive it; the error handler
    // of `jpeg_std_error` ends the process, which is fine in a test. The buffer is copied before it
    // is freed.
    unsafe {
        let mut errors: jpeg_error_mgr = std::mem::zeroed();
        let mut info: jpeg_compress_struct = std::mem::zeroed();
        info.common.err = jpeg_std_error(&mut errors);
        jpeg_create_compress(&mut info);
        jpeg_mem_dest(&mut info, &mut buffer, &mut bytes);
        info.image_width = width;
        info.image_height = height;
        info.input_components = channels;
        info.in_color_space = input;
        // As libjpeg-turbo does it: no trellis quantisation, no scans of its own choice.
        mozjpeg_sys::jpeg_c_set_int_param(
            &mut info,
            J_INT_PARAM::JINT_COMPRESS_PROFILE,
            mozjpeg_sys::JINT_COMPRESS_PROFILE_VALUE::JCP_FASTEST as c_int,
        );
        jpeg_set_defaults(&mut info);
        mozjpeg_sys::jpeg_c_set_bool_param(&mut info, J_BOOLEAN_PARAM::JBOOLEAN_OPTIMIZE_SCANS, 0);
        jpeg_set_colorspace(&mut info, options.colours);
        jpeg_set_quality(&mut info, options.quality, 1);
        let components =
            std::slice::from_raw_parts_mut(info.comp_info, info.num_components as usize);
        for (component, (across, down)) in components.iter_mut().zip(options.sampling) {
            (component.h_samp_factor, component.v_samp_factor) = (across, down);
        }
        info.optimize_coding = boolean::from(options.optimize);
        info.arith_code = boolean::from(options.arithmetic);
        info.restart_interval = options.restart_interval;
        if options.progressive {
            jpeg_simple_progression(&mut info);
        }
        if !scans.is_empty() {
            info.scan_info = scans.as_ptr();
            info.num_scans = scans.len() as c_int;
        }
        jpeg_start_compress(&mut info, 1);
        if !options.exif.is_empty() {
            jpeg_write_marker(&mut info, 0xE1, options.exif.as_ptr(), options.exif.len() as u32);
        }
        for row in &rows {
            jpeg_write_scanlines(&mut info, &row.as_ptr(), 1);
        }
        jpeg_finish_compress(&mut info);
        let file = std::slice::from_raw_parts(buffer, bytes as usize).to_vec();
        jpeg_destroy_compress(&mut info);
        libc_free(buffer);
        file
    }
}

/// What `djpeg` makes of a file, with the library's own upsampling and colours.
#[derive(Debug, PartialEq, Eq)]
pub struct Djpeg {
    pub width_px: u32,
    pub height_px: u32,
    /// Grey as three equal channels; of CMYK, the four inks.
    pub pixels: Vec<u8>,
    pub warnings: i64,
}

/// Decodes as `djpeg` does; nothing where it gives up.
pub fn djpeg(data: &[u8]) -> Option<Djpeg> {
    use mozjpeg_sys::{
        jpeg_create_decompress, jpeg_decompress_struct, jpeg_destroy_decompress,
        jpeg_finish_decompress, jpeg_mem_src, jpeg_read_header, jpeg_read_scanlines,
        jpeg_start_decompress,
    };
    unsafe extern "C-unwind" fn give_up(_: &mut jpeg_common_struct) {
        std::panic::resume_unwind(Box::new(()));
    }
    unsafe extern "C-unwind" fn say_nothing(_: &mut jpeg_common_struct) {}
    // SAFETY: as above, but for the error handler, which unwinds to here.
    std::panic::catch_unwind(|| unsafe {
        let mut errors: jpeg_error_mgr = std::mem::zeroed();
        let mut info: jpeg_decompress_struct = std::mem::zeroed();
        info.common.err = jpeg_std_error(&mut errors);
        (*info.common.err).error_exit = Some(give_up);
        (*info.common.err).output_message = Some(say_nothing);
        jpeg_create_decompress(&mut info);
        jpeg_mem_src(&mut info, data.as_ptr(), data.len() as _);
        jpeg_read_header(&mut info, 1);
        if info.out_color_space != J_COLOR_SPACE::JCS_CMYK {
            info.out_color_space = J_COLOR_SPACE::JCS_RGB;
        }
        jpeg_start_decompress(&mut info);
        let row_bytes = info.output_width as usize * info.output_components as usize;
        let mut pixels = vec![0; row_bytes * info.output_height as usize];
        for row in pixels.chunks_exact_mut(row_bytes) {
            jpeg_read_scanlines(&mut info, &mut row.as_mut_ptr(), 1);
        }
        jpeg_finish_decompress(&mut info);
        let (width_px, height_px) = (info.output_width, info.output_height);
        jpeg_destroy_decompress(&mut info);
        Djpeg { width_px, height_px, pixels, warnings: errors.num_warnings as i64 }
    })
    .ok()
}

unsafe extern "C" {
    #[link_name = "free"]
    fn libc_free(pointer: *mut u8);
}
