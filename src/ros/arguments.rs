//! ROS arguments on a command line that has arguments of its own.

use std::ffi::OsString;

use clap::{CommandFactory, FromArgMatches, Parser};

/// This process's command line: its own arguments, and those for ROS, which stand from `--ros-args`
/// to `--` or to the end, as often as they like. The ROS part keeps its `--ros-args`.
pub fn process_arguments() -> (Vec<OsString>, Vec<OsString>) {
    split_ros_arguments(std::env::args_os())
}

fn split_ros_arguments(
    arguments: impl IntoIterator<Item = OsString>,
) -> (Vec<OsString>, Vec<OsString>) {
    let (mut own, mut ros) = (Vec::new(), Vec::new());
    let mut is_ros = false;
    for argument in arguments {
        if !is_ros && argument == "--ros-args" {
            is_ros = true;
            ros.push(argument);
        } else if is_ros && argument == "--" {
            is_ros = false;
            ros.push(argument);
        } else if is_ros {
            ros.push(argument);
        } else {
            own.push(argument);
        }
    }
    (own, ros)
}

/// A node's own arguments: none but `--help` and `--version`.
#[derive(Parser)]
#[command(
    version,
    after_help = "While it runs, `ros2 node info` lists its topics and services, `ros2 param list` \
                  and `ros2 param describe` its parameters."
)]
struct NodeArgs {
    /// Whatever else a launch file hands over.
    #[arg(hide = true, trailing_var_arg = true, allow_hyphen_values = true)]
    unused: Vec<OsString>,
}

/// Reads a node's command line, its ROS arguments left out. Ends the process where help or
/// version are asked for; returns the arguments that mean nothing to the node.
pub fn parse_node_arguments(name: &'static str, about: &'static str) -> Vec<OsString> {
    let (own, _) = process_arguments();
    let usage = format!(
        "{name} [--ros-args [-r FROM:=TO] [-p NAME:=VALUE] [--params-file FILE] \
         [--log-level LEVEL] [-r __ns:=/NAMESPACE] [-r __node:=NAME]]"
    );
    let command = NodeArgs::command().name(name).about(about).override_usage(usage);
    let matches = command.get_matches_from(own);
    NodeArgs::from_arg_matches(&matches).map(|found| found.unused).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn own_and_ros_arguments_part() {
        let split = |line: &str| {
            let (own, ros) = split_ros_arguments(line.split_whitespace().map(OsString::from));
            let text = |part: Vec<OsString>| part.join(" ".as_ref()).into_string().unwrap();
            (text(own), text(ros))
        };
        let is = |own: &str, ros: &str| (own.to_owned(), ros.to_owned());
        assert_eq!(split("rapport replay -- bag"), is("rapport replay -- bag", ""));
        assert_eq!(
            split("rapport replay bag --ros-args -r /a:=/b"),
            is("rapport replay bag", "--ros-args -r /a:=/b")
        );
        assert_eq!(
            split("rapport replay --ros-args -r /a:=/b -- bag --loop --ros-args -p x:=1"),
            is("rapport replay bag --loop", "--ros-args -r /a:=/b -- --ros-args -p x:=1")
        );
    }
}
