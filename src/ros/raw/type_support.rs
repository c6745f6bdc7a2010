//! What the middleware must know of a message type, loaded from the type's own package.

use std::path::PathBuf;

use libloading::Library;
use r2r_rcl::rosidl_message_type_support_t;

/// Why a type cannot be published.
#[derive(Debug, thiserror::Error)]
pub enum TypeSupportError {
    /// Not the name of a ROS 2 type.
    #[error("type `{found}`, expected a name like `std_msgs/msg/String`")]
    Name {
        /// The name.
        found: String,
    },
    /// The package of the type is not installed.
    #[error(
        "type {type_name} is not installed here; install the package {package} (on Ubuntu: \
         apt install ros-{distribution}-{})",
        package.replace('_', "-")
    )]
    NotInstalled {
        /// The name of the type.
        type_name: String,
        /// The package it belongs to.
        package: String,
        /// The ROS distribution that this program was built with.
        distribution: &'static str,
    },
    /// The package is installed, but without this type.
    #[error("type {type_name} is not in the installed package {package}: {reason}")]
    NotInPackage {
        /// The name of the type.
        type_name: String,
        /// The package it belongs to.
        package: String,
        /// What the loader says.
        reason: String,
    },
}

/// The support of one message type. It stays loaded until the process ends.
#[derive(Debug, Clone, Copy)]
pub struct TypeSupport(*const rosidl_message_type_support_t);

impl TypeSupport {
    /// Finds the support of a type such as `std_msgs/msg/String`, in the prefixes of
    /// `AMENT_PREFIX_PATH` first, then where the loader searches.
    ///
    /// # Errors
    /// The name is none of a type, or the type is not installed.
    pub fn load(type_name: &str) -> Result<Self, TypeSupportError> {
        let (package, symbol) = package_and_symbol(type_name)
            .ok_or_else(|| TypeSupportError::Name { found: type_name.to_owned() })?;
        let file = format!("lib{package}__rosidl_typesupport_c.so");
        let prefixes = std::env::var_os("AMENT_PREFIX_PATH").unwrap_or_default();
        let library = std::env::split_paths(&prefixes)
            .map(|prefix| prefix.join("lib").join(&file))
            .filter(|path| path.exists())
            .chain([PathBuf::from(&file)])
            // SAFETY: loading runs the initialisers of a library that rosidl generated; they
            // register nothing but the library itself. The name was checked to be an identifier,
            // so a recording cannot lead to any other file.
            .find_map(|path| unsafe { Library::new(path) }.ok());
        let Some(library) = library else {
            return Err(TypeSupportError::NotInstalled {
                type_name: type_name.to_owned(),
                package: package.to_owned(),
                distribution: r2r::ROS_DISTRO,
            });
        };
        // SAFETY: this is the signature that rosidl_typesupport_c generates for the symbol.
        let handle = unsafe {
            library
                .get::<unsafe extern "C" fn() -> *const rosidl_message_type_support_t>(
                    symbol.as_slice(),
                )
                .map(|function| function())
        };
        let not_in_package = |reason: String| TypeSupportError::NotInPackage {
            type_name: type_name.to_owned(),
            package: package.to_owned(),
            reason,
        };
        let handle = handle.map_err(|error| not_in_package(error.to_string()))?;
        if handle.is_null() {
            return Err(not_in_package("its support is empty".to_owned()));
        }
        // The middleware keeps pointers into the library for as long as the process lives.
        std::mem::forget(library);
        Ok(Self(handle))
    }

    /// Valid until the process ends.
    pub(super) fn as_ptr(self) -> *const rosidl_message_type_support_t {
        self.0
    }
}

/// The package of `package/msg/Type` and the symbol of the type's support in it.
fn package_and_symbol(type_name: &str) -> Option<(&str, Vec<u8>)> {
    let mut parts = type_name.split('/');
    let (package, kind, name) = (parts.next()?, parts.next()?, parts.next()?);
    let is_identifier = |part: &str| {
        part.starts_with(|first: char| first.is_ascii_alphabetic())
            && part.chars().all(|char| char.is_ascii_alphanumeric() || char == '_')
    };
    let is_valid = parts.next().is_none()
        && matches!(kind, "msg" | "srv" | "action")
        && is_identifier(package)
        && is_identifier(name);
    let symbol = format!(
        "rosidl_typesupport_c__get_message_type_support_handle__{package}__{kind}__{name}\0"
    );
    is_valid.then(|| (package, symbol.into_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_of_types_become_files_and_symbols() {
        let (package, symbol) = package_and_symbol("tf2_msgs/msg/TFMessage").unwrap();
        assert_eq!(package, "tf2_msgs");
        assert!(symbol.ends_with(b"__tf2_msgs__msg__TFMessage\0"));
        for name in ["", "String", "std_msgs/String", "a/msg/b/c", "../x/msg/Y", "a/msg/", "a/b/C"]
        {
            assert!(package_and_symbol(name).is_none(), "{name}");
        }
    }

    #[test]
    fn a_missing_package_is_named_with_what_to_install() {
        let error = TypeSupport::load("no_such_msgs/msg/Thing").unwrap_err().to_string();
        assert!(error.contains("no_such_msgs/msg/Thing"), "{error}");
        assert!(error.contains("-no-such-msgs"), "{error}");
        let error = TypeSupport::load("std_msgs/msg/NoSuchType").unwrap_err();
        assert!(matches!(error, TypeSupportError::NotInPackage { .. }), "{error}");
    }
}
