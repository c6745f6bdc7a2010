//! Node parameters from one table: names, defaults, ranges, descriptions, and when a change is
//! taken. [`services`] offers them on the graph.

mod services;

use std::collections::BTreeSet;
use std::ops::RangeInclusive;
use std::sync::Arc;

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
    /// Texts, none by default; a single one is taken too.
    Texts,
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

/// Says why a value is refused.
pub type Check = fn(&ParameterValue) -> Result<(), String>;

/// One parameter of a node.
#[derive(Debug, Clone)]
pub struct Spec {
    /// Name.
    pub name: String,
    /// Names that it had before. They are still taken, with a warning.
    pub old_names: &'static [&'static str],
    /// Type, default and range.
    pub kind: Kind,
    /// When a change is taken; otherwise it is refused.
    pub change: Change,
    /// What else a new value must fulfil while the node runs, or why it is refused.
    pub check: Option<Check>,
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
    Spec { name: name.into(), old_names: &[], kind, change, check: None, description }
}

impl Spec {
    /// The same parameter, which had these names before.
    pub fn formerly(self, old_names: &'static [&'static str]) -> Self {
        Self { old_names, ..self }
    }

    /// The same parameter, whose values while the node runs must pass a check too.
    pub fn checked(self, check: Check) -> Self {
        Self { check: Some(check), ..self }
    }
}

/// The values of all parameters of a node at one moment. They never change: setting a parameter
/// makes another `Values`. Each lies in its range.
#[derive(Debug, Clone)]
pub struct Values {
    specs: Arc<[Spec]>,
    values: Vec<ParameterValue>,
}

/// What changes, all of it under one lock.
#[derive(Debug)]
struct State {
    newest: Arc<Values>,
    phase: Phase,
}

/// How far the node is, which decides what may change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// The values given at start are taken: everything may be set.
    Starting,
    /// What is read on configuring may change.
    Unconfigured,
    /// What is read on configuring may not change.
    Configured,
}

/// The parameters of a node: the newest values, shared with the parameter services.
#[derive(Debug, Clone)]
pub struct Parameters {
    state: Arc<watch::Sender<State>>,
}

/// One reader's view of the values: it knows which it has seen.
#[derive(Debug, Clone)]
pub struct Changes(watch::Receiver<State>);

/// A parameter as somebody sets it.
struct Setting<'a> {
    /// Its present name, or the name that was given where there is no such parameter.
    name: String,
    value: &'a ParameterValue,
    /// For the log, where it is set by an old name.
    warning: Option<String>,
    /// It is set by its present name as well, which wins.
    superseded: bool,
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
    /// Takes the values given on the command line and in parameter files, of [`given_to`]. Warns of
    /// given names that are old or unknown.
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
            Change::Live,
            "Take the time from /clock, as simulators and replayed recordings give it",
        ));
        let (values, warnings) = Values::given(given, specs).map_err(anyhow::Error::msg)?;
        warnings.iter().for_each(|warning| tracing::warn!("{warning}"));
        let state = State { newest: Arc::new(values), phase: Phase::Unconfigured };
        Ok(Self { state: Arc::new(watch::Sender::new(state)) })
    }

    /// The values now.
    pub fn values(&self) -> Arc<Values> {
        self.state.borrow().newest.clone()
    }

    /// Says whether the node is configured from now on; while it is, parameters that are read on
    /// configuring do not change.
    pub fn set_configured(&self, configured: bool) {
        self.state.send_if_modified(|state| {
            state.phase = if configured { Phase::Configured } else { Phase::Unconfigured };
            // No value has changed: readers need not look.
            false
        });
    }

    /// For a reader of the values, which has seen those of now.
    pub fn changes(&self) -> Changes {
        Changes(self.state.subscribe())
    }

    /// Sets all of them or none, by their present names. Nobody sees some set and others not.
    /// Returns names and values as they are kept.
    ///
    /// # Errors
    /// Why the first that is refused is refused.
    fn set_all(
        &self,
        wanted: &[(&str, &ParameterValue)],
    ) -> Result<Vec<(String, ParameterValue)>, String> {
        let mut result = Ok(Vec::new());
        self.state.send_if_modified(|state| {
            let mut values = Values::clone(&state.newest);
            let kept = wanted.iter().map(|(name, value)| values.set(name, value, state.phase));
            result = kept.collect();
            if result.is_ok() {
                state.newest = Arc::new(values);
            }
            result.is_ok()
        });
        result
    }
}

