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
