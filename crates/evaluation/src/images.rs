//! The images of a recording: which topic, and what a message of it shows.

use anyhow::{bail, ensure};

use rapport_perception::frame::{Decoder, Encoding, Frame, FrameError, OwnedFrame};
use rapport_recording::bag::{Bag, Topic};
use rapport_recording::message::{CompressedImageMessage, Definition, Header, ImageMessage};

/// A topic of images.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ImageTopic {
    /// Its index in the recording.
    pub index: usize,
    is_compressed: bool,
}

fn is_image(topic: &Topic) -> bool {
    [ImageMessage::TYPE_NAME, CompressedImageMessage::TYPE_NAME].contains(&topic.type_name.as_str())
}

/// The topics as error messages list them.
fn list<'a>(topics: impl Iterator<Item = &'a Topic>) -> String {
    let topics: Vec<_> = topics.map(|t| format!("{} ({})", t.name, t.type_name)).collect();
    if topics.is_empty() { "none".to_owned() } else { topics.join(", ") }
}

/// Finds a topic by name, with or without its leading slash.
///
/// # Errors
/// If there is none, or its messages are of another type than `expected` allows.
pub fn find_topic<'a>(
    bag: &'a Bag,
    name: &str,
    expected: &str,
    fits: impl Fn(&Topic) -> bool,
) -> anyhow::Result<(usize, &'a Topic)> {
    let is_it = |topic: &Topic| topic.name == name || topic.name.strip_prefix('/') == Some(name);
    let Some((index, topic)) = bag.topics().iter().enumerate().find(|(_, topic)| is_it(topic))
    else {
        bail!("no topic {name} in the recording, found: {}", list(bag.topics().iter()));
    };
    if !fits(topic) {
        bail!("topic {} is {}, expected {expected}", topic.name, topic.type_name);
    }
    check_definition(topic)?;
    Ok((index, topic))
}

/// Refuses a topic whose messages were recorded by another definition of their type than the one
/// by which they are read here, which would misread them.
fn check_definition(topic: &Topic) -> anyhow::Result<()> {
    let Topic { name, type_name, recorded, .. } = topic;
    let differences = Definition::of(type_name)
        .filter(|_| recorded.definition_encoding == "ros2msg")
        .map(|definition| definition.differences(&recorded.definition))
        .unwrap_or_default();
    ensure!(
        differences.is_empty(),
        "topic {name}: {type_name} was recorded with another definition than it is read with: {}",
        differences.join("; ")
    );
    Ok(())
}

impl ImageTopic {
    const EXPECTED: &'static str = "sensor_msgs/msg/Image or sensor_msgs/msg/CompressedImage";

    /// The topic of this name, or the only one that has images.
    ///
    /// # Errors
    /// If there is none, it has no images, or several have.
    pub fn choose(bag: &Bag, name: Option<&str>) -> anyhow::Result<Self> {
        let (index, topic) = match name {
            Some(name) => {
                let (index, topic) = find_topic(bag, name, Self::EXPECTED, is_image)?;
                ensure!(
                    topic.message_count != Some(0),
                    "no message was recorded on {}",
                    list(std::iter::once(topic))
                );
                (index, topic)
            }
            None => {
                let has_images = |topic: &Topic| is_image(topic) && topic.message_count != Some(0);
                let mut found =
                    bag.topics().iter().enumerate().filter(|(_, topic)| has_images(topic));
                match (found.next(), found.next()) {
                    (Some(only), None) => only,
                    (None, _) => {
                        let empty = || bag.topics().iter().filter(|topic| is_image(topic));
                        // A recording that was cut off early says so.
                        let unread = bag.messages_on(|_| true).filter_map(Result::err);
                        let known = bag.warnings().iter().map(ToString::to_string);
                        let why = known.chain(unread.take(3).map(|warning| warning.to_string()));
                        let why: String = why.map(|warning| format!("; {warning}")).collect();
                        ensure!(
                            empty().count() == 0,
                            "no images in the recording: no message was recorded on {}{why}",
                            list(empty())
                        );
                        bail!(
                            "no images in the recording, expected a topic of {}, found: {}{why}",
                            Self::EXPECTED,
                            list(bag.topics().iter())
                        )
                    }
                    (Some(_), Some(_)) => bail!(
                        "several topics have images, name one with --topic: {}",
                        list(bag.topics().iter().filter(|topic| has_images(topic)))
                    ),
                }
            }
        };
        check_definition(topic)?;
        Ok(Self { index, is_compressed: topic.type_name == CompressedImageMessage::TYPE_NAME })
    }
}

