//! `rapport ... | head`: who reads the output may end first, and nobody needs to hear of it.
#![allow(clippy::unwrap_used, missing_docs)]

use std::io::Read;
use std::process::{Command, Stdio};

use rapport_test_support::in_repository;

/// Runs `rapport` with its standard output into a pipe that nobody reads any more. Returns its exit
/// code and its standard error.
fn into_a_broken_pipe(arguments: &[&str]) -> (Option<i32>, String) {
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let mut process = Command::new(env!("CARGO_BIN_EXE_rapport"))
        .args(arguments)
        .current_dir(in_repository("tests/pictures"))
        .stdout(writer)
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut errors = String::new();
    process.stderr.take().unwrap().read_to_string(&mut errors).unwrap();
    (process.wait().unwrap().code(), errors)
}

#[test]
fn a_command_whose_output_nobody_reads_ends_quietly() {
    let out = tempfile::tempdir().unwrap();
    let out = out.path().to_str().unwrap();
    let arguments: [&[&str]; 3] = [
        &["analyze", "astronaut.jpg"],
        &["analyze", "--json", "astronaut.jpg"],
        &["evaluate", "../recordings/before_labels_once.mcap", "-o", out],
    ];
    for arguments in arguments {
        let (code, errors) = into_a_broken_pipe(arguments);
        assert_eq!(code, Some(0), "{errors}");
        assert_eq!(errors, "");
    }
}
