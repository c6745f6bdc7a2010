//! The name under which a topic is found on the graph.

use std::ffi::{CStr, CString, OsString, c_char};

use r2r_rcl::{rcl_allocator_t, rcl_arguments_t, rcl_ret_t, rcutils_get_default_allocator};

use super::RawError;
use super::arguments::with_parsed;

unsafe extern "C" {
    // Of rcl/remap.h, which r2r_rcl does not bind.
    fn rcl_remap_topic_name(
        local_arguments: *const rcl_arguments_t,
        global_arguments: *const rcl_arguments_t,
        topic_name: *const c_char,
        node_name: *const c_char,
        node_namespace: *const c_char,
        allocator: rcl_allocator_t,
        output_name: *mut *mut c_char,
    ) -> rcl_ret_t;
}

/// The full name of a topic that the node of this name and namespace (`/` or `/left`) calls `name`
/// (`image`, or a full one), remapped by the process's ROS arguments.
///
/// # Errors
/// If a name or an argument is none that ROS takes.
pub fn resolve_topic(
    name: &str,
    node_name: &str,
    namespace: &str,
    ros_arguments: &[OsString],
) -> Result<String, RawError> {
    let what = "topic name not resolved";
    let text = |text: String| CString::new(text).map_err(|_| RawError::new(what, "it has a NUL"));
    let expanded = match name.starts_with('/') {
        true => name.to_owned(),
        false => format!("{}/{name}", namespace.trim_end_matches('/')),
    };
    let topic = text(expanded.clone())?;
    let (node_name, namespace) = (text(node_name.to_owned())?, text(namespace.to_owned())?);
    // SAFETY: the strings outlive the call. The output, if there is one, is a string that the
    // allocator gave and that goes back to it.
    with_parsed(what, ros_arguments, |parsed| unsafe {
        let allocator = rcutils_get_default_allocator();
        let mut output: *mut c_char = std::ptr::null_mut();
        let code = rcl_remap_topic_name(
            std::ptr::null(),
            parsed,
            topic.as_ptr(),
            node_name.as_ptr(),
            namespace.as_ptr(),
            allocator,
            &mut output,
        );
        let remapped = (!output.is_null()).then(|| {
            let name = CStr::from_ptr(output).to_string_lossy().into_owned();
            if let Some(deallocate) = allocator.deallocate {
                deallocate(output.cast(), allocator.state);
            }
            name
        });
        RawError::check(what, code)?;
        Ok(remapped.unwrap_or(expanded))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_name_is_remapped_by_relative_rules_too() {
        let arguments = ["--ros-args", "-r", "image/compressed:=/cam/jpeg"].map(OsString::from);
        let resolve = |name: &str| resolve_topic(name, "perception_node", "/left", &arguments);
        assert_eq!(resolve("/left/image/compressed").unwrap(), "/cam/jpeg");
        assert_eq!(resolve("/right/image/compressed").unwrap(), "/right/image/compressed");
    }

    #[test]
    fn namespaces_and_remapping_lead_to_the_name_on_the_graph() {
        let resolve = |namespace: &str, line: &str| {
            let arguments: Vec<OsString> = line.split_whitespace().map(OsString::from).collect();
            resolve_topic("image", "perception_node", namespace, &arguments).unwrap()
        };
        assert_eq!(resolve("/", ""), "/image");
        assert_eq!(resolve("/left", ""), "/left/image");
        assert_eq!(resolve("/", "--ros-args -r image:=/camera/image_raw"), "/camera/image_raw");
        assert_eq!(resolve("/left", "--ros-args -r image:=cam/image"), "/left/cam/image");
        assert_eq!(resolve("/left", "--ros-args -r /left/image:=~/x"), "/left/perception_node/x");
        assert_eq!(resolve("/", "--ros-args -r other:image:=/no"), "/image");
        // A rule applies once: what it leads to is not remapped again.
        assert_eq!(resolve("/", "--ros-args -r image:=/a -r /a:=/b"), "/a");
        assert_eq!(resolve("/", "--ros-args -r /a:=/b -r image:=/a"), "/a");
    }
}
