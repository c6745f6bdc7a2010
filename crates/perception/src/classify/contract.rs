//! What an emotion network takes and gives, and whether a file keeps to it.

use std::path::{Path, PathBuf};

use crate::onnx::{Axes, ModelError, Network};
use rapport_vocabulary::{Affect, Emotion, LabelSet};

/// Sides of the square input that are accepted, in pixels.
pub(super) const SIDES_PX: std::ops::RangeInclusive<i32> = 16..=512;

/// Where the file lies that describes a model without metadata of ours.
pub(super) fn sidecar_path(model: &Path) -> PathBuf {
    model.with_extension("yaml")
}

/// The order of the input's dimensions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Layout {
    /// Faces, channels, rows, columns.
    Nchw,
    /// Faces, rows, columns, channels.
    Nhwc,
}

/// What the channels are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Colour {
    Grey,
    Rgb,
    Bgr,
}

impl Colour {
    pub const fn channels(self) -> usize {
        match self {
            Colour::Grey => 1,
            Colour::Rgb | Colour::Bgr => 3,
        }
    }
}

/// The exposure of a crop that is cut out of a picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Exposure {
    /// As the picture has it.
    AsIs,
    /// Brought to normal light, and rid of the noise that this raises.
    Normal,
}

/// What the numbers of the output are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Output {
    /// Their softmax is the distribution.
    Logits,
    /// They are the distribution.
    Probabilities,
}

/// What one number of the output stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Class {
    /// One of the expressions.
    Of(Emotion),
    /// Something else, left out of the distribution.
    Dropped,
}

/// The labels with the valence, arousal and source of a model's metadata, if it has these entries.
/// The error says what was found.
fn with_own_affect(labels: LabelSet, entries: [Option<String>; 3]) -> Result<LabelSet, String> {
    let [valence, arousal, source] = match entries {
        [None, None, None] => return Ok(labels),
        [Some(valence), Some(arousal), Some(source)] => [valence, arousal, source],
        _ => return Err("only a part of them".to_owned()),
    };
    let numbers = |text: &str| -> Result<Vec<f32>, String> {
        text.split(',').map(|n| n.trim().parse().map_err(|_| format!("`{text}`"))).collect()
    };
    let (valence, arousal) = (numbers(&valence)?, numbers(&arousal)?);
    if valence.len() != arousal.len() {
        return Err(format!("{} and {} numbers", valence.len(), arousal.len()));
    }
    let affect = valence.into_iter().zip(arousal);
    let affect = affect.map(|(valence, arousal)| Affect { valence, arousal }).collect();
    labels.with_affect(affect, source).map_err(|error| error.to_string())
}

/// The axes of the evidence maps.
pub(super) fn evidence_axes(faces: Option<usize>, labels: Option<usize>) -> Axes<4> {
    Axes([("face", faces), ("label", labels), ("row", None), ("column", None)])
}

/// All of it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Contract {
    /// The input; the only one if not given.
    pub input_name: Option<String>,
    /// The output; the first if not given.
    pub output_name: Option<String>,
    /// The output of evidence maps, if there is one.
    pub evidence_name: Option<String>,
    pub side_px: usize,
    pub layout: Layout,
    pub colour: Colour,
    /// A pixel of 0 to 255 times this, channel by channel,
    pub scale: [f32; 3],
    /// and plus this is what goes in.
    pub shift: [f32; 3],
    /// How far the crop reaches: 1 as the training images of `emotion.onnx`, 2 twice as far.
    pub margin: f32,
    /// What is done about the light.
    pub exposure: Exposure,
    pub output: Output,
    pub classes: Vec<Class>,
    /// The labels among the classes, in their order.
    pub labels: LabelSet,
}

impl Contract {
    /// The contract of `models/emotion.md`, for a network whose metadata lists its labels.
    ///
    /// # Errors
    /// If the labels are no label set, or the network does not keep to the contract.
    pub fn of_metadata(network: &Network, words: &str) -> Result<Self, ModelError> {
        let labels: LabelSet = words.parse().map_err(|error| {
            network.contract(
                "metadata entry `labels`",
                format!("`{words}` ({error})"),
                format!("words separated by commas, each once, out of {}", Emotion::names()),
            )
        })?;
        let entries = ["valence", "arousal", "affect_source"].map(|key| network.metadata(key));
        let labels = with_own_affect(labels, entries).map_err(|found| {
            let expected = "valence and arousal, each a number from -1 to 1 for every label, \
                            separated by commas, and affect_source; or none of them";
            network.contract("metadata of the labels", found, expected.to_owned())
        })?;
        let faces = [("face", None), ("channel", Some(1)), ("row", None), ("column", None)];
        network.expect_input("faces", Axes(faces))?;
        let classes = Some(labels.len());
        network.expect_output("probabilities", Axes([("face", None), ("label", classes)]))?;
        network.expect_output("saliency", evidence_axes(None, classes))?;
        let sides_px = i64::from(*SIDES_PX.start())..=i64::from(*SIDES_PX.end());
        let side_px = match network.input_shape() {
            [_, _, height, width] if height == width && sides_px.contains(height) => {
                *height as usize
            }
            shape => {
                let expected = format!("[N,1,H,H] with H from {SIDES_PX:?}");
                return Err(network.contract("input `faces`", format!("{shape:?}"), expected));
            }
        };
        Ok(Self {
            input_name: Some("faces".to_owned()),
            output_name: Some("probabilities".to_owned()),
            evidence_name: Some("saliency".to_owned()),
            side_px,
            layout: Layout::Nchw,
            colour: Colour::Grey,
            scale: [1.0; 3],
            shift: [0.0; 3],
            margin: 1.0,
            exposure: Exposure::Normal,
            output: Output::Probabilities,
            classes: labels.iter().map(Class::Of).collect(),
            labels,
        })
    }

