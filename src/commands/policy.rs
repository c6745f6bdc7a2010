//! `rapport policy`: checks a policy, and shows what one of version 1 becomes as version 2.

use std::path::PathBuf;

use rapport_behavior::{Policy, upgrade};
use rapport_settings::text_of;

use crate::commands::output::print_text;

/// Checks a policy file. Of a file of version 1 it prints what that becomes as version 2.
///
/// Each mistake is one line: file, line, column, what was found, and what is allowed. Exit status: 0
/// the policy is right, 1 it is wrong or cannot be read, 2 wrong options.
#[derive(Debug, Clone, clap::Args)]
pub struct PolicyArgs {
    /// The policy.
    pub file: PathBuf,
}

/// Runs the command. Returns the exit code 0.
///
/// # Errors
/// If the policy cannot be read or is wrong, or cannot be changed by itself.
pub fn run(args: &PolicyArgs) -> anyhow::Result<u8> {
    let content = Policy::read_content(&args.file)?;
    let policy = Policy::parse(&args.file, &content)?;
    let file = args.file.display();
    if policy.version == 1 {
        let text = text_of(&content).map_err(|problem| anyhow::anyhow!("{file}:{problem}"))?;
        let second = upgrade(text).map_err(|error| anyhow::anyhow!("{file}: {error}"))?;
        eprintln!("{file}: version 1; as version 2 it is, and means the same:");
        print_text(&second)?;
        return Ok(0);
    }
    let languages = match policy.languages()[..] {
        [] => "no language named".to_owned(),
        ref languages => format!("in {}", languages.join(", ")),
    };
    let count =
        |count: usize, what: &str| format!("{count} {what}{}", if count == 1 { "" } else { "s" });
    let calls = policy.rules.iter().filter(|rule| rule.call_staff.is_some()).count();
    print_text(&format!(
        "{file}: right; version 2, {}, {}, {languages}, {} of the robot\n",
        count(policy.rules.len(), "rule"),
        count(calls, "call") + " to the staff",
        count(policy.states.len(), "state"),
    ))?;
    Ok(0)
}
