//! Runs `rapport evaluate` in this process and reads what it wrote.

use std::path::Path;

use clap::Parser;
use rapport_evaluation::EvaluateArgs;
use serde_json::Value;

#[derive(Parser)]
struct Cli {
    #[command(flatten)]
    args: EvaluateArgs,
}

/// The exit code and report.json of an evaluation.
pub fn evaluate(output: &Path, arguments: &[&str]) -> anyhow::Result<(u8, Value)> {
    let output_option = ["-o", output.to_str().unwrap()];
    let line = ["rapport"].into_iter().chain(arguments.iter().copied()).chain(output_option);
    let code = rapport_evaluation::run(&Cli::parse_from(line).args)?;
    let text = std::fs::read_to_string(output.join("report.json")).unwrap();
    Ok((code, serde_json::from_str(&text).unwrap()))
}

/// The counted warnings of a report, by kind.
pub fn warnings(report: &Value) -> Vec<(&str, u64, &str)> {
    let list = report["warnings"].as_array().unwrap();
    list.iter()
        .map(|w| {
            (
                w["kind"].as_str().unwrap(),
                w["count"].as_u64().unwrap(),
                w["first"].as_str().unwrap(),
            )
        })
        .collect()
}

/// Rows of frames.csv, each by its columns' names.
pub fn frames(output: &Path) -> Vec<std::collections::HashMap<String, String>> {
    let mut reader = csv::Reader::from_path(output.join("frames.csv")).unwrap();
    reader.deserialize().map(Result::unwrap).collect()
}
