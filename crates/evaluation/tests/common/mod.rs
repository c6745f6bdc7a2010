//! Evaluates as `rapport evaluate` does and reads what was written.

use std::path::Path;

use rapport_evaluation::{EvaluateOptions, Outcome};
use serde_json::Value;

/// The options that a command line would give: SOURCE first, then options by their long names.
fn options(output: &Path, arguments: &[&str]) -> EvaluateOptions {
    let (source, rest) = arguments.split_first().unwrap();
    let mut options = EvaluateOptions::new(source, output);
    let mut rest = rest.iter();
    while let Some(name) = rest.next() {
        let mut value = || rest.next().unwrap();
        match *name {
            "--cut-out" => options.cut_out = true,
            "--include-faces" => options.include_faces = true,
            "--labels" => options.labels = Some(value().into()),
            "--group" => options.groups.push((*value()).to_owned()),
            "--resamples" => options.resamples = value().parse().unwrap(),
            "--seed" => options.seed = value().parse().unwrap(),
            "--label-topic" => options.label_topic = Some((*value()).to_owned()),
            "--topic" => options.topic = Some((*value()).to_owned()),
            "--model" => options.models.push(value().into()),
            "--jobs" => options.jobs = value().parse().unwrap(),
            "--search-hz" => options.rates.search_hz = value().parse().unwrap(),
            "--usage" => options.usage = (*value()).to_owned(),
            "--votes" => options.votes = Some(value().into()),
            other => panic!("{other} is no option"),
        }
    }
    options.command =
        ["rapport", "evaluate"].iter().chain(arguments).map(|a| (*a).into()).collect();
    options
}

/// What came of an evaluation, and report.json.
#[allow(dead_code)]
pub fn outcome(output: &Path, arguments: &[&str]) -> anyhow::Result<(Outcome, Value)> {
    let outcome = rapport_evaluation::evaluate(&options(output, arguments))?;
    let text = std::fs::read_to_string(&outcome.report_json).unwrap();
    Ok((outcome, serde_json::from_str(&text).unwrap()))
}

/// The exit code that the command would have, and report.json.
#[allow(dead_code)]
pub fn evaluate(output: &Path, arguments: &[&str]) -> anyhow::Result<(u8, Value)> {
    let (outcome, report) = outcome(output, arguments)?;
    Ok((if outcome.warnings.is_empty() { 0 } else { 3 }, report))
}

/// The counted warnings of a report, by kind.
#[allow(dead_code)]
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
#[allow(dead_code)]
pub fn frames(output: &Path) -> Vec<std::collections::HashMap<String, String>> {
    let mut reader = csv::Reader::from_path(output.join("frames.csv")).unwrap();
    reader.deserialize().map(Result::unwrap).collect()
}
