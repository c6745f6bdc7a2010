//! The file that `rapport adapt` writes: a temperature, a bias for each label, and for some places a
//! least confidence. `docs/adapt.md` explains it.

use std::fmt::Write as _;
use std::io::Read as _;
use std::path::Path;

use rapport_settings::{
    self, Field, Mapping, Place, Problem, Problems, Read, Value, problem_lines, quote,
};
use rapport_vocabulary::{Distribution, Emotion, LabelSet};

use crate::onnx::ModelIdentity;

/// The version of the format that this code reads and writes.
const VERSION: i32 = 1;
/// The largest file that is read.
const MAX_BYTES: u64 = 256 * 1024;
const MOST_PLACES: usize = 1000;
/// As [`Field::sentence`] has it.
const MOST_TEXT_CHARS: usize = 200;
/// A probability below it counts as it, so that its logarithm stays finite.
pub const LEAST_PROBABILITY: f32 = 1e-6;
/// What a temperature may be.
pub const TEMPERATURES: std::ops::RangeInclusive<f64> = 0.2..=5.0;
/// What a bias may be.
pub const BIASES: std::ops::RangeInclusive<f64> = -5.0..=5.0;

/// What was learnt about one network from people's answers: bias-corrected temperature scaling
/// (Alexandari, Kundaje and Shrikumar, ICML 2020), `p' = softmax(ln p / temperature + bias)`, and
/// from which confidence a label is sure at a place.
#[derive(Debug, Clone, PartialEq)]
pub struct Calibration {
    /// Counts the adaptations of a network: 1 for the first.
    pub revision: u32,
    /// The network's name, for people.
    pub model: String,
    /// The SHA-256 of the network's file in hexadecimal: no other one may be given this.
    pub model_sha256: String,
    /// The network's labels.
    pub labels: LabelSet,
    /// Above 1: the network is too sure; below: not sure enough. One of [`TEMPERATURES`].
    pub temperature: f32,
    /// For each label, in the order of [`Emotion::ALL`], what is added to its logarithm: one of
    /// [`BIASES`]; 0 for labels that the network lacks.
    pub bias: [f32; Emotion::COUNT],
    /// Places whose `sure` has a threshold of its own.
    pub places: Vec<PlaceThreshold>,
}

/// From which confidence a label is sure at a place.
#[derive(Debug, Clone, PartialEq)]
pub struct PlaceThreshold {
    /// The place, as the operator calls it.
    pub place: String,
    /// The least confidence, after calibration, 0 to 1.
    pub min_confidence: f32,
}

impl Calibration {
    /// One that changes nothing.
    pub fn neutral(model: &ModelIdentity, labels: LabelSet) -> Self {
        Self {
            revision: 0,
            model: model.name.clone(),
            model_sha256: model.sha256.clone(),
            labels,
            temperature: 1.0,
            bias: [0.0; Emotion::COUNT],
            places: Vec::new(),
        }
    }

    /// Reads a file.
    ///
    /// # Errors
    /// If it cannot be read or is wrong: a line for each mistake, each with its place.
    pub fn read(path: &Path) -> Result<Self, String> {
        let mut content = Vec::new();
        std::fs::File::open(path)
            .and_then(|file| file.take(MAX_BYTES + 1).read_to_end(&mut content))
            .map_err(|error| format!("calibration {}: {error}", path.display()))?;
        if content.len() as u64 > MAX_BYTES {
            let path = path.display();
            return Err(format!("calibration {path}: it has over {MAX_BYTES} bytes"));
        }
        rapport_settings::text_of(&content)
            .map_err(|problem| vec![problem])
            .and_then(Self::parse)
            .map_err(|problems| problem_lines(path, &problems))
    }

    fn parse(text: &str) -> Result<Self, Vec<Problem>> {
        let node = rapport_settings::read(text).map_err(|problem| vec![problem])?;
        let start = Place { line: 1, column: 1 };
        let field = Field { name: "the calibration".to_owned(), key_place: start, node };
        let mut problems = Problems::default();
        let calibration = whole(field, &mut problems);
        let problems = problems.in_order();
        match calibration {
            Ok(calibration) if problems.is_empty() => Ok(calibration),
            _ => Err(problems),
        }
    }

