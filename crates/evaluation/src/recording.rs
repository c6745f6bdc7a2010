//! A recording, frame by frame through the sessions, as the node processes it.

use std::sync::Arc;
use std::thread::{self, Scope};
use std::time::Duration;

use crate::images::ImageTopic;
use crate::labels::Labels;
use crate::predictor::Predictor;
use crate::reader::steps::{self, Step};
use crate::reader::{Ahead, Bounds, Plan, SideBySide, Waiting};
use crate::run::{Predictions, Run};
use crate::seen::Place;
use crate::sequence::Sequence;
use crate::timeline::Timeline;
use rapport_perception::detect::{DetectOptions, YuNetDetector};
use rapport_recording::bag::{Bag, Messages};
use rapport_recording::message::StringMessage;
use rapport_vocabulary::ImageClock;

/// A longer time from one image to the next means that the camera's clock was set: one image
/// without a stamp among others, or a simulation that began.
const CLOCK_WAS_SET: Duration = Duration::from_secs(3600);

/// What of a recording is evaluated.
pub struct Recording<'a> {
    /// The recording.
    pub bag: &'a Bag,
    /// Its images.
    pub images: ImageTopic,
    /// The labels of their faces.
    pub labels: Labels,
    /// The topic of labels, by its index.
    pub label_topic: Option<usize>,
}

/// What looks at the images.
pub struct Looking<'l> {
    /// One of each model.
    pub predictors: &'l mut [Predictor],
    /// Search images ahead; none where the session decides which images are searched.
    pub detectors: &'l mut [YuNetDetector],
    /// How they search.
    pub detect: DetectOptions,
    /// The threads.
    pub plan: Plan,
}

/// Pixels that may wait for the networks, in bytes.
const WAITING_BYTES: usize = 64 << 20;

/// A step of a recording and what each model saw.
type Looked<'scope> = Box<dyn Iterator<Item = (Arc<Step>, Predictions)> + 'scope>;

impl<'l> Looking<'l> {
    /// The steps in order, on threads of this scope.
    fn steps<'scope>(
        self,
        scope: &'scope Scope<'scope, '_>,
        messages: Messages,
        images: ImageTopic,
        waiting: &Waiting,
    ) -> anyhow::Result<Looked<'scope>>
    where
        'l: 'scope,
    {
        let bounds = |threads| Bounds::of_images(threads, WAITING_BYTES, Step::bytes);
        let Self { predictors, detectors, detect, plan } = self;
        let messages = steps::timed(messages);
        let read = match plan.readers {
            0 => Ahead::here(messages, steps::decoder(images)),
            readers => {
                let decoders = (0..readers).map(|_| steps::decoder(images)).collect();
                Ahead::threads(scope, messages, decoders, bounds(readers))?
            }
        };
        let read = waiting.on(read);
        let searchers: Vec<_> = detectors
            .iter_mut()
            .map(|detector| steps::searcher(detector, detect.clone()))
            .collect();
        let searched = match searchers.len() {
            0 => Ahead::Here(Box::new(read)),
            threads => Ahead::threads(scope, read, searchers, bounds(threads))?,
        };
        let threads = plan.predictors.min(predictors.len());
        if threads < 2 {
            return Ok(Box::new(searched.map(move |step| {
                let predictions = step.predict(predictors);
                (Arc::new(step), predictions)
            })));
        }
        let share = predictors.len().div_ceil(threads);
        let groups =
            predictors.chunks_mut(share).map(|group| move |step: &Step| step.predict(group));
        let looked = SideBySide::new(scope, searched, groups)?;
        Ok(Box::new(looked.map(|(step, groups)| (step, groups.into_iter().flatten().collect()))))
    }
}

/// Gives every image to every model, in order, each once.
///
/// # Errors
/// If a file cannot be written.
pub fn evaluate(
    recording: &mut Recording<'_>,
    looking: Looking<'_>,
    run: &mut Run<'_>,
) -> anyhow::Result<()> {
    let (bag, images) = (recording.bag, recording.images);
    let label_topic = recording.label_topic.and_then(|index| bag.topics().get(index));
    let image_topic = bag.topics().get(images.index);
    for model in &mut run.models {
        let sparse = matches!(recording.labels, Labels::Frames(_));
        model.tally.sequence = Some(Sequence::new(sparse));
        model.tally.timeline = Some(Timeline::default());
    }
    for warning in bag.warnings() {
        run.warn("recording", || warning.to_string());
    }
    let wanted = |topic: &rapport_recording::bag::Topic| {
        Some(topic) == image_topic || Some(topic) == label_topic
    };
    let messages = bag.messages_on(wanted);
    let waiting = run.waiting.clone();
    thread::scope(|scope| {
        let steps = looking.steps(scope, messages, images, &waiting)?;
        take_all(recording, steps, run)
    })
}

