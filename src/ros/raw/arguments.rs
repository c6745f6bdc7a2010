//! Whether the client library understands the ROS arguments of a command line.

use std::ffi::{CString, OsString, c_char, c_int};
use std::os::unix::ffi::OsStrExt;

use r2r_rcl::{
    rcl_arguments_fini, rcl_arguments_get_count_unparsed_ros, rcl_arguments_t,
    rcl_get_zero_initialized_arguments, rcl_parse_arguments, rcutils_get_default_allocator,
};

use super::RawError;

const CHECK: &str = "ROS arguments";

/// ROS arguments as the C library takes them: a count and pointers, and the strings behind these.
pub(super) struct CArguments {
    _strings: Vec<CString>,
    pointers: Vec<*const c_char>,
    count: c_int,
}

impl CArguments {
    pub(super) fn new(arguments: &[OsString]) -> Result<Self, RawError> {
        let strings: Vec<CString> = arguments
            .iter()
            .map(|argument| CString::new(argument.as_bytes()))
            .collect::<Result<_, _>>()
            .map_err(|_| RawError::new(CHECK, "one contains NUL"))?;
        let count = c_int::try_from(strings.len())
            .map_err(|_| RawError::new(CHECK, "there are too many"))?;
        // Where a string is moved, its bytes stay: the pointers hold as long as this lives.
        let pointers = strings.iter().map(|string| string.as_ptr()).collect();
        Ok(Self { _strings: strings, pointers, count })
    }

    pub(super) fn count(&self) -> c_int {
        self.count
    }

    /// The first pointer; null where there is no argument, as rcl wants it.
    pub(super) fn as_ptr(&self) -> *const *const c_char {
        if self.pointers.is_empty() { std::ptr::null() } else { self.pointers.as_ptr() }
    }
}

/// Parses the arguments from `--ros-args` on and throws the result away: r2r panics on those that
/// do not parse and skips those that nobody knows.
///
/// # Errors
/// What the library refuses, or that it left some of them unread.
pub fn check_ros_arguments(ros_arguments: &[OsString]) -> Result<(), RawError> {
    if ros_arguments.is_empty() {
        return Ok(());
    }
    let unread = with_parsed(CHECK, ros_arguments, |parsed| {
        // SAFETY: the arguments were parsed and are not freed yet.
        Ok(unsafe { rcl_arguments_get_count_unparsed_ros(parsed) })
    })?;
    if unread > 0 {
        let given: Vec<_> = ros_arguments.iter().map(|a| a.to_string_lossy()).collect();
        let reason = format!("cannot make sense of all of `{}`", given.join(" "));
        return Err(RawError::new(CHECK, reason));
    }
    Ok(())
}

/// Parses the arguments from `--ros-args` on, and shows the library's own view of them to `ask`.
///
/// # Errors
/// What the library refuses, under the title `what`; or what `ask` gives.
pub(super) fn with_parsed<T>(
    what: &'static str,
    ros_arguments: &[OsString],
    ask: impl FnOnce(&rcl_arguments_t) -> Result<T, RawError>,
) -> Result<T, RawError> {
    let arguments = CArguments::new(ros_arguments)?;
    // SAFETY: the structure is made by the library's own initialiser, and freed once it was filled;
    // the library copies the strings, which outlive the call.
    unsafe {
        let mut parsed = rcl_get_zero_initialized_arguments();
        let allocator = rcutils_get_default_allocator();
        let code =
            rcl_parse_arguments(arguments.count(), arguments.as_ptr(), allocator, &mut parsed);
        RawError::check(what, code)?;
        let found = ask(&parsed);
        let freed = RawError::check(what, rcl_arguments_fini(&mut parsed));
        let found = found?;
        freed?;
        Ok(found)
    }
}
