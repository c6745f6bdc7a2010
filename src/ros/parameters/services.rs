//! The services and the topic by which `ros2 param` and other nodes reach a node's parameters.
//!
//! r2r's own services say neither ranges nor what is read-only, so these replace them.

use std::collections::BTreeSet;

use futures::{Stream, StreamExt};
use r2r::rcl_interfaces::msg::{
    FloatingPointRange, IntegerRange, ListParametersResult, Parameter as ParameterMsg,
    ParameterDescriptor, ParameterEvent, ParameterType, ParameterValue as ValueMsg,
    SetParametersResult,
};
use r2r::rcl_interfaces::srv::{
    DescribeParameters, GetParameterTypes, GetParameters, ListParameters, SetParameters,
    SetParametersAtomically,
};
use r2r::{Node, ParameterValue, Publisher, QosProfile, ServiceRequest};

use super::{Change, Kind, Parameters, Setting, Spec, Values};
use crate::ros::clock::RosClock;

type Requests<T> = Box<dyn Stream<Item = ServiceRequest<T>> + Send + Unpin>;

/// The six parameter services of a node, and `/parameter_events`.
pub struct ParameterServices {
    parameters: Parameters,
    events: Publisher<ParameterEvent>,
    node_name: String,
    clock: RosClock,
    describe: Requests<DescribeParameters::Service>,
    get: Requests<GetParameters::Service>,
    types: Requests<GetParameterTypes::Service>,
    list: Requests<ListParameters::Service>,
    set: Requests<SetParameters::Service>,
    set_atomically: Requests<SetParametersAtomically::Service>,
}

impl ParameterServices {
    /// Advertises the services.
    ///
    /// # Errors
    /// If the node cannot have them.
    pub fn start(node: &mut Node, parameters: Parameters, clock: RosClock) -> r2r::Result<Self> {
        let own = node.name()?;
        let name = |service: &str| format!("{own}/{service}");
        let qos = QosProfile::default;
        let services = Self {
            parameters,
            // As rclcpp and rclpy have it: many nodes share the topic.
            events: node.create_publisher("/parameter_events", qos().keep_last(1000))?,
            node_name: node.fully_qualified_name()?,
            clock,
            describe: Box::new(node.create_service(&name("describe_parameters"), qos())?),
            get: Box::new(node.create_service(&name("get_parameters"), qos())?),
            types: Box::new(node.create_service(&name("get_parameter_types"), qos())?),
            list: Box::new(node.create_service(&name("list_parameters"), qos())?),
            set: Box::new(node.create_service(&name("set_parameters"), qos())?),
            set_atomically: Box::new(
                node.create_service(&name("set_parameters_atomically"), qos())?,
            ),
        };
        let all = services.parameters.all();
        services.publish_event(all, Vec::new());
        Ok(services)
    }

    /// Serves requests until the node ends.
    pub async fn serve(mut self) {
        loop {
            let responded = tokio::select! {
                Some(request) = self.describe.next() => {
                    let values = self.parameters.values();
                    let describe = |name: &String| description(&values, name);
                    let descriptors = request.message.names.iter().map(describe).collect();
                    request.respond(DescribeParameters::Response { descriptors })
                }
                Some(request) = self.get.next() => {
                    let values = self.parameters.values();
                    let value = |name: &String| value_message(value_in(&values, name));
                    let values = request.message.names.iter().map(value).collect();
                    request.respond(GetParameters::Response { values })
                }
                Some(request) = self.types.next() => {
                    let values = self.parameters.values();
                    let kind = |name: &String| type_of(value_in(&values, name));
                    let types = request.message.names.iter().map(kind).collect();
                    request.respond(GetParameterTypes::Response { types })
                }
                Some(request) = self.list.next() => {
                    let result = self.parameters.list(&request.message.prefixes, request.message.depth);
                    request.respond(ListParameters::Response { result })
                }
                Some(request) = self.set.next() => {
                    let results = self.set_each(&request.message.parameters);
                    request.respond(SetParameters::Response { results })
                }
                Some(request) = self.set_atomically.next() => {
                    let result = self.set_atomically(&request.message.parameters);
                    request.respond(SetParametersAtomically::Response { result })
                }
                else => return,
            };
            if let Err(error) = responded {
                tracing::warn!("parameter service: response not sent: {error}");
            }
        }
    }