    /// The input of `count` crops.
    pub fn input_shape(&self, count: usize) -> [usize; 4] {
        let (side, channels) = (self.side_px, self.colour.channels());
        match self.layout {
            Layout::Nchw => [count, channels, side, side],
            Layout::Nhwc => [count, side, side, channels],
        }
    }

    /// Compares what a network has with what is described here, one thing at a time, and returns
    /// the name of the output and whether the network takes one face at a time only.
    ///
    /// # Errors
    /// What differs: found and expected.
    pub fn check(&self, network: &Network) -> Result<(String, bool), ModelError> {
        let from = sidecar_path(network.path());
        let from = from.file_name().map(Path::new).unwrap_or(&from).display();
        let inputs = network.input_names();
        let given = self.input_name.as_ref().or(inputs.first());
        let Some(input) = given.filter(|name| inputs.contains(name)) else {
            let expected =
                given.map_or("an input".to_owned(), |name| format!("one named `{name}`"));
            return Err(network.contract(
                "input list",
                format!("`{}`", inputs.join("`, `")),
                expected,
            ));
        };
        let shape = network.input_shape().to_vec();
        let shown = |shape: &[i64]| {
            let dims = shape.iter().map(|&dim| if dim < 0 { "?".into() } else { dim.to_string() });
            format!("[{}]", dims.collect::<Vec<String>>().join(","))
        };
        let [_, rest @ ..] = self.input_shape(1).map(|dim| dim as i64);
        let &[faces, a, b, c] = &shape[..] else {
            return Err(network.contract(
                &format!("number of dimensions of input `{input}`"),
                format!("{} ({})", shape.len(), shown(&shape)),
                format!("4 ([?,{},{},{}], as {from} has it)", rest[0], rest[1], rest[2]),
            ));
        };
        let (channels, size) = match self.layout {
            Layout::Nchw => (a, [b, c]),
            Layout::Nhwc => (c, [a, b]),
        };
        let side = self.side_px as i64;
        let fits = |found: i64, wanted: i64| found < 0 || found == wanted;
        if !fits(channels, self.colour.channels() as i64) {
            return Err(network.contract(
                &format!("number of channels of input `{input}`"),
                format!("{channels} in {}", shown(&shape)),
                format!("{} (colour and layout in {from})", self.colour.channels()),
            ));
        }
        if !size.iter().all(|&found| fits(found, side)) {
            let expected = format!("{side}x{side} (input_size in {from})");
            return Err(network.contract(
                &format!("size of input `{input}`"),
                format!("{}x{}", size[0], size[1]),
                expected,
            ));
        }
        if faces > 1 || faces == 0 {
            return Err(network.contract(
                &format!("number of faces in input `{input}`"),
                faces.to_string(),
                "1 or free".to_owned(),
            ));
        }
        // Its type too: float32.
        let any = [("face", None), ("1st", None), ("2nd", None), ("3rd", None)];
        network.expect_input(input, Axes(any))?;

        let outputs = network.output_names();
        let given = self.output_name.as_ref().or(outputs.first());
        let output = given.cloned().unwrap_or_default();
        network.expect_output(&output, Axes([("face", None), ("class", None)]))?;
        let count = self.classes.len() as i64;
        match network.output_shape(&output) {
            [_, found] if !fits(*found, count) => Err(network.contract(
                &format!("number of classes of output `{output}`"),
                found.to_string(),
                format!("{count} (labels in {from})"),
            )),
            _ => Ok((output, faces == 1)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn valence_and_arousal_of_the_metadata_go_with_the_labels() {
        let labels = || "sad,happy".parse::<LabelSet>().unwrap();
        let of = |valence: &str, arousal: &str| {
            let entries = [valence, arousal, "ours"].map(|text| Some(text.to_owned()));
            with_own_affect(labels(), entries)
        };
        let own = of("-0.5, 0.9", "0,0.4").unwrap();
        let happy = own.affect(&own.distribution(&[0.0, 1.0]));
        assert_eq!(happy, Affect { valence: 0.9, arousal: 0.4 });
        assert_eq!(own.affect_source(), "ours");
        assert_eq!(with_own_affect(labels(), [None, None, None]), Ok(labels()));
        assert_eq!(of("-0.5", "0,0.4"), Err("1 and 2 numbers".to_owned()));
        assert_eq!(of("x,1", "0,0.4"), Err("`x,1`".to_owned()));
        assert!(of("-0.5,2", "0,0.4").is_err() && of("1,1,1", "1,1,1").is_err());
        let part = [Some("1,1".to_owned()), None, None];
        assert_eq!(with_own_affect(labels(), part), Err("only a part of them".to_owned()));
    }
}
