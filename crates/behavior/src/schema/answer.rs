//! Reads what the robot does: its outputs, what it says in which language, and whom it calls.

use rapport_settings::{Field, Mapping, Problems, Read, Value};
use rapport_vocabulary::Emotion;

use super::{Context, fraction, own_keys, required_secs};
use crate::response::{Answer, Fraction, Light, Outputs, Say};

/// The keys of an answer that make the robot do something. All but `say` are read by [`outputs`].
pub(super) const OUTPUT_KEYS: [&str; 4] = ["say", "gesture", "light", "expression"];

const MAX_VARIANTS: usize = 16;
const MAX_LANGUAGES: usize = 32;
const DEFAULT_INTENSITY: Fraction = Fraction::HALF;

/// A light of opacity 0 would mean "leave the light alone", which is said by giving none.
const MIN_OPACITY: f64 = 0.01;

/// Words that a request to the staff must not be made of: it says what kind of thing, never what
/// anyone feels.
const FEELINGS: [&str; 8] =
    ["emotion", "feeling", "feels", "mood", "upset", "annoyed", "unhappy", "crying"];

pub(super) fn answer(field: Field, context: &Context, problems: &mut Problems) -> Read<Answer> {
    let keys = [OUTPUT_KEYS.as_slice(), &["intensity", "duration_secs"]].concat();
    let mut map = Mapping::of(field, problems, &keys)?;
    let say = map.optional("say").map(|field| say(field, context, problems)).transpose();
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

/// All outputs but speech, which an answer has variants of.
pub(super) fn outputs(map: &mut Mapping, problems: &mut Problems) -> Read<Outputs> {
    let gesture = map.optional("gesture").map(|field| field.name(problems)).transpose();
    let light = map.optional("light").map(|field| light(field, problems)).transpose();
    let expression = map.optional("expression").map(|field| field.name(problems)).transpose();
    Ok(Outputs { speech: None, gesture: gesture?, light: light?, expression: expression? })
}

/// A text, a list of variants, or either for each language.
fn say(field: Field, context: &Context, problems: &mut Problems) -> Read<Vec<Say>> {
    if context.is_first || !matches!(field.node.value, Value::Mapping(_)) {
        let variants = sentences(field, None, context, problems)?;
        return Ok(vec![Say { language: None, variants }]);
    }
    let entries = own_keys(field, problems, MAX_LANGUAGES, "languages with what to say in each")?;
    let says: Vec<Read<Say>> = entries
        .into_iter()
        .map(|(name, field)| {
            let language = language(&name, &field, problems)?;
            let field = Field { name: format!("say in {language}"), ..field };
            let variants = sentences(field, Some(&language), context, problems)?;
            Ok(Say { language: Some(language), variants })
        })
        .collect();
    says.into_iter().collect()
}

/// A language as BCP 47 has it.
pub(super) fn language(name: &str, field: &Field, problems: &mut Problems) -> Read<String> {
    let mut parts = name.split('-');
    let is_first = |part: &str| {
        (2..=3).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_alphabetic())
    };
    let is_other = |part: &str| {
        (1..=8).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_alphanumeric())
    };
    if parts.next().is_some_and(is_first) && parts.all(is_other) {
        return Ok(name.to_owned());
    }
    let found = format!("language is `{name}`");
    Err(problems.note(field.key_place, found, "a language as BCP 47 has it, such as en or de-AT"))
}

fn sentences(
    field: Field,
    language: Option<&str>,
    context: &Context,
    problems: &mut Problems,
) -> Read<Vec<String>> {
    let fields = field.one_or_more(problems, MAX_VARIANTS, "a text")?;
    let sentences: Vec<Read<String>> = fields
        .iter()
        .map(|field| {
            let text = field.sentence(problems)?;
            match context.is_first {
                true => Ok(text),
                false => context.names.fill(&text, language, field, problems),
            }
        })
        .collect();
    sentences.into_iter().collect()
}

/// The kind of thing that staff is called for.
pub(super) fn staff_kind(field: &Field, problems: &mut Problems) -> Read<String> {
    let kind = field.name(problems)?;
    let is_feeling = |part: &str| {
        let part = part.to_lowercase();
        FEELINGS.contains(&part.as_str()) || Emotion::from_word(&part).is_ok()
    };
    if kind.split(['_', '-', '.', '/']).any(is_feeling) {
        let allowed =
            "what kind of thing it is, such as guest_waits, never what anyone shows or feels";
        return Err(field.wrong(problems, allowed));
    }
    Ok(kind)
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
