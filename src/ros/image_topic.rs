//! The camera's topic: its name, its QoS, and what to say when nothing comes from it.

use std::ffi::OsString;
use std::time::Duration;

use r2r::qos::{DurabilityPolicy, HistoryPolicy, ReliabilityPolicy};
use r2r::{Node, QosProfile};

use super::parameters::{Change, Kind, Spec, Values, parameter};
use super::raw::resolve_topic;

/// How images come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Transport {
    /// `sensor_msgs/msg/Image`.
    Raw,
    /// `sensor_msgs/msg/CompressedImage`, as image_transport's plugin of this name sends them.
    Compressed,
}

impl Transport {
    /// The values of the parameter `image_transport`.
    pub const NAMES: [&'static str; 2] = ["raw", "compressed"];

    /// The transport of this name; raw for any other.
    pub fn named(name: &str) -> Self {
        if name == "compressed" { Self::Compressed } else { Self::Raw }
    }

    /// Its name among [`Self::NAMES`].
    pub const fn name(self) -> &'static str {
        match self {
            Self::Raw => "raw",
            Self::Compressed => "compressed",
        }
    }

    /// The type of its messages.
    pub const fn type_name(self) -> &'static str {
        match self {
            Self::Raw => "sensor_msgs/msg/Image",
            Self::Compressed => "sensor_msgs/msg/CompressedImage",
        }
    }
}

/// A topic to subscribe.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImageTopic {
    /// Full name on the graph, remapped.
    pub name: String,
    /// The name to subscribe it by, which ROS has yet to remap. A rule applies once: what a rule
    /// leads to may stand on the left of another one.
    pub subscribed_as: String,
    /// What comes over it.
    pub transport: Transport,
}

/// What a publisher of the topic offers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Offer {
    /// Type of its messages.
    pub type_name: String,
    /// Whether it sends again what was lost.
    pub reliable: bool,
    /// Whether it keeps messages for those who come late.
    pub transient_local: bool,
}

impl Offer {
    /// The publishers of a topic.
    ///
    /// # Errors
    /// If the graph cannot be asked.
    pub fn of(node: &Node, topic: &str) -> r2r::Result<Vec<Self>> {
        let publishers = node.get_publishers_info_by_topic(topic, false)?.into_iter();
        let offers = publishers.map(|info| Self {
            type_name: info.topic_type,
            reliable: info.qos_profile.reliability == ReliabilityPolicy::Reliable,
            transient_local: info.qos_profile.durability == DurabilityPolicy::TransientLocal,
        });
        Ok(offers.collect())
    }

    fn show(&self) -> String {
        format!(
            "{}, {}",
            if self.reliable { "RELIABLE" } else { "BEST_EFFORT" },
            if self.transient_local { "TRANSIENT_LOCAL" } else { "VOLATILE" }
        )
    }
}

/// The QoS that we ask for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// Asked by a parameter; nothing where it follows the publishers.
    reliability: Option<ReliabilityPolicy>,
    durability: DurabilityPolicy,
    history: HistoryPolicy,
    depth: usize,
}

impl ImageTopic {
    /// The topic that the node calls `image`; image_transport puts the name of the transport
    /// behind it.
    ///
    /// # Errors
    /// If the remapping of the process is wrong.
    pub fn find(
        node: &Node,
        transport: Transport,
        ros_arguments: &[OsString],
    ) -> anyhow::Result<Self> {
        let resolve = |name: &str| -> anyhow::Result<String> {
            Ok(resolve_topic(name, &node.name()?, &node.namespace()?, ros_arguments)?)
        };
        let subscribed_as = match transport {
            Transport::Raw => "image".to_owned(),
            // As in image_transport, where a rule for the name with the suffix counts as well.
            Transport::Compressed => format!("{}/compressed", resolve("image")?),
        };
        Ok(Self { name: resolve(&subscribed_as)?, subscribed_as, transport })
    }

    fn qos_parameter(&self, policy: &str) -> String {
        format!("qos_overrides.{}.subscription.{policy}", self.name)
    }

