use std::path::Path;

use serde_json::{Value, json};

use super::*;
use crate::response::{Fraction, Light};

fn parse(text: &str) -> Result<RobotFile, RobotFileError> {
    RobotFile::parse(Path::new("robot.yaml"), text.as_bytes())
}

fn problems<T: std::fmt::Debug>(result: Result<T, RobotFileError>) -> Vec<String> {
    result.unwrap_err().to_string().lines().map(str::to_owned).collect()
}

/// An action that says something, a service and a topic with all kinds of fields.
fn find(_: Channel, type_name: &str) -> Option<Interface> {
    let fine = || -> Trial { Box::new(|_| Ok(())) };
    match type_name {
        "skills/action/Say" => Some(Interface::with_answer(
            json!({"meta": {"caller": "", "priority": 128}, "input": "", "person_id": ""}),
            Box::new(|goal| match goal["meta"]["priority"].as_i64() {
                Some(priority) if priority > 255 => Err(format!("`{priority}`, expected u8")),
                _ => Ok(()),
            }),
            json!({"result": {"error_code": 0, "error_msg": ""}}),
        )),
        "robot/srv/Play" => Some(Interface::with_answer(
            json!({"name": "", "speed": 1.0, "times": 1, "loud": false}),
            fine(),
            json!({"status": false}),
        )),
        "robot/msg/Lamp" => Some(Interface::of_topic(
            json!({"rgb": [0.0, 0.0, 0.0], "for": {"sec": 0, "nanosec": 0}, "about": "", "ids": []}),
            fine(),
        )),
        _ => None,
    }
}

const ROBOT: &str = r#"
version: 1
languages: {de: German}
other_languages: skip
speech:
  action: /skill/say
  type: skills/action/Say
  fields: {input: "{speech}", person_id: "{person_id}", meta: {priority: 200}}
  success: {result: {error_code: 0}}
gesture:
  names: {nod: HeadNod, wave: Wave hello}
  other_names: skip
  service: /play
  type: robot/srv/Play
  fields: {name: "anim/{gesture}.xml", speed: "{intensity}", times: 2, loud: true}
  success: {status: true}
  timeout_secs: 5
light:
  steps:
    - {topic: lamp, lasting: true, type: robot/msg/Lamp,
       fields: {rgb: ["{light.r}", 0, "{light.b}"], for: "{duration_secs}",
                about: {face: "{person_id}", share: "{light.a}", n: 3, odd: "{\"a b\"}"}, ids: [1, 2]}}
    - {topic: tongue, type: robot/msg/Lamp, needs: language, fields: {about: "{language} {intensity}"}}
"#;

fn content() -> Content {
    let share = |share| Fraction::new(share).unwrap();
    Content {
        speech: Some("He said \"no\".\0".to_owned()),
        gesture: Some("nod".to_owned()),
        language: Some("de-AT".to_owned()),
        light: Some(Light {
            red: share(1.0),
            green: share(0.5),
            blue: share(0.25),
            opacity: share(0.5),
        }),
        intensity: Some(0.5),
        duration_secs: Some(1.5),
        person_id: Some("f\"1".to_owned()),
        ..Content::default()
    }
}

#[test]
fn a_response_becomes_the_messages_of_the_robot() {
    let mut robot = parse(ROBOT).unwrap();
    robot.fit(&find).unwrap();
    let content = robot.in_robots_words(content());
    let filled = |name, step: usize| -> Value {
        robot.part(name).unwrap().steps[step].message.fill(&content)
    };
    assert_eq!(
        filled(PartName::Speech, 0),
        json!({"input": "He said \"no\".", "person_id": "f\"1", "meta": {"priority": 200}})
    );
    assert_eq!(
        filled(PartName::Gesture, 0),
        json!({"name": "anim/HeadNod.xml", "speed": 0.5, "times": 2, "loud": true})
    );
    assert_eq!(
        filled(PartName::Light, 0),
        json!({
            "rgb": [1.0, 0.0, 0.25],
            "for": {"sec": 1, "nanosec": 500_000_000},
            "about": "{\"face\":\"f\\\"1\",\"n\":3,\"odd\":\"{\\\"a b\\\"}\",\"share\":0.5}",
            "ids": [1, 2],
        })
    );
    assert_eq!(filled(PartName::Light, 1), json!({"about": "German 0.5"}));
    assert!(robot.has_own_word());
    let light = robot.part(PartName::Light).unwrap();
    assert_eq!(light.steps[0].channel, Channel::Topic { lasting: true });
    assert!(!light.steps[0].waits && robot.part(PartName::Expression).is_none());
    assert_eq!(robot.part(PartName::Gesture).unwrap().steps[0].timeout, Duration::from_secs(5));
}