    /// Sets each one that is not refused.
    fn set_each(&self, wanted: &[ParameterMsg]) -> Vec<SetParametersResult> {
        let wanted = plain(wanted);
        let result = |setting: Setting<'_>| match setting {
            Setting { superseded: true, warning, .. } => {
                SetParametersResult { successful: false, reason: warning.unwrap_or_default() }
            }
            Setting { name, value, .. } => self.set_all(&[(&name, value)]),
        };
        self.settings(&wanted).into_iter().map(result).collect()
    }

    /// Sets all of them or none.
    fn set_atomically(&self, wanted: &[ParameterMsg]) -> SetParametersResult {
        let wanted = plain(wanted);
        let mut settings = self.settings(&wanted);
        settings.retain(|setting| !setting.superseded);
        let settings: Vec<_> =
            settings.iter().map(|setting| (&*setting.name, setting.value)).collect();
        self.set_all(&settings)
    }

    /// What is to be set, by present names. Warns of old ones.
    fn settings<'a>(&self, wanted: &'a [(String, ParameterValue)]) -> Vec<Setting<'a>> {
        let settings = self.parameters.values().settings(wanted);
        let warnings = settings.iter().filter_map(|setting| setting.warning.as_ref());
        warnings.for_each(|warning| tracing::warn!("{warning}"));
        settings
    }

    fn set_all(&self, wanted: &[(&str, &ParameterValue)]) -> SetParametersResult {
        match self.parameters.set_all(wanted) {
            Ok(kept) => {
                let changed = kept.iter().map(|(name, value)| message(name, value));
                self.publish_event(Vec::new(), changed.collect());
                SetParametersResult { successful: true, reason: String::new() }
            }
            Err(reason) => SetParametersResult { successful: false, reason },
        }
    }

    fn publish_event(
        &self,
        new_parameters: Vec<ParameterMsg>,
        changed_parameters: Vec<ParameterMsg>,
    ) {
        let event = ParameterEvent {
            stamp: self.clock.stamp(),
            node: self.node_name.clone(),
            new_parameters,
            changed_parameters,
            deleted_parameters: Vec::new(),
        };
        if let Err(error) = self.events.publish(&event) {
            tracing::warn!("/parameter_events: not published: {error}");
        }
    }
}

/// Names and values of parameters as messages carry them.
fn plain(messages: &[ParameterMsg]) -> Vec<(String, ParameterValue)> {
    messages.iter().map(|one| (one.name.clone(), value_of(&one.value))).collect()
}

fn message(name: &str, value: &ParameterValue) -> ParameterMsg {
    ParameterMsg { name: name.to_owned(), value: value_message(value) }
}

/// One of the constants of rcl_interfaces/msg/ParameterType.
fn type_of(value: &ParameterValue) -> u8 {
    match value {
        ParameterValue::NotSet => ParameterType::PARAMETER_NOT_SET as u8,
        ParameterValue::Bool(_) => ParameterType::PARAMETER_BOOL as u8,
        ParameterValue::Integer(_) => ParameterType::PARAMETER_INTEGER as u8,
        ParameterValue::Double(_) => ParameterType::PARAMETER_DOUBLE as u8,
        ParameterValue::String(_) => ParameterType::PARAMETER_STRING as u8,
        ParameterValue::ByteArray(_) => ParameterType::PARAMETER_BYTE_ARRAY as u8,
        ParameterValue::BoolArray(_) => ParameterType::PARAMETER_BOOL_ARRAY as u8,
        ParameterValue::IntegerArray(_) => ParameterType::PARAMETER_INTEGER_ARRAY as u8,
        ParameterValue::DoubleArray(_) => ParameterType::PARAMETER_DOUBLE_ARRAY as u8,
        ParameterValue::StringArray(_) => ParameterType::PARAMETER_STRING_ARRAY as u8,
    }
}

