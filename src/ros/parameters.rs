//! Node parameters from one table: names, defaults, ranges, descriptions, and whether a change
//! while running is taken.

use std::ops::RangeInclusive;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use r2r::indexmap::IndexMap;
use r2r::{Error, Node, Parameter, ParameterValue, RosParams};

/// The type, default and range of a parameter.
#[derive(Debug, Clone)]
pub enum Kind {
    /// A text.
    Text(&'static str),
    /// A whole number.
    Integer(i64, RangeInclusive<i64>),
    /// A number; a whole one is taken too.
    Number(f64, RangeInclusive<f64>),
}

/// One parameter of a node.
#[derive(Debug, Clone)]
pub struct Spec {
    /// Name.
    pub name: &'static str,
    /// Type, default and range.
    pub kind: Kind,
    /// Whether a change while running is taken; otherwise it is refused.
    pub live: bool,
    /// What it does, with its unit.
    pub description: &'static str,
}

/// A parameter that is read at start only.
pub const fn start(name: &'static str, kind: Kind, description: &'static str) -> Spec {
    Spec { name, kind, live: false, description }
}

/// A parameter that may change while the node runs.
pub const fn live(name: &'static str, kind: Kind, description: &'static str) -> Spec {
    Spec { name, kind, live: true, description }
}

/// The values of a node's parameters. Every value in it lies in its range.
#[derive(Debug)]
pub struct Values {
    specs: &'static [Spec],
    values: Vec<ParameterValue>,
    declared: bool,
}

/// Values shared with the parameter services.
#[derive(Debug, Clone)]
pub struct Parameters(Arc<Mutex<Values>>);

impl Parameters {
    /// Takes the values given on the command line and in parameter files, and starts the
    /// parameter services. A given name that is not in the table is warned about. The stream gives
    /// an item for each change.
    ///
    /// # Errors
    /// If a given value has the wrong type or lies out of range: which, and what is allowed.
    pub fn declare(
        node: &mut Node,
        specs: &'static [Spec],
    ) -> anyhow::Result<(
        Self,
        impl Future<Output = ()> + Send + use<>,
        impl futures::Stream<Item = ()> + Send + use<>,
    )> {
        warn_of_unknown(node, specs);
        let values = specs.iter().map(|spec| spec.kind.default_value()).collect();
        let shared = Arc::new(Mutex::new(Values { specs, values, declared: false }));
        let (services, changes) =
            node.make_derived_parameter_handler(shared.clone()).map_err(|error| match error {
                Error::ParameterValueConv { name, msg } => {
                    anyhow::anyhow!("parameter {name} {msg}")
                }
                other => anyhow::Error::from(other),
            })?;
        let parameters = Self(shared);
        parameters.lock().declared = true;
        Ok((parameters, services, futures::StreamExt::map(changes, |_| ())))
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

    fn lock(&self) -> MutexGuard<'_, Values> {
        // Nothing leaves the values half changed, so a panic elsewhere did not harm them.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Kind {
    fn default_value(&self) -> ParameterValue {
        match self {
            Kind::Text(text) => ParameterValue::String((*text).to_owned()),
            Kind::Integer(value, _) => ParameterValue::Integer(*value),
            Kind::Number(value, _) => ParameterValue::Double(*value),
        }
    }

    /// The value in this kind's type, or what is wrong with it.
    fn check(&self, value: &ParameterValue) -> Result<ParameterValue, String> {
        match (self, value) {
            (Kind::Text(_), ParameterValue::String(_)) => Ok(value.clone()),
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
            Kind::Text(_) => "a string".to_owned(),
            Kind::Integer(_, range) => format!("an integer, {} to {}", range.start(), range.end()),
            Kind::Number(_, range) => format!("a number, {} to {}", range.start(), range.end()),
        }
    }
}

fn show(value: &ParameterValue) -> String {
    match value {
        ParameterValue::Integer(value) => value.to_string(),
        ParameterValue::Double(value) => value.to_string(),
        ParameterValue::String(value) => format!("the string `{value}`"),
        ParameterValue::Bool(value) => format!("the boolean {value}"),
        other => format!("a {}", other.type_name()),
    }
}

fn warn_of_unknown(node: &Node, specs: &[Spec]) {
    let given = node.params.lock().unwrap_or_else(PoisonError::into_inner);
    for name in given.keys() {
        // Parameters that rcl and launch files give to every node.
        let common = ["use_sim_time", "start_type_description_service"].contains(&name.as_str())
            || name.starts_with("qos_overrides.");
        if !common && specs.iter().all(|spec| spec.name != name) {
            let known = specs.iter().map(|spec| spec.name).collect::<Vec<_>>().join(", ");
            tracing::warn!("parameter {name} is unknown and ignored, expected one of {known}");
        }
    }
}

impl Values {
    fn get(&self, name: &str) -> Option<&ParameterValue> {
        self.index(name).and_then(|index| self.values.get(index))
    }

