//! Promise: a wrong policy file is refused with file, line, what was found and what is allowed.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::fs;
use std::path::Path;

use proptest::prelude::*;
use rapport_behavior::{MAX_POLICY_BYTES, Policy, PolicyError, Say};

/// A policy with every key in it, one to a line, so that a test can spoil one line.
const EVERY_KEY: &str = r##"version: 1
pause_secs: 5
gap_secs: 0.5
rest:
  light: {color: "#ffeedd", opacity: 0.2}
  expression: neutral
rules:
  - name: smile
    when:
      emotion: [happy, surprise]
      confidence: 0.6
      for_secs: 1.0
    cooldown_secs: 60
    cooldown_anyone_secs: 10
    priority: 10
    answer:
      say: [Hello., Welcome.]
      gesture: nod
      light: {r: 1.0, g: 0.8, b: 0.6, opacity: 0.5}
      expression: happy
      intensity: 0.4
      duration_secs: 3
  - name: hush
    when: {emotion: fear, confidence: 0.5, for_secs: 0}
    cooldown_secs: 0
    answer: {gesture: hold_still, duration_secs: 2}
"##;

/// The error of [`EVERY_KEY`] after one piece of it was replaced by another.
fn refused(piece: &str, by: &str) -> String {
    assert!(EVERY_KEY.contains(piece), "{piece}");
    refused_whole(EVERY_KEY.replacen(piece, by, 1).as_bytes())
}

fn refused_whole(content: &[u8]) -> String {
    Policy::parse(Path::new("lobby.yaml"), content).expect_err("it is wrong").to_string()
}

#[test]
fn the_policy_that_the_tests_spoil_is_right() {
    let policy = Policy::parse(Path::new("lobby.yaml"), EVERY_KEY.as_bytes()).unwrap();
    assert_eq!(policy.rules.len(), 2);
    assert_eq!(policy.rules[0].priority, 10);
    assert_eq!(policy.rules[0].cooldown_anyone.as_secs(), 10);
    assert_eq!(policy.version, 1);
    let answer = |rule: usize| policy.rules[rule].answer.clone().unwrap();
    let say = Say { language: None, variants: vec!["Hello.".to_owned(), "Welcome.".to_owned()] };
    assert_eq!(answer(0).say, [say]);
    assert_eq!(policy.rules[1].priority, 0);
    assert_eq!(answer(1).say, []);
}

