//! What a robot sees and does, for the journal.

use std::collections::BTreeSet;
use std::sync::Arc;

use r2r::rapport::msg::Response;
use rapport_journal::{AnswerGiven, ExpressionSeen, Observation};
use rapport_recording::message::{EmotionsMessage, FaceMessage};
use rapport_vocabulary::Engagement;
use rapport_web::JournalService;
use rapport_web::journal::{HealthMeter, Seen, now, policy_name};
use rapport_web::robot::Level;

use super::report::Report;

/// Tells the journal what a robot sees and does.
pub struct Observer {
    journal: Arc<JournalService>,
    robot: String,
    place: String,
    meter: HealthMeter,
    policy: Option<String>,
    /// Images that perception_node has dropped since its start.
    dropped: Option<u64>,
    has_failed: bool,
}

impl Observer {
    /// Of the robot of a namespace. The journal knows its place from now on.
    pub fn new(journal: Arc<JournalService>, robot: &str) -> Self {
        let place = journal.place_of(robot);
        journal.observe(&place);
        Self {
            journal,
            robot: robot.to_owned(),
            place,
            meter: HealthMeter::default(),
            policy: None,
            dropped: None,
            has_failed: false,
        }
    }

    /// Who is in view.
    pub fn see(&self, message: &EmotionsMessage<'_>) {
        self.meter.image();
        let people: Vec<Seen> = message.faces.iter().map(|face| self.seen(face)).collect();
        self.journal.see(&self.place, &people);
    }

    /// An emotion message could not be read.
    pub fn see_unread(&self) {
        self.meter.error();
    }

    /// What the robot did.
    pub fn answer(&self, response: &Response) {
        let answered = std::iter::once(&response.face_id).chain(&response.group_face_ids);
        let ids: BTreeSet<String> =
            answered.filter(|id| !id.is_empty()).map(|id| self.id(id)).collect();
        let people: Vec<&str> = ids.iter().map(String::as_str).collect();
        let (place, rule) = (self.place.as_str(), response.rule.as_str());
        let answer = AnswerGiven { place, time: now(), rule, people: &people };
        self.journal.take(&Observation::Answer(answer));
    }

    /// A node of the robot reported.
    pub fn hear(&mut self, report: &Report) {
        match report {
            Report::Perception(report) => {
                if let (Some(before), Some(dropped)) = (self.dropped, report.dropped) {
                    // It starts again at zero with the node.
                    self.meter.lost(dropped.checked_sub(before).unwrap_or(dropped));
                }
                self.dropped = report.dropped.or(self.dropped);
                let has_failed = report.level == Level::Error;
                if has_failed && !self.has_failed {
                    self.meter.error();
                }
                self.has_failed = has_failed;
            }
            Report::Behavior(policy) => {
                let name = policy_name(policy);
                if self.policy.as_ref() != Some(&name) {
                    let (place, policy) = (self.place.as_str(), name.as_str());
                    self.journal.take(&Observation::Policy { place, time: now(), policy });
                    self.policy = Some(name);
                }
            }
        }
    }

    /// Some time has passed. `is_paused`: whether an operator paused perception.
    pub fn tick(&self, is_paused: bool) {
        self.journal.health(&self.place, self.meter.take(is_paused));
    }

    fn seen(&self, face: &FaceMessage<'_>) -> Seen {
        let (_, _, width_px, height_px) = face.roi_px;
        let expression = |label| ExpressionSeen {
            label,
            sure: face.sure,
            confidence: face.confidence,
            valence: face.valence,
        };
        Seen {
            id: self.id(&face.face_id),
            expression: face.label.parse().ok().map(expression),
            engagement: Engagement::from_word(face.engagement),
            face_size_px: width_px.max(height_px) as f32,
            appearance: None,
        }
    }

    /// Several robots may share a place, and count their faces alike.
    fn id(&self, face_id: &str) -> String {
        format!("{}/{face_id}", self.robot)
    }
}
