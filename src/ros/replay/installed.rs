//! The definitions of message types as they are installed here, to compare with a recording's.

use std::path::{Path, PathBuf};

use rapport_recording::bag::Topic;
use rapport_recording::message::Layout;

/// What subscribers of this system would misread in a topic's messages because the type was
/// recorded with another definition: a sentence for each type. Empty where both are laid out alike,
/// and where there is nothing to compare: no definition in the recording, or none installed.
pub(super) fn differences(topic: &Topic) -> Vec<String> {
    let prefixes = std::env::var_os("AMENT_PREFIX_PATH").unwrap_or_default();
    let prefixes: Vec<_> = std::env::split_paths(&prefixes).collect();
    differences_in(topic, &prefixes)
}

fn differences_in(topic: &Topic, prefixes: &[PathBuf]) -> Vec<String> {
    if topic.recorded.definition_encoding != "ros2msg" {
        return Vec::new();
    }
    let recorded = Layout::parse(&topic.type_name, &topic.recorded.definition);
    let installed = Layout::gather(&topic.type_name, |package, name| {
        let is_plain = |part: &str| !part.contains(['/', '.']);
        let file = Path::new("share").join(package).join("msg").join(format!("{name}.msg"));
        let text = |prefix: &PathBuf| std::fs::read_to_string(prefix.join(&file)).ok();
        // A recording must not lead to any other file.
        (is_plain(package) && is_plain(name)).then(|| prefixes.iter().find_map(text)).flatten()
    });
    let both = recorded.zip(installed);
    both.map(|(recorded, installed)| recorded.differences(&installed)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use rapport_recording::bag::Recorded;

    use super::*;

    fn topic(definition: &str) -> Topic {
        Topic {
            name: "/things".to_owned(),
            type_name: "a_msgs/msg/Thing".to_owned(),
            message_count: None,
            offered_qos: Vec::new(),
            recorded: Recorded {
                definition_encoding: "ros2msg".to_owned(),
                definition: definition.to_owned(),
                ..Recorded::default()
            },
        }
    }

    #[test]
    fn the_first_prefix_that_has_the_type_counts() {
        let temp = tempfile::tempdir().unwrap();
        let prefixes = ["none", "over", "under"].map(|name| temp.path().join(name));
        for (prefix, text) in [(&prefixes[1], "int32 count\n"), (&prefixes[2], "int64 count\n")] {
            std::fs::create_dir_all(prefix.join("share/a_msgs/msg")).unwrap();
            std::fs::write(prefix.join("share/a_msgs/msg/Thing.msg"), text).unwrap();
        }
        assert_eq!(differences_in(&topic("int32 count # of all\n"), &prefixes), [""; 0]);
        let found = differences_in(&topic("int64 count\n"), &prefixes);
        assert_eq!(found, ["a_msgs/Thing: count recorded as int64, installed as int32"]);
        assert_eq!(differences_in(&topic("int64 count\n"), &prefixes[..1]), [""; 0]);
        assert_eq!(differences_in(&topic(""), &prefixes), [""; 0]);
        let elsewhere = Topic { type_name: "../a_msgs/msg/Thing".to_owned(), ..topic("int8 x\n") };
        assert_eq!(differences_in(&elsewhere, &prefixes), [""; 0]);
    }
}