#[test]
fn a_wrong_value_is_named_with_its_place_and_what_is_allowed() {
    const EMOTIONS: &str = "angry, disgust, fear, happy, neutral, sad, surprise, contempt";
    const NAME: &str = "a name of 1 to 64 letters, digits and `_` `-` `.` `/`";
    const SENTENCE: &str = "a text of 1 to 200 characters on one line";
    const COLOR: &str = "\"#rrggbb\" in quotes, as without them YAML takes it for a comment";
    let long = "x".repeat(201);
    let cases = [
        ("version: 1", "version: 3", "1:10: version is 3; allowed: a whole number, 1 to 2"),
        ("pause_secs: 5", "pause_secs: -1", "2:13: pause_secs is -1; allowed: 0 to 3600"),
        ("gap_secs: 0.5", "gap_secs: 6", "3:11: gap_secs is 6; allowed: 0 to 5"),
        ("confidence: 0.6", "confidence: 1.4", "11:19: confidence is 1.4; allowed: 0 to 1"),
        ("confidence: 0.6", "confidence: .nan", "11:19: confidence is NaN; allowed: 0 to 1"),
        ("confidence: 0.6", "confidence: .inf", "11:19: confidence is inf; allowed: 0 to 1"),
        ("confidence: 0.6", "confidence: 1e999", "11:19: confidence is inf; allowed: 0 to 1"),
        ("confidence: 0.6", "confidence: high", "11:19: confidence is `high`; allowed: 0 to 1"),
        ("confidence: 0.6", "confidence:", "11:7: confidence is empty; allowed: 0 to 1"),
        (
            "confidence: 0.6",
            "confidence: [0.6]",
            "11:19: confidence is a list of 1; allowed: 0 to 1",
        ),
        ("for_secs: 1.0", "for_secs: 61", "12:17: for_secs is 61; allowed: 0 to 60"),
        ("for_secs: 1.0", "for_secs: 1 s", "12:17: for_secs is `1 s`; allowed: 0 to 60"),
        (
            "cooldown_secs: 60",
            "cooldown_secs: 1e6",
            "13:20: cooldown_secs is 1000000; allowed: 0 to 86400",
        ),
        (
            "cooldown_secs: 60",
            "cooldown_secs: 1e300",
            "13:20: cooldown_secs is 1e300; allowed: 0 to 86400",
        ),
        (
            "priority: 10",
            "priority: 1.5",
            "15:15: priority is 1.5; allowed: a whole number, -1000 to 1000",
        ),
        ("intensity: 0.4", "intensity: true", "21:18: intensity is true; allowed: 0 to 1"),
        ("duration_secs: 3", "duration_secs: 0", "22:22: duration_secs is 0; allowed: 0.1 to 60"),
        ("opacity: 0.5", "opacity: 0", "19:48: opacity is 0; allowed: 0.01 to 1"),
        ("r: 1.0", "r: 255", "19:18: r is 255; allowed: 0 to 1"),
        (
            "[happy, surprise]",
            "joyful",
            &format!("10:16: emotion is `joyful`; allowed: {EMOTIONS}"),
        ),
        ("surprise]", "Sad]", &format!("10:24: emotion is `Sad`; allowed: {EMOTIONS}")),
        (
            "[happy, surprise]",
            "[]",
            "10:16: emotion is an empty list; allowed: an emotion, or a list of 1 to 8",
        ),
        ("[Hello., Welcome.]", "\" \"", &format!("17:12: say is ` `; allowed: {SENTENCE}")),
        (
            "[Hello., Welcome.]",
            "[]",
            "17:12: say is an empty list; allowed: a text, or a list of 1 to 16",
        ),
        ("Welcome.]", "\"\"]", &format!("17:21: say is ``; allowed: {SENTENCE}")),
        ("Welcome.]", "7]", &format!("17:21: say is 7; allowed: {SENTENCE}, in quotes")),
        ("Welcome.]", "\"a\\nb\"]", &format!("17:21: say is `a b`; allowed: {SENTENCE}")),
        ("Welcome.", &long, &format!("17:21: say is `{}…`; allowed: {SENTENCE}", &long[..60])),
        (
            "gesture: nod",
            "gesture: nod twice",
            &format!("18:16: gesture is `nod twice`; allowed: {NAME}"),
        ),
        ("gesture: nod", "gesture: \"\"", &format!("18:16: gesture is ``; allowed: {NAME}")),
        ("\"#ffeedd\"", "\"#ffeed\"", &format!("5:18: color is `#ffeed`; allowed: {COLOR}")),
        ("\"#ffeedd\"", "red", &format!("5:18: color is `red`; allowed: {COLOR}")),
        (
            "{color: \"#ffeedd\", opacity: 0.2}",
            "\n    color: #ffeedd",
            &format!("6:5: color is empty; allowed: {COLOR}"),
        ),
        (
            "name: hush",
            "name: smile",
            "23:11: name is `smile`, as of the rule on line 8; allowed: a name that no other rule has",
        ),
    ];
    for (piece, by, message) in cases {
        assert_eq!(refused(piece, by), format!("lobby.yaml:{message}"));
    }
}

