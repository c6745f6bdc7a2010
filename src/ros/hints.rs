//! What to say to people when images do not come, or come with gaps: what was found, why, and what to
//! do about it, in one line each.

use std::time::Duration;

use super::image_topic::{ImageTopic, Offer, Request, Transport};
use super::losses::Loss;
use super::middleware::{self, Profile};

/// What else there is on the graph.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Surroundings {
    /// The publishers of the camera's topic.
    pub offers: Vec<Offer>,
    /// Other topics that carry images, with the name that is remapped; only looked for where there
    /// is no publisher.
    pub others: Vec<(Transport, String)>,
}

/// Why no image comes.
pub fn explain_silence(
    topic: &ImageTopic,
    silent: Duration,
    request: &Request,
    around: &Surroundings,
) -> String {
    let ImageTopic { name, transport, .. } = topic;
    let offers = &around.offers;
    let start = format!("no image on {name} for {} s", silent.as_secs());
    if offers.is_empty() {
        return format!("{start}: it has no publisher; {}", instead(topic, &around.others));
    }
    let facts = format!("{start}: {}", show(offers));
    if let Some(other) = offers.iter().find(|offer| offer.type_name != transport.type_name()) {
        let hint = match Transport::of_type(&other.type_name) {
            Some(Transport::Compressed) => format!(
                "; remap `image` to the camera's raw topic, or set image_transport:=compressed and \
                 remap with -r image/compressed:={name}"
            ),
            Some(Transport::Raw) => {
                format!("; set image_transport:=raw and remap with -r image:={name}")
            }
            None => String::new(),
        };
        return format!(
            "{facts}, of type {}, expected {} (image_transport is {}){hint}",
            other.type_name,
            transport.type_name(),
            transport.name()
        );
    }
    if offers.iter().all(|offer| !request.is_met_by(offer)) {
        let policy = match offers.iter().all(|offer| request.is_as_reliable(offer)) {
            true => "durability",
            false => "reliability",
        };
        return format!(
            "{facts}, but {} is asked for; drop the parameter {}",
            request.show(),
            topic.qos_parameter(policy)
        );
    }
    if request.leaves_kept_images(offers) && Request::leaves_others(offers) {
        return format!(
            "{facts}; the images that were sent before this node came are kept by the TRANSIENT_LOCAL \
             ones, and asking for these would leave out the VOLATILE ones: give all publishers of \
             {name} the same durability"
        );
    }
    if request.leaves_kept_images(offers) {
        return format!(
            "{facts}; an image that was sent before this node came is kept for those who ask for \
             durability TRANSIENT_LOCAL, and VOLATILE is asked for: set the parameter {} to \
             transient_local",
            topic.qos_parameter("durability")
        );
    }
    format!(
        "{facts}, which fits; see whether it sends (ros2 topic hz {name}), and whether both sides \
         use config/fastdds.xml of this package: Fast DDS's default shared memory is too small for \
         images"
    )
}

/// Where images come instead.
fn instead(topic: &ImageTopic, others: &[(Transport, String)]) -> String {
    let names = |wanted: &dyn Fn(&(Transport, String)) -> bool| {
        let names: Vec<_> =
            others.iter().filter(|other| wanted(other)).map(|(_, name)| &**name).collect();
        names.join(", ")
    };
    let is_same = |transport: Transport| transport == topic.transport;
    if others.iter().any(|(transport, name)| !is_same(*transport) && name == topic.base()) {
        return match topic.transport {
            Transport::Raw => format!(
                "its images are published compressed, on {}/compressed: set \
                 image_transport:=compressed",
                topic.base()
            ),
            Transport::Compressed => format!(
                "its images are published raw, on {}: set image_transport:=raw",
                topic.base()
            ),
        };
    }
    let of_kind = names(&|(transport, _)| is_same(*transport));
    if !of_kind.is_empty() {
        return format!("images are published on {of_kind}: remap with -r image:=TOPIC");
    }
    match (others.is_empty(), topic.transport) {
        (true, _) => "no topic here carries images: start the camera driver".to_owned(),
        (_, Transport::Raw) => format!(
            "compressed images are published below {}: set image_transport:=compressed and remap \
             with -r image:=TOPIC",
            names(&|_| true)
        ),
        (_, Transport::Compressed) => format!(
            "raw images are published on {}: set image_transport:=raw and remap with -r \
             image:=TOPIC",
            names(&|_| true)
        ),
    }
}

