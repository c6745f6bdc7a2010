//! A recording, frame by frame through the sessions, as the node processes it.

use std::time::{Duration, Instant};

use crate::images::{ImageReader, ImageTopic};
use crate::labels::Labels;
use crate::predictor::Predictor;
use crate::run::{Run, predict};
use crate::seen::Place;
use crate::sequence::Sequence;
use crate::timeline::Timeline;
use rapport_recording::bag::Bag;
use rapport_recording::message::StringMessage;
use rapport_vocabulary::{ImageClock, ImageStamp};

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

/// Gives every image to every model, in order, each once.
///
/// # Errors
/// If a file cannot be written.
pub fn evaluate(
    recording: &mut Recording<'_>,
    predictors: &mut [Predictor],
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
    let (mut reader, mut clock) = (ImageReader::default(), ImageClock::default());
    let mut begin_ns = bag.bounds_ns().map(|(first_ns, _)| first_ns);
    let mut last_ns = None;
    let (mut before, mut duration) = (None, Duration::ZERO);
    let mut log_times_ns = None;
    let wanted = |topic: &rapport_recording::bag::Topic| {
        Some(topic) == image_topic || Some(topic) == label_topic
    };
    let mut messages = bag.messages_on(wanted);
    loop {
        let start = Instant::now();
        let Some(next) = messages.next() else {
            break;
        };
        let message = match next {
            Ok(message) => message,
            Err(warning) => {
                run.warn("recording", || warning.to_string());
                continue;
            }
        };
        let read = start.elapsed();
        last_ns = last_ns.max(Some(message.log_time_ns));
        if Some(message.topic) == recording.label_topic {
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
        let number = run.source.frames;
        run.source.frames += 1;
        run.progress.frame();
        let start = Instant::now();
        let (header, frame) = match reader.read(images, &message.data) {
            Ok(image) => image,
            Err(error) => {
                run.warn("image not used", || format!("frame {number}: {error:#}"));
                continue;
            }
        };
        run.decode_times.push(start.elapsed());
        run.read_times.push(read);
        run.source.frames_used += 1;
        // As in the node: an image without a stamp counts as taken when it arrived.
        let arrival = Duration::from_nanos(message.log_time_ns.try_into().unwrap_or_default());
        let at = clock.time(header.stamp(), arrival);
        // Where the camera's clock was set, nobody knows how much time passed.
        let step = before.map_or(Duration::ZERO, |before| at.time.saturating_sub(before));
        let step = if step <= CLOCK_WAS_SET {
            step
        } else {
            run.warn("clock set", || {
                format!(
                    "frame {number} was taken {:.1} h after the one before, by its stamp: the gap is \
                     not counted in the duration",
                    step.as_secs_f64() / 3600.0
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
        let (_, latest_ns) = log_times_ns.get_or_insert((message.log_time_ns, message.log_time_ns));
        *latest_ns = message.log_time_ns.max(*latest_ns);
        duration = duration.saturating_add(step);
        before = Some(at.time);
        let begin_ns = *begin_ns.get_or_insert(message.log_time_ns);
        let place = Place {
            frame: number,
            source: String::new(),
            time_secs: Some(message.log_time_ns.saturating_sub(begin_ns) as f64 / 1e9),
            stamp: Some(header.stamp().unwrap_or(arrival)),
            time: Some(at),
            image_stamp: Some(ImageStamp { stamp: header.stamp(), arrival }),
        };
        let image_time_ns = i64::try_from(at.time.as_nanos()).unwrap_or(i64::MAX);
        let labels = recording.labels.at(number, message.log_time_ns, image_time_ns);
        let predictions = predict(predictors, &frame, place.image_stamp, |seen| seen);
        run.take(Some(&frame), &place, &labels, predictions)?;
        if let Some(warning) = reader.warning() {
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
