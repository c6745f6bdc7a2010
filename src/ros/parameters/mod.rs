//! Node parameters from one table: names, defaults, ranges, descriptions, and when a change is
//! taken. [`services`] answers for them on the graph.

mod services;

use std::ops::RangeInclusive;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use r2r::{Node, ParameterValue};
use tokio::sync::watch;

pub use services::ParameterServices;

use super::arguments::process_arguments;
use super::raw::given_parameters;

/// The type, default and range of a parameter.
#[derive(Debug, Clone)]
pub enum Kind {
    /// Yes or no.
    Flag(bool),
    /// A text.
    Text(&'static str),
    /// One of some texts; the first is the default.
    Choice(&'static [&'static str]),
    /// A whole number.
    Integer(i64, RangeInclusive<i64>),
    /// A number; a whole one is taken too.
    Number(f64, RangeInclusive<f64>),
}

/// When a parameter may change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// At any time.
    Live,
    /// While the node is not configured: before it loads models, or after `cleanup`.
    Unconfigured,
    /// Never after the start.
    Never,
}

/// One parameter of a node.
#[derive(Debug, Clone)]
pub struct Spec {
    /// Name.
    pub name: String,
    /// Type, default and range.
    pub kind: Kind,
    /// When a change is taken; otherwise it is refused.
    pub change: Change,
    /// What it does, with its unit.
    pub description: &'static str,
}

/// A parameter.
pub fn parameter(
    name: impl Into<String>,
    kind: Kind,
    change: Change,
    description: &'static str,
) -> Spec {
    Spec { name: name.into(), kind, change, description }
}

/// The values of a node's parameters. Every value in it lies in its range.
#[derive(Debug)]
struct Values {
    specs: Vec<Spec>,
    values: Vec<ParameterValue>,
    /// Whether the node is configured; nothing while the values given at start are taken.
    configured: Option<bool>,
}

/// Values shared with the parameter services.
#[derive(Debug, Clone)]
pub struct Parameters {
    values: Arc<Mutex<Values>>,
    changed: Arc<watch::Sender<()>>,
}

/// The values that the command line and its parameter files give to the node, in their order.
///
/// # Errors
/// If the command line or a file is none that ROS takes.
pub fn given_to(node: &Node) -> anyhow::Result<Vec<(String, ParameterValue)>> {
    let (_, ros_arguments) = process_arguments();
    Ok(given_parameters(&node.fully_qualified_name()?, &ros_arguments)?)
}

impl Parameters {
    /// Takes the values given on the command line and in parameter files, of [`given_to`]. A given
    /// name that is not in the table is warned about.
    ///
    /// # Errors
    /// If a given value has the wrong type or lies out of range: which, and what is allowed.
    pub fn declare(
        given: &[(String, ParameterValue)],
        mut specs: Vec<Spec>,
    ) -> anyhow::Result<Self> {
        specs.push(parameter(
            "use_sim_time",
            Kind::Flag(false),
            Change::Never,
            "Take the time from /clock, as simulators and replayed recordings give it",
        ));
        let values = specs.iter().map(|spec| spec.kind.default_value()).collect();
        let mut values = Values { specs, values, configured: None };
        for (name, value) in given {
            match values.index(name) {
                Some(_) => values.set(name, value).map_err(anyhow::Error::msg)?,
                // Of rcl itself, which every node takes.
                None if name == "start_type_description_service" => {}
                None => {
                    let known: Vec<_> = values.specs.iter().map(|spec| &*spec.name).collect();
                    tracing::warn!(
                        "parameter {name} is unknown and ignored, expected one of {}",
                        known.join(", ")
                    );
                }
            }
        }
        values.configured = Some(false);
        Ok(Self { values: Arc::new(Mutex::new(values)), changed: Arc::new(watch::Sender::new(())) })
    }

    /// The value of a text parameter; empty if there is none of this name.
    pub fn text(&self, name: &str) -> String {
        match self.lock().get(name) {
            Some(ParameterValue::String(text)) => text.clone(),
            _ => String::new(),
        }
    }