fn show(offers: &[Offer]) -> String {
    let mut shown: Vec<_> = offers.iter().map(Offer::show).collect();
    shown.sort();
    shown.dedup();
    let count = match offers.len() {
        1 => "1 publisher, it offers".to_owned(),
        n => format!("{n} publishers, they offer"),
    };
    format!("{count} {}", shown.join(" and "))
}

/// What decides whether images pass.
#[derive(Debug, Clone)]
pub struct Passage {
    /// How this process receives.
    pub profile: Profile,
    /// Free shared memory, bytes.
    pub shared_memory_free: Option<u64>,
}

impl Passage {
    /// As it is now.
    pub fn now() -> Self {
        Self {
            profile: middleware::profile(),
            shared_memory_free: middleware::shared_memory_free(),
        }
    }
}

/// Why images are lost on their way, and what helps. `expected`: the rate is given by a parameter.
pub fn explain_loss(
    topic: &ImageTopic,
    loss: &Loss,
    expected: bool,
    offers: &[Offer],
    passage: &Passage,
) -> String {
    let ImageTopic { name, .. } = topic;
    let rate = 1.0 / loss.period.as_secs_f64().max(1e-9);
    let by = match expected {
        true => format!("expected_rate_hz is {rate:.1}"),
        false => format!("by their stamps the camera takes {rate:.1} a second"),
    };
    let lost = format!(
        "{:.0} % of the images on {name} are lost before they arrive here ({by}; {} came, {} did \
         not)",
        loss.share() * 100.0,
        loss.received,
        loss.lost
    );
    let file = middleware::profile_file();
    let file = file.display();
    let cause = match &passage.profile {
        Profile::OtherMiddleware => "see that the middleware's buffers and the system's \
                                     (net.core.rmem_max) hold a whole image"
            .to_owned(),
        Profile::Chosen(Some(chosen)) => format!(
            "this node has the Fast DDS profile {}; see that the camera driver has \
             FASTRTPS_DEFAULT_PROFILES_FILE={file} too",
            chosen.display()
        ),
        Profile::Chosen(None) | Profile::Receiver | Profile::Sender | Profile::Default => format!(
            "Fast DDS's default shared memory holds no whole image: set \
             FASTRTPS_DEFAULT_PROFILES_FILE={file} for the camera driver and for this node{}",
            match passage.profile {
                // Then this node takes them over UDP.
                Profile::Default =>
                    ", or give the system larger receive buffers (sysctl -w \
                     net.core.rmem_max=8388608) and start this node again",
                _ => "",
            }
        ),
    };
    let mut line = format!("{lost}; {cause}");
    if let Some(free) = passage.shared_memory_free.filter(|free| *free < 2 * middleware::SEGMENT) {
        line += &format!(
            "; /dev/shm has {} MiB free and each process needs {}: make it larger (docker run \
             --shm-size=1g)",
            free >> 20,
            middleware::SEGMENT >> 20
        );
    }
    if offers.iter().any(|offer| !offer.reliable) {
        line += "; or let the camera publish RELIABLE, so that what is lost is sent again";
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;
    use r2r::qos::{DurabilityPolicy, HistoryPolicy, ReliabilityPolicy};

    const SILENT: Duration = Duration::from_secs(5);

    fn topic(transport: Transport) -> ImageTopic {
        let (name, subscribed_as) = match transport {
            Transport::Raw => ("/camera/image_raw", "image"),
            Transport::Compressed => {
                ("/camera/image_raw/compressed", "/camera/image_raw/compressed")
            }
        };
        ImageTopic { name: name.to_owned(), subscribed_as: subscribed_as.to_owned(), transport }
    }

    fn request(
        reliability: Option<ReliabilityPolicy>,
        durability: Option<DurabilityPolicy>,
    ) -> Request {
        Request { reliability, durability, history: HistoryPolicy::KeepLast, depth: 5 }
    }

    fn offer(reliable: bool, transient_local: bool) -> Offer {
        Offer { type_name: "sensor_msgs/msg/Image".to_owned(), reliable, transient_local }
    }

    fn explain(request: &Request, offers: Vec<Offer>, others: &[(Transport, &str)]) -> String {
        let others = others.iter().map(|(kind, name)| (*kind, (*name).to_owned())).collect();
        explain_silence(&topic(Transport::Raw), SILENT, request, &Surroundings { offers, others })
    }

    #[test]
    fn silence_is_explained_by_what_is_on_the_graph() {
        let follow = request(None, None);
        assert_eq!(
            explain(&follow, vec![], &[]),
            "no image on /camera/image_raw for 5 s: it has no publisher; no topic here carries \
             images: start the camera driver"
        );
        assert!(
            explain(&follow, vec![], &[(Transport::Raw, "/a"), (Transport::Raw, "/b")])
                .ends_with("images are published on /a, /b: remap with -r image:=TOPIC")
        );
        let fits = explain(&follow, vec![offer(true, false)], &[]);
        assert!(fits.contains("1 publisher, it offers RELIABLE, VOLATILE, which fits"), "{fits}");
        let strict = request(Some(ReliabilityPolicy::Reliable), None);
        let misses = explain(&strict, vec![offer(false, false), offer(false, false)], &[]);
        assert!(
            misses.contains(
                "2 publishers, they offer BEST_EFFORT, VOLATILE, but RELIABLE, VOLATILE is asked \
                 for; drop the parameter \
                 qos_overrides./camera/image_raw.subscription.reliability"
            ),
            "{misses}"
        );
        let text = Offer { type_name: "std_msgs/msg/String".to_owned(), ..offer(true, false) };
        let other = explain(&follow, vec![text], &[]);
        assert!(
            other.contains("of type std_msgs/msg/String, expected sensor_msgs/msg/Image"),
            "{other}"
        );
    }

    #[test]
    fn images_that_come_another_way_are_named_with_the_parameter() {
        let follow = request(None, None);
        let compressed = (Transport::Compressed, "/camera/image_raw");
        assert!(explain(&follow, vec![], &[compressed, (Transport::Raw, "/b")]).ends_with(
            "published compressed, on /camera/image_raw/compressed: set \
                 image_transport:=compressed"
        ));
        let elsewhere = explain(&follow, vec![], &[(Transport::Compressed, "/b")]);
        assert!(
            elsewhere.ends_with(
                "compressed images are published below /b: set image_transport:=compressed and \
                 remap with -r image:=TOPIC"
            ),
            "{elsewhere}"
        );
        let raw = Surroundings {
            offers: vec![],
            others: vec![(Transport::Raw, "/camera/image_raw".to_owned())],
        };
        let other = explain_silence(&topic(Transport::Compressed), SILENT, &follow, &raw);
        assert!(other.ends_with("raw, on /camera/image_raw: set image_transport:=raw"), "{other}");
    }

    #[test]
    fn a_kept_image_that_is_not_asked_for_is_a_matter_of_durability() {
        let volatile = request(None, Some(DurabilityPolicy::Volatile));
        let line = explain(&volatile, vec![offer(true, true)], &[]);
        assert!(
            line.ends_with(
                "set the parameter qos_overrides./camera/image_raw.subscription.durability to \
                 transient_local"
            ),
            "{line}"
        );
        let follow = request(None, None);
        assert!(explain(&follow, vec![offer(true, true)], &[]).contains("which fits"));
        let both = explain(&follow, vec![offer(true, true), offer(false, false)], &[]);
        assert!(
            both.ends_with("give all publishers of /camera/image_raw the same durability"),
            "{both}"
        );
    }

    #[test]
    fn lost_images_are_told_with_cause_and_cure() {
        let loss = Loss { received: 16, lost: 84, period: Duration::from_micros(33_333) };
        let explain = |profile, free: u64, reliable| {
            let passage = Passage { profile, shared_memory_free: Some(free << 20) };
            let offers = [offer(reliable, false)];
            explain_loss(&topic(Transport::Raw), &loss, false, &offers, &passage)
        };
        let line = explain(Profile::Default, 1000, false);
        for words in [
            "84 % of the images on /camera/image_raw are lost",
            "the camera takes 30.0 a second; 16 came, 84 did not",
            "FASTRTPS_DEFAULT_PROFILES_FILE=",
            "config/fastdds.xml for the camera driver and for this node",
            "let the camera publish RELIABLE",
        ] {
            assert!(line.contains(words), "{line}");
        }
        assert!(!line.contains("/dev/shm"));
        let line = explain(Profile::Chosen(Some("/x.xml".into())), 60, true);
        for words in ["profile /x.xml; see that the camera driver has", "/dev/shm has 60 MiB"] {
            assert!(line.contains(words), "{line}");
        }
        assert!(!line.contains("RELIABLE"), "{line}");
    }
}
