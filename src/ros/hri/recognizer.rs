//! Reads expressions in the faces that another node finds, as REP-155 has its images of them.
//!
//! Each face has a session of its own, so that it is smoothed over time. In the image of a face the
//! face is found once more: detectors cut out differently, and the landmarks are needed.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use anyhow::{Context as _, anyhow};
use tokio::sync::watch;

use crate::ros::arguments::process_arguments;
use crate::ros::convert;
use crate::ros::intake::IntakeStatus;
use crate::ros::lock::lock;
use crate::ros::logging::RateLimitedLog;
use crate::ros::parameters::{Changes, Values};
use crate::ros::raw::{RawNode, RawPublisher, RawSubscription, TypeSupport};
use crate::ros::stats::{FrameTimes, Stats};
use crate::ros::switch::Switch;
use rapport_perception::frame::{Encoding, Frame};
use rapport_perception::{Networks, Person, Session, SessionOptions};
use rapport_recording::bag::{Durability, History, Qos, Reliability};
use rapport_recording::message::{CdrReader, CdrWriter, Header, ImageMessage};
use rapport_vocabulary::{Emotion, ImageStamp};

/// The list of the faces in view.
pub const TRACKED: &str = "/humans/faces/tracked";

/// How often it is looked whether something came.
const POLL: Duration = Duration::from_millis(4);

/// After how long without a list of faces that is said.
const SILENCE: Duration = Duration::from_secs(5);

/// Where faces come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// From the camera's images, in which this node finds them.
    Image,
    /// From another detector: the box of each face.
    Cropped,
    /// From another detector: each face turned level.
    Aligned,
}

impl Source {
    /// The values of the parameter `faces_from`.
    pub const NAMES: [&'static str; 3] = ["image", "cropped", "aligned"];

    /// The source of this name; the camera's images for any other.
    pub fn named(name: &str) -> Self {
        match name {
            "cropped" => Self::Cropped,
            "aligned" => Self::Aligned,
            _ => Self::Image,
        }
    }

    const fn topic(self) -> &'static str {
        match self {
            Self::Aligned => "aligned",
            Self::Image | Self::Cropped => "cropped",
        }
    }
}

/// What a recognizer works with.
pub struct Setup {
    /// The name of perception_node.
    pub name: String,
    /// Which images of faces.
    pub source: Source,
    /// The networks.
    pub networks: Arc<Networks>,
    /// How faces are looked at.
    pub options: SessionOptions,
    /// Tells of other parameters ...
    pub changes: Changes,
    /// ... and what they mean.
    pub options_of: fn(&Values) -> SessionOptions,
    /// Whether faces are looked at.
    pub switch: watch::Receiver<Switch>,
    /// Where images are counted.
    pub stats: Arc<Mutex<Stats>>,
    /// What was noticed.
    pub status: Arc<Mutex<IntakeStatus>>,
}

/// The thread that reads expressions.
pub struct Recognizer {
    stop: Arc<AtomicBool>,
    thread: JoinHandle<()>,
}

impl Recognizer {
    /// Starts it, with a ROS node of its own.
    ///
    /// # Errors
    /// If hri_msgs is not installed, or ROS refuses the node.
    pub fn start(setup: Setup) -> anyhow::Result<Self> {
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = stop.clone();
        let (ready, started) = mpsc::channel();
        // The node stays on the thread that made it.
        let thread = std::thread::Builder::new().name("faces".to_owned()).spawn(move || {
            match Reader::new(setup) {
                Ok(mut reader) => {
                    // Who waits for it is there.
                    let _ = ready.send(Ok(()));
                    while !stopped.load(Ordering::Relaxed) {
                        std::thread::sleep(POLL);
                        reader.look();
                    }
                }
                Err(error) => {
                    let _ = ready.send(Err(error));
                }
            }
        })?;
        started.recv().map_err(|_| anyhow!("the thread of faces ended"))??;
        Ok(Self { stop, thread })
    }

    /// Ends it, and its topics.
    pub fn end(self) {
        self.stop.store(true, Ordering::Relaxed);
        if self.thread.join().is_err() {
            tracing::error!("the thread of faces ended, see the messages above");
        }
    }
}

/// A face that another node tracks.
struct Face {
    images: RawSubscription,
    expression: RawPublisher,
    session: Session,
    last_listed: Instant,
}

