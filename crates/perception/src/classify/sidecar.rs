//! `<model>.yaml` beside `<model>.onnx`: what a network that knows nothing of this package takes and
//! gives. `models/README.md` explains every key.

use std::path::Path;

use super::contract::{Class, Colour, Contract, Exposure, Layout, Output, SIDES_PX};
use rapport_settings::{
    self, Field, Mapping, Place, Problem, Problems, Read, Value, problem_lines,
};
use rapport_vocabulary::{Affect, Emotion, LabelSet};

/// The version of the format that this code reads.
const VERSION: i32 = 1;

/// The largest file that is read.
const MAX_BYTES: u64 = 64 * 1024;

const MOST_LABELS: usize = 64;

/// Reads a sidecar.
///
/// # Errors
/// If it cannot be read or is wrong: a line for each mistake, each with its place.
pub(super) fn read(path: &Path) -> Result<Contract, String> {
    use std::io::Read as _;
    let mut content = Vec::new();
    std::fs::File::open(path)
        .and_then(|file| file.take(MAX_BYTES + 1).read_to_end(&mut content))
        .map_err(|error| format!("{}: {error}", path.display()))?;
    if content.len() as u64 > MAX_BYTES {
        return Err(format!("{}: it has over {MAX_BYTES} bytes", path.display()));
    }
    rapport_settings::text_of(&content)
        .map_err(|problem| vec![problem])
        .and_then(contract)
        .map_err(|problems| problem_lines(path, &problems))
}

fn contract(text: &str) -> Result<Contract, Vec<Problem>> {
    let node = rapport_settings::read(text).map_err(|problem| vec![problem])?;
    let start = Place { line: 1, column: 1 };
    let field = Field { name: "the description".to_owned(), key_place: start, node };
    let mut problems = Problems::default();
    let contract = whole(field, &mut problems);
    let problems = problems.in_order();
    match contract {
        Ok(contract) if problems.is_empty() => Ok(contract),
        _ => Err(problems),
    }
}

fn whole(field: Field, problems: &mut Problems) -> Read<Contract> {
    const KEYS: [&str; 17] = [
        "version",
        "input_name",
        "input_size",
        "layout",
        "colour",
        "range",
        "mean",
        "deviation",
        "margin",
        "exposure",
        "output_name",
        "output",
        "labels",
        "drop",
        "valence",
        "arousal",
        "affect_source",
    ];
    let mut map = Mapping::of(field, problems, &KEYS)?;
    let version = map
        .required(problems, "version", "version: 1")
        .and_then(|field| field.whole_number(problems, VERSION..=VERSION));
    let side_px = map
        .required(problems, "input_size", "the side of the square input in pixels")
        .and_then(|field| field.whole_number(problems, SIDES_PX));
    let layouts = [("nchw", Layout::Nchw), ("nhwc", Layout::Nhwc)];
    let layout = choice(map.optional("layout"), problems, &layouts, Some(Layout::Nchw));
    let colours = [("grey", Colour::Grey), ("rgb", Colour::Rgb), ("bgr", Colour::Bgr)];
    let colour = map.required(problems, "colour", "grey, rgb or bgr");
    let colour = colour.and_then(|field| choice(Some(field), problems, &colours, None));
    let range = range(map.optional("range"), problems);
    let channels = colour.map_or(3, Colour::channels);
    let mean = numbers(map.optional("mean"), problems, channels, -1e6..=1e6, &[0.0]);
    let deviation = numbers(map.optional("deviation"), problems, channels, 1e-6..=1e6, &[1.0]);
    let margin = map.optional("margin").map_or(Ok(1.0), |f| f.number(problems, 0.5..=3.0));
    let exposures = [("as_is", Exposure::AsIs), ("normal", Exposure::Normal)];
    let exposure = choice(map.optional("exposure"), problems, &exposures, Some(Exposure::AsIs));
    let outputs = [("logits", Output::Logits), ("probabilities", Output::Probabilities)];
    let output = map.required(problems, "output", "logits or probabilities");
    let output = output.and_then(|field| choice(Some(field), problems, &outputs, None));
    let name = |field: Option<Field>, problems: &mut Problems| {
        field.map(|field| field.sentence(problems)).transpose()
    };
    let input_name = name(map.optional("input_name"), problems);
    let output_name = name(map.optional("output_name"), problems);
    let classes = classes(&mut map, problems);
    let affect = classes.as_ref().map_or(Ok(None), |classes| affect(&mut map, problems, classes));
    version?;
    let ([from, to], mean, deviation, classes) = (range?, mean?, deviation?, classes?);
    let of = |values: &[f64], channel: usize| values[channel.min(values.len() - 1)];
    Ok(Contract {
        input_name: input_name?,
        output_name: output_name?,
        evidence_name: None,
        side_px: side_px? as usize,
        layout: layout?,
        colour: colour?,
        // (from + pixel / 255 * (to - from) - mean) / deviation, as a product and a sum.
        scale: std::array::from_fn(|c| ((to - from) / 255.0 / of(&deviation, c)) as f32),
        shift: std::array::from_fn(|c| ((from - of(&mean, c)) / of(&deviation, c)) as f32),
        margin: margin? as f32,
        exposure: exposure?,
        output: output?,
        labels: labels_of(&classes, affect?)?,
        classes,
    })
}