    /// The value of a number or integer parameter; 0 if there is none of this name.
    pub fn number(&self, name: &str) -> f64 {
        match self.lock().get(name) {
            Some(ParameterValue::Double(value)) => *value,
            Some(ParameterValue::Integer(value)) => *value as f64,
            _ => 0.0,
        }
    }

    /// The value of a flag; false if there is none of this name.
    pub fn flag(&self, name: &str) -> bool {
        matches!(self.lock().get(name), Some(ParameterValue::Bool(true)))
    }

    /// Says whether the node is configured now; while it is, parameters that are read on
    /// configuring do not change.
    pub fn set_configured(&self, configured: bool) {
        self.lock().configured = Some(configured);
    }

    /// Tells of changes.
    pub fn changes(&self) -> watch::Receiver<()> {
        self.changed.subscribe()
    }

    fn lock(&self) -> MutexGuard<'_, Values> {
        // Nothing leaves the values half changed, so a panic elsewhere did not harm them.
        self.values.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sets one, and returns the value as it is kept.
    fn set(&self, name: &str, value: &ParameterValue) -> Result<ParameterValue, String> {
        let mut values = self.lock();
        values.set(name, value)?;
        let kept = values.get(name).cloned().unwrap_or(ParameterValue::NotSet);
        drop(values);
        self.changed.send_replace(());
        Ok(kept)
    }
}

impl Kind {
    fn default_value(&self) -> ParameterValue {
        match self {
            Kind::Flag(value) => ParameterValue::Bool(*value),
            Kind::Text(text) => ParameterValue::String((*text).to_owned()),
            Kind::Choice(choices) => {
                ParameterValue::String(choices.first().copied().unwrap_or_default().to_owned())
            }
            Kind::Integer(value, _) => ParameterValue::Integer(*value),
            Kind::Number(value, _) => ParameterValue::Double(*value),
        }
    }

    /// The value in this kind's type, or what is wrong with it.
    fn check(&self, value: &ParameterValue) -> Result<ParameterValue, String> {
        match (self, value) {
            (Kind::Text(_), ParameterValue::String(_))
            | (Kind::Flag(_), ParameterValue::Bool(_)) => Ok(value.clone()),
            (Kind::Choice(choices), ParameterValue::String(text))
                if choices.contains(&text.as_str()) =>
            {
                Ok(value.clone())
            }
            (Kind::Integer(_, range), ParameterValue::Integer(i)) if range.contains(i) => {
                Ok(value.clone())
            }
            (Kind::Number(_, range), ParameterValue::Double(x)) if range.contains(x) => {
                Ok(value.clone())
            }
            // `smoothing_secs: 1` is what people write; ROS makes an integer of it.
            (Kind::Number(_, range), ParameterValue::Integer(i))
                if range.contains(&(*i as f64)) =>
            {
                Ok(ParameterValue::Double(*i as f64))
            }
            _ => Err(format!("is {}, expected {}", show(value), self.expected())),
        }
    }

    fn expected(&self) -> String {
        match self {
            Kind::Flag(_) => "true or false".to_owned(),
            Kind::Text(_) => "a string".to_owned(),
            Kind::Choice(choices) => format!("one of {}", choices.join(", ")),
            Kind::Integer(_, range) => format!("an integer, {} to {}", range.start(), range.end()),
            Kind::Number(_, range) => format!("a number, {} to {}", range.start(), range.end()),
        }
    }
}

fn show(value: &ParameterValue) -> String {
    match value {
        ParameterValue::Integer(value) => value.to_string(),
        // As YAML has it: 2.0 is no integer.
        ParameterValue::Double(value) => format!("{value:?}"),
        ParameterValue::String(value) => format!("the string `{value}`"),
        ParameterValue::Bool(value) => format!("the boolean {value}"),
        other => format!("a {}", other.type_name()),
    }
}

impl Values {
    fn get(&self, name: &str) -> Option<&ParameterValue> {
        self.index(name).and_then(|index| self.values.get(index))
    }

    fn index(&self, name: &str) -> Option<usize> {
        self.specs.iter().position(|spec| spec.name == name)
    }

