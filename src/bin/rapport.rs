//! The command line of Rapport: `rapport --help` lists what it can do.

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use rapport::analyze::{self, AnalyzeArgs};

#[derive(Parser)]
#[command(version, about)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Analyze(AnalyzeArgs),
}

fn main() -> ExitCode {
    match Cli::parse().command {
        Command::Analyze(args) => {
            exit_code(analyze::run(&args).map(|outcome| match outcome.read {
                read if read == outcome.given => 0,
                0 => 1,
                _ => 3,
            }))
        }
    }
}

fn exit_code(result: anyhow::Result<u8>) -> ExitCode {
    match result {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            eprintln!("rapport: {error:#}");
            ExitCode::FAILURE
        }
    }
}
