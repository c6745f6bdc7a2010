//! `rapport watch`: shows live in the terminal who is in view, how they look, and what the robot
//! does.

use std::collections::VecDeque;
use std::io::IsTerminal;
use std::time::{Duration, Instant};

use anyhow::bail;
use futures::StreamExt;
use r2r::rapport::msg::Response;
use r2r::sensor_msgs::msg::Image;
use r2r::{Node, QosProfile};
use tokio::time::{MissedTickBehavior, interval};

use super::behavior::describe;
use super::runner::{Tasks, interrupted};
use crate::commands::account::{Account, FaceLine};
use crate::commands::output::{print_line, print_text};
use rapport_recording::message::{CdrError, EmotionsMessage};

/// How often the picture in a terminal is drawn anew.
const REDRAW: Duration = Duration::from_millis(200);

/// How often a line of figures is printed where there is no terminal.
const PLAIN_STATUS: Duration = Duration::from_secs(5);

/// Stamps of images kept until the message about them comes.
const IMAGES_KEPT: usize = 120;

/// Shows live who is in view, their expressions and what the robot does.
///
/// Subscribes to `image` (for the latency), `emotions` and `responses`; remap them with
/// `--ros-args -r image:=/camera/image_raw`. Ctrl-C ends it with a summary.
#[derive(Debug, clap::Args)]
pub struct WatchArgs {
    /// End once no emotion message has come for this many seconds after the first.
    #[arg(long, value_name = "SECS", value_parser = clap::value_parser!(u32).range(1..=3600))]
    pub until_quiet: Option<u32>,

    /// Fail if no emotion message has come after this many seconds.
    #[arg(long, value_name = "SECS", value_parser = clap::value_parser!(u32).range(1..=3600))]
    pub give_up: Option<u32>,
}

/// Creates the subscriptions and the task that prints.
///
/// # Errors
/// If a subscription is refused.
pub fn start_node(node: &mut Node, args: &WatchArgs) -> anyhow::Result<Tasks> {
    let mut images = node.subscribe::<Image>("image", QosProfile::sensor_data())?;
    let mut emotions =
        node.subscribe_raw("emotions", EmotionsMessage::TYPE_NAME, QosProfile::default())?;
    let mut responses = node.subscribe::<Response>("responses", QosProfile::default())?;
    let mut watcher = Watcher {
        account: Account::default(),
        start: Instant::now(),
        arrivals: VecDeque::new(),
        screen: Screen::new(),
        until_quiet: args.until_quiet.map(|secs| Duration::from_secs(secs.into())),
        give_up: args.give_up.map(|secs| Duration::from_secs(secs.into())),
        not_read: 0,
    };
    let mut tasks = Tasks::default();
    tasks.finite(async move {
        let mut redraw = interval(if watcher.screen.live { REDRAW } else { PLAIN_STATUS });
        let mut check = interval(REDRAW);
        redraw.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut interrupt = std::pin::pin!(interrupted());
        loop {
            tokio::select! {
                Some(image) = images.next() => watcher.image(&image),
                Some(cdr) = emotions.next() => watcher.emotions(&cdr),
                Some(response) = responses.next() => watcher.response(&response),
                _ = redraw.tick() => watcher.draw(),
                _ = check.tick() => if watcher.over()? { break },
                () = &mut interrupt => break,
            }
        }
        watcher.end();
        Ok(())
    });
    Ok(tasks)
}

struct Watcher {
    account: Account,
    start: Instant,
    /// Stamps of the newest images and when they came.
    arrivals: VecDeque<((i32, u32), Instant)>,
    screen: Screen,
    until_quiet: Option<Duration>,
    give_up: Option<Duration>,
    /// Emotion messages of another definition than ours.
    not_read: u64,
}

impl Watcher {
    fn image(&mut self, image: &Image) {
        let stamp = &image.header.stamp;
        self.arrivals.push_back(((stamp.sec, stamp.nanosec), Instant::now()));
        if self.arrivals.len() > IMAGES_KEPT {
            self.arrivals.pop_front();
        }
    }

    fn emotions(&mut self, cdr: &[u8]) {
        match EmotionsMessage::read(cdr) {
            Ok(message) => self.faces(message),
            Err(error) => self.not_read(&error),
        }
    }

