//! Promise: version 2 of a policy is read in full, its mistakes are named with their place, and a file
//! of version 1 becomes one of version 2 that means the same.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::path::Path;

use rapport_behavior::{Event, NotUpgraded, Policy, StateValue, upgrade};
use rapport_vocabulary::{Emotion, Engagement};

/// A policy with every key of version 2 in it.
const EVERY_KEY: &str = r##"version: 2
names:
  place: {en: the lobby, de: die Lobby}
  robot: Rapport
states:
  speaking: /tts/speaking
  mode: {topic: ~/mode, type: std_msgs/String, latched: true}
manners:
  not_while: {speaking: true, mode: [asleep, muted]}
  per_person_per_hour: 3
  per_hour: 30
  quiet_hours: {from: 22, to: 7}
  visit_gap_secs: 20
  group_m: 1.5
  staff_pause_secs: 600
near_m: 2
pause_secs: 5
gap_secs: 0.5
rules:
  - name: smile
    when:
      emotion: happy
      from: [neutral, surprise]
      confidence: 0.6
      sure: true
      valence: {from: 0.2}
      arousal: {from: -0.5, to: 0.9}
      attention: [engaged, unknown]
      distance_m: {to: 3, or_unknown: true}
      people: 1
      groups: {from: 1, to: 2}
      event: comes_near
      within_secs: 4
      hours: {from: 7, to: 22.5}
      state: {speaking: false}
      for_secs: 1.0
    cooldown_secs: 60
    greeting: true
    answer:
      say:
        en: [Hello, "I am {robot}. Welcome to {place}."]
        de: "Willkommen, das ist {place}. {{}}"
      duration_secs: 3
  - name: ask
    when: {event: leaves}
    cooldown_secs: 0
    call_staff: guest_waits
"##;

fn parse(text: &str) -> Result<Policy, String> {
    Policy::parse(Path::new("p.yaml"), text.as_bytes()).map_err(|error| error.to_string())
}

#[test]
fn every_key_is_read() {
    let policy = parse(EVERY_KEY).unwrap();
    assert_eq!((policy.version, policy.place.as_str(), policy.near_m), (2, "the lobby", 2.0));
    assert_eq!(policy.states["mode"].topic, "~/mode");
    assert!(policy.states["mode"].is_text && policy.states["mode"].is_latched);
    assert!(!policy.states["speaking"].is_text);
    assert_eq!(policy.languages(), ["en", "de"]);
    let manners = &policy.manners;
    assert_eq!((manners.per_person_per_hour, manners.per_hour), (Some(3), Some(30)));
    assert_eq!(manners.not_while.len(), 2);
    assert!(manners.quiet_hours[0].has(23.0) && manners.quiet_hours[0].has(6.9));
    assert!(!manners.quiet_hours[0].has(7.0));
    let rule = &policy.rules[0];
    let when = &rule.when;
    assert_eq!(when.emotions, [Emotion::Happy]);
    assert_eq!(when.from, [Emotion::Neutral, Emotion::Surprise]);
    assert_eq!(when.attention, [Engagement::Engaged]);
    assert!(when.attention_or_unknown && when.distance_or_unknown && when.sure);
    assert!(when.valence.unwrap().has(0.9) && !when.valence.unwrap().has(0.1));
    assert!(when.people.unwrap().has(1.0) && !when.people.unwrap().has(2.0));
    assert_eq!((when.event, when.within.as_secs()), (Some(Event::ComesNear), 4));
    assert_eq!(when.states[0].one_of, [StateValue::Flag(false)]);
    let answer = rule.answer.as_ref().unwrap();
    assert_eq!(answer.say[0].variants[1], "I am Rapport. Welcome to the lobby.");
    assert_eq!(answer.say[1].variants, ["Willkommen, das ist die Lobby. {}"]);
    assert!(rule.is_greeting);
    assert_eq!(policy.rules[1].call_staff.as_deref(), Some("guest_waits"));
    assert!(policy.rules[1].answer.is_none());
}

