//! What is published about people beside `emotions`: events, whom to look at, transforms, attention as
//! REP-155 has it, and views of other packages' types.
//!
//! Messages of packages that need not be installed are written as bytes or as JSON: whether they are
//! there shows when their topic is advertised.

use anyhow::{Context as _, anyhow};
use r2r::geometry_msgs::msg::{Point, PointStamped};
use r2r::rapport::msg::PersonEvent as PersonEventMsg;
use r2r::std_msgs::msg::Header;
use r2r::{Node, Publisher, PublisherUntyped, QosProfile};
use serde_json::{Value, json};

use super::engagement::EngagementTopics;
use crate::ros::handle::NodeHandle;
use crate::ros::parameters::Values;
use rapport_perception::events::{Event, PersonEvent};
use rapport_perception::track::FaceId;
use rapport_perception::{Observation, Person};
use rapport_recording::message::CdrWriter;

/// Events are few, and none should be lost while a subscriber is busy.
const EVENTS_KEPT: usize = 100;

/// As tf2_ros has it.
const TRANSFORMS_KEPT: usize = 100;

/// From `face_<id>` to `gaze_<id>`, x, y, z and w: z along the face, x to the right, y down.
const FACE_TO_GAZE: [f64; 4] = [-0.5, 0.5, -0.5, 0.5];

/// Line around a box, of foxglove_msgs/PointsAnnotation.
const LINE_LOOP: u8 = 2;

/// The topics.
pub struct PeopleTopics {
    node: NodeHandle,
    events: Publisher<PersonEventMsg>,
    look_at: Publisher<PointStamped>,
    transforms: Option<PublisherUntyped>,
    detections: Option<PublisherUntyped>,
    annotations: Option<PublisherUntyped>,
    engagement: Option<EngagementTopics>,
}

/// Advertises a topic whose package need not have been there when this program was built.
fn optional(
    node: &mut Node,
    values: &Values,
    parameter: &str,
    (topic, kind): (&str, &str),
    qos: QosProfile,
) -> anyhow::Result<Option<PublisherUntyped>> {
    if !values.flag(parameter) {
        return Ok(None);
    }
    let package = kind.split('/').next().unwrap_or(kind);
    let publisher = node.create_publisher_untyped(topic, kind, qos).map_err(|error| {
        anyhow!(
            "{parameter} is on, but this build is without {kind} ({error}): {package} was not \
             installed when the package was built; install it (on Ubuntu: apt install ros-{}-{}) \
             and build again",
            r2r::ROS_DISTRO,
            package.replace('_', "-")
        )
    })?;
    Ok(Some(publisher))
}

impl PeopleTopics {
    /// Advertises the topics that the values ask for.
    ///
    /// # Errors
    /// If the node cannot have one, or the package of its type is not there.
    pub async fn start(handle: NodeHandle, values: &Values) -> anyhow::Result<Self> {
        let engagement = match values.flag("publish_engagement") {
            true => Some(EngagementTopics::start(handle.clone()).await?),
            false => None,
        };
        let (values, node) = (values.clone(), handle.clone());
        let advertise = move |node: &mut Node| -> anyhow::Result<_> {
            let default = QosProfile::default;
            let events =
                node.create_publisher("person_events", default().keep_last(EVENTS_KEPT))?;
            let look_at = node.create_publisher("look_at", default())?;
            let mut optional = |parameter, what, qos| optional(node, &values, parameter, what, qos);
            let transforms = optional(
                "publish_tf",
                ("/tf", "tf2_msgs/msg/TFMessage"),
                default().keep_last(TRANSFORMS_KEPT),
            )?;
            let detections = optional(
                "publish_detections",
                ("detections", "vision_msgs/msg/Detection2DArray"),
                default(),
            )?;
            let annotations = optional(
                "publish_annotations",
                ("annotations", "foxglove_msgs/msg/ImageAnnotations"),
                default(),
            )?;
            Ok((events, look_at, transforms, detections, annotations))
        };
        let (events, look_at, transforms, detections, annotations) =
            handle.with(advertise).await?.context("topics not advertised")?;
        Ok(Self { node, events, look_at, transforms, detections, annotations, engagement })
    }