fn choice<T: Copy>(
    field: Option<Field>,
    problems: &mut Problems,
    choices: &[(&str, T)],
    default: Option<T>,
) -> Read<T> {
    let names: Vec<_> = choices.iter().map(|(name, _)| *name).collect();
    match (field, default) {
        (None, Some(default)) => Ok(default),
        (None, None) => Err(rapport_settings::Noted),
        (Some(field), _) => {
            let text = field.text(problems, &names.join(", "))?;
            match choices.iter().find(|(name, _)| *name == text) {
                Some((_, value)) => Ok(*value),
                None => Err(field.wrong(problems, names.join(", "))),
            }
        }
    }
}

/// What black and white become: two numbers that differ.
fn range(field: Option<Field>, problems: &mut Problems) -> Read<[f64; 2]> {
    let Some(field) = field else {
        return Ok([0.0, 255.0]);
    };
    let allowed = "a list of 2 different numbers, for black and white";
    if !matches!(field.node.value, Value::List(_)) {
        return Err(field.wrong(problems, allowed));
    }
    let place = field.node.place;
    match numbers(Some(field), problems, 2, -1e6..=1e6, &[])?[..] {
        [from, to] if from != to => Ok([from, to]),
        _ => Err(problems.note(place, "range is twice the same number".to_owned(), allowed)),
    }
}

/// One number for all, or a list of `count`.
fn numbers(
    field: Option<Field>,
    problems: &mut Problems,
    count: usize,
    range: std::ops::RangeInclusive<f64>,
    default: &[f64],
) -> Read<Vec<f64>> {
    let Some(field) = field else {
        return Ok(default.to_vec());
    };
    if let Value::List(items) = &field.node.value
        && items.len() != count
    {
        return Err(field.wrong(problems, format!("a list of {count}")));
    }
    let items = field.one_or_more(problems, count, "a number")?;
    items.iter().map(|item| item.number(problems, range.clone())).collect()
}

/// Valence and arousal of each class, and where they come from.
type ClassAffect = (Vec<Affect>, String);

/// The labels among the classes. There is one at least: a sidecar that drops all is refused before.
fn labels_of(classes: &[Class], affect: Option<ClassAffect>) -> Read<LabelSet> {
    let kept = |class: &Class| match class {
        Class::Of(emotion) => Some(*emotion),
        Class::Dropped => None,
    };
    let labels = LabelSet::new(classes.iter().filter_map(kept));
    let Some((affect, source)) = affect else {
        return labels.map_err(|_| rapport_settings::Noted);
    };
    let of_labels = classes.iter().zip(affect);
    let of_labels = of_labels.filter_map(|(class, affect)| kept(class).map(|_| affect)).collect();
    labels
        .and_then(|labels| labels.with_affect(of_labels, source))
        .map_err(|_| rapport_settings::Noted)
}

