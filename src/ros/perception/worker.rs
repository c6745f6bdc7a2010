//! Processes one image at a time: pixels in, messages out.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use r2r::sensor_msgs::msg::Image;
use r2r::std_msgs::msg::Header;
use r2r::{Publisher, PublisherUntyped};
use tokio::sync::watch;

use super::people::PeopleTopics;
use super::settings::session_options;
use crate::commands::emotions::emotions_cdr;
use crate::ros::convert;
use crate::ros::hri::Hri;
use crate::ros::intake::{Picture, Received};
use crate::ros::lock::lock;
use crate::ros::logging::RateLimitedLog;
use crate::ros::parameters::Changes;
use crate::ros::processor::Work;
use crate::ros::stats::{FrameTimes, Stats};
use crate::ros::switches;
use rapport_perception::annotate::annotate_outside;
use rapport_perception::frame::Decoder;
use rapport_perception::pose::Camera;
use rapport_perception::zones::Zones;
use rapport_perception::{Session, Timings};
use rapport_vocabulary::ImageStamp;

/// The networks of a configured node, and the topics it publishes on.
pub struct Worker {
    pub decoder: Decoder,
    pub session: Session,
    pub origin: TimeOrigin,
    pub changes: Changes,
    /// Takes the messages as bytes.
    pub emotions: PublisherUntyped,
    pub annotated: Publisher<Image>,
    pub hri: Option<Hri>,
    pub people: PeopleTopics,
    /// The calibrated camera.
    pub camera: watch::Receiver<Option<Camera>>,
    pub stats: Arc<Mutex<Stats>>,
    pub errors: RateLimitedLog,
    /// Whether stamps have gone back before.
    pub was_set_back: bool,
    /// The last image, until it is said that its people are gone.
    pub last: Option<LastImage>,
    /// For how long its people stand without another image.
    pub hold: Duration,
}

/// An image that messages were published about.
pub struct LastImage {
    header: Header,
    width_px: u32,
    height_px: u32,
    has_people: bool,
}

/// A camera that sends two images a second or more is never taken for one that died, however short
/// `hold_secs` is.
const SHORTEST_HOLD: Duration = Duration::from_millis(500);

/// The time of day at one moment, from which on it is counted: a clock that is set moves nothing.
pub struct TimeOrigin {
    since_1970: Duration,
    at: Instant,
}

impl TimeOrigin {
    pub fn now() -> Self {
        Self { since_1970: convert::time_of_day(), at: Instant::now() }
    }

    fn time_of(&self, moment: Instant) -> Duration {
        self.since_1970.saturating_add(moment.saturating_duration_since(self.at))
    }
}

impl Work<Received> for Worker {
    /// Publishes who is in an image. Where that fails, says why, and skips the image.
    fn process(&mut self, received: &Received) -> bool {
        self.take_up_changes();
        if let Err(error) = self.publish_people(received) {
            let problem = format!("{error:#}");
            self.errors.error(&format!("image skipped: {problem}"));
            lock(&self.stats).skipped(problem);
            return false;
        }
        if let (Picture::Compressed(_), Some(warning)) = (&received.picture, self.decoder.warning())
        {
            self.errors.warn(&format!("image used, with a warning of its decoder: {warning}"));
        }
        true
    }

    /// Publishes that nobody is in view, and resets all tracks: whoever is seen next may be
    /// anybody.
    fn pause(&mut self) {
        self.session.reset_tracks();
        self.publish_nobody();
    }

    fn holds_for(&self) -> Option<Duration> {
        self.last.as_ref().map(|_| self.hold.max(SHORTEST_HOLD))
    }

    /// Publishes that nobody is in view. Whoever is seen at the same place in the next image keeps
    /// the id: a recording that was paused goes on so.
    fn expire(&mut self) {
        self.publish_nobody();
    }
}

impl Worker {
    /// Takes up what is known before the first image.
    pub fn begin(&mut self) {
        say_zones(&self.session.options().detect.ignore_zones, true);
        self.take_up_camera();
    }

    fn take_up_camera(&mut self) {
        let mut options = self.session.options().clone();
        options.pose.camera = self.camera.borrow_and_update().clone();
        self.session.set_options(options);
    }

    /// Takes up other parameters, and another calibration of the camera.
    fn take_up_changes(&mut self) {
        if let Some(values) = self.changes.newer() {
            let mut options = session_options(&values);
            self.hold = options.track.hold;
            let before = self.session.options();
            options.pose.camera = before.pose.camera.clone();
            if options.detect.ignore_zones != before.detect.ignore_zones {
                say_zones(&options.detect.ignore_zones, false);
            }
            self.session.set_options(options);
        }
        // Where the sender has gone, so has the node.
        if self.camera.has_changed().unwrap_or(false) {
            self.take_up_camera();
        }
    }