/// A view of a message's pixels.
///
/// # Errors
/// If the encoding is not supported or size, step and data do not agree.
pub fn frame_of<'a>(image: &ImageMessage<'a>) -> Result<Frame<'a>, FrameError> {
    let encoding: Encoding = image.encoding.parse()?;
    let encoding = encoding.with_byte_order(image.is_bigendian);
    Frame::new(image.width_px, image.height_px, image.step_bytes as usize, encoding, image.data)
}

/// Makes frames of messages. Keeps the buffer of decompressed pixels from image to image.
#[derive(Debug, Default)]
pub struct ImageReader {
    decoder: Decoder,
}

impl ImageReader {
    /// The header and the pixels of a message of an image topic.
    ///
    /// # Errors
    /// If it is damaged, or of an encoding or format that is not supported.
    pub fn read<'a>(
        &'a mut self,
        topic: ImageTopic,
        cdr: &'a [u8],
    ) -> anyhow::Result<(Header<'a>, Frame<'a>)> {
        if topic.is_compressed {
            let message = CompressedImageMessage::read(cdr)?;
            return Ok((message.header, self.decoder.decode(message.format, message.data)?));
        }
        let message = ImageMessage::read(cdr)?;
        Ok((message.header, frame_of(&message)?))
    }

    /// The same for an image that is needed later, perhaps by another thread: it keeps the message,
    /// and the pixels where they had to be decoded.
    ///
    /// # Errors
    /// As [`Self::read`].
    pub fn read_owned(&mut self, topic: ImageTopic, cdr: Vec<u8>) -> anyhow::Result<OwnedImage> {
        if !topic.is_compressed {
            frame_of(&ImageMessage::read(&cdr)?)?;
            return Ok(OwnedImage { cdr, pixels: None, warning: None });
        }
        let message = CompressedImageMessage::read(&cdr)?;
        let pixels = Some(self.decoder.decode_owned(message.format, message.data)?);
        Ok(OwnedImage { pixels, warning: self.decoder.warning().map(str::to_owned), cdr })
    }

    /// What is wrong with the image read last, if it has all its pixels.
    pub fn warning(&self) -> Option<&str> {
        self.decoder.warning()
    }
}

/// An image of a recording whose pixels are at hand.
#[derive(Debug)]
pub struct OwnedImage {
    cdr: Vec<u8>,
    /// Those of a compressed image; others lie in the message as they are.
    pixels: Option<OwnedFrame>,
    warning: Option<String>,
}

impl OwnedImage {
    /// The header and the pixels.
    ///
    /// # Errors
    /// None: what can be wrong, [`ImageReader::read_owned`] has found.
    pub fn parts(&self) -> anyhow::Result<(Header<'_>, Frame<'_>)> {
        if let Some(pixels) = &self.pixels {
            return Ok((CompressedImageMessage::read(&self.cdr)?.header, pixels.view()));
        }
        let message = ImageMessage::read(&self.cdr)?;
        Ok((message.header, frame_of(&message)?))
    }

    /// What is wrong with it, if it has all its pixels.
    pub fn warning(&self) -> Option<&str> {
        self.warning.as_deref()
    }

    /// The memory that it takes, in bytes.
    pub fn bytes(&self) -> usize {
        self.cdr.len() + self.pixels.as_ref().map_or(0, OwnedFrame::bytes)
    }
}