#[test]
fn a_mistake_is_named_with_its_place_and_what_is_allowed() {
    let attention = "disengaged, engaging, engaged, disengaging; with one of them also unknown";
    let cases = [
        ("[engaged, unknown]", "engged", format!("28:18: attention is `engged`; allowed: {attention}")),
        ("[engaged, unknown]", "unknown", format!("28:18: attention is only unknown; allowed: {attention}")),
        ("{to: 3, or_unknown: true}", "3", "29:19: distance_m is 3; allowed: a mapping with the keys from, to, or_unknown".to_owned()),
        ("{to: 3, or_unknown: true}", "{or_unknown: true}", "29:7: distance_m has neither from nor to; allowed: one of them, or both".to_owned()),
        ("{from: 1, to: 2}", "{from: 2, to: 1}", "31:7: groups is from 2 to 1; allowed: from the less to the more".to_owned()),
        ("valence: {from: 0.2}", "valence: {from: 2}", "26:23: from is 2; allowed: -1 to 1".to_owned()),
        ("event: comes_near", "event: comes", "32:14: event is `comes`; allowed: appears, comes_near, turns_away, leaves".to_owned()),
        ("to: 22.5}", "to: 7}", "34:7: hours are none: from equals to; allowed: two different hours".to_owned()),
        ("state: {speaking: false}", "state: {talking: false}", "35:15: state `talking` is unknown; allowed: mode, speaking".to_owned()),
        ("state: {speaking: false}", "state: {speaking: maybe}", "35:25: speaking is `maybe`; allowed: true or false".to_owned()),
        ("per_hour: 30", "per_hour: 0", "11:13: per_hour is 0; allowed: a whole number, 1 to 1000".to_owned()),
        ("to: 7}", "to: 25}", "12:31: to is 25; allowed: 0 to 24".to_owned()),
        ("/tts/speaking", "/tts/1speaking", "6:13: speaking is `/tts/1speaking`; allowed: a topic: letters, digits and `_` in parts with `/` between, none beginning with a digit".to_owned()),
        ("std_msgs/String", "String", "7:31: type is `String`; allowed: std_msgs/Bool or std_msgs/String".to_owned()),
        ("to {place}", "to {plaze}", "41:21: say in en has `{plaze}`; allowed: {place}, {robot}; {{ and }} for braces".to_owned()),
        ("{{}}", "{{}", "42:13: say in de has `}`; allowed: {place}, {robot}; {{ and }} for braces".to_owned()),
        ("        de:", "        german:", "42:9: language is `german`; allowed: a language as BCP 47 has it, such as en or de-AT".to_owned()),
        ("guest_waits", "angry_guest", "47:17: call_staff is `angry_guest`; allowed: what kind of thing it is, such as guest_waits, never what anyone shows or feels".to_owned()),
        ("{event: leaves}", "{event: leaves, for_secs: 2}", "45:27: for_secs of somebody who leaves; allowed: no for_secs: nothing of them is seen any more".to_owned()),
        ("{event: leaves}", "{event: leaves, confidence: 0.5}", "45:27: confidence without emotion; allowed: the expression that it is about".to_owned()),
        ("greeting: true", "greeting: 1", "38:15: greeting is 1; allowed: true or false".to_owned()),
        ("    call_staff: guest_waits\n", "", "44:5: the rule has no answer; allowed: what the robot does: say, gesture, light, expression".to_owned()),
    ];
    let mut wrong = Vec::new();
    for (piece, by, message) in cases {
        assert!(EVERY_KEY.contains(piece), "{piece}");
        let error = parse(&EVERY_KEY.replacen(piece, by, 1)).expect_err(piece);
        let first = error.lines().next().unwrap();
        if first != format!("p.yaml:{message}") {
            wrong.push(first.to_owned());
        }
    }
    assert_eq!(wrong, [""; 0]);
}

const FIRST: &str = r##"# My policy.
version: 1 # the first
rules:
  - name: smile # é {not said}
    when: {emotion: happy, confidence: 0.6, for_secs: 1}
    cooldown_secs: 60
    answer: {say: ["é {smile}", 'Hello.'], duration_secs: 3}
"##;

#[test]
fn a_first_version_becomes_a_second_that_means_the_same() {
    let second = upgrade(FIRST).unwrap();
    assert_eq!(second, FIRST.replace("version: 1", "version: 2").replace("{smile}", "{{smile}}"));
    let (before, after) = (parse(FIRST).unwrap(), parse(&second).unwrap());
    assert_eq!((before.version, after.version), (1, 2));
    assert_eq!((&before.rules, &before.manners), (&after.rules, &after.manners));
    assert_eq!((before.pause, before.gap, before.rest), (after.pause, after.gap, after.rest));
    assert_eq!(upgrade(&second), Err(NotUpgraded::NotFirst));
    let across = FIRST.replace("\"é {smile}\"", "\"é \\x7bsmile}\"");
    assert!(matches!(upgrade(&across), Err(NotUpgraded::Braces(place)) if place.line == 7));
}

#[test]
fn the_first_version_has_none_of_the_new_keys() {
    let error = parse(&FIRST.replace("rules:", "manners: {}\nrules:")).unwrap_err();
    assert!(error.contains("unknown key `manners`; allowed: version, pause_secs,"), "{error}");
    let error =
        parse(&FIRST.replace("{emotion: happy,", "{emotion: happy, sure: true,")).unwrap_err();
    assert!(
        error.contains("unknown key `sure`; allowed: emotion, confidence, for_secs"),
        "{error}"
    );
}
