//! The commands that need no ROS, as one command line: the program `rapport` and the Python package
//! run it.

use std::ffi::OsString;
use std::sync::OnceLock;

use clap::{Parser, Subcommand};

use crate::commands::adapt::{self, AdaptArgs};
use crate::commands::analyze::{self, AnalyzeArgs};
use crate::commands::evaluate::{self, EvaluateArgs};
use crate::commands::feedback::{self, FeedbackArgs};
use crate::commands::journal::{self, JournalArgs};
use crate::commands::output::reader_left;
use crate::commands::policy::{self, PolicyArgs};
use crate::commands::record::{self, RecordArgs};
use crate::commands::rehearse::{self, RehearseArgs};
use crate::commands::serve::{self, ServeArgs};

/// Finds faces in pictures and recordings and tells which expressions they show.
#[derive(Parser)]
#[command(name = "rapport", version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

/// What to do.
#[derive(Subcommand)]
pub enum Command {
    #[allow(missing_docs)]
    Adapt(AdaptArgs),
    #[allow(missing_docs)]
    Analyze(AnalyzeArgs),
    #[allow(missing_docs)]
    Evaluate(EvaluateArgs),
    #[allow(missing_docs)]
    Feedback(FeedbackArgs),
    #[allow(missing_docs)]
    Journal(JournalArgs),
    #[allow(missing_docs)]
    Policy(PolicyArgs),
    #[allow(missing_docs)]
    Record(RecordArgs),
    #[allow(missing_docs)]
    Rehearse(RehearseArgs),
    #[allow(missing_docs)]
    Serve(Box<ServeArgs>),
}

impl Command {
    /// Runs it, tells on standard error what went wrong, and gives the exit status.
    pub fn run(&self) -> u8 {
        report(match self {
            Self::Adapt(args) => adapt::run(args),
            Self::Analyze(args) => analyze::run(args).map(|outcome| match outcome.read {
                read if read == outcome.given => 0,
                0 => 1,
                _ => 3,
            }),
            Self::Evaluate(args) => evaluate::run(args),
            Self::Feedback(args) => feedback::run(args),
            Self::Journal(args) => journal::run(args),
            Self::Policy(args) => policy::run(args),
            Self::Record(args) => record::run(args),
            Self::Rehearse(args) => rehearse::run(args),
            Self::Serve(args) => serve::run(args),
        })
    }
}

/// The exit status of a command; an error is told on standard error.
pub fn report(result: anyhow::Result<u8>) -> u8 {
    match result {
        Ok(code) => code,
        // Whoever read the output has seen enough, as `head` does.
        Err(error) if reader_left(&error) => 0,
        Err(error) => {
            eprintln!("rapport: {error:#}");
            1
        }
    }
}

/// The command line that [`run_from`] was given, where the process has another one of its own.
static GIVEN: OnceLock<Vec<OsString>> = OnceLock::new();

/// The command line, the program's name first.
pub fn command_line() -> Vec<OsString> {
    GIVEN.get().cloned().unwrap_or_else(|| std::env::args_os().collect())
}

/// Runs a command line, the program's name first, and gives the exit status.
pub fn run_from(arguments: impl IntoIterator<Item = OsString>) -> u8 {
    let arguments: Vec<_> = arguments.into_iter().collect();
    // A process runs one command.
    let _ = GIVEN.set(arguments.clone());
    match Cli::try_parse_from(arguments) {
        Ok(cli) => cli.command.run(),
        Err(error) => {
            // Nobody is left to tell if this fails.
            let _ = error.print();
            error.exit_code().try_into().unwrap_or(1)
        }
    }
}
