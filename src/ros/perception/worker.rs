//! Works on one image at a time: pixels in, messages out.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use r2r::sensor_msgs::msg::Image;
use r2r::std_msgs::msg::Header;
use r2r::{Publisher, PublisherUntyped};
use tokio::sync::watch;

use super::lock;
use super::settings::pipeline_options;
use crate::commands::emotions::{EmotionModel, emotions_cdr};
use crate::ros::convert;
use crate::ros::hri::Hri;
use crate::ros::intake::{Picture, Received};
use crate::ros::logging::Complaints;
use crate::ros::parameters::Parameters;
use crate::ros::stats::{FrameTimes, Stats};
use rapport_perception::annotate::annotate;
use rapport_perception::frame::Decoder;
use rapport_perception::pipeline::{Observation, Pipeline, Timings};
use rapport_vocabulary::{ImageClock, ImageTime};

/// The pipeline of a configured node and the topics it answers on.
pub struct Worker {
    pub decoder: Decoder,
    pub pipeline: Pipeline,
    pub clock: ImageClock,
    pub origin: TimeOrigin,
    pub parameters: Parameters,
    pub changes: watch::Receiver<()>,
    /// Takes the messages as bytes.
    pub emotions: PublisherUntyped,
    pub annotated: Publisher<Image>,
    pub hri: Option<Hri>,
    pub stats: Arc<Mutex<Stats>>,
    pub complaints: Complaints,
}

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

impl Worker {
    /// Answers an image, or says why not and goes on.
    pub fn work(&mut self, received: &Received) {
        if self.changes.has_changed().unwrap_or(false) {
            self.changes.mark_unchanged();
            self.pipeline.set_options(pipeline_options(&self.parameters));
        }
        if let Err(error) = self.answer(received) {
            let problem = format!("{error:#}");
            lock(&self.stats).passed_over(problem.clone());
            self.complaints.log(&format!("image passed over: {problem}"));
        }
    }

    /// Says that nobody is looked at any more. Whoever is seen next may be anybody.
    pub fn leave(&mut self) {
        self.pipeline.forget();
        let last_stamp = {
            let mut stats = lock(&self.stats);
            stats.people = 0;
            stats.last_stamp
        };
        if let Some(hri) = &mut self.hri {
            let stamp = last_stamp.map(convert::time).unwrap_or_default();
            let header = Header { stamp, ..Header::default() };
            if let Err(error) = hri.leave(&header) {
                self.complaints.log(&format!("/humans/faces/tracked: not published: {error:#}"));
            }
        }
    }

    fn answer(&mut self, received: &Received) -> anyhow::Result<()> {
        let start = Instant::now();
        let (header, frame) = match &received.picture {
            Picture::Raw(image) => (image.header(), convert::frame(image)?),
            Picture::Compressed(image) => {
                (image.header.clone(), self.decoder.decode(&image.format, &image.data)?)
            }
        };
        let decode = start.elapsed();
        let (stamp, arrival) = (convert::stamp(&header.stamp), self.origin.time_of(received.at));
        let ImageTime { time, set_back } = self.clock.time(stamp, arrival);
        if let Some(by) = set_back {
            self.complaints.log(&format!(
                "the stamps of the images went back by {:.1} s: everybody in view is taken for new \
                 (a clock was set, a recording began again, or two cameras share the topic)",
                by.as_secs_f64()
            ));
        }
        let Observation { people, timings } = self.pipeline.process(&frame, time)?;
        let publishing = Instant::now();
        let (width, height) = (frame.width_px(), frame.height_px());
        let model = EmotionModel::of(&self.pipeline);
        let message = emotions_cdr(&convert::header(&header), width, height, &people, model);
        self.emotions.publish_raw(&message)?;
        if let Some(hri) = &mut self.hri {
            let published = hri.publish(&header, &frame, &people, |id| self.pipeline.knows(id));
            if let Err(error) = published {
                self.complaints.log(&format!("/humans/faces: not published: {error:#}"));
            }
        }
        if self.annotated.get_inter_process_subscription_count()? > 0 {
            let rgb = annotate(&frame, &people);
            self.annotated.publish(&convert::rgb_image(&header, width, height, rgb))?;
        }
        log_timings(&timings);
        let times = FrameTimes {
            decode,
            pipeline: timings,
            publish: publishing.elapsed(),
            total: received.at.elapsed(),
        };
        lock(&self.stats).answered(times, stamp.unwrap_or(arrival), people.len());
        Ok(())
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