#[test]
fn a_wrong_key_is_named_with_its_place_and_what_is_allowed() {
    let cases = [
        (
            "pause_secs",
            "pause",
            "2:1: the policy has the unknown key `pause`; allowed: version, pause_secs, gap_secs, rest, rules",
        ),
        (
            "confidence: 0.6",
            "confidense: 0.6",
            "11:7: when has the unknown key `confidense`; allowed: emotion, confidence, for_secs",
        ),
        (
            "gesture: nod",
            "12: nod",
            "18:7: answer has the unknown key 12; allowed: say, gesture, light, expression, intensity, duration_secs",
        ),
        (
            "gap_secs",
            "pause_secs",
            "3:1: the policy has the key pause_secs again, after line 2; allowed: each key once",
        ),
        ("    cooldown_secs: 60\n", "", "8:5: the rule has no cooldown_secs; allowed: 0 to 86400"),
        (
            "{r: 1.0,",
            "{",
            "19:7: light has no whole color; allowed: {color: \"#rrggbb\"} or {r: 0 to 1, g: 0 to 1, b: 0 to 1}",
        ),
        (
            "{r: 1.0,",
            "{color: \"#ffffff\",",
            "19:7: light has two colors; allowed: {color: \"#rrggbb\"} or {r: 0 to 1, g: 0 to 1, b: 0 to 1}",
        ),
        (
            "{gesture: hold_still, duration_secs: 2}",
            "{duration_secs: 2}",
            "26:5: answer does nothing; allowed: at least one of say, gesture, light, expression",
        ),
        (
            "{emotion: fear, confidence: 0.5, for_secs: 0}",
            "fear",
            "24:11: when is `fear`; allowed: a mapping with the keys emotion, confidence, for_secs",
        ),
    ];
    for (piece, by, message) in cases {
        assert_eq!(refused(piece, by), format!("lobby.yaml:{message}"));
    }
}

#[test]
fn a_policy_without_rules_is_refused() {
    for (content, message) in [
        (
            "version: 1\nrules: []\n",
            "2:8: rules is an empty list; allowed: a list of 1 to 64 rules",
        ),
        ("version: 1\nrules: hello\n", "2:8: rules is `hello`; allowed: a list of 1 to 64 rules"),
        ("version: 1\n", "1:1: the policy has no rules; allowed: a list of 1 to 64 rules"),
    ] {
        assert_eq!(refused_whole(content.as_bytes()), format!("lobby.yaml:{message}"));
    }
    for content in ["", "# only a comment\n", "---\n", "hello", "[]", "7"] {
        let error = refused_whole(content.as_bytes());
        assert!(error.starts_with("lobby.yaml:1:1: the policy is "), "{content:?}: {error}");
        assert!(error.contains("version, "), "{content:?}: {error}");
    }
}

#[test]
fn every_problem_of_a_file_is_reported_in_its_order() {
    let spoiled = EVERY_KEY
        .replacen("confidence: 0.6", "confidence: 1.4", 1)
        .replacen("pause_secs: 5", "pause_secs: soon", 1)
        .replacen("emotion: fear", "emotion: afraid", 1);
    let error = refused_whole(spoiled.as_bytes());
    let places: Vec<&str> = error.lines().map(|line| &line[..line.find(" ").unwrap()]).collect();
    assert_eq!(places, ["lobby.yaml:2:13:", "lobby.yaml:11:19:", "lobby.yaml:24:21:"], "{error}");
}

#[test]
fn broken_yaml_is_refused_at_its_place_on_one_line() {
    for (content, line) in [
        ("version: 1\nrules: [\n", 2),
        ("version: 1\nrules:\n\t- name: x\n", 3),
        ("version: 1\nrules: *nowhere\n", 2),
        ("version: 1\n---\nversion: 1\n", 2),
        ("version: !money 1\n", 1),
        ("<<: {version: 1}\n", 1),
        (&format!("version: {}1", "[".repeat(100)), 1),
    ] {
        let error = refused_whole(content.as_bytes());
        assert!(error.starts_with(&format!("lobby.yaml:{line}:")), "{content:?}: {error}");
        assert!(error.ends_with("; allowed: one plain YAML document"), "{content:?}: {error}");
        assert_eq!(error.lines().count(), 1, "{error}");
    }
}

