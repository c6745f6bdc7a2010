//! The C library behind a type that cannot be used wrongly: everything unsafe is here.
//!
//! The library reports errors through a function that must not return; ours unwinds, through C code
//! that is compiled for it, up to the call into the library, which returns it as an error.

use std::ffi::{c_char, c_int, c_void};
use std::marker::PhantomData;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use mozjpeg_sys::{
    J_COLOR_SPACE, J_DCT_METHOD, J_MESSAGE_CODE, JWRN_ADOBE_XFORM, JWRN_BOGUS_ICC,
    JWRN_EXTRANEOUS_DATA, JWRN_JFIF_MAJOR, JWRN_NOT_SEQUENTIAL, jpeg_common_struct,
    jpeg_component_info, jpeg_create_decompress, jpeg_decompress_struct, jpeg_destroy_decompress,
    jpeg_error_mgr, jpeg_finish_decompress, jpeg_mem_src, jpeg_progress_mgr, jpeg_read_header,
    jpeg_read_raw_data, jpeg_read_scanlines, jpeg_save_markers, jpeg_set_idct_method_selector,
    jpeg_start_decompress, jpeg_std_error,
};

#[cfg(target_arch = "x86_64")]
use super::idct;
use super::{BLOCK_PX, Refused};

/// Marker of the segment that holds EXIF data, and what the segment begins with.
const EXIF_MARKER: c_int = 0xE1;
const EXIF_START: &[u8] = b"Exif\0\0";

/// Encoders make a dozen scans at most. Each costs a walk over the whole image, however few bytes it
/// has.
const MOST_SCANS: c_int = 100;

/// Bytes of the longest message (`JMSG_LENGTH_MAX`).
const MESSAGE_BYTES: usize = 200;

/// Warnings that leave all pixels as they should be. After any other, some are lost.
const HARMLESS: [J_MESSAGE_CODE; 5] =
    [JWRN_ADOBE_XFORM, JWRN_BOGUS_ICC, JWRN_EXTRANEOUS_DATA, JWRN_JFIF_MAJOR, JWRN_NOT_SEQUENTIAL];

/// One of the image's colour channels.
#[derive(Debug, Clone, Copy)]
pub(super) struct Component {
    /// Samples across and down for each unit of the image.
    pub across: usize,
    pub down: usize,
    pub blocks_across: usize,
}

/// Error state. The library sees the first field only.
#[repr(C)]
struct Errors {
    manager: jpeg_error_mgr,
    warning: Option<String>,
}

/// A JPEG whose header is read.
pub(super) struct Reader<'d> {
    info: Box<jpeg_decompress_struct>,
    /// These two are pointed to by `info`.
    errors: Box<Errors>,
    _progress: Box<jpeg_progress_mgr>,
    /// `info` points into the data.
    _data: PhantomData<&'d [u8]>,
}

impl<'d> Reader<'d> {
    /// Reads the header.
    pub fn new(data: &'d [u8]) -> Result<Self, Refused> {
        // SAFETY: plain C structures of numbers and pointers, for which zeros are valid: the
        // library fills them in before it reads them.
        let (info, manager, progress) = unsafe { std::mem::zeroed() };
        let mut reader = Self {
            info: Box::<jpeg_decompress_struct>::new(info),
            errors: Box::new(Errors { manager, warning: None }),
            _progress: Box::<jpeg_progress_mgr>::new(progress),
            _data: PhantomData,
        };
        let Self { info, errors, _progress: progress, .. } = &mut reader;
        caught(|| {
            // SAFETY: the structures are boxed, so that they stay where the library knows them for
            // as long as the reader lives; the data outlives it by its lifetime.
            unsafe {
                jpeg_std_error(&mut errors.manager);
                errors.manager.error_exit = Some(error_exit);
                errors.manager.emit_message = Some(emit_message);
                info.common.err = (&raw mut **errors).cast();
                jpeg_create_decompress(&mut **info);
                progress.progress_monitor = Some(progress_monitor);
                info.common.progress = &mut **progress;
                jpeg_mem_src(info, data.as_ptr(), data.len() as _);
                jpeg_save_markers(info, EXIF_MARKER, 0xFFFF);
                #[cfg(target_arch = "x86_64")]
                {
                    let select: unsafe extern "C-unwind" fn(_, _, &mut Idct, &c_int) = select_idct;
                    // The binding declares another structure, a pointer to which is a pointer all the
                    // same.
                    let info_as_declared = (&raw mut **info).cast_const().cast();
                    jpeg_set_idct_method_selector(&*info_as_declared, select as *const c_void);
                }
                jpeg_read_header(info, 1);
            }
        })?;
        Ok(reader)
    }

