//! What behavior_node reports on `/diagnostics`: which policy runs and how often it responded.

use std::path::{Path, PathBuf};

use anyhow::Context;
use rapport_behavior::Policy;
use sha2::{Digest, Sha256};

use crate::ros::status::{OK, Status, key, value};

/// The policy of a node, and what came of it so far.
pub struct PolicyStatus {
    file: PathBuf,
    sha256: String,
    rules: Vec<String>,
    responses: u64,
    last_rule: Option<String>,
}

impl PolicyStatus {
    /// Of a policy that was just read from this file.
    ///
    /// # Errors
    /// If the file cannot be read again.
    pub fn of(file: &Path, policy: &Policy) -> anyhow::Result<Self> {
        let content = std::fs::read(file).with_context(|| file.display().to_string())?;
        Ok(Self {
            file: file.to_owned(),
            sha256: Sha256::digest(content).iter().map(|byte| format!("{byte:02x}")).collect(),
            rules: policy.rules.iter().map(|rule| rule.name.clone()).collect(),
            responses: 0,
            last_rule: None,
        })
    }

    /// Counts a response, if there was one.
    pub fn count(&mut self, rule: Option<String>) {
        self.responses += u64::from(rule.is_some());
        self.last_rule = rule.or_else(|| self.last_rule.take());
    }

    /// The status now.
    pub fn report(&self) -> Status {
        let Self { file, sha256, rules, responses, last_rule } = self;
        let mut values = vec![
            value(key::POLICY, file.display()),
            value(key::POLICY_SHA256, sha256),
            value(key::RULES, rules.len()),
        ];
        let names = rules.iter().enumerate();
        values.extend(names.map(|(index, name)| value(&key::rule(index + 1), name)));
        values.push(value("responses", responses));
        values.push(value("last rule", last_rule.as_deref().unwrap_or("none")));
        let plural = if *responses == 1 { "" } else { "s" };
        let message = format!("{responses} response{plural} by {} rules", rules.len());
        Status { level: OK, message, hardware_id: String::new(), values }
    }
}
