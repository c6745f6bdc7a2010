//! The parameters that a command line and its parameter files give to one node.
//!
//! r2r reads them too, but takes only those that stand under `/**`, the node's bare name or its
//! full one. Nav2's `RewrittenYaml` and many launch files nest namespaces, and rclcpp knows more
//! wildcards: here keys count as they do in rclcpp, whose `parameter_map_from` is followed.

use std::ffi::{CStr, OsString, c_char};
use std::slice;

use r2r::ParameterValue;
use r2r_rcl::{rcl_arguments_get_param_overrides, rcl_variant_t, rcl_yaml_node_struct_fini};

use super::RawError;
use super::arguments::with_parsed;

/// The parameters for the node of this full name (`/left/perception_node`), in the order in which
/// they are given: of two with the same name the later one counts.
///
/// # Errors
/// If an argument or a parameter file is none that ROS takes.
pub fn given_parameters(
    node: &str,
    ros_arguments: &[OsString],
) -> Result<Vec<(String, ParameterValue)>, RawError> {
    let what = "parameters";
    // SAFETY: the structures are made and freed by the library; what is read from them is copied
    // before that. Where a pointer is null, its count is not looked at.
    with_parsed(what, ros_arguments, |parsed| unsafe {
        let mut given = Vec::new();
        let mut overrides = std::ptr::null_mut();
        let code = rcl_arguments_get_param_overrides(parsed, &mut overrides);
        if let Some(all) = overrides.as_ref() {
            for (&name, of_node) in slice_of(all.node_names, all.num_nodes)
                .iter()
                .zip(slice_of(all.params, all.num_nodes))
            {
                if !is_meant(&text_of(name), node) {
                    continue;
                }
                let names = slice_of(of_node.parameter_names, of_node.num_params);
                let values = slice_of(of_node.parameter_values, of_node.num_params);
                for (&name, value) in names.iter().zip(values) {
                    given.push((text_of(name), value_of(value)));
                }
            }
            rcl_yaml_node_struct_fini(overrides);
        }
        RawError::check(what, code)?;
        Ok(given)
    })
}

/// Whether the parameters under a key of a parameter file are meant for the node of a full name
/// (`/left/perception_node`).
///
/// A key without a slash in front counts as if it had one: a bare name means the node in the root
/// namespace alone. `*` stands for one part of the name and `**` for any number of them, none
/// included.
fn is_meant(key: &str, node: &str) -> bool {
    let key: Vec<&str> = key.strip_prefix('/').unwrap_or(key).split('/').collect();
    let node: Vec<&str> = node.strip_prefix('/').unwrap_or(node).split('/').collect();
    matches(&key, &node)
}

fn matches(pattern: &[&str], name: &[&str]) -> bool {
    match (pattern.split_first(), name.split_first()) {
        (None, None) => true,
        (Some((&"**", rest)), _) => (0..=name.len()).any(|n| matches(rest, &name[n..])),
        (Some((part, rest)), Some((own, others))) => {
            (*part == "*" || part == own) && matches(rest, others)
        }
        _ => false,
    }
}

/// # Safety
/// The pointer is null or points to so many values that live as long as the slice is used.
unsafe fn slice_of<'a, T>(pointer: *const T, count: usize) -> &'a [T] {
    // SAFETY: as the caller promises.
    if pointer.is_null() { &[] } else { unsafe { slice::from_raw_parts(pointer, count) } }
}

/// # Safety
/// The pointer is null or points to a string that ends with NUL.
unsafe fn text_of(pointer: *const c_char) -> String {
    if pointer.is_null() {
        return String::new();
    }
    // SAFETY: as the caller promises.
    unsafe { CStr::from_ptr(pointer) }.to_string_lossy().into_owned()
}