/// Counts what was seen, step by step.
fn take_all(
    recording: &mut Recording<'_>,
    steps: Looked<'_>,
    run: &mut Run<'_>,
) -> anyhow::Result<()> {
    let bag = recording.bag;
    let label_topic = recording.label_topic.and_then(|index| bag.topics().get(index));
    let mut clock = ImageClock::default();
    let mut begin_ns = bag.bounds_ns().map(|(first_ns, _)| first_ns);
    let mut last_ns = None;
    let (mut before, mut duration) = (None, Duration::ZERO);
    let mut log_times_ns = None;
    for (step, predictions) in steps {
        let step = match &*step {
            Step::Warning(warning) => {
                run.warn("recording", || warning.to_string());
                continue;
            }
            Step::Message(message) => {
                last_ns = last_ns.max(Some(message.log_time_ns));
                let topic = label_topic.map_or("", |topic| &topic.name);
                match (&mut recording.labels, StringMessage::read(&message.data)) {
                    (Labels::Topic(labels), Ok(text)) => {
                        if let Some(text) = labels.message(text.data, topic, &mut run.warnings) {
                            run.progress.warning(text);
                        }
                    }
                    (_, Err(error)) => {
                        run.warn("unknown label", || format!("topic {topic}: {error}"));
                    }
                    (_, Ok(_)) => {}
                }
                continue;
            }
            Step::Image(step) => step,
        };
        last_ns = last_ns.max(Some(step.log_time_ns));
        let number = run.source.frames;
        run.source.frames += 1;
        run.progress.frame();
        let parts = step.image.as_ref().map_err(|error| format!("{error:#}"));
        let parts =
            parts.and_then(|image| Ok((image, image.parts().map_err(|e| format!("{e:#}"))?)));
        let (image, (header, frame)) = match parts {
            Ok(parts) => parts,
            Err(error) => {
                run.warn("image not used", || format!("frame {number}: {error}"));
                continue;
            }
        };
        run.decode_times.push(step.decode);
        run.read_times.push(step.read);
        run.source.frames_used += 1;
        let arrival = step.stamp(&header).arrival;
        let at = clock.time(header.stamp(), arrival);
        // Where the camera's clock was set, nobody knows how much time passed.
        let passed = before.map_or(Duration::ZERO, |before| at.time.saturating_sub(before));
        let passed = if passed <= CLOCK_WAS_SET {
            passed
        } else {
            run.warn("clock set", || {
                format!(
                    "frame {number} was taken {:.1} h after the one before, by its stamp: the gap is \
                     not counted in the duration",
                    passed.as_secs_f64() / 3600.0
                )
            });
            Duration::ZERO
        };
        if let Some(by) = at.set_back {
            run.warn("clock set", || {
                format!(
                    "the stamp of frame {number} is {:.1} s before the one before: all tracks are reset",
                    by.as_secs_f64()
                )
            });
        }
        let (_, latest_ns) = log_times_ns.get_or_insert((step.log_time_ns, step.log_time_ns));
        *latest_ns = step.log_time_ns.max(*latest_ns);
        duration = duration.saturating_add(passed);
        before = Some(at.time);
        let begin_ns = *begin_ns.get_or_insert(step.log_time_ns);
        let place = Place {
            frame: number,
            source: String::new(),
            time_secs: Some(step.log_time_ns.saturating_sub(begin_ns) as f64 / 1e9),
            stamp: Some(header.stamp().unwrap_or(arrival)),
            time: Some(at),
        };
        let image_time_ns = i64::try_from(at.time.as_nanos()).unwrap_or(i64::MAX);
        let labels = recording.labels.at(number, step.log_time_ns, image_time_ns);
        run.take(Some(&frame), &place, &labels, predictions)?;
        if let Some(warning) = image.warning() {
            run.warn("damaged image", || format!("frame {number}: {warning}"));
        }
    }
    if let Some((first_ns, latest_ns)) = log_times_ns
        && first_ns == latest_ns
        && !duration.is_zero()
    {
        run.warn("log times", || {
            "all images were logged at one time, so `time` is the same for all of them: labels by \
             time cannot tell them apart (`stamp` does)"
                .to_owned()
        });
    }
    run.source.duration_secs = before.map(|_| duration.as_secs_f64());
    let ends_ns = bag.bounds_ns().map(|(_, last_ns)| last_ns).max(last_ns);
    run.source.ends_at_secs =
        begin_ns.zip(ends_ns).map(|(begin, end)| end.saturating_sub(begin) as f64 / 1e9);
    if let Labels::Frames(table) = &recording.labels
        && let Some(last) = table.last_frame()
        && last >= run.source.frames
    {
        let frames = run.source.frames;
        run.warn("label outside the recording", || {
            format!("frame {last} has a label, but the topic has {frames} images")
        });
    }
    Ok(())
}
