//! Publishing people with the messages of `hri_msgs`.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use r2r::hri_msgs::msg::{Expression, IdsList, NormalizedRegionOfInterest2D};
use r2r::sensor_msgs::msg::Image;
use r2r::std_msgs::msg::Header;
use r2r::{Node, Publisher, PublisherUntyped, QosProfile};

use crate::ros::convert;
use crate::ros::handle::NodeHandle;
use crate::ros::hri::recognizer::word;
use crate::ros::lock::lock;
use rapport_perception::Person;
use rapport_perception::crop::{crop_level_rgb, crop_padded_rgb};
use rapport_perception::detect::Face as DetectedFace;
use rapport_perception::frame::Frame;
use rapport_perception::track::FaceId;
use rapport_recording::message::CdrWriter;

/// Side of the published crops in pixels, as REP-155 has them.
const CROP_SIDE_PX: u32 = 128;

/// The type of the landmarks.
const LANDMARKS: &str = "hri_msgs/msg/FacialLandmarks";

/// How many landmarks the message has, and where ours stand in it: the pupils, the tip of the nose
/// and the corners of the mouth. Right and left are the person's own there: the right eye is seen at
/// the left.
const LANDMARKS_IN_MESSAGE: usize = 70;
const PLACES: [usize; 5] = [68, 69, 30, 48, 54];

/// The topics of one face.
struct Face {
    roi: Publisher<NormalizedRegionOfInterest2D>,
    cropped: Publisher<Image>,
    aligned: Publisher<Image>,
    /// Nothing where the hri_msgs that the package was built with has no such message.
    landmarks: Option<PublisherUntyped>,
    expression: Publisher<Expression>,
}

impl Face {
    fn advertise(node: &mut Node, id: FaceId) -> r2r::Result<Self> {
        let topic = |name: &str| format!("/humans/faces/{id}/{name}");
        Ok(Self {
            roi: node.create_publisher(&topic("roi"), QosProfile::default())?,
            // As hri_face_detect has them.
            cropped: node
                .create_publisher(&topic("cropped"), QosProfile::default().keep_last(1))?,
            aligned: node
                .create_publisher(&topic("aligned"), QosProfile::default().keep_last(1))?,
            landmarks: node
                .create_publisher_untyped(&topic("landmarks"), LANDMARKS, QosProfile::default())
                .ok(),
            expression: node.create_publisher(&topic("expression"), QosProfile::default())?,
        })
    }

    fn withdraw(self, node: &mut Node) {
        node.destroy_publisher(self.roi);
        node.destroy_publisher(self.cropped);
        node.destroy_publisher(self.aligned);
        if let Some(landmarks) = self.landmarks {
            node.destroy_publisher_untyped(landmarks);
        }
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
        expression: word(person.emotion).to_owned(),
        valence: affect.valence,
        arousal: affect.arousal,
        confidence: person.confidence(),
    })?;
    if face.cropped.get_inter_process_subscription_count()? > 0 {
        let rgb = crop_padded_rgb(frame, &person.face.roi_in_image, CROP_SIDE_PX);
        face.cropped.publish(&convert::bgr_image(header, CROP_SIDE_PX, CROP_SIDE_PX, rgb))?;
    }
    if face.aligned.get_inter_process_subscription_count()? > 0 {
        let rgb = crop_level_rgb(frame, &person.face, CROP_SIDE_PX);
        face.aligned.publish(&convert::bgr_image(header, CROP_SIDE_PX, CROP_SIDE_PX, rgb))?;
    }
    if let Some(landmarks) = &face.landmarks {
        landmarks.publish_raw(&landmarks_cdr(header, width, height, &person.face))?;
    }
    Ok(())
}

/// A hri_msgs/msg/FacialLandmarks in CDR. Those that we do not find have confidence 0.
fn landmarks_cdr(header: &Header, width_px: u32, height_px: u32, face: &DetectedFace) -> Vec<u8> {
    let mut points = [[0.0; 3]; LANDMARKS_IN_MESSAGE];
    for (place, point) in PLACES.into_iter().zip(face.landmarks) {
        // The message has no place for what lies outside the image.
        let share = |px: f32, of: u32| (px / of as f32).clamp(0.0, 1.0);
        points[place] = [share(point.x, width_px), share(point.y, height_px), face.score];
    }
    let mut writer = CdrWriter::default();
    writer.i32(header.stamp.sec).u32(header.stamp.nanosec).text(&header.frame_id);
    writer.length(points.len());
    for value in points.as_flattened() {
        writer.f32(*value);
    }
    writer.u32(height_px).u32(width_px);
    writer.finish()
}

#[cfg(test)]
mod tests {
    use super::*;
    use rapport_perception::geometry::{Point, Rect};
    use rapport_recording::message::CdrReader;

    #[test]
    fn landmarks_have_the_places_and_the_layout_of_the_message() {
        let landmarks = [(10.0, 20.0), (30.0, 20.0), (20.0, 30.0), (-5.0, 40.0), (28.0, 40.0)]
            .map(|(x, y)| Point { x, y });
        let roi_in_image = Rect { x: 0.0, y: 10.0, width: 40.0, height: 40.0 };
        let face = rapport_perception::detect::Face {
            roi_in_image,
            score: 0.75,
            probability: 1.0,
            landmarks,
        };
        let cdr = landmarks_cdr(&Header::default(), 40, 50, &face);
        let reader = &mut CdrReader::new(&cdr).unwrap();
        reader.i32("sec").unwrap();
        reader.u32("nanosec").unwrap();
        assert_eq!(reader.text("frame_id").unwrap(), "");
        let point =
            |reader: &mut CdrReader<'_>| Ok([reader.f32("x")?, reader.f32("y")?, reader.f32("c")?]);
        let points = reader.sequence("landmarks", point).unwrap();
        assert_eq!(points.len(), 70);
        assert_eq!(points[68], [0.25, 0.4, 0.75]);
        assert_eq!(points[30], [0.5, 0.6, 0.75]);
        assert_eq!(points[48], [0.0, 0.8, 0.75], "clamped to the image");
        assert_eq!(points.iter().filter(|point| point[2] > 0.0).count(), 5);
        let size = (reader.u32("height").unwrap(), reader.u32("width").unwrap());
        assert_eq!(size, (50, 40));
    }
}
