//! The command line of Rapport: `rapport --help` lists what it can do.

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use rapport::analyze::{self, AnalyzeArgs};
#[cfg(feature = "ros")]
use rapport::ros::{runner, watch};

#[derive(Parser)]
#[command(version, about)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Analyze(AnalyzeArgs),
    #[cfg(feature = "ros")]
    Watch(watch::WatchArgs),
}

fn main() -> ExitCode {
    // What follows --ros-args is for ROS, which reads the command line itself.
    let own = std::env::args_os().take_while(|argument| argument != "--ros-args");
    match Cli::parse_from(own).command {
        Command::Analyze(args) => {
            exit_code(analyze::run(&args).map(|outcome| match outcome.read {
                read if read == outcome.given => 0,
                0 => 1,
                _ => 3,
            }))
        }
        #[cfg(feature = "ros")]
        Command::Watch(args) => runner::run("rapport_watch", |node| watch::start_node(node, &args)),
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