impl Changes {
    /// The newest values, if there was a change since the last call of this or of
    /// [`Changes::newest`].
    pub fn newer(&mut self) -> Option<Arc<Values>> {
        self.0.has_changed().unwrap_or(false).then(|| self.newest())
    }

    /// Waits until parameters are set, also to the values that they have. False if the node ends
    /// before.
    pub async fn changed(&mut self) -> bool {
        self.0.changed().await.is_ok()
    }

    /// The newest values.
    pub fn newest(&mut self) -> Arc<Values> {
        self.0.borrow_and_update().newest.clone()
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
            Kind::Texts => ParameterValue::StringArray(Vec::new()),
        }
    }

    /// The value in this kind's type, or what is wrong with it.
    fn check(&self, value: &ParameterValue) -> Result<ParameterValue, String> {
        match (self, value) {
            (Kind::Text(_), ParameterValue::String(_))
            | (Kind::Flag(_), ParameterValue::Bool(_))
            | (Kind::Texts, ParameterValue::StringArray(_)) => Ok(value.clone()),
            (Kind::Texts, ParameterValue::String(text)) => {
                Ok(ParameterValue::StringArray(vec![text.clone()]))
            }
            // A parameter file cannot say of what an empty list is one, and rclpy calls it bytes.
            (Kind::Texts, ParameterValue::NotSet) => Ok(self.default_value()),
            (Kind::Texts, value) if is_empty_list(value) => {
                Ok(ParameterValue::StringArray(Vec::new()))
            }
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
            Kind::Texts => "a list of strings".to_owned(),
        }
    }
}

fn is_empty_list(value: &ParameterValue) -> bool {
    match value {
        ParameterValue::BoolArray(values) => values.is_empty(),
        ParameterValue::IntegerArray(values) => values.is_empty(),
        ParameterValue::DoubleArray(values) => values.is_empty(),
        ParameterValue::ByteArray(values) => values.is_empty(),
        _ => false,
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
    fn defaults(specs: Vec<Spec>) -> Self {
        let values = specs.iter().map(|spec| spec.kind.default_value()).collect();
        Self { specs: specs.into(), values }
    }

    /// The defaults, changed by the values given at start, and what to warn of.
    fn given(
        given: &[(String, ParameterValue)],
        specs: Vec<Spec>,
    ) -> Result<(Self, BTreeSet<String>), String> {
        let mut values = Self::defaults(specs);
        let mut warnings = BTreeSet::new();
        for setting in values.settings(given) {
            warnings.extend(setting.warning);
            if setting.superseded {
                continue;
            }
            if values.index(&setting.name).is_some() {
                values.set(&setting.name, setting.value, Phase::Starting)?;
            } else if setting.name != "start_type_description_service" {
                // The one left out is of rcl itself, which every node takes.
                warnings.insert(format!("{}; it is ignored", values.unknown(&setting.name)));
            }
        }
        Ok((values, warnings))
    }

    /// The value of a text parameter; empty if there is none of this name.
    pub fn text(&self, name: &str) -> &str {
        match self.get(name) {
            Some(ParameterValue::String(text)) => text,
            _ => "",
        }
    }

    /// The value of a number or integer parameter; 0 if there is none of this name.
    pub fn number(&self, name: &str) -> f64 {
        match self.get(name) {
            Some(ParameterValue::Double(value)) => *value,
            Some(ParameterValue::Integer(value)) => *value as f64,
            _ => 0.0,
        }
    }

    /// The values of a parameter of texts; none if there is none of this name.
    pub fn texts(&self, name: &str) -> &[String] {
        match self.get(name) {
            Some(ParameterValue::StringArray(texts)) => texts,
            _ => &[],
        }
    }

    /// The value of a flag; false if there is none of this name.
    pub fn flag(&self, name: &str) -> bool {
        matches!(self.get(name), Some(ParameterValue::Bool(true)))
    }

    fn get(&self, name: &str) -> Option<&ParameterValue> {
        self.index(name).and_then(|index| self.values.get(index))
    }

    fn spec(&self, name: &str) -> Option<&Spec> {
        self.index(name).and_then(|index| self.specs.get(index))
    }

    /// The place of a parameter of this name, present or old.
    fn index(&self, name: &str) -> Option<usize> {
        let present = self.specs.iter().position(|spec| spec.name == name);
        present.or_else(|| self.specs.iter().position(|spec| spec.old_names.contains(&name)))
    }

    /// What somebody sets at once, by the present names of the parameters.
    fn settings<'a>(&self, given: &'a [(String, ParameterValue)]) -> Vec<Setting<'a>> {
        let setting = |(name, value): &'a (String, ParameterValue)| {
            let present = match self.spec(name) {
                Some(spec) if spec.name != *name => &spec.name,
                _ => {
                    let name = name.clone();
                    return Setting { name, value, warning: None, superseded: false };
                }
            };
            let superseded = given.iter().any(|(other, _)| other == present);
            let warning = match superseded {
                true => format!(
                    "parameters {present} and {name} are both set, but {name} is the old name of \
                     {present}: the value of {present} is taken"
                ),
                false => format!("parameter {name} is now called {present}; use the new name"),
            };
            Setting { name: present.clone(), value, warning: Some(warning), superseded }
        };
        given.iter().map(setting).collect()
    }

    fn unknown(&self, name: &str) -> String {
        let known: Vec<_> = self.specs.iter().map(|spec| &*spec.name).collect();
        format!("parameter {name} is unknown, expected one of {}", known.join(", "))
    }

    /// Sets one. Returns its present name and the value as it is kept, or why it is refused.
    fn set(
        &mut self,
        name: &str,
        value: &ParameterValue,
        phase: Phase,
    ) -> Result<(String, ParameterValue), String> {
        let index = self.index(name).ok_or_else(|| self.unknown(name))?;
        let (Some(spec), Some(kept)) = (self.specs.get(index), self.values.get_mut(index)) else {
            return Err(self.unknown(name));
        };
        let refused = |why: String| format!("parameter {name} {why}");
        if *value == ParameterValue::NotSet {
            let default = show(&spec.kind.default_value());
            return Err(refused(format!(
                "cannot be deleted: the node has it always; its default is {default}"
            )));
        }
        let value = spec.kind.check(value).map_err(refused)?;
        if *kept != value {
            spec.change.check(phase).map_err(|why| refused(why.to_owned()))?;
        }
        if let (Some(check), true) = (spec.check, phase != Phase::Starting) {
            // Also where the value is the same: a file of this name may be another one now.
            check(&value).map_err(|why| format!("parameter {name} is not changed: {why}"))?;
        }
        kept.clone_from(&value);
        Ok((spec.name.clone(), value))
    }
}

