//! `rapport adapt`: what people answered about a network, in; a calibration of it, out.

use std::path::{Path, PathBuf};

use anyhow::Context;
use rapport_evaluation::adapt::{
    Feedback, Undone, adapt, calibration_path, read_calibration, undo_calibration,
    write_calibration,
};
use rapport_evaluation::write_whole_file;
use rapport_perception::classify::EmotionNet;
use rapport_perception::{RuntimeOptions, model_file};

use crate::commands::output::print_text;

/// Learns from people's answers how the probabilities of the emotion network are to be read at a site.
///
/// FEEDBACK is a folder of `rapport feedback export`, or its feedback.jsonl. A temperature and a bias
/// for each label, and for places from which confidence a label is sure, are written beside the
/// network, and what was there before is kept. They are written only where answers that were held out
/// show for certain that something is gained; otherwise nothing changes, and the reason is printed.
///
/// Exit status: 0 written, 1 failed, 2 wrong options, 3 refused, nothing written.
#[derive(Debug, Clone, clap::Args)]
pub struct AdaptArgs {
    /// The export, or its feedback.jsonl.
    #[arg(required_unless_present = "undo")]
    pub feedback: Option<PathBuf>,

    /// Take back the last adaptation.
    #[arg(long, conflicts_with_all = ["feedback", "dry_run", "report"])]
    pub undo: bool,

    /// Emotion network (ONNX). Default: models/emotion.onnx of the package.
    #[arg(long, value_name = "ONNX")]
    pub model: Option<PathBuf>,

    /// The calibration. Default: beside the network, emotion.calibration.yaml for emotion.onnx.
    #[arg(long, short, value_name = "YAML")]
    pub output: Option<PathBuf>,

    /// Write the report as JSON, also where nothing is gained.
    #[arg(long, value_name = "JSON")]
    pub report: Option<PathBuf>,

    /// Print the report and write no calibration.
    #[arg(long)]
    pub dry_run: bool,

    /// Shared library of ONNX Runtime. Default: found automatically.
    #[arg(long, value_name = "FILE")]
    pub onnxruntime: Option<PathBuf>,
}

/// Runs the command. Returns the exit code: 0, or 3 where nothing is gained.
///
/// # Errors
/// If the feedback or the network cannot be used, or a file cannot be written.
pub fn run(args: &AdaptArgs) -> anyhow::Result<u8> {
    let model = model_file(args.model.as_deref().unwrap_or(Path::new("")), "emotion.onnx")?;
    let output = args.output.clone().unwrap_or_else(|| calibration_path(&model));
    let Some(feedback) = args.feedback.as_deref().filter(|_| !args.undo) else {
        return undo(&output);
    };
    let runtime = RuntimeOptions { library: args.onnxruntime.clone(), threads: 1 };
    let net = EmotionNet::load(&model, &runtime)?;
    let identity = net.network().identity();
    let in_use = read_calibration(&output)?;
    if let Some(in_use) = &in_use {
        in_use.check(&identity, net.labels()).map_err(|reason| {
            anyhow::anyhow!("calibration {}: {reason}; or name another --output", output.display())
        })?;
    }
    let feedback = Feedback::read(feedback, &identity.sha256, net.labels())?;
    let found = adapt(&feedback, &identity, net.reading(), in_use.as_ref());
    print_text(&found.report.to_string())?;
    if let Some(path) = &args.report {
        let text = serde_json::to_string_pretty(&found.report).context("report")?;
        write_whole_file(path, format!("{text}\n").as_bytes())?;
    }
    let shown = output.display();
    match found.calibration {
        None => {
            print_text("refused: nothing is written\n")?;
            Ok(3)
        }
        Some(calibration) if args.dry_run => {
            print_text(&format!("would be written to {shown}:\n{}", calibration.to_yaml()))?;
            Ok(0)
        }
        Some(calibration) => {
            write_calibration(&output, &calibration)?;
            print_text(&format!(
                "written: {shown}, revision {}; use it by the parameter calibration of \
                 perception_node, or by --calibration\n",
                calibration.revision
            ))?;
            Ok(0)
        }
    }
}

fn undo(path: &Path) -> anyhow::Result<u8> {
    let shown = path.display();
    print_text(&match undo_calibration(path)? {
        Undone::Restored { undone, revision } => {
            format!("{shown}: revision {undone} is undone, revision {revision} is in use again\n")
        }
        Undone::Removed => format!("{shown}: removed; the network is as it came\n"),
    })?;
    Ok(0)
}
