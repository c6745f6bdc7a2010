//! The types of messages, services and actions that this program was built with.

use std::panic::{AssertUnwindSafe, catch_unwind};

use r2r::{NativeMsg, WrappedNativeMsgUntyped, WrappedTypesupport};
use serde_json::Value;

use rapport_behavior::robot_file::{Channel, Interface};

include!(concat!(env!("OUT_DIR"), "/interfaces.rs"));

/// What a type has; nothing where it is not bound.
pub fn find(channel: Channel, type_name: &str) -> Option<Interface> {
    match channel {
        Channel::Topic { .. } => msg(type_name),
        Channel::Service => srv(type_name),
        Channel::Action => action(type_name),
    }
}

fn msg(type_name: &str) -> Option<Interface> {
    let default = WrappedNativeMsgUntyped::new_from(type_name).ok()?.to_json().ok()?;
    let type_name = type_name.to_owned();
    let trial = move |value: &Value| {
        unless_it_panics(|| {
            let message = WrappedNativeMsgUntyped::new_from(&type_name);
            message.and_then(|message| message.from_json(value.clone())).map_err(reason)
        })
    };
    Some(Interface::of_topic(default, Box::new(trial)))
}

fn with_answer<S, A>() -> Interface
where
    S: WrappedTypesupport + 'static,
    A: WrappedTypesupport + 'static,
{
    let trial = |value: &Value| {
        unless_it_panics(|| {
            let message: S = serde_json::from_value(value.clone()).map_err(|e| e.to_string())?;
            let _in_c = NativeMsg::<S>::from(&message);
            Ok(())
        })
    };
    Interface::with_answer(default::<S>(), Box::new(trial), default::<A>())
}

fn default<T: WrappedTypesupport>() -> Value {
    serde_json::to_value(T::default()).unwrap_or_default()
}

/// r2r asserts the length of lists.
fn unless_it_panics(work: impl FnOnce() -> Result<(), String>) -> Result<(), String> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|_| Err("it is too long".to_owned()))
}

fn reason(error: r2r::Error) -> String {
    match error {
        r2r::Error::SerdeError { err } => err,
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rapport_behavior::robot_file::RobotFile;
    use std::path::Path;

    fn problem(text: &str) -> String {
        let mut robot = RobotFile::parse(Path::new("robot.yaml"), text.as_bytes()).unwrap();
        robot.fit(&find).unwrap_err().to_string()
    }

    #[test]
    fn the_types_that_are_bound_show_what_they_have() {
        let found = problem(
            "version: 1\nlight: {topic: a, type: std_msgs/msg/ColorRGBA, fields: {red: 1}}\n",
        );
        assert_eq!(
            found,
            "robot.yaml:2:58: fields has the unknown field `red`; allowed: those of \
             std_msgs/msg/ColorRGBA: a (a number), b (a number), g (a number), r (a number)"
        );
        let found = problem(
            "version: 1\nspeech: {service: a, type: std_srvs/srv/SetBool, fields: {data: 1}}\n",
        );
        assert_eq!(
            found,
            "robot.yaml:2:65: data is 1; allowed: true or false, as std_srvs/srv/SetBool has it"
        );
    }

    #[test]
    fn a_value_out_of_range_and_a_list_of_wrong_length_are_found_before_they_are_sent() {
        let found = problem(
            "version: 1\nspeech: {topic: a, type: std_msgs/msg/UInt8, fields: {data: 300}}\n",
        );
        assert!(found.starts_with("robot.yaml:2:61: data is 300; allowed: what "), "{found}");
        let found = problem(
            "version: 1\nspeech: {topic: a, type: unique_identifier_msgs/msg/UUID, \
             fields: {uuid: [1, 2]}}\n",
        );
        assert_eq!(found, "robot.yaml:2:74: uuid is a list of 2; allowed: a list of 16");
    }
}