impl Change {
    /// Why a change in this phase is refused.
    fn check(self, phase: Phase) -> Result<(), &'static str> {
        match (phase, self) {
            (Phase::Unconfigured | Phase::Configured, Change::Never) => {
                Err("cannot change while the node runs; give it at start")
            }
            (Phase::Configured, Change::Unconfigured) => Err(
                "cannot change while the node is configured; give it at start, or clean up the \
                 node (ros2 lifecycle set NODE deactivate, then cleanup) and set it then",
            ),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn specs() -> Vec<Spec> {
        vec![
            parameter("share", Kind::Number(0.5, 0.0..=1.0), Change::Live, ""),
            parameter("count", Kind::Integer(1, 1..=9), Change::Unconfigured, ""),
            parameter("kind", Kind::Choice(&["raw", "compressed"]), Change::Never, ""),
            parameter("on", Kind::Flag(true), Change::Live, "").formerly(&["enabled", "is_on"]),
        ]
    }

    fn parameters() -> Parameters {
        Parameters::declare(&[], specs()).unwrap()
    }

    fn set(parameters: &Parameters, name: &str, value: ParameterValue) -> Result<(), String> {
        parameters.set_all(&[(name, &value)]).map(|_| ())
    }

    #[test]
    fn values_out_of_range_or_of_another_type_are_refused_with_both_sides() {
        let parameters = parameters();
        let refusal = |name: &str, value| set(&parameters, name, value).unwrap_err();
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
            "parameter cuont is unknown, expected one of share, count, kind, on, use_sim_time"
        );
        assert!(set(&parameters, "share", ParameterValue::Double(f64::NAN)).is_err());
        assert_eq!(
            refusal("share", ParameterValue::NotSet),
            "parameter share cannot be deleted: the node has it always; its default is 0.5"
        );
    }

