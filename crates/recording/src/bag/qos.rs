//! The quality of service that publishers offered while a topic was recorded.

use serde::Deserialize;
use serde::de::{Deserializer, Error, Unexpected, Visitor};
use serde_json::{Map, Value, json};

/// Whether lost messages are sent again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Reliability {
    /// Sent again until received.
    #[default]
    Reliable,
    /// Sent once.
    BestEffort,
}

/// Whether subscribers that join late get earlier messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Durability {
    /// Only what is published from now on.
    #[default]
    Volatile,
    /// The last messages too, as for `/tf_static` and `/robot_description`.
    TransientLocal,
}

/// How many messages a publisher keeps for sending again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum History {
    /// The newest [`Qos::depth`].
    #[default]
    KeepLast,
    /// All.
    KeepAll,
    /// Not recorded: discovery does not carry it with most middlewares.
    Unknown,
}

/// One publisher's offer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Qos {
    /// Whether lost messages are sent again.
    pub reliability: Reliability,
    /// Whether late subscribers get earlier messages.
    pub durability: Durability,
    /// How many messages are kept.
    pub history: History,
    /// The number for [`History::KeepLast`], in messages.
    pub depth: usize,
}

impl Default for Qos {
    /// What ROS 2 publishers offer unless told otherwise: reliable, volatile, the last 10.
    fn default() -> Self {
        Self {
            reliability: Reliability::Reliable,
            durability: Durability::Volatile,
            history: History::KeepLast,
            depth: 10,
        }
    }
}

impl Qos {
    /// The one offer to make for a topic that was recorded with these.
    ///
    /// As `ros2 bag play` does: the recorded reliability and durability where all publishers
    /// agreed, otherwise the default. Where the history was not recorded the last 10 messages
    /// are kept, and for a transient local topic the last 100, because its late subscribers
    /// need what several publishers (of `/tf_static`) once said.
    pub fn for_replay(offered: &[Qos]) -> Qos {
        let Some((first, rest)) = offered.split_first() else {
            return Qos::default();
        };
        let agreed = rest.iter().all(|other| {
            (other.reliability, other.durability) == (first.reliability, first.durability)
        });
        if !agreed {
            return Qos::default();
        }
        let at_least = if first.durability == Durability::TransientLocal { 100 } else { 10 };
        let recorded = offered.iter().map(|qos| qos.depth).max().unwrap_or_default();
        match first.history {
            History::KeepAll => *first,
            History::KeepLast if recorded > 0 && rest.is_empty() => *first,
            _ => Qos { history: History::KeepLast, depth: recorded.max(at_least), ..*first },
        }
    }

    /// Reads the YAML list that rosbag2 stores as `offered_qos_profiles`.
    ///
    /// Recorders up to ROS 2 Iron write numbers, later ones names. An empty text is an empty list.
    ///
    /// # Errors
    /// A text that is no such list.
    pub(super) fn parse_list(yaml: &str) -> Result<Vec<Qos>, serde_saphyr::Error> {
        if yaml.trim().is_empty() {
            return Ok(Vec::new());
        }
        let list: Vec<RecordedQos> = serde_saphyr::from_str(yaml)?;
        Ok(list.into_iter().map(Qos::from).collect())
    }
}

/// A duration that never ends, as rosbag2 writes it.
fn forever() -> Value {
    json!({ "sec": 9_223_372_036i64, "nsec": 854_775_807 })
}

impl Qos {
    /// The offer in full, as recorders since ROS 2 Jazzy write it.
    pub(super) fn to_value(self) -> Value {
        json!({
            "history": match self.history {
                History::KeepLast => "keep_last",
                History::KeepAll => "keep_all",
                History::Unknown => "unknown",
            },
            "depth": self.depth,
            "reliability": match self.reliability {
                Reliability::Reliable => "reliable",
                Reliability::BestEffort => "best_effort",
            },
            "durability": match self.durability {
                Durability::Volatile => "volatile",
                Durability::TransientLocal => "transient_local",
            },
            "deadline": forever(),
            "lifespan": forever(),
            "liveliness": "automatic",
            "liveliness_lease_duration": forever(),
            "avoid_ros_namespace_conventions": false,
        })
    }

    /// Recorded offers in full, policies by name whatever the recorder wrote; those of `offered`
    /// where the text is none.
    pub(super) fn full_list(yaml: &str, offered: &[Qos]) -> Vec<Value> {
        let recorded: Vec<Map<String, Value>> = serde_saphyr::from_str(yaml).unwrap_or_default();
        if recorded.len() != offered.len() {
            return offered.iter().map(|qos| qos.to_value()).collect();
        }
        recorded
            .into_iter()
            .map(|mut offer| {
                for (policy, names) in POLICIES {
                    let number = offer.get(policy).and_then(Value::as_u64);
                    if let Some(name) = number.and_then(|n| names.get(n as usize)) {
                        offer.insert(policy.to_owned(), json!(name));
                    }
                }
                Value::Object(offer)
            })
            .collect()
    }
}