    /// The file's text.
    pub fn to_yaml(&self) -> String {
        let mut text = format!(
            "# Made by `rapport adapt`, from people's answers; docs/adapt.md explains it.\n\
             version: {VERSION}\nrevision: {}\nmodel: {}\nmodel_sha256: {}\nlabels: [{}]\n\
             # p' = softmax(ln p / temperature + bias)\ntemperature: {}\nbias: [{}]\n",
            self.revision,
            quoted(&self.model),
            quoted(&self.model_sha256),
            self.labels.names().join(", "),
            self.temperature,
            list(self.labels.iter().map(|label| self.bias[label as usize])),
        );
        if !self.places.is_empty() {
            text.push_str("# From which confidence a label is sure there.\nplaces:\n");
        }
        for PlaceThreshold { place, min_confidence } in &self.places {
            // Into a string nothing fails.
            let place = quoted(place);
            let _ = writeln!(text, "- {{place: {place}, min_confidence: {min_confidence}}}");
        }
        text
    }

    /// Whether it is for a network.
    ///
    /// # Errors
    /// What differs: found and expected.
    pub fn check(&self, model: &ModelIdentity, labels: &LabelSet) -> Result<(), String> {
        let name = model.path.display();
        if self.model_sha256 != model.sha256 {
            return Err(format!(
                "it was made for the model `{}` with SHA-256 {}, expected that of {name}, {}: give \
                 that model, or let `rapport adapt` make a calibration of this one",
                self.model, self.model_sha256, model.sha256
            ));
        }
        if self.labels.names() != labels.names() {
            return Err(format!("its labels are {}, expected {labels} as {name}", self.labels));
        }
        Ok(())
    }

    /// What the network's distribution becomes. One that holds no probability stays as it is.
    pub fn apply(&self, seen: &Distribution) -> Distribution {
        self.shifted(seen, |log, bias| log / self.temperature + bias)
    }

    /// The network's own distribution, of one that [`Self::apply`] gave. What was below
    /// [`LEAST_PROBABILITY`] comes back as that.
    pub fn undo(&self, calibrated: &Distribution) -> Distribution {
        self.shifted(calibrated, |log, bias| (log - bias) * self.temperature)
    }

    fn shifted(&self, from: &Distribution, change: impl Fn(f32, f32) -> f32) -> Distribution {
        if self.is_plain() {
            return *from;
        }
        let log = |label: Emotion| {
            let log = from.of(label).max(LEAST_PROBABILITY).ln();
            change(log, self.bias[label as usize])
        };
        let greatest = self.labels.iter().map(log).fold(f32::NEG_INFINITY, f32::max);
        let shares = || self.labels.iter().map(|label| (label, (log(label) - greatest).exp()));
        let sum: f32 = shares().map(|(_, share)| share).sum();
        Distribution::of_pairs(shares().map(|(label, share)| (label, share / sum)))
    }

    /// Whether distributions stay as they are.
    pub fn is_plain(&self) -> bool {
        self.temperature == 1.0 && self.bias == [0.0; Emotion::COUNT]
    }

    /// From which confidence a label is sure at a place; nothing where the network's own rule holds.
    pub fn min_confidence(&self, place: &str) -> Option<f32> {
        let found = self.places.iter().find(|threshold| threshold.place == place);
        found.map(|threshold| threshold.min_confidence)
    }
}

/// A YAML text that [`Field::sentence`] lets in.
fn quoted(text: &str) -> String {
    let shown = |c: char| if c.is_control() { ' ' } else { c };
    let text: String = text.chars().take(MOST_TEXT_CHARS).map(shown).collect();
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

fn list(numbers: impl Iterator<Item = f32>) -> String {
    numbers.map(|number| number.to_string()).collect::<Vec<_>>().join(", ")
}

fn whole(field: Field, problems: &mut Problems) -> Read<Calibration> {
    const KEYS: [&str; 8] =
        ["version", "revision", "model", "model_sha256", "labels", "temperature", "bias", "places"];
    let mut map = Mapping::of(field, problems, &KEYS)?;
    let version = map
        .required(problems, "version", "version: 1")
        .and_then(|field| field.whole_number(problems, VERSION..=VERSION));
    let revision = map
        .required(problems, "revision", "a whole number from 1")
        .and_then(|field| field.whole_number(problems, 1..=i32::MAX));
    let model = map
        .required(problems, "model", "the model's name")
        .and_then(|field| field.sentence(problems));
    let sha256 = map
        .required(problems, "model_sha256", "the SHA-256 of the model's file")
        .and_then(|field| sha256(&field, problems));
    let labels = map
        .required(problems, "labels", "the model's labels")
        .and_then(|field| labels(field, problems));
    let temperature = map
        .required(problems, "temperature", "a number, 1 for no change")
        .and_then(|field| field.number(problems, TEMPERATURES));
    let bias = map.required(problems, "bias", "a number for each of labels");
    let bias = bias.and_then(|field| match &labels {
        Ok(labels) => biases(field, labels.len(), problems),
        Err(noted) => Err(*noted),
    });
    let places = map.optional("places").map_or(Ok(Vec::new()), |field| places(field, problems));
    version?;
    let (labels, numbers) = (labels?, bias?);
    let mut bias = [0.0; Emotion::COUNT];
    for (label, number) in labels.iter().zip(numbers) {
        bias[label as usize] = number;
    }
    Ok(Calibration {
        revision: revision? as u32,
        model: model?,
        model_sha256: sha256?,
        temperature: temperature? as f32,
        bias,
        places: places?,
        labels,
    })
}

fn sha256(field: &Field, problems: &mut Problems) -> Read<String> {
    const ALLOWED: &str = "64 hexadecimal digits";
    let text = field.text(problems, ALLOWED)?;
    match text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        true => Ok(text.to_ascii_lowercase()),
        false => Err(field.wrong(problems, ALLOWED)),
    }
}

