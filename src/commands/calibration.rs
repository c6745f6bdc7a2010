//! `--calibration` and `--place`, spelt alike in every command that reads expressions.

use std::path::PathBuf;

use rapport_perception::ModelFiles;

/// What `rapport adapt` learnt about the emotion network.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct CalibrationArgs {
    /// Calibration of the emotion network, as `rapport adapt` writes it. Default: none.
    #[arg(long, value_name = "YAML")]
    pub calibration: Option<PathBuf>,

    /// Place, for the calibration's thresholds of places.
    #[arg(long = "calibration-place", value_name = "NAME", requires = "calibration")]
    pub place: Option<String>,
}

impl CalibrationArgs {
    /// The files of a command that looks for faces by the package's own models. `emotion`: another
    /// emotion network.
    pub fn model_files(&self, emotion: Option<PathBuf>) -> ModelFiles {
        ModelFiles {
            emotion: emotion.unwrap_or_default(),
            calibration: self.calibration.clone().unwrap_or_default(),
            place: self.place.clone().unwrap_or_default(),
            ..ModelFiles::default()
        }
    }
}
