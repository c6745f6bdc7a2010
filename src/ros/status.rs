//! What statuses on `/diagnostics` (REP-107) are called: dashboard_node reads what the other nodes
//! report.

/// The topic, the same in every namespace.
pub const TOPIC: &str = "/diagnostics";

/// What perception_node reports on: the last part of the status's name.
pub const EXPRESSIONS: &str = "expressions";
/// What behavior_node reports on.
pub const RESPONSES: &str = "responses";
/// What dashboard_node reports on.
pub const ALERTS: &str = "alerts";

/// Names of values that dashboard_node reads. Other dashboards look them up too: they stay as they
/// are.
pub mod key {
    /// Whether the service `enable` allows images: `true` or `false`.
    pub const ENABLED: &str = "enabled";
    /// The camera's topic, resolved.
    pub const IMAGE_TOPIC: &str = "image topic";
    /// How images come over it.
    pub const IMAGE_TRANSPORT: &str = "image transport";
    /// The parts of the image that are not looked at, as the parameter `ignore_zones` has them, with
    /// [`ZONE_SEPARATOR`] between them.
    pub const ZONES: &str = "ignored zones";
    /// Between two zones.
    pub const ZONE_SEPARATOR: &str = "; ";
    /// Rate of the last seconds.
    pub const RATE: &str = "images answered per second";
    /// Count since the start.
    pub const DROPPED: &str = "images dropped";
    /// Median time of an image in milliseconds.
    pub const TOTAL_P50: &str = "total p50 (ms)";
    /// The policy's file.
    pub const POLICY: &str = "policy";
    /// Its SHA-256 in hexadecimal.
    pub const POLICY_SHA256: &str = "policy SHA-256";
    /// How many rules it has; `rule 1` and so on are their names.
    pub const RULES: &str = "rules";

    /// The name of the value that has the name of a rule, counted from 1.
    pub fn rule(number: usize) -> String {
        format!("rule {number}")
    }
}
