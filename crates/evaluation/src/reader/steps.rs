//! A recording's messages as they come off the threads that read and decode them.

use std::time::{Duration, Instant};

use crate::images::{ImageReader, ImageTopic, OwnedImage};
use crate::predictor::Predictor;
use crate::reader::found::Found;
use crate::run::Predictions;
use rapport_perception::detect::{DetectOptions, YuNetDetector};
use rapport_recording::bag::{BagWarning, Message, Messages};
use rapport_recording::message::Header;
use rapport_vocabulary::ImageStamp;

/// The next thing in a recording.
pub enum Step {
    /// Something is wrong with the recording.
    Warning(BagWarning),
    /// A message of a topic that is not the images'.
    Message(Message),
    /// An image.
    Image(ImageStep),
}

/// An image, or why there is none.
pub struct ImageStep {
    /// When it was recorded, in nanoseconds since the epoch.
    pub log_time_ns: i64,
    /// The image.
    pub image: anyhow::Result<OwnedImage>,
    /// The faces in it, where they were looked for ahead.
    pub found: Option<Found>,
    /// The time it took to read its message.
    pub read: Duration,
    /// The time it took to decode it.
    pub decode: Duration,
}

impl Step {
    /// What each model sees, where it is an image.
    pub fn predict(&self, predictors: &mut [Predictor]) -> Predictions {
        match self {
            Self::Image(step) => step.predict(predictors),
            Self::Warning(_) | Self::Message(_) => Vec::new(),
        }
    }

    /// The memory that it takes, in bytes.
    pub fn bytes(&self) -> usize {
        match self {
            Self::Warning(_) => 0,
            Self::Message(message) => message.data.len(),
            Self::Image(step) => step.image.as_ref().map_or(0, OwnedImage::bytes),
        }
    }
}

impl ImageStep {
    /// When the image was taken and when it arrived. As in the node, one without a stamp counts as
    /// taken when it arrived.
    pub fn stamp(&self, header: &Header<'_>) -> ImageStamp {
        let arrival = Duration::from_nanos(self.log_time_ns.try_into().unwrap_or_default());
        ImageStamp { stamp: header.stamp(), arrival }
    }

    /// What each model sees in it; nothing where there is no image.
    pub fn predict(&self, predictors: &mut [Predictor]) -> Predictions {
        let Some((header, frame)) = self.image.as_ref().ok().and_then(|image| image.parts().ok())
        else {
            return Vec::new();
        };
        let stamp = Some(self.stamp(&header));
        let predict =
            |predictor: &mut Predictor| predictor.predict(&frame, stamp, self.found.as_ref());
        predictors.iter_mut().map(predict).collect()
    }
}

/// A message that was read, and how long that took.
pub struct ReadMessage {
    message: Result<Message, BagWarning>,
    read: Duration,
}

/// The messages with the time that each took.
pub fn timed(mut messages: Messages) -> impl Iterator<Item = ReadMessage> + Send {
    std::iter::from_fn(move || {
        let start = Instant::now();
        let message = messages.next()?;
        Some(ReadMessage { message, read: start.elapsed() })
    })
}

/// Work that decodes the images of a topic and leaves other messages as they are.
pub fn decoder(images: ImageTopic) -> impl FnMut(ReadMessage) -> Step + Send {
    let mut reader = ImageReader::default();
    move |ReadMessage { message, read }| match message {
        Err(warning) => Step::Warning(warning),
        Ok(message) if message.topic != images.index => Step::Message(message),
        Ok(message) => {
            let start = Instant::now();
            let image = reader.read_owned(images, message.data);
            let log_time_ns = message.log_time_ns;
            Step::Image(ImageStep {
                log_time_ns,
                image,
                found: None,
                read,
                decode: start.elapsed(),
            })
        }
    }
}

/// Work that looks for the faces of images ahead of their turn.
pub fn searcher(
    detector: &mut YuNetDetector,
    options: DetectOptions,
) -> impl FnMut(Step) -> Step + Send {
    move |mut step| {
        if let Step::Image(ImageStep { image: Ok(image), found, .. }) = &mut step
            && let Ok((_, frame)) = image.parts()
        {
            *found = Found::search(detector, &frame, &options);
        }
        step
    }
}
