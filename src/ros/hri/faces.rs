//! Publishing people with the messages of `hri_msgs`.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use r2r::hri_msgs::msg::{Expression, IdsList, NormalizedRegionOfInterest2D};
use r2r::sensor_msgs::msg::Image;
use r2r::std_msgs::msg::Header;
use r2r::{Node, Publisher, QosProfile};

use crate::ros::convert;
use crate::ros::handle::NodeHandle;
use crate::ros::lock::lock;
use rapport_perception::crop::crop_padded_rgb;
use rapport_perception::frame::Frame;
use rapport_perception::pipeline::Person;
use rapport_perception::track::FaceId;
use rapport_vocabulary::Emotion;

/// Side of the published crops in pixels, as REP-155 has them.
const CROP_SIDE_PX: u32 = 128;

/// The topics of one face.
struct Face {
    roi: Publisher<NormalizedRegionOfInterest2D>,
    cropped: Publisher<Image>,
    expression: Publisher<Expression>,
}

impl Face {
    fn advertise(node: &mut Node, id: FaceId) -> r2r::Result<Self> {
        let topic = |name: &str| format!("/humans/faces/{id}/{name}");
        Ok(Self {
            roi: node.create_publisher(&topic("roi"), QosProfile::default())?,
            cropped: node.create_publisher(&topic("cropped"), QosProfile::sensor_data())?,
            expression: node.create_publisher(&topic("expression"), QosProfile::default())?,
        })
    }

    fn withdraw(self, node: &mut Node) {
        node.destroy_publisher(self.roi);
        node.destroy_publisher(self.cropped);
        node.destroy_publisher(self.expression);
    }
}

/// The faces that have topics, shared with the node's thread, which makes and ends these.
#[derive(Default)]
struct Faces {
    /// Nothing while the topics are being made.
    topics: HashMap<FaceId, Option<Face>>,
    /// Why topics were not made.
    problem: Option<r2r::Error>,
}

/// The REP-155 topics.
pub struct Hri {
    node: NodeHandle,
    tracked: Publisher<IdsList>,
    faces: Arc<Mutex<Faces>>,
}

impl Hri {
    /// Advertises the list of faces.
    ///
    /// # Errors
    /// If the node cannot have it.
    pub async fn start(node: NodeHandle) -> anyhow::Result<Self> {
        let advertise =
            |node: &mut Node| node.create_publisher("/humans/faces/tracked", QosProfile::default());
        let tracked = node.with(advertise).await??;
        Ok(Self { node, tracked, faces: Arc::default() })
    }

    /// Publishes the people in a frame, and makes and ends the topics of those who came and went.
    /// `stays` says whether a face that is not among them was only missed.
    ///
    /// # Errors
    /// If a topic cannot be made or published on.
    pub fn publish(
        &mut self,
        header: &Header,
        frame: &Frame<'_>,
        people: &[Person],
        stays: impl Fn(FaceId) -> bool,
    ) -> anyhow::Result<()> {
        let mut faces = lock(&self.faces);
        let shown = |id| people.iter().any(|person| person.id == id);
        let gone: Vec<FaceId> =
            faces.topics.keys().copied().filter(|id| !shown(*id) && !stays(*id)).collect();
        for id in gone {
            if let Some(Some(face)) = faces.topics.remove(&id) {
                self.withdraw(face);
            }
        }
        for person in people {
            match faces.topics.get(&person.id) {
                Some(Some(face)) => publish_face(face, header, frame, person)?,
                Some(None) => {}
                None => {
                    faces.topics.insert(person.id, None);
                    self.make(person.id);
                }
            }
        }
        let problem = faces.problem.take();
        drop(faces);
        // After the messages about the faces that had their topics. Of a new face, the id comes
        // first: its topics are made meanwhile, and carry messages from the next image on.
        let ids = people.iter().map(|person| person.id.to_string()).collect();
        self.tracked.publish(&IdsList { header: header.clone(), ids })?;
        problem.map_or(Ok(()), |problem| Err(problem.into()))
    }

