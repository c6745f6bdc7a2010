//! Promise: every condition and limit of a policy holds on simulated time: attention, distance, numbers
//! of people, events, hours, states, changes, groups, visits, limits, calls to the staff, ends.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::path::Path;
use std::time::Duration;

use rapport_behavior::{
    Decision, Engine, FaceBox, FaceReading, HeldBack, LONGEST_RESPONSE, Outcome, Policy, StateValue,
};
use rapport_vocabulary::{Emotion, Engagement, ImageStamp};

/// A policy with one rule under these conditions, and more keys at the top.
fn engine_of(top: &str, rules: &[(&str, &str)]) -> Engine {
    let mut text = format!("version: 2\npause_secs: 0\n{top}\nrules:\n");
    for (index, (when, more)) in rules.iter().enumerate() {
        text += &format!("  - {{name: rule{index}, when: {when}, {more}}}\n");
    }
    let policy = Policy::parse(Path::new("test.yaml"), text.as_bytes());
    Engine::new(policy.unwrap_or_else(|error| panic!("{error}\n{text}")))
}

const NOD: &str = "cooldown_secs: 0, answer: {gesture: nod, duration_secs: 0.1}";
const ONCE: &str = "cooldown_secs: 1000, answer: {gesture: nod, duration_secs: 0.1}";

fn at(ms: u64) -> ImageStamp {
    ImageStamp::at(Duration::from_millis(ms))
}

fn neutral(id: &str) -> FaceReading<'_> {
    FaceReading::new(id, Emotion::Neutral, 0.9)
}

fn away(id: &str, x_m: f32, away_m: f32) -> FaceReading<'_> {
    FaceReading { position_m: Some([x_m, 0.0, away_m]), ..neutral(id) }
}

fn boxed(id: &str, left_px: f32, width_px: f32) -> FaceReading<'_> {
    FaceReading { face_box: FaceBox::new(left_px, 100.0, width_px, width_px), ..neutral(id) }
}

/// Whether the one rule fires at once.
fn fires(when: &str, reading: FaceReading<'_>) -> bool {
    let mut engine = engine_of("", &[(when, NOD)]);
    engine.observe(at(0), &[reading]).response.is_some()
}

#[test]
fn conditions_on_what_a_person_shows() {
    let happy =
        FaceReading { valence: 0.6, arousal: 0.2, ..FaceReading::new("f", Emotion::Happy, 0.8) };
    for (when, holds) in [
        ("{emotion: happy}", true),
        ("{emotion: [sad, happy], confidence: 0.8}", true),
        ("{emotion: happy, confidence: 0.81}", false),
        ("{emotion: sad}", false),
        ("{emotion: happy, sure: true}", false),
        ("{valence: {from: 0.5}}", true),
        ("{valence: {from: 0.5, to: 0.55}}", false),
        ("{arousal: {to: 0.1}}", false),
        ("{arousal: {to: 0.3}, valence: {from: 0}}", true),
        ("{from: neutral, emotion: happy}", false),
    ] {
        assert_eq!(fires(when, happy), holds, "{when}");
    }
    assert!(fires("{emotion: happy, sure: true}", FaceReading { sure: true, ..happy }));
    assert!(!fires("{valence: {from: -1, to: 1}}", FaceReading { valence: f32::NAN, ..happy }));
}

#[test]
fn a_condition_on_what_is_unknown_does_not_hold_unless_it_says_so() {
    for (when, holds) in [
        ("{attention: [disengaged, engaging, engaged, disengaging]}", false),
        ("{attention: [engaged, unknown]}", true),
        ("{distance_m: {from: 0}}", false),
        ("{distance_m: {to: 1, or_unknown: true}}", true),
        ("{people: 1, hours: {from: 0, to: 24}}", false),
        ("{people: 1, state: {charging: false}}", false),
    ] {
        let mut engine = engine_of("states: {charging: /charging}", &[(when, NOD)]);
        let fired = engine.observe(at(0), &[neutral("f")]).response.is_some();
        assert_eq!(fired, holds, "{when}");
    }
    let engaged = FaceReading { engagement: Some(Engagement::Engaged), ..neutral("f") };
    assert!(fires("{attention: engaged}", engaged) && !fires("{attention: disengaged}", engaged));
    assert!(fires("{distance_m: {from: 2, to: 3}}", away("f", 1.5, 2.0)));
    assert!(!fires("{distance_m: {to: 2, or_unknown: true}}", away("f", 1.5, 2.0)));
}