fn labels(field: Field, problems: &mut Problems) -> Read<LabelSet> {
    let names = Emotion::names();
    let (place, mut found) = (field.node.place, Vec::new());
    for item in field.one_or_more(problems, Emotion::COUNT, "a label")? {
        match item.text(problems, &names)?.parse() {
            Ok(label) => found.push(label),
            Err(_) => return Err(item.wrong(problems, names)),
        }
    }
    LabelSet::new(found).map_err(|error| problems.note(place, error.to_string(), names))
}

fn biases(field: Field, count: usize, problems: &mut Problems) -> Read<Vec<f32>> {
    let fits = match &field.node.value {
        Value::List(items) => items.len() == count,
        Value::Number(_) => count == 1,
        _ => false,
    };
    if !fits {
        return Err(field.wrong(problems, format!("a list of {count}, one for each of labels")));
    }
    let items = field.one_or_more(problems, count, "a number")?;
    items.iter().map(|item| item.number(problems, BIASES).map(|number| number as f32)).collect()
}

fn places(field: Field, problems: &mut Problems) -> Read<Vec<PlaceThreshold>> {
    const WHAT: &str = "a list of {place: NAME, min_confidence: NUMBER}";
    let Value::List(items) = field.node.value else {
        return Err(field.wrong(problems, WHAT));
    };
    if items.len() > MOST_PLACES {
        let found = format!("places has {} entries", items.len());
        return Err(problems.note(field.node.place, found, format!("at most {MOST_PLACES}")));
    }
    let mut found: Vec<PlaceThreshold> = Vec::new();
    for node in items {
        let at = node.place;
        let item = Field { name: "an entry of places".to_owned(), key_place: at, node };
        let mut map = Mapping::of(item, problems, &["place", "min_confidence"])?;
        let place = map
            .required(problems, "place", "the place's name")
            .and_then(|field| field.sentence(problems));
        let min_confidence = map
            .required(problems, "min_confidence", "0 to 1")
            .and_then(|field| field.number(problems, 0.0..=1.0));
        let (place, min_confidence) = (place?, min_confidence? as f32);
        if found.iter().any(|before| before.place == place) {
            let twice = format!("place {} comes twice", quote(&place));
            return Err(problems.note(at, twice, "each place once"));
        }
        found.push(PlaceThreshold { place, min_confidence });
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn example() -> Calibration {
        let mut bias = [0.0; Emotion::COUNT];
        bias[Emotion::Sad as usize] = -0.75;
        bias[Emotion::Neutral as usize] = 0.25;
        Calibration {
            revision: 2,
            model: "emotion".to_owned(),
            model_sha256: "ab".repeat(32),
            labels: LabelSet::seven(),
            temperature: 1.25,
            bias,
            places: vec![
                PlaceThreshold { place: "lobby".to_owned(), min_confidence: 0.7 },
                PlaceThreshold { place: "Café \"\\ no: 1".to_owned(), min_confidence: 0.5 },
            ],
        }
    }

    fn problems_of(text: &str) -> Vec<String> {
        Calibration::parse(text).unwrap_err().iter().map(ToString::to_string).collect()
    }

    #[test]
    fn what_is_written_is_read() {
        let ours = example();
        assert_eq!(Calibration::parse(&ours.to_yaml()).unwrap(), ours);
        assert_eq!(ours.min_confidence("lobby"), Some(0.7));
        assert_eq!(ours.min_confidence("gate"), None);
    }

    #[test]
    fn it_is_the_formula() {
        let labels: LabelSet = "neutral,sad".parse().unwrap();
        let ours = Calibration { labels: labels.clone(), temperature: 2.0, ..example() };
        // sqrt(0.16) e^0.25 against sqrt(0.84) e^-0.75.
        let found = ours.apply(&labels.distribution(&[0.16, 0.84]));
        let (neutral, sad) = (0.4 * 0.25f32.exp(), 0.84f32.sqrt() * (-0.75f32).exp());
        assert!((found.of(Emotion::Neutral) - neutral / (neutral + sad)).abs() < 1e-6);
        let back = ours.undo(&found);
        assert!((back.of(Emotion::Neutral) - 0.16).abs() < 1e-5, "{back:?}");
        let plain = Calibration { temperature: 1.0, bias: [0.0; Emotion::COUNT], ..example() };
        let odd = LabelSet::seven().distribution(&[0.2, 0.3]);
        assert_eq!(plain.apply(&odd), odd);
    }

    #[test]
    fn it_is_for_one_network_only() {
        let ours = example();
        let identity = |sha256: &str| ModelIdentity {
            name: "emotion".to_owned(),
            path: "/models/emotion.onnx".into(),
            sha256: sha256.to_owned(),
        };
        assert_eq!(ours.check(&identity(&"ab".repeat(32)), &LabelSet::seven()), Ok(()));
        let other = ours.check(&identity(&"cd".repeat(32)), &LabelSet::seven()).unwrap_err();
        assert!(other.contains(&"ab".repeat(32)) && other.contains(&"cd".repeat(32)), "{other}");
        let fewer = ours.check(&identity(&"ab".repeat(32)), &"happy,sad".parse().unwrap());
        assert!(fewer.unwrap_err().contains("expected happy,sad"));
    }

    #[test]
    fn every_mistake_is_told_with_its_place() {
        let text = example().to_yaml();
        let wrong = text.replace("temperature: 1.25", "temperature: 0").replace("0.7}", "7}");
        assert_eq!(
            problems_of(&wrong),
            [
                "8:14: temperature is 0; allowed: 0.2 to 5",
                "12:36: min_confidence is 7; allowed: 0 to 1",
            ]
        );
        let short = text.replace("bias: [0, ", "bias: [");
        assert_eq!(
            problems_of(&short),
            ["9:7: bias is a list of 6; allowed: a list of 7, one for each of labels"]
        );
        assert!(problems_of(&text.replace("version: 1", "version: 2"))[0].contains("version is 2"));
        assert!(problems_of(&text.replace("abab", "xyz"))[0].contains("64 hexadecimal digits"));
        assert!(problems_of("")[0].contains("the calibration is"));
    }

    proptest::proptest! {
        #![proptest_config(proptest::prelude::ProptestConfig {
            failure_persistence: None,
            ..Default::default()
        })]

        #[test]
        fn any_text_is_read_or_refused(text in "([a-z_]{1,12}: ?[\\[\\]{}0-9a-z,.\\-\"]{0,20}\n){0,8}") {
            let _ = Calibration::parse(&text);
            let _ = Calibration::parse(&format!("{}{text}", example().to_yaml()));
        }

        #[test]
        fn any_distribution_becomes_one_and_comes_back(
            shares in proptest::collection::vec(1e-4f32..1.0, 7),
            temperature in 0.5f32..3.0,
            biases in proptest::collection::vec(-2.0f32..2.0, 7),
        ) {
            let labels = LabelSet::seven();
            let sum: f32 = shares.iter().sum();
            let seen = labels.distribution(&shares.iter().map(|s| s / sum).collect::<Vec<_>>());
            let mut bias = [0.0; Emotion::COUNT];
            labels.iter().zip(biases).for_each(|(label, value)| bias[label as usize] = value);
            let ours = Calibration { temperature, bias, ..example() };
            let found = ours.apply(&seen);
            proptest::prop_assert!((found.0.iter().sum::<f32>() - 1.0).abs() < 1e-4);
            // What fell below the least probability does not come back.
            if labels.iter().all(|label| found.of(label) > 10.0 * LEAST_PROBABILITY) {
                let back = ours.undo(&found);
                for label in labels.iter() {
                    proptest::prop_assert!((back.of(label) - seen.of(label)).abs() < 1e-3);
                }
            }
        }
    }
}
