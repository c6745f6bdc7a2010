//! `--search-hz` and `--classify-hz`, spelt alike in every command that reads a recording.

use rapport_perception::RateOptions;

/// How often the images of a recording are searched and its faces classified.
#[derive(Debug, Clone, Copy, clap::Args)]
pub struct RateArgs {
    /// How many images a second are searched for faces, in the recording's own time; the others follow
    /// the known faces. As the node's parameter search_hz. 0: every image is searched.
    #[arg(long, value_name = "HZ", default_value_t = RateOptions::default().search_hz, value_parser = parse_hz)]
    pub search_hz: f32,

    /// How often a second each face is classified. As the node's parameter classify_hz. 0: in every
    /// image.
    #[arg(long, value_name = "HZ", default_value_t = RateOptions::default().classify_hz, value_parser = parse_hz)]
    pub classify_hz: f32,
}

impl From<RateArgs> for RateOptions {
    fn from(args: RateArgs) -> Self {
        Self { search_hz: args.search_hz, classify_hz: args.classify_hz }
    }
}

fn parse_hz(text: &str) -> Result<f32, String> {
    let hz = text.parse().ok().filter(|hz| (0.0..=1000.0).contains(hz));
    hz.ok_or_else(|| "expected a number, 0 to 1000".to_owned())
}