#[test]
fn a_change_is_from_one_expression_to_another() {
    let mut engine =
        engine_of("", &[("{from: [neutral, sad], emotion: happy, for_secs: 0.5}", NOD)]);
    let show = |engine: &mut Engine, from: u64, emotion| {
        (from..from + 1_000).step_by(100).find(|ms| {
            let reading = FaceReading::new("f", emotion, 0.9);
            engine.observe(at(*ms), &[reading]).response.is_some()
        })
    };
    assert_eq!(show(&mut engine, 0, Emotion::Surprise), None);
    assert_eq!(show(&mut engine, 1_000, Emotion::Happy), None, "from surprise");
    assert_eq!(show(&mut engine, 2_000, Emotion::Neutral), None);
    assert_eq!(show(&mut engine, 3_000, Emotion::Happy), Some(3_500));
    // After a time out of sight, nobody knows what was shown before.
    assert_eq!(show(&mut engine, 4_000, Emotion::Neutral), None);
    assert_eq!(show(&mut engine, 9_000, Emotion::Happy), None);
}

#[test]
fn people_and_groups_in_view_are_counted() {
    let three = [away("a", 0.0, 2.0), away("b", 0.5, 2.0), away("c", 4.0, 2.0)];
    for (when, holds) in [
        ("{people: 3, groups: 2}", true),
        ("{people: {from: 4}}", false),
        ("{people: {to: 2}}", false),
        ("{groups: 3}", false),
    ] {
        let mut engine = engine_of("", &[(when, NOD)]);
        assert_eq!(engine.observe(at(0), &three).response.is_some(), holds, "{when}");
    }
}

#[test]
fn events_are_answered_for_as_long_as_the_rule_says() {
    let event = |name: &str| format!("{{event: {name}, within_secs: 0.5}}");
    let mut engine = engine_of("", &[(&event("appears"), NOD)]);
    let times: Vec<u64> = (0..20)
        .map(|tenth| tenth * 100)
        .filter(|ms| engine.observe(at(*ms), &[neutral("f")]).response.is_some())
        .collect();
    assert_eq!(times, [0, 100, 200, 300, 400, 500]);

    let mut engine = engine_of("near_m: 1.5", &[(&event("comes_near"), ONCE)]);
    let mut fired = Vec::new();
    for (tenth, distance) in [3.0, 2.5, 2.0, 1.6, 1.5, 1.4, 1.5, 1.6].into_iter().enumerate() {
        let decision = engine.observe(at(tenth as u64 * 100), &[away("f", 0.0, distance)]);
        fired.extend(decision.response.map(|_| distance));
    }
    assert_eq!(fired, [1.5]);
    let mut engine = engine_of("near_m: 1.5", &[(&event("comes_near"), ONCE)]);
    assert_eq!(engine.observe(at(0), &[away("f", 0.0, 1.0)]).response, None, "was near at once");

    let mut engine = engine_of("", &[(&event("turns_away"), ONCE)]);
    let stands = |engagement| [FaceReading { engagement, ..neutral("f") }];
    assert!(engine.observe(at(0), &stands(Some(Engagement::Engaged))).response.is_none());
    assert!(engine.observe(at(100), &stands(None)).response.is_none(), "unknown");
    assert!(engine.observe(at(200), &stands(Some(Engagement::Engaged))).response.is_none());
    assert!(engine.observe(at(300), &stands(Some(Engagement::Disengaging))).response.is_some());

    let mut engine = engine_of("", &[(&event("leaves"), ONCE)]);
    assert!(engine.observe(at(0), &[neutral("f"), neutral("g")]).response.is_none());
    let left: Vec<_> = (1..60)
        .filter_map(|tenth| {
            engine.observe(at(tenth * 100), &[neutral("g")]).response.map(|r| (tenth, r.face_id))
        })
        .collect();
    assert_eq!(left, [(20, "f".to_owned())]);
}