#[test]
fn what_a_response_lacks_is_left_to_the_type() {
    let mut robot = parse(ROBOT).unwrap();
    robot.fit(&find).unwrap();
    let bare = Content { speech: Some("Hello.".to_owned()), ..Content::default() };
    let speech = &robot.part(PartName::Speech).unwrap().steps[0];
    assert_eq!(speech.message.fill(&bare), json!({"input": "Hello.", "meta": {"priority": 200}}));
    // A step that needs what is not there is left out.
    let steps = &robot.part(PartName::Light).unwrap().steps;
    assert!(steps[0].applies(&bare) && !steps[1].applies(&bare));
}

#[test]
fn names_are_translated_passed_on_or_skipped() {
    let robot = parse(ROBOT).unwrap();
    let word = |gesture: &str, language: &str, expression: &str| {
        let content = Content {
            gesture: Some(gesture.to_owned()),
            language: Some(language.to_owned()),
            expression: Some(expression.to_owned()),
            ..Content::default()
        };
        let content = robot.in_robots_words(content);
        (content.gesture, content.language, content.expression)
    };
    let some = |text: &str| Some(text.to_owned());
    assert_eq!(word("wave", "de", "happy"), (some("Wave hello"), some("German"), some("happy")));
    assert_eq!(word("bow", "fr", "calm"), (None, None, some("calm")));
    let passing = parse(&ROBOT.replace("other_names: skip", "other_names: pass")).unwrap();
    let bow = Content { gesture: some("bow"), ..Content::default() };
    assert_eq!(passing.in_robots_words(bow).gesture, some("bow"));
}

#[test]
fn the_robots_answer_is_judged_by_the_fields_that_the_file_names() {
    let mut robot = parse(ROBOT).unwrap();
    robot.fit(&find).unwrap();
    let say = &robot.part(PartName::Speech).unwrap().steps[0];
    assert_eq!(say.judge(&json!({"result": {"error_code": 0, "error_msg": "x"}})), Ok(()));
    assert_eq!(
        say.judge(&json!({"result": {"error_code": 3}})),
        Err("result.error_code is 3, expected 0".to_owned())
    );
    let play = &robot.part(PartName::Gesture).unwrap().steps[0];
    assert_eq!(play.judge(&json!({"status": true})), Ok(()));
    assert_eq!(play.judge(&json!({})), Err("status is null, expected true".to_owned()));
}

#[test]
fn every_mistake_of_a_file_is_named_with_its_place() {
    let cases = [
        ("version: 1\n", "1:1: the robot's file has no part; allowed: at least one of speech"),
        (
            "version: 1\nspeach: {}\n",
            "2:1: the robot's file has the unknown key `speach`; allowed: version, languages,",
        ),
        (
            "version: 2\nspeech: {topic: a, type: b/msg/C}\n",
            "1:10: version is 2; allowed: a whole number, 1 to 1",
        ),
        (
            "version: 1\nspeech: {type: b/msg/C}\n",
            "2:1: speech has no topic, service or action; allowed: one of topic, service, action",
        ),
        (
            "version: 1\nspeech: {topic: a, service: c, type: b/msg/C}\n",
            "2:1: speech has more than one of topic, service, action",
        ),
        (
            "version: 1\nspeech: {topic: a, type: b/srv/C}\n",
            "2:26: type is `b/srv/C`; allowed: a type such as std_msgs/msg/String",
        ),
        (
            "version: 1\nspeech: {topic: \"a b\", type: b/msg/C}\n",
            "2:17: topic is `a b`; allowed: a ROS name such as",
        ),
        (
            "version: 1\nspeech: {topic: a, type: b/msg/C, fields: {data: \"{speach}\"}}\n",
            "2:50: data has the placeholder `{speach}`; allowed: {speech}, {language}, {gesture},",
        ),
        (
            "version: 1\nspeech: {topic: a, type: b/msg/C, finished: answer}\n",
            "2:45: finished is `answer`; allowed: duration: a topic gives no answer",
        ),
        (
            "version: 1\nspeech: {service: a, type: b/srv/C, lasting: true}\n",
            "2:46: lasting is true; allowed: only with a topic",
        ),
        (
            "version: 1\nspeech: {topic: a, type: b/msg/C, success: {ok: true}}\n",
            "2:44: success is a mapping; allowed: only where the robot's word is waited for",
        ),
        (
            "version: 1\nspeech: {service: a, type: b/srv/C, timeout_secs: 90}\n",
            "2:51: timeout_secs is 90; allowed: 0.1 to 60",
        ),
        (
            "version: 1\nspeech: {service: a, type: b/srv/C, needs: tongue}\n",
            "2:44: needs is `tongue`; allowed: speech, language,",
        ),
        (
            "version: 1\nspeech: {topic: a, type: b/msg/C, names: {a: b}}\n",
            "2:35: speech has the unknown key `names`; allowed: topic,",
        ),
        (
            "version: 1\ngesture: {topic: a, type: b/msg/C, other_names: drop}\n",
            "2:49: other_names is `drop`; allowed: pass, skip",
        ),
        (
            "version: 1\ngesture: {topic: a, type: b/msg/C, names: {nod: 3}}\n",
            "2:49: nod is 3; allowed: a text of 1 to 200 characters on one line, in quotes",
        ),
        (
            "version: 1\nlight: {steps: [], topic: a}\n",
            "2:1: light has steps and also topic; allowed: steps, or the keys of one step",
        ),
        ("version: 1\nlight: {steps: []}\n", "2:16: steps is an empty list; allowed: a list of 1"),
        (
            "version: 1\nlight: {topic: a, type: b/msg/C, fields: {x: .nan}}\n",
            "2:46: x is NaN; allowed: a finite number",
        ),
        (
            "version: 1\nlight: {topic: a, type: b/msg/C, fields: {x: 1, x: 2}}\n",
            "2:49: fields has the field `x` again; allowed: each field once",
        ),
    ];
    for (text, expected) in cases {
        let found = problems(parse(text));
        let expected = format!("robot.yaml:{expected}");
        assert!(found.iter().any(|line| line.starts_with(&expected)), "{expected}\n{found:#?}");
    }
}

