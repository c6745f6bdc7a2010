//! Attention on REP-155's topics: `/humans/persons/<id>/engagement_status`. The id of a person is that
//! of the face: perception_node recognises nobody.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use anyhow::anyhow;
use r2r::std_msgs::msg::Header;
use r2r::{Node, PublisherUntyped, QosProfile};

use crate::ros::handle::NodeHandle;
use crate::ros::lock::lock;
use rapport_perception::Person;
use rapport_perception::track::FaceId;
use rapport_recording::message::CdrWriter;
use rapport_vocabulary::Engagement;

const KIND: &str = "hri_msgs/msg/EngagementLevel";

/// The topics of the people in view. A slot is empty while its topic is being made.
#[derive(Default)]
struct Topics {
    people: HashMap<FaceId, Option<PublisherUntyped>>,
    problem: Option<r2r::Error>,
}

/// The topics, shared with the node's thread, which makes and ends them.
pub struct EngagementTopics {
    node: NodeHandle,
    topics: Arc<Mutex<Topics>>,
}

fn advertise(node: &mut Node, person: &str) -> r2r::Result<PublisherUntyped> {
    let topic = format!("/humans/persons/{person}/engagement_status");
    node.create_publisher_untyped(&topic, KIND, QosProfile::default())
}

impl EngagementTopics {
    /// Makes sure that topics of this type can be made.
    ///
    /// # Errors
    /// If they cannot, with what to install.
    pub async fn start(handle: NodeHandle) -> anyhow::Result<Self> {
        let try_it = |node: &mut Node| {
            advertise(node, "nobody").map(|publisher| node.destroy_publisher_untyped(publisher))
        };
        handle.with(try_it).await?.map_err(|error| {
            anyhow!(
                "publish_engagement is on, but this build is without {KIND} ({error}): hri_msgs was \
                 not installed when the package was built; install it (on Ubuntu: apt install \
                 ros-{}-hri-msgs) and build again",
                r2r::ROS_DISTRO
            )
        })?;
        Ok(Self { node: handle, topics: Arc::default() })
    }

    /// Publishes the attention of the people in view, and makes and ends the topics of those who came
    /// and went.
    ///
    /// # Errors
    /// If a topic cannot be made or published on.
    pub fn publish(
        &mut self,
        header: &Header,
        people: &[Person],
        stays: impl Fn(FaceId) -> bool,
    ) -> anyhow::Result<()> {
        let mut topics = lock(&self.topics);
        let shown = |id| people.iter().any(|person| person.id == id);
        let gone: Vec<FaceId> =
            topics.people.keys().copied().filter(|&id| !shown(id) && !stays(id)).collect();
        for publisher in gone.into_iter().filter_map(|id| topics.people.remove(&id)?) {
            self.node.send(move |node| node.destroy_publisher_untyped(publisher));
        }
        for person in people {
            match topics.people.get(&person.id) {
                Some(Some(publisher)) => {
                    publisher.publish_raw(&level_cdr(header, person.engagement))?;
                }
                Some(None) => {}
                None => {
                    topics.people.insert(person.id, None);
                    self.make(person.id);
                }
            }
        }
        topics.problem.take().map_or(Ok(()), |problem| Err(problem.into()))
    }

    fn make(&self, id: FaceId) {
        let topics = self.topics.clone();
        self.node.send(move |node| match advertise(node, &id.to_string()) {
            Ok(publisher) => match lock(&topics).people.get_mut(&id) {
                Some(slot @ None) => *slot = Some(publisher),
                // It left meanwhile.
                _ => node.destroy_publisher_untyped(publisher),
            },
            Err(error) => {
                let mut topics = lock(&topics);
                topics.people.remove(&id);
                topics.problem = Some(error);
            }
        });
    }

    /// Ends all the topics.
    ///
    /// # Errors
    /// If the node has ended.
    pub async fn end(self) -> anyhow::Result<()> {
        let topics = self.topics;
        let end = move |node: &mut Node| {
            let people = std::mem::take(&mut lock(&topics).people);
            people.into_values().flatten().for_each(|one| node.destroy_publisher_untyped(one));
        };
        Ok(self.node.with(end).await?)
    }
}

/// A hri_msgs/msg/EngagementLevel in CDR.
fn level_cdr(header: &Header, engagement: Option<Engagement>) -> Vec<u8> {
    let mut writer = CdrWriter::default();
    writer.i32(header.stamp.sec).u32(header.stamp.nanosec).text(&header.frame_id);
    writer.u8(match engagement {
        None => 0,
        Some(Engagement::Disengaged) => 1,
        Some(Engagement::Engaging) => 2,
        Some(Engagement::Engaged) => 3,
        Some(Engagement::Disengaging) => 4,
    });
    writer.finish()
}