#[test]
fn hours_and_states_are_conditions() {
    let mut engine = engine_of(
        "states: {charging: /charging, mode: {topic: mode, type: std_msgs/String}}",
        &[("{state: {charging: false, mode: [idle, tour]}, hours: {from: 22, to: 7}}", NOD)],
    );
    let mut fires = |hour, charging, mode: &str, ms| {
        engine.set_hour(Some(hour));
        engine.set_state("charging", StateValue::Flag(charging));
        engine.set_state("mode", StateValue::Text(mode.to_owned()));
        engine.observe(at(ms), &[neutral("f")]).response.is_some()
    };
    assert!(fires(23.0, false, "tour", 0));
    assert!(fires(6.99, false, "idle", 1_000));
    assert!(!fires(7.0, false, "idle", 2_000));
    assert!(!fires(23.0, true, "idle", 3_000));
    assert!(!fires(23.0, false, "asleep", 4_000));
}

#[test]
fn who_came_together_is_answered_once_and_who_came_later_on_their_own() {
    let conditions = [("{emotion: neutral}", ONCE)];
    let run = |readings: &dyn Fn(u64) -> Vec<FaceReading<'static>>| {
        let mut engine = engine_of("", &conditions);
        let responses =
            (0..100).filter_map(|tenth| engine.observe(at(tenth * 100), &readings(tenth)).response);
        responses.map(|response| (response.face_id, response.group)).collect::<Vec<_>>()
    };
    let owned = |id: &str, group: &[&str]| {
        (id.to_owned(), group.iter().map(|id| (*id).to_owned()).collect::<Vec<_>>())
    };
    let beside = run(&|_| vec![away("a", 0.0, 2.0), away("b", 1.0, 2.0), away("c", 2.0, 2.0)]);
    assert_eq!(beside, [owned("a", &["b", "c"])], "each beside the next");
    let apart = run(&|_| vec![away("a", 0.0, 2.0), away("b", 1.3, 2.0)]);
    assert_eq!(apart, [owned("a", &[]), owned("b", &[])]);
    let later = run(&|tenth| {
        let mut readings = vec![away("a", 0.0, 2.0)];
        readings.extend((tenth > 31).then(|| away("b", 0.5, 2.0)));
        readings
    });
    assert_eq!(later, [owned("a", &[]), owned("b", &[])], "more than three seconds later");
    // Without a camera's intrinsics the boxes tell: a face is 0.16 m wide.
    let boxes = run(&|_| vec![boxed("a", 0.0, 50.0), boxed("b", 300.0, 50.0)]);
    assert_eq!(boxes, [owned("a", &["b"])]);
    let boxes = run(&|_| vec![boxed("a", 0.0, 50.0), boxed("b", 300.0, 90.0)]);
    assert_eq!(boxes.len(), 2, "one is much nearer");
    let unknown = run(&|_| vec![neutral("a"), neutral("b")]);
    assert_eq!(unknown.len(), 2, "nothing says that they are together");
}

