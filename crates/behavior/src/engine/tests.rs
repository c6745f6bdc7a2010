#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::path::Path;

use proptest::prelude::*;

use super::super::people::MAX_FACES;
use super::*;

/// Two rules: a smile held for a second, and fear at once with a higher priority.
const POLICY: &str = "
version: 1
pause_secs: 2
gap_secs: 0.5
rest: {expression: resting}
rules:
  - name: smile
    when: {emotion: happy, confidence: 0.6, for_secs: 1}
    cooldown_secs: 20
    cooldown_anyone_secs: 6
    answer: {say: [one, two, three], duration_secs: 1}
  - name: hush
    when: {emotion: [fear, sad], confidence: 0.5, for_secs: 0}
    cooldown_secs: 10
    priority: 5
    answer: {gesture: hold_still, duration_secs: 3}
";

fn policy() -> Policy {
    Policy::parse(Path::new("test.yaml"), POLICY.as_bytes()).unwrap()
}

fn engine() -> Engine {
    Engine::new(policy())
}

fn face(face_id: &str, emotion: Emotion, confidence: f32) -> FaceReading<'_> {
    FaceReading::new(face_id, emotion, confidence)
}

fn smile(face_id: &str) -> FaceReading<'_> {
    face(face_id, Emotion::Happy, 0.8)
}

fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

/// An image that came at the moment of its stamp.
fn at(ms: u64) -> ImageStamp {
    ImageStamp::at(Duration::from_millis(ms))
}

fn stamped(stamp: Duration, arrival_ms: u64) -> ImageStamp {
    ImageStamp { stamp: Some(stamp), arrival: ms(arrival_ms) }
}