    /// The parameters by which an integrator overrides the QoS, named as rclcpp names them.
    pub fn qos_parameters(&self) -> [Spec; 4] {
        let choice = |policy, choices, description| {
            parameter(self.qos_parameter(policy), Kind::Choice(choices), Change::Never, description)
        };
        [
            choice(
                "reliability",
                &["best_available", "reliable", "best_effort", "system_default"],
                "Whether lost images are sent again; best_available: as the publishers offer it",
            ),
            choice(
                "durability",
                &["volatile", "transient_local", "system_default"],
                "Whether images sent before the node came are wanted",
            ),
            choice(
                "history",
                &["keep_last", "keep_all", "system_default"],
                "Whether the middleware keeps the last images or all",
            ),
            parameter(
                self.qos_parameter("depth"),
                Kind::Integer(5, 1..=1000),
                Change::Never,
                "How many images the middleware keeps",
            ),
        ]
    }

    /// The QoS that the parameters ask for.
    pub fn request(&self, parameters: &Values) -> Request {
        let policy = |policy| parameters.text(&self.qos_parameter(policy));
        Request {
            reliability: match policy("reliability") {
                "reliable" => Some(ReliabilityPolicy::Reliable),
                "best_effort" => Some(ReliabilityPolicy::BestEffort),
                "system_default" => Some(ReliabilityPolicy::SystemDefault),
                _ => None,
            },
            durability: match policy("durability") {
                "transient_local" => DurabilityPolicy::TransientLocal,
                "system_default" => DurabilityPolicy::SystemDefault,
                _ => DurabilityPolicy::Volatile,
            },
            history: match policy("history") {
                "keep_all" => HistoryPolicy::KeepAll,
                "system_default" => HistoryPolicy::SystemDefault,
                _ => HistoryPolicy::KeepLast,
            },
            depth: parameters.number(&self.qos_parameter("depth")) as usize,
        }
    }

    /// Why nothing comes, and what to do about it: one line. `others` are topics that do carry
    /// images.
    pub fn explain_silence(
        &self,
        silent: Duration,
        request: &Request,
        offers: &[Offer],
        others: &[String],
    ) -> String {
        let Self { name, transport, .. } = self;
        let start = format!("no image on {name} for {} s", silent.as_secs());
        if offers.is_empty() {
            let instead = match others {
                [] => "no topic here carries images: start the camera driver".to_owned(),
                _ => format!(
                    "images are published on {}: remap with -r image:=TOPIC",
                    others.join(", ")
                ),
            };
            return format!("{start}: it has no publisher; {instead}");
        }
        let mut shown: Vec<_> = offers.iter().map(Offer::show).collect();
        shown.sort();
        shown.dedup();
        let count = match offers.len() {
            1 => "1 publisher, it offers".to_owned(),
            n => format!("{n} publishers, they offer"),
        };
        let facts = format!("{start}: {count} {}", shown.join(" and "));
        if let Some(other) = offers.iter().find(|offer| offer.type_name != transport.type_name()) {
            let hint = match other.type_name.as_str() {
                "sensor_msgs/msg/CompressedImage" => "; remap `image` to the camera's raw topic",
                _ => "",
            };
            return format!(
                "{facts}, of type {}, expected {} (image_transport is {}){hint}",
                other.type_name,
                transport.type_name(),
                transport.name()
            );
        }
        if offers.iter().all(|offer| !request.is_met_by(offer)) {
            return format!(
                "{facts}, but {} is asked for; drop the parameter {}",
                request.show(),
                self.qos_parameter(if offers.iter().all(|offer| request.is_as_reliable(offer)) {
                    "durability"
                } else {
                    "reliability"
                })
            );
        }
        format!(
            "{facts}, which fits; see whether it sends (ros2 topic hz {name}), and whether both \
             sides use config/fastdds.xml of this package: Fast DDS's default shared memory is too \
             small for images"
        )
    }
}

impl Request {
    /// Follows the publishers, and keeps so many images.
    pub fn following(depth: usize) -> Self {
        Self {
            reliability: None,
            durability: DurabilityPolicy::Volatile,
            history: HistoryPolicy::KeepLast,
            depth,
        }
    }