/// `valence`, `arousal` and `affect_source`: all three or none.
fn affect(
    map: &mut Mapping,
    problems: &mut Problems,
    classes: &[Class],
) -> Read<Option<ClassAffect>> {
    const TOGETHER: &str = "valence, arousal and affect_source together";
    let fields = ["valence", "arousal", "affect_source"].map(|key| (key, map.optional(key)));
    if fields.iter().all(|(_, field)| field.is_none()) {
        return Ok(None);
    }
    let [valence, arousal, source] = fields.map(|(key, field)| {
        field.ok_or_else(|| map.incomplete(problems, &format!("has no {key}"), TOGETHER))
    });
    let mut each = |field: Read<Field>| match field? {
        field if matches!(field.node.value, Value::List(_)) => {
            numbers(Some(field), problems, classes.len(), -1.0..=1.0, &[])
        }
        field => Err(field.wrong(problems, "a list with a number for each of labels")),
    };
    let (valence, arousal) = (each(valence), each(arousal));
    let source = source.and_then(|field| field.sentence(problems));
    let pairs = valence?.into_iter().zip(arousal?);
    let affect = pairs.map(|(v, a)| Affect { valence: v as f32, arousal: a as f32 }).collect();
    Ok(Some((affect, source?)))
}

/// What each value of the output stands for.
fn classes(map: &mut Mapping, problems: &mut Problems) -> Read<Vec<Class>> {
    let allowed = "the output's classes in order";
    let labels = map
        .required(problems, "labels", allowed)
        .and_then(|field| field.one_or_more(problems, MOST_LABELS, "a label"));
    let dropped = map.optional("drop").map_or(Ok(Vec::new()), |field| {
        let fields = field.one_or_more(problems, MOST_LABELS, "a label")?;
        fields.iter().map(|field| field.sentence(problems)).collect::<Read<Vec<_>>>()
    });
    let (labels, dropped) = (labels?, dropped?);
    let mut classes: Vec<Class> = Vec::with_capacity(labels.len());
    for field in &labels {
        let label = field.sentence(problems)?;
        if dropped.contains(&label) {
            classes.push(Class::Dropped);
            continue;
        }
        let Ok(emotion) = Emotion::from_word(&label) else {
            let names = Emotion::names();
            return Err(field.wrong(problems, format!("{names}, or a label under drop")));
        };
        if classes.contains(&Class::Of(emotion)) {
            return Err(field.wrong(problems, "each expression once"));
        }
        classes.push(Class::Of(emotion));
    }
    if let (Some(first), true) = (labels.first(), classes.iter().all(|c| *c == Class::Dropped)) {
        return Err(first.wrong(problems, "at least one label that is not under drop"));
    }
    Ok(classes)
}

#[cfg(test)]
mod tests {
    use rapport_vocabulary::Distribution;

    use super::*;

    const FER_PLUS: &str = "\
version: 1
input_size: 64
colour: grey
output: logits
labels: [neutral, happiness, surprise, sadness, anger, disgust, fear, contempt]
drop: contempt
";

