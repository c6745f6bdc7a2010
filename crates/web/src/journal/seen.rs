//! People in view, as the journal takes them.

use image::RgbImage;
use rapport_journal::{ExpressionSeen, ImageSeen, Observation, PersonSeen};
use rapport_perception::Person;
use rapport_vocabulary::Engagement;

use super::appearance::Appearance;
use super::{JournalService, now};

/// A person in one picture. In memory only, and never longer than until it is counted.
#[derive(Debug, Clone)]
pub struct Seen {
    /// The same while the person stays in view; no two people of a place share one.
    pub id: String,
    /// The expression shown; nothing where the face is not classified.
    pub expression: Option<ExpressionSeen>,
    /// Whether the person attends to the camera; nothing where that is unknown.
    pub engagement: Option<Engagement>,
    /// The longer side of the face's box, in pixels.
    pub face_size_px: f32,
    /// Brightness and blur; nothing where no pixels are at hand.
    pub appearance: Option<Appearance>,
}

impl Seen {
    /// A person in this picture. `whose` tells sessions apart, whose ids are alike.
    pub fn new(person: &Person, picture: &RgbImage, whose: &str) -> Self {
        let roi = &person.face.roi_in_image;
        let (width_px, height_px) = picture.dimensions();
        Self {
            id: format!("{whose}/{}", person.id),
            expression: Some(ExpressionSeen {
                label: person.emotion,
                sure: person.sure,
                confidence: person.confidence(),
                valence: person.affect.valence,
            }),
            engagement: person.engagement,
            face_size_px: roi.width.max(roi.height),
            appearance: Appearance::of(picture, roi.clipped(width_px, height_px)),
        }
    }

    fn person(&self) -> PersonSeen<'_> {
        PersonSeen {
            id: &self.id,
            expression: self.expression,
            engagement: self.engagement,
            face_size_px: self.face_size_px,
            brightness: self.appearance.map(|appearance| appearance.brightness),
            blur: self.appearance.and_then(|appearance| appearance.blur),
        }
    }
}

impl JournalService {
    /// Takes in who is in view at a place now; nobody is something too.
    pub fn see(&self, place: &str, people: &[Seen]) {
        let people: Vec<PersonSeen<'_>> = people.iter().map(Seen::person).collect();
        self.take(&Observation::Image(ImageSeen { place, time: now(), people: &people }));
    }
}