    /// The place of a parameter and the value as it would be kept, or why it is refused.
    fn checked(
        &self,
        name: &str,
        value: &ParameterValue,
    ) -> Result<(usize, ParameterValue), String> {
        let index = self.index(name).ok_or_else(|| {
            let known: Vec<_> = self.specs.iter().map(|spec| &*spec.name).collect();
            format!("parameter {name} is unknown, expected one of {}", known.join(", "))
        })?;
        let spec = &self.specs[index];
        let refused = |why: String| format!("parameter {name} {why}");
        let value = spec.kind.check(value).map_err(refused)?;
        if self.values.get(index) == Some(&value) {
            return Ok((index, value));
        }
        match (self.configured, spec.change) {
            (Some(_), Change::Never) => {
                Err(refused("cannot change while the node runs; give it at start".to_owned()))
            }
            (Some(true), Change::Unconfigured) => Err(refused(
                "cannot change while the node is configured; give it at start, or clean up the \
                 node (ros2 lifecycle set NODE deactivate, then cleanup) and set it then"
                    .to_owned(),
            )),
            _ => Ok((index, value)),
        }
    }

    fn set(&mut self, name: &str, value: &ParameterValue) -> Result<(), String> {
        let (index, value) = self.checked(name, value)?;
        self.values[index] = value;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values() -> Values {
        let specs = vec![
            parameter("share", Kind::Number(0.5, 0.0..=1.0), Change::Live, ""),
            parameter("count", Kind::Integer(1, 1..=9), Change::Unconfigured, ""),
            parameter("kind", Kind::Choice(&["raw", "compressed"]), Change::Never, ""),
            parameter("on", Kind::Flag(true), Change::Live, ""),
        ];
        let values = specs.iter().map(|spec| spec.kind.default_value()).collect();
        Values { specs, values, configured: None }
    }

    #[test]
    fn values_out_of_range_or_of_another_type_are_refused_with_both_sides() {
        let mut values = values();
        let mut refusal = |name: &str, value| values.set(name, &value).unwrap_err();
        assert_eq!(
            refusal("share", ParameterValue::Double(1.5)),
            "parameter share is 1.5, expected a number, 0 to 1"
        );
        assert_eq!(
            refusal("count", ParameterValue::String("two".into())),
            "parameter count is the string `two`, expected an integer, 1 to 9"
        );
        assert_eq!(
            refusal("kind", ParameterValue::String("theora".into())),
            "parameter kind is the string `theora`, expected one of raw, compressed"
        );
        assert_eq!(
            refusal("on", ParameterValue::Integer(1)),
            "parameter on is 1, expected true or false"
        );
        assert_eq!(
            refusal("cuont", ParameterValue::Integer(1)),
            "parameter cuont is unknown, expected one of share, count, kind, on"
        );
        assert!(values.set("share", &ParameterValue::Double(f64::NAN)).is_err());
    }

    #[test]
    fn a_whole_number_does_for_a_number() {
        let mut values = values();
        values.set("share", &ParameterValue::Integer(1)).unwrap();
        assert_eq!(values.get("share"), Some(&ParameterValue::Double(1.0)));
    }

    #[test]
    fn what_may_change_depends_on_what_the_node_has_done_with_it() {
        let text = |text: &str| ParameterValue::String(text.to_owned());
        let mut values = values();
        values.set("kind", &text("compressed")).unwrap();
        values.configured = Some(false);
        values.set("count", &ParameterValue::Integer(3)).unwrap();
        assert!(values.set("kind", &text("raw")).unwrap_err().contains("give it at start"));
        values.configured = Some(true);
        let refusal = values.set("count", &ParameterValue::Integer(4)).unwrap_err();
        assert!(refusal.contains("cannot change while the node is configured"), "{refusal}");
        assert_eq!(values.get("count"), Some(&ParameterValue::Integer(3)));
        // The value it has already is no change.
        values.set("count", &ParameterValue::Integer(3)).unwrap();
        values.set("share", &ParameterValue::Double(0.1)).unwrap();
    }
}