#[test]
fn a_visit_has_one_greeting_under_any_id_over_off_and_on_and_over_another_policy() {
    const GREET: &str =
        "cooldown_secs: 0, greeting: true, answer: {say: Hello., duration_secs: 0.1}";
    let mut engine = engine_of("", &[("{emotion: neutral}", GREET), ("{people: 1}", GREET)]);
    let mut count = |from: u64, to: u64, id: &str, left_px: f32, is_on: bool| {
        (from..to)
            .step_by(100)
            .filter(|ms| {
                let reading = [boxed(id, left_px, 50.0)];
                if is_on {
                    return engine.observe(at(*ms), &reading).response.is_some();
                }
                engine.watch(at(*ms), &reading);
                false
            })
            .count()
    };
    assert_eq!(count(0, 3_000, "a", 100.0, true), 1);
    assert_eq!(count(5_000, 8_000, "b", 130.0, true), 0, "the same place");
    assert_eq!(count(8_000, 50_000, "b", 130.0, false), 0);
    assert_eq!(count(50_000, 55_000, "c", 130.0, true), 0, "seen all the time while it was off");
    assert_eq!(count(60_000, 61_000, "d", 400.0, true), 1, "another place");
    assert_eq!(count(95_000, 96_000, "e", 130.0, true), 1, "the visit was over");
    let again = engine.policy().clone();
    engine.replace_policy(again);
    let reading = [boxed("e", 130.0, 50.0)];
    assert!((961..1_000).all(|tenth| engine.observe(at(tenth * 100), &reading).response.is_none()));
}

#[test]
fn through_the_edge_of_the_image_one_leaves_and_another_comes() {
    const GREET: &str =
        "cooldown_secs: 0, greeting: true, answer: {say: Hello., duration_secs: 0.1}";
    for (lost_ms, greeted) in [(1_500, 1), (2_500, 2)] {
        let mut engine = engine_of("", &[("{emotion: neutral}", GREET)]);
        let at_edge = FaceBox::new(590.0, 100.0, 50.0, 60.0).map(|found| found.in_image(640));
        let mut count = 0;
        for (id, from) in [("a", 0), ("b", 1_000 + lost_ms)] {
            for tenth in 0..=10 {
                let reading = FaceReading { face_box: at_edge, ..neutral(id) };
                let decision = engine.observe(at(from + tenth * 100), &[reading]);
                count += usize::from(decision.response.is_some());
            }
        }
        assert_eq!(count, greeted, "lost for {lost_ms} ms");
    }
}

#[test]
fn answers_are_limited_by_the_hour_in_all_and_to_a_person() {
    for (manners, expected) in
        [("per_hour: 3", [3, 0, 3, 0]), ("per_person_per_hour: 2", [2, 2, 2, 2])]
    {
        let top = format!("manners: {{{manners}}}");
        let mut engine = engine_of(&top, &[("{emotion: neutral}", NOD)]);
        let mut count = |from_secs: u64, id: &str| {
            let images = (0..20).map(|tenth| at(from_secs * 1_000 + tenth * 100));
            let mut seen = |image| engine.observe(image, &[neutral(id)]).response.is_some();
            let count = images.filter(|image| seen(*image)).count();
            // Less than a minute between images, or the clock takes it for a jump.
            for secs in (from_secs + 50..from_secs + 1_800).step_by(50) {
                assert!(engine.observe(at(secs * 1_000), &[]).response.is_none());
            }
            count
        };
        let found = [count(0, "a"), count(1_800, "b"), count(3_605, "a"), count(5_410, "b")];
        assert_eq!(found, expected, "{manners}");
    }
}

