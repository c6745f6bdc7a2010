//! Publishes the messages of a recording when their time comes.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Display;
use std::time::{Duration, Instant};

use crate::commands::progress::ProgressLine;
use crate::ros::raw::{RawError, RawNode, RawPublisher, TypeSupport};
use rapport_recording::bag::{
    Bag, BagWarning, Durability, History, LONGEST_GAP_NS, Qos, Reliability,
};

use super::stop::Stop;

/// Publishes the recording's time.
pub(super) struct Clock {
    publisher: RawPublisher,
    interval: Duration,
}

impl Clock {
    /// A publisher of /clock that is due `hertz` times a second.
    pub fn create(node: &RawNode, hertz: f64) -> anyhow::Result<Self> {
        let support = TypeSupport::load("rosgraph_msgs/msg/Clock")?;
        // What rclcpp and rclpy offer and ask for on this topic.
        let qos = Qos {
            reliability: Reliability::BestEffort,
            durability: Durability::Volatile,
            history: History::KeepLast,
            depth: 1,
        };
        let publisher = node.publisher("/clock", support, qos)?;
        Ok(Self { publisher, interval: Duration::from_secs_f64(1.0 / hertz) })
    }

    fn publish(&self, time_ns: i64) -> Result<(), RawError> {
        self.publisher.publish(&clock_cdr(time_ns))
    }
}

/// A rosgraph_msgs/msg/Clock in little-endian CDR: header, int32 seconds, uint32 nanoseconds.
fn clock_cdr(time_ns: i64) -> [u8; 12] {
    let mut cdr = [0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    let seconds = i32::try_from(time_ns.div_euclid(NS)).unwrap_or(i32::MAX);
    cdr[4..8].copy_from_slice(&seconds.to_le_bytes());
    cdr[8..].copy_from_slice(&(time_ns.rem_euclid(NS) as u32).to_le_bytes());
    cdr
}

const NS: i64 = 1_000_000_000;

/// What plays a recording, once or several times.
pub(super) struct Player<'a> {
    bag: &'a Bag,
    publishers: BTreeMap<usize, RawPublisher>,
    clock: Option<Clock>,
    rate: f64,
    stop: &'a Stop,
    progress: Progress,
    /// Messages published on each topic, by its index.
    published: BTreeMap<usize, u64>,
    started: Instant,
}

impl<'a> Player<'a> {
    pub fn new(
        bag: &'a Bag,
        publishers: BTreeMap<usize, RawPublisher>,
        clock: Option<Clock>,
        rate: f64,
        stop: &'a Stop,
    ) -> Self {
        let published = publishers.keys().map(|&topic| (topic, 0)).collect();
        let started = Instant::now();
        let progress = Progress::new(started);
        Self { bag, publishers, clock, rate, stop, progress, published, started }
    }

    /// Plays once from the first message to the last, or until stopped. Returns how many
    /// messages were published.
    pub fn play(&mut self, mut warn: impl FnMut(&dyn Display)) -> Result<u64, RawError> {
        let before = self.total();
        let (mut timeline, mut last_ns): (Option<Timeline>, _) = (None, None);
        let mut refused = BTreeSet::new();
        let bag = self.bag;
        let wanted: Vec<_> = self.publishers.keys().map(|&index| &bag.topics()[index]).collect();
        for message in bag.messages_on(|topic| wanted.contains(&topic)) {
            let message = match message {
                Ok(message) => message,
                Err(warning @ BagWarning::Gap { .. }) => {
                    let text = format!("{warning}; replay goes on at once");
                    self.progress.line.above(|| warn(&text));
                    continue;
                }
                Err(warning) => {
                    self.progress.line.above(|| warn(&warning));
                    continue;
                }
            };
            let (rate, time_ns) = (self.rate, message.log_time_ns);
            // Where the recorder's clock was set, nobody waits for years. The recording has warned.
            if last_ns.is_some_and(|last: i64| time_ns.saturating_sub(last) > LONGEST_GAP_NS) {
                timeline = None;
            }
            last_ns = Some(time_ns);
            let timeline =
                timeline.get_or_insert_with(|| Timeline::new(Instant::now(), time_ns, rate));
            let due = timeline.due(message.log_time_ns);
            if self.wait_until(due, timeline)? {
                break;
            }
            let Some(publisher) = self.publishers.get(&message.topic) else {
                continue;
            };
            // The next message is read while this one's subscribers work on it.
            match publisher.publish(&message.data) {
                Ok(()) => *self.published.entry(message.topic).or_default() += 1,
                Err(error) => {
                    // One line for a topic whose messages are all wrong.
                    if refused.insert(message.topic) {
                        let text = format!("topic {}: {error}", publisher.topic());
                        self.progress.line.above(|| warn(&text));
                    }
                }
            }
        }
        Ok(self.total().saturating_sub(before))
    }

