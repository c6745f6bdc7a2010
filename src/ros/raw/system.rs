//! What the operating system says and is told.

use std::ffi::{CString, OsStr};
use std::path::Path;

/// Sets an environment variable of this process, which the middleware reads when it starts.
///
/// To be called before a second thread runs.
pub fn set_variable_at_start(name: &str, value: &OsStr) {
    // SAFETY: the programs call this first of all, while theirs is the only thread.
    unsafe { std::env::set_var(name, value) };
}

/// The bytes that are free on the file system of a path; nothing where it cannot be asked.
pub fn free_bytes(path: &Path) -> Option<u64> {
    use std::os::unix::ffi::OsStrExt;
    let path = CString::new(path.as_os_str().as_bytes()).ok()?;
    // SAFETY: the structure is all numbers, for which zeros are values, and is filled in by the
    // call; the path outlives it.
    unsafe {
        let mut found: libc::statvfs = std::mem::zeroed();
        (libc::statvfs(path.as_ptr(), &mut found) == 0)
            .then(|| found.f_bavail.saturating_mul(found.f_frsize))
    }
}

/// The hour of the day, 0 to 24, where this machine's time zone has it; nothing where the time is beyond
/// what the system counts. `since_1970_secs`: the time.
pub fn local_hour(since_1970_secs: u64) -> Option<f64> {
    let time = libc::time_t::try_from(since_1970_secs).ok()?;
    // SAFETY: the structure is all numbers and a pointer, for which zeros are values, and is filled in
    // by the call, which keeps none of the two pointers.
    let found = unsafe {
        let mut found: libc::tm = std::mem::zeroed();
        (!libc::localtime_r(&time, &mut found).is_null()).then_some(found)
    }?;
    let secs = found.tm_hour * 3600 + found.tm_min * 60 + found.tm_sec;
    Some((f64::from(secs) / 3600.0).min(24.0))
}