#[test]
fn staff_is_called_once_until_somebody_acknowledges_and_cuts_lower_answers_short() {
    let call = "cooldown_secs: 0, priority: 5, call_staff: guest_waits";
    let long = "cooldown_secs: 1000, priority: 1, answer: {say: Hello., duration_secs: 50}";
    let top =
        "manners: {staff_pause_secs: 20}\nnames: {place: the lobby}\nrest: {expression: calm}";
    let mut engine = engine_of(top, &[("{people: 1}", long), ("{people: 1, for_secs: 2}", call)]);
    let mut requests = Vec::new();
    let mut cancelled = Vec::new();
    for tenth in 0..600_u64 {
        let Decision { cancel, rest, staff, .. } = engine.observe(at(tenth * 100), &[neutral("f")]);
        assert_eq!(cancel.is_some(), rest.is_some());
        cancelled.extend(cancel.map(|cancel| (tenth, cancel.id, cancel.reason)));
        requests.extend(staff.map(|staff| (tenth, staff.id, staff.place, staff.kind)));
        if tenth == 100 || tenth == 400 {
            let closed = engine.acknowledge_staff();
            assert!(closed.iter().all(|request| request.acknowledged) && closed.len() == 1);
            assert!(engine.staff_requests().is_empty());
        }
    }
    let request =
        |at, id: &str| (at, id.to_owned(), "the lobby".to_owned(), "guest_waits".to_owned());
    // None of one kind within the pause, nor while one is open.
    let expected = [request(20, "staff_1"), request(220, "staff_2"), request(420, "staff_3")];
    assert_eq!(requests, expected);
    let reason = "staff is called by the rule rule1".to_owned();
    assert_eq!(cancelled, [(20, "response_1".to_owned(), reason)]);
}

#[test]
fn a_response_ends_by_the_robots_own_word_or_after_a_minute() {
    let long = "cooldown_secs: 0, answer: {say: Hello., duration_secs: 2}";
    let start = || {
        let mut engine = engine_of("", &[("{people: 1}", long)]);
        engine.wait_for_robot(true);
        let id = engine.observe(at(0), &[neutral("f")]).response.unwrap().id;
        (engine, id)
    };
    let ms = Duration::from_millis;
    let (mut engine, id) = start();
    assert_eq!(engine.ended("other", Outcome::Finished, ms(500)), Decision::default());
    assert_eq!(engine.ended(&id, Outcome::Finished, ms(1_000)), Decision::default());
    assert!(engine.tick(ms(1_900)).finished.is_none() && engine.is_responding());
    assert_eq!(engine.tick(ms(2_000)).finished, Some(id));
    let (mut engine, id) = start();
    assert!(engine.tick(ms(30_000)).finished.is_none());
    assert_eq!(engine.ended(&id, Outcome::Finished, ms(31_000)).finished, Some(id));
    let (mut engine, id) = start();
    let failed = engine.ended(&id, Outcome::Failed("no voice".to_owned()), ms(500));
    assert!(failed.rest.is_some() && !engine.is_responding());
    let (mut engine, id) = start();
    assert!(engine.tick(LONGEST_RESPONSE - ms(1)).cancel.is_none());
    let late = engine.tick(LONGEST_RESPONSE);
    assert_eq!(late.cancel.unwrap().id, id);
    assert!(late.rest.is_some() && late.finished.is_none());
}

#[test]
fn what_held_an_answer_back_is_told() {
    let mut engine = engine_of(
        "states: {voices: /v}\nmanners: {not_while: {voices: true}, quiet_hours: [{from: 22, to: 7}]}",
        &[
            ("{emotion: neutral, distance_m: {to: 2, or_unknown: true}}", ONCE),
            ("{emotion: sad}", ONCE),
        ],
    );
    engine.explain(true);
    engine.set_state("voices", StateValue::Flag(true));
    let held = |engine: &mut Engine, ms| {
        engine.observe(at(ms), &[neutral("f")]);
        let judgements = engine.judgements();
        assert_eq!(judgements.len(), 2);
        let text = judgements[1].missing[0].describe(&engine.policy().rules[1].when);
        assert_eq!(text, "shows neutral (asks sad)");
        judgements[0].held.clone()
    };
    assert_eq!(held(&mut engine, 0), Some(HeldBack::State("voices true".to_owned())));
    engine.set_state("voices", StateValue::Flag(false));
    engine.set_hour(Some(23.5));
    assert_eq!(held(&mut engine, 100), Some(HeldBack::QuietHours));
    engine.set_hour(Some(12.0));
    assert_eq!(held(&mut engine, 200), None, "it fires");
    assert_eq!(held(&mut engine, 300), Some(HeldBack::Cooldown));
}
