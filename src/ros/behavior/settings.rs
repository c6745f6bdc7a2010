//! The parameters of behavior_node.

use std::path::PathBuf;

use anyhow::anyhow;
use r2r::ParameterValue;
use sha2::{Digest as _, Sha256};

use super::performer::read_robot;
use crate::ros::parameters::{Change, Kind, Spec, parameter};
use rapport_behavior::Policy;
use rapport_perception::paths;

/// The table of parameters.
pub fn specs() -> Vec<Spec> {
    vec![
        parameter(
            "autostart",
            Kind::Flag(true),
            Change::Never,
            "Configure and activate at start; false: wait for a lifecycle manager",
        ),
        parameter(
            "policy_file",
            Kind::Text(""),
            Change::Live,
            "Policy (YAML); empty: config/policy.yaml of the package. Read anew whenever it is set",
        )
        .checked(check_policy),
        parameter(
            "language",
            Kind::Text(""),
            Change::Live,
            "Language to speak, as BCP 47 has it (en, de-AT); empty: the first of each text",
        )
        .checked(check_language),
        parameter(
            "robot",
            Kind::Text("topics"),
            Change::Unconfigured,
            "What the robot understands: a name in config/robots of the package, or the path of such a file",
        )
        .checked(check_robot),
    ]
}

/// A policy and where it was read.
#[derive(Debug, Clone)]
pub struct ReadPolicy {
    /// The file.
    pub file: PathBuf,
    /// The SHA-256 of its content, in hexadecimal.
    pub sha256: String,
    /// The rules.
    pub policy: Policy,
}

/// Reads the policy of a file, or that of the package where the name is empty.
///
/// # Errors
/// If the policy is missing or wrong: file, line, what was found and what is allowed.
pub fn read_policy(file: &str) -> anyhow::Result<ReadPolicy> {
    let file = match file {
        "" => paths::shared_file("config/policy.yaml")
            .ok_or_else(|| anyhow!("config/policy.yaml of the package not found"))?,
        given => PathBuf::from(given),
    };
    let content = Policy::read_content(&file)?;
    let policy = Policy::parse(&file, &content)?;
    let sha256 = Sha256::digest(content).iter().map(|byte| format!("{byte:02x}")).collect();
    Ok(ReadPolicy { policy, sha256, file })
}

/// Refuses what is no language. One that the policy does not have is taken: another policy may.
fn check_language(value: &ParameterValue) -> Result<(), String> {
    let is_part = |part: &str| {
        (1..=8).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_alphanumeric())
    };
    match value {
        ParameterValue::String(text) if !text.is_empty() && !text.split('-').all(is_part) => {
            Err(format!("`{text}`, expected a language as BCP 47 has it, such as en or de-AT"))
        }
        _ => Ok(()),
    }
}

fn check_robot(value: &ParameterValue) -> Result<(), String> {
    match value {
        ParameterValue::String(robot) => {
            read_robot(robot).map(|_| ()).map_err(|error| format!("{error:#}"))
        }
        _ => Ok(()),
    }
}

fn check_policy(value: &ParameterValue) -> Result<(), String> {
    match value {
        ParameterValue::String(file) => {
            read_policy(file).map(|_| ()).map_err(|error| format!("{error:#}"))
        }
        _ => Ok(()),
    }
}