/// # Safety
/// As the library gives it: the pointers are null or valid.
unsafe fn value_of(variant: &rcl_variant_t) -> ParameterValue {
    // SAFETY: as the caller promises.
    unsafe {
        if let Some(value) = variant.bool_value.as_ref() {
            ParameterValue::Bool(*value)
        } else if let Some(value) = variant.integer_value.as_ref() {
            ParameterValue::Integer(*value)
        } else if let Some(value) = variant.double_value.as_ref() {
            ParameterValue::Double(*value)
        } else if !variant.string_value.is_null() {
            ParameterValue::String(text_of(variant.string_value))
        } else if let Some(array) = variant.byte_array_value.as_ref() {
            ParameterValue::ByteArray(slice_of(array.values, array.size).to_vec())
        } else if let Some(array) = variant.bool_array_value.as_ref() {
            ParameterValue::BoolArray(slice_of(array.values, array.size).to_vec())
        } else if let Some(array) = variant.integer_array_value.as_ref() {
            ParameterValue::IntegerArray(slice_of(array.values, array.size).to_vec())
        } else if let Some(array) = variant.double_array_value.as_ref() {
            ParameterValue::DoubleArray(slice_of(array.values, array.size).to_vec())
        } else if let Some(array) = variant.string_array_value.as_ref() {
            let texts = slice_of(array.data, array.size);
            ParameterValue::StringArray(texts.iter().map(|&text| text_of(text)).collect())
        } else {
            ParameterValue::NotSet
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_count_as_they_do_in_rclcpp() {
        let node = "/left/perception_node";
        for key in [
            "/**",
            "**",
            "/left/perception_node",
            "left/perception_node",
            "/*/perception_node",
            "*/perception_node",
            "/**/perception_node",
            "/left/**",
            "/left/*",
            "/left/**/perception_node",
            "/left/perception_node/**",
            "/**/left/perception_node",
        ] {
            assert!(is_meant(key, node), "{key}");
        }
        for key in [
            // The node of this name in the root namespace.
            "perception_node",
            "/perception_node",
            "/*",
            "*",
            "/right/perception_node",
            "left",
            "/left",
            "/left/perception",
            "/left/perception_node/*",
            "/*/*/perception_node",
            "behavior_node",
            "/",
            "",
        ] {
            assert!(!is_meant(key, node), "{key}");
        }
        for key in ["perception_node", "/perception_node", "/*", "*", "/**", "/**/perception_node"]
        {
            assert!(is_meant(key, "/perception_node"), "{key}");
        }
    }

    #[test]
    fn a_bare_name_in_a_file_or_on_the_command_line_means_the_root_namespace() {
        let file = tempfile::NamedTempFile::with_suffix(".yaml").unwrap();
        let yaml = "perception_node:\n  ros__parameters: {threads: 2}\n";
        std::fs::write(file.path(), yaml).unwrap();
        let arguments: Vec<OsString> =
            ["--ros-args", "--params-file", file.path().to_str().unwrap(), "-p"]
                .into_iter()
                .chain(["perception_node:min_score:=0.6"])
                .map(OsString::from)
                .collect();
        let names = |node: &str| -> Vec<String> {
            let given = given_parameters(node, &arguments).unwrap();
            given.into_iter().map(|(name, _)| name).collect()
        };
        assert_eq!(names("/perception_node"), ["threads", "min_score"]);
        assert!(names("/left/perception_node").is_empty());
    }

    #[test]
    fn values_keep_their_types_and_later_ones_come_later() {
        let file = tempfile::NamedTempFile::with_suffix(".yaml").unwrap();
        let yaml = "left:\n  perception_node:\n    ros__parameters:\n      threads: 2\n      \
                    names: [a, b]\n/right/**:\n  ros__parameters: {threads: 3}\n";
        std::fs::write(file.path(), yaml).unwrap();
        let line = format!(
            "--ros-args --params-file {} -p min_score:=0.5 -p autostart:=false",
            file.path().display()
        );
        let arguments: Vec<OsString> = line.split_whitespace().map(OsString::from).collect();
        let given = given_parameters("/left/perception_node", &arguments).unwrap();
        let texts = vec!["a".to_owned(), "b".to_owned()];
        for expected in [
            ("threads", ParameterValue::Integer(2)),
            ("names", ParameterValue::StringArray(texts)),
            ("min_score", ParameterValue::Double(0.5)),
            ("autostart", ParameterValue::Bool(false)),
        ] {
            let found = given.iter().filter(|(name, _)| name == expected.0).collect::<Vec<_>>();
            assert!(matches!(found[..], [(_, value)] if *value == expected.1), "{found:?}");
        }
        assert_eq!(given.len(), 4);
        assert_eq!(given_parameters("/left/perception_node", &[]).unwrap(), []);
    }
}