    fn index(&self, name: &str) -> Option<usize> {
        self.specs.iter().position(|spec| spec.name == name)
    }

    fn checked(&self, name: &str, value: &ParameterValue) -> r2r::Result<(usize, ParameterValue)> {
        let index = self
            .index(name)
            .ok_or_else(|| Error::InvalidParameterName { name: name.to_owned() })?;
        let spec = &self.specs[index];
        let refused = |msg| Error::ParameterValueConv { name: name.to_owned(), msg };
        if self.declared && !spec.live {
            return Err(refused("cannot change while the node runs; give it at start".to_owned()));
        }
        Ok((index, spec.kind.check(value).map_err(refused)?))
    }
}

impl RosParams for Values {
    fn register_parameters(
        &mut self,
        _prefix: &str,
        _param: Option<Parameter>,
        params: &mut IndexMap<String, Parameter>,
    ) -> r2r::Result<()> {
        for spec in self.specs {
            if let Some(given) = params.shift_remove(spec.name) {
                self.set_parameter(spec.name, &given.value)?;
            }
            let value = self.get_parameter(spec.name)?;
            params.insert(spec.name.to_owned(), Parameter { value, description: spec.description });
        }
        Ok(())
    }

    fn get_parameter(&mut self, name: &str) -> r2r::Result<ParameterValue> {
        let missing = || Error::InvalidParameterName { name: name.to_owned() };
        self.get(name).cloned().ok_or_else(missing)
    }

    fn set_parameter(&mut self, name: &str, value: &ParameterValue) -> r2r::Result<()> {
        let (index, value) = self.checked(name, value)?;
        self.values[index] = value;
        Ok(())
    }

    fn check_parameter(&self, name: &str, value: &ParameterValue) -> r2r::Result<()> {
        self.checked(name, value).map(|_| ())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    static SPECS: [Spec; 2] = [
        Spec { name: "share", kind: Kind::Number(0.5, 0.0..=1.0), live: true, description: "" },
        Spec { name: "count", kind: Kind::Integer(1, 1..=9), live: false, description: "" },
    ];

    fn values() -> Values {
        let values = SPECS.iter().map(|spec| spec.kind.default_value()).collect();
        Values { specs: &SPECS, values, declared: false }
    }

    #[test]
    fn values_out_of_range_or_of_another_type_are_refused_with_both_sides() {
        let mut values = values();
        let mut refusal =
            |name: &str, value| values.set_parameter(name, &value).unwrap_err().to_string();
        let text = refusal("share", ParameterValue::Double(1.5));
        assert!(
            text.contains("share") && text.contains("is 1.5, expected a number, 0 to 1"),
            "{text}"
        );
        let text = refusal("count", ParameterValue::String("two".into()));
        assert!(text.contains("the string `two`, expected an integer, 1 to 9"), "{text}");
        assert!(refusal("cuont", ParameterValue::Integer(1)).contains("cuont"));
        assert!(values.set_parameter("share", &ParameterValue::Double(f64::NAN)).is_err());
    }

    #[test]
    fn a_whole_number_does_for_a_number_and_start_parameters_do_not_change_later() {
        let mut values = values();
        values.set_parameter("share", &ParameterValue::Integer(1)).unwrap();
        assert_eq!(values.get("share"), Some(&ParameterValue::Double(1.0)));
        values.set_parameter("count", &ParameterValue::Integer(3)).unwrap();
        values.declared = true;
        assert!(values.set_parameter("count", &ParameterValue::Integer(4)).is_err());
        assert_eq!(values.get("count"), Some(&ParameterValue::Integer(3)));
    }
}
