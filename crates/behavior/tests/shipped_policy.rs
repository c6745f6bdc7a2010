//! Promise: the shipped policy is kind: calm, brief, never mirroring anger or sadness back, never
//! naming the emotion to the person, never guessing at a reason.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::path::Path;
use std::time::Duration;

use rapport_behavior::{Engine, FaceReading, Light, Policy, Response, Rule};
use rapport_vocabulary::{Emotion, ImageStamp};

/// Beginnings of words that are not said: the expressions and what people say for them, then talk
/// about feelings, looks and reasons.
const UNSPOKEN_STEMS: &str = "
    angr anger mad furious contempt despis scorn annoy upset irritat frustrat disgust gross fear afraid scare fright anxi
    worr nervous terrif panic happ joy cheer smil delight neutral bored sad unhapp cry tear depress
    gloom sorrow lonel hurt surpris shock startl amaz stress tense calm relax

    feel felt emotion mood face look seem appear expression wrong matter why because problem
    trouble tired
";

fn shipped() -> Policy {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../config/policy.yaml");
    Policy::read(&file).unwrap_or_else(|error| panic!("{error}"))
}

fn sentences(policy: &Policy) -> impl Iterator<Item = (&Rule, &String)> {
    policy.rules.iter().flat_map(|rule| rule.answer.say.iter().map(move |say| (rule, say)))
}

fn words(sentence: &str) -> Vec<String> {
    sentence
        .split(|character: char| !character.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(str::to_lowercase)
        .collect()
}

/// An image so many tenths of a second after the start.
fn tenths(count: u32) -> ImageStamp {
    ImageStamp::at(Duration::from_millis(100) * count)
}

/// All that the robot does for a person alone with it who shows one expression for `secs`.
fn responses_to(emotion: Emotion, confidence: f32, secs: u32) -> Vec<Response> {
    let mut engine = Engine::new(shipped());
    let reading = [FaceReading { face_id: "f1", emotion, confidence }];
    (0..secs * 10).filter_map(|tenth| engine.observe(tenths(tenth), &reading).response).collect()
}

#[test]
fn it_never_names_an_emotion_or_guesses_at_a_reason() {
    let policy = shipped();
    for (rule, sentence) in sentences(&policy) {
        for word in words(sentence) {
            let named = UNSPOKEN_STEMS.split_whitespace().find(|stem| word.starts_with(stem));
            assert_eq!(named, None, "{} says {sentence:?}", rule.name);
        }
    }
    assert!(sentences(&policy).count() >= 4, "there is speech to check");
}

#[test]
fn it_is_brief_and_asks_nothing() {
    for (rule, sentence) in sentences(&shipped()) {
        assert!(words(sentence).len() < 12, "{}: {sentence:?}", rule.name);
        assert!(!sentence.contains(['?', '!']), "{}: {sentence:?}", rule.name);
    }
    for rule in &shipped().rules {
        assert!(rule.answer.duration <= Duration::from_secs(6), "{}", rule.name);
        assert!(rule.answer.say.is_empty() || rule.cooldown.as_secs() >= 300, "{}", rule.name);
    }
}

#[test]
fn it_mirrors_friendliness_and_nothing_else() {
    for rule in &shipped().rules {
        let expression = rule.answer.outputs.expression.as_deref();
        if rule.emotions == [Emotion::Happy] {
            assert_eq!(expression, Some("happy"));
        } else {
            assert!(matches!(expression, None | Some("neutral")), "{}: {expression:?}", rule.name);
        }
        for gesture in rule.answer.outputs.gesture.iter() {
            let calm = ["nod", "slow_nod", "step_back", "hold_still"];
            assert!(calm.contains(&gesture.as_str()), "{}: {gesture}", rule.name);
        }
    }
    assert_eq!(shipped().rest.expression.as_deref(), Some("neutral"));
}

#[test]
fn its_light_is_soft_and_never_red() {
    let policy = shipped();
    let lights: Vec<Light> = policy
        .rules
        .iter()
        .filter_map(|rule| rule.answer.outputs.light)
        .chain(policy.rest.light)
        .collect();
    assert!(lights.len() >= 4);
    for light in lights {
        let [red, green, blue] = [light.red, light.green, light.blue].map(|share| share.get());
        let (most, least) = (red.max(green).max(blue), red.min(green).min(blue));
        // Pale: no color stands out. Not red: green follows red closely, as in warm white.
        assert!((most - least) / most < 0.5, "{light:?}");
        assert!(green > 0.8 * red, "{light:?}");
        assert!(light.opacity.get() <= 0.5, "{light:?}");
    }
}

#[test]
fn where_somebody_is_tense_it_does_less() {
    let policy = shipped();
    let answers_to = |emotion| policy.rules.iter().find(|rule| rule.emotions.contains(&emotion));
    let warm = answers_to(Emotion::Happy).unwrap();
    for tense in [Emotion::Angry, Emotion::Disgust, Emotion::Fear, Emotion::Sad] {
        let rule = answers_to(tense).unwrap();
        assert!(rule.answer.intensity < warm.answer.intensity, "{}", rule.name);
        assert!(
            rule.answer.outputs.light.unwrap().opacity < warm.answer.outputs.light.unwrap().opacity
        );
        assert!(rule.priority > warm.priority, "{}", rule.name);
        assert!(rule.cooldown.as_secs() >= 120, "{}", rule.name);
    }
    assert_eq!(answers_to(Emotion::Fear).unwrap().answer.say, [""; 0], "fear is met in silence");
    assert_eq!(answers_to(Emotion::Neutral), None, "a neutral face is left in peace");
}

#[test]
fn a_person_is_answered_once_in_two_minutes() {
    let named = shipped().emotions();
    for emotion in Emotion::ALL {
        let answered = responses_to(emotion, 0.9, 115).len();
        assert_eq!(answered, usize::from(named.contains(&emotion)), "{emotion}");
    }
    // The shipped network hardly ever names contempt.
    let left_alone = [Emotion::Neutral, Emotion::Contempt];
    assert!(Emotion::ALL.iter().all(|e| named.contains(e) != left_alone.contains(e)), "{named:?}");
    assert_eq!(responses_to(Emotion::Angry, 0.5, 60), [], "an unsure reading is left alone");
}

#[test]
fn a_passing_expression_is_left_alone() {
    for emotion in Emotion::ALL {
        let mut engine = Engine::new(shipped());
        let reading = [FaceReading { face_id: "f1", emotion, confidence: 0.95 }];
        for tenth in 0..7 {
            assert_eq!(engine.observe(tenths(tenth), &reading).response, None, "{emotion}");
        }
    }
}
