//! What the nodes of a robot report on `/diagnostics`.

use r2r::diagnostic_msgs::msg::DiagnosticStatus;
use rapport_perception::zones::Zones;
use rapport_web::robot::{Level, Policy};

use crate::ros::diagnostics::Level as Reported;
use crate::ros::image_topic::Transport;
use crate::ros::status::{EXPRESSIONS, RESPONSES, key};

/// More rules than a policy file may have.
const MOST_RULES: usize = 64;

/// A status of a node of ours.
#[derive(Debug, Clone, PartialEq)]
pub enum Report {
    /// Of perception_node.
    Perception(PerceptionReport),
    /// Of behavior_node.
    Behavior(Policy),
}

/// What perception_node reports.
#[derive(Debug, Clone, PartialEq)]
pub struct PerceptionReport {
    /// Full name of the node.
    pub node: String,
    /// How it is.
    pub level: Level,
    /// In a sentence.
    pub sentence: String,
    /// Whether the service `enable` allows images.
    pub enabled: bool,
    /// The camera's topic.
    pub camera: Option<(String, Transport)>,
    /// What is not looked at, and so not shown.
    pub zones: Zones,
    /// Images processed a second.
    pub rate_per_sec: Option<f64>,
    /// Median time of an image in milliseconds.
    pub latency_p50_ms: Option<f64>,
    /// Images dropped since its start.
    pub dropped: Option<u64>,
}

/// The namespace that a status is about, and what it says; nothing for those of other nodes.
pub fn read(status: &DiagnosticStatus) -> Option<(String, Report)> {
    let (node, about) = status.name.split_once(": ")?;
    // The first slash is left out there.
    let node = format!("/{}", node.trim_start_matches('/'));
    let (namespace, _) = node.rsplit_once('/')?;
    let namespace = if namespace.is_empty() { "/" } else { namespace }.to_owned();
    let report = match about {
        EXPRESSIONS => Report::Perception(perception(&node, status)),
        RESPONSES => Report::Behavior(policy(status)),
        _ => return None,
    };
    Some((namespace, report))
}

fn perception(node: &str, status: &DiagnosticStatus) -> PerceptionReport {
    let number = |key| text(status, key)?.parse().ok().filter(|value: &f64| value.is_finite());
    let transport = text(status, key::IMAGE_TRANSPORT).map_or(Transport::Raw, Transport::named);
    PerceptionReport {
        node: node.to_owned(),
        level: match status.level {
            level if level == Reported::Ok as u8 => Level::Ok,
            level if level == Reported::Warn as u8 => Level::Warn,
            level if level == Reported::Error as u8 => Level::Error,
            _ => Level::Stale,
        },
        sentence: status.message.clone(),
        enabled: text(status, key::ENABLED) != Some("false"),
        camera: text(status, key::IMAGE_TOPIC).map(|topic| (topic.to_owned(), transport)),
        zones: zones(text(status, key::ZONES).unwrap_or_default()),
        rate_per_sec: number(key::RATE),
        latency_p50_ms: number(key::TOTAL_P50),
        dropped: text(status, key::DROPPED).and_then(|count| count.parse().ok()),
    }
}

/// The zones that perception_node tells of. Where one cannot be read, nothing may be shown: all of the
/// image is one.
fn zones(texts: &str) -> Zones {
    let each = texts.split(key::ZONE_SEPARATOR).filter(|text| !text.is_empty());
    let all = || Zones::read(["0,0 1,0 1,1 0,1"]).unwrap_or_default();
    Zones::read(each).unwrap_or_else(|_| all())
}

fn policy(status: &DiagnosticStatus) -> Policy {
    let file = text(status, key::POLICY).unwrap_or_default();
    Policy {
        file: file.rsplit('/').next().unwrap_or_default().to_owned(),
        sha256: text(status, key::POLICY_SHA256).unwrap_or_default().to_owned(),
        rules: (1..=MOST_RULES)
            .map_while(|number| text(status, &key::rule(number)).map(str::to_owned))
            .collect(),
    }
}

fn text<'a>(status: &'a DiagnosticStatus, key: &str) -> Option<&'a str> {
    status.values.iter().find(|value| value.key == key).map(|value| value.value.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;
    use r2r::diagnostic_msgs::msg::KeyValue;

    fn status(name: &str, values: &[(&str, &str)]) -> DiagnosticStatus {
        DiagnosticStatus {
            level: Reported::Warn as u8,
            name: name.to_owned(),
            message: "why".to_owned(),
            values: values
                .iter()
                .map(|(key, value)| KeyValue { key: (*key).to_owned(), value: (*value).to_owned() })
                .collect(),
            ..DiagnosticStatus::default()
        }
    }

    #[test]
    fn a_status_says_which_robot_it_is_of() {
        let of = |name| read(&status(name, &[])).map(|(namespace, _)| namespace);
        assert_eq!(of("/perception_node: expressions").as_deref(), Some("/"));
        assert_eq!(of("/a/b/eyes: expressions").as_deref(), Some("/a/b"));
        assert_eq!(of("/left/behavior_node: responses").as_deref(), Some("/left"));
        assert_eq!(of("left/behavior_node: responses").as_deref(), Some("/left"));
        assert_eq!(of("perception_node: expressions").as_deref(), Some("/"));
        for other in ["cpu", "driver: temperature", "/left/driver: status", "/left/driver"] {
            assert_eq!(of(other), None, "{other}");
        }
    }

    #[test]
    fn of_zones_that_make_no_sense_nothing_is_shown() {
        assert!(zones("").is_empty());
        let point = rapport_perception::geometry::Point { x: 3.0, y: 4.0 };
        assert!(zones("0,0 9,9").contains(point, 10, 10));
    }

    #[test]
    fn values_that_make_no_sense_are_left_out() {
        let values = [
            (key::RATE, "NaN"),
            (key::DROPPED, "-1"),
            (key::ENABLED, "false"),
            (key::IMAGE_TOPIC, "/cam/image/compressed"),
            (key::IMAGE_TRANSPORT, "compressed"),
            (key::ZONES, "0,0 1,0 1,1; 0,0 0.5,0 0,0.5"),
        ];
        let Some((_, Report::Perception(report))) = read(&status("/eyes: expressions", &values))
        else {
            panic!("not read")
        };
        assert_eq!(
            report,
            PerceptionReport {
                node: "/eyes".to_owned(),
                level: Level::Warn,
                sentence: "why".to_owned(),
                enabled: false,
                camera: Some(("/cam/image/compressed".to_owned(), Transport::Compressed)),
                zones: Zones::read(["0,0 1,0 1,1", "0,0 0.5,0 0,0.5"]).unwrap(),
                rate_per_sec: None,
                latency_p50_ms: None,
                dropped: None,
            }
        );
    }

    #[test]
    fn a_policy_has_its_rules_in_their_order() {
        let values = [
            (key::POLICY, "/etc/robot/policy.yaml"),
            (key::POLICY_SHA256, "ab"),
            ("rule 1", "smile, back"),
            ("rule 2", "comfort"),
            ("rule 4", "not in a row"),
        ];
        let Some((_, Report::Behavior(policy))) = read(&status("/b: responses", &values)) else {
            panic!("not read")
        };
        assert_eq!((policy.file.as_str(), policy.sha256.as_str()), ("policy.yaml", "ab"));
        assert_eq!(policy.rules, ["smile, back", "comfort"]);
    }
}
