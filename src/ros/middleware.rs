//! What the middleware needs so that whole images pass, which it takes from the environment.
//!
//! Fast DDS hands messages to other processes of the machine in a shared-memory segment that is by
//! default smaller than one image, and drops what does not fit. The sender's segment counts: a
//! receiver can only ask for another way. This process does so where nobody has chosen one.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use super::raw::{free_bytes, set_variable_at_start};
use rapport_perception::paths;

/// The variables that name a profile; both are read, by older and newer versions.
const VARIABLES: [&str; 2] = ["FASTRTPS_DEFAULT_PROFILES_FILE", "FASTDDS_DEFAULT_PROFILES_FILE"];

/// Other ways to choose the transports: who uses one has made up their mind.
const OTHER_VARIABLES: [&str; 2] = ["FASTDDS_BUILTIN_TRANSPORTS", "FASTDDS_ENVIRONMENT_FILE"];
const FILES: [&str; 2] = ["DEFAULT_FASTRTPS_PROFILES.xml", "DEFAULT_FASTDDS_PROFILES.xml"];

/// The receive buffer from which on images arrive whole over UDP, in bytes: a few of 640x480.
const ENOUGH_BUFFER: u64 = 4 << 20;

/// What one process with config/fastdds.xml takes of the shared memory, in bytes.
pub const SEGMENT: u64 = 64 << 20;

/// Where Linux has the shared memory.
const SHARED_MEMORY: &str = "/dev/shm";

/// Which profile of Fast DDS this process has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Profile {
    /// Another middleware, which has no such profiles.
    OtherMiddleware,
    /// Somebody chose one, or other transports; the file, where one is named.
    Chosen(Option<PathBuf>),
    /// That of this package for processes that only receive.
    Receiver,
    /// That of this package for those who send.
    Sender,
    /// None.
    Default,
}

static PROFILE: OnceLock<Profile> = OnceLock::new();

/// Takes a profile by which this process receives images, if none was chosen. To be called first
/// of all, before a second thread runs.
pub fn prepare_to_receive() {
    PROFILE.get_or_init(|| match chosen() {
        Profile::Default if receive_buffer().is_some_and(|bytes| bytes >= ENOUGH_BUFFER) => {
            take("config/fastdds_receiver.xml", Profile::Receiver)
        }
        other => other,
    });
}

/// Takes a profile by which this process sends images, if none was chosen. To be called first of
/// all, before a second thread runs.
pub fn prepare_to_send() {
    PROFILE.get_or_init(|| match chosen() {
        Profile::Default if shared_memory_free().is_some_and(|bytes| bytes >= 2 * SEGMENT) => {
            take("config/fastdds.xml", Profile::Sender)
        }
        other => other,
    });
}

/// The profile of this process.
pub fn profile() -> Profile {
    PROFILE.get().cloned().unwrap_or_else(chosen)
}

/// What is free of the shared memory, in bytes.
pub fn shared_memory_free() -> Option<u64> {
    free_bytes(Path::new(SHARED_MEMORY))
}

/// The file of this package that carries images between processes.
pub fn profile_file() -> PathBuf {
    let file = "config/fastdds.xml";
    paths::shared_file(file).unwrap_or_else(|| PathBuf::from(file))
}

fn take(file: &str, profile: Profile) -> Profile {
    let Some(file) = paths::shared_file(file) else {
        return Profile::Default;
    };
    for name in VARIABLES {
        set_variable_at_start(name, file.as_os_str());
    }
    profile
}

fn chosen() -> Profile {
    let given = |name: &&str| std::env::var_os(name).filter(|value: &OsString| !value.is_empty());
    let middleware = std::env::var("RMW_IMPLEMENTATION").unwrap_or_default();
    if !middleware.is_empty() && !middleware.starts_with("rmw_fastrtps") {
        return Profile::OtherMiddleware;
    }
    if let Some(file) = VARIABLES.iter().find_map(given) {
        return Profile::Chosen(Some(file.into()));
    }
    if let Some(file) = FILES.iter().map(Path::new).find(|file| file.exists()) {
        return Profile::Chosen(Some(file.into()));
    }
    match OTHER_VARIABLES.iter().find_map(given) {
        Some(_) => Profile::Chosen(None),
        None => Profile::Default,
    }
}

/// The largest receive buffer that a process gets, in bytes.
pub fn receive_buffer() -> Option<u64> {
    std::fs::read_to_string("/proc/sys/net/core/rmem_max").ok()?.trim().parse().ok()
}
