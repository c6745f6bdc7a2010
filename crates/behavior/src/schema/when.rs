//! Reads the conditions of a rule.

use std::ops::RangeInclusive;
use std::time::Duration;

use rapport_settings::{Field, Mapping, Problems, Read, Value};
use rapport_vocabulary::{Emotion, Engagement};

use super::{Context, flag, fraction, optional_secs, own_keys, required_secs};
use crate::condition::{Event, Hours, Range, StateIs, StateValue, When};
use crate::response::Fraction;

/// The word that lets a condition hold where nothing is known.
const UNKNOWN: &str = "unknown";

const DEFAULT_WITHIN: Duration = Duration::from_secs(3);

/// Each makes a rule that has none of the others.
const CONDITIONS: [&str; 10] = [
    "emotion",
    "from",
    "valence",
    "arousal",
    "attention",
    "distance_m",
    "people",
    "groups",
    "event",
    "state",
];

pub(super) fn when(field: Field, context: &Context, problems: &mut Problems) -> Read<When> {
    if context.is_first {
        return first_when(field, problems);
    }
    let keys =
        [&CONDITIONS[..], &["confidence", "sure", "hours", "within_secs", "for_secs"]].concat();
    let mut map = Mapping::of(field, problems, &keys)?;
    let fields: Vec<Option<Field>> = CONDITIONS.iter().map(|key| map.optional(key)).collect();
    let is_empty = fields.iter().all(Option::is_none);
    let Ok([emotion, from, valence, arousal, attention, distance, people, groups, event, state]) =
        <[Option<Field>; 10]>::try_from(fields)
    else {
        return Err(rapport_settings::Noted);
    };
    let conditions = if is_empty {
        let allowed = format!("at least one of {}", CONDITIONS.join(", "));
        Err(map.incomplete(problems, "has no condition", &allowed))
    } else {
        Ok(())
    };
    let confidence = match map.optional("confidence") {
        Some(field) if emotion.is_none() => Err(problems.note(
            field.key_place,
            "confidence without emotion".to_owned(),
            "the expression that it is about",
        )),
        Some(field) => fraction(&field, problems, 0.0),
        None => Ok(Fraction::ZERO),
    };
    let within = match map.optional("within_secs") {
        Some(field) if event.is_none() => Err(problems.note(
            field.key_place,
            "within_secs without event".to_owned(),
            "the event that it is about",
        )),
        Some(field) => field.secs(problems, 0.1..=10.0),
        None => Ok(DEFAULT_WITHIN),
    };
    let sure = map.optional("sure").map_or(Ok(false), |field| flag(&field, problems));
    let hours = map.optional("hours").map(|field| hours(field, problems)).transpose();
    let emotions = emotion.map_or(Ok(Vec::new()), |field| emotions(field, problems));
    let from = from.map_or(Ok(Vec::new()), |field| self::emotions(field, problems));
    let share = |field: Option<Field>, problems: &mut Problems| {
        field.map(|field| range(field, problems, -1.0..=1.0)).transpose()
    };
    let (valence, arousal) = (share(valence, problems), share(arousal, problems));
    let attention = attention.map_or(Ok((Vec::new(), false)), |field| words(field, problems));
    let distance = distance.map(|field| distance_m(field, problems)).transpose();
    let count = |field: Option<Field>, problems: &mut Problems| {
        field.map(|field| range(field, problems, 0.0..=128.0)).transpose()
    };
    let (people, groups) = (count(people, problems), count(groups, problems));
    let event = event.map(|field| self::event(&field, problems)).transpose();
    let states = state.map_or(Ok(Vec::new()), |field| states_are(field, context, problems));
    let lasting = match map.optional("for_secs") {
        Some(field) if matches!(event, Ok(Some(Event::Leaves))) => {
            let who = "for_secs of somebody who leaves".to_owned();
            Err(problems.note(
                field.key_place,
                who,
                "no for_secs: nothing of them is seen any more",
            ))
        }
        Some(field) => field.secs(problems, 0.0..=60.0),
        None => Ok(Duration::ZERO),
    };
    conditions?;
    let (attention, attention_or_unknown) = attention?;
    let (distance_m, distance_or_unknown) = distance?.unzip();
    Ok(When {
        emotions: emotions?,
        from: from?,
        confidence: confidence?,
        sure: sure?,
        valence: valence?,
        arousal: arousal?,
        attention,
        attention_or_unknown,
        distance_m,
        distance_or_unknown: distance_or_unknown.unwrap_or(false),
        people: people?,
        groups: groups?,
        event: event?,
        within: within?,
        hours: hours?,
        states: states?,
        lasting: lasting?,
    })
}

