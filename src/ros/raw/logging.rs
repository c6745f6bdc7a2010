//! What the client library has been told about logging.

use std::ffi::CString;

use r2r_rcl::{rcl_logging_rosout_enabled, rcutils_logging_logger_is_enabled_for};

/// Whether the process's arguments leave `/rosout` on, as they do by default.
pub fn rosout_is_wanted() -> bool {
    // SAFETY: reads a flag that is set once, when the process's arguments are parsed.
    unsafe { rcl_logging_rosout_enabled() }
}

/// Whether a logger lets lines of this severity pass.
pub fn is_logged(logger: &str, severity: i32) -> bool {
    let Ok(logger) = CString::new(logger) else {
        return false;
    };
    // SAFETY: the string outlives the call; logging was set up with the context.
    unsafe { rcutils_logging_logger_is_enabled_for(logger.as_ptr(), severity) }
}
