//! Takes images from the camera's topic while the node is at work: subscribes with a QoS that fits
//! the publishers, keeps the newest image, and says why none comes.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use futures::{Stream, StreamExt};
use r2r::sensor_msgs::msg::{CompressedImage, Image};
use r2r::{Node, QosProfile};
use tokio::sync::watch;
use tokio::time::{MissedTickBehavior, interval};

use super::handle::NodeHandle;
use super::image_topic::{ImageTopic, Offer, Request, Transport};
use super::lock::lock;
use super::raw::{Native, NativeStream};
use super::slot::Slot;
use super::stats::Stats;
use super::switch::Switch;

/// How often the publishers are looked at.
const LOOK: Duration = Duration::from_secs(1);

/// After how long without an image that is said.
const SILENCE: Duration = Duration::from_secs(5);

/// The same silence is said again after this long.
const REPEAT: Duration = Duration::from_secs(60);

/// An image as it came.
pub enum Picture {
    /// Uncompressed, where the middleware put it.
    Raw(Native<Image>),
    /// JPEG, PNG and others.
    Compressed(CompressedImage),
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
                    let (offers, others) = self.look_around().await?;
                    if self.request.qos(&offers, Some(&qos)) != qos {
                        return Ok(End::OtherQos);
                    }
                    self.say_silence(&offers, &others, said);
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

    fn rest(&self, said: &mut Said) {
        self.slot.take();
        *said = Said::default();
        self.note(|status| *status = IntakeStatus::default());
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

    fn receive(&self, picture: Picture, said: &mut Said) {
        let at = Instant::now();
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
    async fn look_around(&self) -> anyhow::Result<Facts> {
        let (name, transport) = (self.topic.name.clone(), self.topic.transport);
        let look = move |node: &mut Node| -> r2r::Result<_> {
            let offers = Offer::of(node, &name)?;
            if !offers.is_empty() {
                return Ok((offers, Vec::new()));
            }
            let mut others: Vec<String> = node
                .get_topic_names_and_types()?
                .into_iter()
                .filter(|(_, types)| types.iter().any(|kind| kind == transport.type_name()))
                .map(|(topic, _)| topic)
                // A subscriber alone makes a topic known; our own annotated image is no camera.
                .filter(|topic| !topic.ends_with("/annotated_image"))
                .filter(|topic| Offer::of(node, topic).is_ok_and(|offers| !offers.is_empty()))
                .collect();
            others.sort();
            if transport == Transport::Compressed {
                // The name before image_transport's suffix is what is remapped.
                let base = |topic: &String| topic.strip_suffix("/compressed").map(str::to_owned);
                others = others.iter().filter_map(base).collect();
            }
            Ok((offers, others))
        };
        Ok(self.node.with(look).await??)
    }

    fn say_silence(&self, offers: &[Offer], others: &[String], said: &mut Said) {
        let since = lock(&self.status).waiting_since;
        let silent = since.map_or(Duration::ZERO, |since| since.elapsed());
        if silent < SILENCE {
            return;
        }
        let line = self.topic.explain_silence(silent, &self.request, offers, others);
        let facts = (offers.to_vec(), others.to_vec());
        self.note(|status| status.silence = Some(line.clone()));
        let again = said
            .last
            .as_ref()
            .is_none_or(|(before, at)| *before != facts || at.elapsed() >= REPEAT);
        if again {
            tracing::warn!("{line}");
            said.last = Some((facts, Instant::now()));
        }
    }

    fn note(&self, change: impl FnOnce(&mut IntakeStatus)) {
        change(&mut lock(&self.status));
    }
}

/// Publishers of the topic, and topics that carry images.
type Facts = (Vec<Offer>, Vec<String>);

/// What was logged about the present silence and when, so that it is logged once.
#[derive(Default)]
struct Said {
    last: Option<(Facts, Instant)>,
}