    /// The QoS to subscribe with: reliable only if every publisher is, so that none is left out.
    /// `present` is what is subscribed with where there is no publisher to follow.
    pub fn qos(&self, offers: &[Offer], present: Option<&QosProfile>) -> QosProfile {
        let reliability = self.reliability.clone().unwrap_or_else(|| match (offers, present) {
            ([], Some(present)) => present.reliability.clone(),
            ([], None) => ReliabilityPolicy::BestEffort,
            _ if offers.iter().all(|offer| offer.reliable) => ReliabilityPolicy::Reliable,
            _ => ReliabilityPolicy::BestEffort,
        });
        let mut qos = QosProfile::sensor_data();
        qos.reliability = reliability;
        qos.durability = self.durability.clone();
        qos.history = self.history.clone();
        qos.depth = self.depth;
        qos
    }

    fn is_met_by(&self, offer: &Offer) -> bool {
        let kept = self.durability == DurabilityPolicy::TransientLocal;
        self.is_as_reliable(offer) && (offer.transient_local || !kept)
    }

    fn is_as_reliable(&self, offer: &Offer) -> bool {
        offer.reliable || self.reliability != Some(ReliabilityPolicy::Reliable)
    }

    fn show(&self) -> String {
        let reliability = match self.reliability {
            Some(ReliabilityPolicy::Reliable) => "RELIABLE",
            _ => "BEST_EFFORT",
        };
        let durability = match self.durability {
            DurabilityPolicy::TransientLocal => "TRANSIENT_LOCAL",
            _ => "VOLATILE",
        };
        format!("{reliability}, {durability}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SILENT: Duration = Duration::from_secs(5);

    fn topic() -> ImageTopic {
        ImageTopic {
            name: "/camera/image_raw".to_owned(),
            subscribed_as: "image".to_owned(),
            transport: Transport::Raw,
        }
    }

    fn request(reliability: Option<ReliabilityPolicy>) -> Request {
        Request {
            reliability,
            durability: DurabilityPolicy::Volatile,
            history: HistoryPolicy::KeepLast,
            depth: 5,
        }
    }

    fn offer(reliable: bool) -> Offer {
        Offer { type_name: "sensor_msgs/msg/Image".to_owned(), reliable, transient_local: false }
    }

    #[test]
    fn silence_is_explained_by_what_is_on_the_graph() {
        let follow = request(None);
        let explain = |request: &Request, offers: &[Offer], others: &[String]| {
            topic().explain_silence(SILENT, request, offers, others)
        };
        assert_eq!(
            explain(&follow, &[], &[]),
            "no image on /camera/image_raw for 5 s: it has no publisher; no topic here carries \
             images: start the camera driver"
        );
        assert!(
            explain(&follow, &[], &["/a".into(), "/b".into()])
                .ends_with("images are published on /a, /b: remap with -r image:=TOPIC")
        );
        let fits = explain(&follow, &[offer(true)], &[]);
        assert!(fits.contains("1 publisher, it offers RELIABLE, VOLATILE, which fits"), "{fits}");
        let strict = request(Some(ReliabilityPolicy::Reliable));
        let misses = explain(&strict, &[offer(false), offer(false)], &[]);
        assert!(
            misses.contains(
                "2 publishers, they offer BEST_EFFORT, VOLATILE, but RELIABLE, VOLATILE is asked \
                 for; drop the parameter \
                 qos_overrides./camera/image_raw.subscription.reliability"
            ),
            "{misses}"
        );
        let text = Offer { type_name: "std_msgs/msg/String".to_owned(), ..offer(true) };
        let other = explain(&follow, &[text], &[]);
        assert!(
            other.contains("of type std_msgs/msg/String, expected sensor_msgs/msg/Image"),
            "{other}"
        );
    }

    #[test]
    fn reliable_is_asked_for_only_where_every_publisher_offers_it() {
        let follow = request(None);
        let reliability = |offers: &[Offer]| follow.qos(offers, None).reliability;
        assert_eq!(reliability(&[]), ReliabilityPolicy::BestEffort);
        assert_eq!(reliability(&[offer(true)]), ReliabilityPolicy::Reliable);
        assert_eq!(reliability(&[offer(true), offer(false)]), ReliabilityPolicy::BestEffort);
        // A camera that has gone leaves the subscription as it is.
        let present = follow.qos(&[offer(true)], None);
        assert_eq!(follow.qos(&[], Some(&present)), present);
        let fixed = request(Some(ReliabilityPolicy::BestEffort));
        assert_eq!(fixed.qos(&[offer(true)], None).reliability, ReliabilityPolicy::BestEffort);
    }
}
