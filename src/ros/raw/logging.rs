//! What the client library has been told about logging.

use std::ffi::CString;

use r2r_rcl::{
    rcl_logging_rosout_enabled, rcutils_logging_get_default_logger_level,
    rcutils_logging_get_logger_level, rcutils_logging_logger_is_enabled_for,
    rcutils_logging_set_logger_level, rcutils_reset_error,
};

/// The levels of rcutils: none of its own, and what happens.
const UNSET: i32 = 0;
const INFO: i32 = 20;

/// The loggers of the client library and the middleware.
const LIBRARIES: [&str; 4] = ["rcl", "rmw", "rmw_fastrtps_cpp", "rmw_cyclonedds_cpp"];

/// Where everything is logged from debug on, keeps the client library and the middleware to what
/// happens: they write ten lines for each of the node's own. `--log-level rcl:=debug` shows theirs.
pub fn keep_libraries_quiet() {
    // SAFETY: the strings outlive the calls; logging was set up with the context.
    unsafe {
        if rcutils_logging_get_default_logger_level() >= INFO {
            return;
        }
        for name in LIBRARIES {
            let Ok(name) = CString::new(name) else {
                continue;
            };
            if rcutils_logging_get_logger_level(name.as_ptr()) == UNSET {
                rcutils_logging_set_logger_level(name.as_ptr(), INFO);
            }
            rcutils_reset_error();
        }
    }
}

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
