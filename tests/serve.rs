//! `rapport serve` as a process: what it prints, how it ends, and what it says of wrong options.
#![allow(clippy::unwrap_used, missing_docs)]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

use rapport_test_support::in_repository;

fn command(arguments: &[&str], state: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_rapport"));
    command.arg("serve").args(arguments).env("XDG_STATE_HOME", state);
    command
}

/// A running server, and the one line that it printed.
fn start(arguments: &[&str], state: &Path) -> (Child, String) {
    let mut server =
        command(arguments, state).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(server.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
    (server, line)
}

/// Ends it as a service manager does, and gives what it wrote to standard error.
fn end(mut server: Child, signal: &str) -> String {
    Command::new("kill").args([signal, &server.id().to_string()]).status().unwrap();
    assert_eq!(server.wait().unwrap().code(), Some(0));
    let mut said = String::new();
    server.stderr.take().unwrap().read_to_string(&mut said).unwrap();
    said
}

fn port_in(line: &str) -> u16 {
    let rest = line.strip_prefix("Rapport is at http://127.0.0.1:").unwrap();
    rest.split('/').next().unwrap().parse().unwrap()
}

fn refused(arguments: &[&str], state: &Path) -> String {
    let Output { status, stderr, .. } = command(arguments, state).output().unwrap();
    assert_eq!(status.code(), Some(1));
    let said = String::from_utf8(stderr).unwrap();
    assert_eq!(said.lines().count(), 1, "{said}");
    said
}

#[test]
fn it_prints_where_it_is_and_ends_in_good_order() {
    let state = tempfile::tempdir().unwrap();
    for signal in ["-INT", "-TERM"] {
        let (server, line) = start(&["--listen", "127.0.0.1:0"], state.path());
        let mut stream = TcpStream::connect(("127.0.0.1", port_in(&line))).unwrap();
        let request = "GET /api/v1/health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 200") && answer.contains(r#""status":"ok""#));
        assert_eq!(end(server, signal), "");
    }
    assert_eq!(std::fs::read_dir(state.path()).unwrap().count(), 0, "it wrote a file");
}

#[test]
fn a_port_that_is_taken_is_an_error_where_it_was_named_and_else_the_next_one_is_used() {
    let state = tempfile::tempdir().unwrap();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let said = refused(&["--listen", &address], state.path());
    assert!(said.starts_with(&format!("rapport: address {address}: Address already in use")));
    // Another program may hold it already.
    let _default = TcpListener::bind("127.0.0.1:8080");
    let (server, line) = start(&[], state.path());
    assert!((8081..=8100).contains(&port_in(&line)), "{line}");
    end(server, "-TERM");
}

#[test]
fn tokens_are_shown_when_asked_and_never_else() {
    let state = tempfile::tempdir().unwrap();
    let shown = command(&["--show-tokens"], state.path()).output().unwrap();
    let shown = String::from_utf8(shown.stdout).unwrap();
    let tokens: Vec<_> =
        shown.lines().map(|line| line.split_whitespace().nth(1).unwrap()).collect();
    assert_eq!(tokens.len(), 3);
    let (server, line) = start(&["--listen", "0.0.0.0:0"], state.path());
    let said = end(server, "-TERM");
    assert!(line.starts_with("Rapport is at https://"), "{line}");
    assert!(
        said.contains("SHA-256 of its certificate: ") && said.contains("tokens.json"),
        "{said}"
    );
    assert!(tokens.iter().all(|token| !said.contains(token) && !line.contains(token)));
    let (server, line) = start(&["--listen", "0.0.0.0:0", "--insecure"], state.path());
    assert!(line.starts_with("Rapport is at http://"), "{line}");
    assert!(end(server, "-TERM").contains("WARNING: --insecure"));
}

#[test]
fn what_is_wrong_is_said_in_one_line() {
    let state = tempfile::tempdir().unwrap();
    let picture = in_repository("tests/pictures/hopper.jpg");
    let picture = picture.to_str().unwrap();
    let journal = state.path().join("journal.db");
    let journal = journal.to_str().unwrap();
    for (arguments, expected) in [
        (&["--insecure", "--tokens"][..], "--insecure gives up tokens and TLS, but"),
        (&["--listen", "192.0.2.1:80", "--insecure"], "address 192.0.2.1:80: "),
        (&["--notice", "missing.json"], "--notice missing.json: No such file"),
        (&["--notice", picture], "--notice "),
        (&["--tls-cert", picture, "--tls-key", picture], "hopper.jpg: "),
        (&["--model", "missing.onnx"], "missing.onnx: "),
        (&["--journal", "/no/such/j.db"], "/no/such/j.db: cannot open the journal"),
        (&["--journal", picture], "hopper.jpg: found no SQLite file, expected a journal"),
        (&["--journal", journal, "--bucket-minutes", "20"], "bucket of 20 minutes, expected 15"),
        (&["--journal", journal, "--retention-days", "0"], "days to keep: 0, expected 1 to 3660"),
    ] {
        let said = refused(arguments, state.path());
        assert!(said.contains(expected), "{said}");
    }
}

#[test]
fn a_journal_is_written_at_the_end_or_it_says_why_not() {
    let state = tempfile::tempdir().unwrap();
    let file = state.path().join("journal.db");
    let arguments = ["--listen", "127.0.0.1:0", "--journal", file.to_str().unwrap()];
    let (server, _) = start(&arguments, state.path());
    assert_eq!(end(server, "-TERM"), "");
    assert!(file.is_file() && !state.path().join("journal.db-wal").exists());
    let (server, _) = start(&arguments, state.path());
    std::fs::remove_file(&file).unwrap();
    let said = end(server, "-TERM");
    assert!(said.starts_with("rapport: error: ") && said.contains("removed while it was open"));
    let errors = said.lines().filter(|line| line.starts_with("rapport: error: "));
    assert_eq!(errors.count(), 1, "{said}");
}
