//! Tells the code whether `hri_msgs` and descriptions of types are there, and lets programs built
//! against the private ROS 2 of `.prefix` find its libraries without LD_LIBRARY_PATH.
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
