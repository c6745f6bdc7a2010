//! Tells the code whether `hri_msgs` and descriptions of types are there, lists the services and
//! actions that r2r binds, and lets programs built against the private ROS 2 of `.prefix` find its
//! libraries without LD_LIBRARY_PATH.
//!
//! The wheels' libraries lie in no place that the loader searches. `--disable-new-dtags` makes the
//! search path hold for the libraries' own dependencies too. Against a sourced ROS 2 no path is
//! kept: it would come before whatever is sourced later, an overlay for one.

fn main() {
    for name in ["AMENT_PREFIX_PATH", "IDL_PACKAGE_FILTER", "RAPPORT_ROS"] {
        println!("cargo:rerun-if-env-changed={name}");
    }
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rustc-check-cfg=cfg(has_hri_msgs, has_type_descriptions)");
    if std::env::var_os("CARGO_FEATURE_ROS").is_none() {
        return;
    }
    let Some(prefixes) = std::env::var_os("AMENT_PREFIX_PATH") else {
        // r2r's own build script says what is missing.
        return;
    };
    #[cfg(feature = "ros")]
    interfaces::write();
    let private = std::env::var_os("RAPPORT_ROS").is_some_and(|ros| ros == "private");
    if private {
        println!("cargo:rustc-link-arg=-Wl,--disable-new-dtags");
    }
    for prefix in std::env::split_paths(&prefixes) {
        // r2r has bound hri_msgs if one of the prefixes holds it.
        if prefix.join("share/hri_msgs/package.xml").exists() {
            println!("cargo:rustc-cfg=has_hri_msgs");
        }
        // From Iron on.
        if prefix.join("share/type_description_interfaces/package.xml").exists() {
            println!("cargo:rustc-cfg=has_type_descriptions");
        }
        if private {
            println!("cargo:rustc-link-arg=-Wl,-rpath,{}", prefix.join("lib").display());
        }
    }
}

/// r2r finds services and actions by the names of their types, but does not show what is in them.
/// The types themselves do: this lists them, as `src/ros/behavior/performer/interfaces.rs` has them.
#[cfg(feature = "ros")]
mod interfaces {
    use std::fmt::Write as _;
    use std::path::Path;

    pub fn write() {
        let bound = r2r_common::get_wanted_messages();
        let arms = |kind: &str, sent: &str, answer: &str| {
            let mut arms = String::new();
            for r2r_common::RosMsg { module, prefix, name } in &bound {
                if prefix == kind {
                    let path = format!("r2r::{module}::{prefix}::{name}");
                    let arm = format!(
                        "        \"{module}/{prefix}/{name}\" => with_answer::<{path}::{sent}, {path}::{answer}>(),"
                    );
                    // Writing to a String does not fail.
                    let _ = writeln!(arms, "{arm}");
                }
            }
            format!(
                "/// Request and answer, or goal and result, of a type that is bound.\n\
                 #[allow(unreachable_code, reason = \"there may be none\")]\n\
                 fn {kind}(type_name: &str) -> Option<Interface> {{\n    Some(match type_name {{\n\
                 {arms}        _ => return None,\n    }})\n}}\n"
            )
        };
        let code = arms("srv", "Request", "Response") + &arms("action", "Goal", "Result");
        let folder = std::env::var_os("OUT_DIR").unwrap_or_default();
        let file = Path::new(&folder).join("interfaces.rs");
        if let Err(error) = std::fs::write(&file, code) {
            println!("cargo::error={} not written: {error}", file.display());
        }
    }
}