/// The three conditions of version 1.
fn first_when(field: Field, problems: &mut Problems) -> Read<When> {
    let mut map = Mapping::of(field, problems, &["emotion", "confidence", "for_secs"])?;
    let emotions = map
        .required(problems, "emotion", &Emotion::names())
        .and_then(|field| emotions(field, problems));
    let confidence = map
        .required(problems, "confidence", "0 to 1")
        .and_then(|field| fraction(&field, problems, 0.0));
    let lasting = required_secs(&mut map, problems, "for_secs", 0.0..=60.0);
    Ok(When { lasting: lasting?, ..When::shows(emotions?, confidence?) })
}

impl When {
    fn shows(emotions: Vec<Emotion>, confidence: Fraction) -> Self {
        Self {
            emotions,
            confidence,
            from: Vec::new(),
            sure: false,
            valence: None,
            arousal: None,
            attention: Vec::new(),
            attention_or_unknown: false,
            distance_m: None,
            distance_or_unknown: false,
            people: None,
            groups: None,
            event: None,
            within: DEFAULT_WITHIN,
            hours: None,
            states: Vec::new(),
            lasting: Duration::ZERO,
        }
    }
}

fn emotions(field: Field, problems: &mut Problems) -> Read<Vec<Emotion>> {
    let fields = field.one_or_more(problems, Emotion::COUNT, "an emotion")?;
    let emotions: Vec<Read<Emotion>> =
        fields.into_iter().map(|field| emotion(&field, problems)).collect();
    emotions.into_iter().collect()
}

fn emotion(field: &Field, problems: &mut Problems) -> Read<Emotion> {
    let names = Emotion::names();
    let name = field.text(problems, &names)?;
    name.parse().map_err(|_| field.wrong(problems, names))
}

/// Words of attention, and whether `unknown` is one of them.
fn words(field: Field, problems: &mut Problems) -> Read<(Vec<Engagement>, bool)> {
    let names = Engagement::ALL.map(Engagement::as_str).join(", ");
    let allowed = format!("{names}; with one of them also {UNKNOWN}");
    let place = field.node.place;
    let fields = field.one_or_more(problems, Engagement::ALL.len() + 1, "a word")?;
    let mut found = Vec::new();
    let mut or_unknown = false;
    for field in fields {
        let word = field.text(problems, &allowed)?;
        if word == UNKNOWN {
            or_unknown = true;
            continue;
        }
        let engagement = Engagement::from_word(word);
        found.push(engagement.ok_or_else(|| field.wrong(problems, allowed.as_str()))?);
    }
    match found.is_empty() {
        true => Err(problems.note(place, format!("attention is only {UNKNOWN}"), allowed)),
        false => Ok((found, or_unknown)),
    }
}

/// `{from: 1, to: 3}`, one of them, or one number for both.
fn range(field: Field, problems: &mut Problems, limits: RangeInclusive<f64>) -> Read<Range> {
    if let Value::Number(_) = field.node.value {
        let number = field.number(problems, limits)?;
        return Ok(Range { from: number, to: number });
    }
    let mut map = Mapping::of(field, problems, &["from", "to"])?;
    range_in(&mut map, problems, limits)
}

