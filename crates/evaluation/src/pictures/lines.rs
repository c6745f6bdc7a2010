//! Text whose lines are short, so that a file without line ends cannot fill the memory.

use std::io::{Error, ErrorKind, Read, Result};

/// Reads bytes and fails where a line is too long.
pub struct ShortLines<R> {
    source: R,
    longest_bytes: usize,
    line_bytes: usize,
}

impl<R: Read> ShortLines<R> {
    /// Refuses lines of more than so many bytes.
    pub fn new(source: R, longest_bytes: usize) -> Self {
        Self { source, longest_bytes, line_bytes: 0 }
    }
}

impl<R: Read> Read for ShortLines<R> {
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize> {
        let count = self.source.read(buffer)?;
        let found = buffer.get(..count).unwrap_or_default();
        for line in found.split_inclusive(|&byte| byte == b'\n') {
            self.line_bytes += line.len();
            if self.line_bytes > self.longest_bytes {
                let limit = self.longest_bytes;
                let text = format!("found a line of over {limit} bytes, expected rows of numbers");
                return Err(Error::new(ErrorKind::InvalidData, text));
            }
            if line.ends_with(b"\n") {
                self.line_bytes = 0;
            }
        }
        Ok(count)
    }
}
