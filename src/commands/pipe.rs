//! A reader of our output that ends before us, as in `rapport analyze ... | head`.

/// From now on, writing to a pipe that nobody reads any more ends the process quietly by SIGPIPE,
/// as it does other Unix tools. Rust's own start lets the write fail instead, which would be
/// reported as an error. To be called first in `main`.
pub fn end_on_broken_pipe() {
    // SAFETY: it sets the default action of a signal and installs no handler, before any other
    // thread is started.
    unsafe {
        libc::signal(libc::SIGPIPE, libc::SIG_DFL);
    }
}
