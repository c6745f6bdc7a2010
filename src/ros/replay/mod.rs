//! `rapport replay`: plays a recording onto its topics, message by message as it was recorded.

mod installed;
mod player;
mod stop;

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fmt::Display;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};

use crate::commands::output::print_line;
use crate::ros::raw::{RawNode, RawPublisher, TypeSupport};
use rapport_recording::bag::{Bag, Qos, Topic};

use player::{Clock, Player};
use stop::Stop;

/// Plays a rosbag2 recording (MCAP or sqlite3) onto its topics.
///
/// Every message keeps its bytes, the interval to the one before and the quality of service it
/// was recorded with. A topic whose type is installed with other fields than it was recorded with
/// is left out, with a warning that names them. ROS arguments follow `--ros-args`, for example `--ros-args -r /image:=/cam`.
#[derive(Debug, Clone, clap::Args)]
pub struct ReplayArgs {
    /// The recording: its directory, or one .mcap or .db3 file of it.
    pub bag: PathBuf,

    /// How fast to play: 2 is twice as fast as recorded.
    #[arg(short, long, default_value_t = 1.0, value_parser = positive)]
    pub rate: f64,

    /// Start again at the end, until stopped.
    #[arg(short = 'l', long = "loop")]
    pub repeat: bool,

    /// Publish the recording's time on /clock, HZ times a second.
    #[arg(long, value_name = "HZ", num_args = 0..=1, default_missing_value = "40",
          value_parser = positive)]
    pub clock: Option<f64>,

    /// Play this topic only; may be given several times.
    #[arg(long = "topic", value_name = "NAME")]
    pub topics: Vec<String>,

    /// Wait this long before the first message.
    #[arg(short, long, value_name = "SECS", default_value_t = 0.0, value_parser = not_negative)]
    pub delay: f64,

    /// Wait at most this long until every topic has a subscriber, so that none misses the
    /// first messages.
    #[arg(long, value_name = "SECS", default_value_t = 2.0, value_parser = not_negative)]
    pub wait_for_subscribers: f64,
}

/// A subscriber that is known here may need this long to know of us.
const SETTLE: Duration = Duration::from_millis(100);

/// Plays until the end or until SIGINT or SIGTERM. Progress and warnings go to standard error, the
/// number of messages published on each topic to standard output.
///
/// Returns the exit code: 0, or 3 where there were warnings.
///
/// # Errors
/// The recording cannot be read, has no such topic, or ROS does not start.
pub fn run(args: &ReplayArgs, ros_arguments: &[OsString]) -> anyhow::Result<u8> {
    let bag = Bag::open(&args.bag)?;
    bag.warnings().iter().for_each(|warning| warn(warning));
    let mut warnings = bag.warnings().len();
    let selected = select(&bag, args)?;
    // Until here a signal ends the process by itself.
    let stop = Stop::on_signals().context("cannot listen for signals")?;

    let node = RawNode::create("rapport_replay", ros_arguments)?;
    let mut publishers = BTreeMap::new();
    for index in selected {
        let topic = &bag.topics()[index];
        match publish(&node, topic) {
            Ok(publisher) => {
                publishers.insert(index, publisher);
            }
            Err(error) => {
                warn(&format!("topic {} is left out: {error:#}", topic.name));
                warnings += 1;
            }
        }
    }
    if publishers.is_empty() {
        bail!("{}: none of its topics can be published", args.bag.display());
    }
    let clock = args.clock.map(|hertz| Clock::create(&node, hertz)).transpose()?;

    wait(args, publishers.values(), &stop);
    let mut player = Player::new(&bag, publishers, clock, args.rate, &stop);
    let mut first_pass = true;
    while !stop.is_set() && (first_pass || args.repeat) {
        let published = player.play(|warning| {
            // Every pass meets the same.
            if first_pass {
                warn(warning);
                warnings += 1;
            }
        })?;
        if published == 0 && args.repeat && !stop.is_set() {
            bail!("{}: there is no message to repeat", args.bag.display());
        }
        first_pass = false;
    }
    player.finish();
    print_line(&player.summary())?;
    Ok(if warnings == 0 { 0 } else { 3 })
}

fn warn(warning: &dyn Display) {
    eprintln!("rapport replay: warning: {warning}");
}

/// The indices of the topics to play.
fn select(bag: &Bag, args: &ReplayArgs) -> anyhow::Result<Vec<usize>> {
    for asked in &args.topics {
        if !bag.topics().iter().any(|topic| is_asked(topic, asked)) {
            let names: Vec<_> = bag.topics().iter().map(|topic| topic.name.as_str()).collect();
            bail!(
                "{}: no topic {asked}, expected one of: {}",
                args.bag.display(),
                names.join(", ")
            );
        }
    }
    let selected = bag.topics().iter().enumerate().filter(|(_, topic)| {
        let asked =
            args.topics.is_empty() || args.topics.iter().any(|asked| is_asked(topic, asked));
        // Two sources of time would contradict each other.
        let contradicts = args.clock.is_some() && topic.name == "/clock";
        if asked && contradicts {
            eprintln!("rapport replay: leaving out the recorded /clock in favour of --clock");
        }
        asked && !contradicts
    });
    Ok(selected.map(|(index, _)| index).collect())
}

fn is_asked(topic: &Topic, asked: &str) -> bool {
    topic.name == asked || topic.name.strip_prefix('/') == Some(asked)
}

fn publish(node: &RawNode, topic: &Topic) -> anyhow::Result<RawPublisher> {
    let support = TypeSupport::load(&topic.type_name)?;
    let differences = installed::differences(topic);
    ensure!(
        differences.is_empty(),
        "{} is installed with another definition, by which subscribers would misread it: {}",
        topic.type_name,
        differences.join("; ")
    );
    Ok(node.publisher(&topic.name, support, Qos::for_replay(&topic.offered_qos))?)
}

/// Waits for subscribers and for the delay that was asked for.
fn wait<'a>(
    args: &ReplayArgs,
    publishers: impl Iterator<Item = &'a RawPublisher> + Clone,
    stop: &Stop,
) {
    let seconds = Duration::from_secs_f64;
    let deadline = Instant::now() + seconds(args.wait_for_subscribers);
    let all_heard = || publishers.clone().all(|publisher| publisher.subscriptions() > 0);
    while Instant::now() < deadline && !all_heard() {
        if stop.wait_until(Instant::now() + Duration::from_millis(10)) {
            return;
        }
    }
    if publishers.clone().any(|publisher| publisher.subscriptions() > 0) {
        stop.wait_until(Instant::now() + SETTLE);
    }
    stop.wait_until(Instant::now() + seconds(args.delay));
}

/// The longest time that can be asked for, in seconds, and the highest rate: a day's worth.
const MOST: f64 = 86_400.0;

/// The lowest rate: what it divides must stay a time that a clock can hold.
const LEAST: f64 = 0.001;

fn positive(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(number) if (LEAST..=MOST).contains(&number) => Ok(number),
        _ => Err(format!("expected a number from {LEAST} to {MOST}")),
    }
}

fn not_negative(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(number) if (0.0..=MOST).contains(&number) => Ok(number),
        _ => Err(format!("expected a number of seconds from 0 to {MOST}")),
    }
}

#[cfg(test)]
mod tests {
    use clap::{Args, Command};

    #[test]
    fn arguments_are_those_that_ros_users_know() {
        let command = super::ReplayArgs::augment_args(Command::new("replay"));
        command.clone().debug_assert();
        let line = "replay bag -r 0.5 -l --clock --topic /a --topic b -d 1.5";
        command.try_get_matches_from(line.split(' ')).unwrap();
    }
}
