//! The command line of Rapport: `rapport --help` lists what it can do.

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use rapport::commands::cli::{self, report};
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
    #[command(flatten)]
    WithoutRos(Box<cli::Command>),
    #[cfg(feature = "ros")]
    Replay(replay::ReplayArgs),
    #[cfg(feature = "ros")]
    Watch(watch::WatchArgs),
}

#[cfg(feature = "ros")]
fn main() -> ExitCode {
    let (own, ros) = process_arguments();
    match Cli::parse_from(own).command {
        Command::WithoutRos(command) => command.run().into(),
        Command::Replay(args) => {
            middleware::prepare_to_send();
            report(replay::run(&args, &ros)).into()
        }
        Command::Watch(args) => {
            middleware::prepare_to_receive();
            runner::run("rapport_watch", |node, _| watch::start_node(node, &args))
        }
    }
}

#[cfg(not(feature = "ros"))]
fn main() -> ExitCode {
    let Command::WithoutRos(command) = Cli::parse().command;
    command.run().into()
}