    /// Waits for the time of a message while /clock and the progress go on; says whether stopped.
    fn wait_until(&mut self, due: Instant, timeline: &mut Timeline) -> Result<bool, RawError> {
        loop {
            let next_clock = self.clock.as_ref().map_or(due, |_| timeline.next_clock);
            if self.stop.wait_until(due.min(next_clock).min(self.progress.next)) {
                return Ok(true);
            }
            let now = Instant::now();
            if let Some(clock) = &self.clock
                && now >= timeline.next_clock
            {
                clock.publish(timeline.time_ns(now))?;
                // After a pause of the machine there is no use in catching up.
                timeline.next_clock = (timeline.next_clock + clock.interval).max(now);
            }
            if now >= self.progress.next {
                let bounds = self.bag.bounds_ns();
                let published = self.total();
                self.progress.show(now, timeline.time_ns(now), bounds, published);
            }
            if now >= due {
                return Ok(false);
            }
        }
    }

    /// Gives subscribers a moment to take the last messages, which go with their publisher; none
    /// when stopped. It does not wait for acknowledgements: Fast DDS asks for them every 3 s.
    pub fn finish(&mut self) {
        self.progress.line.finish();
        if self.publishers.values().any(|publisher| publisher.subscriptions() > 0) {
            self.stop.wait_until(Instant::now() + Duration::from_millis(300));
        }
    }

    /// How many messages were published.
    fn total(&self) -> u64 {
        self.published.values().sum()
    }

    /// How many messages were published, in all and on each topic.
    pub fn summary(&self) -> String {
        let total = self.total();
        let topics: Vec<_> = self
            .published
            .iter()
            .filter_map(|(index, count)| {
                Some(format!("{} {count}", self.publishers.get(index)?.topic()))
            })
            .collect();
        let seconds = self.started.elapsed().as_secs_f64();
        format!("published {total} messages in {seconds:.1} s: {}", topics.join(", "))
    }
}

/// Maps the recording's time to now.
struct Timeline {
    begin: Instant,
    begin_ns: i64,
    rate: f64,
    next_clock: Instant,
}

impl Timeline {
    fn new(begin: Instant, begin_ns: i64, rate: f64) -> Self {
        Self { begin, begin_ns, rate, next_clock: begin }
    }

    /// When a message of this log time is due. One that is before the first is due at once, and
    /// so is one whose time is beyond all bounds.
    fn due(&self, log_time_ns: i64) -> Instant {
        let after_ns = log_time_ns.saturating_sub(self.begin_ns).max(0);
        Duration::try_from_secs_f64(after_ns as f64 / 1e9 / self.rate)
            .ok()
            .and_then(|after| self.begin.checked_add(after))
            .unwrap_or(self.begin)
    }

    /// The recording's time at this moment, in nanoseconds since the epoch.
    fn time_ns(&self, now: Instant) -> i64 {
        let elapsed_secs = now.saturating_duration_since(self.begin).as_secs_f64();
        self.begin_ns.saturating_add((elapsed_secs * self.rate * 1e9) as i64)
    }
}

/// Tells on standard error how far it is: on one line of a terminal, else a line now and then.
struct Progress {
    next: Instant,
    interval: Duration,
    line: ProgressLine,
}

impl Progress {
    fn new(now: Instant) -> Self {
        let line = ProgressLine::new();
        let interval =
            if line.is_shown() { Duration::from_millis(250) } else { Duration::from_secs(10) };
        Self { next: now + interval, interval, line }
    }

    fn show(&mut self, now: Instant, time_ns: i64, bounds: Option<(i64, i64)>, published: u64) {
        self.next = now + self.interval;
        let secs = |ns: i64| ns as f64 / 1e9;
        let place = bounds.map_or_else(String::new, |(first, last)| {
            let (at, all) = (time_ns.saturating_sub(first), last.saturating_sub(first));
            format!("{:.1} of {:.1} s, ", secs(at), secs(all))
        });
        self.line.show(&format!("rapport replay: {place}{published} messages"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_due_at_recorded_intervals() {
        let begin = Instant::now();
        let timeline = Timeline::new(begin, 5 * NS, 2.0);
        assert_eq!(timeline.due(5 * NS), begin);
        assert_eq!(timeline.due(8 * NS), begin + Duration::from_millis(1500));
        assert_eq!(timeline.due(NS), begin);
        assert_eq!(timeline.time_ns(begin + Duration::from_secs(1)), 7 * NS);
        let slow = Timeline::new(begin, i64::MIN, 1e-9);
        assert_eq!(slow.due(i64::MAX), begin);
    }

    #[test]
    fn the_clock_is_what_cdr_says() {
        let cdr = clock_cdr(1_700_000_000 * NS + 5);
        assert_eq!(cdr, [0, 1, 0, 0, 0x00, 0xF1, 0x53, 0x65, 5, 0, 0, 0]);
        assert_eq!(clock_cdr(-1)[4..], [0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xC9, 0x9A, 0x3B]);
    }
}