/// The names of policies by the numbers of rmw/types.h.
const POLICIES: [(&str, &[&str]); 4] = [
    ("history", &["system_default", "keep_last", "keep_all", "unknown"]),
    ("reliability", &["system_default", "reliable", "best_effort", "unknown"]),
    ("durability", &["system_default", "transient_local", "volatile", "unknown"]),
    (
        "liveliness",
        &["system_default", "automatic", "manual_by_node", "manual_by_topic", "unknown"],
    ),
];

/// An offer as it is written. Unknown and default values become ROS 2's defaults.
#[derive(Debug, Deserialize)]
pub(super) struct RecordedQos {
    #[serde(default)]
    history: Policy,
    #[serde(default)]
    depth: u32,
    #[serde(default)]
    reliability: Policy,
    #[serde(default)]
    durability: Policy,
}

impl From<RecordedQos> for Qos {
    fn from(recorded: RecordedQos) -> Self {
        // The numbers are those of rmw/types.h, the names those of rmw/qos_string_conversions.h.
        Qos {
            reliability: match recorded.reliability {
                Policy::Number(2) => Reliability::BestEffort,
                Policy::Name(name) if name == "best_effort" => Reliability::BestEffort,
                _ => Reliability::Reliable,
            },
            durability: match recorded.durability {
                Policy::Number(1) => Durability::TransientLocal,
                Policy::Name(name) if name == "transient_local" => Durability::TransientLocal,
                _ => Durability::Volatile,
            },
            history: match recorded.history {
                Policy::Number(1) => History::KeepLast,
                Policy::Number(2) => History::KeepAll,
                Policy::Name(name) if name == "keep_last" => History::KeepLast,
                Policy::Name(name) if name == "keep_all" => History::KeepAll,
                _ => History::Unknown,
            },
            depth: recorded.depth as usize,
        }
    }
}

/// A policy by number or by name.
#[derive(Debug, PartialEq)]
enum Policy {
    Number(u64),
    Name(String),
}

impl Default for Policy {
    fn default() -> Self {
        Policy::Number(0)
    }
}

impl<'de> Deserialize<'de> for Policy {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct PolicyVisitor;

        impl Visitor<'_> for PolicyVisitor {
            type Value = Policy;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a QoS policy by name or number")
            }

            fn visit_u64<E: Error>(self, number: u64) -> Result<Policy, E> {
                Ok(Policy::Number(number))
            }

            fn visit_i64<E: Error>(self, number: i64) -> Result<Policy, E> {
                u64::try_from(number)
                    .map(Policy::Number)
                    .map_err(|_| E::invalid_value(Unexpected::Signed(number), &self))
            }

            fn visit_str<E: Error>(self, name: &str) -> Result<Policy, E> {
                Ok(Policy::Name(name.to_lowercase()))
            }
        }

        deserializer.deserialize_any(PolicyVisitor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_names_say_the_same() {
        let numbers = "- history: 1\n  depth: 5\n  reliability: 2\n  durability: 1\n  deadline:\n    sec: 9223372036\n    nsec: 854775807\n";
        let names = "- history: keep_last\n  depth: 5\n  reliability: best_effort\n  durability: transient_local\n";
        let expected = Qos {
            reliability: Reliability::BestEffort,
            durability: Durability::TransientLocal,
            history: History::KeepLast,
            depth: 5,
        };
        assert_eq!(Qos::parse_list(numbers).unwrap(), [expected]);
        assert_eq!(Qos::parse_list(names).unwrap(), [expected]);
        assert_eq!(Qos::parse_list("").unwrap(), []);
        assert_eq!(Qos::parse_list("[]").unwrap(), []);
        assert!(Qos::parse_list("history: [").is_err());
    }

    #[test]
    fn replay_keeps_what_publishers_agreed_on() {
        let offer = |reliability, durability| Qos {
            reliability,
            durability,
            history: History::Unknown,
            depth: 0,
        };
        use Durability::{TransientLocal, Volatile};
        use Reliability::{BestEffort, Reliable};

        assert_eq!(Qos::for_replay(&[]), Qos::default());
        let sensor = Qos::for_replay(&[offer(BestEffort, Volatile)]);
        assert_eq!((sensor.reliability, sensor.depth), (BestEffort, 10));
        let tf_static = Qos::for_replay(&[offer(Reliable, TransientLocal); 2]);
        assert_eq!((tf_static.durability, tf_static.depth), (TransientLocal, 100));
        let mixed = [offer(BestEffort, Volatile), offer(Reliable, Volatile)];
        assert_eq!(Qos::for_replay(&mixed), Qos::default());
    }
}