#[test]
fn what_does_not_fit_its_type_is_named_with_what_the_type_has() {
    let cases = [
        (
            "input: \"{speech}\"",
            "inputt: \"{speech}\"",
            "8:12: fields has the unknown field `inputt`; allowed: those of skills/action/Say: \
             input (a text), meta (a mapping of caller, priority), person_id (a text)",
        ),
        (
            "priority: 200",
            "priority: high",
            "8:74: priority is `high`; allowed: a whole number, as skills/action/Say has it",
        ),
        ("priority: 200", "priority: 1.5", "8:74: priority is 1.5; allowed: a whole number"),
        (
            "priority: 200",
            "priority: 300",
            "8:74: priority is 300; allowed: what skills/action/Say takes: `300`, expected u8",
        ),
        (
            "priority: 200",
            "priority: \"{intensity}\"",
            "8:74: priority is {intensity}; allowed: a whole number, as skills/action/Say has it",
        ),
        (
            "error_code: 0",
            "code: 0",
            "9:22: result has the unknown field `code`; allowed: those of the result of \
             skills/action/Say: error_code (a whole number), error_msg (a text)",
        ),
        (
            "status: true",
            "status: 1",
            "16:21: status is 1; allowed: true or false, as the answer of robot/srv/Play has it",
        ),
        (
            "speed: \"{intensity}\"",
            "speed: \"{gesture}\"",
            "15:47: speed is {gesture}; allowed: a number, as robot/srv/Play has it",
        ),
        (
            "loud: true",
            "loud: \"yes\"",
            "15:78: loud is `yes`; allowed: true or false, as robot/srv/Play has it",
        ),
        (
            "[\"{light.r}\", 0, \"{light.b}\"]",
            "[0, 1]",
            "21:22: rgb is a list of 2; allowed: a list of 3",
        ),
        (
            "for: \"{duration_secs}\"",
            "for: \"{intensity}\"",
            "21:58: for is {intensity}; allowed: {duration_secs}, or {sec: ..., nanosec: ...}",
        ),
        (
            "robot/srv/Play",
            "other/srv/Play",
            "14:9: type is `other/srv/Play`, which this program was built without; allowed: a type \
             of a package that was installed when Rapport was built: install other, then build \
             Rapport again with RAPPORT_INTERFACES=other",
        ),
    ];
    for (right, instead, expected) in cases {
        assert!(ROBOT.contains(right), "{right}");
        let mut robot = parse(&ROBOT.replacen(right, instead, 1)).unwrap();
        let found = problems(robot.fit(&find));
        assert_eq!(found, [format!("robot.yaml:{expected}")]);
    }
}

#[test]
fn a_file_that_is_missing_large_or_no_text_is_an_error_with_its_name() {
    let error = RobotFile::read(Path::new("/no/robot.yaml")).unwrap_err().to_string();
    assert!(
        error.starts_with("/no/robot.yaml: the robot's file cannot be read: No such"),
        "{error}"
    );
    let large = parse(&"#".repeat(MAX_ROBOT_FILE_BYTES + 1)).unwrap_err().to_string();
    assert!(large.contains("larger than the 65536 bytes"), "{large}");
    let bytes = RobotFile::parse(Path::new("robot.yaml"), b"version: \xff").unwrap_err();
    assert!(bytes.to_string().starts_with("robot.yaml:1:10: this is not text"), "{bytes}");
}
