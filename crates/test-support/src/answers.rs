//! What people and the shipped network say of FER2013's PublicTest and its harder versions: the
//! committed table, without a pixel, that `training/rapport_training/answers.py` makes.

use std::io::Read;

use rapport_vocabulary::{Distribution, Emotion, LabelSet};

/// Steps of the logarithm of a probability to the nat.
const STEPS: f32 = 16.0;

/// The columns of the votes that are for an expression, in their order; `unknown` and `NF` follow.
const VOTED: [Emotion; 8] = [
    Emotion::Neutral,
    Emotion::Happy,
    Emotion::Surprise,
    Emotion::Sad,
    Emotion::Angry,
    Emotion::Disgust,
    Emotion::Fear,
    Emotion::Contempt,
];

/// What the network says of one version of an image.
pub struct Seen {
    pub probabilities: Distribution,
    /// 0 to 1.
    pub brightness: f32,
    /// 0 (sharp) to 1.
    pub blur: f32,
}

/// The table.
pub struct Answers {
    /// The network's labels, in its order.
    pub labels: LabelSet,
    /// For each image, which share of its taggers says what; votes that stand alone left out.
    pub people: Vec<Distribution>,
    /// Each version by its name, `plain` first, with what the network says of each image.
    pub versions: Vec<(String, Vec<Seen>)>,
}

impl Answers {
    pub fn read() -> Self {
        let packed = include_bytes!("../data/publictest.csv.xz");
        let mut text = String::new();
        lzma_rust2::XzReader::new(&packed[..], false).read_to_string(&mut text).unwrap();
        let mut lines = text.lines();
        let header: Vec<&str> = lines.next().unwrap().split(',').collect();
        let rows: Vec<Vec<f32>> = lines
            .map(|line| line.split(',').map(|number| number.parse().unwrap()).collect())
            .collect();
        let column = |name: &str| header.iter().position(|found| *found == name).unwrap();
        let names = header.iter().filter_map(|name| name.strip_suffix(":blur"));
        let of_plain = header.iter().filter_map(|name| name.strip_prefix("plain:"));
        let labels =
            LabelSet::new(of_plain.filter_map(|label| label.parse::<Emotion>().ok())).unwrap();
        let versions = names.map(|version| {
            let columns: Vec<usize> =
                labels.names().iter().map(|label| column(&format!("{version}:{label}"))).collect();
            let brightness = column(&format!("{version}:brightness"));
            let blur = column(&format!("{version}:blur"));
            let seen = rows.iter().map(|row| {
                let shares: Vec<f32> = columns.iter().map(|c| (-row[*c] / STEPS).exp()).collect();
                let sum: f32 = shares.iter().sum();
                let shares: Vec<f32> = shares.iter().map(|share| share / sum).collect();
                Seen {
                    probabilities: labels.distribution(&shares),
                    brightness: row[brightness] / 100.0,
                    blur: row[blur] / 100.0,
                }
            });
            (version.to_owned(), seen.collect())
        });
        let versions = versions.collect();
        let people = rows.iter().map(|row| people(&row[1..=VOTED.len()])).collect();
        Self { labels, people, versions }
    }

    /// A version by its name.
    pub fn version(&self, name: &str) -> &[Seen] {
        &self.versions.iter().find(|(found, _)| found == name).unwrap().1
    }
}

fn people(votes: &[f32]) -> Distribution {
    let kept = votes.iter().map(|&count| if count > 1.0 { count } else { 0.0 });
    let sum: f32 = kept.clone().sum();
    Distribution::of_pairs(VOTED.into_iter().zip(kept.map(|count| count / sum)))
}