    #[test]
    fn a_whole_number_does_for_a_number() {
        let parameters = parameters();
        set(&parameters, "share", ParameterValue::Integer(1)).unwrap();
        assert_eq!(parameters.values().get("share"), Some(&ParameterValue::Double(1.0)));
    }

    #[test]
    fn what_may_change_depends_on_what_the_node_has_done_with_it() {
        let text = |text: &str| ParameterValue::String(text.to_owned());
        let given = [("kind".to_owned(), text("compressed"))];
        let parameters = Parameters::declare(&given, specs()).unwrap();
        set(&parameters, "count", ParameterValue::Integer(3)).unwrap();
        assert!(set(&parameters, "kind", text("raw")).unwrap_err().contains("give it at start"));
        parameters.set_configured(true);
        let refusal = set(&parameters, "count", ParameterValue::Integer(4)).unwrap_err();
        assert!(refusal.contains("cannot change while the node is configured"), "{refusal}");
        assert_eq!(parameters.values().number("count"), 3.0);
        // The value it has already is no change.
        set(&parameters, "count", ParameterValue::Integer(3)).unwrap();
        set(&parameters, "share", ParameterValue::Double(0.1)).unwrap();
    }

    #[test]
    fn all_are_set_or_none_and_no_reader_sees_half_of_a_change() {
        let parameters = parameters();
        let pair = |count: i64| {
            let share = ParameterValue::Double(count as f64 / 10.0);
            let count = ParameterValue::Integer(count);
            parameters.set_all(&[("count", &count), ("share", &share)]).map(|_| ())
        };
        pair(5).unwrap();
        let (one, wrong) = (ParameterValue::Integer(1), ParameterValue::Double(1.1));
        assert!(parameters.set_all(&[("count", &one), ("share", &wrong)]).is_err());
        assert_eq!(parameters.values().number("count"), 5.0, "all or none");

        std::thread::scope(|scope| {
            let writer = scope.spawn(|| {
                for round in 0..20_000 {
                    pair(1 + round % 9).unwrap();
                }
            });
            while !writer.is_finished() {
                let values = parameters.values();
                assert_eq!(values.number("share"), values.number("count") / 10.0);
            }
        });
    }

    #[test]
    fn readers_are_told_of_changed_values_only() {
        let parameters = parameters();
        let mut changes = parameters.changes();
        parameters.set_configured(true);
        set(&parameters, "share", ParameterValue::Double(2.0)).unwrap_err();
        assert!(changes.newer().is_none());
        set(&parameters, "share", ParameterValue::Double(0.1)).unwrap();
        set(&parameters, "share", ParameterValue::Double(0.2)).unwrap();
        assert_eq!(changes.newer().map(|values| values.number("share")), Some(0.2));
        assert!(changes.newer().is_none());
    }

    #[test]
    fn an_old_name_is_taken_with_a_warning_unless_the_present_one_is_given_too() {
        let given = |names: &[(&str, bool)]| {
            let given: Vec<_> = names
                .iter()
                .map(|(name, on)| ((*name).to_owned(), ParameterValue::Bool(*on)))
                .collect();
            let (values, warnings) = Values::given(&given, specs()).unwrap();
            (values.flag("on"), warnings.into_iter().collect::<Vec<_>>())
        };
        assert_eq!(given(&[("on", false)]), (false, vec![]));
        let renamed = "parameter is_on is now called on; use the new name";
        assert_eq!(given(&[("is_on", false)]), (false, vec![renamed.to_owned()]));
        // Of a parameter file and of the command line: one warning.
        assert_eq!(given(&[("is_on", true), ("is_on", false)]), (false, vec![renamed.to_owned()]));
        for names in [[("on", false), ("enabled", true)], [("enabled", true), ("on", false)]] {
            let (on, warnings) = given(&names);
            assert!(!on, "the present name wins, whatever comes last");
            let both = "parameters on and enabled are both set, but enabled is the old name of on: \
                        the value of on is taken";
            assert_eq!(warnings, [both]);
        }
    }

    #[test]
    fn an_unknown_name_at_start_is_a_warning_with_the_names_that_exist() {
        let given = [("cuont".to_owned(), ParameterValue::Integer(1))];
        let (_, warnings) = Values::given(&given, specs()).unwrap();
        let expected = "parameter cuont is unknown, expected one of share, count, kind, on; it is \
                        ignored";
        assert_eq!(warnings.into_iter().collect::<Vec<_>>(), [expected]);
    }
}