    /// Publishes that nobody is in view any more, and ends the topics of all faces.
    ///
    /// # Errors
    /// If it cannot be published.
    pub fn leave(&mut self, header: &Header) -> anyhow::Result<()> {
        let topics = std::mem::take(&mut lock(&self.faces).topics);
        topics.into_values().flatten().for_each(|face| self.withdraw(face));
        Ok(self.tracked.publish(&IdsList { header: header.clone(), ids: Vec::new() })?)
    }

    /// Ends all the topics.
    ///
    /// # Errors
    /// If the node has ended.
    pub async fn end(self) -> anyhow::Result<()> {
        let Self { node, tracked, faces } = self;
        let end = move |node: &mut Node| {
            // Work on the node is done in order: what was still to be made is made by now.
            let topics = std::mem::take(&mut lock(&faces).topics);
            topics.into_values().flatten().for_each(|face| face.withdraw(node));
            node.destroy_publisher(tracked);
        };
        Ok(node.with(end).await?)
    }

    fn make(&self, id: FaceId) {
        let faces = self.faces.clone();
        // Sent off: the frame in work does not wait for the node's thread.
        self.node.send(move |node| match Face::advertise(node, id) {
            Ok(face) => match lock(&faces).topics.get_mut(&id) {
                Some(slot @ None) => *slot = Some(face),
                // It left meanwhile, or left and came back.
                _ => face.withdraw(node),
            },
            Err(error) => {
                let mut faces = lock(&faces);
                // Tried again with the next image.
                faces.topics.remove(&id);
                faces.problem = Some(error);
            }
        });
    }

    fn withdraw(&self, face: Face) {
        self.node.send(move |node| face.withdraw(node));
    }
}

fn publish_face(
    face: &Face,
    header: &Header,
    frame: &Frame<'_>,
    person: &Person,
) -> anyhow::Result<()> {
    let (width, height) = (frame.width_px(), frame.height_px());
    let (left, top, roi_width, roi_height) = person.face.roi_in_image.clipped(width, height);
    let share = |pixels: u32, of: u32| pixels as f32 / of as f32;
    face.roi.publish(&NormalizedRegionOfInterest2D {
        header: header.clone(),
        xmin: share(left, width),
        ymin: share(top, height),
        xmax: share(left + roi_width, width),
        ymax: share(top + roi_height, height),
        c: person.face.score,
    })?;
    let affect = person.affect;
    face.expression.publish(&Expression {
        header: header.clone(),
        expression: expression(person.emotion).to_owned(),
        valence: affect.valence,
        arousal: affect.arousal,
        confidence: person.confidence(),
    })?;
    if face.cropped.get_inter_process_subscription_count()? > 0 {
        let rgb = crop_padded_rgb(frame, &person.face.roi_in_image, CROP_SIDE_PX);
        face.cropped.publish(&convert::rgb_image(header, CROP_SIDE_PX, CROP_SIDE_PX, rgb))?;
    }
    Ok(())
}

/// The word of `hri_msgs/Expression` for an expression. The list of words there is closed, and has
/// none for contempt, which is published as `disgusted`: lists of six basic expressions count the
/// two as one, and both have the same valence and arousal here. The topic `emotions` keeps them
/// apart.
const fn expression(emotion: Emotion) -> &'static str {
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

    /// The words of `hri_msgs/msg/Expression` in its version 2, for what we read in faces; it has
    /// others for what a robot shows.
    const WORDS: [&str; 7] =
        ["angry", "disgusted", "happy", "neutral", "sad", "scared", "surprised"];

    #[test]
    fn every_expression_has_a_word_of_the_message() {
        for emotion in Emotion::ALL {
            assert!(WORDS.contains(&expression(emotion)), "{emotion:?}");
        }
        assert_eq!(expression(Emotion::Contempt), "disgusted");
    }
}
