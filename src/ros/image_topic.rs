//! The camera's topic: its name and its QoS.

use std::ffi::OsString;

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

    /// The transport whose messages have this type.
    pub fn of_type(name: &str) -> Option<Self> {
        [Self::Raw, Self::Compressed].into_iter().find(|transport| transport.type_name() == name)
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

    pub fn show(&self) -> String {
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
    pub reliability: Option<ReliabilityPolicy>,
    /// The same.
    pub durability: Option<DurabilityPolicy>,
    /// Whether the middleware keeps the last images or all.
    pub history: HistoryPolicy,
    /// How many it keeps.
    pub depth: usize,
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

    /// The name before image_transport's suffix, which is what is remapped.
    pub fn base(&self) -> &str {
        match self.transport {
            Transport::Raw => &self.name,
            Transport::Compressed => self.name.strip_suffix("/compressed").unwrap_or(&self.name),
        }
    }

    /// The parameter that overrides a policy of the subscription.
    pub fn qos_parameter(&self, policy: &str) -> String {
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
                &["best_available", "volatile", "transient_local", "system_default"],
                "Whether images sent before the node came are wanted; best_available: where every \
                 publisher keeps them",
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
                "transient_local" => Some(DurabilityPolicy::TransientLocal),
                "volatile" => Some(DurabilityPolicy::Volatile),
                "system_default" => Some(DurabilityPolicy::SystemDefault),
                _ => None,
            },
            history: match policy("history") {
                "keep_all" => HistoryPolicy::KeepAll,
                "system_default" => HistoryPolicy::SystemDefault,
                _ => HistoryPolicy::KeepLast,
            },
            depth: parameters.number(&self.qos_parameter("depth")) as usize,
        }
    }
}

impl Request {
    /// Follows the publishers, and keeps so many images.
    pub fn following(depth: usize) -> Self {
        Self {
            reliability: None,
            durability: Some(DurabilityPolicy::Volatile),
            history: HistoryPolicy::KeepLast,
            depth,
        }
    }

    /// The QoS to subscribe with: reliable only if every publisher is, so that none is left out, and
    /// with the images of before only if every publisher keeps them.
    /// `present` is what is subscribed with where there is no publisher to follow.
    pub fn qos(&self, offers: &[Offer], present: Option<&QosProfile>) -> QosProfile {
        let reliability = self.reliability.clone().unwrap_or_else(|| match (offers, present) {
            ([], Some(present)) => present.reliability.clone(),
            ([], None) => ReliabilityPolicy::BestEffort,
            _ if offers.iter().all(|offer| offer.reliable) => ReliabilityPolicy::Reliable,
            _ => ReliabilityPolicy::BestEffort,
        });
        let durability = self.durability.clone().unwrap_or_else(|| match (offers, present) {
            ([], Some(present)) => present.durability.clone(),
            ([], None) => DurabilityPolicy::Volatile,
            _ if offers.iter().all(|offer| offer.transient_local) => {
                DurabilityPolicy::TransientLocal
            }
            _ => DurabilityPolicy::Volatile,
        });
        let mut qos = QosProfile::sensor_data();
        qos.reliability = reliability;
        qos.durability = durability;
        qos.history = self.history.clone();
        qos.depth = self.depth;
        qos
    }

    /// Whether a subscription with this request gets what such a publisher sends.
    pub fn is_met_by(&self, offer: &Offer) -> bool {
        let kept = self.durability == Some(DurabilityPolicy::TransientLocal);
        self.is_as_reliable(offer) && (offer.transient_local || !kept)
    }

    /// The same, by the reliability alone.
    pub fn is_as_reliable(&self, offer: &Offer) -> bool {
        offer.reliable || self.reliability != Some(ReliabilityPolicy::Reliable)
    }

    /// Whether images that a publisher keeps for those who come late are not asked for.
    pub fn leaves_kept_images(&self, offers: &[Offer]) -> bool {
        let asked = self.qos(offers, None).durability == DurabilityPolicy::TransientLocal;
        !asked && offers.iter().any(|offer| offer.transient_local)
    }

    /// Whether asking for what some publishers keep would leave out what others only send.
    pub fn leaves_others(offers: &[Offer]) -> bool {
        offers.iter().any(|offer| !offer.transient_local)
    }

    /// For people.
    pub fn show(&self) -> String {
        let reliability = match self.reliability {
            Some(ReliabilityPolicy::Reliable) => "RELIABLE",
            _ => "BEST_EFFORT",
        };
        let durability = match self.durability {
            Some(DurabilityPolicy::TransientLocal) => "TRANSIENT_LOCAL",
            _ => "VOLATILE",
        };
        format!("{reliability}, {durability}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(reliability: Option<ReliabilityPolicy>) -> Request {
        Request { reliability, durability: None, history: HistoryPolicy::KeepLast, depth: 5 }
    }

    fn offer(reliable: bool) -> Offer {
        Offer { type_name: "sensor_msgs/msg/Image".to_owned(), reliable, transient_local: false }
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

    #[test]
    fn images_of_before_are_asked_for_only_where_every_publisher_keeps_them() {
        let follow = request(None);
        let durability = |offers: &[Offer]| follow.qos(offers, None).durability;
        let latched = Offer { transient_local: true, ..offer(true) };
        assert_eq!(durability(&[]), DurabilityPolicy::Volatile);
        assert_eq!(durability(std::slice::from_ref(&latched)), DurabilityPolicy::TransientLocal);
        assert_eq!(durability(&[latched.clone(), offer(true)]), DurabilityPolicy::Volatile);
        let present = follow.qos(std::slice::from_ref(&latched), None);
        assert_eq!(follow.qos(&[], Some(&present)), present);
        let fixed = Request { durability: Some(DurabilityPolicy::Volatile), ..request(None) };
        assert_eq!(fixed.qos(&[latched], None).durability, DurabilityPolicy::Volatile);
    }
}