#[test]
fn an_alias_bomb_is_refused_at_once() {
    let mut bomb = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x]\n");
    for level in 1..12 {
        let alias = format!("*a{}", level - 1);
        let aliases = vec![alias; 9].join(", ");
        bomb.push_str(&format!("a{level}: &a{level} [{aliases}]\n"));
    }
    let start = std::time::Instant::now();
    let error = refused_whole(bomb.as_bytes());
    assert!(error.contains("; allowed: one plain YAML document"), "{error}");
    assert!(start.elapsed().as_secs() < 2);
}

#[test]
fn a_file_that_is_not_text_is_refused_at_the_byte() {
    assert_eq!(
        refused_whole(b"version: 1\nrules: \xff\n"),
        "lobby.yaml:2:8: this is not text: byte 0xff; allowed: UTF-8"
    );
}

#[test]
fn a_file_that_cannot_be_read_or_is_too_large_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let missing = folder.path().join("missing.yaml");
    let error = Policy::read(&missing).unwrap_err();
    assert!(matches!(error, PolicyError::Unreadable { .. }), "{error:?}");
    let expected = format!("{}: the policy file cannot be read: No such file", missing.display());
    assert!(error.to_string().starts_with(&expected), "{error}");

    let error = Policy::read(folder.path()).unwrap_err().to_string();
    assert!(error.contains("the policy file cannot be read: "), "{error}");

    let large = folder.path().join("large.yaml");
    fs::write(&large, "#".repeat(MAX_POLICY_BYTES + 1)).unwrap();
    assert_eq!(
        Policy::read(&large).unwrap_err().to_string(),
        format!("{}: the policy file is larger than the 65536 bytes allowed", large.display())
    );
    let padding = "#".repeat(MAX_POLICY_BYTES - EVERY_KEY.len());
    fs::write(&large, format!("{EVERY_KEY}{padding}")).unwrap();
    Policy::read(&large).unwrap();
}

/// What every refusal must look like: lines of `FILE:LINE:COLUMN: FOUND; allowed: ALLOWED`.
fn is_well_formed(error: &str) -> bool {
    !error.is_empty()
        && error.lines().all(|line| {
            let mut parts = line.splitn(4, ':');
            parts.next() == Some("lobby.yaml")
                && parts.next().is_some_and(|line| line.parse::<u64>().is_ok_and(|line| line > 0))
                && parts.next().is_some_and(|column| column.parse::<u64>().is_ok())
                && parts.next().is_some_and(|rest| rest.contains("; allowed: "))
        })
}

proptest! {
    #[test]
    fn any_bytes_are_a_policy_or_well_refused(content in prop::collection::vec(any::<u8>(), 0..300)) {
        if let Err(error) = Policy::parse(Path::new("lobby.yaml"), &content) {
            prop_assert!(is_well_formed(&error.to_string()), "{error}");
        }
    }

    #[test]
    fn any_text_of_yaml_is_a_policy_or_well_refused(
        content in "([ \\n\\-:#&*!|>'\"%@,?\\[\\]{}~]|[a-c]|[0-9]|é|version: 1\n|rules:\n|  - name: ){0,80}",
    ) {
        if let Err(error) = Policy::parse(Path::new("lobby.yaml"), content.as_bytes()) {
            prop_assert!(is_well_formed(&error.to_string()), "{error}");
        }
    }

    #[test]
    fn a_policy_with_a_piece_overwritten_is_a_policy_or_well_refused(
        start in 0..EVERY_KEY.len(),
        length in 0..30_usize,
        by in "[ -~\n]{0,12}",
    ) {
        let end = (start + length).min(EVERY_KEY.len());
        let mut content = EVERY_KEY.to_owned();
        content.replace_range(start..end, &by);
        if let Err(error) = Policy::parse(Path::new("lobby.yaml"), content.as_bytes()) {
            prop_assert!(is_well_formed(&error.to_string()), "{error}");
        }
    }
}
