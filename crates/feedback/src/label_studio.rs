//! Tasks for Label Studio: the pictures with the reviewer's answer as annotation and the network's
//! reading as prediction.

use serde_json::{Value, json};

use crate::export::Line;

/// How Label Studio shows a task: the labelling set-up of the project.
pub(crate) const SETUP: &str = r#"<View>
  <Image name="image" value="$image"/>
  <Choices name="expression" toName="image" choice="single">
    <Choice value="angry"/>
    <Choice value="disgust"/>
    <Choice value="fear"/>
    <Choice value="happy"/>
    <Choice value="neutral"/>
    <Choice value="sad"/>
    <Choice value="surprise"/>
    <Choice value="contempt"/>
    <Choice value="cant_tell"/>
    <Choice value="not_a_face"/>
  </Choices>
</View>
"#;

/// One task for each line that has a picture. Local files are named from the folder of the export on.
pub(crate) fn tasks(lines: &[Line]) -> String {
    let with_picture = lines.iter().filter_map(|line| Some((line, line.file.as_deref()?)));
    let tasks: Vec<_> = with_picture.map(|(line, file)| task(line, file)).collect();
    serde_json::to_string_pretty(&tasks).unwrap_or_default() + "\n"
}

fn task(line: &Line, file: &str) -> Value {
    let choice = |word: &str| {
        json!([{
            "from_name": "expression",
            "to_name": "image",
            "type": "choices",
            "value": { "choices": [word] },
        }])
    };
    json!({
        "data": {
            "image": format!("/data/local-files/?d={file}"),
            "place": line.place,
            "day": line.day,
        },
        "annotations": [{ "result": choice(line.answer.as_str()) }],
        "predictions": [{
            "model_version": line.model_sha256,
            "score": line.probabilities.get(&line.shown),
            "result": choice(line.shown.as_str()),
        }],
    })
}
