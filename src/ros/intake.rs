//! Takes images from the camera's topic while the node is at work: subscribes with a QoS that fits
//! the publishers, keeps the newest image, and says why none comes, or why some are missing.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use futures::{Stream, StreamExt};
use r2r::sensor_msgs::msg::{CompressedImage, Image};
use r2r::{Node, QosProfile};
use tokio::sync::watch;
use tokio::time::{MissedTickBehavior, interval};

use super::convert;
use super::handle::NodeHandle;
use super::hints::{Passage, Surroundings, explain_loss, explain_silence};
use super::image_topic::{ImageTopic, Offer, Request, Transport};
use super::lock::lock;
use super::losses::Losses;
use super::parameters::Parameters;
use super::raw::{Native, NativeStream};
use super::slot::Slot;
use super::stats::Stats;
use super::switch::Switch;

/// How often the publishers are looked at.
const LOOK: Duration = Duration::from_secs(1);

/// After how long without an image that is said.
const SILENCE: Duration = Duration::from_secs(5);

/// The same silence is said again after this long; of lost images nothing is said for so long after
/// they were last said to be lost.
const REPEAT: Duration = Duration::from_secs(60);

/// From which share of lost images on that is said.
const MANY_LOST: f64 = 0.05;

/// An image as it came.
pub enum Picture {
    /// Uncompressed, where the middleware put it.
    Raw(Native<Image>),
    /// JPEG, PNG and others.
    Compressed(CompressedImage),
}

impl Picture {
    /// When it was taken, as it says itself.
    fn stamp(&self) -> Option<Duration> {
        match self {
            Self::Raw(image) => convert::stamp(&image.stamp()),
            Self::Compressed(image) => convert::stamp(&image.header.stamp),
        }
    }
}

/// An image and when it came.
pub struct Received {
    /// The image.
    pub picture: Picture,
    /// When it came.
    pub at: Instant,
}

/// What the intake has noticed, for the diagnostics.
#[derive(Debug, Clone, Default)]
pub struct IntakeStatus {
    /// When the last image came, or when the waiting began.
    pub waiting_since: Option<Instant>,
    /// What was said about the present silence.
    pub silence: Option<String>,
    /// Images that were lost on their way here since the start, by their stamps.
    pub lost: u64,
    /// What is said about images that are being lost, and their share, 0 to 1.
    pub loss: Option<(String, f64)>,
}

/// The task that takes images.
pub struct Intake {
    /// The node.
    pub node: NodeHandle,
    /// What to subscribe.
    pub topic: ImageTopic,
    /// With which QoS.
    pub request: Request,
    /// Whether to.
    pub switch: watch::Receiver<Switch>,
    /// Where images go.
    pub slot: Arc<Slot<Received>>,
    /// Where they are counted.
    pub stats: Arc<Mutex<Stats>>,
    /// What was noticed.
    pub status: Arc<Mutex<IntakeStatus>>,
    /// With `expected_rate_hz`.
    pub parameters: Parameters,
    /// What is missing between the images.
    pub losses: Losses,
}

/// Returns once the switch is on or off as wanted; false if the node ends before.
async fn wait_for(switch: &mut watch::Receiver<Switch>, on: bool) -> bool {
    switch.wait_for(|switch| switch.is_on() == on).await.is_ok()
}

type Pictures = Box<dyn Stream<Item = Picture> + Send + Unpin>;

/// Why the present subscription ends.
enum End {
    /// Images are no longer wanted.
    Off,
    /// The publishers offer something else now.
    OtherQos,
    /// The node ends.
    Over,
}

impl Intake {
    /// Takes images whenever the switch is on, until the node ends.
    pub async fn run(mut self) {
        let mut said = Said::default();
        let mut present: Option<QosProfile> = None;
        while wait_for(&mut self.switch, true).await {
            self.begin();
            match self.take(&mut present, &mut said).await {
                Ok(End::OtherQos) => {}
                Ok(End::Off) => present = None,
                Ok(End::Over) => return,
                Err(error) => {
                    tracing::error!("{} not subscribed: {error:#}", self.topic.name);
                    tokio::time::sleep(SILENCE).await;
                }
            }
        }
    }

    /// Takes images over one subscription.
    async fn take(
        &mut self,
        present: &mut Option<QosProfile>,
        said: &mut Said,
    ) -> anyhow::Result<End> {
        let (qos, mut pictures) = self.subscribe(present.as_ref()).await?;
        *present = Some(qos.clone());
        let mut look = interval(LOOK);
        look.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut switch = self.switch.clone();
        loop {
            tokio::select! {
                picture = pictures.next() => match picture {
                    Some(picture) => self.receive(picture, said),
                    None => return Ok(End::Over),
                },
                _ = look.tick() => {
                    let around = self.look_around().await?;
                    if self.request.qos(&around.offers, Some(&qos)) != qos {
                        return Ok(End::OtherQos);
                    }
                    self.say_silence(&around, said);
                    self.say_loss(&around.offers, said);
                }
                off = wait_for(&mut switch, false) => {
                    if !off {
                        return Ok(End::Over);
                    }
                    self.rest(said);
                    // r2r lets a subscription go when its next image comes. Until one does this one
                    // is kept, so that a silent camera is not subscribed anew each time.
                    tokio::select! {
                        picture = pictures.next() => {
                            return Ok(if picture.is_some() { End::Off } else { End::Over });
                        }
                        on = wait_for(&mut switch, true) => if !on {
                            return Ok(End::Over);
                        },
                    }
                    self.begin();
                }
            }
        }
    }