    /// Says once that the people of the last image are gone, under its header.
    fn publish_nobody(&mut self) {
        let lost = self.session.everybody_left();
        let Some(LastImage { header, width_px, height_px, has_people }) = self.last.take() else {
            return;
        };
        lock(&self.stats).people = 0;
        if has_people {
            let networks = self.session.networks();
            let message =
                emotions_cdr(&convert::header(&header), width_px, height_px, &[], networks);
            if let Err(error) = self.emotions.publish_raw(&message) {
                self.errors.error(&format!("emotions: not published: {error}"));
            }
        }
        if let Some(hri) = &mut self.hri
            && let Err(error) = hri.leave(&header)
        {
            self.errors.error(&format!("/humans/faces/tracked: not published: {error:#}"));
        }
        if let Err(error) = self.people.leave(&header, &lost) {
            self.errors.error(&format!("people: not published: {error:#}"));
        }
    }

    fn publish_people(&mut self, received: &Received) -> anyhow::Result<()> {
        let start = Instant::now();
        let (header, frame) = match &received.picture {
            Picture::Raw(image) => (image.header(), convert::frame(image)?),
            Picture::Compressed(image) => {
                (image.header.clone(), self.decoder.decode(&image.format, &image.data)?)
            }
        };
        let decode = start.elapsed();
        let (stamp, arrival) = (convert::stamp(&header.stamp), self.origin.time_of(received.at));
        let seen = self.session.process(&frame, ImageStamp { stamp, arrival })?;
        if let Some(by) = seen.time.set_back {
            let line = format!(
                "the stamps of the images went back by {:.1} s: all tracks are reset, and \
                 everybody in view gets a new id (a clock was set, a recording began again, or two \
                 cameras share the topic)",
                by.as_secs_f64()
            );
            // A recording that is played in a loop does so again and again, and nothing is wrong.
            match std::mem::replace(&mut self.was_set_back, true) {
                false => self.errors.warn(&line),
                true => self.errors.info(&line),
            }
        }
        let publishing = Instant::now();
        let (width, height) = (frame.width_px(), frame.height_px());
        let networks = self.session.networks();
        let people = &seen.people;
        let message = emotions_cdr(&convert::header(&header), width, height, people, networks);
        self.emotions.publish_raw(&message)?;
        self.last = Some(LastImage {
            header: header.clone(),
            width_px: width,
            height_px: height,
            has_people: !people.is_empty(),
        });
        if let Some(hri) = &mut self.hri {
            let published = hri.publish(&header, &frame, people, |id| self.session.knows(id));
            if let Err(error) = published {
                self.errors.error(&format!("/humans/faces: not published: {error:#}"));
            }
        }
        let session = &self.session;
        let told = self.people.publish(&header, (width, height), &seen, |id| session.knows(id));
        if let Err(error) = told {
            self.errors.error(&format!("people: not published: {error:#}"));
        }
        if self.annotated.get_inter_process_subscription_count()? > 0 {
            let zones = &self.session.options().detect.ignore_zones;
            let rgb = annotate_outside(&frame, people, zones);
            self.annotated.publish(&convert::rgb_image(&header, width, height, rgb))?;
        }
        log_timings(&seen.timings);
        let times = FrameTimes {
            decode,
            pipeline: seen.timings,
            publish: publishing.elapsed(),
            total: received.at.elapsed(),
        };
        lock(&self.stats).processed(times, stamp.unwrap_or(arrival), people.len(), seen.searched);
        Ok(())
    }
}

/// Says which parts of the image are looked at; at the start, only where some are not.
fn say_zones(zones: &Zones, is_start: bool) {
    match zones.len() {
        0 if is_start => {}
        0 => switches::say("ignore_zones: all of the image is looked at (by the parameter)"),
        count => switches::say(&format!(
            "ignore_zones: parts of the image that are not looked at: {count} (by the parameter)"
        )),
    }
}

fn log_timings(timings: &Timings) {
    let ms = |duration: Duration| duration.as_secs_f64() * 1e3;
    tracing::debug!(
        "frame: total_ms={:.3} inference_ms={:.3} detect_ms={:.3} verify_ms={:.3} crop_ms={:.3} classify_ms={:.3}",
        ms(timings.total),
        ms(timings.inference),
        ms(timings.detect),
        ms(timings.verify),
        ms(timings.crop),
        ms(timings.classify)
    );
}
