//! The end of the process in the middle of something.

/// Ends the process at once, running no destructors and no exit handlers.
pub fn exit_at_once(status: i32) -> ! {
    // SAFETY: _exit takes any status and does not return.
    unsafe { libc::_exit(status) }
}