    fn problems_of(text: &str) -> Vec<String> {
        contract(text).unwrap_err().iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_description_becomes_a_contract() {
        let fer_plus = contract(FER_PLUS).unwrap();
        assert_eq!((fer_plus.side_px, fer_plus.layout), (64, Layout::Nchw));
        assert_eq!((fer_plus.scale[0], fer_plus.shift[0]), (1.0, 0.0));
        assert_eq!(fer_plus.classes[3], Class::Of(Emotion::Sad));
        assert_eq!(fer_plus.classes[7], Class::Dropped);
        let text = "{version: 1, input_size: 224, colour: rgb, range: [0, 1], layout: nhwc, \
                    mean: [0.5, 0.25, 0], deviation: [0.5, 0.5, 2], output: probabilities, \
                    labels: [happy, sad]}";
        let net = contract(text).unwrap();
        let white: Vec<f32> = (0..3).map(|c| 255.0 * net.scale[c] + net.shift[c]).collect();
        assert_eq!(white, [1.0, 1.5, 0.5]);
        assert_eq!(net.shift, [-1.0, -0.5, 0.0]);
    }

    #[test]
    fn every_mistake_is_told_with_its_place() {
        let wrong = FER_PLUS.replace("grey", "gray").replace("64", "8").replace("logits", "[]");
        assert_eq!(
            problems_of(&wrong),
            [
                "2:13: input_size is 8; allowed: a whole number, 16 to 512",
                "3:9: colour is `gray`; allowed: grey, rgb, bgr",
                "4:9: output is an empty list; allowed: logits, probabilities",
            ]
        );
        let unknown = FER_PLUS.replace("drop: contempt\n", "").replace("contempt", "boredom");
        let expected = format!(
            "5:71: labels is `boredom`; allowed: {}, or a label under drop",
            Emotion::names()
        );
        assert_eq!(problems_of(&unknown), [expected]);
        let twice = FER_PLUS.replace("sadness", "happy");
        assert!(
            problems_of(&twice)[0].contains("labels is `happy`; allowed: each expression once")
        );
        let zero = format!("{FER_PLUS}deviation: 0\n");
        assert!(problems_of(&zero)[0].starts_with("7:12: deviation is 0; allowed: 0.000001 to"));
        let odd = format!("{FER_PLUS}mean: [1, 2]\n");
        assert_eq!(problems_of(&odd), ["7:7: mean is a list of 2; allowed: a list of 1"]);
        let allowed = "allowed: a list of 2 different numbers, for black and white";
        for (range, found) in [("1", "range is 1"), ("[1, 1]", "range is twice the same number")] {
            let blank = format!("{FER_PLUS}range: {range}\n");
            assert_eq!(problems_of(&blank), [format!("7:8: {found}; {allowed}")]);
        }
    }

    const AFFECT: &str = "\
valence: [0, 0.8, 0.1, -0.6, -0.5, -0.6, -0.7, -0.5]
arousal: [0, 0.5, 0.7, -0.3, 0.6, 0.3, 0.6, 0.2]
affect_source: a study of ours
";

    #[test]
    fn valence_and_arousal_may_be_the_models_own() {
        let net = contract(&format!("{FER_PLUS}{AFFECT}")).unwrap();
        assert_eq!(net.labels.affect_source(), "a study of ours");
        let of = |label| net.labels.affect(&Distribution::of_pairs([(label, 1.0)]));
        assert_eq!(of(Emotion::Happy), Affect { valence: 0.8, arousal: 0.5 });
        assert_eq!(of(Emotion::Fear), Affect { valence: -0.7, arousal: 0.6 });
        let without = AFFECT.replace("affect_source: a study of ours\n", "");
        assert_eq!(
            problems_of(&format!("{FER_PLUS}{without}")),
            ["1:1: the description has no affect_source; allowed: valence, arousal and \
              affect_source together"]
        );
        let far = AFFECT.replace("[0, 0.8", "[0, 8");
        assert!(problems_of(&format!("{FER_PLUS}{far}"))[0].contains("allowed: -1 to 1"));
        let short = AFFECT.replace(", 0.2]", "]");
        assert!(problems_of(&format!("{FER_PLUS}{short}"))[0].contains("allowed: a list of 8"));
        let one = AFFECT.replace("[0, 0.8, 0.1, -0.6, -0.5, -0.6, -0.7, -0.5]", "0.5");
        assert!(
            problems_of(&format!("{FER_PLUS}{one}"))[0].contains("a number for each of labels")
        );
    }

    proptest::proptest! {
        #![proptest_config(proptest::prelude::ProptestConfig {
            failure_persistence: None,
            ..Default::default()
        })]

        #[test]
        fn any_text_is_read_or_refused(text in "([a-z_]{1,12}: ?[\\[\\]{}0-9a-z,.\\-\"]{0,20}\n){0,8}") {
            let _ = contract(&text);
            let _ = contract(&format!("{FER_PLUS}{text}"));
        }
    }
}