    /// Publishes what an image showed. `stays` says whether a face that is not among its people was only
    /// missed.
    ///
    /// # Errors
    /// If something cannot be published.
    pub fn publish(
        &mut self,
        header: &Header,
        (width_px, height_px): (u32, u32),
        seen: &Observation,
        stays: impl Fn(FaceId) -> bool,
    ) -> anyhow::Result<()> {
        self.tell(header, &seen.events)?;
        let target = seen.people.iter().find(|person| Some(person.id) == seen.look_at);
        if let Some(pose) = target.and_then(|person| person.pose) {
            let [x, y, z] = pose.position_m;
            let point = Point { x, y, z };
            self.look_at.publish(&PointStamped { header: header.clone(), point })?;
        }
        if let Some(transforms) = &self.transforms
            && let Some(cdr) = transforms_cdr(header, &seen.people)
        {
            transforms.publish_raw(&cdr).context("/tf")?;
        }
        if let Some(detections) = &self.detections
            && detections.get_inter_process_subscription_count()? > 0
        {
            let message = detections_json(header, (width_px, height_px), &seen.people);
            detections.publish(message).context("detections")?;
        }
        if let Some(annotations) = &self.annotations
            && annotations.get_inter_process_subscription_count()? > 0
        {
            let message = annotations_json(header, &seen.people);
            annotations.publish(message).context("annotations")?;
        }
        if let Some(engagement) = &mut self.engagement {
            engagement.publish(header, &seen.people, stays)?;
        }
        Ok(())
    }

    /// Publishes that nobody is in view any more.
    ///
    /// # Errors
    /// If it cannot be published.
    pub fn leave(&mut self, header: &Header, lost: &[PersonEvent]) -> anyhow::Result<()> {
        if let Some(engagement) = &mut self.engagement {
            engagement.publish(header, &[], |_| false)?;
        }
        self.tell(header, lost)
    }

    fn tell(&self, header: &Header, events: &[PersonEvent]) -> anyhow::Result<()> {
        for event in events {
            self.events.publish(&event_message(header, event))?;
        }
        Ok(())
    }

    /// Ends the topics.
    ///
    /// # Errors
    /// If the node has ended.
    pub async fn end(self) -> anyhow::Result<()> {
        let Self { node, events, look_at, transforms, detections, annotations, engagement } = self;
        if let Some(engagement) = engagement {
            engagement.end().await?;
        }
        let withdraw = move |node: &mut Node| {
            node.destroy_publisher(events);
            node.destroy_publisher(look_at);
            for publisher in [transforms, detections, annotations].into_iter().flatten() {
                node.destroy_publisher_untyped(publisher);
            }
        };
        Ok(node.with(withdraw).await?)
    }
}

fn event_message(header: &Header, event: &PersonEvent) -> PersonEventMsg {
    let (name, previous) = match event.event {
        Event::Appeared => ("appeared", None),
        Event::Lost => ("lost", None),
        Event::CameNear => ("came_near", None),
        Event::Engaged => ("engaged", None),
        Event::Disengaged => ("disengaged", None),
        Event::ExpressionChanged { from, after } => ("expression_changed", Some((from, after))),
    };
    PersonEventMsg {
        header: header.clone(),
        event: name.to_owned(),
        face_id: event.id.to_string(),
        label: event.emotion.to_string(),
        previous_label: previous.map(|(from, _)| from.to_string()).unwrap_or_default(),
        previous_secs: previous.map_or(0.0, |(_, after)| after.as_secs_f32()),
        distance_m: event.distance_m.map_or(f32::NAN, |distance| distance as f32),
        in_view_secs: event.in_view.as_secs_f32(),
    }
}

