//! What a policy file may hold: its keys, the range of each value, and what they mean.
//!
//! `config/policy.yaml` shows every key in use; this is where each is defined.

use std::ops::RangeInclusive;
use std::time::Duration;

use rapport_settings::{Field, Mapping, Place, Problem, Problems, Read, Value, range_text};
use rapport_vocabulary::Emotion;

use super::policy::{Policy, Rule};
use super::response::{Answer, Fraction, Light, Outputs};

/// The version of the format that this code reads.
const VERSION: i32 = 1;

/// The keys of an answer that make the robot do something. All but `say` are read by [`outputs`].
const OUTPUT_KEYS: [&str; 4] = ["say", "gesture", "light", "expression"];

const MAX_RULES: usize = 64;
const MAX_VARIANTS: usize = 16;

const DAY_SECS: RangeInclusive<f64> = 0.0..=86_400.0;
const DEFAULT_PAUSE: Duration = Duration::from_secs(4);
const DEFAULT_GAP: Duration = Duration::from_millis(500);
const DEFAULT_INTENSITY: Fraction = Fraction::HALF;

/// A light of opacity 0 would mean "leave the light alone", which is said by giving none.
const MIN_OPACITY: f64 = 0.01;

/// Reads a policy from YAML text.
///
/// # Errors
///
/// Every wrong value in the order of the file, or the first fault of the YAML syntax.
pub(super) fn policy(text: &str) -> Result<Policy, Vec<Problem>> {
    let node = rapport_settings::read(text).map_err(|problem| vec![problem])?;
    let start = Place { line: 1, column: 1 };
    let field = Field { name: "the policy".to_owned(), key_place: start, node };
    let mut problems = Problems::default();
    let policy = document(field, &mut problems);
    let problems = problems.in_order();
    match policy {
        Ok(policy) if problems.is_empty() => Ok(policy),
        _ => Err(problems),
    }
}

fn document(field: Field, problems: &mut Problems) -> Read<Policy> {
    const KEYS: [&str; 5] = ["version", "pause_secs", "gap_secs", "rest", "rules"];
    let mut map = Mapping::of(field, problems, &KEYS)?;
    let version = map
        .required(problems, "version", "version: 1")
        .and_then(|field| field.whole_number(problems, VERSION..=VERSION));
    let pause = optional_secs(&mut map, problems, "pause_secs", 0.0..=3600.0, DEFAULT_PAUSE);
    let gap = optional_secs(&mut map, problems, "gap_secs", 0.0..=5.0, DEFAULT_GAP);
    let rest = map.optional("rest").map_or(Ok(Outputs::default()), |field| rest(field, problems));
    let rules = map
        .required(problems, "rules", &format!("a list of 1 to {MAX_RULES} rules"))
        .and_then(|field| rules(field, problems));
    version?;
    Ok(Policy { pause: pause?, gap: gap?, rest: rest?, rules: rules? })
}

fn rest(field: Field, problems: &mut Problems) -> Read<Outputs> {
    let mut map = Mapping::of(field, problems, &["light", "expression"])?;
    outputs(&mut map, problems)
}

/// All outputs but speech, which an answer has variants of.
fn outputs(map: &mut Mapping, problems: &mut Problems) -> Read<Outputs> {
    let gesture = map.optional("gesture").map(|field| field.name(problems)).transpose();
    let light = map.optional("light").map(|field| light(field, problems)).transpose();
    let expression = map.optional("expression").map(|field| field.name(problems)).transpose();
    Ok(Outputs { speech: None, gesture: gesture?, light: light?, expression: expression? })
}

fn rules(field: Field, problems: &mut Problems) -> Read<Vec<Rule>> {
    let allowed = format!("a list of 1 to {MAX_RULES} rules");
    let nodes = match field.node.value {
        Value::List(ref nodes) if nodes.is_empty() || nodes.len() > MAX_RULES => {
            return Err(field.wrong(problems, allowed));
        }
        Value::List(nodes) => nodes,
        _ => return Err(field.wrong(problems, allowed)),
    };
    let mut seen: Vec<(String, Place)> = Vec::new();
    let rules: Vec<Read<Rule>> = nodes
        .into_iter()
        .map(|node| {
            let field = Field { name: "the rule".to_owned(), key_place: node.place, node };
            rule(field, problems, &mut seen)
        })
        .collect();
    rules.into_iter().collect()
}

fn rule(field: Field, problems: &mut Problems, seen: &mut Vec<(String, Place)>) -> Read<Rule> {
    const KEYS: [&str; 6] =
        ["name", "when", "cooldown_secs", "cooldown_anyone_secs", "priority", "answer"];
    let mut map = Mapping::of(field, problems, &KEYS)?;
    let name = map
        .required(problems, "name", "a name that no other rule has")
        .and_then(|field| distinct_name(field, problems, seen));
    let when = map
        .required(problems, "when", "emotion, confidence and for_secs")
        .and_then(|field| when(field, problems));
    let cooldown = required_secs(&mut map, problems, "cooldown_secs", DAY_SECS);
    let cooldown_anyone =
        optional_secs(&mut map, problems, "cooldown_anyone_secs", DAY_SECS, Duration::ZERO);
    let priority =
        map.optional("priority").map_or(Ok(0), |field| field.whole_number(problems, -1000..=1000));
    let answer = map
        .required(problems, "answer", &format!("what the robot does: {}", OUTPUT_KEYS.join(", ")))
        .and_then(|field| answer(field, problems));
    let (emotions, confidence, lasting) = when?;
    Ok(Rule {
        name: name?,
        emotions,
        confidence,
        lasting,
        cooldown: cooldown?,
        cooldown_anyone: cooldown_anyone?,
        priority: priority?,
        answer: answer?,
    })
}