    /// Width and height.
    pub fn size_px(&self) -> (usize, usize) {
        (self.info.image_width as usize, self.info.image_height as usize)
    }

    /// How colours are stored.
    pub fn colours(&self) -> J_COLOR_SPACE {
        self.info.jpeg_color_space
    }

    /// The channels, in their order.
    pub fn components(&self) -> Vec<Component> {
        if self.info.comp_info.is_null() {
            return Vec::new();
        }
        // SAFETY: the library allocated so many of them when it read the header.
        let components = unsafe {
            std::slice::from_raw_parts(self.info.comp_info, self.info.num_components as usize)
        };
        let (width, _) = self.size_px();
        let most = components.iter().map(|c| c.h_samp_factor as usize).max().unwrap_or(1);
        let component = |c: &mozjpeg_sys::jpeg_component_info| {
            let across = c.h_samp_factor as usize;
            let blocks_across = (width * across).div_ceil(most * BLOCK_PX);
            Component { across, down: c.v_samp_factor as usize, blocks_across }
        };
        components.iter().map(component).collect()
    }

    /// The EXIF data, without its name.
    pub fn exif(&self) -> Option<Vec<u8>> {
        let mut next = self.info.marker_list;
        // SAFETY: a list of the library, ended by null, that lives as long as `info`.
        while let Some(marker) = unsafe { next.as_ref() } {
            if c_int::from(marker.marker) == EXIF_MARKER && !marker.data.is_null() {
                // SAFETY: the library stored so many bytes there.
                let data =
                    unsafe { std::slice::from_raw_parts(marker.data, marker.data_length as usize) };
                if let Some(exif) = data.strip_prefix(EXIF_START) {
                    return Some(exif.to_vec());
                }
            }
            next = marker.next;
        }
        None
    }

    /// What the library warned of, first, though no pixel is lost by it.
    pub fn take_warning(&mut self) -> Option<String> {
        self.errors.warning.take()
    }

    /// Reads the whole image in these colours, row by row.
    pub fn read_rows(
        &mut self,
        colours: J_COLOR_SPACE,
        row_bytes: usize,
        pixels: &mut [u8],
    ) -> Result<(), Refused> {
        let info = &mut *self.info;
        caught(|| {
            info.out_color_space = colours;
            // SAFETY: `info` is past its header. The library writes as many bytes as a row has,
            // which the assertion compares with the room that there is.
            unsafe {
                jpeg_start_decompress(info);
                let bytes = info.output_width as usize * info.output_components as usize;
                let rows = info.output_height as usize;
                if bytes != row_bytes || pixels.len() < bytes * rows {
                    refuse("rows of another length than expected".to_owned());
                }
                for row in pixels.chunks_exact_mut(bytes).take(rows) {
                    jpeg_read_scanlines(info, &mut row.as_mut_ptr(), 1);
                }
                jpeg_finish_decompress(info);
            }
        })
    }

    /// Reads the channels as they are sampled: whole blocks, up to and beyond the image's edge.
    /// `planes` have room for all rows of blocks that the tallest channel's sampling leads to.
    pub fn read_planes(
        &mut self,
        planes: &mut [Vec<u8>; 3],
        strides: &[usize; 3],
    ) -> Result<(), Refused> {
        let components = self.components();
        let info = &mut *self.info;
        let down = components.iter().map(|c| c.down).max().unwrap_or(1);
        let lines = down * BLOCK_PX;
        let unit_rows = (info.image_height as usize).div_ceil(lines);
        let fits = components.len() == planes.len()
            && components.iter().zip(strides).zip(&*planes).all(|((c, stride), plane)| {
                *stride >= c.blocks_across * BLOCK_PX
                    && plane.len() >= stride * unit_rows * c.down * BLOCK_PX
            });
        if !fits {
            return Err(Refused("channels of another size than expected".to_owned()));
        }
        // Row pointers of the three channels, four blocks of rows at most.
        let mut rows = [[std::ptr::null_mut::<u8>(); 4 * BLOCK_PX]; 3];
        caught(|| {
            info.raw_data_out = 1;
            // SAFETY: `info` is past its header. Of each channel the library writes whole blocks, as
            // many across and rows as was compared with the room in the planes above.
            unsafe {
                jpeg_start_decompress(info);
                for unit in 0..unit_rows {
                    for (channel, plane) in planes.iter_mut().enumerate() {
                        let count = components[channel].down * BLOCK_PX;
                        let start = unit * count * strides[channel];
                        let room = plane[start..].chunks_exact_mut(strides[channel]).take(count);
                        for (pointer, row) in rows[channel].iter_mut().zip(room) {
                            *pointer = row.as_mut_ptr();
                        }
                    }
                    let mut channels = rows.each_mut().map(|rows| rows.as_mut_ptr());
                    jpeg_read_raw_data(info, channels.as_mut_ptr(), lines as u32);
                }
                jpeg_finish_decompress(info);
            }
        })
    }
}

