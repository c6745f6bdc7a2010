//! The command line of Rapport: `rapport --help` lists what it can do.

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use rapport::commands::adapt::{self, AdaptArgs};
use rapport::commands::analyze::{self, AnalyzeArgs};
use rapport::commands::evaluate::{self, EvaluateArgs};
use rapport::commands::feedback::{self, FeedbackArgs};
use rapport::commands::journal::{self, JournalArgs};
use rapport::commands::output::reader_left;
use rapport::commands::policy::{self, PolicyArgs};
use rapport::commands::record::{self, RecordArgs};
use rapport::commands::rehearse::{self, RehearseArgs};
use rapport::commands::serve::{self, ServeArgs};
#[cfg(feature = "ros")]
use rapport::ros::{arguments::process_arguments, middleware, replay, runner, watch};

/// Finds faces in pictures and recordings and tells which expressions they show.
#[derive(Parser)]
#[command(version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Adapt(AdaptArgs),
    Analyze(AnalyzeArgs),
    Evaluate(EvaluateArgs),
    Feedback(FeedbackArgs),
    Journal(JournalArgs),
    Policy(PolicyArgs),
    Record(RecordArgs),
    Rehearse(RehearseArgs),
    Serve(Box<ServeArgs>),
    #[cfg(feature = "ros")]
    Replay(replay::ReplayArgs),
    #[cfg(feature = "ros")]
    Watch(watch::WatchArgs),
}

#[cfg(feature = "ros")]
fn main() -> ExitCode {
    let (own, ros) = process_arguments();
    match Cli::parse_from(own).command {
        Command::Adapt(args) => exit_code(adapt::run(&args)),
        Command::Analyze(args) => analyze(&args),
        Command::Evaluate(args) => exit_code(evaluate::run(&args)),
        Command::Feedback(args) => exit_code(feedback::run(&args)),
        Command::Journal(args) => exit_code(journal::run(&args)),
        Command::Policy(args) => exit_code(policy::run(&args)),
        Command::Record(args) => exit_code(record::run(&args)),
        Command::Rehearse(args) => exit_code(rehearse::run(&args)),
        Command::Serve(args) => exit_code(serve::run(&args)),
        Command::Replay(args) => {
            middleware::prepare_to_send();
            exit_code(replay::run(&args, &ros))
        }
        Command::Watch(args) => {
            middleware::prepare_to_receive();
            runner::run("rapport_watch", |node, _| watch::start_node(node, &args))
        }
    }
}

#[cfg(not(feature = "ros"))]
fn main() -> ExitCode {
    match Cli::parse().command {
        Command::Adapt(args) => exit_code(adapt::run(&args)),
        Command::Analyze(args) => analyze(&args),
        Command::Evaluate(args) => exit_code(evaluate::run(&args)),
        Command::Feedback(args) => exit_code(feedback::run(&args)),
        Command::Journal(args) => exit_code(journal::run(&args)),
        Command::Policy(args) => exit_code(policy::run(&args)),
        Command::Record(args) => exit_code(record::run(&args)),
        Command::Rehearse(args) => exit_code(rehearse::run(&args)),
        Command::Serve(args) => exit_code(serve::run(&args)),
    }
}

fn analyze(args: &AnalyzeArgs) -> ExitCode {
    exit_code(analyze::run(args).map(|outcome| match outcome.read {
        read if read == outcome.given => 0,
        0 => 1,
        _ => 3,
    }))
}

fn exit_code(result: anyhow::Result<u8>) -> ExitCode {
    match result {
        Ok(code) => ExitCode::from(code),
        // Whoever read the output has seen enough, as `head` does.
        Err(error) if reader_left(&error) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("rapport: {error:#}");
            ExitCode::FAILURE
        }
    }
}