fn distinct_name(
    field: Field,
    problems: &mut Problems,
    seen: &mut Vec<(String, Place)>,
) -> Read<String> {
    let name = field.name(problems)?;
    if let Some((_, first)) = seen.iter().find(|(other, _)| *other == name) {
        let found = format!("name is `{name}`, as of the rule on line {}", first.line);
        return Err(problems.note(field.node.place, found, "a name that no other rule has"));
    }
    seen.push((name.clone(), field.node.place));
    Ok(name)
}

fn when(field: Field, problems: &mut Problems) -> Read<(Vec<Emotion>, Fraction, Duration)> {
    let mut map = Mapping::of(field, problems, &["emotion", "confidence", "for_secs"])?;
    let emotions = map
        .required(problems, "emotion", &Emotion::names())
        .and_then(|field| field.one_or_more(problems, Emotion::COUNT, "an emotion"))
        .and_then(|fields| {
            let emotions: Vec<Read<Emotion>> =
                fields.into_iter().map(|field| emotion(&field, problems)).collect();
            emotions.into_iter().collect()
        });
    let confidence = map
        .required(problems, "confidence", "0 to 1")
        .and_then(|field| fraction(&field, problems, 0.0));
    let lasting = required_secs(&mut map, problems, "for_secs", 0.0..=60.0);
    Ok((emotions?, confidence?, lasting?))
}

fn emotion(field: &Field, problems: &mut Problems) -> Read<Emotion> {
    let names = Emotion::names();
    let name = field.text(problems, &names)?;
    name.parse().map_err(|_| field.wrong(problems, names))
}

fn answer(field: Field, problems: &mut Problems) -> Read<Answer> {
    let keys = [OUTPUT_KEYS.as_slice(), &["intensity", "duration_secs"]].concat();
    let mut map = Mapping::of(field, problems, &keys)?;
    let say = map.optional("say").map(|field| sentences(field, problems)).transpose();
    let outputs = outputs(&mut map, problems);
    let does_something = match (&say, &outputs) {
        (Ok(None), Ok(outputs)) if *outputs == Outputs::default() => {
            let allowed = format!("at least one of {}", OUTPUT_KEYS.join(", "));
            Err(map.incomplete(problems, "does nothing", &allowed))
        }
        _ => Ok(()),
    };
    let intensity = map
        .optional("intensity")
        .map_or(Ok(DEFAULT_INTENSITY), |field| fraction(&field, problems, 0.0));
    let duration = required_secs(&mut map, problems, "duration_secs", 0.1..=60.0);
    does_something?;
    Ok(Answer {
        say: say?.unwrap_or_default(),
        outputs: outputs?,
        intensity: intensity?,
        duration: duration?,
    })
}

fn sentences(field: Field, problems: &mut Problems) -> Read<Vec<String>> {
    let fields = field.one_or_more(problems, MAX_VARIANTS, "a text")?;
    let sentences: Vec<Read<String>> =
        fields.iter().map(|field| field.sentence(problems)).collect();
    sentences.into_iter().collect()
}

fn light(field: Field, problems: &mut Problems) -> Read<Light> {
    const ALLOWED: &str = "{color: \"#rrggbb\"} or {r: 0 to 1, g: 0 to 1, b: 0 to 1}";
    let mut map = Mapping::of(field, problems, &["color", "r", "g", "b", "opacity"])?;
    let opacity = map
        .optional("opacity")
        .map_or(Ok(Fraction::ONE), |field| fraction(&field, problems, MIN_OPACITY));
    let color = map.optional("color");
    let shares = [map.optional("r"), map.optional("g"), map.optional("b")];
    let [red, green, blue] = match (color, shares) {
        (Some(color), [None, None, None]) => color_of(&color, problems)?,
        (None, [Some(red), Some(green), Some(blue)]) => {
            let [red, green, blue] =
                [red, green, blue].map(|share| fraction(&share, problems, 0.0));
            [red?, green?, blue?]
        }
        (None, _) => return Err(map.incomplete(problems, "has no whole color", ALLOWED)),
        (Some(_), _) => return Err(map.wrong(problems, "has two colors", ALLOWED)),
    };
    Ok(Light { red, green, blue, opacity: opacity? })
}

fn color_of(field: &Field, problems: &mut Problems) -> Read<[Fraction; 3]> {
    const ALLOWED: &str = "\"#rrggbb\" in quotes, as without them YAML takes it for a comment";
    let text = field.text(problems, ALLOWED)?;
    let parsed = text
        .strip_prefix('#')
        .filter(|hex| hex.len() == 6 && hex.bytes().all(|byte| byte.is_ascii_hexdigit()))
        .and_then(|hex| u32::from_str_radix(hex, 16).ok());
    let Some(rgb) = parsed else {
        return Err(field.wrong(problems, ALLOWED));
    };
    let [_, red, green, blue] = rgb.to_be_bytes();
    Ok([red, green, blue].map(Fraction::of_byte))
}

fn required_secs(
    map: &mut Mapping,
    problems: &mut Problems,
    key: &str,
    range: RangeInclusive<f64>,
) -> Read<Duration> {
    map.required(problems, key, &range_text(&range)).and_then(|field| field.secs(problems, range))
}

fn optional_secs(
    map: &mut Mapping,
    problems: &mut Problems,
    key: &str,
    range: RangeInclusive<f64>,
    default: Duration,
) -> Read<Duration> {
    map.optional(key).map_or(Ok(default), |field| field.secs(problems, range))
}

/// A number from 0, or from more than that, to 1.
fn fraction(field: &Field, problems: &mut Problems, from: f64) -> Read<Fraction> {
    let number = field.number(problems, from..=1.0)?;
    Fraction::new(number as f32).ok_or_else(|| field.wrong(problems, "0 to 1"))
}
