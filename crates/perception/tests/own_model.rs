//! Promise: any emotion network drops in by a sidecar, and a wrong one is told what is wrong.
#![allow(clippy::unwrap_used)]

use std::path::{Path, PathBuf};

use ndarray::Axis;
use rapport_perception::classify::EmotionNet;
use rapport_perception::frame::{Encoding, Frame};
use rapport_perception::onnx::{ModelError, RuntimeOptions};
use rapport_vocabulary::{Distribution, Emotion};

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/models");

fn load(path: &Path) -> Result<EmotionNet, ModelError> {
    EmotionNet::load(path, &RuntimeOptions::default())
}

/// What a network reads in a picture of one colour.
fn read(net: &mut EmotionNet, rgb: [u8; 3]) -> Distribution {
    let pixels = rgb.repeat(80 * 80);
    let frame = Frame::new(80, 80, 240, Encoding::Rgb8, &pixels).unwrap();
    // Two at once, so that crops follow each other as they should.
    let mut crops = net.blank_crops(2);
    for crop in crops.axis_iter_mut(Axis(0)) {
        net.crop_whole(&frame, crop);
    }
    let found = net.classify(crops.view()).unwrap();
    assert_eq!(found.len(), 2);
    assert_eq!(found[0], found[1]);
    found[0]
}

fn softmax(logits: &[f32]) -> Vec<f32> {
    let sum: f32 = logits.iter().map(|logit| logit.exp()).sum();
    logits.iter().map(|logit| logit.exp() / sum).collect()
}

fn assert_near(found: f32, expected: f32) {
    assert!((found - expected).abs() < 1e-4, "{found}, expected {expected}");
}

#[test]
fn grey_logits_with_a_class_too_many() {
    let mut net = load(&Path::new(FOLDER).join("grey_logits.onnx")).unwrap();
    assert_eq!(net.side_px(), 64);
    let found = read(&mut net, [100; 3]);
    let eight: Vec<f32> = (0..8).map(|i| i as f32).collect();
    let chances = softmax(&eight);
    // Contempt, the last, is dropped; the others keep their proportions.
    let kept: f32 = chances[..7].iter().sum();
    for (emotion, i) in [(Emotion::Neutral, 0), (Emotion::Happy, 1), (Emotion::Fear, 6)] {
        assert_near(found.of(emotion), chances[i] / kept);
    }
    assert_near(found.0.iter().sum(), 1.0);
}

#[test]
fn colour_order_range_mean_and_deviation_are_applied() {
    let mut net = load(&Path::new(FOLDER).join("colour_probabilities.onnx")).unwrap();
    let (red, green, blue) = (200.0, 100.0, 50.0);
    let found = read(&mut net, [200, 100, 50]);
    let expected = softmax(&[
        (blue / 255.0 - 0.1) / 0.5,
        (green / 255.0 - 0.2) / 0.25,
        (red / 255.0 - 0.3) / 0.125,
    ]);
    assert_near(found.of(Emotion::Happy), expected[0]);
    assert_near(found.of(Emotion::Sad), expected[1]);
    assert_near(found.of(Emotion::Angry), expected[2]);
    assert_eq!(found.of(Emotion::Neutral), 0.0, "a class that the network does not have");
}

/// A copy of a network with another sidecar, or none.
struct Wrong {
    _folder: tempfile::TempDir,
    model: PathBuf,
}

impl Wrong {
    fn new(name: &str, change: impl FnOnce(&str) -> Option<String>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let model = folder.path().join(format!("{name}.onnx"));
        std::fs::copy(Path::new(FOLDER).join(format!("{name}.onnx")), &model).unwrap();
        let sidecar = Path::new(FOLDER).join(format!("{name}.yaml"));
        if let Some(text) = change(&std::fs::read_to_string(sidecar).unwrap_or_default()) {
            std::fs::write(model.with_extension("yaml"), text).unwrap();
        }
        Self { _folder: folder, model }
    }

    fn message(&self) -> String {
        load(&self.model).unwrap_err().to_string()
    }
}

#[track_caller]
fn assert_tells(wrong: &Wrong, words: &[&str]) {
    let message = wrong.message();
    for word in words {
        assert!(message.contains(word), "`{word}` is not in: {message}");
    }
}

#[test]
fn what_is_wrong_is_told_apart() {
    let replace =
        |from: &'static str, to: &'static str| move |text: &str| Some(text.replace(from, to));
    assert_tells(
        &Wrong::new("grey_logits", |_| None),
        &["description is missing, expected a file", "grey_logits.yaml"],
    );
    assert_tells(
        &Wrong::new("flat", |_| {
            Some("{version: 1, input_size: 48, colour: grey, output: probabilities, labels: [happy, sad]}".to_owned())
        }),
        &[
            "number of dimensions of input `x` is 2 ([?,7]), expected 4 ([?,1,48,48], as flat.yaml has it)",
        ],
    );
    assert_tells(
        &Wrong::new("grey_logits", replace("grey", "rgb")),
        &[
            "number of channels of input `Input3` is 1 in [1,1,64,64], expected 3 (colour and layout in grey_logits.yaml)",
        ],
    );
    assert_tells(
        &Wrong::new("grey_logits", replace("64", "48")),
        &["size of input `Input3` is 64x64, expected 48x48 (input_size in grey_logits.yaml)"],
    );
    assert_tells(
        &Wrong::new("grey_logits", replace(", contempt]", "]")),
        &["number of classes of output `scores` is 8, expected 7 (labels in grey_logits.yaml)"],
    );
    assert_tells(
        &Wrong::new("grey_logits", replace("contempt]", "boredom]")),
        &[
            "grey_logits.yaml:6:71: labels is `boredom`; allowed: angry, ",
            ", or a label under drop",
        ],
    );
    assert_tells(
        &Wrong::new("grey_logits", replace("logits\n", "logit\n")),
        &["grey_logits.yaml:5:9: output is `logit`; allowed: logits, probabilities"],
    );
    assert_tells(
        &Wrong::new("grey_logits", |text| Some(format!("{text}input_name: image\n"))),
        &["input list is `Input3`, expected one named `image`"],
    );
    assert_tells(
        &Wrong::new("grey_logits", |text| Some(format!("{text}output_name: y\n"))),
        &["output list is `scores`, expected one named `y`"],
    );
    assert_tells(
        &Wrong::new("grey_logits", |text| Some(text.replace("logits\n", "probabilities\n"))),
        &["output `scores` is [", "expected 1 rows of 8 numbers, 0 to 1, summing to 1"],
    );
}

#[test]
fn without_evidence_maps_nothing_is_explained() {
    let mut net = load(&Path::new(FOLDER).join("grey_logits.onnx")).unwrap();
    let message = net.evidence(net.blank_crops(1).view()).unwrap_err().to_string();
    assert!(message.contains("without evidence maps"), "{message}");
}

#[test]
fn an_eighth_label_is_one_of_the_models_labels() {
    let eight = Wrong::new("grey_logits", |text| Some(text.replace("drop: contempt", "")));
    let mut net = load(&eight.model).unwrap();
    let names = "neutral,happy,surprise,sad,angry,disgust,fear,contempt";
    assert_eq!(net.labels().to_string(), names);
    let found = read(&mut net, [10, 10, 10]);
    assert!(found.of(Emotion::Contempt) > 0.0, "{found:?}");
    assert_near(net.labels().values(&found).iter().sum(), 1.0);
}