/// Lists but those of texts are left out: no parameter of ours is one.
fn value_message(value: &ParameterValue) -> ValueMsg {
    let mut message = ValueMsg { type_: type_of(value), ..Default::default() };
    match value {
        ParameterValue::Bool(value) => message.bool_value = *value,
        ParameterValue::Integer(value) => message.integer_value = *value,
        ParameterValue::Double(value) => message.double_value = *value,
        ParameterValue::String(value) => message.string_value = value.clone(),
        ParameterValue::StringArray(values) => message.string_array_value = values.clone(),
        _ => message.type_ = type_of(&ParameterValue::NotSet),
    }
    message
}

fn value_of(message: &ValueMsg) -> ParameterValue {
    let candidates = [
        ParameterValue::Bool(message.bool_value),
        ParameterValue::Integer(message.integer_value),
        ParameterValue::Double(message.double_value),
        ParameterValue::String(message.string_value.clone()),
        ParameterValue::ByteArray(message.byte_array_value.clone()),
        ParameterValue::BoolArray(message.bool_array_value.clone()),
        ParameterValue::IntegerArray(message.integer_array_value.clone()),
        ParameterValue::DoubleArray(message.double_array_value.clone()),
        ParameterValue::StringArray(message.string_array_value.clone()),
    ];
    let is_it = |candidate: &ParameterValue| type_of(candidate) == message.type_;
    candidates.into_iter().find(is_it).unwrap_or(ParameterValue::NotSet)
}

/// The value of a parameter; of an unknown one "not set".
fn value_in<'a>(values: &'a Values, name: &str) -> &'a ParameterValue {
    values.get(name).unwrap_or(&ParameterValue::NotSet)
}

/// What is known of a parameter; of an unknown one its name alone.
fn description(values: &Values, name: &str) -> ParameterDescriptor {
    match values.spec(name) {
        Some(spec) => descriptor(spec),
        None => ParameterDescriptor { name: name.to_owned(), ..Default::default() },
    }
}

impl Parameters {
    fn all(&self) -> Vec<ParameterMsg> {
        let values = self.values();
        let pairs = values.specs.iter().zip(&values.values);
        pairs.map(|(spec, value)| message(&spec.name, value)).collect()
    }

    /// The names below the prefixes (all if there are none) with at most `depth` levels below
    /// them (any number if 0). Levels are parted by dots.
    fn list(&self, prefixes: &[String], depth: u64) -> ListParametersResult {
        let below = |name: &str, prefix: &str| {
            let rest = name.strip_prefix(prefix)?;
            if rest.is_empty() { Some(0) } else { rest.strip_prefix('.').map(levels) }
        };
        let fits = |levels: u64| depth == 0 || levels <= depth;
        let wanted = |name: &str| {
            if prefixes.is_empty() {
                return fits(levels(name));
            }
            prefixes.iter().any(|prefix| below(name, prefix).is_some_and(fits))
        };
        let values = self.values();
        let names: Vec<String> =
            values.specs.iter().map(|spec| spec.name.clone()).filter(|name| wanted(name)).collect();
        let parents: BTreeSet<String> = names
            .iter()
            .filter_map(|name| name.rsplit_once('.').map(|(parent, _)| parent.to_owned()))
            .collect();
        ListParametersResult { names, prefixes: parents.into_iter().collect() }
    }
}

fn levels(name: &str) -> u64 {
    name.split('.').count() as u64
}

fn descriptor(spec: &Spec) -> ParameterDescriptor {
    let mut descriptor = ParameterDescriptor {
        name: spec.name.clone(),
        type_: type_of(&spec.kind.default_value()),
        description: spec.description.to_owned(),
        read_only: spec.change == Change::Never,
        ..Default::default()
    };
    if spec.change == Change::Unconfigured {
        descriptor.additional_constraints = "changes only while the node is unconfigured".into();
    }
    match &spec.kind {
        Kind::Integer(_, range) => {
            let (from_value, to_value) = (*range.start(), *range.end());
            descriptor.integer_range = vec![IntegerRange { from_value, to_value, step: 0 }];
        }
        Kind::Number(_, range) => {
            let (from_value, to_value) = (*range.start(), *range.end());
            descriptor.floating_point_range =
                vec![FloatingPointRange { from_value, to_value, step: 0.0 }];
        }
        Kind::Choice(choices) => {
            descriptor.additional_constraints = format!("one of {}", choices.join(", "));
        }
        Kind::Flag(_) | Kind::Text(_) | Kind::Texts => {}
    }
    descriptor
}