fn range_in(
    map: &mut Mapping,
    problems: &mut Problems,
    limits: RangeInclusive<f64>,
) -> Read<Range> {
    let mut end = |key: &str, otherwise: f64| {
        map.optional(key).map_or(Ok((otherwise, false)), |field| {
            Ok((field.number(problems, limits.clone())?, true))
        })
    };
    let (from, to) = (end("from", f64::NEG_INFINITY), end("to", f64::INFINITY));
    let ((from, has_from), (to, has_to)) = (from?, to?);
    if !has_from && !has_to {
        return Err(map.incomplete(problems, "has neither from nor to", "one of them, or both"));
    }
    if from > to {
        return Err(map.wrong(
            problems,
            &format!("is from {from} to {to}"),
            "from the less to the more",
        ));
    }
    Ok(Range { from, to })
}

fn distance_m(field: Field, problems: &mut Problems) -> Read<(Range, bool)> {
    let mut map = Mapping::of(field, problems, &["from", "to", "or_unknown"])?;
    let or_unknown = map.optional("or_unknown").map_or(Ok(false), |field| flag(&field, problems));
    Ok((range_in(&mut map, problems, 0.0..=100.0)?, or_unknown?))
}

fn event(field: &Field, problems: &mut Problems) -> Read<Event> {
    let names = Event::ALL.map(Event::as_str).join(", ");
    let word = field.text(problems, &names)?;
    let event = Event::ALL.into_iter().find(|event| event.as_str() == word);
    event.ok_or_else(|| field.wrong(problems, names))
}

/// `{from: 22, to: 7}`, in hours from midnight.
pub(super) fn hours(field: Field, problems: &mut Problems) -> Read<Hours> {
    let mut map = Mapping::of(field, problems, &["from", "to"])?;
    let mut end = |key: &str| {
        map.required(problems, key, "0 to 24").and_then(|field| field.number(problems, 0.0..=24.0))
    };
    let (from, to) = (end("from"), end("to"));
    let hours = Hours { from: from?, to: to? };
    if hours.from == hours.to {
        return Err(map.wrong(problems, "are none: from equals to", "two different hours"));
    }
    Ok(hours)
}

/// `{speaking: true, mode: [idle, greeting]}`: states that the file names under `states`.
pub(super) fn states_are(
    field: Field,
    context: &Context,
    problems: &mut Problems,
) -> Read<Vec<StateIs>> {
    let names: Vec<&str> = context.states.keys().map(String::as_str).collect();
    let named = match names.is_empty() {
        true => "one that the file names under `states`, which names none".to_owned(),
        false => names.join(", "),
    };
    let entries = own_keys(field, problems, 16, "states and what each must be")?;
    let states: Vec<Read<StateIs>> = entries
        .into_iter()
        .map(|(name, field)| {
            let Some(state) = context.states.get(&name) else {
                return Err(problems.note(
                    field.key_place,
                    format!("state `{name}` is unknown"),
                    named.as_str(),
                ));
            };
            let one_of = if state.is_text {
                let fields = field.one_or_more(problems, 16, "a text")?;
                let texts: Vec<Read<StateValue>> = fields
                    .iter()
                    .map(|field| Ok(StateValue::Text(field.sentence(problems)?)))
                    .collect();
                texts.into_iter().collect::<Read<Vec<_>>>()?
            } else {
                vec![StateValue::Flag(flag(&field, problems)?)]
            };
            Ok(StateIs { name, one_of })
        })
        .collect();
    states.into_iter().collect()
}

/// The least time between two things, where the file names it.
pub(super) fn least_secs(
    map: &mut Mapping,
    problems: &mut Problems,
    key: &str,
    range: RangeInclusive<f64>,
    default_secs: u64,
) -> Read<Duration> {
    optional_secs(map, problems, key, range, Duration::from_secs(default_secs))
}
