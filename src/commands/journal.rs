//! `rapport journal`: journals as tables for other programs, and several journals in one.

use std::fs::{self, File};
use std::io::BufWriter;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, bail, ensure};
use clap::{Args, Subcommand};
use rapport_journal::{Journal, Scope, Table, Zone};

use super::output::print_line;

/// Exports and merges journals: the files that `rapport serve --journal` and dashboard_node keep.
#[derive(Debug, Args)]
pub struct JournalArgs {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Export(ExportArgs),
    Merge(MergeArgs),
}

/// Writes the tables of a journal as files: visits, answers, ratings and health.
///
/// One row for each bucket. A journal may be exported while it is kept.
#[derive(Debug, Args)]
pub struct ExportArgs {
    /// The journal.
    #[arg(value_name = "JOURNAL")]
    journal: PathBuf,

    /// Write CSV, for spreadsheets.
    #[arg(long, required_unless_present = "parquet", conflicts_with = "parquet")]
    csv: bool,

    /// Write Parquet, for data frames and databases.
    #[arg(long)]
    parquet: bool,

    /// Folder that the files are written to; it is made where there is none.
    #[arg(long, value_name = "FOLDER", default_value = ".")]
    output: PathBuf,

    /// One table alone: visits, answers, ratings or health.
    #[arg(long, value_name = "TABLE")]
    table: Option<Table>,

    /// One place alone.
    #[arg(long, value_name = "NAME")]
    place: Option<String>,

    /// From this time on, as 2026-11-26 or 2026-11-26T14:00:00Z (UTC).
    #[arg(long, value_name = "TIME", value_parser = time)]
    from: Option<Duration>,

    /// Until this time (UTC).
    #[arg(long, value_name = "TIME", value_parser = time)]
    to: Option<Duration>,
}

/// Adds the buckets of journals to another one.
///
/// Places of the same name become one. What was merged before is not added again.
#[derive(Debug, Args)]
pub struct MergeArgs {
    /// The journals to read. None of them is changed.
    #[arg(value_name = "JOURNAL", required = true)]
    journals: Vec<PathBuf>,

    /// The journal to write; it is made where there is none.
    #[arg(long, value_name = "FILE")]
    into: PathBuf,
}

/// Runs the command.
///
/// # Errors
/// If a journal cannot be read, or a file cannot be written.
pub fn run(args: &JournalArgs) -> anyhow::Result<u8> {
    match &args.command {
        Command::Export(args) => export(args),
        Command::Merge(args) => merge(args),
    }
}

fn export(args: &ExportArgs) -> anyhow::Result<u8> {
    let journal = Journal::open_read_only(&args.journal)?;
    if let Some(place) = &args.place {
        let places = journal.places()?;
        if !places.contains(place) {
            bail!(
                "--place {place}: {} has no such place, expected one of: {}",
                args.journal.display(),
                places.join(", ")
            );
        }
    }
    let (from, to) = (args.from.unwrap_or(Duration::ZERO), args.to.unwrap_or(Duration::MAX));
    ensure!(from < to, "--from is not before --to");
    let scope = Scope { place: args.place.as_deref(), from, to, zone: Zone::UTC };
    fs::create_dir_all(&args.output).with_context(|| args.output.display().to_string())?;
    let ending = if args.parquet { "parquet" } else { "csv" };
    let tables = args.table.map_or(Table::ALL.to_vec(), |table| vec![table]);
    for table in tables {
        let path = args.output.join(format!("{}.{ending}", table.as_str()));
        let file = || anyhow::Ok(BufWriter::new(File::create(&path)?));
        let file = file().with_context(|| path.display().to_string())?;
        let written = match args.parquet {
            true => journal.export_parquet(&scope, table, file),
            false => journal.export_csv(&scope, table, file),
        };
        written.with_context(|| path.display().to_string())?;
        print_line(&path.display().to_string())?;
    }
    Ok(0)
}

fn merge(args: &MergeArgs) -> anyhow::Result<u8> {
    // All of them before the first is written.
    let open = |path: &PathBuf| Journal::open_read_only(path);
    let journals: Vec<Journal> = args.journals.iter().map(open).collect::<Result<_, _>>()?;
    let mut into = Journal::open(&args.into)?;
    for journal in &journals {
        let merged = into.merge(journal)?;
        print_line(&format!(
            "{}: {} buckets added, {} known",
            name(journal.path()),
            merged.added,
            merged.known
        ))?;
    }
    Ok(0)
}

fn name(path: &Path) -> String {
    path.display().to_string()
}

/// A day or a time in UTC, since 1970.
fn time(text: &str) -> Result<Duration, String> {
    let full = if text.contains('T') { text.to_owned() } else { format!("{text}T00:00:00Z") };
    let time = humantime::parse_rfc3339(&full)
        .map_err(|_| "expected a time as 2026-11-26 or 2026-11-26T14:00:00Z".to_owned())?;
    time.duration_since(std::time::UNIX_EPOCH).map_err(|_| "expected 1970 or later".to_owned())
}