struct Reader {
    setup: Setup,
    node: RawNode,
    image_type: TypeSupport,
    expression_type: TypeSupport,
    tracked: RawSubscription,
    faces: HashMap<String, Face>,
    errors: RateLimitedLog,
    waits_since: Instant,
    has_warned: bool,
    start: Instant,
}

/// A detector may send either way; what is lost is followed by the next.
const TAKE: Qos = Qos {
    reliability: Reliability::BestEffort,
    durability: Durability::Volatile,
    history: History::KeepLast,
    depth: 1,
};

impl Reader {
    fn new(mut setup: Setup) -> anyhow::Result<Self> {
        let name = format!("{}_faces", setup.name);
        let (_, given) = process_arguments();
        // The first rule counts: it is not called as the other node is.
        let own = ["--ros-args", "-r", &format!("__node:={name}"), "--"].map(Into::into);
        let node = RawNode::create(&name, &own.into_iter().chain(given).collect::<Vec<_>>())?;
        let tracked =
            node.subscription(TRACKED, TypeSupport::load("hri_msgs/msg/IdsList")?, TAKE)?;
        setup.options.track.confirm_hits = 1;
        Ok(Self {
            image_type: TypeSupport::load(ImageMessage::TYPE_NAME)?,
            expression_type: TypeSupport::load("hri_msgs/msg/Expression")?,
            setup,
            node,
            tracked,
            faces: HashMap::new(),
            errors: RateLimitedLog::default(),
            waits_since: Instant::now(),
            has_warned: false,
            start: Instant::now(),
        })
    }

    /// Looks once at all that came.
    fn look(&mut self) {
        if !self.setup.switch.borrow().is_on() {
            self.faces.clear();
            self.waits_since = Instant::now();
            *lock(&self.setup.status) = IntakeStatus::default();
            lock(&self.setup.stats).people = 0;
            return;
        }
        if let Some(values) = self.setup.changes.newer() {
            let mut options = (self.setup.options_of)(&values);
            options.track.confirm_hits = 1;
            self.faces.values_mut().for_each(|face| face.session.set_options(options.clone()));
            self.setup.options = options;
        }
        if let Err(error) = self.take_list() {
            self.errors.error(&format!("{TRACKED}: {error:#}"));
        }
        self.say_silence();
        let in_view = self.faces.len();
        for (id, face) in &mut self.faces {
            let came = match face.images.newest() {
                Ok(Some(image)) => image,
                Ok(None) => continue,
                Err(error) => {
                    self.errors.error(&format!("face {id}: {error}"));
                    continue;
                }
            };
            let arrival = Instant::now();
            lock(&self.setup.stats).counts.received += 1;
            match face.read(&came, self.start.elapsed(), arrival) {
                Ok((times, stamp)) => {
                    lock(&self.setup.stats).processed(times, stamp, in_view, false);
                }
                Err(error) => {
                    let problem = format!("{error:#}");
                    self.errors.error(&format!("image of a face skipped: {problem}"));
                    lock(&self.setup.stats).skipped(problem);
                }
            }
        }
    }

    /// Takes the newest list of faces: makes topics for new ones, and ends those of the ones that
    /// have not been listed for as long as a face may be missed.
    fn take_list(&mut self) -> anyhow::Result<()> {
        let Some(cdr) = self.tracked.newest()? else {
            return Ok(());
        };
        let ids = read_ids(&cdr)?;
        let now = Instant::now();
        self.waits_since = now;
        for id in ids {
            if let Some(face) = self.faces.get_mut(&id) {
                face.last_listed = now;
                continue;
            }
            let topic = |name: &str| format!("/humans/faces/{id}/{name}");
            let image = topic(self.setup.source.topic());
            let images = self.node.subscription(&image, self.image_type, TAKE)?;
            let expression =
                self.node.publisher(&topic("expression"), self.expression_type, Qos::default())?;
            let session = Session::new(self.setup.networks.clone(), self.setup.options.clone());
            self.faces.insert(id, Face { images, expression, session, last_listed: now });
        }
        let hold = self.setup.options.track.hold;
        self.faces.retain(|_, face| face.last_listed.elapsed() <= hold);
        lock(&self.setup.stats).people = self.faces.len();
        Ok(())
    }