    /// Tells of a message that cannot be read, the first time.
    fn not_read(&mut self, error: &CdrError) {
        self.not_read += 1;
        if self.not_read == 1 {
            self.tell(&format!(
                "emotion messages are not of this version's definition of {}: {error}; is an old \
                 recording played, or a node of another version running?",
                EmotionsMessage::TYPE_NAME
            ));
        }
    }

    fn faces(&mut self, message: EmotionsMessage<'_>) {
        let stamp = (message.header.stamp_secs, message.header.stamp_nanosecs);
        let came = self.arrivals.iter().find(|(image, _)| *image == stamp);
        let latency = came.map(|(_, at)| at.elapsed());
        let faces = message.faces.into_iter().map(|face| FaceLine {
            face_id: face.face_id.into_owned(),
            label: face.label.to_owned(),
            confidence: face.confidence,
            sure: face.sure,
            valence: face.valence,
            arousal: face.arousal,
        });
        for change in self.account.frame(self.start.elapsed(), latency, faces.collect()) {
            self.tell(&change);
        }
    }

    fn response(&mut self, response: &Response) {
        self.account.response(&response.rule);
        self.tell(&format!("robot -> {}: {}", response.face_id, describe(response)));
        self.tell(&format!("         because {}", response.reason));
    }

    fn tell(&mut self, line: &str) {
        let secs = self.start.elapsed().as_secs_f64();
        self.screen.tell(&format!("{secs:>6.1} s  {line}"));
    }

    fn draw(&mut self) {
        if self.account.last_frame().is_none() {
            return;
        }
        if self.screen.live {
            let mut lines = vec![String::new(), self.account.status()];
            lines.extend(self.account.faces());
            self.screen.draw(&lines);
        } else {
            let status = self.account.status();
            self.tell(&status);
        }
    }

    /// Whether there is nothing more to wait for.
    fn over(&self) -> anyhow::Result<bool> {
        if self.screen.closed {
            return Ok(true);
        }
        let now = self.start.elapsed();
        match (self.account.last_frame(), self.until_quiet, self.give_up) {
            (Some(last), Some(quiet), _) => Ok(now.saturating_sub(last) >= quiet),
            (None, _, Some(limit)) if now >= limit && self.not_read > 0 => {
                let count = self.not_read;
                bail!("{count} emotion messages came, none of this version's definition")
            }
            (None, _, Some(limit)) if now >= limit => {
                bail!("no emotion message came in {} s", limit.as_secs())
            }
            _ => Ok(false),
        }
    }

    fn end(&mut self) {
        self.screen.draw(&[]);
        self.screen.tell("");
        self.account.summary().iter().for_each(|line| self.screen.tell(line));
        if self.not_read > 0 {
            self.screen.tell(&format!("not read          {} emotion messages", self.not_read));
        }
    }
}

/// Told lines scroll by; below them, in a terminal, the last drawing is replaced by the next.
struct Screen {
    live: bool,
    drawn: Vec<String>,
    /// Whether nobody reads any more: the other end of the pipe is closed.
    closed: bool,
}

impl Screen {
    fn new() -> Self {
        Self { live: std::io::stdout().is_terminal(), drawn: Vec::new(), closed: false }
    }

    fn tell(&mut self, line: &str) {
        let drawn = std::mem::take(&mut self.drawn);
        self.print(drawn.len(), &[line.to_owned()]);
        self.print(0, &drawn);
        self.drawn = drawn;
    }

    fn draw(&mut self, lines: &[String]) {
        if self.live {
            self.print(self.drawn.len(), lines);
            self.drawn = lines.to_vec();
        }
    }

    /// Prints after wiping the lines above.
    fn print(&mut self, wiped: usize, lines: &[String]) {
        if lines.is_empty() && wiped == 0 {
            return;
        }
        // Up, then clear to the end of the screen.
        let wipe =
            if self.live && wiped > 0 { format!("\x1b[{wiped}A\x1b[J") } else { String::new() };
        let text = format!("{wipe}{}", lines.join("\n"));
        let printed = if lines.is_empty() { print_text(&text) } else { print_line(&text) };
        self.closed |= !printed.unwrap_or(false);
    }
}