/// Shows the same faces ten times a second from one time to another, both included, and gives the
/// times of the responses with their rules and faces.
fn show(
    engine: &mut Engine,
    from_ms: u64,
    to_ms: u64,
    readings: &[FaceReading<'_>],
) -> Vec<(u64, String, String)> {
    (from_ms..=to_ms)
        .step_by(100)
        .filter_map(|now| {
            let response = engine.observe(at(now), readings).response?;
            Some((now, response.rule, response.face_id))
        })
        .collect()
}

fn fired(at_ms: u64, rule: &str, face: &str) -> (u64, String, String) {
    (at_ms, rule.to_owned(), face.to_owned())
}

#[test]
fn a_response_stopped_early_rests_once() {
    let mut engine = engine();
    assert!(engine.stop("test").rest.is_none());
    assert!(engine.observe(at(1000), &[face("f1", Emotion::Fear, 0.8)]).response.is_some());
    assert_eq!(engine.stop("test").rest.unwrap().expression.as_deref(), Some("resting"));
    assert!(engine.stop("test").rest.is_none() && engine.tick(ms(9000)).rest.is_none());
}

#[test]
fn an_expression_is_answered_once_it_has_lasted() {
    let mut engine = engine();
    assert_eq!(show(&mut engine, 0, 3_000, &[smile("f1")]), [fired(1_000, "smile", "f1")]);
}

#[test]
fn the_reason_says_what_was_seen_and_what_was_asked() {
    let mut engine = engine();
    assert_eq!(engine.observe(at(0), &[face("f1", Emotion::Happy, 0.82)]), Decision::default());
    assert_eq!(engine.observe(at(400), &[face("f1", Emotion::Happy, 0.9)]), Decision::default());
    assert_eq!(engine.observe(at(800), &[face("f1", Emotion::Happy, 0.7)]), Decision::default());
    let response = engine.observe(at(1_200), &[face("f1", Emotion::Happy, 0.82)]).response.unwrap();
    assert_eq!(response.reason, "happy at 0.82 for 1.2 s (rule asks 0.60 for 1.0 s)");
    assert_eq!(response.duration, ms(1_000));
}

#[test]
fn a_short_gap_does_not_end_an_expression_and_a_long_one_does() {
    for (gap_ms, answered_ms) in [(500, 1_000), (600, 1_900)] {
        let mut engine = engine();
        assert_eq!(show(&mut engine, 0, 300, &[smile("f1")]), []);
        // Neither a missed face nor a flicker to another expression nor an unsure reading counts.
        assert_eq!(engine.observe(at(400), &[]), Decision::default());
        assert_eq!(
            engine.observe(at(500), &[face("f1", Emotion::Neutral, 0.9)]),
            Decision::default()
        );
        assert_eq!(
            engine.observe(at(600), &[face("f1", Emotion::Happy, 0.59)]),
            Decision::default()
        );
        let answered = show(&mut engine, 300 + gap_ms, 3_000, &[smile("f1")]);
        assert_eq!(answered, [fired(answered_ms, "smile", "f1")], "gap of {gap_ms} ms");
    }
}

#[test]
fn the_cooldown_is_kept_for_each_face_and_the_other_one_for_all() {
    let mut engine = engine();
    let both = [smile("f1"), smile("f2")];
    assert_eq!(
        show(&mut engine, 0, 30_000, &both),
        [
            fired(1_000, "smile", "f1"),
            fired(7_000, "smile", "f2"),
            fired(21_000, "smile", "f1"),
            fired(27_000, "smile", "f2"),
        ]
    );
}

#[test]
fn a_face_that_leaves_and_returns_in_its_cooldown_is_not_answered_again() {
    let mut engine = engine();
    assert_eq!(show(&mut engine, 0, 2_000, &[smile("f1")]).len(), 1);
    assert_eq!(show(&mut engine, 2_100, 15_000, &[]), []);
    assert_eq!(show(&mut engine, 15_100, 25_000, &[smile("f1")]), [fired(21_000, "smile", "f1")]);
}

#[test]
fn priority_then_confidence_then_order_decide() {
    let afraid = |id, confidence| face(id, Emotion::Fear, confidence);
    let first = |readings: &[FaceReading<'_>]| {
        let mut engine = engine();
        engine.observe(at(0), readings).response.map(|response| response.face_id)
    };
    assert_eq!(first(&[afraid("f1", 0.6), afraid("f2", 0.9)]).as_deref(), Some("f2"));
    assert_eq!(first(&[afraid("f1", 0.6), afraid("f2", 0.6)]).as_deref(), Some("f1"));

    let mut engine = engine();
    assert_eq!(show(&mut engine, 0, 900, &[smile("f1")]), []);
    let readings = [smile("f1"), afraid("f2", 0.5)];
    let response = engine.observe(at(1_000), &readings).response.unwrap();
    assert_eq!(response.rule, "hush", "less sure, but of higher priority");
}

#[test]
fn of_equals_the_first_in_the_policy_then_the_first_in_the_image_is_answered() {
    let rule = |name: &str, emotion: &str| {
        format!(
            "  - name: {name}\n    when: {{emotion: {emotion}, confidence: 0, for_secs: 0}}\n    \
             cooldown_secs: 5\n    answer: {{gesture: nod, duration_secs: 1}}\n"
        )
    };
    let text =
        format!("version: 1\nrules:\n{}{}", rule("first", "happy"), rule("second", "[happy, sad]"));
    let policy = Policy::parse(Path::new("test.yaml"), text.as_bytes()).unwrap();
    let sad = face("f0", Emotion::Sad, 0.8);
    let readings = [sad, smile("f1"), smile("f2")];
    let response = Engine::new(policy).observe(at(0), &readings).response.unwrap();
    assert_eq!((response.rule.as_str(), response.face_id.as_str()), ("first", "f1"));
}

#[test]
fn a_running_response_is_not_cut_short_by_a_higher_priority() {
    let mut engine = engine();
    assert_eq!(show(&mut engine, 0, 1_000, &[smile("f1")]).len(), 1);
    let afraid = [face("f2", Emotion::Fear, 1.0)];
    // One second of the smile's answer, two of pause.
    assert_eq!(show(&mut engine, 1_100, 9_000, &afraid), [fired(4_000, "hush", "f2")]);
}

#[test]
fn the_variants_of_what_to_say_take_turns() {
    let mut engine = engine();
    let said: Vec<_> = (0..900)
        .filter_map(|tenth| engine.observe(at(tenth * 100), &[smile("f1")]).response)
        .filter_map(|response| response.outputs.speech)
        .collect();
    assert_eq!(said, ["one", "two", "three", "one", "two"]);
}

#[test]
fn the_end_of_a_response_is_told_once() {
    let mut engine = engine();
    assert_eq!(engine.tick(ms(0)).rest, None, "nothing to rest from");
    show(&mut engine, 0, 1_000, &[smile("f1")]);
    assert_eq!(engine.tick(ms(1_900)).rest, None);
    // No image came since: the time is that of the caller alone.
    let rest = engine.tick(ms(2_000)).rest.expect("the second is over");
    assert_eq!(rest.expression.as_deref(), Some("resting"));
    assert_eq!(engine.tick(ms(2_100)).rest, None);
    // Looking ahead has not moved the clock that cooldowns use.
    assert_eq!(show(&mut engine, 1_100, 21_000, &[smile("f1")]), [fired(21_000, "smile", "f1")]);
}

#[test]
fn an_image_after_the_end_of_a_response_tells_the_end() {
    let mut engine = engine();
    show(&mut engine, 0, 1_000, &[smile("f1")]);
    assert_eq!(engine.observe(at(1_900), &[]), Decision::default());
    let rest = engine.observe(at(2_000), &[]).rest.expect("the second is over");
    assert_eq!(rest.expression.as_deref(), Some("resting"));
    assert_eq!(engine.observe(at(2_100), &[]), Decision::default());
}

#[test]
fn a_clock_that_is_set_neither_ends_a_response_nor_keeps_it_on() {
    for stamp in [ms(600_000), ms(0)] {
        let mut engine = engine();
        show(&mut engine, 1_000, 2_000, &[smile("f1")]);
        assert_eq!(engine.observe(stamped(stamp, 2_100), &[]), Decision::default(), "at {stamp:?}");
        assert_eq!(engine.tick(ms(2_999)).rest, None);
        let rest = engine.observe(stamped(stamp + ms(900), 3_000), &[]).rest;
        assert!(rest.is_some(), "the second is over after {stamp:?}");
    }
}

#[test]
fn a_recording_that_starts_over_neither_locks_nor_chatters() {
    let mut engine = engine();
    let answered = (0..1_000_u64)
        .filter_map(|tenth| {
            let image = stamped(ms(5_000 + tenth % 100 * 100), tenth * 100);
            engine.observe(image, &[smile("f1")]).response
        })
        .count();
    // A hundred seconds of smile with a cooldown of twenty: about five answers, one of each of
    // the rounds in which it ran out.
    assert!((4..=5).contains(&answered), "{answered}");
}

#[test]
fn a_stamp_from_the_far_future_locks_nothing() {
    let mut engine = engine();
    assert_eq!(show(&mut engine, 0, 1_000, &[smile("f1")]).len(), 1);
    let far = stamped(Duration::MAX, 1_100);
    assert_eq!(engine.observe(far, &[smile("f1")]), Decision::default());
    let decisions: Vec<Decision> =
        (12..300).map(|tenth| engine.observe(at(tenth * 100), &[smile("f1")])).collect();
    assert_eq!(decisions.iter().filter(|decision| decision.response.is_some()).count(), 1);
    assert_eq!(decisions.iter().filter(|decision| decision.rest.is_some()).count(), 2);
}

#[test]
fn two_cameras_on_clocks_far_apart_keep_cooldowns_and_rests() {
    let mut engine = engine();
    let afraid = [face("f1", Emotion::Fear, 1.0)];
    let decisions: Vec<Decision> = (0..1_000_u64)
        .map(|turn| {
            let stamp = ms(turn * 100 + turn % 2 * 1_000_000);
            engine.observe(stamped(stamp, turn * 100), &afraid)
        })
        .collect();
    // A hundred seconds with a cooldown of ten.
    assert_eq!(decisions.iter().filter(|decision| decision.response.is_some()).count(), 10);
    assert_eq!(decisions.iter().filter(|decision| decision.rest.is_some()).count(), 10);
}

#[test]
fn stamps_that_stand_still_are_missing_or_count_whole_seconds_are_answered_alike() {
    for stamp in [
        |_: u64| Some(ms(7_000)),
        |_: u64| None,
        |time: u64| Some(Duration::from_secs(time / 1_000)),
        |time: u64| Some(ms(time)),
    ] {
        let mut engine = engine();
        let mut events = Vec::new();
        for time in (2_000..=102_000).step_by(100) {
            let image = ImageStamp { stamp: stamp(time), arrival: ms(time) };
            let Decision { rest, response, .. } = engine.observe(image, &[smile("f1")]);
            events.extend(rest.map(|_| (time, "rest")));
            events.extend(response.map(|_| (time, "response")));
        }
        let expected: Vec<_> = (0..5)
            .flat_map(|turn| {
                [(3_000, "response"), (4_000, "rest")].map(|(t, e)| (t + turn * 20_000, e))
            })
            .collect();
        assert_eq!(events, expected);
    }
}

#[test]
fn a_confidence_that_is_no_number_is_ignored() {
    let mut engine = engine();
    assert_eq!(engine.observe(at(0), &[face("f1", Emotion::Fear, f32::NAN)]), Decision::default());
}

#[test]
fn faces_are_forgotten_when_nothing_of_them_matters() {
    let mut engine = engine();
    show(&mut engine, 0, 500, &[smile("f1"), smile("f2"), face("f3", Emotion::Neutral, 1.0)]);
    assert_eq!(engine.faces_remembered(), 3, "whoever is in view");
    show(&mut engine, 600, 1_000, &[smile("f1")]);
    show(&mut engine, 1_100, 30_900, &[]);
    assert_eq!(engine.faces_remembered(), 1, "the visits of the others are over");
    show(&mut engine, 31_000, 31_100, &[]);
    assert_eq!(engine.faces_remembered(), 0);
}

#[test]
fn a_cooldown_is_remembered_longer_than_a_visit() {
    let text = POLICY.replace("cooldown_secs: 20", "cooldown_secs: 60");
    let mut engine = Engine::new(Policy::parse(Path::new("test.yaml"), text.as_bytes()).unwrap());
    show(&mut engine, 0, 1_000, &[smile("f1")]);
    show(&mut engine, 1_100, 60_900, &[]);
    assert_eq!(engine.faces_remembered(), 1);
    show(&mut engine, 61_000, 61_000, &[]);
    assert_eq!(engine.faces_remembered(), 0);
}

#[test]
fn memory_is_bounded_however_many_faces_come() {
    let mut engine = engine();
    let ids: Vec<String> = (0..20_000).map(|index| format!("f{index}")).collect();
    for (turn, chunk) in ids.chunks(1_000).enumerate() {
        let crowd: Vec<_> = chunk.iter().map(|id| smile(id)).collect();
        // All at nearly one time, so that no streak ends by itself.
        engine.observe(at(turn as u64), &crowd);
        assert!(engine.faces_remembered() <= MAX_FACES);
    }
    assert_eq!(engine.faces_remembered(), MAX_FACES);
}

/// One message of a random sequence.
#[derive(Debug, Clone)]
struct Message {
    /// From the newest stamp to this one; none: without a stamp.
    step_ms: Option<i64>,
    /// From the arrival of the message before to that of this one.
    arrival_step_ms: u64,
    readings: Vec<(String, Emotion, f32)>,
}

fn message() -> impl Strategy<Value = Message> {
    let step_ms = prop_oneof![
        20 => (0..400_i64).prop_map(Some),
        4 => Just(Some(0)),
        4 => (-200..0_i64).prop_map(Some),
        1 => (-100_000..-200_i64).prop_map(Some),
        1 => (400..200_000_i64).prop_map(Some),
        1 => Just(None),
    ];
    let arrival_step_ms = prop_oneof![9 => 0..400_u64, 1 => 0..100_000_u64];
    let emotion = prop::sample::select(vec![Emotion::Happy, Emotion::Fear, Emotion::Neutral]);
    let reading = ("f[1-4]", emotion, prop_oneof![9 => 0.4..1.0_f32, 1 => Just(f32::NAN)]);
    (step_ms, arrival_step_ms, prop::collection::vec(reading, 0..4)).prop_map(
        |(step_ms, arrival_step_ms, readings)| Message { step_ms, arrival_step_ms, readings },
    )
}

/// What the test remembers of a message: its time, whether the clock jumped before it, and which
/// faces it showed.
struct Past {
    now_ms: i64,
    jumped: bool,
    readings: Vec<(String, Emotion, f32)>,
}

/// For how long a face has matched a rule at the newest message, found by going through all of the
/// past.
fn lasted_ms(past: &[Past], rule: &Rule, face: &str, gap_ms: i64) -> i64 {
    let end = past.last().map_or(0, |message| message.now_ms);
    let mut since = end;
    for message in past.iter().rev() {
        let reading = message.readings.iter().find(|(id, ..)| id == face);
        let matches = reading.is_some_and(|(_, emotion, confidence)| {
            rule.when.emotions.contains(emotion) && *confidence >= rule.when.confidence.get()
        });
        if matches {
            if since - message.now_ms > gap_ms {
                break;
            }
            since = message.now_ms;
        }
        if message.jumped {
            break;
        }
    }
    end - since
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn manners_are_kept_whatever_comes(messages in prop::collection::vec(message(), 1..300)) {
        let policy = policy();
        let mut engine = engine();
        let mut past: Vec<Past> = Vec::new();
        let mut responses: Vec<(i64, Response)> = Vec::new();
        let mut resting = true;
        // The same clock as the engine's: that it counts right is tested where it is made.
        let mut clock = SteadyClock::default();
        let (mut stamp_ms, mut arrival_ms, mut now_ms) = (10_000_000_i64, 0_u64, 0_i64);
        for Message { step_ms, arrival_step_ms, readings } in messages {
            arrival_ms += arrival_step_ms;
            stamp_ms = (stamp_ms + step_ms.unwrap_or(0)).max(0);
            let stamp = step_ms.map(|_| ms(stamp_ms as u64));
            let image = ImageStamp { stamp, arrival: ms(arrival_ms) };
            let advance = clock.advance(image);
            let late = advance == Advance::Overtaken;
            if !late {
                now_ms = clock.now().as_millis() as i64;
                let jumped = advance == Advance::Jumped;
                past.push(Past { now_ms, jumped, readings: readings.clone() });
            }
            let faces: Vec<FaceReading<'_>> = readings
                .iter()
                .map(|(id, emotion, confidence)| face(id, *emotion, *confidence))
                .collect();
            let Decision { rest, response, .. } = engine.observe(image, &faces);
            if rest.is_some() {
                prop_assert!(!late && !resting, "at rest once, in time");
                resting = true;
            }
            prop_assert!(engine.faces_remembered() <= 4);
            if let Some(response) = response {
                prop_assert!(!late, "an overtaken message is not answered");
                prop_assert!(resting, "a response begins when the one before has ended");
                resting = false;
                let rule = policy.rules.iter().find(|rule| rule.name == response.rule).unwrap();
                let needed_ms = rule.when.lasting.as_millis() as i64;
                let lasted = lasted_ms(&past, rule, &response.face_id, 500);
                prop_assert!(lasted >= needed_ms, "{} after {lasted} ms", response.rule);
                for (at_ms, other) in &responses {
                    let since_ms = now_ms - at_ms;
                    let quiet = other.duration + policy.pause;
                    prop_assert!(since_ms >= quiet.as_millis() as i64, "chatters");
                    if other.rule == response.rule {
                        prop_assert!(since_ms >= rule.cooldown_anyone.as_millis() as i64);
                        if other.face_id == response.face_id {
                            prop_assert!(since_ms >= rule.cooldown.as_millis() as i64);
                        }
                    }
                }
                responses.push((now_ms, response));
            }
            if engine.tick(ms(arrival_ms)).rest.is_some() {
                prop_assert!(!resting, "at rest once");
                resting = true;
            }
        }
        let over = responses.last().is_none_or(|(at_ms, response)| {
            now_ms - at_ms >= response.duration.as_millis() as i64
        });
        prop_assert!(resting || !over, "no rest is missed");
    }
}