    fn begin(&self) {
        self.note(|status| {
            status.waiting_since.get_or_insert_with(Instant::now);
        });
    }

    fn rest(&mut self, said: &mut Said) {
        self.slot.take();
        *said = Said::default();
        self.losses.forget();
        self.note(|status| *status = IntakeStatus { lost: status.lost, ..Default::default() });
    }

    async fn subscribe(
        &self,
        present: Option<&QosProfile>,
    ) -> anyhow::Result<(QosProfile, Pictures)> {
        let (topic, request, present) =
            (self.topic.clone(), self.request.clone(), present.cloned());
        let subscribe = move |node: &mut Node| -> anyhow::Result<_> {
            let qos = request.qos(&Offer::of(node, &topic.name)?, present.as_ref());
            let pictures: Pictures = match topic.transport {
                Transport::Raw => Box::new(
                    NativeStream::<Image>::subscribe(node, &topic.subscribed_as, qos.clone())?
                        .map(Picture::Raw),
                ),
                Transport::Compressed => Box::new(
                    node.subscribe::<CompressedImage>(&topic.subscribed_as, qos.clone())?
                        .map(Picture::Compressed),
                ),
            };
            Ok((qos, pictures))
        };
        self.node.with(subscribe).await?
    }

    fn receive(&mut self, picture: Picture, said: &mut Said) {
        let at = Instant::now();
        if let Some(stamp) = picture.stamp() {
            self.losses.image(stamp);
        }
        let dropped = self.slot.put(Received { picture, at }).is_some();
        {
            let mut stats = lock(&self.stats);
            stats.counts.received += 1;
            stats.counts.dropped += u64::from(dropped);
        }
        if said.last.take().is_some() {
            tracing::info!("images come on {}", self.topic.name);
        }
        self.note(|status| {
            status.waiting_since = Some(at);
            status.silence = None;
        });
    }

    /// The publishers of the topic, and other topics that carry images this node could take.
    async fn look_around(&self) -> anyhow::Result<Surroundings> {
        let name = self.topic.name.clone();
        let look = move |node: &mut Node| -> r2r::Result<_> {
            let offers = Offer::of(node, &name)?;
            if !offers.is_empty() {
                return Ok(Surroundings { offers, others: Vec::new() });
            }
            let mut others: Vec<(Transport, String)> = node
                .get_topic_names_and_types()?
                .into_iter()
                .filter_map(|(topic, types)| {
                    let transport = types.iter().find_map(|kind| Transport::of_type(kind))?;
                    Some((transport, topic))
                })
                // A subscriber alone makes a topic known; our own annotated image is no camera.
                .filter(|(_, topic)| !topic.ends_with("/annotated_image"))
                .filter(|(_, topic)| Offer::of(node, topic).is_ok_and(|offers| !offers.is_empty()))
                .filter_map(|(transport, topic)| match transport {
                    Transport::Raw => Some((transport, topic)),
                    // The name before image_transport's suffix is what is remapped.
                    Transport::Compressed => {
                        let base = topic.strip_suffix("/compressed")?;
                        Some((transport, base.to_owned()))
                    }
                })
                .collect();
            others.sort_by(|(_, one), (_, other)| one.cmp(other));
            Ok(Surroundings { offers, others })
        };
        Ok(self.node.with(look).await??)
    }

    fn say_silence(&self, around: &Surroundings, said: &mut Said) {
        let since = lock(&self.status).waiting_since;
        let silent = since.map_or(Duration::ZERO, |since| since.elapsed());
        if silent < SILENCE {
            return;
        }
        let line = explain_silence(&self.topic, silent, &self.request, around);
        self.note(|status| status.silence = Some(line.clone()));
        let again = said
            .last
            .as_ref()
            .is_none_or(|(before, at)| before != around || at.elapsed() >= REPEAT);
        if again {
            tracing::warn!("{line}");
            said.last = Some((around.clone(), Instant::now()));
        }
    }

    /// Says that images are lost on their way: once in the log for as long as that goes on, and in
    /// the status all the time.
    fn say_loss(&mut self, offers: &[Offer], said: &mut Said) {
        let rate_hz = self.parameters.values().number("expected_rate_hz");
        self.losses.expect(rate_hz);
        if offers.len() > 1 {
            // The stamps of two cameras have no common period.
            self.losses.forget();
        }
        let lately = self.losses.lately().filter(|loss| loss.share() > MANY_LOST);
        let loss = lately.map(|loss| {
            let passage = Passage::now();
            let line = explain_loss(&self.topic, &loss, rate_hz > 0.0, offers, &passage);
            (line, loss.share())
        });
        if let Some((line, _)) = &loss {
            if said.lost.is_none_or(|at| at.elapsed() >= REPEAT) {
                tracing::warn!("{line}");
            }
            said.lost = Some(Instant::now());
        }
        let lost = self.losses.lost();
        self.note(|status| {
            status.lost = lost;
            status.loss = loss;
        });
    }

    fn note(&self, change: impl FnOnce(&mut IntakeStatus)) {
        change(&mut lock(&self.status));
    }
}

/// What was logged and when, so that it is logged once.
#[derive(Default)]
struct Said {
    /// About the present silence.
    last: Option<(Surroundings, Instant)>,
    /// When images were last found to be lost, which has been said.
    lost: Option<Instant>,
}