    fn say_silence(&mut self) {
        let silent = self.waits_since.elapsed();
        let line = (silent >= SILENCE).then(|| {
            format!(
                "no list of faces on {TRACKED} for {} s: start a face detector that publishes it \
                 (hri_face_detect), or set faces_from to image",
                silent.as_secs()
            )
        });
        match &line {
            Some(line) if !self.has_warned => {
                self.has_warned = true;
                tracing::warn!("{line}");
            }
            Some(_) => {}
            None => self.has_warned = false,
        }
        lock(&self.setup.status).silence = line;
    }
}

impl Face {
    /// Publishes the expression of the face in an image of it; nothing where there is none to be
    /// seen.
    fn read(
        &mut self,
        cdr: &[u8],
        since_start: Duration,
        arrival: Instant,
    ) -> anyhow::Result<(FrameTimes, Duration)> {
        let image = ImageMessage::read(cdr)?;
        let encoding: Encoding = image.encoding.parse()?;
        let frame = Frame::new(
            image.width_px,
            image.height_px,
            image.step_bytes as usize,
            encoding.with_byte_order(image.is_bigendian),
            image.data,
        )?;
        let stamp = image.header.stamp();
        let observed = self.session.process(&frame, ImageStamp { stamp, arrival: since_start })?;
        let publishing = Instant::now();
        let size =
            |person: &Person| person.face.roi_in_image.width * person.face.roi_in_image.height;
        let largest = observed.people.iter().max_by(|a, b| size(a).total_cmp(&size(b)));
        if let Some(person) = largest {
            self.expression.publish(&expression_cdr(&image.header, person))?;
        }
        let times = FrameTimes {
            decode: Duration::ZERO,
            pipeline: observed.timings,
            publish: publishing.elapsed(),
            total: arrival.elapsed(),
        };
        Ok((times, stamp.unwrap_or_else(convert::time_of_day)))
    }
}

/// The ids of a hri_msgs/msg/IdsList.
fn read_ids(cdr: &[u8]) -> anyhow::Result<Vec<String>> {
    let reader = &mut CdrReader::new(cdr)?;
    reader.i32("stamp.sec")?;
    reader.u32("stamp.nanosec")?;
    reader.text("frame_id")?;
    let ids = reader.sequence("ids", |reader| reader.text("ids").map(str::to_owned));
    ids.context("not a hri_msgs/msg/IdsList")
}

/// A hri_msgs/msg/Expression in CDR under the header of the image.
fn expression_cdr(header: &Header<'_>, person: &Person) -> Vec<u8> {
    let mut writer = CdrWriter::default();
    writer.i32(header.stamp_secs).u32(header.stamp_nanosecs).text(header.frame_id);
    writer.text(word(person.emotion));
    writer.f32(person.affect.valence).f32(person.affect.arousal).f32(person.confidence());
    writer.finish()
}

/// The word of `hri_msgs/Expression` for an expression. The list of words there is closed, and has
/// none for contempt, which is published as `disgusted`: lists of six basic expressions count the
/// two as one, and both have the same valence and arousal here. The topic `emotions` keeps them
/// apart.
pub const fn word(emotion: Emotion) -> &'static str {
    match emotion {
        Emotion::Angry => "angry",
        Emotion::Disgust | Emotion::Contempt => "disgusted",
        Emotion::Fear => "scared",
        Emotion::Happy => "happy",
        Emotion::Neutral => "neutral",
        Emotion::Sad => "sad",
        Emotion::Surprise => "surprised",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_of_faces_is_read_as_it_was_written() {
        let mut writer = CdrWriter::default();
        writer.i32(5).u32(6).text("camera").length(2).text("abcde").text("fghij");
        assert_eq!(read_ids(&writer.finish()).unwrap(), ["abcde", "fghij"]);
        assert!(read_ids(&[0, 1, 0, 0, 9]).is_err());
    }

    /// The words of `hri_msgs/msg/Expression` in its version 2, for what we read in faces; it has
    /// others for what a robot shows.
    const WORDS: [&str; 7] =
        ["angry", "disgusted", "happy", "neutral", "sad", "scared", "surprised"];

    #[test]
    fn every_expression_has_a_word_of_the_message() {
        for emotion in Emotion::ALL {
            assert!(WORDS.contains(&word(emotion)), "{emotion:?}");
        }
        assert_eq!(word(Emotion::Contempt), "disgusted");
    }
}