/// A tf2_msgs/msg/TFMessage in CDR: where each head is and what it turns to, as REP-155 has the
/// frames; nothing where no head's place is known.
fn transforms_cdr(header: &Header, people: &[Person]) -> Option<Vec<u8>> {
    let posed: Vec<_> = people.iter().filter_map(|p| Some((p.id, p.pose?))).collect();
    if posed.is_empty() {
        return None;
    }
    let mut writer = CdrWriter::default();
    writer.length(2 * posed.len());
    let mut transform = |parent: &str, child: &str, numbers: [f64; 3], turn: [f64; 4]| {
        writer.i32(header.stamp.sec).u32(header.stamp.nanosec).text(parent).text(child);
        numbers.iter().chain(&turn).for_each(|number| {
            writer.f64(*number);
        });
    };
    for (id, pose) in posed {
        let face = frame_of("face", id);
        transform(&header.frame_id, &face, pose.position_m, pose.orientation);
        transform(&face, &frame_of("gaze", id), [0.0; 3], FACE_TO_GAZE);
    }
    Some(writer.finish())
}

/// The frame of a face: REP-155 puts the id behind the word, whatever it is.
fn frame_of(word: &str, id: FaceId) -> String {
    format!("{word}_{id}")
}

fn header_json(header: &Header) -> Value {
    json!({
        "stamp": { "sec": header.stamp.sec, "nanosec": header.stamp.nanosec },
        "frame_id": header.frame_id,
    })
}

/// A vision_msgs/msg/Detection2DArray: each face with the expression as its class.
fn detections_json(header: &Header, (width, height): (u32, u32), people: &[Person]) -> Value {
    let detection = |person: &Person| {
        let (x, y, w, h) = person.face.roi_in_image.clipped(width, height);
        let [x, y, w, h] = [x, y, w, h].map(f64::from);
        let mut result = json!({
            "hypothesis": { "class_id": person.emotion.as_str(), "score": person.confidence() },
        });
        if let Some(pose) = person.pose {
            let [px, py, pz] = pose.position_m;
            let [qx, qy, qz, qw] = pose.orientation;
            result["pose"] = json!({ "pose": {
                "position": { "x": px, "y": py, "z": pz },
                "orientation": { "x": qx, "y": qy, "z": qz, "w": qw },
            }});
        }
        let center = json!({ "position": { "x": x + w / 2.0, "y": y + h / 2.0 }, "theta": 0.0 });
        json!({
            "header": header_json(header),
            "results": [result],
            "bbox": { "center": center, "size_x": w, "size_y": h },
            "id": person.id.to_string(),
        })
    };
    let detections: Vec<Value> = people.iter().map(detection).collect();
    json!({ "header": header_json(header), "detections": detections })
}

/// A foxglove_msgs/msg/ImageAnnotations: each face's box and caption.
fn annotations_json(header: &Header, people: &[Person]) -> Value {
    let timestamp = json!({ "sec": header.stamp.sec, "nanosec": header.stamp.nanosec });
    let (mut points, mut texts) = (Vec::new(), Vec::new());
    for person in people {
        let [r, g, b] = person.emotion.background_color().map(|part| f64::from(part) / 255.0);
        let color = json!({ "r": r, "g": g, "b": b, "a": 1.0 });
        let roi = person.face.roi_in_image;
        let (right, bottom) = (roi.x + roi.width, roi.y + roi.height);
        let corners = [(roi.x, roi.y), (right, roi.y), (right, bottom), (roi.x, bottom)];
        let corners = corners.map(|(x, y)| json!({ "x": x, "y": y }));
        points.push(json!({
            "timestamp": timestamp, "type": LINE_LOOP, "points": corners,
            "outline_color": color, "thickness": 2.0,
        }));
        let doubt = if person.sure { "" } else { "?" };
        let percent = (person.confidence() * 100.0).round();
        texts.push(json!({
            "timestamp": timestamp,
            "position": { "x": roi.x, "y": roi.y },
            "text": format!("{} {}{doubt} {percent}%", person.id, person.emotion),
            "font_size": 14.0,
            "text_color": { "r": 1.0, "g": 1.0, "b": 1.0, "a": 1.0 },
            "background_color": color,
        }));
    }
    json!({ "points": points, "texts": texts })
}