impl Drop for Reader<'_> {
    fn drop(&mut self) {
        // SAFETY: created by `new`, or zeros, of which the library frees nothing.
        unsafe { jpeg_destroy_decompress(&mut self.info) }
    }
}

/// Runs calls into the library; an error that it reports becomes ours.
fn caught(work: impl FnOnce()) -> Result<(), Refused> {
    // Of what an error leaves half done, nothing is used but to be destroyed.
    catch_unwind(AssertUnwindSafe(work)).map_err(|payload| match payload.downcast::<Refused>() {
        Ok(refused) => *refused,
        // Not of the library.
        Err(other) => resume_unwind(other),
    })
}

fn refuse(reason: String) -> ! {
    // Does not call the hook that prints panics.
    resume_unwind(Box::new(Refused(reason)))
}

/// What the library is about to say.
///
/// # Safety
/// `info` is one of ours.
unsafe fn message(info: &mut jpeg_common_struct) -> String {
    type Format = unsafe extern "C-unwind" fn(*mut jpeg_common_struct, *mut c_char);
    let mut text = [0_u8; MESSAGE_BYTES];
    // SAFETY: the binding declares a shorter buffer, and one that is only read; this is the
    // signature in `jpeglib.h`.
    unsafe {
        if let Some(format) = (*info.err).format_message {
            let format: Format = std::mem::transmute(format);
            format(info, text.as_mut_ptr().cast());
        }
    }
    let length = text.iter().position(|byte| *byte == 0).unwrap_or(text.len());
    String::from_utf8_lossy(&text[..length]).into_owned()
}

#[cfg(target_arch = "x86_64")]
/// A step of the library, as `jpeglib.h` has it: block, rows to write to, first column.
type Idct = unsafe extern "C-unwind" fn(
    &jpeg_decompress_struct,
    &jpeg_component_info,
    &[i16; 64],
    *const *mut u8,
    u32,
);

/// Puts our version of the step in the place of the library's, where that is the usual one.
#[cfg(target_arch = "x86_64")]
unsafe extern "C-unwind" fn select_idct(
    _: &jpeg_decompress_struct,
    _: &jpeg_component_info,
    idct: &mut Idct,
    category: &c_int,
) {
    if *category == J_DCT_METHOD::JDCT_ISLOW as c_int && std::arch::is_x86_feature_detected!("avx2")
    {
        *idct = idct_avx2;
    }
}

/// # Safety
/// The processor has these instructions; `rows` are eight, with room for eight more samples from
/// `column` on: the library's contract, which never scales here.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
unsafe extern "C-unwind" fn idct_avx2(
    _: &jpeg_decompress_struct,
    component: &jpeg_component_info,
    block: &[i16; 64],
    rows: *const *mut u8,
    column: u32,
) {
    // SAFETY: null, or a table that lives as long as the component.
    let table = unsafe { component.quant_table.as_ref() };
    // Without a table there were no coefficients either.
    let samples = table.map_or([[128; 8]; 8], |table| idct::samples(block, &table.quantval));
    for (i, samples) in samples.iter().enumerate() {
        // SAFETY: as this function says.
        unsafe {
            let row = (*rows.add(i)).add(column as usize);
            std::ptr::copy_nonoverlapping(samples.as_ptr(), row, samples.len());
        }
    }
}

unsafe extern "C-unwind" fn error_exit(info: &mut jpeg_common_struct) {
    // SAFETY: called with a structure of ours.
    refuse(unsafe { message(info) })
}

/// Level -1 is a warning; the others are of no interest.
unsafe extern "C-unwind" fn emit_message(info: &mut jpeg_common_struct, level: c_int) {
    if level != -1 {
        return;
    }
    // SAFETY: called with a structure of ours, whose error state is the first field of `Errors`.
    let (text, errors) = unsafe { (message(info), &mut *info.err.cast::<Errors>()) };
    if !HARMLESS.contains(&(errors.manager.msg_code as J_MESSAGE_CODE)) {
        refuse(text);
    }
    errors.warning.get_or_insert(text);
}

/// Called now and then while scans are read.
unsafe extern "C-unwind" fn progress_monitor(info: &mut jpeg_common_struct) {
    // SAFETY: called with a structure of ours, whose first field it is.
    let scans = unsafe { (*(&raw mut *info).cast::<jpeg_decompress_struct>()).input_scan_number };
    if scans > MOST_SCANS {
        refuse(format!("more than {MOST_SCANS} scans"));
    }
}
