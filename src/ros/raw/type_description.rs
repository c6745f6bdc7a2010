//! What a message type looks like, as its own package tells at run time (REP-2016).

use std::ffi::{CStr, c_char};
use std::slice;

use r2r::type_description_interfaces::msg::{
    Field, FieldType, IndividualTypeDescription, TypeDescription, TypeSource,
};
use r2r_rcl::{
    rcutils_get_default_allocator, rosidl_runtime_c__String,
    rosidl_runtime_c__type_description__Field,
    rosidl_runtime_c__type_description__IndividualTypeDescription,
    rosidl_runtime_c__type_description__TypeSource, rosidl_stringify_type_hash,
};

use super::TypeSupport;

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
        // SAFETY: the support is valid until the process ends, and so is what its functions return:
        // structures that hold pointers to so many values as they say, or null.
        unsafe {
            let support = self.as_ptr();
            let functions = support.as_ref()?;
            let hash = functions.get_type_hash_func?(support);
            let description = functions.get_type_description_func?(support).as_ref()?;
            let sources = functions.get_type_description_sources_func?(support).as_ref()?;
            let referenced = &description.referenced_type_descriptions;
            let allocator = rcutils_get_default_allocator();
            let mut name: *mut c_char = std::ptr::null_mut();
            rosidl_stringify_type_hash(hash, allocator, &mut name);
            if name.is_null() {
                return None;
            }
            let hash = CStr::from_ptr(name).to_string_lossy().into_owned();
            if let Some(deallocate) = allocator.deallocate {
                deallocate(name.cast(), allocator.state);
            }
            Some(Described {
                hash,
                description: TypeDescription {
                    type_description: individual(&description.type_description),
                    referenced_type_descriptions: values(referenced.data, referenced.size)
                        .iter()
                        .map(|one| individual(one))
                        .collect(),
                },
                sources: values(sources.data, sources.size).iter().map(|one| source(one)).collect(),
            })
        }
    }
}

/// # Safety
/// The pointer is null or points to so many values.
unsafe fn values<'a, T>(data: *const T, count: usize) -> &'a [T] {
    // SAFETY: as the caller promises.
    if data.is_null() { &[] } else { unsafe { slice::from_raw_parts(data, count) } }
}

/// # Safety
/// The string is as rosidl made it.
unsafe fn text(string: &rosidl_runtime_c__String) -> String {
    // SAFETY: as the caller promises. An empty one may be null.
    let bytes = unsafe { values(string.data.cast::<u8>().cast_const(), string.size) };
    // The size of a source counts the NUL at its end, which r2r's messages must not have.
    let end = bytes.iter().position(|byte| *byte == 0).unwrap_or(bytes.len());
    String::from_utf8_lossy(&bytes[..end]).into_owned()
}

/// # Safety
/// The structure is as rosidl made it.
unsafe fn individual(
    found: &rosidl_runtime_c__type_description__IndividualTypeDescription,
) -> IndividualTypeDescription {
    // SAFETY: as the caller promises.
    unsafe {
        IndividualTypeDescription {
            type_name: text(&found.type_name),
            fields: values(found.fields.data, found.fields.size)
                .iter()
                .map(|one| field(one))
                .collect(),
        }
    }
}

/// # Safety
/// The structure is as rosidl made it.
unsafe fn field(found: &rosidl_runtime_c__type_description__Field) -> Field {
    // SAFETY: as the caller promises.
    unsafe {
        Field {
            name: text(&found.name),
            type_: FieldType {
                type_id: found.type_.type_id,
                capacity: found.type_.capacity,
                string_capacity: found.type_.string_capacity,
                nested_type_name: text(&found.type_.nested_type_name),
            },
            default_value: text(&found.default_value),
        }
    }
}

/// # Safety
/// The structure is as rosidl made it.
unsafe fn source(found: &rosidl_runtime_c__type_description__TypeSource) -> TypeSource {
    // SAFETY: as the caller promises.
    unsafe {
        TypeSource {
            type_name: text(&found.type_name),
            encoding: text(&found.encoding),
            raw_file_contents: text(&found.raw_file_contents),
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
        assert!(!described.sources[0].raw_file_contents.contains('\0'));
    }
}
