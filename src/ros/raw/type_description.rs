//! What a message type looks like, as its own package tells at run time (REP-2016).

use std::ffi::{CStr, c_char};

use r2r::WrappedTypesupport;
use r2r::type_description_interfaces::msg::{TypeDescription, TypeSource};
use r2r_rcl::{rcutils_get_default_allocator, rosidl_stringify_type_hash};

use super::TypeSupport;

/// The C structures of two messages.
type CDescription = <TypeDescription as WrappedTypesupport>::CStruct;
type CSource = <TypeSource as WrappedTypesupport>::CStruct;

/// A message type as its package describes it.
#[derive(Debug, Clone)]
pub struct Described {
    /// `RIHS01_` and 64 digits.
    pub hash: String,
    /// Its fields, and those of the types in it.
    pub description: TypeDescription,
    /// The files that define it and the types in it.
    pub sources: Vec<TypeSource>,
}

impl TypeSupport {
    /// What the type looks like; nothing where its package does not tell.
    pub fn describe(self) -> Option<Described> {
        // SAFETY: the support is valid until the process ends, and so is what its functions return.
        // rosidl keeps copies of the structures of type_description_interfaces for this, with the
        // same fields in the same order under other names, so that no package depends on it.
        unsafe {
            let support = self.as_ptr();
            let functions = support.as_ref()?;
            let hash = functions.get_type_hash_func?(support);
            let description =
                functions.get_type_description_func?(support).cast::<CDescription>().as_ref()?;
            let sources = functions.get_type_description_sources_func?(support).as_ref()?;
            let sources = match sources.data.is_null() {
                true => Vec::new(),
                false => std::slice::from_raw_parts(sources.data.cast::<CSource>(), sources.size)
                    .iter()
                    .map(TypeSource::from_native)
                    .collect(),
            };
            let allocator = rcutils_get_default_allocator();
            let mut text: *mut c_char = std::ptr::null_mut();
            rosidl_stringify_type_hash(hash, allocator, &mut text);
            if text.is_null() {
                return None;
            }
            let hash = CStr::from_ptr(text).to_string_lossy().into_owned();
            if let Some(deallocate) = allocator.deallocate {
                deallocate(text.cast(), allocator.state);
            }
            Some(Described {
                hash,
                description: TypeDescription::from_native(description),
                sources,
            })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_type_is_described_with_its_hash_fields_and_sources() {
        let described = TypeSupport::load("std_msgs/msg/Header").unwrap().describe().unwrap();
        assert_eq!(
            described.hash,
            "RIHS01_f49fb3ae2cf070f793645ff749683ac6b06203e41c891e17701b1cb597ce6a01"
        );
        let own = &described.description.type_description;
        assert_eq!(own.type_name, "std_msgs/msg/Header");
        let names: Vec<_> = own.fields.iter().map(|field| field.name.as_str()).collect();
        assert_eq!(names, ["stamp", "frame_id"]);
        let referenced = &described.description.referenced_type_descriptions;
        assert_eq!(referenced[0].type_name, "builtin_interfaces/msg/Time");
        assert!(described.sources[0].raw_file_contents.contains("frame_id"));
    }
}
