//! Standard output whose reader may leave early, as `head` does.

use std::io::{ErrorKind, Write};

/// Prints a line on standard output. Returns false once nobody reads it any more, which is no
/// failure: `println!` would end the program with a panic there.
///
/// # Errors
/// If it cannot be written for any other reason, for example on a full disk.
pub fn print_line(line: &str) -> std::io::Result<bool> {
    write_text(&mut std::io::stdout().lock(), &format!("{line}\n"))
}

/// [`print_line`] without the end of the line.
///
/// # Errors
/// If it cannot be written for any other reason than that nobody reads it any more.
pub fn print_text(text: &str) -> std::io::Result<bool> {
    write_text(&mut std::io::stdout().lock(), text)
}

fn write_text(out: &mut impl Write, text: &str) -> std::io::Result<bool> {
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(false),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reader_that_left_is_no_failure_and_a_full_disk_is() {
        let (reader, mut writer) = std::io::pipe().unwrap();
        assert!(write_text(&mut writer, "read").unwrap());
        drop(reader);
        assert!(!write_text(&mut writer, "not read").unwrap());
        let mut full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
        assert!(write_text(&mut full, "lost").is_err());
    }
}
