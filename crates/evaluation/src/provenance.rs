//! Where the figures come from: enough to repeat them.

use std::time::SystemTime;

use serde::Serialize;

use crate::shards::Machine;
use rapport_perception::onnx;

/// Versions, command, time and machine. No name of a person, a person's folder or a host.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Provenance {
    /// Version of this package.
    pub rapport: &'static str,
    /// What ONNX Runtime says about itself.
    pub onnxruntime: Option<String>,
    /// The command line, with paths as their names; empty where there was none.
    pub command: Vec<String>,
    /// When the evaluation began, UTC.
    pub started: String,
    /// The processor.
    pub processor: Option<String>,
    /// Cores that this process may use.
    pub cores: Option<usize>,
    /// Operating system and architecture.
    pub system: String,
    /// What computed the results of several recordings, each with the number of its recordings.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub machines: Vec<(Machine, u64)>,
}

impl Provenance {
    /// Of this process, now.
    pub fn now(command: Vec<String>) -> Self {
        Self {
            rapport: env!("CARGO_PKG_VERSION"),
            onnxruntime: onnx::runtime_version(),
            command,
            started: humantime::format_rfc3339_seconds(SystemTime::now()).to_string(),
            processor: processor(),
            cores: std::thread::available_parallelism().ok().map(usize::from),
            system: format!("{} {}", std::env::consts::OS, std::env::consts::ARCH),
            machines: Vec::new(),
        }
    }

    /// What of it may change the last digits of figures.
    pub fn machine(&self) -> Machine {
        Machine {
            rapport: self.rapport.to_owned(),
            onnxruntime: self.onnxruntime.clone(),
            processor: self.processor.clone(),
            system: self.system.clone(),
        }
    }
}

fn processor() -> Option<String> {
    let text = std::fs::read_to_string("/proc/cpuinfo").ok()?;
    let line = text.lines().find(|line| line.starts_with("model name"))?;
    Some(line.split_once(':')?.1.trim().to_owned())
}
